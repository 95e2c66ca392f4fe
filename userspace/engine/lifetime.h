/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LIFETIME_H
#define CTRACE_LIFETIME_H

/* A container from its start to its last end, restarts included. */

#include "engine/launch.h"
#include "engine/signals.h"
#include "util/error.h"

struct lifetime {
	struct launch *launch; /* claimed by us; launch_start has succeeded */
	struct signals *signals;
	bool local;  /* what it prints also goes to our own stdout and stderr */
	int client;  /* a socket whose other end is attached from the start, -1 = none; taken */
};

/* Supervises, restarts as the policy says, and puts everything away: the container is removed (--rm) or kept as
 * exited, the claim is gone. ret_code: docker run's exit code. */
int lifetime_run(struct lifetime *t, int *ret_code, struct error *err);

/* One that container_make has made and that is started later: nothing of it stays mounted, the claim is gone. */
int lifetime_rest(struct launch *l, struct error *err);

/* A start that failed: takes back what it made. A container that run was making is removed, one that rested before does so
 * again, with the reason. */
void lifetime_abort(struct launch *l, const struct error *why);

/* What another process wants of the supervisor when init has ended next, or at once where it waits to
 * restart it. Requests are void after the next start. */
enum lifetime_request { REQUEST_NONE, REQUEST_STOP, REQUEST_RESTART };
int lifetime_ask(const struct state *s, enum lifetime_request request, struct error *err);

#endif
