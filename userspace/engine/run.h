/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RUN_H
#define CTRACE_RUN_H

#include "engine/settings.h"

struct run_request {
	struct run_settings *settings; /* used up */
	const char *tracer;        /* path of ctrace-trace; NULL: run untraced */
	const char *image_program; /* path of ctrace-image, which pulls; NULL: never pull */
	void (*warn)(const char *text); /* what a person should know and that stops nothing */
};

/* Runs a container from start to end in the foreground: image, root file system, network, runtime,
 * supervision, teardown. Returns 0 with the exit code (docker run's: the program's own, 128 + signal,
 * 126, 127), or a negative errno with what failed and everything undone; *ret_code is then 125, 126,
 * 127, or 128 + n when signal n interrupted the making. */
int run_container(const struct run_request *request, int *ret_code, struct error *err);

/* The same up to the start: the container rests as created, until control_start or control_remove; its id is printed.
 * The exit code for a failure is 1, as of docker create. */
int create_container(const struct run_request *request, int *ret_code, struct error *err);

#endif
