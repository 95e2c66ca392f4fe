/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CONTAINER_VIEW_H
#define CTRACE_CONTAINER_VIEW_H

/*
 * The files of a container, running or not, as docker cp sees them: its root and what is bind-mounted into it (volumes, hosts,
 * resolv.conf); not its /proc, /sys, /dev and tmpfs. They are mounted in a mount namespace of their own, in which nothing of
 * the host is left and no process runs: no path below the root leads out of it.
 */

#include <stdbool.h>

#include "engine/state.h"
#include "util/error.h"

struct container_view {
	int root;       /* for openat2(2) with RESOLVE_IN_ROOT (tree_open) */
	int namespace;  /* keeps the mounts */
	char claimed[STATE_ID_LENGTH + 1]; /* its storage is mounted for us; "" = it runs */
};

/* volumes: with what is bind-mounted, else the root alone. Needs root, and a process with one thread. A container that
 * has ended cannot start meanwhile; one that is being started, stopped or looked at is waited for (10 s, then -EBUSY). On
 * failure, too, the process is back in its own namespace, root and working directory. */
int container_view_open(const struct state *s, bool volumes, struct container_view *ret, struct error *err);
void container_view_close(struct container_view *v); /* also fit for _cleanup_ where the root is -1 */

#endif
