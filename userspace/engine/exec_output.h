/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_EXEC_OUTPUT_H
#define CTRACE_EXEC_OUTPUT_H

/* The output of a program that is added to a container. One of another user than root cannot open a terminal or a file of ours as
 * /dev/stdout: it gets pipes, which the runtime gives to its user. */

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

struct exec_output {
	int fds[2];   /* the program's 1 and 2, owned */
	int pipes[2]; /* where they are read, or -1 */
};

/* Ours for the program's, or pipes where its user needs them. Close it whatever is returned. */
int exec_output_open(struct exec_output *o, uid_t user, struct error *err);
/* Copies what it writes until it has ended. */
void exec_output_relay(struct exec_output *o, pid_t pid);
void exec_output_close(struct exec_output *o);

#endif
