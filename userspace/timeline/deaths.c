/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, OOM kills and exits: how a container ended, and who did it. */
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

#define STOP_LONGEST_NS 600000000000ULL /* from being asked to being killed: engines wait 10 s, or 30, or as they were told */

enum { SENT_BY_KERNEL = 0x80, /* SI_KERNEL */ SIGNAL_IGNORED = 1 /* TRACE_SIGNAL_IGNORED */ };

static bool ends_processes(int sig)
{
	return sig != SIGCONT && sig != SIGSTOP && sig != SIGTSTP && sig != SIGCHLD && sig != SIGURG &&
		sig != SIGWINCH;
}

/* What engines and people send to have it end; others may tell it something else. systemd takes SIGRTMIN+3. */
static bool asks_to_end(int sig)
{
	return sig == SIGTERM || sig == SIGINT || sig == SIGQUIT || sig == SIGRTMIN + 3;
}

static struct cont *container_of_sender(struct timeline *tl, const struct event *h)
{
	struct process *p = process_find(tl, h->tgid, h->start_ns);

	if (p && p->role != ROLE_NONE && p->role != ROLE_PAYLOAD)
		return NULL; /* an engine or runtime acts from outside */
	return cgroups_container(tl, h->cgroup_id);
}

static void add_sender(struct timeline *tl, struct details *d, const struct event_signal *e)
{
	struct cont *from = container_of_sender(tl, &e->h);
	char comm[EVENT_COMM + 1] = "";

	memcpy(comm, e->h.comm, EVENT_COMM);
	if (e->code == SENT_BY_KERNEL) {
		details_add_text(d, "sender", "kernel");
		return;
	}
	details_add_text(d, "sender", comm);
	details_add_number(d, "sender_pid", e->h.tgid);
	if (from)
		details_add_text(d, "sender_container", from->c.id);
}

static void remember_fatal(struct timeline *tl, struct cont *c, const struct event_signal *e)
{
	struct cont *from = container_of_sender(tl, &e->h);

	if (c->fatal.signal == SIGKILL && e->signal != SIGKILL)
		return;
	c->fatal.signal = e->signal;
	c->fatal.at_ns = e->h.time_ns;
	c->fatal.pid = e->h.tgid;
	c->fatal.kernel = e->code == SENT_BY_KERNEL;
	memcpy(c->fatal.comm, e->h.comm, sizeof(c->fatal.comm));
	free(c->fatal.container);
	c->fatal.container = from && !c->fatal.kernel ? xstrdup(from->c.id) : NULL;
	if (from == c)
		return;
	if (e->signal == SIGKILL && c->ignored_ns && !c->stop_asked) {
		c->stop_ns = c->ignored_ns;
		c->stop_asked = true;
	}
	if (c->stop_ns && e->h.time_ns <= c->stop_ns + STOP_LONGEST_NS && (c->stop_asked || !asks_to_end(e->signal)))
		return;
	c->stop_ns = e->h.time_ns; /* it went on living after an earlier one */
	c->stop_asked = asks_to_end(e->signal);
}

/* pid 1 has no handler for it, which ends nothing; but whoever sent it may send SIGKILL next. */
static void remember_ignored(struct timeline *tl, struct cont *c, const struct event_signal *e)
{
	if (container_of_sender(tl, &e->h) != c && (!c->ignored_ns || e->h.time_ns > c->ignored_ns + STOP_LONGEST_NS))
		c->ignored_ns = e->h.time_ns;
}

static void describe_signal(struct timeline *tl, struct details *d, const struct event_signal *e)
{
	details_add_text(d, "sig", sigabbrev_np(e->signal) ? sigabbrev_np(e->signal) : "RT");
	details_add_number(d, "signal", e->signal);
	add_sender(tl, d, e);
	details_add_number(d, "target_pid", e->target_tgid);
	if (e->result == SIGNAL_IGNORED)
		details_add_bool(d, "ignored", true);
}

/* When pid 1 ends, the kernel kills the rest of its pid namespace (zap_pid_ns_processes), pid 1's own other threads among
 * them, which are ending already: that says nothing. */
static bool is_own_end(const struct event_signal *e)
{
	return e->signal == SIGKILL && e->code == SENT_BY_KERNEL && e->result == SIGNAL_IGNORED &&
	       e->h.tgid == e->target_tgid && e->h.start_ns == e->target_start_ns;
}

void deaths_signal(struct timeline *tl, const struct event_signal *e)
{
	struct process *target = process_find(tl, e->target_tgid, e->target_start_ns);
	struct cont *c = target ? process_home(tl, target) : NULL;
	struct process *p;
	struct step step = { .kind = STEP_SIGNAL, .start_ns = e->h.time_ns, .end_ns = e->h.time_ns,
		.tid = e->h.tid };
	bool to_init;

	if (!c || c->c.ended || !target || is_own_end(e) || (target->role != ROLE_PAYLOAD && !(c->init.tgid == e->target_tgid)))
		return;
	to_init = c->init.tgid == target->id.tgid && c->init.start_ns == target->id.start_ns;
	if (to_init && ends_processes(e->signal) && e->result == 0)
		remember_fatal(tl, c, e);
	else if (to_init && asks_to_end(e->signal) && e->result == SIGNAL_IGNORED)
		remember_ignored(tl, c, e);
	if (!to_init && !target->is_exec && !target->is_hook)
		return;
	describe_signal(tl, &step.details, e);
	if (to_init && ends_processes(e->signal))
		describe_signal(tl, &container_add_mark(c, MARK_SIGNAL, e->h.time_ns)->details, e);
	p = process_find(tl, e->h.tgid, e->h.start_ns);
	container_add_step(tl, c, p && p->role != ROLE_NONE && e->code != SENT_BY_KERNEL
		? container_actor(tl, c, p) : -1, &step);
}

/* The memory cgroup whose limit was hit: as the kernel told, or the nearest that is full. A charge that
 * failed leaves the counter within a batch of pages below the limit. */
static const struct event_memcg *limit_hit(const struct event_oom *e)
{
	const struct event_memcg *best = NULL;

	for (uint32_t i = 0; i < e->levels && i < EVENT_MEMCG_LEVELS; i++) {
		const struct event_memcg *m = &e->chain[i];

		if (e->limit_id && m->id == e->limit_id)
			return m;
		if (!best && m->limit_pages != EVENT_NO_LIMIT && m->usage_pages + 1024 >= m->limit_pages)
			best = m;
	}
	return e->limit_id ? NULL : best;
}

/* Whose limit it is, and the cgroup's path, or its name where it was not seen. */
static void add_limit_cgroup(struct timeline *tl, const struct cont *c, struct details *d, uint32_t hierarchy, uint64_t id,
	const char name[EVENT_NAME])
{
	struct cgroup_ref *ref = cgroups_find(tl, hierarchy, id);
	bool own = false;

	for (size_t i = 0; i < c->c.cgroup_count; i++)
		own |= c->c.cgroups[i].hierarchy == hierarchy && c->c.cgroups[i].id == id;
	details_add_constant(d, "limit_of", own ? "container" : ref && ref->container == c->serial ? "child" : "parent");
	if (ref) {
		details_add_text(d, "limit_cgroup", ref->path);
	} else {
		_cleanup_free_ char *copy = xstrndup(name, EVENT_NAME - 1);

		details_add_text(d, "limit_cgroup", copy);
	}
}

static void add_limit(struct timeline *tl, const struct cont *c, struct details *d, const struct event_oom *e)
{
	const struct event_memcg *m = limit_hit(e);
	uint64_t page = e->page_size ? e->page_size : 4096;

	if (!m) {
		details_add_text(d, "limit_of", e->limit_id == ~0ULL ? "host" : "unknown");
		return;
	}
	add_limit_cgroup(tl, c, d, e->memory_hierarchy, m->id, m->name);
	details_add_u64(d, "usage_bytes", m->usage_pages * page);
	if (m->limit_pages != EVENT_NO_LIMIT)
		details_add_u64(d, "limit_bytes", m->limit_pages * page);
}

void deaths_oom(struct timeline *tl, const struct event_oom *e)
{
	struct process *victim = process_find(tl, e->victim_tgid, e->victim_start_ns);
	struct cont *c = victim ? process_home(tl, victim) : NULL;
	_cleanup_free_ char *comm = xstrndup(e->victim_comm, EVENT_COMM);
	struct mark *m;
	bool is_init;

	if (!c)
		c = cgroups_container(tl, e->victim_cgroup_id);
	if (!c || c->c.ended)
		return;
	is_init = c->init.tgid == e->victim_tgid && c->init.start_ns == e->victim_start_ns;
	c->init_oom |= is_init;
	container_touch(c, e->h.time_ns);
	m = container_add_mark(c, MARK_OOM_KILL, e->h.time_ns);
	details_add_number(&m->details, "victim_pid", e->victim_tgid);
	details_add_number(&m->details, "victim_ns_pid", e->victim_ns_tgid);
	details_add_text(&m->details, "victim_comm", comm);
	details_add_bool(&m->details, "init_killed", is_init);
	add_limit(tl, c, &m->details, e);
	details_add_u64(&m->details, "victim_anon_bytes", e->anon_kb * 1024);
	details_add_u64(&m->details, "victim_file_bytes", e->file_kb * 1024);
	details_add_u64(&m->details, "victim_shmem_bytes", e->shmem_kb * 1024);
}

void deaths_fork_refused(struct timeline *tl, const struct event_fork_refused *e)
{
	struct cont *c = cgroups_container(tl, e->h.cgroup_id);
	struct cgroup_ref *ref = cgroups_find(tl, e->hierarchy, e->cgroup);
	uint64_t *told, count;
	struct mark *m;

	if (!c || c->c.ended)
		return;
	told = ref ? &ref->forks_refused : &c->c.forks_refused; /* a container may have cgroups of its own below its own */
	if (e->refused <= *told)
		return;
	count = e->refused - *told;
	m = container_add_mark(c, MARK_FORK_REFUSED, e->h.time_ns);
	details_add_u64(&m->details, "count", count);
	if (e->limit) {
		details_add_u64(&m->details, "limit", e->limit);
		details_add_u64(&m->details, "usage", e->usage);
		add_limit_cgroup(tl, c, &m->details, e->hierarchy, e->id, e->name);
	}
	/* of one that was there before, they are counted from a time before */
	if (c->c.existed && !c->c.forks_refused)
		details_add_bool(&m->details, "earlier", true);
	c->c.forks_refused += count;
	if (ref)
		ref->forks_refused = e->refused;
	container_touch(c, e->h.time_ns);
}

static void init_exited(struct timeline *tl, struct cont *c, const struct event_exit *e)
{
	struct exit_info *x = &c->c.exit;

	c->c.state = STATE_EXITED;
	x->at_ns = e->h.time_ns;
	if (c->c.started_ns || (c->c.existed && !c->awaits_program)) {
		x->known = true;
		x->signal = WIFSIGNALED(e->exit_code) ? WTERMSIG(e->exit_code) : 0;
		x->core = x->signal && WCOREDUMP(e->exit_code);
		x->code = x->signal ? 128 + x->signal : WEXITSTATUS(e->exit_code);
		x->oom = c->init_oom && x->signal == SIGKILL;
	}
	if (x->signal && x->signal == c->fatal.signal) {
		x->has_sender = true;
		x->sender_pid = c->fatal.pid;
		x->sender_kernel = c->fatal.kernel;
		memcpy(x->sender_comm, c->fatal.comm, sizeof(x->sender_comm));
		x->sender_container = steal_ptr(c->fatal.container);
	}
	/* a signal that came long before a voluntary exit was not a stop */
	if (c->stop_ns && !x->signal && e->h.time_ns > c->stop_ns + 60000000000ULL)
		c->stop_ns = 0;
	container_touch(c, e->h.time_ns);
	container_notify(tl, c, CHANGE_EXITED);
}

static void exec_exited(struct cont *c, const struct process *p, const struct event_exit *e)
{
	struct mark *m = container_add_mark(c, MARK_EXEC_EXIT, e->h.time_ns);

	details_add_number(&m->details, "pid", p->id.tgid);
	if (WIFSIGNALED(e->exit_code))
		details_add_number(&m->details, "signal", WTERMSIG(e->exit_code));
	else
		details_add_number(&m->details, "code", WEXITSTATUS(e->exit_code));
}

static bool is_init_of(const struct cont *c, const struct process *p)
{
	return c->init.tgid == p->id.tgid && c->init.start_ns == p->id.start_ns;
}

static void leave(struct timeline *tl, struct cont *c, const struct process *p, const struct event_exit *e)
{
	if (!c || c->c.ended)
		return;
	container_actor_gone(c, p, e->h.time_ns, EDGE_OBSERVED);
	container_touch(c, e->h.time_ns);
	if (is_init_of(c, p))
		init_exited(tl, c, e);
	else if (p->is_exec && p->container == c->serial)
		exec_exited(c, p, e);
}

/* Who took a step for a container that is not the one it acts for now, such as removing its cgroup, or made who did, is an
 * actor there whose end is waited for; also when it has executed something else meanwhile. Who was to be init there, and went
 * over to another container before it ran (a snapshot says so), ends there, too. e is NULL where its exit was not seen. */
static void leave_others(struct timeline *tl, const struct process *p, const struct cont *c, const struct cont *home,
	const struct event_exit *e)
{
	if (!p->actor_of)
		return;
	if (!p->in_several && ((c && c->serial == p->actor_of) || (home && home->serial == p->actor_of)))
		return;
	for (size_t i = 0; i < tl->active_count; i++) {
		struct cont *other = tl->active[i];

		container_actor_gone(other, p, tl->now_ns, e ? EDGE_OBSERVED : EDGE_LOST);
		if (e && other != c && other != home && is_init_of(other, p) && other->c.state != STATE_EXITED)
			init_exited(tl, other, e);
	}
}

void deaths_exit(struct timeline *tl, const struct event_exit *e)
{
	struct process *p = process_find(tl, e->h.tgid, e->h.start_ns);
	struct cont *c, *home;

	if (!p || p->dead)
		return;
	c = process_container(tl, p);
	home = process_home(tl, p);
	steps_process_gone(tl, p, e->h.time_ns);
	requests_process_gone(tl, p);
	if (c && !c->c.ended && !p->in_several && process_engine_in_turn(tl, p) == p) /* there was no other one */
		claim_process_key(tl, c, &p->id);
	process_add_cpu(p, &e->h, e->on_cpu_ns, e->run_queue_ns);
	process_exit(tl, p, e->h.time_ns, e->exit_code);
	leave(tl, c, p, e);
	if (home != c)
		leave(tl, home, p, e);
	leave_others(tl, p, c, home, e);
}

static void leave_unseen(struct timeline *tl, struct cont *c, const struct process *p)
{
	if (!c || c->c.ended)
		return;
	container_actor_gone(c, p, tl->now_ns, EDGE_LOST);
	if (!is_init_of(c, p))
		return;
	c->c.state = STATE_EXITED; /* when and how is not known */
	container_notify(tl, c, CHANGE_EXITED);
}

void deaths_unseen(struct timeline *tl, struct process *p)
{
	struct cont *c = process_container(tl, p), *home = process_home(tl, p);

	requests_process_gone(tl, p);
	leave_unseen(tl, c, p);
	if (home != c)
		leave_unseen(tl, home, p);
	leave_others(tl, p, c, home, NULL);
}
