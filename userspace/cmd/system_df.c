/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace system df: the room that images, containers and volumes take, in docker's columns. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "cmd/image_use.h"
#include "cmd/listing.h"
#include "cmd/volume_use.h"
#include "cmd/words.h"
#include "engine/container_size.h"
#include "engine/control.h"
#include "engine/registry.h"
#include "engine/store.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { OPTION_FORMAT = 256 };

static const struct listing_column columns[] = {
	{ "Type", "TYPE", false }, { "TotalCount", "TOTAL", false }, { "Active", "ACTIVE", false }, { "Size", "SIZE", false },
	{ "Reclaimable", "RECLAIMABLE", false },
};

static const struct argp_option options[] = {
	{ "format", OPTION_FORMAT, "FORMAT", 0, "table, json, or a template", 0 }, { 0 } };

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	const char **format = state->input;

	switch (key) {
	case OPTION_FORMAT: *format = value; return 0;
	case ARGP_KEY_ARG: command_wrong_arguments(state, "it accepts no arguments"); return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = { options, parse_option, NULL, "How much images, containers and volumes take, and how much of it nobody uses.",
	NULL, NULL, NULL };

struct room {
	size_t total, active;
	uint64_t bytes, used;
};

static void add_row(json_object *rows, const char *type, const struct room *room)
{
	json_object *row = json_object_new_object();
	uint64_t free_bytes = room->bytes > room->used ? room->bytes - room->used : 0;
	_cleanup_free_ char *size = words_image_size(free_bytes);

	listing_add(row, "Type", xstrdup(type));
	listing_add(row, "TotalCount", xasprintf("%zu", room->total));
	listing_add(row, "Active", xasprintf("%zu", room->active));
	listing_add(row, "Size", words_image_size(room->bytes));
	listing_add(row, "Reclaimable", room->bytes ? xasprintf("%s (%d%%)", size, (int)(free_bytes * 100 / room->bytes)) : xstrdup(size));
	json_object_array_add(rows, row);
}

/* An image with several names counts once. */
static bool is_first(const struct store_image *images, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (!strcmp(images[j].id, images[i].id))
			return false;
	}
	return true;
}

static int add_images(struct store *store, json_object *rows, struct error *err)
{
	struct store_image *images = NULL;
	struct room room = { 0 };
	size_t count = 0;
	int r = store_list(store, &images, &count, err);

	for (size_t i = 0; i < count; i++) {
		if (!is_first(images, i))
			continue;
		room.total++;
		room.active += image_is_used(store, &images[i]);
	}
	room.bytes = image_layers_size(store, images, count, false);
	room.used = image_layers_size(store, images, count, true);
	store_images_free(images, count);
	if (r == 0)
		add_row(rows, "Images", &room);
	return r;
}

/* What is missing in a sum is said. */
static void warn_incomplete(int r, const char *what, const char *name, struct error *err)
{
	if (r == 0 || r == -ENOENT) /* removed meanwhile */
		return;
	error_prefix(err, "%s %s", what, name);
	command_warn("system df", err->text);
}

static int add_containers(json_object *rows, struct error *err)
{
	struct state *list;
	struct room room = { 0 };
	size_t count;
	int r = registry_list(&list, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		uint64_t own, all;
		bool runs = control_is_running(&list[i]);
		struct error why = { 0 };
		int measured = container_size(&list[i], &own, &all, &why);

		warn_incomplete(measured, "container", list[i].name, &why);
		if (measured == -ENOENT)
			continue;
		room.total++;
		room.active += runs;
		room.bytes += own;
		room.used += runs ? own : 0;
	}
	registry_list_free(list, count);
	if (r == 0)
		add_row(rows, "Containers", &room);
	return r;
}

static int add_volumes(struct store *store, json_object *rows, struct error *err)
{
	struct named_volume *list = NULL;
	struct room room = { 0 };
	size_t count = 0;
	int r = volume_list(store_root(store), &list, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		_cleanup_free_ char *users = volume_users(list[i].name);
		struct error why = { 0 };
		uint64_t bytes = 0;

		warn_incomplete(directory_size(list[i].data, &bytes, &why), "volume", list[i].name, &why);
		room.total++;
		room.active += users != NULL;
		room.bytes += bytes;
		room.used += users ? bytes : 0;
	}
	volume_list_free(list, count);
	if (r == 0)
		add_row(rows, "Local Volumes", &room);
	return r;
}

int cmd_system_df(int argc, char **argv)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct listing listing = { .columns = columns, .column_count = ARRAY_SIZE(columns) };
	struct error err = { 0 };
	const char *format = NULL;
	int code, r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &format) != 0)
		return EXIT_CTRACE;
	code = engine_command_begin("system df");
	if (code)
		return code;
	listing.rows = json_object_new_array();
	r = store_open(NULL, &store, &err);
	if (r == 0)
		r = add_images(store, listing.rows, &err);
	if (r == 0)
		r = add_containers(listing.rows, &err);
	if (r == 0)
		r = add_volumes(store, listing.rows, &err);
	if (r == 0)
		r = listing_print(&listing, format, &err);
	json_object_put(listing.rows);
	return r < 0 ? command_fail("system df", 1, &err) : 0;
}
