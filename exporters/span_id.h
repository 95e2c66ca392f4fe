/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SPAN_ID_H
#define CTRACE_SPAN_ID_H

/*
 * Ids of traces and spans (W3C Trace Context), made from what is known of a container's start and from nothing
 * else: the JSON timeline, OTLP and the exemplars of metrics name the same span by the same id, whichever of them
 * is asked first, on this machine or from a recording.
 *
 * An id is SipHash-2-4 with 128 bits (key 0, 1, ..., 15) of boot id, container id, start time and span path. That hash
 * is no protection against someone who wants two containers to collide; nothing here needs one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/facts.h"
#include "timeline/model.h"

enum { SPAN_TRACE_BYTES = 16, SPAN_BYTES = 8, SPAN_TRACE_HEX = 32 + 1, SPAN_HEX = 16 + 1, SPAN_TRACEPARENT = 56, SPAN_PARENTS = 1024 };

/* The span of whoever ordered a container. */
struct span_ordered {
	uint64_t container; /* hash of its id */
	uint8_t trace[SPAN_TRACE_BYTES], span[SPAN_BYTES];
};

/* Whose traces they are. */
struct span_context {
	char boot_id[40];
	/* The spans of those who ordered containers, from TRACEPARENT in their environment: of all that the followed
	 * command caused, and of single containers, the newest so many of them. */
	bool has_parent;
	struct span_ordered followed, ordered[SPAN_PARENTS];
	size_t ordered_count; /* in all; a ring */
};

void span_context_init(struct span_context *ctx, const struct facts *facts);

/* Takes a traceparent header ("00-<trace>-<span>-01"), for the container of that id or, "", for all that the followed
 * command caused. False, and nothing changes, where it is not valid. */
bool span_context_set_parent(struct span_context *ctx, const char *traceparent, const char *parent_of);

/* Of how many containers the caller's span had to go for those of newer ones. */
uint64_t span_context_forgotten(const struct span_context *ctx);

/* The EVENT_META by which that is told: "session.traceparent" with the container's id. True if it was one. */
struct event;
#define SPAN_PARENT_NOTE "session.traceparent"
bool span_context_take(struct span_context *ctx, const struct event *event);

/* False until the start time is certain: before that the container has no ids. True from its program's exec on, or
 * from the end of a start that failed. The functions below give something even then, but not the last word. */
bool span_is_known(const struct container *c);

/* The container's trace: that of the caller, if there is one. */
void span_trace_id(const struct span_context *ctx, const struct container *c, uint8_t ret[SPAN_TRACE_BYTES]);
/* path names the span inside the container: "" = its root, "actor/4", "actor/4/mounts". */
void span_id(const struct span_context *ctx, const struct container *c, const char *path, uint8_t ret[SPAN_BYTES]);
/* The caller's span, parent of the container's root. False: it has none. */
bool span_parent(const struct span_context *ctx, const struct container *c, uint8_t ret[SPAN_BYTES]);

/* Lower-case hexadecimal digits of n bytes; hex has room for 2 n + 1. Returns hex. */
char *span_hex(char *hex, const uint8_t *bytes, size_t n);

/* SipHash-2-4-128, as its authors' reference implementation; for the tests. */
void span_siphash128(const uint8_t key[16], const void *data, size_t length, uint8_t ret[16]);

#endif
