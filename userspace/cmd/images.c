/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace images: what is in the store, in docker's columns. */
#include <argp.h>
#include <errno.h>
#include <fnmatch.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/command.h"
#include "cmd/listing.h"
#include "cmd/words.h"
#include "engine/image/reference.h"
#include "engine/store.h"
#include "engine/values.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"
#include "util/string_list.h"

enum { OPTION_FORMAT = 256, OPTION_NO_TRUNC, OPTION_DIGESTS };

struct arguments {
	bool quiet, no_trunc, digests;
	const char *format, *repository;
	struct string_list filters;
};

static const struct argp_option options[] = {
	{ "all", 'a', NULL, OPTION_HIDDEN, NULL, 0 }, /* docker's; there are no images in between here */
	{ "digests", OPTION_DIGESTS, NULL, 0, "Show digests", 0 },
	{ "filter", 'f', "KEY=VALUE", 0, "reference, label, dangling", 0 },
	{ "format", OPTION_FORMAT, "FORMAT", 0, "table, json, or a template such as '{{.Repository}}:{{.Tag}}'", 0 },
	{ "no-trunc", OPTION_NO_TRUNC, NULL, 0, "Print full ids", 0 },
	{ "quiet", 'q', NULL, 0, "Print image ids only", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'a': return 0;
	case 'q': a->quiet = true; return 0;
	case OPTION_FORMAT: a->format = value; return 0;
	case OPTION_NO_TRUNC: a->no_trunc = true; return 0;
	case OPTION_DIGESTS: a->digests = true; return 0;
	case 'f':
		if (!strchr(value, '='))
			argp_error(state, "bad format of filter (expected name=value): %s", value);
		string_list_add(&a->filters, xstrdup(value));
		return 0;
	case ARGP_KEY_ARG:
		if (a->repository)
			command_wrong_arguments(state, "one repository at a time");
		a->repository = value;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse_option, "[REPOSITORY[:TAG]]",
	"List the images in the store.\vExamples:\n"
	"  ctrace images\n"
	"  ctrace images -q --filter dangling=true\n"
	"  ctrace images --format '{{.Repository}}:{{.Tag}} {{.Size}}'",
	NULL, NULL, NULL,
};

/* ---- rows ---- */

static void add_name(json_object *row, const char *key)
{
	struct reference ref;
	char *familiar, *cut;

	if (!*key || str_starts(key, "oci:") || str_starts(key, "docker-archive:") ||
		reference_parse(key, &ref, NULL) < 0) {
		listing_add(row, "Repository", xstrdup(*key ? key : "<none>"));
		listing_add(row, "Tag", xstrdup("<none>"));
		return;
	}
	familiar = reference_familiar(&ref);
	cut = ref.digest ? strchr(familiar, '@') : strrchr(familiar, ':');
	*cut = '\0';
	listing_add(row, "Repository", familiar);
	listing_add(row, "Tag", xstrdup(ref.digest ? "<none>" : ref.tag));
	reference_free(&ref);
}

static char *ago(int64_t created_s)
{
	_cleanup_free_ char *age = words_duration((int64_t)time(NULL) - created_s);

	return created_s ? xasprintf("%s ago", age) : xstrdup("N/A");
}

/* docker's keys; SizeBytes, Platform and Reference are what it lacks. */
static json_object *new_row(const struct store_image *image, bool no_trunc)
{
	json_object *row = json_object_new_object();

	listing_add(row, "Containers", xstrdup("N/A"));
	listing_add(row, "CreatedAt", image->created_s ? words_local_time(image->created_s * 1000000000)
						       : xstrdup("N/A"));
	listing_add(row, "CreatedSince", ago(image->created_s));
	listing_add(row, "Digest", xstrdup(*image->digest ? image->digest : "<none>"));
	listing_add(row, "ID", no_trunc ? xstrdup(image->id) : xstrndup(image->id + strlen("sha256:"), 12));
	add_name(row, image->reference);
	listing_add(row, "SharedSize", xstrdup("N/A"));
	listing_add(row, "Size", words_image_size(image->size));
	listing_add(row, "UniqueSize", xstrdup("N/A"));
	listing_add(row, "VirtualSize", words_image_size(image->size));
	listing_add(row, "SizeBytes", xasprintf("%llu", (unsigned long long)image->size));
	listing_add(row, "Platform", xstrdup(image->platform));
	listing_add(row, "Reference", xstrdup(image->reference));
	return row;
}

static const char *text_of(json_object *row, const char *key)
{
	return json_object_get_string(json_object_object_get(row, key));
}

/* ---- filters ---- */

/* A pattern as docker takes it: of the repository, or of repository and tag. */
static bool is_named(json_object *row, const char *pattern)
{
	const char *repository = text_of(row, "Repository");
	_cleanup_free_ char *full = xasprintf("%s:%s", repository, text_of(row, "Tag"));

	return fnmatch(pattern, repository, FNM_PATHNAME) == 0 || fnmatch(pattern, full, FNM_PATHNAME) == 0;
}

static bool has_label(const struct store_image *image, const char *wanted)
{
	size_t length = strcspn(wanted, "=");

	for (size_t i = 0; i < image->config.label_count; i++) {
		const struct store_label *l = &image->config.labels[i];

		if (strlen(l->key) == length && !memcmp(l->key, wanted, length) &&
			(!wanted[length] || !strcmp(l->value, wanted + length + 1)))
			return true;
	}
	return false;
}

/* -EINVAL: no such filter; else whether it holds. */
static int holds(const struct store_image *image, json_object *row, const char *filter, struct error *err)
{
	bool wants;

	if (str_starts(filter, "reference="))
		return is_named(row, filter + strlen("reference="));
	if (str_starts(filter, "label="))
		return has_label(image, filter + strlen("label="));
	if (str_starts(filter, "dangling=") && value_bool(filter + strlen("dangling="), &wants, NULL) == 0)
		return wants == !*image->reference;
	return error_set(err, EINVAL, "Invalid filter '%s': it is reference=PATTERN, label=NAME[=VALUE] or "
		"dangling=true|false", filter);
}

static int is_wanted(const struct arguments *a, const struct store_image *image, json_object *row, struct error *err)
{
	int r = !a->repository || is_named(row, a->repository);

	for (size_t i = 0; r > 0 && i < a->filters.count; i++)
		r = holds(image, row, a->filters.items[i], err);
	return r;
}

/* ---- the command ---- */

static int collect(const struct arguments *a, json_object *rows, struct error *err)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct store_image *images = NULL, none = { .reference = "", .config = { 0 } };
	size_t count = 0;
	int r = store_open(NULL, &store, err);

	if (r == 0)
		r = store_list(store, &images, &count, err);
	if (r == 0 && count == 0) { /* what is wrong is told even where there is nothing to show */
		for (size_t i = 0; r >= 0 && i < a->filters.count; i++)
			r = str_starts(a->filters.items[i], "reference=") ? 0 : holds(&none, NULL, a->filters.items[i], err);
	}
	for (size_t i = 0; r >= 0 && i < count; i++) {
		json_object *row = new_row(&images[i], a->no_trunc);

		r = is_wanted(a, &images[i], row, err);
		if (r > 0)
			json_object_array_add(rows, row);
		else
			json_object_put(row);
	}
	store_images_free(images, count);
	return r < 0 ? r : 0;
}

int cmd_images(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct listing_column columns[] = {
		{ "Repository", "REPOSITORY", false }, { "Tag", "TAG", false }, { "Digest", "DIGEST", true },
		{ "ID", "IMAGE ID", false }, { "CreatedSince", "CREATED", false }, { "Size", "SIZE", false },
		{ "CreatedAt", "CREATED AT", true }, { "Containers", "CONTAINERS", true },
		{ "SharedSize", "SHARED SIZE", true }, { "UniqueSize", "UNIQUE SIZE", true },
		{ "VirtualSize", "SIZE", true }, { "SizeBytes", "BYTES", true }, { "Platform", "PLATFORM", true },
		{ "Reference", "REFERENCE", true },
	};
	struct listing listing = { .columns = columns, .column_count = ARRAY_SIZE(columns) };
	struct error err = { 0 };
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	columns[2].hidden = !a.digests;
	listing.rows = json_object_new_array();
	r = collect(&a, listing.rows, &err);
	if (r == 0)
		r = listing_print(&listing, listing_format(a.format, a.quiet, "{{.ID}}"), &err);
	json_object_put(listing.rows);
	string_list_free(&a.filters);
	return r < 0 ? command_fail("images", 1, &err) : 0;
}
