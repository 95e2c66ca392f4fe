/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/run_options.h"
#include "engine/registry.h"
#include "runtime/runtime.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static void print_warning(const char *text)
{
	command_warn("run", text);
}

static const char *detail_name(enum trace_mode trace)
{
	return trace == TRACE_NONE ? "none" : trace == TRACE_FULL ? "full" : "summary";
}

/* ctrace-top owns the screen, and starts us again on a terminal of its own. Not to return, but for an error. */
static int execute_top(const struct run_settings *s, int argc, char **argv, struct error *err)
{
	_cleanup_free_ char **words = xcalloc((size_t)argc + 8, sizeof(*words));
	char top[PATH_MAX], self[PATH_MAX] = "", id[STATE_ID_LENGTH + 1];
	size_t n = 0;
	int r;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return error_set(err, ENOTTY, "--tui needs a terminal at standard input and output; without it "
			"ctrace run prints the timeline at the end");
	r = command_program_path("ctrace-top", top, sizeof(top), err);
	if (r == 0)
		r = registry_new_id(id, err);
	if (r == 0 && readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		r = error_errno(err, errno, "cannot find the own program");
	if (r < 0)
		return r;
	words[n++] = "ctrace";
	words[n++] = "run_tui";
	words[n++] = id;
	words[n++] = (char *)detail_name(s->trace);
	words[n++] = self;
	words[n++] = "run";
	words[n++] = xasprintf("--for-tui=%s", id);
	for (int i = 1; i < argc; i++)
		words[n++] = argv[i];
	execv(top, words);
	return error_errno(err, errno, "cannot execute %s", top);
}

static int run(struct run_settings *s)
{
	char tracer[PATH_MAX], image_program[PATH_MAX];
	struct run_request request = { .settings = s, .warn = print_warning };
	struct error err = { 0 };
	int code;

	/* others in that pid namespace could reach the binary by /proc/PID/exe */
	if (s->pid_mode && str_starts(s->pid_mode, "container:") && runtime_seal(&err) < 0)
		return command_fail("run", EXIT_CTRACE, &err);
	if (command_program_path("ctrace-trace", tracer, sizeof(tracer), NULL) == 0)
		request.tracer = tracer;
	if (command_program_path("ctrace-image", image_program, sizeof(image_program), NULL) == 0)
		request.image_program = image_program;
	if (run_container(&request, &code, &err) < 0)
		return command_fail("run", code, &err);
	return code;
}

int cmd_run(int argc, char **argv)
{
	struct run_settings settings;
	struct error err = { 0 };
	int code, r;

	run_settings_init(&settings);
	r = run_options_parse("run", argv, &settings, &err);
	if (r < 0) {
		code = command_fail("run", r == -ENODATA ? 1 : EXIT_CTRACE, &err);
	} else if (settings.help) {
		run_options_help("run", stdout);
		code = 0;
	} else if (settings.tui && !settings.for_tui) {
		execute_top(&settings, argc, argv, &err);
		code = command_fail("run", EXIT_CTRACE, &err);
	} else if (settings.terminal && settings.interactive && !settings.detach && !isatty(STDIN_FILENO)) {
		fputs("ctrace run: the input device is not a TTY\n", stderr);
		code = 1; /* as docker's client */
	} else {
		if (settings.for_tui)
			settings.trace = TRACE_NONE; /* the picture is on the screen beside */
		code = run(&settings);
	}
	run_settings_free(&settings);
	return code;
}
