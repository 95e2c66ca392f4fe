/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TRACE_OPTIONS_H
#define CTRACE_TRACE_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "exporters/waterfall.h"

struct trace_options {
	const char *json;   /* FILE, "-" = stdout, NULL = none */
	const char *record; /* FILE, NULL = none */
	const char *id;     /* only this container */
	const char *filter; /* only what passes (exporters/filter.h); NULL = all */
	bool docker_events; /* instead of JSON: docker's events */
	bool events, always_armed, no_serve, detach_trace, waterfall_wanted;
	enum waterfall_color color;
	struct waterfall_options waterfall;
	char **command;     /* NULL = all containers of the host */
	/* for `ctrace run` */
	const char *for_run;
	int ready_fd, done_fd; /* -1 = none */
	const char *meta[8];   /* KEY=VALUE, what run knows about the container */
	size_t meta_count;
};

/* Prints what is wrong and exits with 125 where the arguments are. */
void trace_options_parse(int argc, char **argv, struct trace_options *ret);

/* The value of --color, which replay and show have too; ends the program as argp_error(3) where it is none. ret is set
 * for always and never only. */
void trace_options_color(struct argp_state *state, enum waterfall_color *ret, const char *arg);

#endif
