/* SPDX-License-Identifier: Apache-2.0 */
/* System calls in pairs of enter and exit, and the container that each belongs to. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/flags.h"
#include "timeline/identify.h"
#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

void open_op_free(struct open_op *op)
{
	if (!op)
		return;
	step_free(&op->step);
	free(op);
}

/* The process that a path under /proc/PID speaks of, or NULL. */
static struct process *process_of_path(struct timeline *tl, const char *path)
{
	unsigned int pid;

	if (!path || sscanf(path, "/proc/%u/", &pid) != 1)
		return NULL;
	return process_find(tl, pid, 0);
}

/* An engine's helper is told by its arguments whom it helps. */
static void offer_arguments(const char *argv, struct key_set *set)
{
	while (argv && *argv) {
		size_t length = strcspn(argv, "\x1f");
		_cleanup_free_ char *word = xstrndup(argv, length);

		key_set_add_path(set, word);
		if (identify_is_hex_id(word, length))
			key_set_add(set, 'I', word);
		argv += length;
		argv += *argv == '\x1f';
	}
}

/* Keys by which an engine's step may find its container: paths, ids in them, namespaces. */
static void offer_keys(const struct step *step, struct key_set *set)
{
	static const char *const paths[] = { "target", "source", "path" };
	const struct detail *ns = details_get(&step->details, "namespace");

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		key_set_add_path(set, details_text(&step->details, paths[i]));
	if (step->kind == STEP_EXEC)
		offer_arguments(details_text(&step->details, "argv"), set);
	if (step->kind == STEP_SETNS && ns)
		key_set_add_inode(set, 'N', (uint32_t)ns->number);
}

/* A container whose id is a component of the path, though it is not 64 hex digits. */
static struct cont *find_in_path(struct timeline *tl, const char *path)
{
	const char *at = path;

	while (at && *at) {
		size_t length = strcspn(at, "/");
		struct cont *c = length ? claim_find_bytes(tl, 'I', at, length) : NULL;

		if (c)
			return c;
		at += length;
		at += *at == '/';
	}
	return NULL;
}

static struct cont *find_by_details(struct timeline *tl, struct step *step, const struct key_set *set)
{
	struct process *other = process_of_path(tl, details_text(&step->details, "source"));
	struct cont *c = claim_find_set(tl, set);

	if (!c && other)
		c = process_container(tl, other);
	if (!c)
		c = find_in_path(tl, details_text(&step->details, "target"));
	return c;
}

/* A supervisor mounts the root of its container's next run before that has a cgroup to be known by. */
static bool is_for_next_run(const struct cont *c, const struct process *p, const struct step *step)
{
	return step->kind == STEP_MOUNT && p->role == ROLE_RUNTIME && c->c.state == STATE_EXITED && c->c.cgroup_count > 0 &&
	       !cgroups_remain(c);
}

/* Whoever begins a mount namespace of its own (unshare, lxc, a sandbox) makes all that is mounted in it private, the root file
 * systems of strange containers among them: it works for none of them. */
static bool tells_whose_it_is(const struct process *p, const struct step *step)
{
	bool is_stranger = p->role == ROLE_NONE || p->role == ROLE_HELPER || p->role == ROLE_FOLLOWED;

	return !is_stranger || !step_sets_propagation(step);
}

/* A thread of an engine that was in a container's network namespace, and goes home: whose step it is, it does not say. */
static bool is_return(const struct process *p, const struct step *step)
{
	const struct detail *ns = step->kind == STEP_SETNS && process_is_daemon(p) ? details_get(&step->details, "namespace") : NULL;

	return ns && p->ns.net && (uint32_t)ns->number == p->ns.net;
}

void steps_place(struct timeline *tl, struct process *p, struct step *step)
{
	struct process *engine = process_engine_in_turn(tl, p);
	bool serves_many = process_is_daemon(p) || p->role == ROLE_SHIM || engine == p;
	struct cont *c = serves_many ? NULL : process_container(tl, p);
	struct key_set set = { 0 };

	if (is_return(p, step)) {
		step_free(step);
		return;
	}
	if (c && is_for_next_run(c, p, step)) {
		orphan_add(tl, p, step, &set);
		key_set_free(&set);
		return;
	}
	if (!c && tells_whose_it_is(p, step)) {
		offer_keys(step, &set);
		c = find_by_details(tl, step, &set);
		if (c)
			claim_helper(tl, c, p);
	}
	/* a daemon that is the init of a container works for those which it makes, inside of that one */
	if (!c && !engine && (!process_is_daemon(p) || step->kind == STEP_EXEC))
		c = process_container(tl, p);
	if (c)
		container_add_step(tl, c, container_actor(tl, c, p), step);
	else
		orphan_add(tl, p, step, &set);
	key_set_free(&set);
}

static void finish_op(struct timeline *tl, struct open_op *op, uint64_t end_ns, enum edge edge)
{
	struct process *p = process_find(tl, op->process.tgid, op->process.start_ns);

	op->step.end_ns = end_ns;
	op->step.end_edge = edge;
	if (p)
		steps_place(tl, p, &op->step);
	open_op_free(op);
}

/* A second enter of the same thread says that the exit of the first was lost. */
static void open_put(struct timeline *tl, struct open_op *op)
{
	struct open_op *old = map_put_key(&tl->ops, &op->tid, op);

	if (!old)
		return;
	if (old->op == OP_EXECVE) /* failed attempts along PATH are told by their exits */
		open_op_free(old);
	else
		finish_op(tl, old, old->step.start_ns, EDGE_LOST);
}

static struct open_op *open_new(struct timeline *tl, const struct event *h, uint32_t op)
{
	struct open_op *o = xmalloc(sizeof(*o)); /* not calloc: glibc's takes no piece that was just freed */

	*o = (struct open_op){ .tid = h->tid, .op = op, .process = process_get(tl, h)->id,
		.step = { .start_ns = h->time_ns, .tid = h->tid } };
	return o;
}

/* That the record lacks something of what the call was given. */
static void add_doubts(struct step *step, const struct event *h)
{
	if (h->flags & EVENT_F_UNREADABLE)
		details_add_bool(&step->details, "unreadable", true);
	if (h->flags & EVENT_F_TRUNCATED)
		details_add_bool(&step->details, "truncated", true);
}

void steps_enter(struct timeline *tl, const struct event_syscall_enter *e)
{
	struct open_op *op = open_new(tl, &e->h, e->op);

	if (!operation_describe(e, &op->step)) {
		open_op_free(op);
		tl->stats.skipped++;
		return;
	}
	add_doubts(&op->step, &e->h);
	open_put(tl, op);
}

/* Of the first line, or of all where there is but one. */
static size_t line_length(const char *text, size_t room)
{
	size_t length = strnlen(text, room);
	const char *newline = memchr(text, '\n', length);

	return newline ? (size_t)(newline - text) : length;
}

static char *written_path(const struct event_cgroup_write *e)
{
	struct strbuf path = { 0 };

	for (int i = EVENT_SLOTS - 1; i >= 0; i--) {
		if (e->path[i][0] && strcmp(e->path[i], "/") != 0) {
			strbuf_putc(&path, '/');
			strbuf_add(&path, e->path[i], strnlen(e->path[i], EVENT_NAME));
		}
	}
	return strbuf_steal(&path);
}

void steps_cgroup_write(struct timeline *tl, const struct event_cgroup_write *e)
{
	struct open_op *op = open_new(tl, &e->h, OP_WRITE);
	struct cgroup_ref *ref = cgroups_find(tl, e->hierarchy, e->id);
	size_t room = e->h.size - offsetof(struct event_cgroup_write, value);

	op->step.kind = STEP_CGROUP_WRITE;
	details_add_bytes(&op->step.details, "file", e->file, strnlen(e->file, sizeof(e->file)));
	details_add_bytes(&op->step.details, "value", e->value, line_length(e->value, room));
	details_take_text(&op->step.details, "path", ref ? xstrdup(ref->path) : written_path(e));
	add_doubts(&op->step, &e->h);
	op->hierarchy = e->hierarchy;
	op->cgroup = e->id;
	open_put(tl, op);
}

/* Freezing on v1 is a write to freezer.state. */
static void note_freezer(struct timeline *tl, struct cont *c, const struct step *step)
{
	const char *file = details_text(&step->details, "file");
	const char *value = details_text(&step->details, "value");
	bool frozen;

	if (!file || !value || strcmp(file, "freezer.state") != 0 || step->result < 0)
		return;
	frozen = !strcmp(value, "FROZEN");
	if ((frozen && c->c.state != STATE_RUNNING) || (!frozen && c->c.state != STATE_PAUSED))
		return;
	c->c.state = frozen ? STATE_PAUSED : STATE_RUNNING;
	container_add_mark(c, frozen ? MARK_FREEZE : MARK_THAW, step->end_ns);
	container_notify(tl, c, CHANGE_STATE);
}

/* A cgroup write belongs to the container whose cgroup it is, whoever writes it; but what an engine inside
 * of a container writes to the cgroups between is for the inner one. */
static void finish_cgroup_write(struct timeline *tl, struct open_op *op)
{
	struct process *p = process_find(tl, op->process.tgid, op->process.start_ns);
	struct cgroup_ref *ref = cgroups_find(tl, op->hierarchy, op->cgroup);
	struct cont *c = ref ? container_by_serial(tl, ref->container) : NULL;
	struct cont *own = p && p->role == ROLE_RUNTIME ? process_container(tl, p) : NULL;

	if (own && c && cgroups_is_around(tl, c, p, own))
		c = own;
	if (p && (!c || c->c.ended) && p->role != ROLE_NONE && p->role != ROLE_PAYLOAD)
		c = process_engine_in_turn(tl, p) ? NULL : process_container(tl, p);
	if (c && p && !c->c.ended) {
		note_freezer(tl, c, &op->step);
		container_add_step(tl, c, p->role == ROLE_NONE ? -1 : container_actor(tl, c, p), &op->step);
	} else if (p && p->role != ROLE_NONE && p->role != ROLE_PAYLOAD) {
		steps_place(tl, p, &op->step);
	}
	open_op_free(op);
}

void steps_exit(struct timeline *tl, const struct event_syscall_exit *e)
{
	struct open_op *op = map_remove_key(&tl->ops, &e->h.tid);

	if (!op)
		return;
	if (op->op != e->op) {
		finish_op(tl, op, op->step.start_ns, EDGE_LOST);
		return;
	}
	op->step.result = e->result;
	op->step.has_result = true;
	op->step.end_ns = e->h.time_ns;
	waits_take(&op->step, e);
	if ((op->op == OP_CLONE || op->op == OP_KILL) && e->result >= 0)
		open_op_free(op); /* told by its fork or signal event, with the child or target */
	else if (op->op == OP_WRITE)
		finish_cgroup_write(tl, op);
	else
		finish_op(tl, op, e->h.time_ns, EDGE_OBSERVED);
}

void steps_exec_done(struct timeline *tl, struct process *p, const struct event_exec *e)
{
	uint32_t tid = e->old_tid ? e->old_tid : e->h.tid;
	struct open_op *op = map_remove_key(&tl->ops, &tid);
	struct step step = { .kind = STEP_EXEC, .start_ns = e->h.time_ns, .end_ns = e->h.time_ns,
		.tid = e->h.tid, .has_result = true };

	if (op && op->op == OP_EXECVE)
		step.start_ns = op->step.start_ns;
	open_op_free(op);
	details_add_text(&step.details, "path", p->exe ? p->exe : "");
	details_take_list(&step.details, "argv", argv_join(p->argv, '\x1f'));
	steps_place(tl, p, &step);
}

void steps_process_gone(struct timeline *tl, struct process *p, uint64_t now_ns)
{
	for (size_t i = tl->ops.count; i-- > 0;) { /* of all its threads; few calls are open at a time */
		struct open_op *op = tl->ops.entries[i].value;

		if (op->process.tgid != p->id.tgid || op->process.start_ns != p->id.start_ns)
			continue;
		map_remove_key(&tl->ops, &op->tid);
		if (op->op == OP_EXECVE)
			open_op_free(op);
		else
			finish_op(tl, op, now_ns, EDGE_INFERRED);
	}
}

void steps_finish(struct timeline *tl)
{
	for (size_t i = 0; i < tl->ops.count; i++) {
		struct open_op *op = tl->ops.entries[i].value;

		if (op->op == OP_EXECVE)
			open_op_free(op);
		else
			finish_op(tl, op, tl->now_ns, EDGE_OPEN);
	}
	map_free(&tl->ops);
}
