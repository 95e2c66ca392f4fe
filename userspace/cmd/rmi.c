/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace rmi: removes references, and images with the layers that nobody else needs. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "engine/image/reference.h"
#include "engine/image/references.h"
#include "util/cleanup.h"

struct arguments {
	char **keys;
	int count;
	bool force;
};

static const struct argp_option options[] = {
	{ "force", 'f', NULL, 0, "Remove an image by its id even when several references name it", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)value;
	switch (key) {
	case 'f':
		a->force = true;
		return 0;
	case ARGP_KEY_ARGS:
		a->keys = state->argv + state->next;
		a->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		command_wrong_arguments(state, "which image?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse_option, "IMAGE...",
	"Remove images. One that a container uses stays.\vExamples:\n"
	"  ctrace rmi ubuntu\n"
	"  ctrace rmi -f 3f1d2c",
	NULL, NULL, NULL,
};

static void tell(void *arg, const char *action, const char *what)
{
	struct reference ref;
	char *familiar;

	(void)arg;
	if (strcmp(action, "Untagged") != 0 || reference_parse(what, &ref, NULL) < 0) {
		printf("%s: %s\n", action, what);
		return;
	}
	familiar = reference_familiar(&ref);
	printf("%s: %s\n", action, familiar);
	free(familiar);
	reference_free(&ref);
}

int cmd_rmi(int argc, char **argv)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct arguments a = { 0 };
	struct error err = { 0 };
	int code = 0;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	if (store_open(NULL, &store, &err) < 0)
		return command_fail("rmi", EXIT_CTRACE, &err);
	/* As docker does: the others are removed even if one cannot be, and the exit code is 1. */
	for (int i = 0; i < a.count; i++)
		if (references_remove(store, a.keys[i], a.force, tell, NULL, &err) < 0)
			code = command_fail("rmi", 1, &err);
	return code;
}
