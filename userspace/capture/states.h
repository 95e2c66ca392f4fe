/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_STATES_H
#define CTRACE_STATES_H

#include <stddef.h>
#include <stdint.h>

/* A container as its runtime wrote it down, while it is read. */
struct state_found {
	const char *id;
	const char *root;     /* the runtime's state directory on the host: /run/runc */
	const char *bundle;   /* "" = not said */
	uint32_t pid;         /* of its init */
	uint64_t start_ticks; /* of boot time, as in /proc/PID/stat */
};

typedef void states_emit(void *arg, const struct state_found *found);

/* Reads what runc and crun keep of their containers in the state directories that they use unless they are told another, which
 * nobody can know. host_root: where the host's files are for us. Returns how many files could not be read. */
size_t states_read(const char *host_root, states_emit *emit, void *arg);

#endif
