/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes recordings of many containers out of a recording of one, and measures the timeline on them.
 *
 *	multiply TEMPLATE COUNT OUTPUT          writes a recording
 *	multiply --feed TEMPLATE COUNT          feeds a timeline instead; prints "EVENTS SECONDS RSS-BYTES"
 *	multiply --feed-slim TEMPLATE COUNT     the same with process and cgroup events only
 *
 * The template's container has the id copy-000000. Copy number k happens k times the template's length
 * later, and all that names it is moved: the digits of its id wherever they stand, its processes,
 * the cgroups and namespaces that it made. What was there before (the snapshot) stays one.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bpf/event_types.h"
#include "capture/recording.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/memory.h"

#define ID_PREFIX "copy-"
enum { ID_DIGITS = 6 };

enum patch_kind { PATCH_PID, PATCH_TIME, PATCH_CGROUP, PATCH_NAMESPACE, PATCH_DIGITS };

struct patch {
	uint16_t offset;
	uint16_t kind;
};

struct record {
	struct event *event;
	struct patch *patches;
	size_t patch_count, patch_capacity;
	bool is_once; /* the snapshot: not copied */
};

struct numbers {
	uint64_t *items;
	size_t count, capacity;
};

struct template {
	struct record *records;
	size_t count, capacity;
	struct numbers old_pids, old_namespaces, made_cgroups;
	uint64_t first_ns, length_ns;
	uint32_t pid_span;
	uint64_t cgroup_span;
	size_t largest;
};

static void numbers_add(struct numbers *n, uint64_t value)
{
	array_grow(n->items, n->count, n->capacity);
	n->items[n->count++] = value;
}

static bool numbers_have(const struct numbers *n, uint64_t value)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->items[i] == value)
			return true;
	return false;
}

static void add_patch(struct record *r, size_t offset, size_t width, enum patch_kind kind)
{
	if (offset + width > r->event->size)
		return;
	array_grow(r->patches, r->patch_count, r->patch_capacity);
	r->patches[r->patch_count++] = (struct patch){ (uint16_t)offset, (uint16_t)kind };
}

static uint32_t read32(const struct event *e, size_t offset)
{
	uint32_t value = 0;

	if (offset + sizeof(value) <= e->size)
		memcpy(&value, (const char *)e + offset, sizeof(value));
	return value;
}

static uint64_t read64(const struct event *e, size_t offset)
{
	uint64_t value = 0;

	if (offset + sizeof(value) <= e->size)
		memcpy(&value, (const char *)e + offset, sizeof(value));
	return value;
}

/* A process: its pids and its start time, when it is the template's own. */
static void patch_process(struct template *t, struct record *r, size_t tgid, size_t tid, size_t start)
{
	uint32_t pid = read32(r->event, tgid);

	if (!pid || numbers_have(&t->old_pids, pid))
		return;
	add_patch(r, tgid, 4, PATCH_PID);
	if (tid)
		add_patch(r, tid, 4, PATCH_PID);
	if (start && read64(r->event, start))
		add_patch(r, start, 8, PATCH_TIME);
}

static void patch_cgroup(struct template *t, struct record *r, size_t offset)
{
	if (numbers_have(&t->made_cgroups, read64(r->event, offset)))
		add_patch(r, offset, 8, PATCH_CGROUP);
}

static void patch_namespaces(struct template *t, struct record *r, size_t offset)
{
	for (size_t i = 0; i < sizeof(struct event_namespaces); i += 4) {
		uint32_t inode = read32(r->event, offset + i);

		if (inode && !numbers_have(&t->old_namespaces, inode))
			add_patch(r, offset + i, 4, PATCH_NAMESPACE);
	}
}

/* The digits of the id, in every string of the record. */
static void patch_digits(struct record *r)
{
	const char *bytes = (const char *)r->event;
	const size_t prefix = strlen(ID_PREFIX);

	for (size_t i = sizeof(struct event); i + prefix + ID_DIGITS <= r->event->size; i++)
		if (!memcmp(bytes + i, ID_PREFIX "000000", prefix + ID_DIGITS))
			add_patch(r, i + prefix, ID_DIGITS, PATCH_DIGITS);
}

#define AT(type, member) offsetof(struct type, member)

static void patch_kind(struct template *t, struct record *r)
{
	switch (r->event->kind) {
	case EVENT_FORK:
		patch_process(t, r, AT(event_fork, child_tgid), 0, AT(event_fork, child_start_ns));
		patch_process(t, r, AT(event_fork, parent_tgid), 0, 0);
		patch_cgroup(t, r, AT(event_fork, child_cgroup_id));
		patch_namespaces(t, r, AT(event_fork, ns));
		break;
	case EVENT_EXEC:
		patch_process(t, r, AT(event_exec, parent_tgid), 0, 0);
		patch_process(t, r, AT(event_exec, old_tid), 0, 0);
		patch_namespaces(t, r, AT(event_exec, ns));
		break;
	case EVENT_EXIT:
		patch_process(t, r, AT(event_exit, parent_tgid), 0, 0);
		break;
	case EVENT_CGROUP_MKDIR ... EVENT_CGROUP_FROZEN:
		patch_cgroup(t, r, AT(event_cgroup, id));
		patch_process(t, r, AT(event_cgroup, target_tgid), AT(event_cgroup, target_tid),
			AT(event_cgroup, target_start_ns));
		break;
	case EVENT_SIGNAL:
		patch_process(t, r, AT(event_signal, target_tgid), AT(event_signal, target_tid),
			AT(event_signal, target_start_ns));
		patch_cgroup(t, r, AT(event_signal, target_cgroup_id));
		break;
	case EVENT_CGROUP_WRITE:
		patch_cgroup(t, r, AT(event_cgroup_write, id));
		break;
	case EVENT_SYSCALL_ENTER:
		if (read32(r->event, AT(event_syscall_enter, mnt_ns)) &&
			!numbers_have(&t->old_namespaces, read32(r->event, AT(event_syscall_enter, mnt_ns))))
			add_patch(r, AT(event_syscall_enter, mnt_ns), 4, PATCH_NAMESPACE);
		break;
	default:
		break;
	}
}

static void plan_record(struct template *t, struct record *r)
{
	r->is_once = r->event->kind >= EVENT_SNAPSHOT_TASK;
	if (r->is_once)
		return;
	add_patch(r, AT(event, time_ns), 8, PATCH_TIME);
	patch_process(t, r, AT(event, tgid), AT(event, tid), AT(event, start_ns));
	patch_cgroup(t, r, AT(event, cgroup_id));
	patch_kind(t, r);
	patch_digits(r);
}

static void note_old(struct template *t, const struct event *e)
{
	if (e->kind == EVENT_SNAPSHOT_TASK) {
		numbers_add(&t->old_pids, e->tgid);
		for (size_t i = 0; i < sizeof(struct event_namespaces); i += 4)
			numbers_add(&t->old_namespaces, read32(e, AT(event_task, ns) + i));
	} else if (e->kind == EVENT_CGROUP_MKDIR) {
		numbers_add(&t->made_cgroups, read64(e, AT(event_cgroup, id)));
	}
}

/* How far the copies must lie apart so that their numbers never meet. */
static void measure_spans(struct template *t)
{
	uint32_t low_pid = UINT32_MAX, high_pid = 0;
	uint64_t low_cgroup = UINT64_MAX, high_cgroup = 0, last_ns = 0;

	t->first_ns = UINT64_MAX;
	for (size_t i = 0; i < t->count; i++) {
		const struct event *e = t->records[i].event;

		if (t->records[i].is_once)
			continue;
		if (e->time_ns < t->first_ns)
			t->first_ns = e->time_ns;
		if (e->time_ns > last_ns)
			last_ns = e->time_ns;
		if (e->tgid && !numbers_have(&t->old_pids, e->tgid)) {
			low_pid = e->tgid < low_pid ? e->tgid : low_pid;
			high_pid = e->tgid > high_pid ? e->tgid : high_pid;
		}
	}
	for (size_t i = 0; i < t->made_cgroups.count; i++) {
		uint64_t id = t->made_cgroups.items[i];

		low_cgroup = id < low_cgroup ? id : low_cgroup;
		high_cgroup = id > high_cgroup ? id : high_cgroup;
	}
	t->pid_span = high_pid >= low_pid ? high_pid - low_pid + 64 : 64;
	t->cgroup_span = high_cgroup >= low_cgroup ? high_cgroup - low_cgroup + 1 : 1;
	t->length_ns = last_ns > t->first_ns ? last_ns - t->first_ns + 1000000 : 1000000;
}

static int read_template(const char *path, struct template *t, struct recording_reader **ret_reader,
	struct error *err)
{
	const struct event *e;
	int r = recording_open(path, ret_reader, err);

	if (r < 0)
		return r;
	numbers_add(&t->old_namespaces, recording_facts(*ret_reader)->timeline.root_pid_ns);
	numbers_add(&t->old_namespaces, recording_facts(*ret_reader)->timeline.root_mnt_ns);
	numbers_add(&t->old_namespaces, recording_facts(*ret_reader)->timeline.root_net_ns);
	while ((r = recording_next(*ret_reader, &e, err)) > 0) {
		struct record record = { .event = xmalloc(e->size) };

		memcpy(record.event, e, e->size);
		note_old(t, e);
		if (e->size > t->largest)
			t->largest = e->size;
		array_grow(t->records, t->count, t->capacity);
		t->records[t->count++] = record;
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < t->count; i++)
		plan_record(t, &t->records[i]);
	measure_spans(t);
	return 0;
}

static void apply_patch(char *at, enum patch_kind kind, const struct template *t, uint32_t copy)
{
	uint64_t wide;
	uint32_t narrow;

	switch (kind) {
	case PATCH_TIME:
	case PATCH_CGROUP:
		memcpy(&wide, at, sizeof(wide));
		wide += copy * (kind == PATCH_TIME ? t->length_ns : t->cgroup_span);
		memcpy(at, &wide, sizeof(wide));
		break;
	case PATCH_PID:
	case PATCH_NAMESPACE:
		memcpy(&narrow, at, sizeof(narrow));
		/* Namespaces of one start have numbers near each other; the initial ones are lowest. */
		narrow += copy * (kind == PATCH_PID ? t->pid_span : 32);
		memcpy(at, &narrow, sizeof(narrow));
		break;
	case PATCH_DIGITS:
		for (int i = ID_DIGITS - 1; i >= 0; i--, copy /= 10)
			at[i] = (char)('0' + copy % 10);
		break;
	}
}

static bool is_slim(uint16_t kind)
{
	return kind == EVENT_FORK || kind == EVENT_EXEC || kind == EVENT_EXIT ||
	       (kind >= EVENT_CGROUP_MKDIR && kind <= EVENT_CGROUP_ATTACH);
}

typedef int event_sink(void *arg, const struct event *event, struct error *err);

static int make_copies(const struct template *t, uint32_t copies, bool slim, event_sink *sink, void *arg,
	struct error *err)
{
	_cleanup_free_ struct event *e = xmalloc(t->largest);

	for (uint32_t copy = 0; copy < copies; copy++) {
		for (size_t i = 0; i < t->count; i++) {
			const struct record *record = &t->records[i];
			int r;

			if ((copy && record->is_once) ||
				(slim && !record->is_once && !is_slim(record->event->kind)))
				continue;
			memcpy(e, record->event, record->event->size);
			for (size_t n = 0; copy && n < record->patch_count; n++)
				apply_patch((char *)e + record->patches[n].offset, record->patches[n].kind,
					t, copy);
			r = sink(arg, e, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int write_event(void *arg, const struct event *event, struct error *err)
{
	return recording_add(arg, event, err);
}

static int write_recording(const struct template *t, uint32_t copies, const struct facts *facts,
	const char *path, struct error *err)
{
	struct recording_writer *writer;
	int r = recording_create(path, facts, &writer, err), closed;

	if (r < 0)
		return r;
	r = make_copies(t, copies, false, write_event, writer, err);
	closed = recording_close(writer, r < 0 ? NULL : err);
	return r < 0 ? r : closed;
}

struct feed {
	struct timeline *timeline;
	uint64_t events, nanoseconds;
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int feed_event(void *arg, const struct event *event, struct error *err)
{
	struct feed *feed = arg;

	(void)err;
	feed->events++;
	timeline_feed(feed->timeline, event);
	return 0;
}

static int count_event(void *arg, const struct event *event, struct error *err)
{
	volatile uint16_t *kind = arg;

	(void)err;
	*kind = event->kind;
	return 0;
}

static uint64_t resident_bytes(void)
{
	unsigned long pages = 0, resident = 0;
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%lu %lu", &pages, &resident) != 2)
		return 0;
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The time that the copies themselves take to make is measured first and taken off. */
static int feed_timeline(const struct template *t, uint32_t copies, bool slim, const struct facts *facts,
	struct error *err)
{
	struct timeline_config config = facts->timeline;
	struct feed feed = { 0 };
	uint16_t kind = 0;
	uint64_t start, making, memory;
	size_t containers;

	start = cpu_ns();
	make_copies(t, copies, slim, count_event, &kind, err);
	making = cpu_ns() - start;

	config.max_ended = 0;
	memory = resident_bytes();
	feed.timeline = timeline_new(&config);
	start = cpu_ns();
	make_copies(t, copies, slim, feed_event, &feed, err);
	timeline_finish(feed.timeline);
	containers = timeline_count(feed.timeline);
	feed.nanoseconds = cpu_ns() - start - making;
	memory = resident_bytes() - memory;
	timeline_free(feed.timeline);
	if (containers != copies)
		return error_set(err, EINVAL, "%u copies became %zu containers", copies, containers);
	printf("%llu %.6f %llu\n", (unsigned long long)feed.events, (double)feed.nanoseconds / 1e9,
		(unsigned long long)memory);
	return 0;
}

static void free_template(struct template *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->records[i].event);
		free(t->records[i].patches);
	}
	free(t->records);
	free(t->old_pids.items);
	free(t->old_namespaces.items);
	free(t->made_cgroups.items);
}

static void recording_free_p(struct recording_reader **reader)
{
	recording_free(*reader);
}

int main(int argc, char **argv)
{
	bool feed = argc == 4 && (!strcmp(argv[1], "--feed") || !strcmp(argv[1], "--feed-slim"));
	_cleanup_(free_template) struct template t = { 0 };
	_cleanup_(recording_free_p) struct recording_reader *reader = NULL;
	struct error err = { 0 };
	uint32_t copies;
	int r;

	if (argc != 4) {
		fprintf(stderr, "usage: multiply TEMPLATE COUNT OUTPUT | --feed[-slim] TEMPLATE COUNT\n");
		return 2;
	}
	copies = (uint32_t)strtoul(argv[feed ? 3 : 2], NULL, 10);
	if (feed)
		memory_prefer_huge_pages(); /* as ctrace show does */
	r = read_template(argv[feed ? 2 : 1], &t, &reader, &err);
	if (r == 0 && feed)
		r = feed_timeline(&t, copies, !strcmp(argv[1], "--feed-slim"), recording_facts(reader), &err);
	else if (r == 0)
		r = write_recording(&t, copies, recording_facts(reader), argv[3], &err);
	if (r < 0) {
		fprintf(stderr, "multiply: %s\n", err.text);
		return 1;
	}
	return 0;
}
