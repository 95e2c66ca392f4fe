/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CHILD_H
#define CTRACE_CHILD_H

/* The programs beside the launcher that a run needs: ctrace-trace, which watches, and ctrace-image,
 * which pulls. */

#include <stdbool.h>
#include <sys/types.h>

#include "engine/settings.h"
#include "engine/signals.h"
#include "util/error.h"

/* Pulls s->source, with its progress on our stderr (unless s->quiet); its stdout goes there too, since ours is the
 * container's. -EINTR: a signal came and is put into *ret_signal. */
int child_pull(const char *program, const struct run_settings *s, struct signals *signals, int *ret_signal,
	struct error *err);

struct tracer {
	pid_t pid;  /* 0 = none */
	int ready;  /* the tracer writes '1', or '0' and why not */
	int done;   /* closed when the container is gone */
};

/* Starts `PROGRAM trace --for-run ID ...` in a process group of its own, so that Ctrl-C ends the
 * container and not its trace. */
int tracer_start(const char *program, const char *id, const struct run_settings *s,
	struct tracer *ret, struct error *err);
/* Waits until it watches. An error is for a warning: the container runs without. */
int tracer_wait_ready(struct tracer *t, struct error *err);
/* Tells it that the container is gone; waits until it has printed. */
void tracer_finish(struct tracer *t);

#endif
