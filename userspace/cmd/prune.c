/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace prune: removes containers that do not run; what killed processes left goes with every command. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "cmd/image_prune.h"
#include "cmd/volume_use.h"
#include "engine/control.h"
#include "engine/leftovers.h"
#include "engine/registry.h"
#include "engine/store.h"
#include "util/cleanup.h"

enum { OPTION_VOLUMES = 256, OPTION_LEFTOVERS, OPTION_IMAGES };

struct arguments {
	bool force, volumes, leftovers_only, images, all;
};

static const struct argp_option options[] = {
	{ "force", 'f', NULL, 0, "Yes, remove the containers", 0 },
	{ "all", 'a', NULL, 0, "With --images: also those that have a name", 0 },
	{ "images", OPTION_IMAGES, NULL, 0, "And images without a name that nobody uses", 0 },
	{ "leftovers", OPTION_LEFTOVERS, NULL, 0, "Only what killed processes left; containers stay", 0 },
	{ "volumes", OPTION_VOLUMES, NULL, 0, "And volumes without a name that nobody uses", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)value;
	switch (key) {
	case 'f': a->force = true; return 0;
	case 'a': a->all = true; return 0;
	case OPTION_IMAGES: a->images = true; return 0;
	case OPTION_VOLUMES: a->volumes = true; return 0;
	case OPTION_LEFTOVERS: a->leftovers_only = true; return 0;
	case ARGP_KEY_ARG: command_wrong_arguments(state, "it accepts no arguments"); return 0;
	case ARGP_KEY_END:
		if (a->all && !a->images)
			argp_error(state, "--all is for --images: containers have no other kind");
		if (!a->force && !a->leftovers_only)
			argp_error(state, "it removes all containers that do not run, and asks nothing: say so with -f");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = { options, parse_option, NULL,
	"Remove all containers that do not run: they have ended, or were only created. Leftovers of killed processes "
	"(cgroups, mounts, addresses, ports, files) are removed first, as every command on containers does.", NULL, NULL, NULL };

static int prune(const struct arguments *a, struct error *err)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct state *list;
	size_t count;
	bool first = true;
	int r = registry_list(&list, &count, err);

	for (size_t i = 0; i < count; i++) {
		if (!state_rests(&list[i]) || registry_owner(list[i].id))
			continue;
		if (control_remove(&list[i], false, a->volumes, r == 0 ? err : NULL) < 0) {
			r = -1;
			continue;
		}
		printf("%s%s\n", first ? "Deleted Containers:\n" : "", list[i].id);
		first = false;
	}
	registry_list_free(list, count);
	if (r == 0 && a->volumes) {
		r = store_open(NULL, &store, err);
		if (r == 0)
			r = volume_prune(store_root(store), false, err);
	}
	return r == 0 && a->images ? image_prune(a->all, err) : r;
}

int cmd_prune(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct error err = { 0 };
	int code;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	code = engine_command_begin("prune");
	if (code || a.leftovers_only)
		return code;
	return prune(&a, &err) < 0 ? command_fail("prune", 1, &err) : 0;
}
