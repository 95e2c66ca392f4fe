/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LAUNCH_H
#define CTRACE_LAUNCH_H

/*
 * One start of a container whose record and config.json exist (container_make.h makes them): root, network,
 * ports, runtime, what it prints. Used by run, by start, and by each restart.
 */

#include <netinet/in.h>

#include "engine/container_log.h"
#include "engine/network.h"
#include "engine/ports.h"
#include "engine/state.h"
#include "runtime/runtime.h"
#include "util/error.h"

struct launch {
	struct state state;
	char *oci_root; /* of the runtime's state */
	void (*warn)(const char *text); /* may be NULL */
	bool direct;    /* the program gets our own descriptors 0, 1, 2 */

	struct network_bridge bridge;
	uint32_t address; /* host byte order; 0 = none */
	struct port_sockets sockets;
	struct container *container;
	int console;   /* the pty's master, -1 = none */
	int output[2]; /* read ends of its stdout and stderr, -1 = none */
	int input;     /* write end of its stdin, -1 = none */
	struct container_log log;
	int exit_code; /* docker run's, for a failure */
};

void launch_init(struct launch *l, void (*warn)(const char *text));
void launch_free(struct launch *l); /* memory and descriptors */

/* Bridge, address and ports; the state is saved with them. */
int launch_prepare_network(struct launch *l, struct error *err);
/* Runtime, log and state: returns when the program runs. */
int launch_start(struct launch *l, struct error *err);
/* All of it for a container that rests: it ran before, or was only made. */
int launch_again(struct launch *l, struct error *err);
/* The container's init has ended (or is killed now): removes processes, cgroups, mounts, ports, address. */
int launch_stop(struct launch *l, struct error *err);

#endif
