/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SUPERVISOR_H
#define CTRACE_SUPERVISOR_H

/* The small process that stays with a container that has no foreground: a fork of the command that
 * started it, in a session of its own, which outlives its parent and its terminal. */

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

struct supervisor {
	pid_t pid;
	int report; /* how its start went */
	int client; /* attached from the beginning, -1 = nobody */
};

/* Returns 0 in the parent, 1 in the child, which has then the supervisor's ends of report and client. */
int supervisor_fork(bool attach, struct supervisor *ret, struct error *err);

/* The child tells how its start went, and lets go of the terminal and everything else that it inherited. */
void supervisor_tell(struct supervisor *s, int result, int exit_code, const struct error *why);
/* The parent waits for that: 0, or what the child's start failed with. */
int supervisor_await(struct supervisor *s, int *ret_exit_code, struct error *err);

#endif
