/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace history: the steps that made an image, in docker's columns. */
#include <argp.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/command.h"
#include "cmd/listing.h"
#include "cmd/words.h"
#include "engine/store.h"
#include "engine/values.h"
#include "engine/image/image_history.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { OPTION_FORMAT = 256, OPTION_NO_TRUNC, OPTION_PLATFORM, CREATED_BY_MAX = 45 };

struct arguments {
	bool quiet, no_trunc, human;
	const char *format, *platform, *image;
};

static const struct argp_option options[] = {
	{ "format", OPTION_FORMAT, "FORMAT", 0, "table, json, or a template such as '{{.CreatedBy}}'", 0 },
	{ "human", 'H', "BOOL", OPTION_ARG_OPTIONAL, "Sizes and times for people (true); --human=false: bytes and dates", 0 },
	{ "no-trunc", OPTION_NO_TRUNC, NULL, 0, "Print ids and commands in full", 0 },
	{ "platform", OPTION_PLATFORM, "PLATFORM", 0, "The image of that platform, os[/arch[/variant]]", 0 },
	{ "quiet", 'q', NULL, 0, "Print image ids only", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'q': a->quiet = true; return 0;
	case 'H':
		a->human = true;
		if (value && value_bool(value + (*value == '='), &a->human, NULL) < 0) /* "-H=false" */
			argp_error(state, "invalid argument \"%s\" for \"-H, --human\"", value);
		return 0;
	case OPTION_FORMAT: a->format = value; return 0;
	case OPTION_NO_TRUNC: a->no_trunc = true; return 0;
	case OPTION_PLATFORM: a->platform = value; return 0;
	case ARGP_KEY_ARG:
		if (a->image)
			command_wrong_arguments(state, "one image at a time");
		a->image = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		command_wrong_arguments(state, "it requires 1 argument: an image");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse_option, "IMAGE",
	"Show the steps that made an image, the last one first.\vExamples:\n"
	"  ctrace history ubuntu\n"
	"  ctrace history --no-trunc --format '{{.Size}} {{.CreatedBy}}' ubuntu",
	NULL, NULL, NULL,
};

/* ---- rows ---- */

/* Of the local time zone: "2026-01-02T03:04:05Z", "...+01:00". */
static char *date(int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[32], zone[8];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	if (tm.tm_gmtoff == 0)
		return xasprintf("%sZ", text);
	return xasprintf("%s%.3s:%s", text, zone, zone + 3);
}

/* One line of it; trunc: of so many characters at most. */
static char *created_by(const char *text, bool trunc)
{
	struct strbuf sb = { 0 };
	size_t shown = 0, cut = 0;

	for (const char *p = text; *p; p++) {
		if ((*p & 0xc0) != 0x80 && ++shown == CREATED_BY_MAX)
			cut = sb.length; /* what the dots take the place of */
		strbuf_putc(&sb, *p == '\t' ? ' ' : *p);
	}
	if (trunc && shown > CREATED_BY_MAX) {
		sb.length = cut;
		strbuf_puts(&sb, "…");
	}
	strbuf_puts(&sb, "");
	return strbuf_steal(&sb);
}

static json_object *new_row(const struct arguments *a, const struct history_step *step, const char *id)
{
	_cleanup_free_ char *age = words_duration((int64_t)time(NULL) - step->created_s);
	json_object *row = json_object_new_object();

	listing_add(row, "Comment", xstrdup(step->comment));
	listing_add(row, "CreatedAt", step->created_s ? date(step->created_s) : xstrdup("N/A"));
	listing_add(row, "CreatedBy", created_by(step->created_by, !a->no_trunc));
	listing_add(row, "CreatedSince", step->created_s ? xasprintf("%s ago", age) : xstrdup("N/A"));
	listing_add(row, "ID", xstrdup(id));
	listing_add(row, "Size", a->human ? words_image_size(step->size) : xasprintf("%" PRIu64, step->size));
	return row;
}

/* Only the last step has an id that is known: those before it are other images. */
static int collect(const struct arguments *a, json_object *rows, struct error *err)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	_cleanup_(store_image_free) struct store_image image = { 0 };
	_cleanup_(image_history_free) struct image_history history = { 0 };
	int r = store_open(NULL, &store, err);

	if (r == 0)
		r = store_find(store, a->image, a->platform, &image, err);
	if (r == 0)
		r = image_history_load(store, &image, &history, err);
	for (size_t i = 0; r == 0 && i < history.count; i++) {
		_cleanup_free_ char *id = a->no_trunc ? xstrdup(image.id) : xstrndup(image.id + strlen("sha256:"), 12);

		json_object_array_add(rows, new_row(a, &history.steps[i], i ? "<missing>" : id));
	}
	return r;
}

int cmd_history(int argc, char **argv)
{
	struct arguments a = { .human = true };
	struct listing_column columns[] = {
		{ "ID", "IMAGE", false }, { "CreatedSince", "CREATED", false }, { "CreatedAt", "CREATED AT", true },
		{ "CreatedBy", "CREATED BY", false }, { "Size", "SIZE", false }, { "Comment", "COMMENT", false },
	};
	struct listing listing = { .columns = columns, .column_count = ARRAY_SIZE(columns) };
	struct error err = { 0 };
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	columns[1].hidden = !a.human;
	columns[2].hidden = a.human;
	listing.rows = json_object_new_array();
	r = collect(&a, listing.rows, &err);
	if (r == 0)
		r = listing_print(&listing, listing_format(a.format, a.quiet, "{{.ID}}"), &err);
	json_object_put(listing.rows);
	return r < 0 ? command_fail("history", 1, &err) : 0;
}
