/* SPDX-License-Identifier: Apache-2.0 */
/* Which cgroups are watched, when they are read, and what of a reading is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "capture/throttle_watch.h"

#define MS 1000000ULL
#define SECOND (1000 * MS)

static struct {
	uint64_t id, read_ns, now_ns;
	unsigned int throttled;
} told[16];
static size_t told_count;

static void tell(void *arg, uint64_t id, const char *text, uint64_t read_ns, uint64_t now_ns)
{
	struct cpu_stat stat;

	assert_null(arg);
	assert_true(cpu_stat_parse(text, &stat));
	assert_in_range(told_count, 0, 15);
	told[told_count].id = id;
	told[told_count].read_ns = read_ns;
	told[told_count].now_ns = now_ns;
	told[told_count++].throttled = (unsigned int)stat.throttled;
}

static struct throttle_set set;

static int clean(void **state)
{
	(void)state;
	throttle_set_free(&set);
	told_count = 0;
	return 0;
}

static void take(struct throttle_watch *w, uint64_t at, unsigned int periods, unsigned int throttled)
{
	char text[128];

	snprintf(text, sizeof(text), "nr_periods %u\nnr_throttled %u\nthrottled_time %u\n", periods, throttled, throttled);
	assert_true(throttle_take(&set, w, text, at, tell, NULL));
}

/* That so many were told since the last call, and the last of them. */
static void expect(size_t count, unsigned int throttled, uint64_t read_ns)
{
	assert_int_equal(told_count, count);
	told_count = 0;
	if (!count)
		return;
	assert_int_equal(told[count - 1].throttled, throttled);
	assert_int_equal(told[count - 1].read_ns, read_ns);
}

static void files(void **state)
{
	(void)state;
	assert_int_equal(throttle_quota("cpu.cfs_quota_us", "50000"), QUOTA_SET);
	assert_int_equal(throttle_quota("cpu.cfs_quota_us", "-1\n"), QUOTA_LIFTED);
	assert_int_equal(throttle_quota("cpu.max", "20000 100000\n"), QUOTA_SET);
	assert_int_equal(throttle_quota("cpu.max", "max 100000\n"), QUOTA_LIFTED);
	assert_int_equal(throttle_quota("cpu.max", "max"), QUOTA_LIFTED);
	assert_int_equal(throttle_quota("cpu.max", ""), QUOTA_LIFTED);
	assert_int_equal(throttle_quota("cpu.max.burst", "20000"), QUOTA_NOT_IT);
	assert_int_equal(throttle_quota("memory.max", "20000"), QUOTA_NOT_IT);
}

static void what_is_told(void **state)
{
	struct throttle_watch *w = throttle_add(&set, 5, false, false, SECOND);

	(void)state;
	take(w, 1000 * MS, 0, 0);
	expect(1, 0, 1000 * MS); /* from where to count */
	for (unsigned int i = 1; i <= 10; i++)
		take(w, (1000 + 99 * i) * MS, i, i);
	expect(0, 0, 0); /* told once in a while */
	take(w, 2000 * MS, 10, 10);
	expect(1, 10, 2000 * MS);
	take(w, 3000 * MS, 20, 10);
	take(w, 3500 * MS, 25, 10);
	take(w, 4000 * MS, 30, 10);
	expect(0, 0, 0);
	take(w, 4100 * MS, 31, 11);
	assert_int_equal(told[0].read_ns, 4000 * MS); /* the calm ends here */
	assert_int_equal(told[0].throttled, 10);
	assert_int_equal(told[0].now_ns, 4100 * MS);
	expect(2, 11, 4100 * MS);
}

static void one_reading_a_second(void **state)
{
	struct throttle_watch *w = throttle_add(&set, 5, false, false, SECOND);

	(void)state;
	for (unsigned int i = 1; i <= 10; i++)
		take(w, i * (SECOND + 3 * MS), 10 * i, i);
	expect(10, 10, 10 * (SECOND + 3 * MS)); /* no calm between them */
}

static void in_the_start(void **state)
{
	struct throttle_watch *w = throttle_add(&set, 5, false, true, SECOND);

	(void)state;
	take(w, 1000 * MS, 0, 0);
	expect(1, 0, 1000 * MS);
	take(w, 1010 * MS, 1, 1);
	expect(1, 1, 1010 * MS);
	take(w, 1020 * MS, 2, 1);
	expect(0, 0, 0);
	throttle_started(w, 77, 1025 * MS);
	take(w, 1025 * MS, 2, 1); /* the run begins with it */
	expect(1, 1, 1025 * MS);
	take(w, 1125 * MS, 3, 2);
	expect(0, 0, 0);
}

static void the_last_word(void **state)
{
	struct throttle_watch *w = throttle_add(&set, 5, false, false, SECOND);

	(void)state;
	throttle_last_word(w, SECOND, tell, NULL);
	expect(0, 0, 0); /* never read */
	take(w, 1 * SECOND, 0, 0);
	throttle_last_word(w, 2 * SECOND, tell, NULL);
	expect(1, 0, 1 * SECOND);
	w->wanted = true;
	take(w, 2 * SECOND, 0, 0);
	expect(0, 0, 0); /* nothing new */
	take(w, 3 * SECOND, 10, 0);
	w->wanted = true;
	take(w, 4 * SECOND, 11, 0);
	expect(1, 0, 4 * SECOND); /* init is gone: told, though nothing was throttled */
	take(w, 5 * SECOND, 12, 0);
	expect(0, 0, 0);
	throttle_last_word(w, 6 * SECOND, tell, NULL); /* the cgroup is gone */
	assert_int_equal(told[0].now_ns, 6 * SECOND);
	expect(1, 0, 5 * SECOND);
}

static uint64_t period_with(size_t others)
{
	struct throttle_watch *w;

	throttle_set_free(&set);
	for (size_t i = 0; i < others; i++)
		throttle_add(&set, 100 + i, false, false, SECOND);
	w = throttle_add(&set, 5, false, false, SECOND);
	assert_int_equal(w->due_ns, SECOND); /* at once */
	take(w, SECOND, 0, 0);
	told_count = 0;
	return w->due_ns - SECOND;
}

static void when_it_is_read(void **state)
{
	struct throttle_watch *w;

	(void)state;
	assert_int_equal(period_with(0), 100 * MS);
	assert_int_equal(period_with(1), 100 * MS);
	assert_int_equal(period_with(9), 500 * MS);
	assert_int_equal(period_with(300), SECOND);
	throttle_set_free(&set);

	w = throttle_add(&set, 5, false, true, SECOND);
	take(w, SECOND, 0, 0);
	assert_int_equal(w->due_ns, SECOND + 10 * MS);
	throttle_started(w, 77, SECOND + 5 * MS);
	assert_int_equal(w->due_ns, SECOND + 5 * MS);
	take(w, SECOND + 5 * MS, 0, 0);
	assert_int_equal(w->due_ns, SECOND + 105 * MS);
	assert_int_equal(w->init, 77);

	w = throttle_add(&set, 6, false, true, SECOND); /* created, and never started */
	take(w, 11 * SECOND - MS, 0, 0);
	assert_int_equal(w->due_ns, 11 * SECOND + 9 * MS);
	take(w, 11 * SECOND + 9 * MS, 0, 0);
	assert_int_equal(w->due_ns, 11 * SECOND + 109 * MS);
	told_count = 0;
	assert_false(throttle_take(&set, w, "", 13 * SECOND, tell, NULL)); /* could not be read: again in a while */
	assert_false(throttle_take(&set, w, "usage_usec 5\n", 13 * SECOND, tell, NULL));
	assert_int_equal(w->due_ns, 13 * SECOND + 100 * MS);
	expect(0, 0, 0);
}

static void bounds(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= THROTTLE_MAX_FOREIGN; i++)
		assert_non_null(throttle_add(&set, i, true, false, 1));
	assert_null(throttle_add(&set, 1000, true, false, 1)); /* a payload leaves room for others */
	assert_int_equal(set.unwatched, 1);
	assert_non_null(throttle_add(&set, 3, true, false, 1)); /* it is there */
	assert_int_equal(set.unwatched, 1);
	for (uint64_t i = 2001; set.count < THROTTLE_MAX_WATCHED; i++)
		assert_non_null(throttle_add(&set, i, false, false, 1));
	assert_null(throttle_add(&set, 5000, false, false, 1));
	assert_int_equal(set.unwatched, 2);
	take(throttle_find(&set, 3), 2, 0, 0);
	throttle_remove(&set, throttle_find(&set, 3));
	assert_null(throttle_find(&set, 3));
	assert_int_equal(set.unwatched, 2);
	throttle_remove(&set, throttle_find(&set, 4)); /* gone before it was read: nothing is known of it */
	assert_int_equal(set.unwatched, 3);
	assert_int_equal(set.foreign, THROTTLE_MAX_FOREIGN - 2);
	assert_non_null(throttle_add(&set, 5000, true, false, 1));
	assert_int_equal(throttle_find(&set, 5000)->id, 5000);
}

#define test(f) cmocka_unit_test_teardown(f, clean)

int main(void)
{
	const struct CMUnitTest tests[] = { test(files), test(what_is_told), test(one_reading_a_second), test(in_the_start),
		test(the_last_word), test(when_it_is_read), test(bounds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
