/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TESTS_EVENT_BUILDER_H
#define CTRACE_TESTS_EVENT_BUILDER_H

/* Hand-made events for the timeline, a millisecond apart: processes that fork, execute, call and end. Needs cmocka.h. */
#include <stdio.h>
#include <string.h>

#include "timeline/timeline.h"

#define HOST_NS 4026531836u
#define MS 1000000ULL

static uint64_t now;
static struct timeline *tl;

struct proc {
	uint32_t pid;
	uint64_t start;
	uint8_t role;
	uint32_t ns_pid, level, mnt, net;
	uint64_t cgroup;
	const char *comm;
	uint64_t used, waited; /* CPU time since the last exec; used 0 = not known */
};

static struct event header(const struct proc *p, uint16_t kind, size_t size)
{
	struct event h = { .size = (uint16_t)size, .kind = kind, .role = p->role, .time_ns = now += MS,
		.tgid = p->pid, .tid = p->pid, .ns_tgid = p->ns_pid ? p->ns_pid : p->pid,
		.ns_level = p->level, .start_ns = p->start, .cgroup_id = p->cgroup, .flags = p->used ? EVENT_F_CPU : 0 };

	snprintf(h.comm, sizeof(h.comm), "%s", p->comm ? p->comm : "x");
	return h;
}

__attribute__((unused)) static void feed(const void *event)
{
	assert_int_equal(timeline_feed(tl, event), 0);
}

__attribute__((unused)) static struct proc fork_of(const struct proc *p, uint32_t pid, uint64_t flags, uint32_t ns_pid)
{
	struct proc child = *p;
	struct event_fork e = { .h = header(p, EVENT_FORK, sizeof(e)) };

	child.pid = pid;
	child.start = now;
	child.ns_pid = ns_pid;
	child.level = ns_pid ? p->level + 1 : p->level;
	e.child_tgid = pid;
	e.child_ns_tgid = ns_pid ? ns_pid : pid;
	e.child_ns_level = child.level;
	e.child_start_ns = child.start;
	e.child_cgroup_id = p->cgroup;
	e.clone_flags = flags;
	feed(&e);
	return child;
}

/* A fact about a container, as the reader of engines' files tells it. */
__attribute__((unused)) static struct event_meta meta_of(const char *id, const char *key, const char *value)
{
	struct event_meta e = { .h = { .kind = EVENT_META, .time_ns = now += MS } };

	e.h.size = (uint16_t)(offsetof(struct event_meta, text) + strlen(key) + 1 + strlen(value) + 1);
	snprintf(e.id, sizeof(e.id), "%s", id);
	strcpy(stpcpy(e.text, key) + 1, value);
	return e;
}

/* argv: words separated by spaces */
__attribute__((unused)) static void exec_as(struct proc *p, uint8_t role, const char *comm, const char *argv)
{
	struct event_exec e = { .on_cpu_ns = p->used, .run_queue_ns = p->waited };

	p->role = role;
	p->comm = comm;
	e.h = header(p, EVENT_EXEC, offsetof(struct event_exec, argv) + strlen(argv) + 1);
	e.ns.mnt = p->mnt ? p->mnt : HOST_NS;
	e.ns.pid = p->level ? 777 : HOST_NS;
	e.ns.net = p->net;
	e.argv_length = e.argv_total = (uint32_t)strlen(argv) + 1;
	snprintf(e.filename, sizeof(e.filename), "/bin/%s", comm);
	for (size_t i = 0; argv[i]; i++)
		e.argv[i] = argv[i] == ' ' ? '\0' : argv[i];
	feed(&e);
}

__attribute__((unused)) static void exits(const struct proc *p, int status)
{
	struct event_exit e = { .h = header(p, EVENT_EXIT, sizeof(e)), .exit_code = status,
		.on_cpu_ns = p->used, .run_queue_ns = p->waited };

	feed(&e);
}

__attribute__((unused)) static void cgroup(const struct proc *p, uint16_t kind, uint64_t id, const char *path,
	const struct proc *target)
{
	struct event_cgroup e = { .h = header(p, kind, sizeof(e)), .hierarchy = 1, .id = id, .level = 2 };

	snprintf(e.path, sizeof(e.path), "%s", path);
	if (target) {
		e.target_tgid = e.target_tid = target->pid;
		e.target_start_ns = target->start;
	}
	feed(&e);
}

__attribute__((unused)) static void enter(const struct proc *p, uint32_t op, const char *a, const char *b, uint64_t arg0)
{
	struct event_syscall_enter e = { .op = op };

	e.h = header(p, EVENT_SYSCALL_ENTER, offsetof(struct event_syscall_enter, path));
	e.args[0] = arg0;
	snprintf(e.a, sizeof(e.a), "%s", a ? a : "");
	snprintf(e.b, sizeof(e.b), "%s", b ? b : "");
	feed(&e);
}

__attribute__((unused)) static void leave(const struct proc *p, uint32_t op, int64_t result)
{
	struct event_syscall_exit e = { .h = header(p, EVENT_SYSCALL_EXIT, sizeof(e)), .op = op, .result = result };

	feed(&e);
}

__attribute__((unused)) static void tick(void)
{
	struct event e = { .size = sizeof(e), .kind = EVENT_TICK, .time_ns = now += 1000 * MS };

	feed(&e);
	e.time_ns = now += 1000 * MS;
	feed(&e);
}

__attribute__((unused)) static struct proc new_proc(uint32_t pid)
{
	return (struct proc){ .pid = pid, .start = now += MS, .cgroup = 1 };
}

/* runc run ID, as runc 1.1 does it: stage 1 unshares, stage 2 becomes init. Returns init, which has executed. */
__attribute__((unused)) static struct proc runc_run(struct proc *runc, const char *id, uint64_t cgroup_id)
{
	char text[256];
	struct proc stage0, stage1, init;

	snprintf(text, sizeof(text), "runc run %s", id);
	exec_as(runc, ROLE_RUNTIME, "runc", text);
	stage0 = fork_of(runc, runc->pid + 1, 0, 0);
	snprintf(text, sizeof(text), "/%s", id);
	cgroup(runc, EVENT_CGROUP_MKDIR, cgroup_id, text, NULL);
	cgroup(runc, EVENT_CGROUP_ATTACH, cgroup_id, text, &stage0);
	stage0.cgroup = cgroup_id;
	stage1 = fork_of(&stage0, runc->pid + 2, 0, 0);
	enter(&stage1, OP_UNSHARE, NULL, NULL, 0x6c020000);
	leave(&stage1, OP_UNSHARE, 0);
	init = fork_of(&stage1, runc->pid + 3, 0, 1);
	exits(&stage1, 0);
	exits(&stage0, 0);
	enter(&init, OP_MOUNT, "proc", "/proc", 0);
	leave(&init, OP_MOUNT, 0);
	enter(&init, OP_MOUNT, "/dev/null", "/proc/asound", 0);
	leave(&init, OP_MOUNT, -2);
	init.mnt = 999;
	exec_as(&init, ROLE_PAYLOAD, "sh", "sh -c true");
	return init;
}

__attribute__((unused)) static void runc_gone(struct proc *runc, struct proc *init, const char *id, uint64_t cgroup_id,
	int status)
{
	char path[256];

	snprintf(path, sizeof(path), "/%s", id);
	exits(init, status);
	cgroup(runc, EVENT_CGROUP_RMDIR, cgroup_id, path, NULL);
	exits(runc, 0);
}

__attribute__((unused)) static int setup(void **state)
{
	struct timeline_config config = { .cgroup_hierarchy = 1, .root_pid_ns = HOST_NS, .root_mnt_ns = HOST_NS,
		.root_net_ns = HOST_NS, .page_size = 4096, .hierarchy_count = 1 };
	struct event end = { .size = sizeof(end), .kind = EVENT_SNAPSHOT_END };

	(void)state;
	now = 1000000 * MS;
	config.hierarchies[0].id = 1;
	strcpy(config.hierarchies[0].controllers, "memory");
	tl = timeline_new(&config);
	end.time_ns = now;
	feed(&end);
	return 0;
}

__attribute__((unused)) static int teardown(void **state)
{
	(void)state;
	timeline_free(tl);
	return 0;
}

__attribute__((unused)) static const struct actor *actor_of(const struct container *c, enum actor_role role)
{
	for (size_t i = 0; i < c->actor_count; i++) {
		if (c->actors[i].role == role)
			return &c->actors[i];
	}
	return NULL;
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
