/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DASHBOARD_H
#define CTRACE_DASHBOARD_H

/* The dashboard as a whole: events in, keys in, screens out. */

#include "tui/ui.h"
#include "util/error.h"

/* ctrace run --tui: a program that makes one container, and what is shown of it. */
struct dashboard_program {
	char **argv;      /* argv[0]: its path; it gets a terminal of its own */
	const char *id;   /* of the container that it makes */
	bool waterfall;   /* printed at the end, as ctrace run does */
	bool every_step;
	int code;         /* its exit code, set by dashboard_run */
};

struct dashboard_options {
	struct dashboard_program *program; /* NULL = none */
	const char *recording; /* NULL = live */
	enum view view;
	const char *id, *filter, *sort; /* NULL = none */
	bool readonly, always_armed, no_mouse;
	int color;   /* -1 = unless NO_COLOR is set, 0, 1 */
	double play; /* a recording: how fast it plays from its beginning; 0 = show its end */
	double delay_s; /* between two screens of --batch, and between two readings of what containers use */
	/* without a terminal: */
	bool batch, json;
	unsigned long screens; /* 0 = without end */
	size_t width;          /* 0 = the terminal's, else 120 */
};

/* Returns when the user quits, a signal says so, or all screens of --batch are printed. 0, or a negative errno: a
 * damaged recording is shown as far as it can be read, and is an error of --batch only. */
int dashboard_run(const struct dashboard_options *options, struct error *err);

#endif
