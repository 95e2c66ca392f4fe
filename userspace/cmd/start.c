/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace start and attach. */
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "engine/attach.h"
#include "engine/attach_server.h"
#include "engine/control.h"
#include "engine/detach_keys.h"
#include "engine/registry.h"
#include "engine/signals.h"
#include "engine/values.h"
#include "util/cleanup.h"

struct arguments {
	struct engine_names names;
	const char *detach_keys;
	bool attach, interactive, no_input, no_forward;
};

enum { OPTION_NO_STDIN = 256, OPTION_SIG_PROXY, OPTION_DETACH_KEYS };

#define DETACH_KEYS { "detach-keys", OPTION_DETACH_KEYS, "KEYS", 0, "Keys that leave its terminal (ctrl-p,ctrl-q)", 0 }
#define SIG_PROXY { "sig-proxy", OPTION_SIG_PROXY, "BOOL", OPTION_ARG_OPTIONAL, "Pass signals on to it (true)", 0 }

/* Options that both commands have, and names. */
static error_t parse_common(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;
	struct detach_keys keys;
	struct error err = { 0 };
	bool forward = true;

	switch (key) {
	case OPTION_DETACH_KEYS:
		a->detach_keys = value;
		if (detach_keys_parse(value, &keys, &err) < 0)
			argp_error(state, "%s", err.text);
		return 0;
	case OPTION_SIG_PROXY:
		if (value && value_bool(value, &forward, &err) < 0)
			argp_error(state, "--sig-proxy: %s", err.text);
		a->no_forward = !forward;
		return 0;
	}
	return engine_names_parse(&a->names, key, state);
}

/* Lends our terminal; the exit code is the container's. */
static int follow(const char *command, const struct state *s, int fd, bool input, const struct arguments *args)
{
	struct signals signals;
	struct error err = { 0 };
	int code = 0, r = signals_open(&signals, &err);
	struct attachment a = { .fd = fd, .input = input && s->interactive, .terminal = s->terminal, .output = true, .error = true,
		.forward = !args->no_forward, .detach_keys = args->detach_keys, .signals = &signals };

	if (r == 0)
		r = attach_run(&a, &code, &err);
	if (r == 1)
		fputs("read escape sequence\n", stderr); /* docker's words for: detached */
	signals_close(&signals);
	close(fd);
	return r < 0 ? command_fail(command, 1, &err) : r == 1 ? 0 : code;
}

/* ---- start ---- */

static error_t parse_start(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'a':
		a->attach = true;
		return 0;
	case 'i':
		a->attach = a->interactive = true;
		return 0;
	case ARGP_KEY_END:
		if (a->attach && a->names.count > 1)
			argp_error(state, "you cannot start and attach multiple containers at once");
		return 0;
	}
	return parse_common(key, value, state);
}

static int start(const struct state *s, void *data, struct error *err)
{
	(void)data;
	return control_start(s, false, NULL, err);
}

static int start_attached(const struct arguments *a)
{
	_cleanup_(state_free) struct state s = { 0 };
	struct error err = { 0 };
	int fd = -1, r = registry_find(a->names.items[0], &s, &err);

	if (r == 0)
		r = control_start(&s, true, &fd, &err);
	if (r == 0 && fd < 0) /* it runs already */
		r = fd = attach_connect(&s, &err);
	if (r < 0)
		return command_fail("start", 1, &err);
	return follow("start", &s, fd, a->interactive, a);
}

int cmd_start(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "attach", 'a', NULL, 0, "Print what it prints; the exit code is its own", 0 },
		DETACH_KEYS, { "interactive", 'i', NULL, 0, "The same, with stdin", 0 }, SIG_PROXY, { 0 } };
	static const struct argp argp = { options, parse_start, "CONTAINER...",
		"Start containers that were created or have ended, as they were made.", NULL, NULL, NULL };
	struct arguments a = { 0 };
	int code;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	code = engine_command_begin("start");
	if (code)
		return code;
	return a.attach ? start_attached(&a) : engine_for_each("start", &a.names, true, start, NULL);
}

/* ---- attach ---- */

static error_t parse_attach(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case OPTION_NO_STDIN:
		a->no_input = true;
		return 0;
	case ARGP_KEY_END:
		if (a->names.count != 1)
			command_wrong_arguments(state, "it requires exactly 1 argument: a container");
		return 0;
	}
	return parse_common(key, value, state);
}

int cmd_attach(int argc, char **argv)
{
	static const struct argp_option options[] = {
		DETACH_KEYS, { "no-stdin", OPTION_NO_STDIN, NULL, 0, "Only print what it prints", 0 }, SIG_PROXY,
		{ 0 } };
	static const struct argp argp = { options, parse_attach, "CONTAINER",
		"Connect stdin, stdout and stderr to a running container; ctrl-p ctrl-q (--detach-keys) leaves it "
		"running.", NULL, NULL,
		NULL };
	struct arguments a = { 0 };
	_cleanup_(state_free) struct state s = { 0 };
	struct error err = { 0 };
	int fd, code;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	code = engine_command_begin("attach");
	if (code)
		return code;
	if (registry_find(a.names.items[0], &s, &err) < 0)
		return command_fail("attach", 1, &err);
	if (!control_is_running(&s)) {
		error_set(&err, 0, "You cannot attach to a stopped container, start it first");
		return command_fail("attach", 1, &err);
	}
	fd = attach_connect(&s, &err);
	if (fd < 0)
		return command_fail("attach", 1, &err);
	return follow("attach", &s, fd, !a.no_input, &a);
}
