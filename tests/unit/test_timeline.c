/* SPDX-License-Identifier: Apache-2.0 */
/* Identity and phases from hand-made events: the cases that are hard to bring about for real. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <cmocka.h>

#include "unit/event_builder.h"
#include "util/array.h"
#include "util/cleanup.h"

static void one_run(void **state)
{
	struct proc runc = new_proc(100);
	struct proc init = runc_run(&runc, "foo", 50);
	const struct container *c;
	size_t failed = 0;

	(void)state;
	runc_gone(&runc, &init, "foo", 50, 7 << 8);
	timeline_finish(tl);
	assert_int_equal(timeline_count(tl), 1);
	c = timeline_get(tl, 0);
	assert_string_equal(c->id, "foo");
	assert_string_equal(c->runtime, "runc");
	assert_int_equal(c->state, STATE_EXITED);
	assert_int_equal(c->pid, 103);
	assert_true(c->exit.known);
	assert_int_equal(c->exit.code, 7);
	assert_int_equal(c->cgroup_count, 1);
	assert_true(c->cgroups[0].removed);
	assert_non_null(actor_of(c, ACTOR_INIT));
	assert_int_equal(actor_of(c, ACTOR_INIT)->start_ns, c->started_ns);
	for (size_t i = 0; i < c->step_count; i++) {
		assert_true(c->steps[i].start_ns <= c->steps[i].end_ns);
		assert_true(i == 0 || c->steps[i - 1].start_ns <= c->steps[i].start_ns);
		failed += c->steps[i].has_result && c->steps[i].result == -2;
	}
	assert_int_equal(failed, 1);
	for (size_t i = 0; i < c->phase_count; i++)
		assert_true(c->phases[i].start_ns <= c->phases[i].end_ns);
}

static void note_steps_at_end(void *arg, const struct container *c, enum timeline_change change)
{
	if (change == CHANGE_ENDED)
		*(size_t *)arg = c->step_count;
}

static void ended_without_steps(void **state)
{
	struct timeline_config config = { .ended_without_steps = true };
	struct proc runc, init;
	size_t steps = 0;

	(void)state;
	timeline_free(tl);
	tl = timeline_new(&config);
	timeline_listen(tl, note_steps_at_end, &steps);
	runc = new_proc(100);
	init = runc_run(&runc, "foo", 50);
	assert_int_not_equal(timeline_get(tl, 0)->step_count, 0);
	runc_gone(&runc, &init, "foo", 50, 7 << 8);
	timeline_finish(tl);
	assert_int_not_equal(steps, 0); /* whoever listens had them */
	assert_int_equal(timeline_get(tl, 0)->step_count, 0);
	assert_int_equal(timeline_get(tl, 0)->exit.code, 7);
}

/* What a process used before it became init is the runtime's; init's own programs are added up. */
static void cpu_time_by_part(void **state)
{
	struct proc runc = new_proc(100), init, lost;
	const struct container *c;

	(void)state;
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc run foo");
	cgroup(&runc, EVENT_CGROUP_MKDIR, 50, "/foo", NULL);
	init = fork_of(&runc, 101, 0x20000000, 1);
	init.cgroup = 50;
	init.mnt = 999;
	init.used = 3 * MS;
	init.waited = 1;
	exec_as(&init, ROLE_PAYLOAD, "sh", "sh -c true");
	init.used = 4 * MS;
	init.waited = 2;
	exec_as(&init, ROLE_PAYLOAD, "true", "true");
	init.used = 5 * MS;
	exits(&init, 0);
	lost = fork_of(&runc, 102, 0, 0);
	lost.used = 0;
	exec_as(&lost, ROLE_RUNTIME, "runc", "runc init");
	lost.used = MS;
	exits(&lost, 0);
	runc.used = 7 * MS; /* its fork was before our time: its part began with its exec */
	exits(&runc, 0);
	timeline_finish(tl);
	c = timeline_get(tl, 0);
	assert_true(actor_of(c, ACTOR_INIT)->has_cpu);
	assert_int_equal(actor_of(c, ACTOR_INIT)->on_cpu_ns, 9 * MS);
	assert_int_equal(actor_of(c, ACTOR_INIT)->run_queue_ns, 4);
	for (size_t i = 0; i < c->actor_count; i++) {
		const struct actor *a = &c->actors[i];

		if (a->role == ACTOR_RUNTIME) {
			assert_int_equal(a->has_cpu, a->pid != 102);
			assert_int_equal(a->on_cpu_ns, a->pid == 100 ? 7 * MS : a->pid == 101 ? 3 * MS : 0);
		}
	}
	assert_int_equal(c->actor_count, 4);
}

static void same_id_again(void **state)
{
	struct proc a = new_proc(100), b = new_proc(200);
	struct proc init = runc_run(&a, "web", 50);

	(void)state;
	runc_gone(&a, &init, "web", 50, 0);
	init = runc_run(&b, "web", 60);
	runc_gone(&b, &init, "web", 60, 1 << 8);
	timeline_finish(tl);
	assert_int_equal(timeline_count(tl), 2);
	assert_int_equal(timeline_get(tl, 0)->exit.code, 0);
	assert_int_equal(timeline_get(tl, 1)->exit.code, 1);
	assert_int_equal(timeline_get(tl, 1)->generation, 1);
	assert_ptr_equal(timeline_find(tl, "web"), timeline_get(tl, 1));
}

/* One start by a supervisor that executes nothing for it. */
static void supervised_run(struct proc *supervisor, uint32_t pid, uint64_t cgroup_id, const char *path, int status)
{
	struct proc init;

	enter(supervisor, OP_MOUNT, "overlay", "/root", 0);
	leave(supervisor, OP_MOUNT, 0);
	cgroup(supervisor, EVENT_CGROUP_MKDIR, cgroup_id, path, NULL);
	init = fork_of(supervisor, pid, 0x6c020000, 1);
	cgroup(supervisor, EVENT_CGROUP_ATTACH, cgroup_id, path, &init);
	init.mnt = 999;
	exec_as(&init, ROLE_PAYLOAD, "sh", "sh -c true");
	exits(&init, status);
	cgroup(supervisor, EVENT_CGROUP_RMDIR, cgroup_id, path, NULL);
}

/* `ctrace run --restart`: its restarts are containers of their own, not hooks of the first, which ends. */
static void supervisor_starts_again(void **state)
{
	static const char path[] = "/ctrace/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct proc run = new_proc(100), supervisor;
	size_t mounts[2] = { 0 };

	(void)state;
	exec_as(&run, ROLE_RUNTIME, "ctrace", "ctrace run -d --restart on-failure image");
	supervisor = fork_of(&run, 101, 0, 0);
	exits(&run, 0);
	supervised_run(&supervisor, 102, 50, path, 3 << 8);
	supervised_run(&supervisor, 103, 51, path, 4 << 8);
	tick();
	tick();
	assert_int_equal(timeline_count(tl), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct container *c = timeline_get(tl, i);

		assert_string_equal(c->id, path + strlen("/ctrace/"));
		assert_int_equal(c->generation, i);
		assert_int_equal(c->pid, 102 + i);
		assert_int_equal(c->exit.code, 3 + i);
		assert_null(actor_of(c, ACTOR_HOOK));
		assert_non_null(actor_of(c, ACTOR_INIT));
		assert_int_equal(actor_of(c, ACTOR_ENGINE) != NULL, i == 0); /* the client, which has long ended */
		assert_true(i == 0 || c->first_ns > timeline_get(tl, 0)->exit.at_ns);
		for (size_t k = 0; k < c->step_count; k++)
			mounts[i] += c->steps[k].kind == STEP_MOUNT && c->steps[k].start_ns < c->started_ns;
		assert_int_equal(mounts[i], 1);
	}
	assert_true(timeline_get(tl, 0)->ended);
	assert_false(timeline_get(tl, 1)->ended); /* its supervisor may start it again */
	exits(&supervisor, 0);
	tick();
	tick();
	assert_true(timeline_get(tl, 1)->ended);
}

static void second_create_fails(void **state)
{
	struct proc a = new_proc(100), b = new_proc(200);
	struct proc init = runc_run(&a, "web", 50);

	(void)state;
	exec_as(&b, ROLE_RUNTIME, "runc", "runc run web"); /* "container with id exists" */
	exits(&b, 1 << 8);
	runc_gone(&a, &init, "web", 50, 0);
	timeline_finish(tl);
	assert_int_equal(timeline_count(tl), 1);
	assert_int_equal(timeline_get(tl, 0)->exit.code, 0);
}

static void pid_is_used_again(void **state)
{
	struct proc a = new_proc(100), stranger, b;
	struct proc init = runc_run(&a, "one", 50);

	(void)state;
	runc_gone(&a, &init, "one", 50, 0);
	stranger = new_proc(103); /* init's pid, another process */
	exits(&stranger, 9);
	b = new_proc(100);
	init = runc_run(&b, "two", 51);
	runc_gone(&b, &init, "two", 51, 3 << 8);
	timeline_finish(tl);
	assert_int_equal(timeline_count(tl), 2);
	assert_int_equal(timeline_get(tl, 0)->exit.code, 0);
	assert_int_equal(timeline_get(tl, 1)->exit.code, 3);
}

/* A hierarchy that was unmounted counts from the beginning when it is mounted anew, and removals may be lost. */
static void cgroup_id_is_used_again(void **state)
{
	struct proc a = new_proc(100), b = new_proc(200), systemd = new_proc(1);
	struct proc init = runc_run(&a, "one", 50);
	const struct container *one = timeline_get(tl, 0), *two;

	(void)state;
	exits(&init, 0);
	exits(&a, 0);
	tick();
	assert_false(one->ended); /* as far as anybody knows its cgroup is there */
	cgroup(&systemd, EVENT_CGROUP_MKDIR, 50, "/other", NULL);
	tick();
	assert_true(one->ended && one->cgroups[0].removed);
	init = runc_run(&b, "two", 50);
	runc_gone(&b, &init, "two", 50, 0);
	cgroup(&systemd, EVENT_CGROUP_MKDIR, 60, "/one/below", NULL); /* its path leads nowhere */
	tick();
	assert_int_equal(timeline_count(tl), 2);
	two = timeline_get(tl, 1);
	assert_int_equal(one->cgroup_count, 1);
	assert_string_equal(one->cgroups[0].path, "/one");
	assert_int_equal(two->cgroup_count, 1);
	assert_string_equal(two->cgroups[0].path, "/two");
	assert_true(two->ended && two->cgroups[0].removed);
}

/* One with the path that the container's cgroup had is not the container's, either, when that has ended. */
static void cgroup_is_made_anew(void **state)
{
	struct proc a = new_proc(100), systemd = new_proc(1), stranger = new_proc(300);
	struct event_oom oom = { .victim_tgid = 300, .victim_cgroup_id = 50 };
	struct proc init = runc_run(&a, "one", 50);
	const struct container *one = timeline_get(tl, 0);

	(void)state;
	runc_gone(&a, &init, "one", 50, 0);
	tick();
	assert_true(one->ended);
	cgroup(&systemd, EVENT_CGROUP_MKDIR, 50, "/one", NULL);
	stranger.cgroup = 50;
	oom.h = header(&stranger, EVENT_OOM_VICTIM, sizeof(oom));
	oom.victim_start_ns = stranger.start;
	feed(&oom);
	cgroup(&systemd, EVENT_CGROUP_RMDIR, 50, "/one", NULL);
	tick();
	assert_int_equal(timeline_count(tl), 1);
	assert_int_equal(one->mark_count, 1); /* that it started */
}

static void exec_session_and_hook(void **state)
{
	struct proc a = new_proc(100), x = new_proc(300), asks = new_proc(320), stage, hook, helper;
	struct proc init = runc_run(&a, "box", 50);
	const struct container *c;

	(void)state;
	exec_as(&x, ROLE_RUNTIME, "runc", "runc exec box ls");
	stage = fork_of(&x, 301, 0, 0);
	stage.level = 1;
	stage.ns_pid = 17;
	stage.mnt = 999;
	exec_as(&stage, ROLE_PAYLOAD, "ls", "ls -l");
	exits(&stage, 2 << 8);
	hook = fork_of(&a, 310, 0, 0);
	exec_as(&hook, ROLE_PAYLOAD, "poststart", "poststart");
	exits(&hook, 0);
	exits(&x, 2 << 8);
	exec_as(&asks, ROLE_RUNTIME, "runc", "runc ps box");
	helper = fork_of(&asks, 321, 0, 0);
	exec_as(&helper, ROLE_PAYLOAD, "ps", "ps -ef"); /* no hook, though it runs where hooks do */
	exits(&helper, 0);
	exits(&asks, 0);
	runc_gone(&a, &init, "box", 50, 0);
	timeline_finish(tl);
	assert_int_equal(timeline_count(tl), 1);
	c = timeline_get(tl, 0);
	assert_non_null(actor_of(c, ACTOR_EXEC));
	assert_string_equal(actor_of(c, ACTOR_EXEC)->comm, "ls");
	assert_non_null(actor_of(c, ACTOR_HOOK));
	assert_string_equal(actor_of(c, ACTOR_HOOK)->comm, "poststart");
	assert_non_null(actor_of(c, ACTOR_HELPER));
	assert_string_equal(actor_of(c, ACTOR_HELPER)->comm, "ps");
	assert_int_equal(c->exit.code, 0);
}

static void refuse_fork(const struct proc *p, uint64_t group, uint64_t so_far, uint64_t id)
{
	struct event_fork_refused e = { .h = header(p, EVENT_FORK_REFUSED, sizeof(e)), .refused = so_far, .cgroup = group, .id = id, .limit = 5,
		.usage = 5, .hierarchy = 1 };

	feed(&e);
}

/* The kernel's count is of the cgroup's life: each mark has what came on top of it. */
static void forks_refused(void **state)
{
	struct proc runc = new_proc(100);
	struct proc init = runc_run(&runc, "box", 50);
	const struct mark *marks;
	const struct container *c;

	(void)state;
	refuse_fork(&init, 50, 2, 50);
	refuse_fork(&init, 50, 2, 50); /* told again after the kernel side forgot that it had */
	refuse_fork(&init, 50, 5, 1);
	cgroup(&init, EVENT_CGROUP_MKDIR, 51, "/box/inner", NULL);
	refuse_fork(&init, 51, 1, 51); /* the count of another cgroup of it */
	runc_gone(&runc, &init, "box", 50, 0);
	timeline_finish(tl);
	c = timeline_get(tl, 0);
	assert_int_equal(c->forks_refused, 6);
	assert_int_equal(c->mark_count, 4);
	marks = c->marks + 1; /* after its start */
	assert_int_equal(details_get(&marks[0].details, "count")->number, 2);
	assert_string_equal(details_text(&marks[0].details, "limit_of"), "container");
	assert_int_equal(details_get(&marks[1].details, "count")->number, 3);
	assert_string_equal(details_text(&marks[1].details, "limit_of"), "parent");
}

/* An entrypoint script that gives its place to the service, which executes itself without end. */
static void later_programs_of_init(void **state)
{
	struct proc runc = new_proc(100);
	struct proc init = runc_run(&runc, "box", 50);
	const struct container *c = timeline_get(tl, 0);
	size_t before = c->step_count;

	(void)state;
	for (int i = 0; i < 151; i++)
		exec_as(&init, ROLE_PAYLOAD, "nginx", "nginx -g x");
	assert_int_equal(c->step_count, before + 100);
	assert_int_equal(c->steps_cut, 51);
	for (size_t i = before; i < c->step_count; i++) {
		assert_int_equal(c->steps[i].phase, PHASE_RUN);
		assert_int_equal(c->actors[c->steps[i].actor].role, ACTOR_INIT);
		assert_string_equal(details_text(&c->steps[i].details, "path"), "/bin/nginx");
	}
}

static void lost_exit_of_a_call(void **state)
{
	struct proc a = new_proc(100);
	struct proc init;
	const struct container *c;
	bool lost = false;

	(void)state;
	exec_as(&a, ROLE_RUNTIME, "runc", "runc create box");
	init = fork_of(&a, 101, 0x20000000, 1);
	enter(&init, OP_MOUNT, "proc", "/proc", 0);
	enter(&init, OP_MOUNT, "tmpfs", "/dev", 0); /* the first mount's exit was lost */
	leave(&init, OP_MOUNT, 0);
	timeline_finish(tl);
	c = timeline_get(tl, 0);
	for (size_t i = 0; i < c->step_count; i++)
		lost |= c->steps[i].kind == STEP_MOUNT && c->steps[i].end_edge == EDGE_LOST;
	assert_true(lost);
}

/* A reader that was stopped is told of a loss before it reads what happened meanwhile. */
static void loss_that_lasts(void **state)
{
	struct proc a = new_proc(100), b = new_proc(200);
	struct event_lost e = { .lost_kind = EVENT_SYSCALL_ENTER, .reason = LOSS_RING_FULL, .count = 3 };

	(void)state;
	e.h = header(&a, EVENT_LOST, sizeof(e));
	e.until_ns = now + 100 * MS;
	feed(&e);
	e.reason = LOSS_INFLIGHT_FULL; /* told at the same time */
	e.count = 2;
	feed(&e);
	runc_run(&a, "during", 50);
	assert_true(now < e.until_ns);
	now = e.until_ns;
	runc_run(&b, "after", 60);
	timeline_finish(tl);
	assert_int_equal(timeline_find(tl, "during")->lost, 5);
	assert_int_equal(timeline_find(tl, "after")->lost, 0);
}

static void engine_mount_is_adopted(void **state)
{
	struct proc dockerd = new_proc(10), runc = new_proc(100);
	const struct container *c;
	bool found = false;

	(void)state;
	dockerd.role = ROLE_ENGINE;
	dockerd.comm = "dockerd";
	enter(&dockerd, OP_MOUNT, "overlay", "/var/lib/docker/overlay2/x/merged", 0);
	leave(&dockerd, OP_MOUNT, 0);
	enter(&dockerd, OP_MOUNT, "overlay", "/var/lib/docker/overlay2/other/merged", 0);
	leave(&dockerd, OP_MOUNT, 0);
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc create foo");
	enter(&runc, OP_MOUNT, "/var/lib/docker/overlay2/x/merged", "/var/lib/docker/overlay2/x/merged", 0);
	leave(&runc, OP_MOUNT, 0);
	timeline_finish(tl);
	assert_int_equal(timeline_count(tl), 1);
	c = timeline_get(tl, 0);
	for (size_t i = 0; i < c->step_count; i++) {
		const char *target = details_text(&c->steps[i].details, "target");

		assert_true(!target || !strstr(target, "other"));
		found |= c->steps[i].actor >= 0 && c->actors[c->steps[i].actor].role == ACTOR_ENGINE;
	}
	assert_true(found);
}

/* podman binds its storage onto itself, each time: the next one's is no step of the container that the first was for. */
static void storage_is_nobodys(void **state)
{
	struct proc podman[2], runc;
	const struct container *c;
	bool found = false;

	(void)state;
	for (int i = 0; i < 2; i++) {
		podman[i] = new_proc(20 + (uint32_t)i);
		exec_as(&podman[i], ROLE_ENGINE, "podman", i ? "podman exec other true" : "podman run foo");
		enter(&podman[i], OP_MOUNT, "/storage/overlay", "/storage/overlay", 0);
		leave(&podman[i], OP_MOUNT, 0);
		if (i == 0) {
			runc = fork_of(&podman[0], 100, 0, 0);
			exec_as(&runc, ROLE_RUNTIME, "runc", "runc create foo");
		}
	}
	timeline_finish(tl);
	c = timeline_get(tl, 0);
	for (size_t i = 0; i < c->actor_count; i++) {
		assert_int_not_equal(c->actors[i].pid, podman[1].pid);
		found |= c->actors[i].pid == podman[0].pid;
	}
	assert_true(found);
}

static void write_limit(const struct proc *p, uint64_t id, const char *file, const char *value)
{
	struct event_cgroup_write e = { .hierarchy = 1, .id = id };

	e.h = header(p, EVENT_CGROUP_WRITE, offsetof(struct event_cgroup_write, value) + strlen(value) + 1);
	snprintf(e.file, sizeof(e.file), "%s", file);
	snprintf(e.value, sizeof(e.value), "%s", value);
	feed(&e);
	leave(p, OP_WRITE, (int64_t)strlen(value));
}

/* Each limit that is changed is marked, not only the one that was set last; what the payload sets for a cgroup that it makes below
 * its own is no limit of the container. */
static void limits_change(void **state)
{
	struct proc runc = new_proc(100), init, update = new_proc(200);
	const struct container *c;
	size_t changes = 0;

	(void)state;
	init = runc_run(&runc, "foo", 50);
	cgroup(&init, EVENT_CGROUP_MKDIR, 51, "/foo/child", NULL);
	write_limit(&init, 51, "cpu.max", "1000 10000");
	exec_as(&update, ROLE_RUNTIME, "runc", "runc update foo");
	for (int i = 2; i < 4; i++) {
		write_limit(&update, 50, "memory.max", i == 2 ? "2" : "3");
		write_limit(&update, 50, "pids.max", "7");
	}
	c = timeline_find(tl, "foo");
	for (size_t i = 0; i < c->mark_count; i++)
		changes += c->marks[i].kind == MARK_LIMIT_CHANGE;
	assert_int_equal(changes, 4);
	assert_int_equal(c->limit_count, 2);
	assert_string_equal(c->limits[0].file, "memory.max");
	assert_string_equal(c->limits[0].value, "3");
}

static void tell_meta(const char *id, const char *key, const char *value)
{
	struct event_meta e = meta_of(id, key, value);

	feed(&e);
}

/* The engine's word that a container is a pod's sandbox may come before it or after. */
static void sandbox_is_told(void **state)
{
	struct proc a = new_proc(100), b = new_proc(200), d = new_proc(300);

	(void)state;
	tell_meta("early", "sandbox", "true");
	runc_run(&a, "early", 50);
	runc_run(&b, "late", 60);
	tell_meta("late", "sandbox", "true");
	runc_run(&d, "none", 70);
	tell_meta("none", "name", "sandbox");
	timeline_finish(tl);
	assert_true(timeline_find(tl, "early")->is_sandbox);
	assert_true(timeline_find(tl, "late")->is_sandbox);
	assert_false(timeline_find(tl, "none")->is_sandbox);
}

/* A kubelet's pod: containerd starts a shim for each container, but that of the sandbox serves them all. */
static void one_shim_for_a_pod(void **state)
{
	struct proc containerd = new_proc(20), start, shim, runc;

	(void)state;
	containerd.role = ROLE_CONTAINERD;
	containerd.comm = "containerd";
	start = fork_of(&containerd, 30, 0, 0);
	exec_as(&start, ROLE_SHIM, "containerd-shim", "containerd-shim-runc-v2 -namespace k8s.io -id sandbox start");
	shim = fork_of(&start, 31, 0, 0);
	exec_as(&shim, ROLE_SHIM, "containerd-shim", "containerd-shim-runc-v2 -namespace k8s.io -id sandbox");
	exits(&start, 0);
	runc = fork_of(&shim, 32, 0, 0);
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc --root /run/containerd/runc/k8s.io create --bundle /b sandbox");
	exits(&runc, 0);
	start = fork_of(&containerd, 40, 0, 0);
	exec_as(&start, ROLE_SHIM, "containerd-shim", "containerd-shim-runc-v2 -namespace k8s.io -id app start");
	exits(&start, 0);
	runc = fork_of(&shim, 42, 0, 0);
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc --root /run/containerd/runc/k8s.io create --bundle /b app");
	/* another engine's container of that name */
	runc = fork_of(&containerd, 52, 0, 0);
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc --root /run/other create --bundle /b app");
	assert_int_equal(timeline_count(tl), 3);
	assert_string_equal(timeline_get(tl, 1)->id, "app");
	assert_int_equal(timeline_get(tl, 1)->generation, 0);
	assert_false(timeline_get(tl, 1)->is_sandbox); /* which only its annotation says */
	assert_string_equal(timeline_get(tl, 1)->engine, "containerd");
	assert_int_equal(timeline_get(tl, 2)->generation, 1);
}

/* A sandbox that is no container is counted, and a runtime's child is none. */
static void namespaces_alone(void **state)
{
	struct proc bwrap = new_proc(30), followed = new_proc(40), runc = new_proc(100);
	struct timeline_stats stats;

	(void)state;
	bwrap.comm = "bwrap";
	fork_of(&bwrap, 31, 0x20000000, 1);
	fork_of(&bwrap, 32, 0, 0);
	runc_run(&runc, "box", 50);
	timeline_get_stats(tl, &stats);
	assert_int_equal(stats.namespaced.count, 1);
	assert_string_equal(stats.namespaced.by, "bwrap");
	assert_int_equal(stats.namespaced_followed.count, 0);
	followed.role = ROLE_FOLLOWED;
	followed.comm = "unshare";
	fork_of(&followed, 41, 0, 1); /* its unshare(2) came before */
	timeline_get_stats(tl, &stats);
	assert_int_equal(stats.namespaced.count, 2);
	assert_int_equal(stats.namespaced_followed.count, 1);
	assert_string_equal(stats.namespaced_followed.by, "unshare");
}

static void no_ghosts(void **state)
{
	struct proc runc = new_proc(100), shim = new_proc(110);

	(void)state;
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc --version");
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc state nosuch");
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc delete --force nosuch");
	exec_as(&shim, ROLE_SHIM, "containerd-shim", "containerd-shim-runc-v2 -namespace moby -id gone delete");
	cgroup(&runc, EVENT_CGROUP_MKDIR, 70, "/docker", NULL);
	tick();
	timeline_finish(tl);
	assert_int_equal(timeline_count(tl), 0);
}

static void ends_after_quiet(void **state)
{
	struct proc runc = new_proc(100);
	struct proc init = runc_run(&runc, "foo", 50);
	struct timeline_stats stats;

	(void)state;
	runc_gone(&runc, &init, "foo", 50, 0);
	tick();
	/* its cgroup id and inodes may be used again: nothing of them leads to it any more */
	cgroup(&runc, EVENT_CGROUP_MKDIR, 50, "/other", NULL);
	assert_int_equal(timeline_get(tl, 0)->cgroup_count, 1);
	timeline_get_stats(tl, &stats);
	assert_int_equal(stats.skipped, 0);
}

/* Of 10 ms 2 were on a CPU and 1 in its queue; the scheduler's own functions are no answer. */
static void where_a_call_waited(void **state)
{
	struct proc runc = new_proc(100);
	struct event_syscall_exit e = { .op = OP_UMOUNT, .on_cpu_ns = 2 * MS, .run_queue_ns = MS, .blocked_ns = 6 * MS,
		.blocked_in = "__traceiter_sched_switch\n__schedule\nschedule_timeout\nsynchronize_rcu\nnamespace_unlock\n0x0\n" };
	const struct container *c;
	const struct step *s;

	(void)state;
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc run waits");
	enter(&runc, OP_UMOUNT, "/x", NULL, 0);
	now += 9 * MS;
	e.h = header(&runc, EVENT_SYSCALL_EXIT, sizeof(e));
	e.h.flags |= EVENT_F_CPU;
	feed(&e);
	enter(&runc, OP_UMOUNT, "/y", NULL, 0);
	leave(&runc, OP_UMOUNT, 0); /* nothing is known of this one */
	timeline_finish(tl);
	c = timeline_get(tl, 0);
	s = c->steps;
	while (s->kind != STEP_UMOUNT)
		s++;
	assert_non_null(s->times);
	assert_int_equal(s->times->on_cpu_ns, 2 * MS);
	assert_int_equal(s->times->blocked_ns, 7 * MS);
	assert_int_equal(s->times->longest_block_ns, 6 * MS);
	assert_string_equal(s->times->blocked_in, "synchronize_rcu\x1fnamespace_unlock");
	assert_null(s[1].times);
	for (size_t i = 0; i < c->phase_count; i++) {
		if (c->phases[i].phase == s->phase)
			assert_int_equal(c->phases[i].blocked_ns, 7 * MS);
	}
}

static void damaged_records(void **state)
{
	struct event_exec e = { .h = { .size = sizeof(struct event), .kind = EVENT_EXEC } };

	(void)state;
	assert_int_not_equal(timeline_feed(tl, &e.h), 0);
	e.h.size = 3;
	assert_int_not_equal(timeline_feed(tl, &e.h), 0);
	e.h.size = sizeof(e);
	e.h.kind = 9999;
	assert_int_not_equal(timeline_feed(tl, &e.h), 0);
	e.h.kind = EVENT_EXEC;
	e.argv_length = 0xffffffff;
	memset(e.argv, 'A', sizeof(e.argv));
	memset(e.filename, 'B', sizeof(e.filename));
	e.h.role = 250;
	assert_int_equal(timeline_feed(tl, &e.h), 0);
	timeline_finish(tl);
}

static void mount_at(const struct proc *p, const char *target, uint64_t flags)
{
	struct event_syscall_enter e = { .op = OP_MOUNT, .args = { 0, 0, 0, flags } };

	e.h = header(p, EVENT_SYSCALL_ENTER, offsetof(struct event_syscall_enter, path));
	snprintf(e.b, sizeof(e.b), "%s", target);
	feed(&e);
	leave(p, OP_MOUNT, 0);
}

/* Whoever has a mount namespace of its own makes every mount in it private, that of a strange container's root, too, and is none
 * of that container's; a mount there is another matter. */
static void private_mounts_of_strangers(void **state)
{
	static const char id[] = "9c7c3f0a1b2c9c7c3f0a1b2c9c7c3f0a1b2c9c7c3f0a1b2c9c7c3f0a1b2c9c7c";
	static const uint64_t flags[] = { MS_SLAVE, MS_PRIVATE | MS_REC, MS_SHARED, MS_UNBINDABLE, MS_BIND };
	struct proc runc = new_proc(100), shell = new_proc(90);
	_cleanup_free_ char *root = xasprintf("/data/%s/merged", id);
	const struct container *c;
	size_t before;

	(void)state;
	runc_run(&runc, id, 50);
	c = timeline_get(tl, 0);
	before = c->actor_count;
	for (uint32_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct proc stranger = fork_of(&shell, 500 + i, CLONE_NEWNS, 0);

		mount_at(&stranger, root, flags[i]);
		c = timeline_get(tl, 0);
		assert_int_equal(c->actor_count, before + (flags[i] == MS_BIND));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(one_run), test(ended_without_steps), test(cpu_time_by_part),
		test(same_id_again), test(supervisor_starts_again), test(second_create_fails), test(pid_is_used_again),
		test(cgroup_id_is_used_again), test(cgroup_is_made_anew),
		test(exec_session_and_hook), test(later_programs_of_init), test(forks_refused), test(lost_exit_of_a_call),
		test(loss_that_lasts), test(storage_is_nobodys), test(limits_change), test(sandbox_is_told), test(one_shim_for_a_pod), test(namespaces_alone),
		test(engine_mount_is_adopted), test(no_ghosts), test(ends_after_quiet),
		test(where_a_call_waited), test(damaged_records), test(private_mounts_of_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
