/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace inspect: what the launcher knows of its own containers; what runs, whatever made it, is told by
 * ctrace-trace, which is executed for it. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "cmd/inspect_record.h"
#include "cmd/template.h"
#include "engine/control.h"
#include "engine/registry.h"
#include "util/cleanup.h"

enum { OPTION_TYPE = 256 };

struct arguments {
	char **names;
	int count;
	bool json;
	const char *format;
};

static const struct argp_option options[] = {
	{ "format", 'f', "json|TEMPLATE", 0,
		"The settings and state of a container of ctrace run, in docker's shape", 0 },
	{ "json", 'j', NULL, 0, "What a running container is made of, as a JSON object a line", 0 },
	{ "type", OPTION_TYPE, "container", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'f': a->format = value; return 0;
	case 'j': a->json = true; return 0;
	case OPTION_TYPE:
		if (strcmp(value, "container") != 0)
			argp_error(state, "--type %s is not supported: container is", value);
		return 0;
	case ARGP_KEY_ARGS:
		a->names = state->argv + state->next;
		a->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		command_wrong_arguments(state, "which container? an id, a pid, a name, or how one of them begins");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = { options, parse_option, "ID|PID|NAME...",
	"Shows what a running container is made of, whatever runtime made it: namespaces (its own or shared, and "
	"with whom), cgroups with limits and use, layers, network. Asks the kernel, no daemon. With --format, and for "
	"containers that have ended: what ctrace run was told, and what became of it.\v"
	"Examples:\n"
	"  ctrace inspect web\n"
	"  ctrace inspect --json 8857 | jq .namespaces\n"
	"  ctrace inspect -f '{{.State.ExitCode}}' web\n", NULL, NULL, NULL };

/* Not to return, but for an error. */
static int execute_running(const struct arguments *a, const char *what, struct error *err)
{
	char *name = (char *)what, *argv[] = { "ctrace", "inspect_running", a->json ? "--json" : "--", a->json ? "--" : name,
		a->json ? name : NULL, NULL };
	char path[PATH_MAX];
	int r = command_program_path("ctrace-trace", path, sizeof(path), err);

	if (r < 0)
		return r;
	execv(path, argv);
	return error_errno(err, errno, "cannot execute %s", path);
}

/* One container without --format: as a picture of what runs, or of what was. */
static int show_one(const struct arguments *a, const char *name, struct error *err)
{
	_cleanup_(state_free) struct state s = { 0 };
	_cleanup_(strbuf_free) struct strbuf out = { 0 };
	json_object *o;

	if (registry_find(name, &s, NULL) < 0)
		return execute_running(a, name, err);
	if (control_is_running(&s))
		return execute_running(a, s.id, err);
	if (!a->json) {
		inspect_record_text(&s, &out);
		fputs(out.text, stdout);
		return 0;
	}
	o = inspect_record_json(&s);
	template_json(&out, o, JSON_C_TO_STRING_PLAIN);
	puts(out.text);
	json_object_put(o);
	return 0;
}

/* With --json an object a line, each by a process of its own: another program knows those that run. */
static int show_each(const struct arguments *a)
{
	int code = 0;

	for (int i = 0; i < a->count; i++) {
		pid_t pid = fork();
		int status = 0;

		if (pid == 0) {
			struct error err = { 0 };
			int r = show_one(a, a->names[i], &err) < 0 ? command_fail("inspect", 1, &err) : 0;

			fflush(stdout);
			_exit(r);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
			code = 1;
	}
	return code;
}

static int print_all(const struct arguments *a, json_object *all, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf out = { 0 };
	int r = 0;

	if (!a->format || !strcmp(a->format, "json")) {
		template_json(&out, all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
		puts(out.text);
		return 0;
	}
	for (size_t i = 0; r == 0 && i < json_object_array_length(all); i++) {
		r = template_print(a->format, json_object_array_get_idx(all, i), &out, err);
		strbuf_putc(&out, '\n');
	}
	if (r == 0)
		fputs(out.text ? out.text : "", stdout);
	return r;
}

static int show_records(const struct arguments *a)
{
	json_object *all = json_object_new_array();
	struct error err = { 0 };
	int code = 0;

	for (int i = 0; i < a->count; i++) {
		_cleanup_(state_free) struct state s = { 0 };

		if (registry_find(a->names[i], &s, &err) < 0) {
			if (!strncmp(err.text, "No such container", 17))
				error_set(&err, ENOENT, "No such object: %s", a->names[i]);
			code = command_fail("inspect", 1, &err);
			continue;
		}
		json_object_array_add(all, inspect_record_json(&s));
	}
	if (print_all(a, all, &err) < 0)
		code = command_fail("inspect", 1, &err);
	json_object_put(all);
	return code;
}

int cmd_inspect(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct error err = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	if (geteuid() == 0) {
		int code = engine_command_begin("inspect");

		if (code)
			return code;
	}
	if (!a.format && a.json && a.count > 1)
		return show_each(&a);
	if (a.format || a.count > 1)
		return show_records(&a);
	return show_one(&a, a.names[0], &err) < 0 ? command_fail("inspect", 1, &err) : 0;
}
