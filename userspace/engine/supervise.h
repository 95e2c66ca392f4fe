/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SUPERVISE_H
#define CTRACE_SUPERVISE_H

#include <stdbool.h>

#include "engine/signals.h"
#include "runtime/runtime.h"
#include "util/error.h"

struct supervision {
	struct container *container;
	struct signals *signals;
	int console;      /* the pty's master, -1 = none; owned by the caller */
	bool interactive; /* copy our stdin to the console; ctrl-p ctrl-q detaches */
};

/* Gives the console the size of our own terminal: before the program starts. */
void supervise_resize(int console);

/* Forwards signals and, with a console, what is typed and printed, until init has ended; our terminal
 * is in raw mode meanwhile. Returns 1 when detached: the terminal is restored, the container runs on;
 * or 0 with wait(2)'s status word. */
int supervise(struct supervision *s, int *ret_status, struct error *err);

/* After a detach: reads what the container prints, so that it never blocks, until init has ended. */
void supervise_detached(struct supervision *s);

#endif
