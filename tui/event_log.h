/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_EVENT_LOG_H
#define CTRACE_EVENT_LOG_H

/* The newest events, for the events view. Bounded: beyond the bounds the oldest go, and are counted. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_types.h"
#include "util/map.h"

enum { LOG_EVENTS = 1 << 15, LOG_BYTES = 16 << 20, LOG_CALLS = 4096 /* unfinished */ };

struct log_entry {
	struct event *event; /* a copy, as long as its size says */
	/* what the end of a system call told */
	bool has_result;
	int64_t result;
	uint64_t duration_ns;
};

/* Entries have numbers from 0 on; first .. next - 1 are there. */
struct event_log {
	struct log_entry *entries; /* LOG_EVENTS, by number modulo that */
	uint64_t first, next;
	size_t bytes;
	struct map calls; /* tid -> number + 1 of its unfinished system call */
	uint64_t ends_forgotten; /* calls whose result will not be shown beside them: too many were unfinished */
};

void event_log_init(struct event_log *log);
void event_log_free(struct event_log *log);
/* Keeps what a person calls an event: no snapshots, no ticks, and a system call's end joins its start. */
void event_log_add(struct event_log *log, const struct event *event);
const struct log_entry *event_log_get(const struct event_log *log, uint64_t number); /* NULL = gone */

#endif
