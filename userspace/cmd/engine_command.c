/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/engine_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/command.h"
#include "engine/leftovers.h"
#include "engine/registry.h"
#include "engine/store.h"
#include "util/cleanup.h"

int engine_command_begin(const char *name)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct error err = { 0 };

	if (geteuid() != 0) {
		error_set(&err, EPERM, "containers are root's: try sudo ctrace %s", name);
		return command_fail(name, 1, &err);
	}
	leftovers_clean();
	if (store_open(NULL, &store, &err) < 0)
		return command_fail(name, 1, &err);
	leftovers_adopt(store_root(store));
	return 0;
}

error_t engine_names_parse(struct engine_names *names, int key, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARGS:
		names->items = state->argv + state->next;
		names->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		command_wrong_arguments(state, "it requires at least 1 argument: a container");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int engine_for_each(const char *command, const struct engine_names *names, bool print, engine_action *act,
	void *data)
{
	int code = 0;

	for (int i = 0; i < names->count; i++) {
		_cleanup_(state_free) struct state s = { 0 };
		struct error err = { 0 };
		int r = registry_find(names->items[i], &s, &err);

		if (r == 0)
			r = act(&s, data, &err);
		if (r < 0)
			code = command_fail(command, r == -ENOENT && names->may_be_missing ? code : 1, &err);
		else if (print)
			printf("%s\n", names->items[i]);
		fflush(stdout);
	}
	return code;
}

int engine_parse_number(struct argp_state *state, const char *option, const char *text, long least)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < least || value > 1000000000)
		argp_error(state, "invalid argument \"%s\" for \"--%s\"", text, option);
	return (int)value;
}
