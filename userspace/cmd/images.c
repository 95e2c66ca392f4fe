/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace images: what is in the store, in docker's columns. */
#include <argp.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/command.h"
#include "engine/image/reference.h"
#include "engine/store.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { OPTION_FORMAT = 256, OPTION_NO_TRUNC };

struct arguments {
	bool quiet, json, no_trunc;
	const char *filter;
};

static const struct argp_option options[] = {
	{ "quiet", 'q', NULL, 0, "Print image ids only", 0 },
	{ "format", OPTION_FORMAT, "json|table", 0, "One JSON object per line instead of a table", 0 },
	{ "no-trunc", OPTION_NO_TRUNC, NULL, 0, "Print full ids", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'q':
		a->quiet = true;
		return 0;
	case OPTION_FORMAT:
		if (strcmp(value, "json") != 0 && strcmp(value, "table") != 0)
			argp_error(state, "--format is json or table, not \"%s\"", value);
		a->json = !strcmp(value, "json");
		return 0;
	case OPTION_NO_TRUNC:
		a->no_trunc = true;
		return 0;
	case ARGP_KEY_ARG:
		if (a->filter)
			argp_error(state, "one repository at a time");
		a->filter = value;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse_option, "[REPOSITORY[:TAG]]",
	"List the images in the store.\vExamples:\n"
	"  ctrace images\n"
	"  ctrace images -q\n"
	"  ctrace images --format json | jq -r .ID",
	NULL, NULL, NULL,
};

/* A row's texts, escaped for a terminal. */
struct row {
	char *repository, *tag, *id, *created, *size;
};

static char *escaped(const char *text)
{
	struct strbuf out = { 0 };

	strbuf_escape(&out, text, strlen(text));
	return strbuf_steal(&out);
}

static void name_row(struct row *row, const char *key)
{
	struct reference ref;
	char *familiar, *cut;

	if (!*key || str_starts(key, "oci:") || str_starts(key, "docker-archive:") ||
		reference_parse(key, &ref, NULL) < 0) {
		row->repository = *key ? escaped(key) : xstrdup("<none>");
		row->tag = xstrdup("<none>");
		return;
	}
	familiar = reference_familiar(&ref);
	cut = ref.digest ? strchr(familiar, '@') : strrchr(familiar, ':');
	*cut = '\0';
	row->repository = familiar;
	row->tag = xstrdup(ref.digest ? "<none>" : ref.tag);
	reference_free(&ref);
}

/* docker's words: "5 minutes ago", "2 weeks ago". */
static char *ago(int64_t created_s)
{
	static const struct {
		int64_t below, unit; /* seconds */
		const char *name;
	} steps[] = {
		{ 120, 1, "seconds" },		 { 7200, 60, "minutes" },
		{ 172800, 3600, "hours" },	 { 1209600, 86400, "days" },
		{ 5184000, 604800, "weeks" },	 { 63072000, 2592000, "months" },
		{ INT64_MAX, 31536000, "years" },
	};
	int64_t age = (int64_t)time(NULL) - created_s;
	size_t i = 0;

	if (!created_s)
		return xstrdup("N/A");
	if (age < 0)
		age = 0;
	while (age >= steps[i].below)
		i++;
	return xasprintf("%lld %s ago", (long long)(age / steps[i].unit), steps[i].name);
}

static char *human_size(uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	return xasprintf("%.3g%s", value, units[unit]);
}

static void fill_row(struct row *row, const struct store_image *image, bool no_trunc)
{
	name_row(row, image->reference);
	row->id = no_trunc ? xstrdup(image->id) : xstrndup(image->id + strlen("sha256:"), 12);
	row->created = ago(image->created_s);
	row->size = human_size(image->size);
}

static void free_row(struct row *row)
{
	free(row->repository);
	free(row->tag);
	free(row->id);
	free(row->created);
	free(row->size);
}

static void add(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

/* docker's keys; what they lack has names of its own. */
static void print_json(const struct row *row, const struct store_image *image)
{
	struct json_object *object = json_object_new_object();
	_cleanup_free_ char *bytes = xasprintf("%llu", (unsigned long long)image->size);
	char created[32];
	time_t seconds = (time_t)image->created_s;
	struct tm tm;

	strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	add(object, "Repository", row->repository);
	add(object, "Tag", row->tag);
	add(object, "Digest", *image->digest ? image->digest : "<none>");
	add(object, "ID", row->id);
	add(object, "CreatedAt", image->created_s ? created : "N/A");
	add(object, "CreatedSince", row->created);
	add(object, "Size", row->size);
	add(object, "SizeBytes", bytes);
	add(object, "Platform", image->platform);
	add(object, "Reference", image->reference);
	printf("%s\n", json_object_to_json_string_ext(object,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static int width_of(const struct row *rows, size_t count, size_t offset, const char *title)
{
	size_t width = strlen(title);

	for (size_t i = 0; i < count; i++) {
		const char *text = *(char *const *)((const char *)&rows[i] + offset);

		if (strlen(text) > width)
			width = strlen(text);
	}
	return (int)width;
}

static void print_table(const struct row *rows, size_t count)
{
	static const char *const titles[] = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED" };
	int w[ARRAY_SIZE(titles)];

	/* The columns are the row's members, in order. */
	for (size_t c = 0; c < ARRAY_SIZE(titles); c++)
		w[c] = width_of(rows, count, c * sizeof(char *), titles[c]);
	printf("%-*s   %-*s   %-*s   %-*s   SIZE\n", w[0], titles[0], w[1], titles[1], w[2], titles[2],
		w[3], titles[3]);
	for (size_t i = 0; i < count; i++)
		printf("%-*s   %-*s   %-*s   %-*s   %s\n", w[0], rows[i].repository, w[1], rows[i].tag,
			w[2], rows[i].id, w[3], rows[i].created, rows[i].size);
}

static bool wanted(const struct row *row, const char *filter)
{
	_cleanup_free_ char *full = xasprintf("%s:%s", row->repository, row->tag);

	return !filter || !strcmp(filter, row->repository) || !strcmp(filter, full);
}

static void print_images(const struct arguments *a, const struct store_image *images, size_t count)
{
	struct row *rows = xcalloc(count, sizeof(*rows));
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct row *row = &rows[kept];

		fill_row(row, &images[i], a->no_trunc);
		if (!wanted(row, a->filter)) {
			free_row(row);
			continue;
		}
		if (a->json)
			print_json(row, &images[i]);
		else if (a->quiet)
			printf("%s\n", row->id);
		kept++;
	}
	if (!a->json && !a->quiet)
		print_table(rows, kept);
	for (size_t i = 0; i < kept; i++)
		free_row(&rows[i]);
	free(rows);
}

int cmd_images(int argc, char **argv)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct arguments arguments = { 0 };
	struct store_image *images = NULL;
	struct error err = { 0 };
	size_t count = 0;

	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
		return EXIT_CTRACE;
	if (store_open(NULL, &store, &err) < 0 || store_list(store, &images, &count, &err) < 0)
		return command_fail("images", EXIT_CTRACE, &err);
	print_images(&arguments, images, count);
	store_images_free(images, count);
	return 0;
}
