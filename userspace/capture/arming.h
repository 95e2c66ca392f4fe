/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ARMING_H
#define CTRACE_ARMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_types.h"

/*
 * When the detail tier is to be attached. Pure: it is told of events and times, and answers. The tier is
 * wanted from a sentinel on until ARMING_QUIET_NS after the last sentinel or detail event, and as
 * long as a start is pending: a runtime is alive whose payload has not executed, for ARMING_PENDING_NS at
 * most (a container that was created and not started yet). Zero-initialise it.
 */
enum { ARMING_MAX_TASKS = 4096 };
#define ARMING_QUIET_NS 1000000000ULL
#define ARMING_BEGIN_NS 10000000000ULL /* what is traced from its beginning may begin so late, on a slow disk */
#define ARMING_PENDING_NS 60000000000ULL

struct arming_task;

struct arming {
	struct arming_task *tasks;
	size_t count, capacity;
	uint64_t started; /* number of the next start */
};

/* Follows which starts are pending: EVENT_FORK, EVENT_EXEC and EVENT_EXIT in about the order of time, and before them
 * EVENT_SNAPSHOT_TASK, parents first.
 * Beyond ARMING_MAX_TASKS the oldest is forgotten. */
void arming_observe(struct arming *arming, const struct event *event);

/* Whether a start is pending. */
bool arming_is_pending(const struct arming *arming, uint64_t now_ns);

/* Whether the tier, attached now, may go: last_ns is the time of the last sentinel or detail event. */
bool arming_is_quiet(const struct arming *arming, uint64_t now_ns, uint64_t last_ns);

void arming_free(struct arming *arming);

#endif
