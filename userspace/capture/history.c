/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/history.h"

#include <stdlib.h>
#include <string.h>

#include "capture/history_keep.h"
#include "capture/recording_format.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Events on their way into a frame. */
struct packing {
	unsigned char raw[RECORDING_FRAME_BYTES + UINT16_MAX];
	size_t length;
	uint32_t events;
	uint64_t last_ns;
};

struct frames {
	struct shared_frame **items;
	size_t count, capacity;
};

struct history {
	size_t max_bytes;
	struct frames frames;     /* oldest first */
	struct packing *open;     /* behind all frames */
	struct history_keep *keep;
	/* A pass: frames before `done` are through and packed anew, those before `end` are still to come. */
	bool passing;
	size_t done, end;
	struct packing *packing;  /* what was kept and is not in a frame yet: between done and the rest */
	size_t next_pass_bytes;
	size_t bytes;
	uint64_t events, dropped, passes;
};

/* A packed frame is copied into a block of its final size. Had it been made smaller in place, its release would leave a hole
 * that is too small for the next one, which is as large as frame_bound until it is packed. */
struct shared_frame *shared_frame_new(uint32_t type, const void *raw, size_t length, bool pack)
{
	_cleanup_free_ struct shared_frame *frame = xcalloc(1, sizeof(*frame) + frame_bound(length));

	frame->references = 1;
	frame->length = frame_encode(frame->bytes, type, raw, length, pack);
	if (pack)
		return memcpy(xmalloc(sizeof(*frame) + frame->length), frame, sizeof(*frame) + frame->length);
	return steal_ptr(frame);
}

struct shared_frame *shared_frame_hold(struct shared_frame *frame)
{
	frame->references++;
	return frame;
}

void shared_frame_release(struct shared_frame *frame)
{
	if (frame && --frame->references == 0)
		free(frame);
}

static void frames_insert(struct frames *frames, size_t at, struct shared_frame *frame)
{
	array_grow(frames->items, frames->count, frames->capacity);
	memmove(&frames->items[at + 1], &frames->items[at], (frames->count - at) * sizeof(frames->items[0]));
	frames->items[at] = frame;
	frames->count++;
}

static struct shared_frame *frames_remove(struct frames *frames, size_t at)
{
	struct shared_frame *frame = frames->items[at];

	memmove(&frames->items[at], &frames->items[at + 1], (--frames->count - at) * sizeof(frames->items[0]));
	return frame;
}

struct history *history_new(size_t max_bytes)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->max_bytes = max_bytes;
	h->next_pass_bytes = max_bytes / 4;
	h->open = xcalloc(1, sizeof(*h->open));
	h->packing = xcalloc(1, sizeof(*h->packing));
	h->keep = history_keep_new();
	return h;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->frames.count; i++)
		shared_frame_release(h->frames.items[i]);
	free(h->frames.items);
	free(h->open);
	free(h->packing);
	history_keep_free(h->keep);
	free(h);
}

static void put(struct packing *p, const struct event *event)
{
	memcpy(p->raw + p->length, event, event->size);
	p->length += event->size;
	p->events++;
	if (event->time_ns > p->last_ns)
		p->last_ns = event->time_ns;
}

static struct shared_frame *make_frame(const struct packing *p, bool pack)
{
	struct shared_frame *frame = shared_frame_new(FRAME_EVENTS, p->raw, p->length, pack);

	frame->events = p->events;
	frame->last_ns = p->last_ns;
	return frame;
}

static void empty(struct packing *p)
{
	p->length = 0;
	p->events = 0;
	p->last_ns = 0;
}

static void seal(struct history *h, struct packing *p, size_t at)
{
	struct shared_frame *frame = make_frame(p, true);

	h->bytes += frame->length;
	h->events += frame->events;
	frames_insert(&h->frames, at, frame);
	empty(p);
}

static void forget(struct history *h, struct shared_frame *frame)
{
	h->bytes -= frame->length;
	h->events -= frame->events;
	shared_frame_release(frame);
}

void history_add(struct history *h, const struct event *event)
{
	history_keep_observe(h->keep, event);
	if (event->kind == EVENT_TICK)
		return;
	put(h->open, event);
	if (h->open->length >= RECORDING_FRAME_BYTES)
		seal(h, h->open, h->frames.count);
}

static void give_part(const struct packing *p, uint64_t since_ns, history_taker *take, void *arg)
{
	struct shared_frame *frame;

	if (!p->length || p->last_ns < since_ns)
		return;
	frame = make_frame(p, false);
	take(arg, frame);
	shared_frame_release(frame);
}

void history_each(struct history *h, uint64_t since_ns, history_taker *take, void *arg)
{
	for (size_t i = 0; i < h->frames.count; i++) {
		if (h->passing && i == h->done)
			give_part(h->packing, since_ns, take, arg);
		if (h->frames.items[i]->last_ns >= since_ns)
			take(arg, h->frames.items[i]);
	}
	if (h->passing && h->done >= h->frames.count)
		give_part(h->packing, since_ns, take, arg);
	give_part(h->open, since_ns, take, arg);
}

static void put_packing(struct history *h, const struct event *event)
{
	put(h->packing, event);
	if (h->packing->length < RECORDING_FRAME_BYTES)
		return;
	seal(h, h->packing, h->done++);
	h->end++;
}

/* The frames are our own making: what does not decode is memory gone bad, and is left out. */
static void sift(struct history *h, const struct shared_frame *frame)
{
	_cleanup_free_ unsigned char *raw = NULL;
	struct recording_frame head;
	union frame_event event;
	size_t at = 0;

	if (frame_decode_head(frame->bytes, &head))
		return;
	raw = xmalloc(head.raw_length + 1);
	if (frame_decode(&head, frame->bytes + sizeof(head), raw))
		return;
	while (at < head.raw_length && !frame_next_event(head.type, raw, head.raw_length, &at, &event)) {
		enum keep_verdict verdict = history_keep_judge(h->keep, &event.event);

		if (verdict == KEEP)
			put_packing(h, &event.event);
		else if (verdict == KEEP_NO_ROOM)
			h->dropped++;
	}
}

/* One frame through the sieve. */
static void pass_step(struct history *h)
{
	struct shared_frame *frame = frames_remove(&h->frames, h->done);

	h->end--;
	sift(h, frame);
	forget(h, frame);
}

/* Still too much: the next pass keeps less, and the bound holds whatever happens. */
static void end_pass(struct history *h)
{
	if (h->packing->length)
		seal(h, h->packing, h->done);
	h->passing = false;
	h->passes++;
	history_keep_tighten(h->keep, h->bytes > h->max_bytes / 4 * 3);
	h->next_pass_bytes = h->bytes * 2;
	if (h->next_pass_bytes > h->max_bytes / 8 * 7)
		h->next_pass_bytes = h->max_bytes / 8 * 7;
	if (h->next_pass_bytes < h->bytes + h->max_bytes / 16)
		h->next_pass_bytes = h->bytes + h->max_bytes / 16;
	if (h->next_pass_bytes < h->max_bytes / 4)
		h->next_pass_bytes = h->max_bytes / 4;
}

/* In a pass the frames before `done` and `end` move with what goes. */
static void drop_oldest(struct history *h)
{
	while (h->bytes > h->max_bytes && h->frames.count) {
		struct shared_frame *frame = frames_remove(&h->frames, 0);

		h->dropped += frame->events;
		if (h->done)
			h->done--;
		if (h->end)
			h->end--;
		forget(h, frame);
	}
}

void history_step(struct history *h, struct timeline *tl, uint64_t now_ns)
{
	if (!h->passing && h->bytes + h->open->length / 8 >= h->next_pass_bytes) {
		if (h->open->length)
			seal(h, h->open, h->frames.count);
		history_keep_prepare(h->keep, tl, now_ns);
		h->passing = true;
		h->done = 0;
		h->end = h->frames.count;
	}
	if (h->passing && h->done < h->end)
		pass_step(h);
	if (h->passing && h->done >= h->end)
		end_pass(h);
	drop_oldest(h);
}

void history_get_stats(const struct history *h, struct history_stats *ret_stats)
{
	*ret_stats = (struct history_stats){ .bytes = h->bytes, .events = h->events + h->open->events,
		.dropped = h->dropped, .passes = h->passes };
}
