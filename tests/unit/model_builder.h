/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TEST_MODEL_BUILDER_H
#define CTRACE_TEST_MODEL_BUILDER_H

/* Containers made by hand, for the tests of the views. Times are microseconds since MB_START. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/model.h"
#include "util/array.h"

#define MB_START 1000000000000ULL
#define MB_NS(us) (MB_START + (uint64_t)(us) * 1000)

static struct detail *mb_detail(struct details *d, const char *key, enum detail_type type, const char *text,
	int64_t number)
{
	struct detail *item;

	d->items = xrealloc(d->items, (d->count + 1) * sizeof(*d->items));
	item = &d->items[d->count++];
	*item = (struct detail){ .key = key, .type = type };
	if (type == DETAIL_TEXT || type == DETAIL_LIST)
		item->text = text ? xstrdup(text) : NULL;
	else
		item->number = number;
	return item;
}

static struct container *mb_container(const char *id)
{
	struct container *c = xcalloc(1, sizeof(*c));

	c->id = xstrdup(id);
	return c;
}

__attribute__((unused)) static int mb_actor(struct container *c, enum actor_role role, uint32_t pid, const char *comm, int parent,
	double start, double end)
{
	struct actor *a;

	array_grow(c->actors, c->actor_count, c->actor_capacity);
	a = &c->actors[c->actor_count];
	*a = (struct actor){ .role = role, .pid = pid, .parent = parent, .start_ns = MB_NS(start),
		.end_ns = end > 0 ? MB_NS(end) : 0, .end_edge = end > 0 ? EDGE_OBSERVED : EDGE_OPEN };
	strncpy(a->comm, comm, sizeof(a->comm) - 1);
	return (int)c->actor_count++;
}

__attribute__((unused)) static void mb_argv(struct container *c, int actor, const char *exe, ...)
{
	struct actor *a = &c->actors[actor];
	const char *arg;
	size_t n = 0;
	va_list ap;

	a->exe = xstrdup(exe);
	a->argv = xcalloc(32, sizeof(*a->argv));
	va_start(ap, exe);
	while ((arg = va_arg(ap, const char *)) && n < 31)
		a->argv[n++] = xstrdup(arg);
	va_end(ap);
}

/* Pairs of key and text follow, ended by NULL; a key that begins with '*' is a list. */
__attribute__((unused)) static struct step *mb_step(struct container *c, enum step_kind kind, enum phase phase, int actor, double start,
	double length, ...)
{
	const char *key, *text;
	struct step *s;
	va_list ap;

	array_grow(c->steps, c->step_count, c->step_capacity);
	s = &c->steps[c->step_count++];
	*s = (struct step){ .kind = kind, .phase = phase, .actor = actor, .start_ns = MB_NS(start),
		.end_ns = MB_NS(start + length), .has_result = true, .tid = actor >= 0 ? c->actors[actor].pid : 0 };
	va_start(ap, length);
	while ((key = va_arg(ap, const char *))) {
		text = va_arg(ap, const char *);
		if (key[0] == '*')
			mb_detail(&s->details, key + 1, DETAIL_LIST, text, 0);
		else
			mb_detail(&s->details, key, DETAIL_TEXT, text, 0);
	}
	va_end(ap);
	return s;
}

/* Functions are split by '\x1f', NULL = unknown. */
__attribute__((unused)) static void mb_times(struct step *s, double on_cpu, double run_queue, double blocked, const char *functions)
{
	s->times = xcalloc(1, sizeof(*s->times));
	*s->times = (struct step_times){ (uint64_t)(on_cpu * 1000), (uint64_t)(run_queue * 1000), (uint64_t)(blocked * 1000),
		(uint64_t)(blocked * 1000), functions ? xstrdup(functions) : NULL };
}

__attribute__((unused)) static struct mark *mb_mark(struct container *c, enum mark_kind kind, double at)
{
	array_grow(c->marks, c->mark_count, c->mark_capacity);
	c->marks[c->mark_count] = (struct mark){ .kind = kind, .at_ns = MB_NS(at) };
	return &c->marks[c->mark_count++];
}

__attribute__((unused)) static void mb_limit(struct container *c, const char *file, const char *value, double at)
{
	array_grow(c->limits, c->limit_count, c->limit_capacity);
	c->limits[c->limit_count++] = (struct limit){ xstrdup(file), xstrdup(value), MB_NS(at) };
}

__attribute__((unused)) static void mb_gap(struct container *c, double start, double end, int before)
{
	array_grow(c->gaps, c->gap_count, c->gap_capacity);
	c->gaps[c->gap_count++] = (struct gap){ MB_NS(start), MB_NS(end), before };
}

__attribute__((unused)) static void mb_cgroup(struct container *c, const char *controller, const char *path, uint64_t id)
{
	array_grow(c->cgroups, c->cgroup_count, c->cgroup_capacity);
	c->cgroups[c->cgroup_count++] = (struct container_cgroup){ .controller = controller,
		.path = xstrdup(path), .hierarchy = 5, .id = id };
}

static int mb_compare_phases(const void *a, const void *b)
{
	const struct phase_span *x = a, *y = b;

	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* Phases from the steps, one per phase, as timeline.c makes them; RUN from started_ns to the exit. */
static void mb_settle(struct container *c)
{
	for (int p = 0; p < PHASE_COUNT; p++) {
		struct phase_span span = { .phase = (enum phase)p };

		for (size_t i = 0; i < c->step_count; i++) {
			const struct step *s = &c->steps[i];

			if (s->phase != span.phase)
				continue;
			if (!span.steps++ || s->start_ns < span.start_ns)
				span.start_ns = s->start_ns;
			if (s->end_ns > span.end_ns)
				span.end_ns = s->end_ns;
			span.busy_ns += s->end_ns - s->start_ns;
			span.failed += s->result < 0;
		}
		if (span.phase == PHASE_RUN && c->started_ns) {
			span.start_ns = c->started_ns;
			span.end_ns = c->exit.known ? c->exit.at_ns : c->last_ns;
			span.end_edge = c->exit.known ? EDGE_OBSERVED : EDGE_OPEN;
		} else if (!span.steps) {
			continue;
		}
		array_grow(c->phases, c->phase_count, c->phase_capacity);
		c->phases[c->phase_count++] = span;
	}
	qsort(c->phases, c->phase_count, sizeof(c->phases[0]), mb_compare_phases);
}

static void mb_free_details(struct details *d)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->items[i].type == DETAIL_TEXT || d->items[i].type == DETAIL_LIST)
			free(d->items[i].text);
	}
	free(d->items);
}

__attribute__((unused)) static void mb_free(struct container *c)
{
	for (size_t i = 0; i < c->actor_count; i++) {
		for (size_t k = 0; c->actors[i].argv && c->actors[i].argv[k]; k++)
			free(c->actors[i].argv[k]);
		free(c->actors[i].argv);
		free(c->actors[i].exe);
	}
	for (size_t i = 0; i < c->step_count; i++) {
		mb_free_details(&c->steps[i].details);
		free(c->steps[i].times ? c->steps[i].times->blocked_in : NULL);
		free(c->steps[i].times);
	}
	for (size_t i = 0; i < c->mark_count; i++)
		mb_free_details(&c->marks[i].details);
	for (size_t i = 0; i < c->limit_count; i++) {
		free(c->limits[i].file);
		free(c->limits[i].value);
	}
	for (size_t i = 0; i < c->cgroup_count; i++)
		free(c->cgroups[i].path);
	free(c->actors);
	free(c->steps);
	free(c->phases);
	free(c->gaps);
	free(c->marks);
	free(c->limits);
	free(c->cgroups);
	free(c->exit.sender_container);
	free(c->id);
	free(c->name);
	free(c->image);
	free(c->engine);
	free(c->runtime);
	free(c->pod);
	free(c->bundle);
	free(c);
}

#define MB_ID "9c7c3f0a1b2c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6"
#define MB_CG "/docker/" MB_ID

/* `docker run --rm --memory 256m busybox true`, as far as to the exec of init. */
static struct container *mb_docker_start(void)
{
	static const struct { const char *source, *target, *type, *flags, *data; } mounts[] = {
		{ "none", "/", NULL, "MS_SLAVE\x1fMS_REC", NULL },
		{ "/var/lib/docker/overlay2/ab/merged", "/var/lib/docker/overlay2/ab/merged", "bind", "MS_BIND\x1fMS_REC", NULL },
		{ "proc", "/proc", "proc", "MS_NOSUID\x1fMS_NODEV\x1fMS_NOEXEC", NULL },
		{ "tmpfs", "/dev", "tmpfs", "MS_NOSUID\x1fMS_STRICTATIME", "mode=755,size=65536k" },
		{ "devpts", "/dev/pts", "devpts", "MS_NOSUID\x1fMS_NOEXEC", "newinstance,ptmxmode=0666,mode=0620,gid=5" },
		{ "sysfs", "/sys", "sysfs", "MS_RDONLY\x1fMS_NOSUID\x1fMS_NODEV\x1fMS_NOEXEC", NULL },
		{ "tmpfs", "/sys/fs/cgroup", "tmpfs", "MS_NOSUID\x1fMS_NODEV\x1fMS_NOEXEC", "mode=755" },
		{ "mqueue", "/dev/mqueue", "mqueue", "MS_NOSUID\x1fMS_NODEV\x1fMS_NOEXEC", NULL },
		{ "shm", "/dev/shm", "tmpfs", "MS_NOSUID\x1fMS_NODEV\x1fMS_NOEXEC", "mode=1777,size=67108864" },
		{ "/var/lib/docker/containers/9c7c/resolv.conf", "/etc/resolv.conf", "bind", "MS_BIND\x1fMS_REC", NULL },
		{ "/dev/null", "/proc/kcore", "bind", "MS_BIND", NULL },
		{ "/proc/sys", "/proc/sys", NULL, "MS_BIND\x1fMS_REC", NULL },
		{ "/proc/sys", "/proc/sys", NULL, "MS_RDONLY\x1fMS_REMOUNT\x1fMS_BIND\x1fMS_REC", NULL },
	};
	static const struct { const char *file, *value; } writes[] = {
		{ "cgroup.procs", "8850" }, { "cpuset.cpus", "0-1" }, { "memory.limit_in_bytes", "268435456" },
		{ "memory.memsw.limit_in_bytes", "536870912" }, { "cpu.cfs_quota_us", "50000" },
		{ "pids.max", "100" }, { "devices.deny", "a" }, { "devices.allow", "c 1:3 rwm" },
	};
	struct container *c = mb_container(MB_ID);
	int cli = mb_actor(c, ACTOR_CLI, 8801, "docker", -1, 0, 612000);
	int dockerd = mb_actor(c, ACTOR_ENGINE, 612, "dockerd", -1, 4000, 0);
	int containerd = mb_actor(c, ACTOR_CONTAINERD, 590, "containerd", -1, 130000, 0);
	int shim = mb_actor(c, ACTOR_SHIM, 8840, "containerd-shim", containerd, 160000, 590000);
	int runc = mb_actor(c, ACTOR_RUNTIME, 8850, "runc", shim, 210000, 330000);
	int stage = mb_actor(c, ACTOR_RUNTIME, 8856, "runc:[1:CHILD]", runc, 243000, 251000);
	int init = mb_actor(c, ACTOR_INIT, 8857, "true", stage, 250000, 412000);
	int start = mb_actor(c, ACTOR_RUNTIME, 8870, "runc", shim, 365000, 409000);
	int del = mb_actor(c, ACTOR_RUNTIME, 8890, "runc", shim, 430000, 470000);
	char at[64];

	c->name = xstrdup("web");
	c->image = xstrdup("busybox:latest");
	c->engine = xstrdup("docker");
	c->runtime = xstrdup("runc");
	mb_argv(c, cli, "/usr/bin/docker", "docker", "run", "--rm", "--memory", "256m", "busybox", "true", NULL);
	mb_argv(c, runc, "/usr/sbin/runc", "runc", "--root", "/run/r", "create", "--bundle", "/b", MB_ID, NULL);
	mb_argv(c, start, "/usr/sbin/runc", "runc", "--root", "/run/r", "start", MB_ID, NULL);
	mb_argv(c, del, "/usr/sbin/runc", "runc", "--root", "/run/r", "delete", MB_ID, NULL);
	c->actors[shim].exe = xstrdup("/usr/bin/containerd-shim-runc-v2");
	c->actors[dockerd].is_shared = c->actors[containerd].is_shared = true;
	c->namespaces = (struct event_namespaces){ .mnt = 4026532180, .pid = 4026532183, .net = 4026532185,
		.uts = 4026532181, .ipc = 4026532182, .cgroup = 4026531835, .user = 4026531837 };
	mb_cgroup(c, "memory", MB_CG, 5059);
	mb_cgroup(c, "cpu,cpuacct", MB_CG, 812);

	mb_detail(&mb_step(c, STEP_REQUEST, PHASE_REQUEST, cli, 3000, 78000, "method", "POST", "path",
		"/v1.41/containers/create", NULL)->details, "status", DETAIL_NUMBER, NULL, 201);
	mb_step(c, STEP_MOUNT, PHASE_ROOTFS, dockerd, 40000, 420, "source", "overlay", "target",
		"/var/lib/docker/overlay2/ab/merged", "fstype", "overlay", "data",
		"lowerdir=/var/lib/docker/overlay2/l/AB,upperdir=ab/diff,workdir=ab/work", NULL);
	mb_step(c, STEP_REQUEST, PHASE_REQUEST, cli, 83000, 325000, "method", "POST", "path",
		"/v1.41/containers/" MB_ID "/start", NULL);
	mb_step(c, STEP_VETH, PHASE_NETWORK, dockerd, 95000, 0, "name", "veth12ab34c", "kind", "veth", NULL)->end_edge = EDGE_INFERRED;
	mb_step(c, STEP_ADDRESS, PHASE_NETWORK, -1, 121000, 0, "address", "172.17.0.2/16", NULL);
	mb_step(c, STEP_EXEC, PHASE_NAMESPACES, runc, 210000, 900, "path", "/usr/sbin/runc", "*argv", "runc\x1f" "create", NULL);
	mb_step(c, STEP_EXEC, PHASE_NAMESPACES, runc, 228000, 400, "path", "/proc/self/fd/6", "*argv", "runc\x1finit", NULL);
	for (int i = 0; i < 5; i++)
		mb_step(c, STEP_CGROUP_MKDIR, PHASE_CGROUP, runc, 231000 + i * 200, 90, "controller",
			i % 2 ? "memory" : "pids", "path", MB_CG, NULL);
	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		mb_step(c, STEP_CGROUP_WRITE, PHASE_CGROUP, runc, 233000 + (double)i * 700, 120, "file", writes[i].file,
			"value", writes[i].value, "path", MB_CG, NULL);
		if (i && i < 6)
			mb_limit(c, writes[i].file, writes[i].value, 233000 + (double)i * 700);
	}
	mb_step(c, STEP_UNSHARE, PHASE_NAMESPACES, stage, 243200, 610, "*flags",
		"CLONE_NEWNS\x1f" "CLONE_NEWUTS\x1f" "CLONE_NEWIPC\x1f" "CLONE_NEWPID\x1f" "CLONE_NEWNET", NULL);
	mb_step(c, STEP_CLONE, PHASE_NAMESPACES, stage, 250000, 300, "*flags", "CLONE_PARENT", NULL);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mb_step(c, STEP_MOUNT, PHASE_MOUNTS, init, 262000 + (double)i * 1100, 230, "source", mounts[i].source,
			"target", mounts[i].target, "fstype", mounts[i].type ? mounts[i].type : "none", "*flags", mounts[i].flags,
			"data", mounts[i].data ? mounts[i].data : "", NULL);
	}
	mb_step(c, STEP_PIVOT_ROOT, PHASE_PIVOT, init, 279000, 140, "new_root", ".", "put_old", ".", NULL);
	mb_step(c, STEP_UMOUNT, PHASE_PIVOT, init, 279400, 210, "target", ".", "*flags", "MNT_DETACH", NULL);
	mb_step(c, STEP_SETHOSTNAME, PHASE_HARDEN, init, 281000, 4, "name", "9c7c3f0a1b2c", NULL);
	mb_step(c, STEP_CAPSET, PHASE_HARDEN, init, 283000, 3, NULL);
	mb_step(c, STEP_NO_NEW_PRIVS, PHASE_HARDEN, init, 284000, 1, NULL);
	mb_step(c, STEP_SECCOMP, PHASE_HARDEN, init, 286000, 730, NULL);
	mb_mark(c, MARK_STAGE, 251000);
	mb_detail(&c->marks[0].details, "name", DETAIL_TEXT, "runc:[2:INIT]", 0);
	snprintf(at, sizeof(at), "%d", 0);
	mb_gap(c, 131000, 160000, shim);
	mb_gap(c, 290000, 365000, start);
	c->first_ns = MB_NS(0);
	c->created_ns = MB_NS(210000);
	c->pid = 8857;
	c->init_start_ns = MB_NS(250000);
	return c;
}

static void mb_teardown(struct container *c, double exit_at)
{
	for (int i = 0; i < 5; i++)
		mb_step(c, STEP_CGROUP_RMDIR, PHASE_TEARDOWN, 8, exit_at + 25000 + i * 700, 160, "path", MB_CG, NULL);
	mb_step(c, STEP_UMOUNT, PHASE_TEARDOWN, 1, exit_at + 120000, 900, "target", "/var/lib/docker/overlay2/ab/merged", NULL);
	c->last_ns = MB_NS(exit_at + 200000);
	c->actors[0].end_ns = c->last_ns;
	c->actors[6].end_ns = MB_NS(exit_at);
	c->actors[8].start_ns = MB_NS(exit_at + 18000);
	c->actors[8].end_ns = MB_NS(exit_at + 58000);
	c->actors[3].end_ns = MB_NS(exit_at + 170000);
	c->state = STATE_EXITED;
	c->exit.known = true;
	c->exit.at_ns = MB_NS(exit_at);
}

__attribute__((unused)) static struct container *mb_docker_run(double run_us)
{
	struct container *c = mb_docker_start();

	mb_step(c, STEP_EXEC, PHASE_EXEC, 6, 408000, 500, "path", "/bin/true", "*argv", "true", NULL);
	c->started_ns = MB_NS(408500);
	mb_teardown(c, 408500 + run_us);
	mb_settle(c);
	return c;
}

__attribute__((unused)) static struct container *mb_oom(void)
{
	struct container *c = mb_docker_start();
	struct mark *m;

	mb_step(c, STEP_EXEC, PHASE_EXEC, 6, 408000, 500, "path", "/bin/stress", "*argv", "stress\x1f-m\x1f" "1g", NULL);
	c->started_ns = MB_NS(408500);
	mb_teardown(c, 950000);
	c->exit.code = 137;
	c->exit.signal = 9;
	c->exit.oom = true;
	m = mb_mark(c, MARK_OOM_KILL, 949000);
	mb_detail(&m->details, "victim_pid", DETAIL_NUMBER, NULL, 8857);
	mb_detail(&m->details, "victim_comm", DETAIL_TEXT, "stress", 0);
	mb_detail(&m->details, "limit_cgroup", DETAIL_TEXT, MB_CG, 0);
	mb_detail(&m->details, "limit_bytes", DETAIL_U64, NULL, 268435456);
	mb_detail(&m->details, "usage_bytes", DETAIL_U64, NULL, 268431360);
	mb_settle(c);
	return c;
}

__attribute__((unused)) static struct container *mb_failed_start(void)
{
	struct container *c = mb_docker_start();
	struct step *s = mb_step(c, STEP_EXEC, PHASE_EXEC, 6, 408000, 40, "path", "/nosuch", NULL);

	s->result = -2;
	mb_teardown(c, 410000);
	c->exit = (struct exit_info){ 0 };
	mb_settle(c);
	return c;
}

#endif
