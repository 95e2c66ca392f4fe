/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ps_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/words.h"
#include "engine/container_size.h"
#include "engine/control.h"
#include "engine/ports.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { SHORT_ID = 12, COMMAND_WIDTH = 20 };
static const int64_t second_ns = 1000000000;

const struct listing_column ps_columns[PS_COLUMNS] = {
	{ "ID", "CONTAINER ID", false }, { "Image", "IMAGE", false }, { "Command", "COMMAND", false },
	{ "RunningFor", "CREATED", false }, { "Status", "STATUS", false }, { "Ports", "PORTS", false },
	{ "Names", "NAMES", false }, [PS_COLUMN_SIZE] = { "Size", "SIZE", true }, { "CreatedAt", "CREATED AT", true },
	{ "Labels", "LABELS", true }, { "LocalVolumes", "LOCAL VOLUMES", true }, { "Mounts", "MOUNTS", true },
	{ "Networks", "NETWORKS", true }, { "State", "STATE", true },
};

static char *ago(int64_t ns)
{
	return words_duration((state_now() - ns) / second_ns);
}

char *ps_status(const struct state *s)
{
	const char *status = control_status(s);
	_cleanup_free_ char *since = ago(s->finished_ns), *up = ago(s->started_ns);

	if (!strcmp(status, "running"))
		return xasprintf("Up %s", up);
	if (!strcmp(status, "paused"))
		return xasprintf("Up %s (Paused)", up);
	if (!strcmp(status, "restarting"))
		return xasprintf("Restarting (%lld) %s ago", (long long)s->exit_code, since);
	if (!strcmp(status, "removing"))
		return xstrdup("Removal In Progress");
	if (!strcmp(status, "created"))
		return xstrdup("Created");
	return xasprintf("Exited (%lld) %s ago", (long long)s->exit_code, since);
}

static bool is_published(const struct state *s, const char *port)
{
	_cleanup_free_ char *end = xasprintf(":%s", port);

	for (size_t i = 0; i < s->published.count; i++) {
		if (str_ends(s->published.items[i], end))
			return true;
	}
	return false;
}

char *ps_ports(const struct state *s)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < s->published.count; i++) {
		struct port_text t;

		if (port_text_split(s->published.items[i], &t))
			strbuf_printf(&sb, "%s%s:%u->%u/%s", sb.length ? ", " : "", t.address, t.host,
				t.container, t.protocol);
	}
	for (size_t i = 0; control_is_running(s) && i < s->exposed.count; i++) {
		if (!is_published(s, s->exposed.items[i]))
			strbuf_printf(&sb, "%s%s", sb.length ? ", " : "", s->exposed.items[i]);
	}
	return strbuf_steal(&sb);
}

/* An argument with a space in it stands between quotes, the program itself does not: docker has it so. */
static void add_argument(struct strbuf *all, const char *text, bool follows)
{
	bool quoted = follows && strchr(text, ' ');

	strbuf_printf(all, "%s%s%s%s", follows ? " " : "", quoted ? "'" : "", text, quoted ? "'" : "");
}

/* Quoted, and cut to twenty characters, as docker does. */
static char *command(const struct state *s, bool whole)
{
	struct strbuf all = { 0 }, cut = { 0 };
	size_t width = 0, i = 0;

	for (size_t k = 0; k < s->command.count; k++)
		add_argument(&all, s->command.items[k], k > 0);
	if (!all.length && state_has(s->bundle))
		strbuf_printf(&all, "%s/config.json", s->bundle);
	strbuf_putc(&cut, '"');
	while (all.text && i < all.length && (whole || width < COMMAND_WIDTH - 1)) {
		size_t n = utf8_sequence(all.text + i, all.length - i);

		strbuf_add(&cut, all.text + i, n ? n : 1);
		i += n ? n : 1;
		width++;
	}
	if (i < all.length)
		strbuf_puts(&cut, "…");
	strbuf_putc(&cut, '"');
	strbuf_free(&all);
	return strbuf_steal(&cut);
}

static char *join(const struct string_list *list)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < list->count; i++)
		strbuf_printf(&sb, "%s%s", i ? "," : "", list->items[i]);
	return strbuf_steal(&sb);
}

static void add_mounts(json_object *row, const struct state *s)
{
	struct strbuf sb = { 0 };
	int volumes = 0;

	for (size_t i = 0; i < s->mounts.count; i++) {
		char type[16] = "", name[512] = "", source[4096] = "";

		if (sscanf(s->mounts.items[i], "%15[^\t]\t%511[^\t]", type, name) == 2 && !strcmp(type, "volume")) {
			volumes++;
			strbuf_printf(&sb, "%s%s", sb.length ? "," : "", name);
		} else if (sscanf(s->mounts.items[i], "bind\t\t%4095[^\t]", source) == 1) {
			strbuf_printf(&sb, "%s%s", sb.length ? "," : "", source);
		}
	}
	listing_add(row, "LocalVolumes", xasprintf("%d", volumes));
	listing_add(row, "Mounts", strbuf_steal(&sb));
}

static char *size(const struct state *s)
{
	uint64_t own, all;
	_cleanup_free_ char *written = NULL, *total = NULL;

	if (container_size(s, &own, &all, NULL) < 0)
		return xstrdup("N/A");
	written = words_image_size(own);
	total = words_image_size(all);
	return xasprintf("%s (virtual %s)", written, total);
}

json_object *ps_row(const struct state *s, bool whole, bool measured)
{
	json_object *row = json_object_new_object();

	listing_add(row, "Command", command(s, whole));
	listing_add(row, "CreatedAt", words_local_time(s->created_ns));
	listing_add(row, "ID", xstrndup(s->id, whole ? STATE_ID_LENGTH : SHORT_ID));
	listing_add(row, "Image", xstrdup(s->image));
	listing_add(row, "Labels", join(&s->labels));
	add_mounts(row, s);
	listing_add(row, "Names", xstrdup(s->name));
	listing_add(row, "Networks", xstrdup(s->network));
	listing_add(row, "Ports", ps_ports(s));
	{
		_cleanup_free_ char *since = ago(s->created_ns);

		listing_add(row, "RunningFor", xasprintf("%s ago", since));
	}
	listing_add(row, "Size", measured ? size(s) : xstrdup("N/A")); /* docker's 0B without -s is no measurement either */
	listing_add(row, "State", xstrdup(control_status(s)));
	listing_add(row, "Status", ps_status(s));
	return row;
}
