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

static void take(struct throttle_watch *w, uint64_t at, unsigned int periods, unsigned int throttled)
{
	char text[128];

	snprintf(text, sizeof(text), "nr_periods %u\nnr_throttled %u\nthrottled_time %u\n", periods, throttled, throttled);
	assert_true(throttle_take(w, text, at, tell, NULL));
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
	struct throttle_set set = { 0 };
	struct throttle_watch *w = throttle_add(&set, 5, false, false, SECOND);

	(void)state;
	take(w, 1 * SECOND, 0, 0);
	expect(1, 0, 1 * SECOND); /* from where to count */
	take(w, 2 * SECOND, 10, 0);
	take(w, 3 * SECOND, 20, 0);
	expect(0, 0, 0);
	take(w, 4 * SECOND, 30, 7);
	assert_int_equal(told[0].read_ns, 3 * SECOND); /* the calm ends here */
	assert_int_equal(told[0].throttled, 0);
	assert_int_equal(told[0].now_ns, 4 * SECOND);
	expect(2, 7, 4 * SECOND);
	take(w, 5 * SECOND, 40, 9);
	expect(1, 9, 5 * SECOND); /* the one before was told */
	take(w, 6 * SECOND, 40, 9);
	take(w, 7 * SECOND, 41, 10); /* nothing ran meanwhile: where the calm ends is told all the same */
	expect(2, 10, 7 * SECOND);
	throttle_set_free(&set);
}

static void the_last_word(void **state)
{
	struct throttle_set set = { 0 };
	struct throttle_watch *w = throttle_add(&set, 5, false, false, SECOND);

	(void)state;
	throttle_last_word(w, SECOND, tell, NULL);
	expect(0, 0, 0); /* never read */
	take(w, 1 * SECOND, 0, 0);
	throttle_last_word(w, 2 * SECOND, tell, NULL);
	expect(1, 0, 1 * SECOND);
	w->last = true;
	take(w, 2 * SECOND, 0, 0);
	expect(0, 0, 0); /* nothing new */
	take(w, 3 * SECOND, 10, 0);
	w->last = true;
	take(w, 4 * SECOND, 11, 0);
	expect(1, 0, 4 * SECOND); /* init is gone: told, though nothing was throttled */
	take(w, 5 * SECOND, 12, 0);
	expect(0, 0, 0);
	throttle_last_word(w, 6 * SECOND, tell, NULL); /* the cgroup is gone */
	assert_int_equal(told[0].now_ns, 6 * SECOND);
	expect(1, 0, 5 * SECOND);
	throttle_set_free(&set);
}

static void when_it_is_read(void **state)
{
	struct throttle_set set = { 0 };
	struct throttle_watch *w = throttle_add(&set, 5, false, true, SECOND);

	(void)state;
	assert_int_equal(w->due_ns, SECOND); /* at once */
	take(w, SECOND, 0, 0);
	assert_int_equal(w->due_ns, SECOND + 10 * MS);
	throttle_started(w, 77, SECOND + 5 * MS);
	assert_int_equal(w->due_ns, SECOND + 5 * MS);
	take(w, SECOND + 5 * MS, 0, 0);
	assert_int_equal(w->due_ns, 2 * SECOND + 5 * MS);
	assert_int_equal(w->init, 77);

	w = throttle_add(&set, 6, false, true, SECOND); /* created, and never started */
	take(w, 11 * SECOND - MS, 0, 0);
	assert_int_equal(w->due_ns, 11 * SECOND + 9 * MS);
	take(w, 11 * SECOND + 9 * MS, 0, 0);
	assert_int_equal(w->due_ns, 12 * SECOND + 9 * MS);
	told_count = 0;
	assert_false(throttle_take(w, "", 13 * SECOND, tell, NULL)); /* could not be read: again in a second */
	assert_false(throttle_take(w, "usage_usec 5\n", 13 * SECOND, tell, NULL));
	assert_int_equal(w->due_ns, 14 * SECOND);
	expect(0, 0, 0);
	throttle_set_free(&set);
}

static void bounds(void **state)
{
	struct throttle_set set = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= THROTTLE_MAX_FOREIGN; i++)
		assert_non_null(throttle_add(&set, i, true, false, 1));
	assert_null(throttle_add(&set, 1000, true, false, 1)); /* a payload leaves room for others */
	assert_int_equal(set.refused, 1);
	assert_non_null(throttle_add(&set, 3, true, false, 1)); /* it is there */
	assert_int_equal(set.refused, 1);
	for (uint64_t i = 2001; set.count < THROTTLE_MAX_WATCHED; i++)
		assert_non_null(throttle_add(&set, i, false, false, 1));
	assert_null(throttle_add(&set, 5000, false, false, 1));
	assert_int_equal(set.refused, 2);
	throttle_remove(&set, throttle_find(&set, 3));
	assert_null(throttle_find(&set, 3));
	assert_int_equal(set.foreign, THROTTLE_MAX_FOREIGN - 1);
	assert_non_null(throttle_add(&set, 5000, true, false, 1));
	assert_int_equal(throttle_find(&set, 5000)->id, 5000);
	throttle_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(files), cmocka_unit_test(what_is_told),
		cmocka_unit_test(the_last_word), cmocka_unit_test(when_it_is_read), cmocka_unit_test(bounds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
