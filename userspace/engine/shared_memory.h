/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SHARED_MEMORY_H
#define CTRACE_SHARED_MEMORY_H

/*
 * /dev/shm by --ipc. A private one is mounted by the runtime inside of the container, where nobody else gets at it. One
 * that other containers may share is a tmpfs on the host, in the container's storage, which each of them binds: no path
 * of the other container is ever followed. It is mounted for as long as its container runs (leftovers.c unmounts it).
 */

#include "engine/state.h"
#include "util/error.h"

#define SHARED_MEMORY "shm" /* below the storage */

/* Mounts it if the container's mode is "shareable". */
int shared_memory_mount(const struct state *s, struct error *err);
/* The directory of the host that becomes its /dev/shm, NULL where it has one of its own; for container:ID of one that
 * shares nothing, or, with must_be_there, whose memory is gone, -ESRCH with docker's text. */
int shared_memory_find(const struct state *s, bool must_be_there, char **ret, struct error *err);

#endif
