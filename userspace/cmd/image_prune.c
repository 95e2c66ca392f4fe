/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace image prune: removes images that nobody uses. */
#include "cmd/image_prune.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/image_use.h"
#include "cmd/words.h"
#include "engine/image/reference.h"
#include "engine/image/references.h"
#include "util/cleanup.h"

struct arguments {
	bool force, all;
};

static const struct argp_option options[] = {
	{ "all", 'a', NULL, 0, "Also those that have a name", 0 },
	{ "force", 'f', NULL, 0, "Yes, remove them", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)value;
	switch (key) {
	case 'a': a->all = true; return 0;
	case 'f': a->force = true; return 0;
	case ARGP_KEY_ARG: command_wrong_arguments(state, "it accepts no arguments"); return 0;
	case ARGP_KEY_END:
		if (!a->force)
			argp_error(state, "it removes images and asks nothing: say so with -f");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = { options, parse_option, NULL, "Remove images without a name that no container uses.", NULL, NULL, NULL };

static void tell(void *arg, const char *action, const char *what)
{
	bool *any = arg, untagged = !strcmp(action, "Untagged");
	struct reference ref;

	if (!*any)
		puts("Deleted Images:");
	*any = true;
	if (untagged && reference_parse(what, &ref, NULL) == 0) {
		_cleanup_free_ char *familiar = reference_familiar(&ref);

		printf("untagged: %s\n", familiar);
		reference_free(&ref);
		return;
	}
	printf("%s: %s\n", untagged ? "untagged" : "deleted", what);
}

/* The room that all images take, to tell how much less it is afterwards. */
static uint64_t room(struct store *store)
{
	struct store_image *images = NULL;
	size_t count = 0;
	uint64_t bytes;

	if (store_list(store, &images, &count, NULL) < 0)
		return 0;
	bytes = image_layers_size(store, images, count, false);
	store_images_free(images, count);
	return bytes;
}

int image_prune(bool all, struct error *err)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	_cleanup_free_ char *size = NULL;
	struct store_image *images = NULL;
	size_t count = 0;
	uint64_t before = 0, after;
	bool any = false;
	int r = store_open(NULL, &store, err);

	if (r == 0)
		r = store_list(store, &images, &count, err);
	if (r < 0)
		return r;
	before = room(store);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if ((*images[i].reference && !all) || image_is_used(store, &images[i]))
			continue;
		r = references_remove(store, images[i].id, true, tell, &any, err);
		if (r == -EBUSY || r == -ENOENT) /* a container came to use it, or it went with another of its names */
			r = 0;
	}
	store_images_free(images, count);
	after = room(store);
	size = words_image_size(before > after ? before - after : 0);
	printf("%sTotal reclaimed space: %s\n", any ? "\n" : "", size);
	return r;
}

int cmd_image_prune(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct error err = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	return image_prune(a.all, &err) < 0 ? command_fail("image prune", 1, &err) : 0;
}
