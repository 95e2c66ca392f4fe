/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace ps: the launcher's containers, in docker's columns. */
#include <argp.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "cmd/ps_row.h"
#include "engine/control.h"
#include "engine/ports.h"
#include "engine/registry.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { OPTION_FORMAT = 256, OPTION_NO_TRUNC };

struct arguments {
	bool all, quiet, no_trunc, size;
	long last; /* -1 = as many as there are */
	const char *format;
	struct string_list filters;
};

static const struct argp_option options[] = {
	{ "all", 'a', NULL, 0, "Also those that have ended", 0 },
	{ "filter", 'f', "KEY=VALUE", 0, "id, name, label, status, exited, ancestor, volume, network, publish, expose, health, is-task, before, since", 0 },
	{ "format", OPTION_FORMAT, "FORMAT", 0, "table, json, or a template such as '{{.ID}} {{.Names}}'", 0 },
	{ "last", 'n', "N", 0, "The N newest, in any state", 0 },
	{ "latest", 'l', NULL, 0, "The newest, in any state", 0 },
	{ "no-trunc", OPTION_NO_TRUNC, NULL, 0, "Do not cut ids and commands", 0 },
	{ "quiet", 'q', NULL, 0, "Print ids only", 0 },
	{ "size", 's', NULL, 0, "How much each has written, and with its image; it is measured", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'a': a->all = true; return 0;
	case 'q': a->quiet = true; return 0;
	case 'l': a->last = 1; return 0;
	case 'n': a->last = engine_parse_number(state, "last", value, -1); return 0;
	case OPTION_FORMAT: a->format = value; return 0;
	case OPTION_NO_TRUNC: a->no_trunc = true; return 0;
	case 's': a->size = true; return 0;
	case 'f':
		if (!strchr(value, '='))
			argp_error(state, "bad format of filter (expected name=value): %s", value);
		string_list_add(&a->filters, xstrdup(value));
		return 0;
	case ARGP_KEY_ARG: command_wrong_arguments(state, "it accepts no arguments"); return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = { options, parse_option, NULL,
	"List the containers that ctrace run made. Containers of other engines: ctrace inspect.\vExamples:\n"
	"  ctrace ps -a\n"
	"  ctrace ps -q --filter status=exited\n"
	"  ctrace ps --format 'table {{.Names}}\\t{{.Status}}'\n", NULL, NULL, NULL };

/* ---- filters: those of one key are alternatives, of different keys all must hold ---- */

static bool has_label(const struct state *s, const char *value)
{
	for (size_t i = 0; i < s->labels.count; i++) {
		const char *label = s->labels.items[i];

		if (!strcmp(label, value) || (!strchr(value, '=') && str_starts(label, value) &&
						     label[strlen(value)] == '='))
			return true;
	}
	return false;
}

/* value: a regular expression that matches somewhere in the name, with or without a leading slash, as in docker. A text that is
 * no regular expression is looked for as it stands. */
static bool has_name(const struct state *s, const char *value)
{
	_cleanup_free_ char *rooted = xasprintf("/%s", s->name);
	regex_t expression;
	bool matches;

	if (regcomp(&expression, value, REG_EXTENDED | REG_NOSUB) != 0)
		return strstr(rooted, value) != NULL;
	matches = regexec(&expression, s->name, 0, NULL, 0) == 0 || regexec(&expression, rooted, 0, NULL, 0) == 0;
	regfree(&expression);
	return matches;
}

static bool has_volume(const struct state *s, const char *value)
{
	for (size_t i = 0; i < s->mounts.count; i++) {
		_cleanup_free_ char *copy = xstrdup(s->mounts.items[i]);
		struct state_mount m;

		if (*value && state_mount_split(copy, &m) &&
			(!strcmp(m.name, value) || !strcmp(m.source, value) || !strcmp(m.destination, value)))
			return true;
	}
	return false;
}

static bool is_image(const struct state *s, const char *value)
{
	const char *id = s->image_id;

	return !strcmp(s->image, value) ||
	       (str_starts(s->image, value) && strchr(":@", s->image[strlen(value)])) ||
	       (strlen(value) >= 3 && (str_starts(id, value) || (str_starts(id, "sha256:") &&
								       str_starts(id + 7, value))));
}

static int has_status(const struct state *s, const char *value, struct error *err)
{
	static const char *const statuses[] = { "created", "dead", "exited", "paused", "removing", "restarting", "running" };
	size_t i = 0;

	while (i < ARRAY_SIZE(statuses) && strcmp(statuses[i], value) != 0)
		i++;
	if (i == ARRAY_SIZE(statuses))
		return error_set(err, EINVAL, "Invalid filter 'status=%s': it is created, dead, exited, paused, removing, "
			"restarting or running", value);
	return !strcmp(control_status(s), value);
}

/* Ports of a container that runs, as docker: publish looks at the host's, expose at its own. */
static int has_port(const struct state *s, const char *key, const char *value, struct error *err)
{
	_cleanup_(string_list_free) struct string_list wanted = { 0 };
	bool of_host = !strcmp(key, "publish");

	if (ports_parse_exposed(value, &wanted, NULL) < 0)
		return error_set(err, EINVAL, "Invalid filter '%s=%s': it is a port or a range, as 80, 53/udp or 8000-8010/tcp", key, value);
	for (size_t i = 0; i < s->published.count; i++) {
		_cleanup_free_ char *port = NULL;
		struct port_text t;

		if (!port_text_split(s->published.items[i], &t))
			continue;
		port = xasprintf("%u/%s", of_host ? t.host : t.container, t.protocol);
		if (string_list_has(&wanted, port))
			return true;
	}
	for (size_t i = 0; !of_host && control_is_running(s) && i < s->exposed.count; i++) {
		if (string_list_has(&wanted, s->exposed.items[i]))
			return true;
	}
	return false;
}

/* ctrace checks no health: that of each container is docker's "none". */
static int has_health(const char *value, struct error *err)
{
	static const char *const states[] = { "none", "starting", "healthy", "unhealthy" };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (!strcmp(states[i], value))
			return i == 0;
	}
	return error_set(err, EINVAL, "Unrecognised filter value for health: %s: it is none, starting, healthy or unhealthy", value);
}

static int is_task(const char *value, struct error *err)
{
	bool yes = !strcmp(value, "true") || !strcmp(value, "1");

	if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return error_set(err, EINVAL, "Invalid filter 'is-task=%s': it is true or false", value);
	return !yes;
}

/* -EINVAL: no such filter; else whether it holds. */
static int holds(const struct state *s, const char *key, const char *value, struct error *err)
{
	if (!strcmp(key, "id"))
		return str_starts(s->id, value);
	if (!strcmp(key, "name"))
		return has_name(s, value);
	if (!strcmp(key, "label"))
		return has_label(s, value);
	if (!strcmp(key, "status"))
		return has_status(s, value, err);
	if (!strcmp(key, "exited"))
		return s->status == STATE_EXITED && s->exit_code == atoi(value);
	if (!strcmp(key, "ancestor"))
		return is_image(s, value);
	if (!strcmp(key, "volume"))
		return has_volume(s, value);
	if (!strcmp(key, "network"))
		return !strcmp(s->network, value);
	if (!strcmp(key, "publish") || !strcmp(key, "expose"))
		return has_port(s, key, value, err);
	if (!strcmp(key, "health"))
		return has_health(value, err);
	if (!strcmp(key, "is-task"))
		return is_task(value, err);
	if (!strcmp(key, "before") || !strcmp(key, "since")) {
		_cleanup_(state_free) struct state other = { 0 };

		if (registry_find(value, &other, err) < 0)
			return -ENOENT;
		return *key == 'b' ? s->created_ns < other.created_ns : s->created_ns > other.created_ns;
	}
	return error_set(err, EINVAL, "Invalid filter '%s'", key);
}

/* Whether the first filter of this key among those before i was another one: each key is looked at once. */
static bool is_first_of_key(const struct string_list *filters, size_t i, size_t length)
{
	for (size_t j = 0; j < i; j++) {
		if (!strncmp(filters->items[j], filters->items[i], length + 1))
			return false;
	}
	return true;
}

static int matches(const struct state *s, const struct string_list *filters, struct error *err)
{
	for (size_t i = 0; i < filters->count; i++) {
		size_t length = strcspn(filters->items[i], "=");
		_cleanup_free_ char *key = xstrndup(filters->items[i], length);
		bool any = false;

		if (!is_first_of_key(filters, i, length))
			continue;
		for (size_t j = i; j < filters->count; j++) {
			int r;

			if (strncmp(filters->items[j], filters->items[i], length + 1) != 0)
				continue;
			r = holds(s, key, filters->items[j] + length + 1, err);
			if (r < 0)
				return r;
			any |= r > 0;
		}
		if (!any)
			return 0;
	}
	return 1;
}

/* So that one that is wrong is told where there is no container to try it on, too. */
static int check_filters(const struct string_list *filters, struct error *err)
{
	char none[] = "";
	const struct state nothing = { .name = none, .image = none, .image_id = none, .network = none };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < filters->count; i++) {
		const struct string_list one = { .items = &filters->items[i], .count = 1 };

		r = matches(&nothing, &one, err);
	}
	return r < 0 ? r : 0;
}

/* A filter on how they ended looks at those that have. */
static bool wants_all(const struct arguments *a)
{
	for (size_t i = 0; i < a->filters.count; i++) {
		if (str_starts(a->filters.items[i], "status=") || str_starts(a->filters.items[i], "exited="))
			return true;
	}
	return a->all || a->last >= 0;
}

static int collect(const struct arguments *a, struct listing *listing, struct error *err)
{
	struct state *list = NULL;
	size_t count = 0, shown = 0;
	int r = check_filters(&a->filters, err);

	if (r == 0)
		r = registry_list(&list, &count, err);

	for (size_t i = 0; r >= 0 && i < count && (a->last < 0 || shown < (size_t)a->last); i++) {
		const struct state *s = &list[i];

		if (!wants_all(a) && s->status != STATE_RUNNING && s->status != STATE_RESTARTING)
			continue;
		r = matches(s, &a->filters, err);
		if (r <= 0)
			continue;
		json_object_array_add(listing->rows, ps_row(s, a->no_trunc, a->size));
		json_object_array_add(listing->labels, listing_pairs(&s->labels));
		shown++;
	}
	registry_list_free(list, count);
	return r < 0 ? r : 0;
}

int cmd_ps(int argc, char **argv)
{
	struct arguments a = { .last = -1 };
	struct listing_column columns[PS_COLUMNS];
	struct listing listing = { .columns = columns, .column_count = PS_COLUMNS };
	struct error err = { 0 };
	int code, r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	code = engine_command_begin("ps");
	if (code)
		return code;
	if (a.quiet && a.format)
		fputs("WARNING: Ignoring custom format, because both --format and --quiet are set.\n", stderr);
	memcpy(columns, ps_columns, sizeof(columns));
	columns[PS_COLUMN_SIZE].hidden = !a.size;
	a.size |= a.format && strstr(a.format, ".Size");
	listing.rows = json_object_new_array();
	listing.labels = json_object_new_array();
	r = collect(&a, &listing, &err);
	if (r == 0)
		r = listing_print(&listing, a.quiet ? "{{.ID}}" : a.format, &err);
	json_object_put(listing.rows);
	json_object_put(listing.labels);
	string_list_free(&a.filters);
	return r < 0 ? command_fail("ps", 1, &err) : 0;
}
