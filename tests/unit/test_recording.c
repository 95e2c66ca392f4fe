/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/facts_internal.h"
#include "capture/recording.h"
#include "capture/recording_format.h"
#include "capture/source.h"
#include "util/cleanup.h"

enum { EVENTS = 1000 }; /* three frames of events */

struct fixture {
	char path[64], copy[64];
	unsigned char *bytes;
	size_t size;
};

/* Sizes that are no multiples of 8, contents that depend on the number. */
static void make_event(struct event_exec *e, uint32_t number)
{
	memset(e, 0, sizeof(*e));
	e->h.kind = EVENT_EXEC;
	e->h.size = offsetof(struct event_exec, argv) + number % 501;
	e->h.time_ns = 1000 + number;
	e->h.tgid = number;
	for (size_t i = 0; i < number % 501; i++)
		e->argv[i] = (char)(number * 7 + i);
}

static void make_facts(struct facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	strcpy(facts->hostname, "h\"ost\xff");
	strcpy(facts->kernel, "6.18.0");
	strcpy(facts->cgroup_mode, "hybrid");
	facts->cpus = 2;
	facts->wall_offset_ns = -5;
	facts->start_ns = UINT64_C(9007199254740993); /* no double holds it */
	facts->always_armed = true;
	facts->timeline.cgroup_hierarchy = 4;
	facts->timeline.page_size = 4096;
	facts->timeline.hierarchy_count = 1;
	facts->timeline.hierarchies[0].id = 4;
	strcpy(facts->timeline.hierarchies[0].controllers, "memory");
	facts_add_hook(facts, "forks", "tp_btf/task_newtask", HOOK_ATTACHED, NULL);
	facts_add_hook(facts, "writes", "fexit/cgroup_file_write", HOOK_REFUSED, "refused");
	facts_add_unseen(facts, "this", "that");
}

static void write_recording(const char *path)
{
	struct recording_writer *writer;
	struct event_exec e;
	struct facts facts;

	make_facts(&facts);
	assert_int_equal(recording_create(path, &facts, &writer, NULL), 0);
	for (uint32_t i = 0; i < EVENTS; i++) {
		make_event(&e, i);
		assert_int_equal(recording_add(writer, &e.h, NULL), 0);
	}
	assert_int_equal(recording_close(writer, NULL), 0);
	facts_free(&facts);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	FILE *file;

	snprintf(f->path, sizeof(f->path), "/tmp/test_recording.%d", getpid());
	snprintf(f->copy, sizeof(f->copy), "/tmp/test_recording.%d.copy", getpid());
	write_recording(f->path);
	f->bytes = malloc(8 << 20);
	file = fopen(f->path, "r");
	f->size = fread(f->bytes, 1, 8 << 20, file);
	fclose(file);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	unlink(f->copy);
	free(f->bytes);
	free(f);
	return 0;
}

static void write_copy(const struct fixture *f, size_t size)
{
	FILE *file = fopen(f->copy, "w");

	assert_int_equal(fwrite(f->bytes, 1, size, file), size);
	fclose(file);
}

/* Reads the copy to its end; checks that every event is what was written. Returns the last result and how
 * many events came before it. */
static int read_copy(const struct fixture *f, uint32_t *ret_events, struct error *err)
{
	struct recording_reader *reader;
	const struct event *event;
	struct event_exec e;
	int r;

	*ret_events = 0;
	r = recording_open(f->copy, &reader, err);
	if (r < 0)
		return r;
	while ((r = recording_next(reader, &event, err)) == 1) {
		make_event(&e, *ret_events);
		assert_int_equal(event->size, e.h.size);
		assert_memory_equal(event, &e, e.h.size);
		++*ret_events;
	}
	recording_free(reader);
	return r;
}

static void comes_back_as_it_was_written(void **state)
{
	struct fixture *f = *state;
	struct recording_reader *reader;
	const struct facts *facts;
	struct stat st;
	uint32_t events;

	write_copy(f, f->size);
	assert_int_equal(read_copy(f, &events, NULL), 0);
	assert_int_equal(events, EVENTS);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(recording_open(f->path, &reader, NULL), 0);
	facts = recording_facts(reader);
	assert_string_equal(facts->hostname, "h\"ost\xff");
	assert_true(facts->start_ns == UINT64_C(9007199254740993));
	assert_true(facts->wall_offset_ns == -5);
	assert_true(facts->always_armed);
	assert_int_equal(facts->timeline.cgroup_hierarchy, 4);
	assert_string_equal(facts->timeline.hierarchies[0].controllers, "memory");
	assert_int_equal(facts->hook_count, 2);
	assert_int_equal(facts->hooks[1].state, HOOK_REFUSED);
	assert_string_equal(facts->hooks[1].reason, "refused");
	assert_string_equal(facts->unseen[0].why, "that");
	recording_free(reader);
}

/* Bytes of each kind of record that runs are made of: stretches of zeros and others, of every length. */
static void make_stretches(union frame_event *e, uint16_t size, unsigned int seed)
{
	unsigned int longest = 2 + seed * 7 % 3000;

	for (size_t at = 0; at < size;) {
		size_t zeros = (size_t)rand_r(&seed) % longest, others = (size_t)rand_r(&seed) % longest;

		for (; zeros && at < size; zeros--)
			e->bytes[at++] = 0;
		for (; others && at < size; others--)
			e->bytes[at++] = (unsigned char)(1 + rand_r(&seed) % 255);
	}
	e->event.size = size;
}

static void sparse_events_come_back(void **state)
{
	static const uint16_t sizes[] = { sizeof(struct event), sizeof(struct event) + 1, 513, 4096, 16389, UINT16_MAX - 1, UINT16_MAX };
	static union frame_event e, got;
	static unsigned char sparse[SPARSE_EVENT_MAX];
	size_t length, at;

	(void)state;
	for (unsigned int round = 0; round < 2000; round++) {
		make_stretches(&e, sizes[round % ARRAY_SIZE(sizes)], round);
		length = frame_put_sparse_event(sparse, &e.event);
		assert_true(length <= sizeof(sparse));
		memset(&got, 0xff, sizeof(got));
		at = 0;
		assert_null(frame_next_event(FRAME_SPARSE_EVENTS, sparse, length, &at, &got));
		assert_int_equal(at, length);
		assert_memory_equal(&got, &e, e.event.size);
		at = 0; /* cut off anywhere it is refused */
		assert_non_null(frame_next_event(FRAME_SPARSE_EVENTS, sparse, round * 31 % length, &at, &got));
	}
}

/* Each refused, by what is wrong in it. */
static void sparse_events_that_are_none(void **state)
{
	static const struct {
		unsigned char bytes[16];
		size_t length;
	} wrong[] = {
		{ { 64 }, 1 },                /* half a size */
		{ { 1, 0, 0, 1, 1 }, 5 },     /* smaller than a header */
		{ { 64, 0, 8 }, 3 },          /* half a run */
		{ { 64, 0, 0, 0, 8, 0 }, 6 }, /* a run of nothing */
		{ { 64, 0, 200, 0 }, 4 },     /* runs beyond the size */
		{ { 64, 0, 0, 8, 64 }, 5 },   /* words that are not there */
		{ { 64, 0, 8, 0 }, 4 },       /* a size that its header does not have */
	};
	union frame_event got;

	(void)state;
	assert_int_equal(sizeof(struct event), 64);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		size_t at = 0;

		assert_non_null(frame_next_event(FRAME_SPARSE_EVENTS, wrong[i].bytes, wrong[i].length, &at, &got));
		assert_int_equal(at, 0);
	}
}

/* What was cut is told; what came before is delivered. */
static void cut_at_every_frame_boundary(void **state)
{
	struct fixture *f = *state;
	struct recording_frame frame;
	struct error err;
	uint32_t events, before = 0;
	int frames = 0;

	for (size_t at = sizeof(recording_magic); at < f->size; at += sizeof(frame) + frame.stored_length) {
		memcpy(&frame, f->bytes + at, sizeof(frame));
		write_copy(f, at);
		assert_int_equal(read_copy(f, &events, &err), -ENODATA);
		assert_non_null(strstr(err.text, "ends early"));
		assert_true(events >= before);
		if (frames == 2)
			assert_true(events > 0);
		before = events;
		frames++;
	}
	assert_true(frames >= 4);
	assert_int_equal(before, EVENTS); /* only the end frame was missing */
}

static void cut_anywhere(void **state)
{
	struct fixture *f = *state;
	struct error err;
	uint32_t events;

	for (size_t at = 0; at < f->size; at += at < 2000 ? 1 : 997) {
		int r;

		write_copy(f, at);
		r = read_copy(f, &events, &err);
		assert_true(at < sizeof(recording_magic) ? r == -EINVAL : r == -ENODATA);
	}
}

static void check_flipped(struct fixture *f, size_t at, int bit)
{
	struct error err;
	uint32_t events;
	int r;

	f->bytes[at] ^= 1 << bit;
	write_copy(f, f->size);
	f->bytes[at] ^= 1 << bit;
	r = read_copy(f, &events, &err);
	assert_true(r == -EINVAL || r == -EBADMSG || r == -ENODATA);
	assert_true(strlen(err.text) > 10);
}

/* Every bit of every frame's head, and samples of the rest. */
static void any_flipped_bit_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct recording_frame frame;
	size_t at = sizeof(recording_magic);

	for (size_t i = 0; i < f->size; i += i < 200 ? 1 : 4049)
		check_flipped(f, i, i % 8);
	for (; at < f->size; at += sizeof(frame) + frame.stored_length) {
		memcpy(&frame, f->bytes + at, sizeof(frame));
		for (size_t bit = 0; bit < 8 * sizeof(frame); bit++)
			check_flipped(f, at + bit / 8, bit % 8);
	}
}

static void refuses_what_is_no_recording(void **state)
{
	struct recording_reader *reader;
	struct recording_writer *writer;
	struct facts facts = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(recording_open("/proc/self/exe", &reader, &err), -EINVAL);
	assert_int_equal(recording_open("/nonexistent/file", &reader, &err), -ENOENT);
	assert_int_equal(recording_create("-", &facts, &writer, &err), -EINVAL);
	assert_int_equal(recording_create("/nonexistent/file", &facts, &writer, &err), -ENOENT);
}

static void tells_a_full_disk_once(void **state)
{
	struct recording_writer *writer;
	struct facts facts = { 0 };
	struct event_exec e;
	struct error err;
	int failures = 0;

	(void)state;
	if (recording_create("/dev/full", &facts, &writer, &err) < 0) {
		assert_int_equal(err.code, ENOSPC);
		return;
	}
	for (uint32_t i = 0; i < EVENTS; i++) {
		make_event(&e, i);
		failures += recording_add(writer, &e.h, &err) < 0;
	}
	failures += recording_close(writer, &err) < 0;
	assert_int_equal(failures, 1);
}

struct counter {
	uint32_t events;
	uint32_t enough; /* stop at every event of this number's multiples; 0 = never */
	int result;      /* with this */
};

static int count_event(void *arg, const struct event *event)
{
	struct counter *counter = arg;

	assert_int_equal(event->tgid, counter->events);
	counter->events++;
	return counter->enough && counter->events % counter->enough == 0 ? counter->result : 0;
}

static void is_a_source_of_events(void **state)
{
	struct fixture *f = *state;
	struct counter counter = { .enough = 100, .result = 1 };
	struct event_source *source;
	int reads = 0, r;

	assert_int_equal(source_open_recording(f->path, &source, NULL), 0);
	assert_int_equal(source_fd(source), -1);
	assert_false(source_is_live(source));
	assert_string_equal(source_facts(source)->kernel, "6.18.0");
	while ((r = source_read(source, count_event, &counter, NULL)) == 0)
		assert_int_equal(counter.events, ++reads * 100);
	assert_int_equal(r, 1);
	assert_int_equal(counter.events, EVENTS);
	assert_int_equal(reads, EVENTS / 100);
	source_close(source);

	counter = (struct counter){ .enough = 7, .result = -EPIPE };
	assert_int_equal(source_open_recording(f->path, &source, NULL), 0);
	assert_int_equal(source_read(source, count_event, &counter, NULL), -EPIPE);
	assert_int_equal(counter.events, 7);
	counter.enough = 0;
	assert_int_equal(source_drain(source, count_event, &counter, NULL), 0);
	assert_int_equal(counter.events, EVENTS);
	source_close(source);
}

static void a_source_that_was_cut_gives_what_it_has(void **state)
{
	struct fixture *f = *state;
	struct counter counter = { 0 };
	struct event_source *source;
	struct error err = { 0 };
	int r;

	write_copy(f, f->size - sizeof(struct recording_frame));
	assert_int_equal(source_open_recording(f->copy, &source, &err), 0);
	while ((r = source_read(source, count_event, &counter, &err)) == 0)
		;
	assert_int_equal(r, -ENODATA);
	assert_int_equal(counter.events, EVENTS);
	source_close(source);
	assert_int_equal(source_open_recording("/proc/self/exe", &source, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_was_written),
		cmocka_unit_test(sparse_events_come_back),
		cmocka_unit_test(sparse_events_that_are_none),
		cmocka_unit_test(cut_at_every_frame_boundary),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(any_flipped_bit_is_noticed),
		cmocka_unit_test(refuses_what_is_no_recording),
		cmocka_unit_test(tells_a_full_disk_once),
		cmocka_unit_test(is_a_source_of_events),
		cmocka_unit_test(a_source_that_was_cut_gives_what_it_has),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
