/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ENGINE_COMMAND_H
#define CTRACE_ENGINE_COMMAND_H

/* What the commands on containers share. */

#include <argp.h>
#include <stdbool.h>

#include "engine/state.h"
#include "util/error.h"

/* Needs root; finds what killed processes and reboots left. 0, or the exit code after an error was printed. */
int engine_command_begin(const char *name);

/* CONTAINER... and the options of one command. */
struct engine_names {
	char **items;
	int count;
	bool may_be_missing; /* one that is not there is told, and is no failure */
};
/* For an argp parser's ARGP_KEY_ARGS and ARGP_KEY_NO_ARGS: ARGP_ERR_UNKNOWN for every other key. */
error_t engine_names_parse(struct engine_names *names, int key, struct argp_state *state);

/* Does it to each, says the name as it was given where that worked; the exit code: 1 when any failed. */
typedef int engine_action(const struct state *s, void *data, struct error *err);
int engine_for_each(const char *command, const struct engine_names *names, bool print, engine_action *act,
	void *data);

int engine_parse_number(struct argp_state *state, const char *option, const char *text, long least);

#endif
