/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_HISTORY_H
#define CTRACE_HISTORY_H

/*
 * What a serving tracer keeps of the past, so that a client that comes late makes the same containers of it
 * as the server did: the events themselves, from the snapshot on, in frames that can be sent as they are.
 *
 * It is bounded. Near the bound it is gone through, a frame a step, and what concerns neither a container
 * that goes on, nor a process or cgroup that exists, nor the last minute is left out; if that is not
 * enough, the containers that began first keep only what tells who they are; at last whole frames go,
 * oldest first. What was left out of containers that go on is counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_types.h"
#include "timeline/timeline.h"

/* A frame (recording_format.h) that several queues hold. */
struct shared_frame {
	int references;
	uint32_t events;
	uint64_t last_ns; /* time of its youngest event */
	size_t length;
	unsigned char bytes[];
};

/* A frame of these events, made by the caller to hold; packed if it is to be kept for long. */
struct shared_frame *shared_frame_new(uint32_t type, const void *raw, size_t length, bool pack);
struct shared_frame *shared_frame_hold(struct shared_frame *frame);
void shared_frame_release(struct shared_frame *frame); /* takes NULL */

struct history;

/* max_bytes bounds the packed frames. */
struct history *history_new(size_t max_bytes);
void history_free(struct history *history); /* takes NULL */

/* The next event, in order of time. */
void history_add(struct history *history, const struct event *event);

/* Gives each frame that has something of since_ns or later, oldest first; the callee holds what it keeps. */
typedef void history_taker(void *arg, struct shared_frame *frame);
void history_each(struct history *history, uint64_t since_ns, history_taker *take, void *arg);

/* Makes room if it is time: a few milliseconds at most. tl has taken the same events; now_ns is about the
 * time of the last one. */
void history_step(struct history *history, struct timeline *tl, uint64_t now_ns);

struct history_stats {
	size_t bytes;        /* kept, packed */
	uint64_t events;     /* kept */
	uint64_t dropped;    /* events of containers that went on, left out at the bound */
	uint64_t passes;     /* times it was gone through */
};
void history_get_stats(const struct history *history, struct history_stats *ret_stats);

#endif
