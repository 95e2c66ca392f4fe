/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/run_options.h"
#include "runtime/runtime.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static void print_warning(const char *text)
{
	_cleanup_(strbuf_free) struct strbuf escaped = { 0 };

	strbuf_escape(&escaped, text, strlen(text));
	fprintf(stderr, "ctrace run: warning: %s\n", escaped.text);
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
	int code;

	(void)argc;
	run_settings_init(&settings);
	if (run_options_parse(argv, &settings, &err) < 0) {
		code = command_fail("run", EXIT_CTRACE, &err);
	} else if (settings.help) {
		run_options_help(stdout);
		code = 0;
	} else if (settings.terminal && settings.interactive && !isatty(STDIN_FILENO)) {
		fputs("ctrace run: the input device is not a TTY\n", stderr);
		code = 1; /* as docker's client */
	} else {
		code = run(&settings);
	}
	run_settings_free(&settings);
	return code;
}
