/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SUPERVISE_H
#define CTRACE_SUPERVISE_H

#include <stdbool.h>

#include "engine/attach_server.h"
#include "engine/launch.h"
#include "engine/signals.h"
#include "util/error.h"

struct supervision {
	struct launch *launch;
	struct signals *signals;      /* those that we get go to the container */
	struct attach_server *server; /* NULL = nobody can attach */
	bool local;                   /* what it prints also goes to our own stdout and stderr */
	bool told_to_end;             /* set: a signal that ends programs was passed on */
};

/* Keeps the log, serves who is attached, forwards signals, until init has ended: wait(2)'s status word. */
int supervise(struct supervision *s, int *ret_status, struct error *err);

#endif
