/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that were there, or were being made, when tracing began, from hand-made events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/event_builder.h"

static void is_there(const struct proc *p, uint32_t parent, const char *argv)
{
	struct event_task e = { .parent_tgid = parent };

	e.h = header(p, EVENT_SNAPSHOT_TASK, offsetof(struct event_task, argv) + strlen(argv) + 1);
	if (strstr(argv, EVENT_ARGV_CUT))
		e.h.flags |= EVENT_F_TRUNCATED;
	e.ns.pid = p->level ? 777 : HOST_NS;
	e.ns.mnt = p->mnt ? p->mnt : HOST_NS;
	e.argv_length = (uint32_t)strlen(argv) + 1;
	for (size_t i = 0; argv[i]; i++)
		e.argv[i] = argv[i] == ' ' ? '\0' : argv[i];
	feed(&e);
}

static const struct phase_span *phase_of_kind(const struct container *c, enum phase phase)
{
	for (size_t i = 0; i < c->phase_count; i++) {
		if (c->phases[i].phase == phase)
			return &c->phases[i];
	}
	return NULL;
}

/* Tracing begins when runc has made the container's namespaces and cgroup, and init has not executed its program. */
static const struct container *begin_in_the_middle(struct proc *runc, struct proc *init)
{
	struct event end = { .size = sizeof(end), .kind = EVENT_SNAPSHOT_END };

	*runc = new_proc(50);
	*init = new_proc(53);
	runc->comm = "runc";
	init->comm = "runc:[2:INIT]";
	runc->role = init->role = ROLE_RUNTIME;
	init->ns_pid = init->level = 1;
	init->mnt = 999;
	init->cgroup = 70;
	cgroup(runc, EVENT_SNAPSHOT_CGROUP, 70, "/held", NULL);
	is_there(runc, 1, "runc run --bundle /b held");
	is_there(init, 50, "runc init");
	end.time_ns = now;
	feed(&end);
	return timeline_find(tl, "held");
}

static void begun_in_the_middle_of_a_start(void **state)
{
	struct proc runc, init, hook;
	const struct container *c = begin_in_the_middle(&runc, &init);
	uint64_t started;

	(void)state;
	assert_non_null(c);
	assert_true(c->existed);
	assert_int_equal(c->state, STATE_CREATED);
	assert_null(phase_of_kind(c, PHASE_RUN));
	assert_string_equal(c->runtime, "runc");
	assert_string_equal(c->bundle, "/b");
	hook = fork_of(&runc, 54, 0, 0);
	exec_as(&hook, ROLE_PAYLOAD, "setkey", "setkey held"); /* where runc is, and not inside */
	exits(&hook, 0);
	assert_non_null(actor_of(c, ACTOR_HOOK));
	assert_null(actor_of(c, ACTOR_EXEC));
	enter(&init, OP_PIVOT_ROOT, ".", ".", 0);
	leave(&init, OP_PIVOT_ROOT, 0);
	exec_as(&init, ROLE_PAYLOAD, "sh", "sh -c true");
	started = now;
	runc_gone(&runc, &init, "held", 70, 7 << 8);
	tick();
	c = timeline_find(tl, "held");
	assert_int_equal(c->state, STATE_EXITED);
	assert_int_equal(c->exit.code, 7);
	assert_true(c->exit.known);
	assert_int_equal(c->started_ns, started);
	assert_int_equal(c->created_ns, 0); /* that was not seen */
	assert_non_null(phase_of_kind(c, PHASE_PIVOT));
	assert_int_equal(phase_of_kind(c, PHASE_RUN)->start_ns, started);
	assert_int_equal(phase_of_kind(c, PHASE_RUN)->start_edge, EDGE_OBSERVED);
	assert_non_null(actor_of(c, ACTOR_INIT));
}

static void begun_in_the_middle_of_a_start_that_fails(void **state)
{
	struct proc runc, init;
	const struct container *c;

	(void)state;
	begin_in_the_middle(&runc, &init);
	runc_gone(&runc, &init, "held", 70, 1 << 8);
	tick();
	c = timeline_find(tl, "held");
	assert_int_equal(c->state, STATE_EXITED);
	assert_false(c->exit.known); /* runc's, and not the container's */
	assert_int_equal(c->started_ns, 0);
	assert_null(phase_of_kind(c, PHASE_RUN));
}

/* Two that run in one pid namespace, which is neither's: each is its shim's oldest child, and no later child is another. */
static void existing_without_a_pid_namespace(void **state)
{
	struct proc shim = new_proc(60), other_shim = new_proc(61), session = new_proc(62), init = new_proc(65), other = new_proc(66);
	struct event end = { .size = sizeof(end), .kind = EVENT_SNAPSHOT_END };
	const struct container *c;

	(void)state;
	shim.comm = other_shim.comm = "containerd-shim";
	shim.role = other_shim.role = ROLE_SHIM;
	init.role = other.role = session.role = ROLE_PAYLOAD;
	init.start = 1000;
	other.start = 1001;
	session.start = 2000; /* pids may have wrapped around: it is the start that tells */
	init.mnt = session.mnt = 999;
	other.mnt = 998;
	is_there(&shim, 1, "/usr/bin/containerd-shim-runc-v2 -namespace moby -id mine");
	is_there(&other_shim, 1, "/usr/bin/containerd-shim-runc-v2 -namespace moby -id yours");
	is_there(&session, 60, "sleep 5");
	is_there(&other, 61, "sleep 6");
	is_there(&init, 60, "sleep 7");
	end.time_ns = now;
	feed(&end);
	assert_int_equal(timeline_count(tl), 2);
	c = timeline_find(tl, "mine");
	assert_non_null(c);
	assert_true(c->existed);
	assert_int_equal(c->state, STATE_RUNNING);
	assert_int_equal(c->pid, init.pid);
	c = timeline_find(tl, "yours");
	assert_non_null(c);
	assert_int_equal(c->pid, other.pid);
	exits(&init, 3 << 8);
	tick();
	c = timeline_find(tl, "mine");
	assert_int_equal(c->state, STATE_EXITED);
	assert_int_equal(c->exit.code, 3);
}

static struct proc init_in(uint32_t pid, uint64_t cgroup_id, const char *path)
{
	struct proc init = new_proc(pid);

	init.role = ROLE_PAYLOAD;
	init.comm = "sleep";
	init.ns_pid = init.level = 1;
	init.mnt = 1000 + pid;
	init.cgroup = cgroup_id;
	cgroup(&init, EVENT_SNAPSHOT_CGROUP, cgroup_id, path, NULL);
	return init;
}

static void has_state(const struct proc *init, const char *state)
{
	struct event_meta e = meta_of(strrchr(state, '/') + 1, "state", state);

	e.h.tgid = init->pid;
	e.h.start_ns = init->start;
	feed(&e);
}

/* What runtimes wrote down and were called with goes before what cgroups are called; one of those may be called as another is. */
static void existing_by_their_runtimes(void **state)
{
	struct proc guessed = init_in(70, 170, "/group/real"), told = init_in(71, 171, "/group/other"), waited_for = init_in(72, 172, "/group/third");
	struct proc runc = new_proc(69), again = new_proc(90), killer = new_proc(91);
	struct event end = { .size = sizeof(end), .kind = EVENT_SNAPSHOT_END };
	const struct container *c;

	(void)state;
	runc.role = ROLE_RUNTIME;
	runc.comm = "runc";
	is_there(&runc, 1, "runc --root /r run --pid-file /x" EVENT_ARGV_CUT " 3 foreground"); /* 3 is the end of something */
	is_there(&guessed, 1, "sleep 5");
	is_there(&told, 1, "sleep 6");
	is_there(&waited_for, 69, "sleep 7");
	has_state(&told, "/run/runc/real");
	has_state(&waited_for, "/run/runc/");
	has_state(&waited_for, "relative/path");
	end.time_ns = now;
	feed(&end);
	assert_null(timeline_find(tl, "other"));
	assert_null(timeline_find(tl, "third"));
	c = timeline_find(tl, "foreground");
	assert_non_null(c);
	assert_int_equal(c->pid, waited_for.pid);
	c = timeline_find(tl, "real");
	assert_non_null(c);
	assert_true(c->existed);
	assert_int_equal(c->pid, told.pid);
	assert_string_equal(c->runtime, "runc");
	exec_as(&again, ROLE_RUNTIME, "runc", "runc --root /elsewhere run --bundle /b real"); /* a twin of the id */
	assert_int_equal(c->actor_count, 1);
	exec_as(&killer, ROLE_RUNTIME, "runc", "runc kill real");
	assert_non_null(actor_of(c, ACTOR_RUNTIME));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(begun_in_the_middle_of_a_start), test(begun_in_the_middle_of_a_start_that_fails),
		test(existing_without_a_pid_namespace), test(existing_by_their_runtimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
