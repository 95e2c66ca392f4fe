/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace stop, kill, restart, pause, unpause, rm, wait, rename, port: docker's verbs on containers. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "engine/control.h"
#include "engine/ports.h"
#include "engine/registry.h"
#include "engine/settings.h"
#include "engine/values.h"
#include "util/cleanup.h"

enum { TIME_GIVEN_NOT = -2 };

struct arguments {
	struct engine_names names;
	int time; /* seconds, -1 = never */
	const char *signal;
	bool force, volumes;
};

static int parse(const struct argp *argp, int argc, char **argv, struct arguments *a, const char *name)
{
	a->time = TIME_GIVEN_NOT;
	if (argp_parse(argp, argc, argv, 0, NULL, a) != 0)
		return EXIT_CTRACE;
	return engine_command_begin(name);
}

static error_t parse_names(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)value;
	return engine_names_parse(&a->names, key, state);
}

/* ---- stop, restart ---- */

static error_t parse_time(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	if (key == 't') {
		a->time = engine_parse_number(state, "time", value, -1);
		return 0;
	}
	if (key == 's') {
		a->signal = value;
		return 0;
	}
	return engine_names_parse(&a->names, key, state);
}

static const struct argp_option time_options[] = {
	{ "signal", 's', "SIGNAL", 0, "What is sent first, instead of its stop signal", 0 },
	{ "time", 't', "SECONDS", 0, "How long it may take before it is killed (10; -1 = for ever)", 0 },
	{ "timeout", 't', "SECONDS", OPTION_ALIAS, NULL, 0 },
	{ 0 },
};

static int64_t time_for(const struct arguments *a, const struct state *s)
{
	return a->time == TIME_GIVEN_NOT ? s->stop_timeout : a->time;
}

/* A view of it that has the signal of --signal; what it points to stays s's. One that does not run gets none. */
static int with_signal(const struct arguments *a, const struct state *s, struct state *ret, struct error *err)
{
	int number;

	*ret = *s;
	if (!a->signal || s->status != STATE_RUNNING)
		return 0;
	ret->stop_signal = (char *)a->signal;
	return value_signal(a->signal, &number, err);
}

static int stop(const struct state *s, void *data, struct error *err)
{
	struct state view;
	int r = with_signal(data, s, &view, err);

	return r < 0 ? r : control_stop(&view, time_for(data, s), err);
}

int cmd_stop(int argc, char **argv)
{
	static const struct argp argp = { time_options, parse_time, "CONTAINER...",
		"Stop running containers: their stop signal, and SIGKILL when they do not end in time.", NULL, NULL,
		NULL };
	struct arguments a = { 0 };
	int code = parse(&argp, argc, argv, &a, "stop");

	return code ? code : engine_for_each("stop", &a.names, true, stop, &a);
}

static int restart(const struct state *s, void *data, struct error *err)
{
	struct state view;
	int r = with_signal(data, s, &view, err);

	return r < 0 ? r : control_restart(&view, time_for(data, s), err);
}

int cmd_restart(int argc, char **argv)
{
	static const struct argp argp = { time_options, parse_time, "CONTAINER...",
		"Stop containers and start them again.", NULL, NULL, NULL };
	struct arguments a = { 0 };
	int code = parse(&argp, argc, argv, &a, "restart");

	return code ? code : engine_for_each("restart", &a.names, true, restart, &a);
}

/* ---- kill ---- */

static error_t parse_signal(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	if (key == 's') {
		a->signal = value;
		return 0;
	}
	return engine_names_parse(&a->names, key, state);
}

static int kill_container(const struct state *s, void *data, struct error *err)
{
	const struct arguments *a = data;
	int number = SIGKILL;

	if (a->signal && value_signal(a->signal, &number, err) < 0)
		return -EINVAL;
	return control_kill(s, number, err);
}

int cmd_kill(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "signal", 's', "SIGNAL", 0, "Name or number (KILL)", 0 }, { 0 } };
	static const struct argp argp = { options, parse_signal, "CONTAINER...",
		"Send a signal to the first process of containers.", NULL, NULL, NULL };
	struct arguments a = { 0 };
	int code = parse(&argp, argc, argv, &a, "kill");

	return code ? code : engine_for_each("kill", &a.names, true, kill_container, &a);
}

/* ---- pause, unpause ---- */

static int pause_container(const struct state *s, void *data, struct error *err)
{
	(void)data;
	return control_pause(s, err);
}

int cmd_pause(int argc, char **argv)
{
	static const struct argp argp = { NULL, parse_names, "CONTAINER...",
		"Stop all processes of containers for a while (the freezer cgroup).", NULL, NULL, NULL };
	struct arguments a = { 0 };
	int code = parse(&argp, argc, argv, &a, "pause");

	return code ? code : engine_for_each("pause", &a.names, true, pause_container, &a);
}

static int unpause_container(const struct state *s, void *data, struct error *err)
{
	(void)data;
	return control_unpause(s, err);
}

int cmd_unpause(int argc, char **argv)
{
	static const struct argp argp = { NULL, parse_names, "CONTAINER...",
		"Let paused containers go on.", NULL, NULL, NULL };
	struct arguments a = { 0 };
	int code = parse(&argp, argc, argv, &a, "unpause");

	return code ? code : engine_for_each("unpause", &a.names, true, unpause_container, &a);
}

/* ---- rm ---- */

static error_t parse_remove(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)value;
	switch (key) {
	case 'f':
		a->force = true;
		return 0;
	case 'v':
		a->volumes = true;
		return 0;
	case 'l':
		argp_error(state, "--link is not supported: ctrace has no links");
		return 0;
	}
	return engine_names_parse(&a->names, key, state);
}

static int remove_container(const struct state *s, void *data, struct error *err)
{
	const struct arguments *a = data;

	return control_remove(s, a->force, a->volumes, err);
}

int cmd_rm(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "force", 'f', NULL, 0, "Kill it first if it runs; one that is not there is no failure", 0 },
		{ "volumes", 'v', NULL, 0, "Remove its volumes that have no name, too", 0 },
		{ "link", 'l', NULL, OPTION_HIDDEN, NULL, 0 }, { 0 } };
	static const struct argp argp = { options, parse_remove, "CONTAINER...",
		"Remove containers that have ended.", NULL, NULL, NULL };
	struct arguments a = { 0 };
	int code = parse(&argp, argc, argv, &a, "rm");

	a.names.may_be_missing = a.force; /* so that a script can say "rm -f" first, as with docker */
	return code ? code : engine_for_each("rm", &a.names, true, remove_container, &a);
}

/* ---- wait ---- */

static int wait_container(const struct state *s, void *data, struct error *err)
{
	int code, r = control_wait(s, &code, err);

	(void)data;
	if (r == 0)
		printf("%d\n", code);
	return r;
}

int cmd_wait(int argc, char **argv)
{
	static const struct argp argp = { NULL, parse_names, "CONTAINER...",
		"Wait until containers have ended; prints their exit codes.", NULL, NULL, NULL };
	struct arguments a = { 0 };
	int code = parse(&argp, argc, argv, &a, "wait");

	return code ? code : engine_for_each("wait", &a.names, false, wait_container, &a);
}

/* ---- rename ---- */

static error_t parse_two(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)value;
	if (key == ARGP_KEY_END && a->names.count != 2)
		command_wrong_arguments(state, "it requires exactly 2 arguments: CONTAINER NEW_NAME");
	return engine_names_parse(&a->names, key, state);
}

static int rename_container(char **names, struct error *err)
{
	struct run_settings check;
	_cleanup_(state_free) struct state s = { 0 };
	const char *name = names[1] + (names[1][0] == '/');
	int r = registry_find(names[0], &s, err);

	if (r < 0)
		return r;
	run_settings_init(&check);
	check.name = (char *)name;
	r = run_settings_check(&check, err);
	if (r == 0 && !strcmp(s.name, name))
		return error_set(err, EINVAL, "Renaming a container with the same name as its current name");
	return r == 0 ? registry_rename(&s, name, err) : r;
}

int cmd_rename(int argc, char **argv)
{
	static const struct argp argp = { NULL, parse_two, "CONTAINER NEW_NAME", "Rename a container.", NULL, NULL,
		NULL };
	struct arguments a = { 0 };
	struct error err = { 0 };
	int code = parse(&argp, argc, argv, &a, "rename");

	if (code)
		return code;
	return rename_container(a.names.items, &err) < 0 ? command_fail("rename", 1, &err) : 0;
}

/* ---- port ---- */

static error_t parse_one_or_two(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)value;
	if (key == ARGP_KEY_END && (a->names.count < 1 || a->names.count > 2))
		command_wrong_arguments(state, "it takes CONTAINER and at most one PORT[/PROTOCOL]");
	return engine_names_parse(&a->names, key, state);
}

static int print_ports(char **names, int count, struct error *err)
{
	_cleanup_(state_free) struct state s = { 0 };
	unsigned port = 0, found = 0;
	char protocol[4] = "tcp";
	int r = registry_find(names[0], &s, err);

	if (r < 0)
		return r;
	if (count == 2 && sscanf(names[1], "%u/%3s", &port, protocol) < 1)
		return error_set(err, EINVAL, "Invalid port: %s", names[1]);
	for (size_t i = 0; i < s.published.count; i++) {
		struct port_text t;

		if (!port_text_split(s.published.items[i], &t))
			continue;
		if (count == 1)
			printf("%u/%s -> %s:%u\n", t.container, t.protocol, t.address, t.host);
		else if (t.container == port && !strcmp(t.protocol, protocol) && ++found)
			printf("%s:%u\n", t.address, t.host);
	}
	if (count == 2 && !found)
		return error_set(err, ENOENT, "No public port '%u/%s' published for %s", port, protocol, names[0]);
	return 0;
}

int cmd_port(int argc, char **argv)
{
	static const struct argp argp = { NULL, parse_one_or_two, "CONTAINER [PORT[/PROTOCOL]]",
		"Show where the ports of a container are published.", NULL, NULL, NULL };
	struct arguments a = { 0 };
	struct error err = { 0 };
	int code = parse(&argp, argc, argv, &a, "port");

	if (code)
		return code;
	return print_ports(a.names.items, a.names.count, &err) < 0 ? command_fail("port", 1, &err) : 0;
}
