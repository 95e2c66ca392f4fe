/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RECORDING_FORMAT_H
#define CTRACE_RECORDING_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_types.h"

/* The layout that recording.h describes, which a tracer's stream has too. */
static const char recording_magic[8] = { 'c', 't', 'r', 'a', 'c', 'e', 1, '\n' };

/* A mark is empty. In a stream it says that what was asked for has been sent (stream.h). No flipped bit makes one of the others of
 * sparse events. */
enum recording_frame_type { FRAME_FACTS = 1, FRAME_EVENTS = 2, FRAME_END = 3, FRAME_MARK = 4, FRAME_SPARSE_EVENTS = 8 };

enum {
	RECORDING_FRAME_BYTES = 256 << 10,     /* a frame of events is written when it holds this much */
	RECORDING_SPARSE_BYTES = 64 << 10,     /* the same of sparse events: they are a quarter as long */
	RECORDING_HELD_MS = 500,               /* ... or when it spans this time: a writer that is killed loses no more */
	RECORDING_MAX_RAW = 4 << 20,           /* more than a writer makes: a reader refuses it */
	SPARSE_EVENT_MAX = UINT16_MAX + 128,   /* bytes that one sparse event can need */
	RECORDING_LEVEL = 1                    /* of deflate: the writer runs beside what it records */
};

struct recording_frame {
	uint32_t type, raw_length, stored_length, crc32;
};

/* Where an event is copied to, so that it is aligned. */
union frame_event {
	struct event event;
	uint64_t align;
	unsigned char bytes[UINT16_MAX + 1]; /* whole words */
};

/* Bytes that a frame of so many bytes can need. */
size_t frame_bound(size_t length);

/* Writes a frame to `to`, packed where that makes it shorter. Returns its length. */
size_t frame_encode(void *to, enum recording_frame_type type, const void *raw, size_t length, bool pack);

/* The next three return NULL, or what is wrong, in words. Their input may be damaged or hostile. */

/* Takes the head of a frame apart: sizeof(struct recording_frame) bytes. */
const char *frame_decode_head(const void *bytes, struct recording_frame *ret_frame);

/* Checks and unpacks the stored bytes; raw has room for frame->raw_length. */
const char *frame_decode(const struct recording_frame *frame, const void *stored, void *raw);

/* Copies the event at *at, which is below length, from a frame of that type, and moves *at behind it. */
const char *frame_next_event(uint32_t type, const void *raw, size_t length, size_t *at, union frame_event *ret_event);

/* Writes an event as it is in a frame of sparse events, for which `to` has SPARSE_EVENT_MAX bytes. Returns its length. */
size_t frame_put_sparse_event(unsigned char *to, const struct event *event);

#endif
