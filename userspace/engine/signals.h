/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SIGNALS_H
#define CTRACE_SIGNALS_H

#include "util/error.h"

/* Signals become numbers in a pipe. Handlers and not a signal mask: a mask would be inherited by the
 * container, handlers end with its execve(2). One per process. */
struct signals {
	int fd; /* readable when a signal has come */
};

/* Catches what docker run forwards, and SIGWINCH; SIGPIPE has no effect from here on. */
int signals_open(struct signals *ret, struct error *err);
/* The next signal that came, or 0. */
int signals_next(struct signals *s);
/* The next one that asks to end before there is a container (INT, TERM, HUP, QUIT), or 0. */
int signals_interrupted(struct signals *s);
void signals_close(struct signals *s); /* default dispositions again */

#endif
