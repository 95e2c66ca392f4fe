/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/arming.h"

#define SECOND 1000000000ULL

static void exec(struct arming *a, uint32_t tgid, uint8_t role, uint32_t level, uint64_t time_ns)
{
	struct event_exec e = { .h = { .size = sizeof(e), .kind = EVENT_EXEC, .tgid = tgid, .role = role,
		.ns_level = level, .time_ns = time_ns } };

	arming_observe(a, &e.h);
}

static void fork_child(struct arming *a, uint32_t tgid, uint32_t child)
{
	struct event_fork e = { .h = { .size = sizeof(e), .kind = EVENT_FORK, .tgid = tgid,
		.role = ROLE_RUNTIME }, .child_tgid = child };

	arming_observe(a, &e.h);
}

static void end(struct arming *a, uint32_t tgid)
{
	struct event_exit e = { .h = { .size = sizeof(e), .kind = EVENT_EXIT, .tgid = tgid } };

	arming_observe(a, &e.h);
}

static void stays_a_second_after_the_last_sentinel(void **state)
{
	struct arming a = { 0 };

	(void)state;
	assert_false(arming_is_quiet(&a, 5 * SECOND + SECOND - 1, 5 * SECOND));
	assert_true(arming_is_quiet(&a, 6 * SECOND, 5 * SECOND));
}

/* runc create exits, its init waits for runc start: the start is pending. */
static void stays_while_a_start_is_pending(void **state)
{
	struct arming a = { 0 };

	(void)state;
	exec(&a, 10, ROLE_RUNTIME, 0, 1 * SECOND);
	fork_child(&a, 10, 11);
	fork_child(&a, 11, 12);
	end(&a, 11);
	end(&a, 10);
	assert_false(arming_is_quiet(&a, 30 * SECOND, 2 * SECOND));
	exec(&a, 12, ROLE_PAYLOAD, 1, 31 * SECOND);
	assert_true(arming_is_quiet(&a, 33 * SECOND, 31 * SECOND));
	arming_free(&a);
}

/* A foreground runc stays for the life of its container. */
static void goes_when_the_payload_runs(void **state)
{
	struct arming a = { 0 };

	(void)state;
	exec(&a, 10, ROLE_RUNTIME, 0, 1 * SECOND);
	fork_child(&a, 10, 11);
	exec(&a, 11, ROLE_RUNTIME, 0, 1 * SECOND); /* the sealed copy: the same start */
	fork_child(&a, 11, 12);
	exec(&a, 12, ROLE_PAYLOAD, 1, 2 * SECOND);
	assert_true(arming_is_quiet(&a, 4 * SECOND, 2 * SECOND));
	arming_free(&a);
}

static void a_hook_on_the_host_is_no_start(void **state)
{
	struct arming a = { 0 };

	(void)state;
	exec(&a, 10, ROLE_RUNTIME, 0, 1 * SECOND);
	fork_child(&a, 10, 11);
	exec(&a, 11, ROLE_PAYLOAD, 0, 2 * SECOND);
	assert_false(arming_is_quiet(&a, 4 * SECOND, 2 * SECOND));
	end(&a, 10);
	assert_true(arming_is_quiet(&a, 4 * SECOND, 2 * SECOND));
	arming_free(&a);
}

static void waits_a_minute_at_most(void **state)
{
	struct arming a = { 0 };

	(void)state;
	exec(&a, 10, ROLE_RUNTIME, 0, 1 * SECOND);
	assert_false(arming_is_quiet(&a, 60 * SECOND, 2 * SECOND));
	assert_true(arming_is_quiet(&a, 61 * SECOND, 2 * SECOND));
	arming_free(&a);
}

static void is_there(struct arming *a, uint32_t tgid, uint32_t parent, uint8_t role, uint32_t level, uint64_t start_ns)
{
	struct event_task e = { .h = { .size = sizeof(e), .kind = EVENT_SNAPSHOT_TASK, .role = role, .tgid = tgid,
		.ns_level = level, .start_ns = start_ns }, .parent_tgid = parent };

	arming_observe(a, &e.h);
}

/* Tracing begins in the middle of a start, or long after one. */
static void begins_with_what_is_there(void **state)
{
	struct arming a = { 0 };

	(void)state;
	is_there(&a, 10, 1, ROLE_RUNTIME, 0, 100 * SECOND);
	is_there(&a, 12, 10, ROLE_RUNTIME, 1, 101 * SECOND); /* runc:[2:INIT] */
	assert_true(arming_is_pending(&a, 102 * SECOND));
	assert_false(arming_is_pending(&a, 162 * SECOND));
	exec(&a, 12, ROLE_PAYLOAD, 1, 103 * SECOND);
	assert_false(arming_is_pending(&a, 104 * SECOND)); /* they were one start */
	is_there(&a, 20, 1, ROLE_RUNTIME, 0, 100 * SECOND);
	is_there(&a, 22, 20, ROLE_PAYLOAD, 1, 100 * SECOND); /* runs */
	is_there(&a, 30, 1, ROLE_ENGINE, 0, 100 * SECOND);
	assert_false(arming_is_pending(&a, 104 * SECOND));
	arming_free(&a);
}

static void is_bounded(void **state)
{
	struct arming a = { 0 };

	(void)state;
	for (uint32_t i = 1; i <= 3 * ARMING_MAX_TASKS; i++)
		exec(&a, i, ROLE_RUNTIME, 0, SECOND);
	assert_int_equal(a.count, ARMING_MAX_TASKS);
	arming_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stays_a_second_after_the_last_sentinel),
		cmocka_unit_test(stays_while_a_start_is_pending),
		cmocka_unit_test(goes_when_the_payload_runs),
		cmocka_unit_test(a_hook_on_the_host_is_no_start),
		cmocka_unit_test(waits_a_minute_at_most),
		cmocka_unit_test(begins_with_what_is_there),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
