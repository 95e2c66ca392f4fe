/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_NAMES_READ_H
#define CTRACE_NAMES_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_types.h"

/* Where to look for the names of one container. */
struct names_job {
	char *id;
	char *bundle;      /* as the process was told; "" or relative = from its working directory */
	uint32_t pid;      /* of the runtime or shim, which may be gone */
	uint64_t start_ns;
	const char *host_root; /* where the host's files are for us, if it sees those; else NULL. Not owned */
	bool by_ctrace;    /* pid is the launcher (0: unknown), who keeps a directory for each container */
};

/* A fact: name, image, engine, pod, namespace, label.NAME, session.traceparent; labels_cut: how many labels were left out;
 * or values_cut: how many of the others end at the bound below. */
typedef void names_emit(void *arg, const struct names_job *job, const char *key, const char *value);

/* Files that have a container's name, and change when it is given another. */
enum names_source {
	NAMES_DOCKER,   /* config.v2.json */
	NAMES_STORED,   /* containers.json of containers-storage, with all its containers */
	NAMES_LAUNCHER, /* state.json */
};

/* The name was in path, where the file will still be when the process that led to it is gone. */
typedef void names_follow(void *arg, const struct names_job *job, enum names_source source, const char *path,
	const char *name);

enum { NAMES_FACT_MAX = EVENT_DATA - 2 }; /* bytes of key and value together; of a longer value, the beginning is kept */

/* Returns how many files are there that should have told and could not be read: too large, damaged, or not allowed. */
size_t names_read(const struct names_job *job, names_emit *emit, void *arg, names_follow *follow, void *follow_arg);

#endif
