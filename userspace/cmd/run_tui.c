/* SPDX-License-Identifier: Apache-2.0 */
/* What `ctrace run --tui` executes: run_tui ID DETAIL PROGRAM ARG... owns the screen and runs `ctrace run` on a terminal
 * of its own, beside the timeline of the container that it makes. */
#include <locale.h>
#include <string.h>

#include "cmd/command.h"
#include "tui/dashboard.h"

int cmd_run_tui(int argc, char **argv)
{
	struct dashboard_program program = { 0 };
	struct dashboard_options o = { .color = -1, .delay_s = 1, .program = &program };
	struct error err = { 0 };

	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");
	if (argc < 4) {
		error_set(&err, 0, "this is a part of ctrace run --tui");
		return command_fail("run", EXIT_CTRACE, &err);
	}
	program.id = argv[1];
	program.waterfall = strcmp(argv[2], "none") != 0;
	program.every_step = !strcmp(argv[2], "full");
	program.argv = argv + 3;
	return dashboard_run(&o, &err) < 0 ? command_fail("run", EXIT_CTRACE, &err) : program.code;
}
