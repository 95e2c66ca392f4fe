/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/world.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "timeline/record.h"
#include "util/cleanup.h"

enum { HIERARCHY_MAIN = 1, HIERARCHY_OTHER = 2, ROOT_NS = 1, IDS_AGAIN = 30 };
enum fault { FAULT_NONE, FAULT_LOSE, FAULT_DOUBLE, FAULT_MOVE, FAULT_COUNT };

#define ID(digit) #digit "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
static const char *const ids[] = { ID(1), ID(2), "plain", "x" };

/* ---- telling ---- */

static void send_now(struct world *w, struct event *event)
{
	event->time_ns = ++w->now_ns; /* in order, as capture/order.h sees to */
	w->sink(w->arg, event);
}

static void tell(struct world *w, union record *r, size_t size)
{
	uint8_t fault = w->fault;

	w->fault = FAULT_NONE;
	r->h.size = (uint16_t)size;
	if (fault == FAULT_LOSE)
		return;
	if (fault == FAULT_MOVE && !w->held_size && size <= sizeof(w->held)) {
		memcpy(w->held, r, size);
		w->held_size = size;
		return;
	}
	send_now(w, &r->h);
	if (fault == FAULT_DOUBLE)
		send_now(w, &r->h);
	if (w->held_size) {
		w->held_size = 0;
		send_now(w, (struct event *)w->held);
	}
}

static union record *begin(const struct world_process *p, enum event_kind kind)
{
	static union record r;

	memset(&r, 0, sizeof(r));
	r.h.kind = kind;
	r.h.tgid = r.h.tid = p->tgid;
	r.h.ns_tgid = p->ns_tgid;
	r.h.ns_level = p->ns_level;
	r.h.start_ns = p->start_ns;
	r.h.cgroup_id = p->cgroup;
	r.h.role = p->role;
	memcpy(r.h.comm, p->comm, sizeof(r.h.comm));
	return &r;
}

/* ---- processes ---- */

static bool pid_in_use(const struct world *w, uint32_t tgid)
{
	for (size_t i = 0; i < WORLD_PROCESSES; i++) {
		if (w->processes[i].alive && w->processes[i].tgid == tgid)
			return true;
	}
	return false;
}

/* Pids are few, so they are used again soon. */
static struct world_process *process_add(struct world *w, const struct world_process *parent, uint8_t wish)
{
	uint32_t tgid = 100 + wish % WORLD_PIDS;
	size_t i = 1;

	while (i < WORLD_PROCESSES && w->processes[i].alive)
		i++;
	if (i == WORLD_PROCESSES)
		return NULL;
	while (pid_in_use(w, tgid)) /* there are more of them than places */
		tgid = 100 + (tgid - 100 + 1) % WORLD_PIDS;
	w->processes[i] = *parent;
	w->processes[i].tgid = tgid;
	w->processes[i].start_ns = ++w->now_ns;
	w->processes[i].parent = parent->tgid;
	return &w->processes[i];
}

static void do_fork(struct world *w, struct world_process *creator, uint8_t flags, uint8_t wish)
{
	const struct world_process maker = *creator;
	struct world_process *child = process_add(w, &maker, wish);
	union record *r;

	if (!child)
		return;
	child->role = maker.role == ROLE_PAYLOAD ? ROLE_NONE : maker.role;
	if (flags & 1) { /* CLONE_NEWPID */
		child->ns.pid = (uint32_t)++w->next_id;
		child->ns_tgid = 1;
		child->ns_level++;
	} else if (child->ns_level) {
		child->ns_tgid = 2 + wish % 8;
	} else {
		child->ns_tgid = child->tgid;
	}
	if (flags & 2)
		child->ns.mnt = (uint32_t)++w->next_id;
	if (flags & 4)
		child->ns.net = (uint32_t)++w->next_id;
	r = begin(&maker, EVENT_FORK);
	r->fork.child_tgid = child->tgid;
	r->fork.child_ns_tgid = child->ns_tgid;
	r->fork.child_ns_level = child->ns_level;
	r->fork.child_start_ns = child->start_ns;
	r->fork.child_cgroup_id = child->cgroup;
	r->fork.parent_tgid = maker.tgid;
	r->fork.ns = child->ns;
	r->fork.clone_flags = (flags & 1 ? CLONE_NEWPID : 0) | (flags & 2 ? CLONE_NEWNS : 0) | (flags & 4 ? CLONE_NEWNET : 0);
	tell(w, r, sizeof(r->fork));
}

/* "%" is the id that the operation chooses. */
static const struct program {
	const char *file;
	enum event_role role;
	const char *argv[8];
} programs[] = {
	{ "/usr/bin/runc", ROLE_RUNTIME, { "runc", "--root", "/run/runc", "create", "--bundle", "/b", "%" } },
	{ "/usr/bin/runc", ROLE_RUNTIME, { "runc", "init" } },
	{ "/bin/sh", ROLE_PAYLOAD, { "sh", "-c", "true" } },
	{ "/usr/bin/containerd-shim-runc-v2", ROLE_SHIM, { "containerd-shim-runc-v2", "-namespace", "moby", "-id", "%", "start" } },
	{ "/usr/bin/containerd-shim-runc-v2", ROLE_SHIM, { "containerd-shim-runc-v2", "-namespace", "moby", "-id", "%" } },
	{ "/usr/bin/runc", ROLE_RUNTIME, { "runc", "--root", "/run/runc", "start", "%" } },
	{ "/usr/bin/runc", ROLE_RUNTIME, { "runc", "--root", "/run/runc", "kill", "%", "9" } },
	{ "/usr/bin/runc", ROLE_RUNTIME, { "runc", "--root", "/run/runc", "delete", "%" } },
	{ "/usr/bin/runc", ROLE_RUNTIME, { "runc", "exec", "%", "ls" } },
	{ "/usr/bin/crun", ROLE_RUNTIME, { "crun", "run", "%" } },
	{ "/usr/bin/conmon", ROLE_SHIM, { "conmon", "-c", "%", "-n", "name", "-b", "/b" } },
	{ "/usr/bin/docker", ROLE_CLI, { "docker", "run", "image" } },
	{ "/usr/bin/ctr", ROLE_CLI, { "ctr", "run", "image", "%" } },
	{ "/usr/bin/dockerd", ROLE_ENGINE, { "dockerd" } },
	{ "/usr/bin/podman", ROLE_ENGINE, { "podman", "run", "image" } },
	{ "/usr/bin/ctrace", ROLE_RUNTIME, { "ctrace", "run", "image" } },
	{ "/usr/bin/containerd", ROLE_CONTAINERD, { "containerd" } },
	{ "/sbin/iptables", ROLE_HELPER, { "iptables", "-A", "x" } },
	{ "/bin/cat", ROLE_NONE, { "cat" } },
};

static uint32_t put_argv(char *to, const struct program *program, uint8_t which)
{
	char *p = to;

	for (size_t i = 0; i < ARRAY_SIZE(program->argv) && program->argv[i]; i++)
		p = stpcpy(p, program->argv[i][0] == '%' ? ids[which % ARRAY_SIZE(ids)] : program->argv[i]) + 1;
	return (uint32_t)(p - to);
}

static void do_exec(struct world *w, struct world_process *p, uint8_t program, uint8_t which)
{
	const struct program *run = &programs[program % ARRAY_SIZE(programs)];
	union record *r;

	p->role = (uint8_t)run->role;
	memset(p->comm, 0, sizeof(p->comm));
	strncpy(p->comm, strrchr(run->file, '/') + 1, sizeof(p->comm) - 1);
	r = begin(p, EVENT_EXEC);
	r->exec.parent_tgid = p->parent;
	r->exec.ns = p->ns;
	strcpy(r->exec.filename, run->file);
	r->exec.argv_length = r->exec.argv_total = put_argv(r->exec.argv, run, which);
	tell(w, r, offsetof(struct event_exec, argv) + r->exec.argv_length);
}

static void do_exit(struct world *w, struct world_process *p, uint8_t status)
{
	union record *r = begin(p, EVENT_EXIT);

	r->exit.exit_code = status & 1 ? status >> 1 & 0x3f : (status & 0xfe) << 7;
	r->exit.parent_tgid = p->parent;
	p->alive = false;
	tell(w, r, sizeof(r->exit));
}

/* Processes that nobody knows come and go. */
static void flood(struct world *w, uint8_t many)
{
	struct world_process p = { .ns = { .mnt = ROOT_NS, .pid = ROOT_NS, .net = ROOT_NS }, .comm = "many" };

	for (size_t i = 0; i < (size_t)many * 4 && w->flooded < WORLD_FLOOD_MAX; i++) {
		p.tgid = p.ns_tgid = 1000 + w->flooded++;
		p.start_ns = ++w->now_ns;
		tell(w, begin(&p, EVENT_RENAME), sizeof(struct event_rename));
		tell(w, begin(&p, EVENT_EXIT), sizeof(struct event_exit));
	}
}

/* ---- cgroups ---- */

static void tell_cgroup(struct world *w, const struct world_process *p, const struct world_cgroup *g, enum event_kind kind,
	const struct world_process *target, int32_t value)
{
	union record *r = begin(p, kind);

	r->cgroup.hierarchy = g->hierarchy;
	r->cgroup.id = g->id;
	r->cgroup.level = 2;
	r->cgroup.value = value;
	memcpy(r->cgroup.path, g->path, sizeof(g->path));
	if (target) {
		r->cgroup.target_tgid = r->cgroup.target_tid = target->tgid;
		r->cgroup.target_start_ns = target->start_ns;
	}
	tell(w, r, offsetof(struct event_cgroup, path) + strlen(g->path) + 1);
}

static void do_mkdir(struct world *w, const struct world_process *p, struct world_cgroup *g, uint8_t name)
{
	static const char *const places[] = { "/docker/%s", "/%s", "/machine.slice/libpod-%s.scope", "/docker/%s/sub",
		"/kubepods/burstable/pod12345678-1234-1234-1234-123456789abc/%s", "/other" };

	if (g->exists)
		return;
	g->exists = true;
	g->hierarchy = (name & 0x80) ? HIERARCHY_OTHER : HIERARCHY_MAIN;
	if (!g->id || (name >> 2 & 0x1f) < IDS_AGAIN) /* else that of the one that was here before, as of a hierarchy mounted anew */
		g->id = ++w->next_id;
	snprintf(g->path, sizeof(g->path), places[(name >> 2 & 0x1f) % ARRAY_SIZE(places)], ids[name % ARRAY_SIZE(ids)]);
	tell_cgroup(w, p, g, EVENT_CGROUP_MKDIR, NULL, 0);
}

/* Only an empty one can be removed. */
static void do_rmdir(struct world *w, const struct world_process *p, struct world_cgroup *g)
{
	for (size_t i = 0; i < WORLD_PROCESSES; i++) {
		if (w->processes[i].alive && g->hierarchy == HIERARCHY_MAIN && w->processes[i].cgroup == g->id)
			return;
	}
	if (!g->exists)
		return;
	g->exists = false;
	tell_cgroup(w, p, g, EVENT_CGROUP_RMDIR, NULL, 0);
}

static void do_attach(struct world *w, const struct world_process *p, const struct world_cgroup *g,
	struct world_process *target)
{
	if (!g->exists || target == &w->processes[0]) /* which never leaves */
		return;
	if (g->hierarchy == HIERARCHY_MAIN)
		target->cgroup = g->id;
	tell_cgroup(w, p, g, EVENT_CGROUP_ATTACH, target, 0);
}

/* ---- what else happens ---- */

static void do_signal(struct world *w, const struct world_process *p, const struct world_process *target, uint8_t number)
{
	union record *r = begin(p, EVENT_SIGNAL);

	r->signal.signal = number % 32 + 1;
	r->signal.code = number & 0x80 ? 0x80 : 0;
	r->signal.group = 1;
	r->signal.target_tgid = r->signal.target_tid = target->tgid;
	r->signal.target_ns_tgid = target->ns_tgid;
	r->signal.target_ns_level = target->ns_level;
	r->signal.target_start_ns = target->start_ns;
	r->signal.target_cgroup_id = target->cgroup;
	r->signal.target_role = target->role;
	memcpy(r->signal.target_comm, target->comm, sizeof(target->comm));
	tell(w, r, sizeof(r->signal));
}

static void do_oom(struct world *w, const struct world_process *p, const struct world_process *victim,
	const struct world_cgroup *g)
{
	union record *r = begin(p, EVENT_OOM_VICTIM);

	r->oom.victim_tgid = victim->tgid;
	r->oom.victim_ns_tgid = victim->ns_tgid;
	r->oom.victim_ns_level = victim->ns_level;
	r->oom.victim_start_ns = victim->start_ns;
	r->oom.victim_cgroup_id = victim->cgroup;
	r->oom.page_size = 4096;
	r->oom.memory_hierarchy = g->hierarchy;
	r->oom.levels = 1;
	r->oom.limit_id = r->oom.chain[0].id = g->id;
	r->oom.chain[0].usage_pages = r->oom.chain[0].limit_pages = 4096;
	memcpy(r->oom.victim_comm, victim->comm, sizeof(victim->comm));
	tell(w, r, sizeof(r->oom));
}

/* Enters a call, or leaves it: both by one operation, or with others in between. */
static void do_call(struct world *w, const struct world_process *p, uint8_t op, uint8_t how)
{
	static const char *const places[] = { "/b/rootfs", "/proc", "/dev", ".", "/var/lib/docker/overlay2/1/merged" };
	union record *r;

	if (how & 1) {
		r = begin(p, EVENT_SYSCALL_ENTER);
		r->enter.op = op % OP_MAX;
		r->enter.mnt_ns = p->ns.mnt;
		strcpy(r->enter.a, places[(how >> 4) % ARRAY_SIZE(places)]);
		strcpy(r->enter.b, places[(how >> 3) % ARRAY_SIZE(places)]);
		strcpy(r->enter.c, "tmpfs");
		tell(w, r, offsetof(struct event_syscall_enter, path));
	}
	if (how & 2) {
		r = begin(p, EVENT_SYSCALL_EXIT);
		r->leave.op = op % OP_MAX;
		r->leave.result = how & 4 ? -13 : 0;
		r->h.flags = how & 8 ? EVENT_F_CPU : 0;
		r->leave.on_cpu_ns = how * 1000;
		tell(w, r, offsetof(struct event_syscall_exit, blocked_ns));
	}
}

static void do_write(struct world *w, const struct world_process *p, const struct world_cgroup *g, uint8_t what)
{
	static const char *const files[] = { "memory.max", "cpu.max", "pids.max", "cgroup.procs", "memory.limit_in_bytes",
		"freezer.state", "cgroup.kill" };
	union record *r = begin(p, EVENT_CGROUP_WRITE);

	r->write.hierarchy = g->hierarchy;
	r->write.id = g->id;
	r->write.length = 3;
	strcpy(r->write.file, files[what % ARRAY_SIZE(files)]);
	strcpy(r->write.value, what & 0x40 ? "max\n" : "100");
	tell(w, r, offsetof(struct event_cgroup_write, value) + strlen(r->write.value) + 1);
	do_call(w, p, OP_WRITE, what & 0x80 ? 2 : 6);
}

static void do_request(struct world *w, const struct world_process *p, uint8_t what, uint8_t which)
{
	static const char *const requests[] = { "POST /v1.41/containers/create?name=n HTTP/1.1\r\n\r\n{\"Image\":\"image\"}",
		"POST /v1.41/containers/%s/start HTTP/1.1\r\n\r\n", "DELETE /v1.41/containers/%s HTTP/1.1\r\n\r\n",
		"POST /v1.41/images/create?fromImage=image HTTP/1.1\r\n\r\n" };
	union record *r = begin(p, what & 1 ? EVENT_RESPONSE : EVENT_REQUEST);
	const char *format = what & 1 ? "HTTP/1.1 201 Created\r\n\r\n{\"Id\":\"%s\"}" : requests[(what >> 1) % ARRAY_SIZE(requests)];

	r->request.fd = 5;
	snprintf(r->request.data, sizeof(r->request.data), format, ids[which % ARRAY_SIZE(ids)]);
	r->request.total = r->request.length = (uint32_t)strlen(r->request.data);
	strcpy(r->request.peer, "/run/docker.sock");
	tell(w, r, offsetof(struct event_request, data) + r->request.length + 1);
}

static void do_rename(struct world *w, struct world_process *p, uint8_t what)
{
	static const char *const names[] = { "runc:[1:CHILD]", "runc:[2:INIT]", "other", "dockerd" };
	union record *r = begin(p, EVENT_RENAME);

	memset(p->comm, 0, sizeof(p->comm));
	strcpy(p->comm, names[what % ARRAY_SIZE(names)]);
	memcpy(r->rename.new_comm, p->comm, sizeof(p->comm));
	tell(w, r, sizeof(r->rename));
}

static void do_loss(struct world *w, uint8_t kind, uint8_t many)
{
	union record *r = begin(&w->processes[0], EVENT_LOST);

	r->lost.lost_kind = kind % 48;
	r->lost.reason = 1 + kind % LOSS_UNWATCHED;
	r->lost.count = many & 1 ? ++w->losses : w->losses / 2; /* totals; one of another kind may be lower */
	tell(w, r, sizeof(r->lost));
}

static void do_armed(struct world *w, const struct world_process *p, uint8_t what, uint8_t ago)
{
	union record *r = begin(p, EVENT_ARMED);

	r->armed.armed = what % 3;
	r->armed.sentinel_ns = w->now_ns - ago * UINT64_C(1000);
	tell(w, r, sizeof(r->armed));
}

static void do_meta(struct world *w, uint8_t which, uint8_t key)
{
	static const char *const keys[] = { "name", "image", "engine", "pod", "namespace", "label.a", "label.b" };
	union record *r = begin(&w->processes[0], EVENT_META);
	char *value;

	strcpy(r->meta.id, ids[which % ARRAY_SIZE(ids)]);
	if (strlen(ids[which % ARRAY_SIZE(ids)]) >= sizeof(r->meta.id))
		return;
	value = stpcpy(r->meta.text, keys[key % ARRAY_SIZE(keys)]) + 1;
	value = stpcpy(value, "value") + 1;
	tell(w, r, (size_t)(value - r->bytes));
}

/* What an id stands for: the namespace of some process, or none any more. */
static void do_netns(struct world *w, uint8_t what, uint8_t index)
{
	union record *r = begin(&w->processes[0], EVENT_NETNS);

	r->netns.netns_id = index / 64;
	r->netns.inode = what % 4 ? w->processes[what % WORLD_PROCESSES].ns.net : 0;
	tell(w, r, sizeof(r->netns));
}

static void do_link(struct world *w, uint8_t what, uint8_t index)
{
	static const uint32_t actions[] = { 16, 17, 20, 21, 24 };
	union record *r = begin(&w->processes[0], EVENT_LINK);

	r->link.action = actions[what % ARRAY_SIZE(actions)];
	r->link.ifindex = index % 8 + 1;
	r->link.peer_ifindex = index / 8 % 8;
	r->link.netns_id = index / 64 - 1;
	r->h.flags = what >= 128 && index >= 64 ? EVENT_F_IN_NETNS : 0;
	strcpy(r->link.name, "veth0");
	strcpy(r->link.kind, "veth");
	strcpy(r->link.address, "172.17.0.2/16");
	tell(w, r, sizeof(r->link));
}

static void do_value(struct world *w, const struct world_cgroup *g, uint8_t more)
{
	union record *r = begin(&w->processes[0], EVENT_CGROUP_VALUE);

	r->value.hierarchy = g->hierarchy;
	r->value.id = g->id;
	strcpy(r->value.file, "cpu.stat");
	snprintf(r->value.value, sizeof(r->value.value), "nr_periods %u\nnr_throttled %u\nthrottled_usec %u\n", more * 2U,
		(unsigned)more, more * 100U);
	tell(w, r, offsetof(struct event_cgroup_value, value) + strlen(r->value.value) + 1);
}

/* What is there is told as found; who comes later is seen live. */
static void do_snapshot(struct world *w, uint8_t what)
{
	for (size_t i = 0; i < WORLD_CGROUPS; i++) {
		if (w->cgroups[i].exists)
			tell_cgroup(w, &w->processes[0], &w->cgroups[i], EVENT_SNAPSHOT_CGROUP, NULL, 0);
	}
	for (size_t i = 0; i < WORLD_PROCESSES; i++) {
		const struct world_process *p = &w->processes[i];
		union record *r;

		if (!p->alive)
			continue;
		r = begin(p, EVENT_SNAPSHOT_TASK);
		r->task.parent_tgid = p->parent;
		r->task.ns = p->ns;
		strcpy(r->task.exe, "/bin/x");
		r->task.argv_length = put_argv(r->task.argv, &programs[(what + i) % ARRAY_SIZE(programs)], what);
		tell(w, r, offsetof(struct event_task, argv) + r->task.argv_length);
	}
	tell(w, begin(&w->processes[0], EVENT_SNAPSHOT_END), sizeof(struct event));
}

/* ---- the story ---- */

void world_init(struct world *w, world_sink *sink, void *arg)
{
	*w = (struct world){ .sink = sink, .arg = arg, .now_ns = 1000000000, .next_id = 4026531000 };
	w->processes[0] = (struct world_process){ .alive = true, .tgid = 1, .ns_tgid = 1, .start_ns = 1, .cgroup = 1,
		.ns = { .mnt = ROOT_NS, .pid = ROOT_NS, .net = ROOT_NS }, .comm = "systemd" };
}

/* The one that is meant, or the next one that is alive. */
static struct world_process *choose(struct world *w, uint8_t which)
{
	for (size_t i = 0; i < WORLD_PROCESSES; i++) {
		struct world_process *p = &w->processes[(which + i) % WORLD_PROCESSES];

		if (p->alive)
			return p;
	}
	return &w->processes[0];
}

static void play_step(struct world *w, const struct world_step *s)
{
	struct world_process *p = choose(w, s->a), *other = choose(w, s->b);
	struct world_cgroup *g = &w->cgroups[s->b % WORLD_CGROUPS];

	switch ((enum world_op)(s->op % WORLD_OPS)) {
	case WORLD_FORK: do_fork(w, p, s->b, s->c); break;
	case WORLD_EXEC: if (p != &w->processes[0]) do_exec(w, p, s->b, s->c); break;
	case WORLD_EXIT: if (p != &w->processes[0]) do_exit(w, p, s->b); break;
	case WORLD_MKDIR: do_mkdir(w, p, g, s->c); break;
	case WORLD_RMDIR: do_rmdir(w, p, g); break;
	case WORLD_ATTACH: do_attach(w, p, g, choose(w, s->c)); break;
	case WORLD_FREEZE: if (g->exists) tell_cgroup(w, p, g, EVENT_CGROUP_FROZEN, NULL, s->c & 1); break;
	case WORLD_SIGNAL: do_signal(w, p, other, s->c); break;
	case WORLD_OOM: do_oom(w, p, other, &w->cgroups[s->c % WORLD_CGROUPS]); break;
	case WORLD_CALL: do_call(w, p, s->b, s->c); break;
	case WORLD_WRITE: if (g->exists) do_write(w, p, g, s->c); break;
	case WORLD_REQUEST: do_request(w, p, s->b, s->c); break;
	case WORLD_RENAME: do_rename(w, p, s->b); break;
	case WORLD_LOSS: do_loss(w, s->b, s->c); break;
	case WORLD_ARMED: do_armed(w, p, s->b, s->c); break;
	case WORLD_META: do_meta(w, s->b, s->c); break;
	case WORLD_LINK: (s->b & 0x40 ? do_netns : do_link)(w, s->b, s->c); break;
	case WORLD_VALUE: do_value(w, g, s->c); break;
	case WORLD_SNAPSHOT: do_snapshot(w, s->b); break;
	case WORLD_TICK:
		w->now_ns += UINT64_C(4000000) * (s->b + 1);
		tell(w, begin(&w->processes[0], EVENT_TICK), sizeof(struct event));
		break;
	case WORLD_FLOOD: if (s->c == WORLD_FLOOD_KEY) flood(w, s->b); break;
	case WORLD_FAULT:
		w->fault = s->b % FAULT_COUNT;
		w->is_faulty |= w->fault != FAULT_NONE;
		break;
	case WORLD_MOVE: w->now_ns += s->b * UINT64_C(1000) + s->c; break;
	case WORLD_OPS: break;
	}
}

void world_play(struct world *w, const uint8_t *story, size_t size)
{
	for (size_t i = 0; i < WORLD_STEPS_MAX && size >= sizeof(struct world_step); i++) {
		struct world_step s;

		memcpy(&s, story, sizeof(s));
		story += sizeof(s);
		size -= sizeof(s);
		play_step(w, &s);
	}
}

void world_end(struct world *w)
{
	w->fault = FAULT_NONE;
	for (size_t i = 1; i < WORLD_PROCESSES; i++) {
		if (w->processes[i].alive)
			do_exit(w, &w->processes[i], 0);
	}
	for (size_t i = WORLD_CGROUPS; i-- > 0;)
		do_rmdir(w, &w->processes[0], &w->cgroups[i]);
	for (int i = 0; i < 4; i++) {
		w->now_ns += 1000000000;
		tell(w, begin(&w->processes[0], EVENT_TICK), sizeof(struct event));
	}
}

/* Processes in the order of their making: 1 shim, 2 runc, 3 runc init and later the payload. */
const struct world_step world_story[] = {
	{ WORLD_FORK, 0, 0, 0 }, { WORLD_EXEC, 1, 3, 0 }, { WORLD_FORK, 1, 0, 1 }, { WORLD_EXEC, 2, 0, 0 },
	{ WORLD_MKDIR, 2, 0, 0 }, { WORLD_MKDIR, 2, 1, 0x80 }, { WORLD_WRITE, 2, 0, 0x81 }, { WORLD_FORK, 2, 7, 2 },
	{ WORLD_ATTACH, 2, 0, 3 }, { WORLD_RENAME, 3, 1, 0 }, { WORLD_CALL, 3, OP_MOUNT, 0x13 }, { WORLD_CALL, 3, OP_PIVOT_ROOT, 3 },
	{ WORLD_CALL, 3, OP_SECCOMP, 3 }, { WORLD_EXEC, 3, 2, 0 }, { WORLD_EXIT, 2, 0, 0 }, { WORLD_TICK, 0, 50, 0 },
	{ WORLD_META, 0, 0, 0 }, { WORLD_META, 0, 0, 1 }, { WORLD_VALUE, 0, 0, 9 }, { WORLD_OOM, 3, 3, 0 },
	{ WORLD_SIGNAL, 0, 3, 8 }, { WORLD_EXIT, 3, 19, 0 }, { WORLD_RMDIR, 1, 0, 0 }, { WORLD_RMDIR, 1, 1, 0 },
	{ WORLD_EXIT, 1, 0, 0 }, { WORLD_TICK, 0, 200, 0 }, { WORLD_TICK, 0, 200, 0 },
	/* the second, which stays */
	{ WORLD_FORK, 0, 0, 3 }, { WORLD_EXEC, 1, 3, 1 }, { WORLD_FORK, 1, 0, 4 }, { WORLD_EXEC, 2, 0, 1 },
	{ WORLD_MKDIR, 2, 2, 1 }, { WORLD_FORK, 2, 7, 5 }, { WORLD_ATTACH, 2, 2, 3 }, { WORLD_EXEC, 3, 2, 1 },
	{ WORLD_EXIT, 2, 0, 0 }, { WORLD_LOSS, 0, 1, 1 }, { WORLD_WRITE, 1, 2, 0x80 }, { WORLD_FREEZE, 1, 2, 1 },
	{ WORLD_FREEZE, 1, 2, 0 }, { WORLD_TICK, 0, 30, 0 },
};
const size_t world_story_size = sizeof(world_story);
