/* SPDX-License-Identifier: Apache-2.0 */
/* What a late client of a serving tracer makes of the history is what the server made of the events: shown with
 * the recordings of tests/replay, each cut at many places, the history gone through as it is near its bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <malloc.h>

#include "capture/history.h"
#include "capture/recording.h"
#include "capture/recording_format.h"
#include "exporters/json.h"
#include "exporters/span_id.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { CUTS = 24 };

struct events {
	struct event **items;
	size_t count, capacity;
	struct timeline_config config;
};

static void load(const char *path, struct events *events)
{
	struct recording_reader *reader;
	const struct event *event;
	struct error err = { 0 };

	memset(events, 0, sizeof(*events));
	if (recording_open(path, &reader, &err) < 0)
		fail_msg("%s", err.text);
	events->config = recording_facts(reader)->timeline;
	while (recording_next(reader, &event, &err) == 1) {
		array_grow(events->items, events->count, events->capacity);
		events->items[events->count] = xmalloc(event->size);
		memcpy(events->items[events->count++], event, event->size);
	}
	recording_free(reader);
}

static void events_free(struct events *events)
{
	for (size_t i = 0; i < events->count; i++)
		free(events->items[i]);
	free(events->items);
}

static void feed_frame(void *arg, struct shared_frame *frame)
{
	static unsigned char raw[RECORDING_MAX_RAW];
	struct recording_frame head;
	union frame_event event;
	size_t at = 0;

	assert_null(frame_decode_head(frame->bytes, &head));
	assert_int_equal(head.stored_length + sizeof(head), frame->length);
	assert_null(frame_decode(&head, frame->bytes + sizeof(head), raw));
	while (at < head.raw_length) {
		assert_null(frame_next_event(head.type, raw, head.raw_length, &at, &event));
		timeline_feed(arg, &event.event);
	}
}

/* Containers that go on; whether they ended is all that a late client is not told. */
static char *describe(struct timeline *tl, size_t *ret_count)
{
	const struct span_context spans = { 0 };
	struct strbuf sb = { 0 };

	*ret_count = 0;
	for (size_t i = 0; i < timeline_count(tl); i++) {
		const struct container *c = timeline_get(tl, i);

		if (c->ended)
			continue;
		json_write_timeline(&sb, &spans, c, CHANGE_STATE);
		++*ret_count;
	}
	return strbuf_steal(&sb);
}

static size_t total_bytes(const struct events *events, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += events->items[i]->size;
	return bytes;
}

/* Of that bound, gone through as often as it takes. */
static struct history *bounded_history(const struct events *events, size_t cut, struct timeline *server, size_t bound,
	struct history_stats *ret_stats)
{
	struct history *history = history_new(bound);

	*ret_stats = (struct history_stats){ 0 };
	for (size_t i = 0; i < cut; i++)
		history_add(history, events->items[i]);
	for (int i = 0; i < 1000 && !ret_stats->passes; i++) {
		history_step(history, server, events->items[cut - 1]->time_ns + UINT64_C(120000000000));
		history_get_stats(history, ret_stats);
	}
	return history;
}

/* Small enough to be gone through once, big enough to keep what matters: which it is depends on how well events pack. */
static struct history *sifted_history(const struct events *events, size_t cut, struct timeline *server)
{
	for (size_t share = 10; share >= 4; share--) {
		struct history_stats stats;
		struct history *history = bounded_history(events, cut, server, total_bytes(events, cut) / share + 64, &stats);

		if (stats.passes == 1 && !stats.dropped)
			return history;
		history_free(history);
	}
	fail_msg("no bound makes it be gone through once without dropping what matters");
	return NULL;
}

/* Containers that are gone end when time goes by; when exactly depends on how dense events are. */
static void let_time_go_by(struct timeline *tl, uint64_t from_ns)
{
	struct event tick = { .size = sizeof(tick), .kind = EVENT_TICK };

	for (int i = 1; i <= 20; i++) {
		tick.time_ns = from_ns + i * UINT64_C(100000000);
		timeline_feed(tl, &tick);
	}
}

/* Returns how many containers went on at that time. */
static size_t check_cut(const char *path, const struct events *events, size_t cut)
{
	struct timeline *server = timeline_new(&events->config), *client = timeline_new(&events->config);
	struct history *history;
	char *expected, *got;
	size_t count, client_count;

	for (size_t i = 0; i < cut; i++)
		timeline_feed(server, events->items[i]);
	history = sifted_history(events, cut, server);
	history_each(history, 0, feed_frame, client);
	let_time_go_by(server, events->items[cut - 1]->time_ns);
	let_time_go_by(client, events->items[cut - 1]->time_ns);
	expected = describe(server, &count);
	got = describe(client, &client_count);
	if (strcmp(expected, got) != 0) {
		fprintf(stderr, "the server has\n%sthe late client has\n%s", expected, got);
		fail_msg("%s cut at event %zu of %zu: the late client sees something else", path, cut, events->count);
	}
	free(expected);
	free(got);
	history_free(history);
	timeline_free(server);
	timeline_free(client);
	return count;
}

static void a_late_client_sees_what_the_server_sees(void **state)
{
	size_t shown = 0;
	glob_t files;

	(void)state;
	assert_int_equal(glob("tests/replay/*.ctrace", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct events events;

		load(files.gl_pathv[i], &events);
		for (size_t n = 1; n <= CUTS; n++)
			shown += check_cut(files.gl_pathv[i], &events, events.count * n / CUTS);
		events_free(&events);
	}
	assert_true(shown > files.gl_pathc * CUTS / 2); /* there was something to compare */
	globfree(&files);
}

static void add_frame_events(void *arg, struct shared_frame *frame)
{
	*(uint64_t *)arg += frame->events;
}

static uint64_t count_frame_events(struct history *history)
{
	uint64_t events = 0;

	history_each(history, 0, add_frame_events, &events);
	return events;
}

/* The bound holds whatever comes; what is left out of containers that go on is counted. */
static void the_bound_holds(void **state)
{
	enum { BOUND = 60000 };
	struct history *history = history_new(BOUND);
	struct history_stats stats;
	struct events events;
	struct timeline *tl;
	uint64_t later = 0, fed = 0;

	(void)state;
	load("tests/replay/runc-parallel.ctrace", &events);
	tl = timeline_new(&events.config);
	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < events.count / 2; i++) { /* half-way most containers go on */
			struct event *e = events.items[i];

			if (round == 0)
				timeline_feed(tl, e);
			history_add(history, e);
			fed++;
			later = e->time_ns + UINT64_C(120000000000);
			if (i % 64 == 0)
				history_step(history, tl, later);
			history_get_stats(history, &stats);
			assert_true(stats.bytes <= BOUND + RECORDING_FRAME_BYTES);
		}
	}
	for (int i = 0; i < 200; i++)
		history_step(history, tl, later);
	history_get_stats(history, &stats);
	assert_true(stats.bytes <= BOUND);
	assert_true(stats.dropped > 0);
	assert_true(stats.events < fed);
	assert_int_equal(count_frame_events(history), stats.events);
	history_free(history);
	timeline_free(tl);
	events_free(&events);
}

static void gives_what_is_younger(void **state)
{
	struct history *history = history_new(1 << 20);
	struct event_fork e = { .h = { .size = sizeof(e), .kind = EVENT_FORK } };
	uint64_t events = 0;

	(void)state;
	for (e.h.time_ns = 1; e.h.time_ns <= 10000; e.h.time_ns++)
		history_add(history, &e.h);
	history_each(history, 9999, add_frame_events, &events);
	assert_true(events >= 2 && events < 9000); /* whole frames */
	events = 0;
	history_each(history, 10001, add_frame_events, &events);
	assert_int_equal(events, 0);
	history_each(history, 0, add_frame_events, &events);
	assert_int_equal(events, 10000);
	history_free(history);
}

/* Nine frames of ten go, between which other things stay: what is made later fits into their places. */
static void released_frames_leave_room(void **state)
{
	enum { FRAMES = 200, ROUNDS = 6, BETWEEN = 20 };
	struct shared_frame *frames[ROUNDS][FRAMES];
	char *others[FRAMES * BETWEEN];
	unsigned char raw[RECORDING_FRAME_BYTES];
	size_t first = 0, kept = 0;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	print_message("skip: the sanitizer's allocator has no mallinfo\n");
	skip();
#endif
	srand(1);
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (unsigned char)(i % 7 ? i / 100 : (size_t)rand());
	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < FRAMES; i++) {
			frames[round][i] = shared_frame_new(FRAME_EVENTS, raw, sizeof(raw), true);
			for (size_t k = i * BETWEEN; round == 0 && k < (i + 1) * BETWEEN; k++)
				others[k] = xmalloc(40 + (size_t)rand() % 400);
		}
		for (size_t i = 0; i < FRAMES; i++) {
			if (i % 10)
				shared_frame_release(frames[round][i]);
			else
				kept += frames[round][i]->length;
		}
		if (round == 0) {
			first = mallinfo2().arena;
			kept = 0;
		}
	}
	assert_in_range(mallinfo2().arena, 0, first + kept + (1 << 20));
	for (size_t i = 0; i < ROUNDS * FRAMES; i += 10)
		shared_frame_release(frames[i / FRAMES][i % FRAMES]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		free(others[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_client_sees_what_the_server_sees),
		cmocka_unit_test(the_bound_holds),
		cmocka_unit_test(gives_what_is_younger),
		cmocka_unit_test(released_frames_leave_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
