/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ATTACH_H
#define CTRACE_ATTACH_H

/* The client's side of attaching to a container that a supervisor of its own runs. */

#include <stdbool.h>

#include "engine/signals.h"
#include "util/error.h"

struct attachment {
	int fd;           /* to the supervisor */
	bool input;       /* copy our stdin; the detach keys leave when the container has a terminal */
	bool terminal;    /* the container has one: ours goes raw and tells its size */
	bool output, error; /* print what comes from its stdout, its stderr */
	bool forward;     /* pass on the signals that we get; else they end us, and it runs on */
	const char *detach_keys; /* of detach_keys_parse */
	struct signals *signals;
};

/* Until the container has ended and its supervisor has cleaned up: 0 and the exit code; 1: detached, our
 * terminal is as it was. Where nothing is printed, the end of our stdin detaches, too.
 * -EPIPE: the supervisor went away without a word. */
int attach_run(struct attachment *a, int *ret_code, struct error *err);

#endif
