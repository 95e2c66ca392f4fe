/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static void process_free(struct process *p)
{
	if (!p)
		return;
	free(p->argv);
	free(p->exe);
	free(p->state);
	free(p);
}

static void forget_cli(struct timeline *tl, const struct process *p)
{
	for (size_t i = 0; i < tl->cli_count; i++) {
		if (tl->clis[i] == p) {
			tl->clis[i] = tl->clis[--tl->cli_count];
			return;
		}
	}
}

static struct process *dead_at(const struct timeline *tl, size_t age)
{
	return tl->dead_queue[(tl->dead_head + age) % DEAD_MAX];
}

/* It was not touched while thousands of others died: the memory of those that follow is fetched early. */
static void forget_oldest(struct timeline *tl)
{
	enum { AHEAD = 4 };
	struct process *oldest = dead_at(tl, 0);

	__builtin_prefetch(dead_at(tl, 2 * AHEAD));
	__builtin_prefetch(dead_at(tl, AHEAD)->exe);
	__builtin_prefetch(dead_at(tl, AHEAD)->argv);
	map_remove_key_value(&tl->dead, &oldest->id, oldest);
	process_free(oldest);
	tl->dead_head = (tl->dead_head + 1) % DEAD_MAX;
	tl->dead_count--;
}

/* Dead processes stay for a while: they are creators of living ones and senders of signals. */
static void bury(struct timeline *tl, struct process *p)
{
	forget_cli(tl, p);
	p->dead = true;
	if (!p->dead_ns)
		p->dead_ns = tl->now_ns;
	if (!tl->dead_queue)
		tl->dead_queue = xcalloc(DEAD_MAX, sizeof(*tl->dead_queue));
	if (tl->dead_count == DEAD_MAX)
		forget_oldest(tl);
	tl->dead_queue[(tl->dead_head + tl->dead_count++) % DEAD_MAX] = p;
	map_put_key(&tl->dead, &p->id, p); /* one of the same id stays in the queue, which owns it */
}

static struct process *process_new(struct timeline *tl, uint32_t tgid, uint64_t start_ns)
{
	struct process *p = xmalloc(sizeof(*p)), *old; /* not calloc: glibc's takes no piece that was just freed */

	*p = (struct process){ .id = { .tgid = tgid, .start_ns = start_ns } };
	old = map_put_key(&tl->processes, &tgid, p);
	tl->recent = p;
	if (old) { /* the pid is used again: its exit was not seen */
		deaths_unseen(tl, old);
		bury(tl, old);
	}
	return p;
}

struct process *process_find(struct timeline *tl, uint32_t tgid, uint64_t start_ns)
{
	struct process_id id = { .tgid = tgid, .start_ns = start_ns };
	struct process *p = tl->recent;

	if (!p || p->id.tgid != tgid)
		p = map_get_key(&tl->processes, &tgid);
	if (p && (!start_ns || p->id.start_ns == start_ns)) {
		tl->recent = p;
		return p;
	}
	return start_ns ? map_get_key(&tl->dead, &id) : NULL;
}

struct process *process_get(struct timeline *tl, const struct event *h)
{
	struct process *p = process_find(tl, h->tgid, h->start_ns);

	if (!p) {
		p = process_new(tl, h->tgid, h->start_ns);
		p->ns_tgid = h->ns_tgid;
		p->ns_level = h->ns_level;
		p->cgroup_id = h->cgroup_id;
		memcpy(p->comm, h->comm, sizeof(p->comm));
		p->role = h->role;
	}
	p->followed |= h->role == ROLE_FOLLOWED || h->flags & EVENT_F_FOLLOWED;
	return p;
}

struct process *process_creator(struct timeline *tl, const struct process *p)
{
	return p->creator.tgid ? process_find(tl, p->creator.tgid, p->creator.start_ns) : NULL;
}

struct process *process_fork(struct timeline *tl, const struct event_fork *e)
{
	struct process *p = process_new(tl, e->child_tgid, e->child_start_ns);
	/* now, for the oldest of the dead, which it may be in a stream out of order, may have made room */
	const struct process *creator = process_get(tl, &e->h);

	p->creator = creator->id;
	p->followed = creator->followed;
	p->role = creator->role == ROLE_PAYLOAD ? ROLE_NONE : creator->role;
	p->ns_tgid = e->child_ns_tgid;
	p->ns_level = e->child_ns_level;
	p->cgroup_id = e->child_cgroup_id;
	p->ns = e->ns;
	p->fork_ns = e->h.time_ns;
	p->clone_flags = e->clone_flags;
	memcpy(p->comm, e->h.comm, sizeof(p->comm));
	return p;
}

void process_set_argv(struct process *p, const char *argv, size_t length, bool cut)
{
	free(p->argv);
	p->argv = argv_split(argv, length);
	p->argv_cut = cut;
}

static void note_cli(struct timeline *tl, struct process *p)
{
	forget_cli(tl, p);
	if (p->role != ROLE_CLI)
		return;
	if (tl->cli_count < CLI_MAX)
		tl->clis[tl->cli_count++] = p;
	else
		tl->stats.clients_ignored++;
}

void process_add_cpu(struct process *p, const struct event *h, uint64_t on_cpu_ns, uint64_t run_queue_ns)
{
	p->cpu.told = true;
	p->cpu.lacks |= !(h->flags & EVENT_F_CPU);
	p->cpu.on_cpu_ns += on_cpu_ns;
	p->cpu.run_queue_ns += run_queue_ns;
}

/* p's part in the container that *which (of p) named is over: from now on it acts for another one. */
static void act_for(struct timeline *tl, struct process *p, uint64_t *which, uint64_t serial)
{
	struct cont *before = *which != serial ? container_by_serial(tl, *which) : NULL;

	if (before && !before->c.ended)
		container_actor_leaves(before, p, tl->now_ns);
	*which = serial;
}

void process_exec(struct timeline *tl, struct process *p, const struct event_exec *e)
{
	struct process *parent = process_find(tl, e->parent_tgid, 0);
	bool renamed = p->role != e->h.role;

	if (!p->creator.tgid && parent) { /* its fork was before our time, or of no interest */
		p->creator = parent->id;
		p->followed |= parent->followed;
	}
	/* of one that is heard of for the first time, the part begins here */
	if (p->fork_ns || p->exec_ns || p->snapshot)
		process_add_cpu(p, &e->h, e->on_cpu_ns, e->run_queue_ns);

	p->role = e->h.role;
	p->exec_ns = e->h.time_ns;
	p->ns = e->ns;
	p->ns_tgid = e->h.ns_tgid;
	p->ns_level = e->h.ns_level;
	p->cgroup_id = e->h.cgroup_id;
	memcpy(p->comm, e->h.comm, sizeof(p->comm));
	free(p->exe);
	p->exe = xstrndup(e->filename, strnlen(e->filename, sizeof(e->filename)));
	process_set_argv(p, e->argv, e->argv_length, e->argv_length < e->argv_total);
	/* A program with a name of its own starts its own story: what the shell or engine that
	 * executed it was doing is not its doing. But a container's init stays its init (dockerd in docker). */
	if (renamed && p->role != ROLE_PAYLOAD && !p->is_init && !p->is_exec &&
		(p->role != ROLE_HELPER || process_engine_in_turn(tl, p)))
		act_for(tl, p, &p->container, 0);
	note_cli(tl, p);
}

void process_from_snapshot(struct timeline *tl, const struct event_task *e)
{
	struct process *p = process_find(tl, e->h.tgid, e->h.start_ns);
	struct process *parent;

	if (p && p->exec_ns) /* seen live already: what it did since is newer */
		return;
	if (!p)
		p = process_new(tl, e->h.tgid, e->h.start_ns);
	p->snapshot = true;
	p->role = e->h.role;
	p->ns = e->ns;
	p->ns_tgid = e->h.ns_tgid;
	p->ns_level = e->h.ns_level;
	p->cgroup_id = e->h.cgroup_id;
	memcpy(p->comm, e->h.comm, sizeof(p->comm));
	parent = process_find(tl, e->parent_tgid, 0);
	if (!p->creator.tgid && parent)
		p->creator = parent->id;
	else if (!p->creator.tgid)
		p->creator = (struct process_id){ .tgid = e->parent_tgid };
	if (e->exe[0] && !p->exe)
		p->exe = xstrndup(e->exe, strnlen(e->exe, sizeof(e->exe)));
	if (!p->argv)
		process_set_argv(p, e->argv, e->argv_length, e->h.flags & EVENT_F_TRUNCATED || e->argv_length >= EVENT_ARGV);
	note_cli(tl, p);
}

void process_exit(struct timeline *tl, struct process *p, uint64_t now_ns, int32_t status)
{
	if (p->dead)
		return;
	p->dead_ns = now_ns;
	p->exit_status = status;
	if (map_remove_key_value(&tl->processes, &p->id.tgid, p))
		tl->recent = NULL;
	bury(tl, p);
}

void process_free_all(struct timeline *tl)
{
	for (size_t i = 0; i < tl->processes.count; i++)
		process_free(tl->processes.entries[i].value);
	for (size_t i = 0; i < tl->dead_count; i++)
		process_free(tl->dead_queue[(tl->dead_head + i) % DEAD_MAX]);
	free(tl->dead_queue);
	map_free(&tl->processes);
	map_free(&tl->dead);
}

bool process_is_daemon(const struct process *p)
{
	if (p->role == ROLE_CONTAINERD)
		return true;
	if (p->role != ROLE_ENGINE)
		return false;
	if (strcmp(p->comm, "podman") != 0)
		return true;
	for (char **a = p->argv; a && *a; a++) {
		if (!strcmp(*a, "service"))
			return true;
	}
	return false;
}

/* Who acts for others that it made: everything but daemons, payloads and strangers. */
static bool passes_on(const struct process *p)
{
	return p->role != ROLE_NONE && p->role != ROLE_PAYLOAD && p->role != ROLE_FOLLOWED &&
		!process_is_daemon(p);
}

/* Of conmon it is the one that cleans up after its container. */
static bool serves_in_turn(struct timeline *tl, const struct process *p)
{
	const struct process *maker = process_creator(tl, p);

	return p->role == ROLE_ENGINE && !process_is_daemon(p) && !(maker && passes_on(maker));
}

struct process *process_engine_in_turn(struct timeline *tl, struct process *p)
{
	for (int depth = 0; p && p->role == ROLE_HELPER && depth < 8; depth++)
		p = process_creator(tl, p);
	return p && serves_in_turn(tl, p) ? p : NULL;
}

struct cont *process_container(struct timeline *tl, struct process *p)
{
	struct process *up = p, *maker;

	for (int depth = 0; up && depth < 8; depth++) {
		struct cont *c = container_by_serial(tl, up->acts_for ? up->acts_for : up->container);

		if (c && !c->c.ended) { /* what comes after the end belongs to nobody */
			if (up != p)
				p->container = c->serial;
			return c;
		}
		if (up != p && !passes_on(up))
			break;
		if (up == p && process_is_daemon(p))
			break;
		maker = process_creator(tl, up);
		if (maker && (!passes_on(maker) || (up->role == ROLE_HELPER && serves_in_turn(tl, maker))))
			break;
		up = maker;
	}
	return NULL;
}

struct cont *process_home(struct timeline *tl, struct process *p)
{
	return p->acts_for ? container_by_serial(tl, p->container) : process_container(tl, p);
}

void process_claim(struct timeline *tl, struct process *p, struct cont *c)
{
	enum { DEPTH = 8 };
	struct process *chain[DEPTH], *up = p;
	int depth = 0;

	if (p->is_init || p->is_exec)
		act_for(tl, p, &p->acts_for, p->container != c->serial ? c->serial : 0);
	else if (!process_is_daemon(p))
		act_for(tl, p, &p->container, c->serial);
	while (up && depth < DEPTH) {
		chain[depth++] = up;
		if (up->is_init || up->is_exec) /* who made the container around it had no part in this one */
			break;
		if (p->role == ROLE_RUNTIME && p->actor_of && p->actor_of != c->serial) /* nor who made a supervisor in its next run */
			break;
		up = process_creator(tl, up);
		if (up && (up->role == ROLE_NONE || up->role == ROLE_PAYLOAD || up->role == ROLE_FOLLOWED))
			break;
	}
	while (depth--) { /* makers first, so that each finds its own among the actors */
		up = chain[depth];
		container_actor(tl, c, up);
		if (process_is_daemon(up))
			continue;
		if (!up->container)
			up->container = c->serial;
		claim_process_key(tl, c, &up->id);
	}
}
