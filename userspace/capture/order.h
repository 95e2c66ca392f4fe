/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ORDER_H
#define CTRACE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_types.h"

/*
 * Puts events of several sources in order of time_ns. Each source is nearly ordered; events wait here
 * until nothing older can come (the caller knows when: order_pop takes a horizon). Events of the same
 * time come out as they went in. Zero-initialise it.
 */
struct order {
	struct order_entry *entries; /* a binary heap */
	size_t count, capacity;
	size_t bytes;      /* of the events that wait */
	size_t max_bytes;  /* beyond it order_pop gives the oldest whatever the horizon; 0 = no bound */
	uint64_t sequence;
	uint64_t last_ns;  /* time of the newest event that went out */
	uint64_t late;     /* events that came when a younger one had gone out already */
};

/* Takes a copy. */
void order_push(struct order *order, const struct event *event);

/* The oldest event if it is not younger than horizon_ns, or NULL. The caller frees it. */
struct event *order_pop(struct order *order, uint64_t horizon_ns);

void order_free(struct order *order);

#endif
