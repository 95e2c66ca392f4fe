/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace exec: one more program in a running container. */
#include "engine/exec.h"

#include <argp.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "engine/registry.h"
#include "engine/values.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { OPTION_PRIVILEGED = 256, OPTION_ENV_FILE, OPTION_DETACH_KEYS };

struct arguments {
	struct exec_request request;
	struct string_list env; /* of --env, which goes before --env-file */
	const char *container;
};

static const struct argp_option options[] = {
	{ "detach", 'd', NULL, 0, "Do not wait for it", 0 },
	{ "detach-keys", OPTION_DETACH_KEYS, "KEYS", 0, "Keys that leave its terminal (ctrl-p,ctrl-q)", 0 },
	{ "env", 'e', "NAME[=VALUE]", 0, "Set an environment variable", 0 },
	{ "env-file", OPTION_ENV_FILE, "FILE", 0, "Read environment variables", 0 },
	{ "interactive", 'i', NULL, 0, "Keep stdin open", 0 },
	{ "privileged", OPTION_PRIVILEGED, NULL, 0, "All capabilities", 0 },
	{ "tty", 't', NULL, 0, "Give it a terminal", 0 },
	{ "user", 'u', "USER[:GROUP]", 0, "User, by name or number", 0 },
	{ "workdir", 'w', "DIR", 0, "Working directory", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;
	struct error err = { 0 };

	switch (key) {
	case 'd': a->request.detach = true; return 0;
	case 'i': a->request.interactive = true; return 0;
	case 't': a->request.terminal = true; return 0;
	case 'u': a->request.user = value; return 0;
	case 'w': a->request.workdir = value; return 0;
	case OPTION_DETACH_KEYS: a->request.detach_keys = value; return 0;
	case OPTION_PRIVILEGED: a->request.privileged = true; return 0;
	case 'e':
		if (value_env(value, &a->env, &err) < 0)
			argp_error(state, "%s", err.text);
		return 0;
	case OPTION_ENV_FILE:
		if (value_env_file(value, &a->request.env, &err) < 0)
			argp_error(state, "%s", err.text);
		return 0;
	case ARGP_KEY_ARG: /* what follows is the command's, options included */
		a->container = value;
		a->request.argv = state->argv + state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		for (size_t i = 0; i < a->env.count; i++)
			string_list_add(&a->request.env, xstrdup(a->env.items[i]));
		if (!a->container || !a->request.argv[0])
			command_wrong_arguments(state, "it requires at least 2 arguments: CONTAINER COMMAND");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = { options, parse_option, "CONTAINER COMMAND [ARG...]",
	"Run a program in a running container. The exit code is the program's; 126: it cannot be executed, 127: it was "
	"not found.\vExamples:\n"
	"  ctrace exec -it web sh\n"
	"  ctrace exec -u 1000 -w /srv web ls -l\n", NULL, NULL, NULL };

static int run(const struct arguments *a)
{
	_cleanup_(state_free) struct state s = { 0 };
	struct error err = { 0 };
	int code = 1;

	if (registry_find(a->container, &s, &err) < 0 ||
		exec_in_container(&s, &a->request, &code, &err) < 0)
		return command_fail("exec", code, &err);
	return code;
}

int cmd_exec(int argc, char **argv)
{
	struct arguments a = { 0 };
	int code;

	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &a) != 0)
		return EXIT_CTRACE;
	if (a.request.terminal && a.request.interactive && !a.request.detach && !isatty(STDIN_FILENO)) {
		fputs("ctrace exec: the input device is not a TTY\n", stderr);
		return 1; /* as docker's client */
	}
	code = engine_command_begin("exec");
	if (code == 0)
		code = run(&a);
	string_list_free(&a.request.env);
	string_list_free(&a.env);
	return code;
}
