/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_OTLP_PUSH_H
#define CTRACE_OTLP_PUSH_H

/*
 * Pushes traces to a collector without ever waiting for it: a bounded queue of encoded units (exporters/otlp.h) and one
 * request at a time, driven by the caller's loop. What does not fit into the queue is dropped and counted, what a
 * collector asks to be sent later is kept and sent later, what it cannot be persuaded to take is counted.
 *
 * Collectors may get a span twice (a connection lost after they had taken it); its id is then the same.
 */

#include "exporters/otlp_settings.h"
#include "util/error.h"

struct otlp_push;

struct otlp_push_stats {
	uint64_t sent;     /* spans that a collector took */
	uint64_t rejected; /* of those it was sent, spans that it said it did not take (partialSuccess) */
	uint64_t failed;   /* spans that it refused for good, or that are too large for it by themselves */
	uint64_t dropped;  /* spans that the queue had no room for, or that were left when it was closed */
	uint64_t requests, retries;
	uint64_t queued_spans, queued_bytes;
	char last_error[256]; /* the newest thing that went wrong, for a person; "" = nothing did */
	bool in_trouble;      /* something went wrong since the collector last took all that it was sent */
};

enum { OTLP_PUSH_QUEUE_BYTES = 16 << 20 };

/* settings must have a url and outlive it. queue_bytes: the queue's bound. */
int otlp_push_new(const struct otlp_settings *settings, size_t queue_bytes, struct otlp_push **ret_push, struct error *err);
void otlp_push_free(struct otlp_push *p); /* takes NULL; what is queued is gone */

/* Fits exporters/otlp.h's otlp_unit: queues a copy. */
void otlp_push_unit(void *push, const struct strbuf *unit, size_t spans);

/* Gives all that is queued, also what is on its way, to another that has just been made, with the same encoding. */
void otlp_push_hand_over(struct otlp_push *from, struct otlp_push *to);

/* A descriptor for the caller's poll or epoll: when it is readable, otlp_push_run has something to do. */
int otlp_push_fd(const struct otlp_push *p);
void otlp_push_run(struct otlp_push *p);

/* Waits, but not longer than that, until the queue is empty; what is left counts as dropped. For the end. */
void otlp_push_close(struct otlp_push *p, int timeout_ms);

void otlp_push_get_stats(const struct otlp_push *p, struct otlp_push_stats *ret_stats);

#endif
