/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/load_archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image/archive.h"
#include "engine/image/document.h"
#include "engine/image/staging.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/string_list.h"

struct loader {
	struct store *store;
	const char *what; /* the archive in errors */
	struct docker_archive *archive;
	struct pull_options options;
	load_told *tell;
	void *arg;
};

static int add_name(struct loader *l, const char *text, struct string_list *names, struct error *err)
{
	_cleanup_free_ char *name = NULL;
	struct reference ref;
	int r;

	if (!text)
		return error_set(err, EBADMSG, "%s: manifest.json has a name that is no string", l->what);
	r = reference_parse(text, &ref, err);
	if (r < 0)
		return error_prefix(err, "%s: manifest.json has the name \"%s\"", l->what, text);
	if (ref.tag)
		name = reference_canonical(&ref);
	else
		r = error_set(err, EINVAL, "%s: manifest.json has the name %s: a name that is given cannot have a digest", l->what,
			text);
	reference_free(&ref);
	if (name && !string_list_has(names, name))
		string_list_add(names, steal_ptr(name));
	return r;
}

static int read_names(struct loader *l, size_t i, struct string_list *names, struct error *err)
{
	struct json_object *list = docker_archive_names(l->archive, i);
	int r = 0;

	for (size_t n = 0; list && r == 0 && n < json_object_array_length(list); n++)
		r = add_name(l, document_item(list, n), names, err);
	return r;
}

/* Which images have the names now; NULL for a name that nobody has. */
static char **owners(struct loader *l, const struct string_list *names)
{
	char **ids = xcalloc(names->count + 1, sizeof(*ids));

	for (size_t i = 0; i < names->count; i++) {
		struct store_image image;

		if (store_find(l->store, names->items[i], NULL, &image, NULL) < 0)
			continue;
		ids[i] = steal_ptr(image.id);
		store_image_free(&image);
	}
	return ids;
}

/* Leaves the ids of those that do not own their name any more. */
static void keep_losers(char **before, char **now, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (before[i] && now[i] && !strcmp(before[i], now[i]))
			free(steal_ptr(before[i]));
	}
}

static void free_ids(char **ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
}

static int load_image(struct loader *l, size_t i, struct error *err)
{
	static char *const nothing[] = { NULL };
	_cleanup_(string_list_free) struct string_list names = { 0 };
	_cleanup_(pull_result_free) struct pull_result result = { 0 };
	const struct source source = { .kind = SOURCE_DOCKER_ARCHIVE, .path = (char *)l->what, .key = (char *)l->what };
	char **before, **now;
	int r = read_names(l, i, &names, err);

	if (r < 0)
		return r;
	before = owners(l, &names);
	docker_archive_take(l->archive, i);
	l->options.names = names.count ? names.items : nothing;
	r = pull_image(l->store, &source, &l->options, &result, err);
	if (r == 0) {
		now = owners(l, &names);
		keep_losers(before, now, names.count);
		l->tell(l->arg, &(struct loaded_image){ result.id, l->options.names, before });
		free_ids(now, names.count);
	}
	free_ids(before, names.count);
	return r;
}

int load_archive(struct store *store, const char *path, const struct pull_options *options, load_told *tell, void *arg,
	struct error *err)
{
	struct loader l = { .store = store, .what = path ? path : "stdin", .options = *options, .tell = tell, .arg = arg };
	_cleanup_(staging_end) struct staging staging = { .fd = -1 };
	_cleanup_close_ int scratch = -1;
	int r = staging_begin(store, &staging, err);

	if (r < 0)
		return r;
	scratch = staging_directory(&staging, "archive", err);
	r = scratch < 0 ? scratch : docker_archive_open(path, scratch, &l.archive, err);
	l.options.archive = l.archive;
	for (size_t i = 0; r == 0 && i < docker_archive_count(l.archive); i++)
		r = load_image(&l, i, err);
	docker_archive_close(l.archive);
	return r;
}
