/* SPDX-License-Identifier: Apache-2.0 */
/* Who killed what, and when the stop began, from hand-made events. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/event_builder.h"

static void killed_with_sender(void **state)
{
	struct proc a = new_proc(100), killer = new_proc(400);
	struct proc init = runc_run(&a, "box", 50);
	struct event_signal e = { .signal = 9, .target_tgid = init.pid, .target_tid = init.pid,
		.target_start_ns = init.start, .target_cgroup_id = 50 };
	const struct container *c;

	(void)state;
	killer.comm = "killer";
	e.h = header(&killer, EVENT_SIGNAL, sizeof(e));
	feed(&e);
	runc_gone(&a, &init, "box", 50, 9);
	timeline_finish(tl);
	c = timeline_get(tl, 0);
	assert_int_equal(c->exit.code, 137);
	assert_int_equal(c->exit.signal, 9);
	assert_true(c->exit.has_sender);
	assert_int_equal(c->exit.sender_pid, 400);
	assert_string_equal(c->exit.sender_comm, "killer");
	assert_null(c->exit.sender_container);
	assert_false(c->exit.oom);
}

/* A signal from outside for the container's first process. */
static void send_signal(struct proc *sender, const struct proc *init, int number, int result)
{
	struct event_signal e = { .signal = number, .result = result, .target_tgid = init->pid, .target_tid = init->pid,
		.target_start_ns = init->start, .target_cgroup_id = 50 };

	e.h = header(sender, EVENT_SIGNAL, sizeof(e));
	feed(&e);
}

/* docker stop of a pid 1 without a handler: the stop begins when it is asked to end, not with what it was told before. */
static void stop_begins_when_asked(void **state)
{
	struct proc a = new_proc(100), killer = new_proc(400);
	struct proc init = runc_run(&a, "box", 50);
	const struct phase_span *stop = NULL;
	const struct container *c;
	uint64_t asked_ns;

	(void)state;
	killer.comm = "killer";
	send_signal(&killer, &init, SIGUSR1, 1);
	send_signal(&killer, &init, SIGUSR2, 0);
	now += 50 * MS;
	send_signal(&killer, &init, SIGTERM, 1);
	asked_ns = now;
	now += 1000 * MS;
	send_signal(&killer, &init, SIGKILL, 0);
	runc_gone(&a, &init, "box", 50, SIGKILL);
	timeline_finish(tl);
	c = timeline_get(tl, 0);
	for (size_t i = 0; i < c->phase_count; i++)
		stop = c->phases[i].phase == PHASE_STOP ? &c->phases[i] : stop;
	assert_non_null(stop);
	assert_in_range(stop->start_ns, asked_ns - MS, asked_ns);
	assert_in_range(stop->end_ns - stop->start_ns, 1000 * MS, 1100 * MS);
}

static void oom_of_a_child(void **state)
{
	struct proc a = new_proc(100);
	struct proc init = runc_run(&a, "box", 50);
	struct event_oom e = { .victim_tgid = 555, .victim_start_ns = 5, .victim_cgroup_id = 50, .levels = 2,
		.memory_hierarchy = 1, .page_size = 4096 };
	const struct container *c;

	(void)state;
	e.h = header(&init, EVENT_OOM_VICTIM, sizeof(e));
	e.chain[0] = (struct event_memcg){ .id = 50, .usage_pages = 16380, .limit_pages = 16384 };
	e.chain[1] = (struct event_memcg){ .id = 1, .usage_pages = 90000, .limit_pages = EVENT_NO_LIMIT };
	snprintf(e.victim_comm, sizeof(e.victim_comm), "eater");
	feed(&e);
	runc_gone(&a, &init, "box", 50, 0);
	timeline_finish(tl);
	c = timeline_get(tl, 0);
	assert_false(c->exit.oom); /* pid 1 survived */
	for (size_t i = 0; i < c->mark_count; i++) {
		if (c->marks[i].kind != MARK_OOM_KILL)
			continue;
		assert_string_equal(details_text(&c->marks[i].details, "victim_comm"), "eater");
		assert_string_equal(details_text(&c->marks[i].details, "limit_of"), "container");
		assert_string_equal(details_text(&c->marks[i].details, "limit_cgroup"), "/box");
		assert_int_equal(details_get(&c->marks[i].details, "limit_bytes")->number, 16384 * 4096);
		return;
	}
	fail_msg("no oom mark");
}

/* A runtime that is killed before it has an init leaves its cgroups: it ended without a start, and whoever takes the id next
 * makes another container. One whose init waits is still there. */
static void runtime_killed(void **state)
{
	struct proc runc = new_proc(100), again = new_proc(200), waits = new_proc(300), stage;

	(void)state;
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc run box");
	stage = fork_of(&runc, 101, 0, 0);
	cgroup(&runc, EVENT_CGROUP_MKDIR, 50, "/box", &runc);
	exits(&runc, 9);
	assert_int_equal(timeline_get(tl, 0)->state, STATE_CREATED); /* its child may go on */
	exits(&stage, 13);
	runc_run(&again, "box", 50);
	tick();
	assert_int_equal(timeline_count(tl), 2);
	assert_int_equal(timeline_get(tl, 0)->state, STATE_EXITED);
	assert_false(timeline_get(tl, 0)->exit.known);
	assert_int_equal(timeline_get(tl, 1)->generation, 1);
	assert_int_equal(timeline_get(tl, 1)->state, STATE_RUNNING);

	exec_as(&waits, ROLE_RUNTIME, "runc", "runc create waits");
	cgroup(&waits, EVENT_CGROUP_MKDIR, 60, "/waits", &waits);
	stage = fork_of(&waits, 301, 0, 0);
	fork_of(&stage, 302, 0x20000000, 1);
	exits(&stage, 0);
	exits(&waits, 0);
	tick();
	assert_int_equal(timeline_get(tl, 2)->state, STATE_CREATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(killed_with_sender), test(stop_begins_when_asked), test(oom_of_a_child), test(runtime_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
