/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "capture/order.h"

static void push(struct order *order, uint64_t time_ns, uint32_t tag)
{
	struct event e = { .size = sizeof(e), .kind = EVENT_TICK, .time_ns = time_ns, .tgid = tag };

	order_push(order, &e);
}

/* The tag of the event that comes out, or -1. */
static int pop(struct order *order, uint64_t horizon_ns)
{
	struct event *e = order_pop(order, horizon_ns);
	int tag = e ? (int)e->tgid : -1;

	free(e);
	return tag;
}

static void sorts_by_time(void **state)
{
	struct order order = { 0 };
	uint32_t seed = 1, last = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		seed = seed * 1103515245 + 12345;
		push(&order, seed % 500 + 1, seed % 500 + 1);
	}
	for (int i = 0; i < 1000; i++) {
		int tag = pop(&order, UINT64_MAX);

		assert_true(tag >= (int)last);
		last = tag;
	}
	assert_int_equal(pop(&order, UINT64_MAX), -1);
	assert_int_equal(order.bytes, 0);
	order_free(&order);
}

static void keeps_arrival_order_of_equal_times(void **state)
{
	struct order order = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		push(&order, 7, i);
	for (int i = 0; i < 100; i++)
		assert_int_equal(pop(&order, 7), i);
	order_free(&order);
}

static void holds_back_beyond_the_horizon(void **state)
{
	struct order order = { 0 };

	(void)state;
	push(&order, 30, 30);
	push(&order, 10, 10);
	assert_int_equal(pop(&order, 9), -1);
	assert_int_equal(pop(&order, 10), 10);
	push(&order, 20, 20);
	assert_int_equal(pop(&order, 29), 20);
	assert_int_equal(pop(&order, 29), -1);
	assert_int_equal(pop(&order, 30), 30);
	assert_int_equal(order.late, 0);
	order_free(&order);
}

static void counts_late_events_and_delivers_them(void **state)
{
	struct order order = { 0 };

	(void)state;
	push(&order, 50, 50);
	assert_int_equal(pop(&order, 60), 50);
	push(&order, 40, 40);
	assert_int_equal(order.late, 1);
	assert_int_equal(pop(&order, 60), 40);
	push(&order, 50, 51); /* as young as the last: not late */
	assert_int_equal(order.late, 1);
	order_free(&order);
}

static void gives_the_oldest_when_crowded(void **state)
{
	struct order order = { .max_bytes = 2 * sizeof(struct event) };

	(void)state;
	push(&order, 300, 3);
	push(&order, 100, 1);
	assert_int_equal(pop(&order, 0), -1);
	push(&order, 200, 2);
	assert_int_equal(pop(&order, 0), 1);
	assert_int_equal(pop(&order, 0), -1);
	order_free(&order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_by_time),
		cmocka_unit_test(keeps_arrival_order_of_equal_times),
		cmocka_unit_test(holds_back_beyond_the_horizon),
		cmocka_unit_test(counts_late_events_and_delivers_them),
		cmocka_unit_test(gives_the_oldest_when_crowded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
