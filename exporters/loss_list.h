/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LOSS_LIST_H
#define CTRACE_LOSS_LIST_H

/* The counters of losses that a stream of events tells of: the newest value for each kind and reason. */

#include <stddef.h>
#include <stdint.h>

#include "bpf/event_types.h"

enum { LOSS_LIST_MAX = 128 }; /* ctrace itself can tell of about 60 */

struct loss_list {
	struct loss {
		uint32_t kind, reason; /* enum event_kind, 0 = none; enum event_loss */
		uint64_t count;
	} items[LOSS_LIST_MAX];
	size_t count;
	uint64_t left_out; /* events that told of a counter for which there was no room: a damaged recording may hold any */
};

/* Takes any event; those that are no EVENT_LOST, or too short for one, change nothing. */
void loss_list_note(struct loss_list *list, const struct event *event);

#endif
