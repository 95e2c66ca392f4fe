/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace create: a container that ctrace start starts. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/run_options.h"
#include "engine/run.h"

static void print_warning(const char *text)
{
	command_warn("create", text);
}

static int create(struct run_settings *s)
{
	char image_program[PATH_MAX];
	struct run_request request = { .settings = s, .warn = print_warning };
	struct error err = { 0 };
	int code;

	if (command_program_path("ctrace-image", image_program, sizeof(image_program), NULL) == 0)
		request.image_program = image_program;
	return create_container(&request, &code, &err) < 0 ? command_fail("create", code, &err) : 0;
}

int cmd_create(int argc, char **argv)
{
	struct run_settings settings;
	struct error err = { 0 };
	int code = 0, r;

	(void)argc;
	run_settings_init(&settings);
	r = run_options_parse("create", argv, &settings, &err);
	if (r < 0)
		code = command_fail("create", r == -ENODATA ? 1 : EXIT_CTRACE, &err);
	else if (settings.help)
		run_options_help("create", stdout);
	else
		code = create(&settings);
	run_settings_free(&settings);
	return code;
}
