/* SPDX-License-Identifier: Apache-2.0 */
/* Births and programs: which process is which actor of which container. */
#include <sched.h>
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

/* Bits of clone flags that make namespaces. CLONE_NEWTIME shares its bit with the exit signal of
 * clone(2) and is left to the detail tier. */
#define NEW_NAMESPACES \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
		CLONE_NEWCGROUP)

static void add_clone_step(struct timeline *tl, struct process *creator, struct process *child,
	const struct event_fork *e)
{
	struct step step = { .kind = STEP_CLONE, .start_ns = e->h.time_ns, .end_ns = e->h.time_ns,
		.tid = e->h.tid, .has_result = true, .result = e->child_tgid };

	details_take_list(&step.details, "flags", flags_clone(e->clone_flags & ~0xffULL));
	details_add_number(&step.details, "child_pid", child->id.tgid);
	if (child->ns_tgid != child->id.tgid)
		details_add_number(&step.details, "child_ns_pid", child->ns_tgid);
	steps_place(tl, creator, &step);
}

static void count_namespaced(struct namespaced *n, const char comm[EVENT_COMM])
{
	n->count++;
	memcpy(n->by, comm, EVENT_COMM);
}

/* Namespaces alone make no container; who expected one may want to know that there were some. */
static void note_namespaced(struct timeline *tl, struct process *child, const struct event_fork *e)
{
	bool is_new = e->clone_flags & NEW_NAMESPACES || e->child_ns_level > e->h.ns_level;

	if (!is_new || (e->h.role != ROLE_NONE && e->h.role != ROLE_FOLLOWED) || process_container(tl, child))
		return;
	count_namespaced(&tl->stats.namespaced, e->h.comm);
	if (e->h.role == ROLE_FOLLOWED)
		count_namespaced(&tl->stats.namespaced_followed, e->h.comm);
}

void lifecycle_fork(struct timeline *tl, const struct event_fork *e)
{
	struct process *child = process_fork(tl, e), *creator = process_creator(tl, child);
	struct cont *c = process_container(tl, child);
	struct cgroup_ref *ref;

	if (creator && (creator->role == ROLE_RUNTIME || (creator->role != ROLE_NONE && e->clone_flags & NEW_NAMESPACES)))
		add_clone_step(tl, creator, child, e);
	note_namespaced(tl, child, e);
	if (!c)
		return;
	/* A shim's child is about to become a runtime: it gets its part when it does something. */
	if (child->role != ROLE_RUNTIME)
		return;
	container_actor(tl, c, child);
	/* pid 1 of a pid namespace below its maker's: the init to be. The first such child wins; an exec
	 * session joins a namespace that has its pid 1 already. */
	if (!c->init.tgid && child->ns_tgid == 1 && child->ns_level > 0) {
		c->init = child->id;
		c->c.pid = child->id.tgid;
		c->c.init_start_ns = child->id.start_ns;
	}
	if (child->cgroup_id != e->h.cgroup_id && !c->c.started_ns) { /* CLONE_INTO_CGROUP */
		ref = cgroups_find(tl, tl->config.cgroup_hierarchy, child->cgroup_id);
		if (ref && !ref->container)
			cgroups_adopt(tl, c, ref);
	}
}

static const char *engine_of_namespace(const char *namespace_)
{
	return !strcmp(namespace_, "moby") ? "docker" : "containerd";
}

/* The client that named this id on its command line (ctr run IMAGE ID). */
static void claim_clis(struct timeline *tl, struct cont *c)
{
	for (size_t i = 0; i < tl->cli_count; i++) {
		struct process *p = tl->clis[i];

		for (char **a = p->argv; a && *a; a++) {
			if (a != p->argv && !strcmp(*a, c->c.id) && strcmp(p->comm, "docker") != 0) {
				process_claim(tl, p, c);
				break;
			}
		}
	}
}

/* The engine that a containerd serves, where there is just one that can be meant: it shares the pid
 * namespace of the shim, be it the host's or that of a container around it. */
static void claim_engine(struct timeline *tl, struct cont *c, const struct process *shim)
{
	struct process *found = NULL;

	if (!c->c.engine || strcmp(c->c.engine, "docker") != 0)
		return;
	for (size_t i = 0; i < tl->processes.count; i++) {
		struct process *p = tl->processes.entries[i].value;

		if (p->role != ROLE_ENGINE || strcmp(p->comm, "dockerd") != 0 || p->ns.pid != shim->ns.pid)
			continue;
		if (found)
			return;
		found = p;
	}
	if (found)
		container_actor(tl, c, found);
}

/* The container that a runtime is called for: its shim's, or by the id among those of its state directory. */
static struct cont *container_of_runtime(struct timeline *tl, struct process *p, const struct identity *who)
{
	_cleanup_free_ char *root = who->root[0] ? xstrdup(who->root) : xasprintf("/run/%s", p->comm);
	struct maker maker = { .pid_ns = p->ns.pid, .root = root };
	struct cont *own = p->is_init || p->is_exec ? NULL : process_container(tl, p);

	if (own && !strcmp(own->c.id, who->id) && own->c.state != STATE_EXITED)
		return own;
	return container_for_id(tl, who->id, &maker, who->verb == VERB_CREATE);
}

/* Engines that call the runtime themselves, as for the RUN steps of a build; with a shim between them it tells. */
static void set_calling_engine(struct timeline *tl, struct cont *c, const struct process *p)
{
	for (int depth = 0; depth < 8 && !c->c.engine && (p = process_creator(tl, p)); depth++) {
		if (p->role == ROLE_ENGINE && (!strcmp(p->comm, "podman") || !strcmp(p->comm, "buildah")))
			container_set(&c->c.engine, p->comm);
	}
}

static void exec_runtime(struct timeline *tl, struct process *p)
{
	struct identity who;
	struct cont *c;

	if (!p->argv || !identify_runtime(p->argv, p->argv_cut, &who))
		return;
	c = container_of_runtime(tl, p, &who);
	if (!c)
		return;
	p->runs_verb = true;
	process_claim(tl, p, c);
	if (!c->c.runtime && (who.verb == VERB_CREATE || c->c.existed))
		container_set(&c->c.runtime, p->comm);
	if (who.verb != VERB_CREATE)
		return;
	container_set(&c->c.bundle, who.bundle);
	if (!c->runtime_mnt_ns)
		c->runtime_mnt_ns = p->ns.mnt;
	c->seen_create = true;
	set_calling_engine(tl, c, p);
	claim_clis(tl, c);
}

static void exec_shim(struct timeline *tl, struct process *p)
{
	bool conmon = !strcmp(p->comm, "conmon");
	_cleanup_free_ char *set = NULL;
	struct maker maker = { .pid_ns = p->ns.pid };
	struct identity who;
	struct cont *c;
	bool creates;

	if (!p->argv || !(conmon ? identify_conmon(p->argv, &who) : identify_shim(p->argv, &who)))
		return;
	creates = who.verb == VERB_CREATE || (!conmon && who.verb == VERB_START && !claim_find(tl, 'I', who.id));
	if (who.namespace_[0]) /* containerd's namespaces are sets of ids of their own, too */
		maker.root = set = xasprintf(MAKER_NAMESPACE "%s", who.namespace_);
	c = container_for_id(tl, who.id, &maker, creates);
	if (!c)
		return;
	container_set(&c->c.name, who.name);
	container_set(&c->c.bundle, who.bundle);
	if (conmon && !c->c.engine)
		container_set(&c->c.engine, "podman");
	else if (!conmon && who.namespace_[0])
		container_set(&c->c.engine, engine_of_namespace(who.namespace_));
	process_claim(tl, p, c);
	claim_engine(tl, c, p);
	claim_clis(tl, c);
}

static void exec_cli(struct timeline *tl, struct process *p)
{
	if (!strcmp(p->comm, "docker"))
		return; /* its requests name the container */
	for (char **a = p->argv; a && *a; a++) {
		struct cont *c = a != p->argv ? claim_find(tl, 'I', *a) : NULL;

		if (c && c->c.state != STATE_EXITED) {
			process_claim(tl, p, c);
			return;
		}
	}
}

/* The runtime's part of a process ends where it becomes init, an exec session or a hook: what it used so
 * far was the runtime's. */
static void end_stage(struct cont *c, struct process *p, uint64_t now_ns)
{
	for (size_t i = 0; i < c->c.actor_count; i++) {
		struct actor *a = &c->c.actors[i];

		if (a->pid == p->id.tgid && a->process_start_ns == p->id.start_ns && a->role == ACTOR_RUNTIME) {
			a->end_ns = now_ns;
			a->end_edge = EDGE_OBSERVED;
			container_actor_cpu(a, p);
		}
	}
	p->cpu = (struct cpu_time){ 0 };
}

static bool is_first_of_namespace(const struct process *p)
{
	return p->ns_level > 0 && p->ns_tgid == 1;
}

/* The network namespace of its init, where it is its own: not that of whoever makes it, nor another container's that it joins. */
static void claim_network(struct timeline *tl, struct cont *c, const struct process *init)
{
	const struct process *maker = process_creator(tl, init);
	const struct cont *holder = claim_find_inode(tl, 'N', init->ns.net);

	if (init->ns.net == tl->config.root_net_ns || (maker && maker->ns.net == init->ns.net) || (holder && !holder->c.ended))
		return;
	c->has_network = true;
	claim_inode_key(tl, c, 'N', init->ns.net);
	links_settle(tl);
}

static void started(struct timeline *tl, struct cont *c, struct process *p, uint64_t now_ns)
{
	p->is_init = true;
	c->init = p->id;
	c->c.pid = p->id.tgid;
	c->c.init_start_ns = p->id.start_ns;
	c->c.namespaces = p->ns;
	c->c.started_ns = now_ns;
	c->c.state = STATE_RUNNING;
	c->awaits_program = false;
	if (is_first_of_namespace(p)) /* another container may have lent its own */
		claim_inode_key(tl, c, 'i', p->ns.pid);
	if (p->ns.mnt != tl->config.root_mnt_ns)
		claim_inode_key(tl, c, 'm', p->ns.mnt);
	claim_network(tl, c, p);
	container_add_mark(c, MARK_STARTED, now_ns);
}

struct cont *lifecycle_container_of(struct timeline *tl, uint64_t cgroup_id, uint32_t pid_ns)
{
	struct cont *c = cgroups_container(tl, cgroup_id);

	if (!c && pid_ns != tl->config.root_pid_ns)
		c = claim_find_inode(tl, 'i', pid_ns);
	return c;
}

/* Hooks run in the runtime's mount namespace. Of a container that was being made when tracing began, that namespace is not
 * known; then a process in another pid namespace than init's is outside. */
static bool is_outside(const struct cont *c, const struct process *p, const struct event_exec *e)
{
	if (c->runtime_mnt_ns)
		return p->ns.mnt == c->runtime_mnt_ns;
	return c->c.existed && c->c.namespaces.pid && e->ns.pid && e->ns.pid != c->c.namespaces.pid;
}

/* Not what runtimes execute to be told something: runc ps. */
static bool is_of_hooks(struct timeline *tl, const struct process *p)
{
	const struct process *up = process_creator(tl, p);
	struct identity who;

	return !up || !up->runs_verb || !up->argv || !identify_runtime(up->argv, up->argv_cut, &who) || who.verb != VERB_OTHER;
}

/* The first program that a runtime's child executes is init, an exec session or a hook: by the
 * container's state and by the mount namespace that it runs in. */
static void exec_payload(struct timeline *tl, struct process *p, struct cont *c, const struct event_exec *e)
{
	bool outside;

	if (!c)
		c = lifecycle_container_of(tl, e->h.cgroup_id, e->ns.pid);
	if (!c || c->c.ended)
		return;
	p->container = c->serial;
	outside = is_outside(c, p, e);
	if (c->init.tgid == p->id.tgid && c->init.start_ns == p->id.start_ns && !c->c.started_ns)
		started(tl, c, p, e->h.time_ns);
	else if (!c->c.started_ns && !c->init.tgid && !outside && !c->c.existed)
		started(tl, c, p, e->h.time_ns); /* --pid=host: no pid 1 of its own */
	else if ((c->c.started_ns || c->c.existed) && !outside && c->c.state != STATE_EXITED)
		p->is_exec = true;
	else
		p->is_hook = is_of_hooks(tl, p);
	if (p->is_hook && container_recast(c, p)) /* forked for the hook, it did nothing as a runtime */
		return;
	end_stage(c, p, e->h.time_ns);
	container_actor(tl, c, p);
}

/* What the program's name and arguments tell of its part. */
static void exec_part(struct timeline *tl, struct process *p)
{
	switch (p->role) {
	case ROLE_RUNTIME:
		exec_runtime(tl, p);
		break;
	case ROLE_SHIM:
		exec_shim(tl, p);
		break;
	case ROLE_CLI:
		exec_cli(tl, p);
		break;
	default:
		break;
	}
}

/* A runtime that executes itself again, or a sealed copy of itself, is still the runtime. */
static bool executes_itself(const char *filename)
{
	return str_starts(filename, "/proc/self/exe") || str_starts(filename, "/proc/self/fd/") ||
		str_starts(filename, "/dev/fd/");
}

/* What a container's init or exec session executes later (an entrypoint script, then the service) is told, but
 * one that does nothing else must not fill the timeline: beyond a hundred they are counted. */
static bool is_later_program(struct process *p, struct cont *c)
{
	enum { TOLD = 100 };

	if (!c || c->c.ended || (!p->is_init && !p->is_exec))
		return false;
	if (p->later_execs >= TOLD) {
		c->c.steps_cut++;
		return false;
	}
	p->later_execs++;
	return true;
}

void lifecycle_exec(struct timeline *tl, const struct event_exec *e)
{
	struct process *p = process_get(tl, &e->h);
	struct cont *c = process_container(tl, p);
	bool may_be_payload = c && p->role == ROLE_RUNTIME && !executes_itself(e->filename);
	bool is_init = may_be_payload && !c->c.started_ns && c->init.tgid == p->id.tgid &&
		c->init.start_ns == p->id.start_ns;
	bool is_exec = may_be_payload && e->ns.pid == c->c.namespaces.pid && e->ns.mnt == c->c.namespaces.mnt &&
		e->ns.pid != tl->config.root_pid_ns;
	/* an init or exec session may have the name of an engine or a client: what counts is that a runtime's pid 1
	 * executes, or that it does so inside */
	bool first_payload = !p->is_init && !p->is_exec &&
		(is_init || is_exec || (p->role == ROLE_RUNTIME && e->h.role == ROLE_PAYLOAD));

	process_exec(tl, p, e);
	if (first_payload)
		exec_payload(tl, p, c, e);
	else
		exec_part(tl, p);
	if (p->role != ROLE_NONE && (p->role != ROLE_PAYLOAD || first_payload || is_later_program(p, c)))
		steps_exec_done(tl, p, e);
	c = process_container(tl, p);
	if (first_payload)
		exec_part(tl, p);
	if (c && p->is_init && first_payload)
		container_notify(tl, c, CHANGE_STARTED);
}

void lifecycle_rename(struct timeline *tl, const struct event_rename *e)
{
	struct process *p = process_get(tl, &e->h);
	struct cont *c = process_container(tl, p);
	_cleanup_free_ char *name = xstrndup(e->new_comm, EVENT_COMM);
	struct mark *m;

	memcpy(p->comm, e->new_comm, sizeof(p->comm));
	/* runc names its stages so; other names come from exec, which is told by itself */
	if (!c || c->c.ended || p->role != ROLE_RUNTIME || strncmp(e->new_comm, "runc:[", 6) != 0)
		return;
	for (size_t i = 0; i < c->c.actor_count; i++) {
		struct actor *a = &c->c.actors[i];

		if (a->pid == p->id.tgid && a->process_start_ns == p->id.start_ns && !a->end_ns)
			memcpy(a->comm, e->new_comm, sizeof(a->comm));
	}
	m = container_add_mark(c, MARK_STAGE, e->h.time_ns);
	details_add_text(&m->details, "stage", name);
	details_add_number(&m->details, "pid", p->id.tgid);
}

/* Between the sentinel and the arming of the detail tier system calls were not seen: a container that
 * began in between may lack its first steps. */
void lifecycle_armed(struct timeline *tl, const struct event_armed *e)
{
	if (e->armed != 1 || !e->sentinel_ns)
		return;
	for (size_t i = 0; i < tl->active_count; i++) {
		struct cont *c = tl->active[i];

		if (c->c.existed || c->blind_to_ns || c->c.first_ns < e->sentinel_ns || c->c.first_ns > e->h.time_ns)
			continue;
		c->blind_from_ns = e->sentinel_ns;
		c->blind_to_ns = e->h.time_ns;
		c->unsettled = true;
	}
}

/* ---- containers that were there before ---- */

/* What the shim or conmon that made it says; NULL = none did. The caller frees. */
static char *id_by_ancestors(struct timeline *tl, struct process *p, struct identity *who)
{
	for (int depth = 0; p && depth < 8; depth++, p = process_creator(tl, p)) {
		if (p->role != ROLE_SHIM || !p->argv)
			continue;
		if (strcmp(p->comm, "conmon") ? identify_shim(p->argv, who) : identify_conmon(p->argv, who))
			return xstrdup(who->id);
		return NULL;
	}
	return NULL;
}

/* What its runtime wrote down, or was called with, if that is still there; NULL = neither is known. The caller frees. */
static char *id_by_runtime(struct timeline *tl, const struct process *p)
{
	const struct process *up = process_creator(tl, p);
	struct identity who;

	if (p->state)
		return xstrdup(strrchr(p->state, '/') + 1);
	if (up && up->role == ROLE_RUNTIME && up->argv && identify_runtime(up->argv, up->argv_cut, &who) &&
		who.verb == VERB_CREATE)
		return xstrdup(who.id);
	return NULL;
}

/* By its runtime, then by its cgroup's name, then by its shim, then by the last component of its cgroup's path, which says
 * nothing of one without a pid namespace of its own. The name may be that of the container around it, if the path goes on. */
static char *existing_id(struct timeline *tl, struct process *p, struct identity *who)
{
	struct cgroup_ref *ref = cgroups_find(tl, tl->config.cgroup_hierarchy, p->cgroup_id);
	struct cgroup_identity by_cgroup;
	char *id = id_by_runtime(tl, p);

	if (id)
		return id;
	if (ref && identify_cgroup(ref->path, &by_cgroup)) {
		id = xstrndup(by_cgroup.id, by_cgroup.id_length);
		if (!ref->path[by_cgroup.end] || !claim_find(tl, 'I', id))
			return id;
		free(id);
	}
	id = id_by_ancestors(tl, p, who);
	if (id)
		return id;
	if (!ref || !strcmp(ref->path, "/") || !is_first_of_namespace(p))
		return NULL;
	return xstrdup(strrchr(ref->path, '/') ? strrchr(ref->path, '/') + 1 : ref->path);
}

static bool has_cgroup_in(const struct container *c, uint32_t hierarchy)
{
	for (size_t i = 0; i < c->cgroup_count; i++) {
		if (c->cgroups[i].hierarchy == hierarchy)
			return true;
	}
	return false;
}

static bool is_named(const struct cgroup_ref *ref, const char *id)
{
	const char *slash = strrchr(ref->path, '/');

	return slash && !strcmp(slash + 1, id);
}

/* Its cgroups in every hierarchy, in the order of /proc/PID/cgroup: those with the same path as the identifying one; where
 * there is none, those named after it (a v1 runtime puts them below its own cgroup, which may differ). */
static void adopt_existing_cgroups(struct timeline *tl, struct cont *c, uint64_t cgroup_id)
{
	struct cgroup_ref *own = cgroups_find(tl, tl->config.cgroup_hierarchy, cgroup_id);
	size_t missing = 0;

	if (!own || !strcmp(own->path, "/"))
		return;
	for (size_t i = 0; i < tl->config.hierarchy_count; i++) {
		struct cgroup_ref *ref = cgroups_find_path(tl, tl->config.hierarchies[i].id, own->path);

		if (ref && !cgroups_holder(tl, ref))
			cgroups_adopt(tl, c, ref);
		missing += !ref;
	}
	/* all cgroups are looked through only for a container that has none of its path in some hierarchy */
	for (size_t i = 0; missing && is_named(own, c->c.id) && i < tl->cgroups.count; i++) {
		struct cgroup_ref *ref = tl->cgroups.entries[i].value;

		if (!ref->container && is_named(ref, c->c.id) && !has_cgroup_in(&c->c, ref->hierarchy))
			cgroups_adopt(tl, c, ref);
	}
}

/* Init of, or in the cgroup of, a container that was seen being made while the snapshot was taken: whatever that is called. */
static bool is_known(struct timeline *tl, const struct process *p, const struct cgroup_ref *ref)
{
	const struct cont *c = container_by_serial(tl, p->container), *holder = ref ? cgroups_holder(tl, ref) : NULL;

	return (c && !c->c.ended && c->init.tgid == p->id.tgid && c->init.start_ns == p->id.start_ns) ||
		(holder && !holder->c.existed);
}

/* The runtime that made it and has not ended: it still is (in the middle of a start), or waits for its end. */
static void adopt_runtime(struct timeline *tl, struct cont *c, const struct process *init)
{
	struct process *up = process_creator(tl, init);
	struct identity who;

	if (!up || up->role != ROLE_RUNTIME || !up->argv || !identify_runtime(up->argv, up->argv_cut, &who) ||
		who.verb != VERB_CREATE || strcmp(who.id, c->c.id) != 0)
		return;
	container_set(&c->c.bundle, who.bundle);
	container_set(&c->c.runtime, up->comm);
	process_claim(tl, up, c);
}

/* Still the runtime, with the container's pid 1: runc's says so by its name; crun's has the arguments that crun was called with. */
static bool is_stage(const struct process *p, const char *id)
{
	struct identity who;

	return !strncmp(p->comm, "runc:[", 6) || (p->role == ROLE_RUNTIME && p->argv && identify_runtime(p->argv, p->argv_cut, &who) &&
		who.verb == VERB_CREATE && !strcmp(who.id, id));
}

/* The runtime, and the set of ids that the container's is one of, by where its state is. */
static void adopt_state(struct timeline *tl, struct cont *c, const char *state)
{
	const char *slash = strrchr(state, '/');

	free(c->maker.root);
	c->maker.root = xstrndup(state, (size_t)(slash - state));
	c->maker.pid_ns = tl->config.root_pid_ns;
	container_set(&c->c.runtime, strrchr(c->maker.root, '/') + 1);
}

static void add_existing(struct timeline *tl, struct process *p)
{
	struct identity who = { 0 };
	_cleanup_free_ char *id = existing_id(tl, p, &who);
	struct cgroup_identity by_cgroup;
	struct cgroup_ref *ref = cgroups_find(tl, tl->config.cgroup_hierarchy, p->cgroup_id);
	struct cont *c;

	if (!id || claim_find(tl, 'I', id) || is_known(tl, p, ref))
		return;
	c = container_new(tl, id);
	c->c.existed = true;
	if (ref && identify_cgroup(ref->path, &by_cgroup))
		container_set(&c->c.engine, by_cgroup.engine);
	if (!c->c.engine && who.namespace_[0])
		container_set(&c->c.engine, engine_of_namespace(who.namespace_));
	container_set(&c->c.name, who.name);
	container_set(&c->c.bundle, who.bundle);
	if (p->state)
		adopt_state(tl, c, p->state);
	adopt_existing_cgroups(tl, c, p->cgroup_id);
	p->container = c->serial;
	c->init = p->id;
	c->c.pid = p->id.tgid;
	c->c.init_start_ns = p->id.start_ns;
	c->c.namespaces = p->ns;
	if (p->id.start_ns < c->c.first_ns) /* a step that was seen live may be older still */
		c->c.first_ns = p->id.start_ns;
	if (is_stage(p, id)) {
		p->role = ROLE_RUNTIME;
		c->awaits_program = true;
	} else {
		p->is_init = true;
		p->role = ROLE_PAYLOAD;
		c->c.state = STATE_RUNNING;
	}
	if (is_first_of_namespace(p))
		claim_inode_key(tl, c, 'i', p->ns.pid);
	if (p->ns.mnt != tl->config.root_mnt_ns)
		claim_inode_key(tl, c, 'm', p->ns.mnt);
	claim_network(tl, c, p);
	process_claim(tl, p, c);
	adopt_runtime(tl, c, p);
	container_notify(tl, c, CHANGE_CREATED);
}

static int compare_start(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	return x->id.start_ns < y->id.start_ns ? -1 : x->id.start_ns > y->id.start_ns;
}

/* Containers in a pid namespace that is not their own: of what the shim started for one (its init, exec sessions, and the
 * orphans that it took in) the oldest is the init. */
static void add_existing_without_namespace(struct timeline *tl)
{
	_cleanup_free_ struct process **found = NULL;
	size_t count = 0, capacity = 0;

	for (size_t i = 0; i < tl->processes.count; i++) {
		struct process *p = tl->processes.entries[i].value;

		if (!p->snapshot || p->role != ROLE_PAYLOAD || is_first_of_namespace(p))
			continue;
		array_grow(found, count, capacity);
		found[count++] = p;
	}
	if (count)
		qsort(found, count, sizeof(found[0]), compare_start);
	for (size_t i = 0; i < count; i++)
		add_existing(tl, found[i]);
}

void lifecycle_snapshot_end(struct timeline *tl)
{
	enum { MAX_LEVEL = 32 }; /* MAX_PID_NS_LEVEL of linux/pid_namespace.h */
	uint32_t deepest = 0;

	for (size_t i = 0; i < tl->processes.count; i++) { /* what is sure, before a cgroup of that name is taken for its */
		struct process *p = tl->processes.entries[i].value;

		if (p->snapshot && p->state)
			add_existing(tl, p);
	}
	/* containers before those inside of them */
	for (uint32_t level = 0; level <= deepest && level <= MAX_LEVEL; level++) {
		for (size_t i = 0; i < tl->processes.count; i++) {
			struct process *p = tl->processes.entries[i].value;

			if (p->ns_level > deepest)
				deepest = p->ns_level;
			if (p->snapshot && is_first_of_namespace(p) && p->ns_level == level)
				add_existing(tl, p);
		}
	}
	add_existing_without_namespace(tl);
	tl->live = true;
}
