/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace tag: one more name for an image. */
#include <argp.h>

#include "cmd/command.h"
#include "engine/image/references.h"
#include "util/cleanup.h"

struct arguments {
	const char *source, *target;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	if (key == ARGP_KEY_END && !a->target)
		command_wrong_arguments(state, "it requires exactly 2 arguments: SOURCE TARGET");
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (a->target)
		command_wrong_arguments(state, "it requires exactly 2 arguments: SOURCE TARGET");
	*(a->source ? &a->target : &a->source) = value;
	return 0;
}

static const struct argp argp = {
	NULL, parse_option, "SOURCE TARGET",
	"Give an image one more name.\vExamples:\n"
	"  ctrace tag ubuntu:24.04 base\n"
	"  ctrace tag docker-archive:app.tar app:1.0",
	NULL, NULL, NULL,
};

int cmd_tag(int argc, char **argv)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct arguments a = { 0 };
	struct error err = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	if (store_open(NULL, &store, &err) < 0)
		return command_fail("tag", EXIT_CTRACE, &err);
	return references_tag(store, a.source, a.target, &err) < 0 ? command_fail("tag", 1, &err) : 0;
}
