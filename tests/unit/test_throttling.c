/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of cpu.stat, hand-made: what the timeline makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cgroup/cpu_stat.h"
#include "timeline/timeline.h"

#define MS 1000000ULL
#define SECOND (1000 * MS)
#define HOST_NS 4026531836u

enum { MEMORY = 4, CPU = 1, CGROUP = 70, CHILD = 71, RUNC = 100, INIT = 101 };

static struct timeline *tl;
static uint64_t now;

static void feed(const void *event)
{
	assert_int_equal(timeline_feed(tl, event), 0);
}

static struct event header(uint16_t kind, size_t size, uint32_t pid, uint8_t role)
{
	struct event h = { .size = (uint16_t)size, .kind = kind, .role = role, .time_ns = now += MS, .tgid = pid,
		.tid = pid, .start_ns = pid, .ns_tgid = pid == INIT ? 1 : pid, .ns_level = pid == INIT, .cgroup_id = 1 };

	return h;
}

static void exec_as(uint32_t pid, uint8_t role, const char *argv)
{
	struct event_exec e = { .h = header(EVENT_EXEC, sizeof(e), pid, role), .ns.pid = pid == INIT ? 7 : HOST_NS,
		.ns.mnt = pid == INIT ? 8 : HOST_NS };

	e.argv_length = (uint32_t)strlen(argv) + 1;
	for (size_t i = 0; argv[i]; i++)
		e.argv[i] = argv[i] == ' ' ? '\0' : argv[i];
	feed(&e);
}

static void cgroup(uint16_t kind, uint32_t hierarchy, uint64_t id, const char *path)
{
	struct event_cgroup e = { .h = header(kind, sizeof(e), RUNC, ROLE_RUNTIME), .hierarchy = hierarchy, .id = id,
		.level = 1, .target_tgid = INIT, .target_tid = INIT, .target_start_ns = INIT };

	snprintf(e.path, sizeof(e.path), "%s", path);
	feed(&e);
}

/* runc run web, up to the exec of init. */
static void make_container(void)
{
	struct event_fork e;

	exec_as(RUNC, ROLE_RUNTIME, "runc run web");
	e = (struct event_fork){ .h = header(EVENT_FORK, sizeof(e), RUNC, ROLE_RUNTIME), .child_tgid = INIT,
		.child_ns_tgid = 1, .child_ns_level = 1, .child_start_ns = INIT };
	feed(&e);
	cgroup(EVENT_CGROUP_MKDIR, MEMORY, CGROUP, "/web");
	cgroup(EVENT_CGROUP_MKDIR, CPU, CGROUP, "/web");
	cgroup(EVENT_CGROUP_ATTACH, MEMORY, CGROUP, "/web");
}

static void start(void)
{
	exec_as(INIT, ROLE_PAYLOAD, "sleep 9");
}

/* A reading as v1 gives it, `age` before now. */
static void reading(uint64_t id, uint64_t at, uint32_t age_ms, unsigned int periods, unsigned int throttled, uint64_t ns)
{
	struct event_cgroup_value e = { .h = { .size = sizeof(e), .kind = EVENT_CGROUP_VALUE, .time_ns = at },
		.hierarchy = CPU, .age_ms = age_ms, .id = id, .file = "cpu.stat" };

	snprintf(e.value, sizeof(e.value), "nr_periods %u\nnr_throttled %u\nthrottled_time %llu\nwait_sum 7\nnr_bursts 0\n",
		periods, throttled, (unsigned long long)ns);
	feed(&e);
	now = at > now ? at : now;
}

static const struct container *web(void)
{
	const struct container *c = timeline_find(tl, "web");

	assert_non_null(c);
	return c;
}

static size_t count_marks(const struct container *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->mark_count; i++)
		count += c->marks[i].kind == MARK_THROTTLE;
	return count;
}

static const struct mark *nth_mark(const struct container *c, size_t n)
{
	for (size_t i = 0; i < c->mark_count; i++) {
		if (c->marks[i].kind == MARK_THROTTLE && n-- == 0)
			return &c->marks[i];
	}
	fail_msg("there is no such mark");
	return NULL;
}

static uint64_t value(const struct mark *m, const char *key)
{
	const struct detail *d = details_get(&m->details, key);

	assert_non_null(d);
	assert_int_equal(d->type, DETAIL_U64);
	return (uint64_t)d->number;
}

static void expect_mark(size_t n, uint64_t at, uint64_t until, uint64_t periods, uint64_t throttled, uint64_t ns)
{
	const struct mark *m = nth_mark(web(), n);

	assert_int_equal(m->at_ns, at);
	assert_int_equal(value(m, "until_ns"), until);
	assert_int_equal(value(m, "periods"), periods);
	assert_int_equal(value(m, "throttled"), throttled);
	assert_int_equal(value(m, "throttled_ns"), ns);
}

static int setup(void **state)
{
	struct timeline_config config = { .cgroup_hierarchy = MEMORY, .root_pid_ns = HOST_NS, .root_mnt_ns = HOST_NS,
		.root_net_ns = HOST_NS, .page_size = 4096, .hierarchy_count = 2,
		.hierarchies = { { MEMORY, "memory" }, { CPU, "cpu" } } };
	struct event end = { .size = sizeof(end), .kind = EVENT_SNAPSHOT_END };

	(void)state;
	end.time_ns = now = 1000 * SECOND;
	tl = timeline_new(&config);
	feed(&end);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	timeline_free(tl);
	return 0;
}

static void texts(void **state)
{
	static const char v2[] = "usage_usec 1017\nuser_usec 3\nsystem_usec 1014\nnr_periods 11\nnr_throttled 10\n"
		"throttled_usec 883\nnr_bursts 0\nburst_usec 0\n";
	struct cpu_stat s = { 0 };

	(void)state;
	assert_true(cpu_stat_parse("nr_periods 5\nnr_throttled 3\nthrottled_time 123\n", &s));
	assert_true(s.periods == 5 && s.throttled == 3 && s.throttled_ns == 123);
	assert_true(cpu_stat_parse(v2, &s));
	assert_true(s.periods == 11 && s.throttled == 10 && s.throttled_ns == 883000);
	assert_false(cpu_stat_parse("usage_usec 5\nuser_usec 5\nsystem_usec 0\n", &s)); /* no CPU controller here */
	assert_false(cpu_stat_parse("nr_periods 5\nnr_throttled x\nthrottled_time 1\n", &s));
	assert_false(cpu_stat_parse("nr_periods 5\nnr_throttled 3\nthrottled_ti", &s));
	assert_false(cpu_stat_parse("", &s));
	assert_int_equal(s.periods, 11);
}

static void not_throttled(void **state)
{
	uint64_t t;

	(void)state;
	make_container();
	start();
	assert_false(web()->throttling.known);
	t = now;
	reading(CGROUP, t, 0, 0, 0, 0);
	reading(CGROUP, t + SECOND, 0, 10, 0, 0);
	assert_true(web()->throttling.known);
	assert_int_equal(web()->throttling.periods, 10);
	assert_int_equal(count_marks(web()), 0);
}

static void one_mark_while_it_lasts(void **state)
{
	uint64_t t;

	(void)state;
	make_container();
	start();
	t = now;
	reading(CGROUP, t, 0, 0, 0, 0);
	for (unsigned int i = 1; i <= 100; i++)
		reading(CGROUP, t + i * SECOND, 0, 10 * i, 7 * i, i * 500 * MS);
	assert_int_equal(count_marks(web()), 1);
	expect_mark(0, t, t + 100 * SECOND, 1000, 700, 50 * SECOND);
	assert_int_equal(web()->throttling.periods, 1000);
	assert_int_equal(web()->throttling.throttled, 700);
	assert_int_equal(web()->throttling.throttled_ns, 50 * SECOND);
}

/* The reading before the one that shows more comes late, with its age: the calm is not counted. */
static void calm_between_two(void **state)
{
	uint64_t t;

	(void)state;
	make_container();
	start();
	t = now;
	reading(CGROUP, t, 0, 0, 0, 0);
	reading(CGROUP, t + SECOND, 0, 10, 4, 40);
	reading(CGROUP, t + 60 * SECOND, 1000, 500, 4, 40);
	reading(CGROUP, t + 60 * SECOND, 0, 510, 6, 60);
	assert_int_equal(count_marks(web()), 2);
	expect_mark(0, t, t + SECOND, 10, 4, 40);
	expect_mark(1, t + 59 * SECOND, t + 60 * SECOND, 10, 2, 20);
	assert_int_equal(web()->throttling.periods, 510);
}

static void the_start_is_told_apart(void **state)
{
	uint64_t t, begun;

	(void)state;
	make_container();
	begun = now;
	reading(CGROUP, begun, 0, 0, 0, 0);
	reading(CGROUP, begun + 200 * MS, 0, 2, 2, 180 * MS);
	start();
	t = now;
	reading(CGROUP, t + MS, 0, 3, 3, 270 * MS); /* began before the exec */
	reading(CGROUP, t + SECOND, 0, 12, 12, 1080 * MS);
	assert_int_equal(count_marks(web()), 2);
	assert_true(nth_mark(web(), 0)->at_ns < web()->started_ns);
	expect_mark(0, begun, t + MS, 3, 3, 270 * MS);
	expect_mark(1, t + MS, t + SECOND, 9, 9, 810 * MS);
}

/* A first reading that comes late counts from the container's begin. */
static void late_first_reading(void **state)
{
	(void)state;
	make_container();
	start();
	reading(CGROUP, now + SECOND, 0, 4, 2, 5 * MS);
	assert_int_equal(count_marks(web()), 1);
	assert_int_equal(nth_mark(web(), 0)->at_ns, web()->created_ns);
	assert_int_equal(value(nth_mark(web(), 0), "throttled"), 2);
}

static void marks_are_bounded(void **state)
{
	uint64_t t, periods = 0, throttled = 0;

	(void)state;
	make_container();
	start();
	t = now;
	reading(CGROUP, t, 0, 0, 0, 0);
	for (unsigned int i = 1; i <= 1000; i++) { /* every tenth second, and once after a long calm */
		uint64_t at = t + i * 10 * SECOND + (i > 500 ? 5000 * SECOND : 0);

		reading(CGROUP, at, 1000, 20 * i - 10, i - 1, (i - 1) * MS);
		reading(CGROUP, at, 0, 20 * i, i, i * MS);
	}
	assert_in_range(count_marks(web()), 2, 64);
	for (size_t i = 0; i < count_marks(web()); i++) {
		const struct mark *m = nth_mark(web(), i);

		periods += value(m, "periods");
		throttled += value(m, "throttled");
		assert_true(value(m, "until_ns") > m->at_ns);
		assert_false(m->at_ns < t + 5001 * SECOND && value(m, "until_ns") > t + 10000 * SECOND);
		if (i)
			assert_true(m->at_ns >= value(nth_mark(web(), i - 1), "until_ns"));
	}
	assert_int_equal(periods, 10000);
	assert_int_equal(throttled, 1000);
}

static void not_its_own(void **state)
{
	struct event_cgroup_value e;

	(void)state;
	make_container();
	cgroup(EVENT_CGROUP_MKDIR, CPU, CHILD, "/web/child");
	start();
	reading(CHILD, now + MS, 0, 9, 9, 9);    /* a limit that the payload set below its own cgroup */
	reading(4711, now + MS, 0, 9, 9, 9);     /* nobody's */
	e = (struct event_cgroup_value){ .h = { .size = sizeof(e), .kind = EVENT_CGROUP_VALUE, .time_ns = now },
		.hierarchy = CPU, .id = CGROUP, .file = "memory.stat", .value = "nr_periods 1\nnr_throttled 1\n" };
	feed(&e);
	strcpy(e.file, "cpu.stat"); /* half a text */
	feed(&e);
	memset(e.file, 'x', sizeof(e.file)); /* a name and a value without an end */
	memset(e.value, 'x', sizeof(e.value));
	feed(&e);
	e.age_ms = UINT32_MAX;
	feed(&e);
	assert_false(web()->throttling.known);
	assert_int_equal(count_marks(web()), 0);
	e.h.size = offsetof(struct event_cgroup_value, value);
	assert_int_equal(timeline_feed(tl, &e.h), -22);
}

/* Of one that existed, only what came after the first reading is a mark; the totals are the cgroup's. */
static void one_that_existed(void **state)
{
	static const char id[] = "9c7c3f0a1b2c4d5e9c7c3f0a1b2c4d5e9c7c3f0a1b2c4d5e9c7c3f0a1b2c4d5e";
	struct timeline_config config = { .cgroup_hierarchy = CPU, .root_pid_ns = HOST_NS, .root_mnt_ns = HOST_NS,
		.root_net_ns = HOST_NS, .page_size = 4096, .hierarchy_count = 1, .hierarchies = { { CPU, "cpu" } } };
	struct event_task task = { .h = { .size = sizeof(task), .kind = EVENT_SNAPSHOT_TASK, .time_ns = now, .tgid = INIT,
		.tid = INIT, .ns_tgid = 1, .ns_level = 1, .start_ns = 5 * SECOND, .cgroup_id = CGROUP },
		.ns = { .pid = 7, .mnt = 8 } };
	struct event_cgroup group = { .h = { .size = sizeof(group), .kind = EVENT_SNAPSHOT_CGROUP, .time_ns = now },
		.hierarchy = CPU, .id = CGROUP, .level = 2 };
	struct event end = { .size = sizeof(end), .kind = EVENT_SNAPSHOT_END, .time_ns = now };
	const struct container *c;

	(void)state;
	timeline_free(tl);
	tl = timeline_new(&config);
	snprintf(group.path, sizeof(group.path), "/docker/%s", id);
	feed(&task);
	feed(&group);
	feed(&end);
	c = timeline_find(tl, id);
	assert_non_null(c);
	assert_true(c->existed);
	reading(CGROUP, now + MS, 0, 100, 50, SECOND);
	c = timeline_find(tl, id);
	assert_int_equal(count_marks(c), 0);
	assert_int_equal(c->throttling.throttled, 50);
	reading(CGROUP, now + SECOND, 0, 110, 60, 2 * SECOND);
	c = timeline_find(tl, id);
	assert_int_equal(count_marks(c), 1);
	assert_int_equal(value(nth_mark(c, 0), "throttled"), 10);
	assert_int_equal(c->throttling.throttled, 60);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { test(texts), test(not_throttled), test(one_mark_while_it_lasts),
		test(calm_between_two), test(the_start_is_told_apart), test(late_first_reading),
		test(marks_are_bounded), test(not_its_own), test(one_that_existed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
