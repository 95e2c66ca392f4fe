/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* How long nothing may be heard of a container that looks finished before it has ended: its
 * engine still unmounts and its client still returns after the last cgroup is gone. */
#define QUIET_NS 250000000ULL
#define SWEEP_NS 50000000ULL
/* Processes that make a container or are it; bits of enum actor_role. */
#define OWN_ROLES (1U << ACTOR_SHIM | 1U << ACTOR_RUNTIME | 1U << ACTOR_INIT | 1U << ACTOR_EXEC | 1U << ACTOR_HOOK)

struct cont *container_new(struct timeline *tl, const char *id)
{
	struct cont *c = xcalloc(1, sizeof(*c)), *earlier;

	c->serial = ++tl->next_serial;
	c->c.id = xstrdup(id);
	c->c.first_ns = c->c.last_ns = tl->now_ns;
	c->lost_at_first = tl->stats.lost - (tl->now_ns <= tl->losing_until_ns ? tl->losing : 0);
	c->unsettled = true;
	earlier = map_put(&tl->by_id, id, strlen(id), c);
	if (earlier)
		c->c.generation = earlier->c.generation + 1;
	array_grow(tl->containers, tl->container_count, tl->container_capacity);
	tl->containers[tl->container_count++] = c;
	array_grow(tl->active, tl->active_count, tl->active_capacity);
	tl->active[tl->active_count++] = c;
	map_put_key(&tl->by_serial, &c->serial, c);
	claim_key(tl, c, 'I', id);
	metas_apply(tl, c);
	return c;
}

void actor_free(struct actor *a)
{
	free(a->argv);
	free(a->exe);
}

static void free_steps(struct cont *cont)
{
	arena_free(&cont->details);
	free(cont->c.steps);
	cont->c.steps = NULL;
	cont->c.step_count = cont->c.step_capacity = 0;
}

void container_free(struct cont *cont)
{
	struct container *c = &cont->c;

	for (size_t i = 0; i < c->actor_count; i++)
		actor_free(&c->actors[i]);
	free_steps(cont);
	for (size_t i = 0; i < c->mark_count; i++)
		details_free(&c->marks[i].details);
	for (size_t i = 0; i < c->cgroup_count; i++)
		free(c->cgroups[i].path);
	for (size_t i = 0; i < c->limit_count; i++) {
		free(c->limits[i].file);
		free(c->limits[i].value);
	}
	for (size_t i = 0; i < cont->actors.count; i++)
		free(cont->actors.entries[i].value);
	map_free(&cont->actors);
	for (size_t i = 0; i < cont->key_count; i++)
		free(cont->keys[i]);
	free(cont->keys);
	free(cont->fatal.container);
	free(cont->maker.root);
	free(c->exit.sender_container);
	free(c->actors);
	free(c->marks);
	free(c->cgroups);
	free(c->limits);
	free(c->phases);
	free(c->gaps);
	free(c->id);
	free(c->name);
	free(c->image);
	free(c->engine);
	free(c->runtime);
	free(c->pod);
	free(c->bundle);
	free(c->pod_namespace);
	labels_free(c);
	free(cont);
}

struct cont *container_by_serial(struct timeline *tl, uint64_t serial)
{
	if (!serial)
		return NULL;
	if (!tl->recent_container || tl->recent_container->serial != serial)
		tl->recent_container = map_get_key(&tl->by_serial, &serial);
	return tl->recent_container;
}

/* What a shim calls "namespace NAME" is DIRECTORY/NAME to the runtime that it calls. */
static bool is_namespace_of(const char *set, const char *directory)
{
	const char *name = strrchr(directory, '/');

	return name && str_starts(set, MAKER_NAMESPACE) && !strcmp(set + strlen(MAKER_NAMESPACE), name + 1);
}

static bool is_same_set(const char *a, const char *b)
{
	return !strcmp(a, b) || is_namespace_of(a, b) || is_namespace_of(b, a);
}

static bool is_made_by(const struct cont *c, const struct maker *m)
{
	return (!c->maker.pid_ns || !m->pid_ns || c->maker.pid_ns == m->pid_ns) &&
		(!c->maker.root || !m->root || is_same_set(c->maker.root, m->root));
}

/* The newest of that id and maker that has not ended; of any maker where maker is NULL. */
static struct cont *find_active(struct timeline *tl, const char *id, const struct maker *maker)
{
	for (size_t i = tl->active_count; i-- > 0;) {
		struct cont *c = tl->active[i];

		if (!c->c.ended && !strcmp(c->c.id, id) && (!maker || is_made_by(c, maker)))
			return c;
	}
	return NULL;
}

static bool has_live(const struct cont *c, unsigned roles)
{
	for (size_t i = 0; i < c->c.actor_count; i++) {
		const struct actor *a = &c->c.actors[i];

		if (a->exited || a->is_shared || a->end_ns) /* with an end: became init, or acts for another */
			continue;
		if (roles & 1U << a->role)
			return true;
	}
	return false;
}

static bool had_runtime(const struct cont *c)
{
	for (size_t i = 0; i < c->c.actor_count; i++) {
		if (c->c.actors[i].role == ACTOR_RUNTIME)
			return true;
	}
	return false;
}

/* Its runtime died before there was an init, as when it is killed: it never runs, though its cgroups may stay for good. Where
 * events were lost its init may be among them. */
static bool is_abandoned(const struct timeline *tl, const struct cont *c)
{
	return c->c.state == STATE_CREATED && c->c.created_ns && !c->init.tgid && tl->stats.lost == c->lost_at_first &&
		had_runtime(c) && !has_live(c, OWN_ROLES | 1U << ACTOR_ENGINE);
}

struct cont *container_for_id(struct timeline *tl, const char *id, const struct maker *maker, bool creates)
{
	struct cont *c = claim_find(tl, 'I', id);

	if (c && maker && !is_made_by(c, maker)) {
		struct cont *twin = c->c.generation ? find_active(tl, id, maker) : NULL;

		/* one directory may be named in two ways; who creates says so */
		c = twin || creates || c->maker.pid_ns != maker->pid_ns ? twin : c;
	}
	if (c && creates && (c->c.state == STATE_EXITED || is_abandoned(tl, c))) {
		container_sweep(tl, false);
		c = NULL;
	}
	if (!c && creates) {
		c = container_new(tl, id);
		container_notify(tl, c, CHANGE_CREATED);
	}
	if (c && creates && maker && !c->maker.pid_ns)
		c->maker.pid_ns = maker->pid_ns;
	if (c && creates && maker && !c->maker.root && maker->root)
		c->maker.root = xstrdup(maker->root);
	return c;
}

void container_set(char **field, const char *value)
{
	if (!value || !*value || (*field && !strcmp(*field, value)))
		return;
	free(*field);
	*field = xstrdup(value);
}

void container_notify(struct timeline *tl, struct cont *c, enum timeline_change change)
{
	if (!tl->listener)
		return;
	container_settle(c);
	tl->listener(tl->listener_arg, &c->c, change);
}

void container_touch(struct cont *c, uint64_t now_ns)
{
	if (now_ns < c->c.first_ns)
		c->c.first_ns = now_ns;
	if (now_ns > c->c.last_ns)
		c->c.last_ns = now_ns;
	c->unsettled = true;
	c->quiet_since_ns = 0;
}

/* A container's init or exec session may itself be an engine or a client, whose containers know it as such. */
static enum actor_role role_of(const struct cont *c, const struct process *p)
{
	if (p->is_init && p->container == c->serial)
		return ACTOR_INIT;
	if (p->is_exec && p->container == c->serial)
		return ACTOR_EXEC;
	switch (p->role) {
	case ROLE_CLI:
		return ACTOR_CLI;
	case ROLE_ENGINE:
		return ACTOR_ENGINE;
	case ROLE_CONTAINERD:
		return ACTOR_CONTAINERD;
	case ROLE_SHIM:
		return ACTOR_SHIM;
	case ROLE_RUNTIME:
		/* `ctrace run` is engine and runtime in one; the children it forks are the runtime */
		return p->argv && p->argv[0] && p->argv[1] && !strcmp(p->argv[1], "run") &&
				!strcmp(p->comm, "ctrace") ? ACTOR_ENGINE : ACTOR_RUNTIME;
	case ROLE_PAYLOAD:
		return p->is_exec ? ACTOR_EXEC : p->is_hook ? ACTOR_HOOK : ACTOR_HELPER;
	default:
		return ACTOR_HELPER;
	}
}

static void describe_actor(struct actor *a, const struct process *p)
{
	actor_free(a);
	memcpy(a->comm, p->comm, sizeof(a->comm));
	a->exe = p->exe ? xstrdup(p->exe) : NULL;
	a->argv = argv_copy(p->argv);
	a->argv_cut = p->argv_cut;
}

static bool acted_for_another(const struct cont *c, const struct process *p)
{
	return p->actor_of && p->actor_of != c->serial;
}

/* Where the actor's part begins: the process's birth, or its exec as init. The part of a daemon, and of who acted for
 * another container before, begins with the first step that it takes for this one. */
static void begin_actor(const struct cont *c, struct actor *a, const struct process *p, uint64_t now_ns)
{
	bool is_payload = a->role == ACTOR_INIT || a->role == ACTOR_EXEC || a->role == ACTOR_HOOK;

	a->end_edge = EDGE_OPEN;
	if (a->is_shared) {
		a->start_edge = EDGE_INFERRED;
	} else if (acted_for_another(c, p) && a->role == ACTOR_RUNTIME) {
		a->start_ns = p->dead && p->dead_ns < now_ns ? p->dead_ns : now_ns; /* what its child did now may be why it is here */
		a->start_edge = EDGE_INFERRED;
	} else if (is_payload && p->exec_ns) {
		a->start_ns = p->exec_ns;
	} else if (p->fork_ns || p->exec_ns) {
		a->start_ns = p->fork_ns ? p->fork_ns : p->exec_ns;
	} else {
		a->start_ns = p->id.start_ns ? p->id.start_ns : now_ns;
		a->start_edge = EDGE_INFERRED;
	}
}

static int creator_actor(struct timeline *tl, struct cont *c, const struct process *p,
	enum actor_role role)
{
	struct actor_key key = { .process = p->id, .role = ACTOR_RUNTIME };
	const struct process *up = p;
	int *index;

	/* a payload's maker is the runtime stage that it was before its exec */
	if ((role == ACTOR_INIT || role == ACTOR_EXEC) && (index = map_get_key(&c->actors, &key)))
		return *index;
	for (int depth = 0; depth < 8 && (up = process_creator(tl, up)); depth++) {
		key = (struct actor_key){ .process = up->id, .role = role_of(c, up) };
		index = map_get_key(&c->actors, &key);
		if (index)
			return *index;
	}
	return -1;
}

/* Its end will be the other one's: the shim of a pod makes all the pod's containers. */
static bool serves_another(const struct cont *c, const struct process *p)
{
	uint64_t serial = p->acts_for ? p->acts_for : p->container;

	return serial && serial != c->serial;
}

static bool is_recent_actor(const struct cont *c, const struct actor_key *key)
{
	const struct actor *a = (size_t)c->recent_actor < c->c.actor_count ? &c->c.actors[c->recent_actor] : NULL;

	return a && a->pid == key->process.tgid && a->process_start_ns == key->process.start_ns && a->role == key->role;
}

int container_actor(struct timeline *tl, struct cont *c, struct process *p)
{
	struct actor_key key = { .process = p->id, .role = role_of(c, p) };
	struct actor *a;
	int *index;

	if (is_recent_actor(c, &key))
		return c->recent_actor;
	index = map_get_key(&c->actors, &key);
	if (index)
		return c->recent_actor = *index;
	index = xmalloc(sizeof(*index));
	*index = (int)c->c.actor_count;
	array_grow(c->c.actors, c->c.actor_count, c->c.actor_capacity);
	a = &c->c.actors[c->c.actor_count++];
	*a = (struct actor){ .role = key.role, .pid = p->id.tgid, .ns_pid = p->ns_tgid,
		.process_start_ns = p->id.start_ns,
		.is_shared = (process_is_daemon(p) || serves_another(c, p)) && key.role != ACTOR_INIT };
	describe_actor(a, p);
	begin_actor(c, a, p, tl->now_ns);
	a->parent = creator_actor(tl, c, p, a->role);
	map_put_key(&c->actors, &key, index);
	c->recent_actor = *index;
	p->in_several |= acted_for_another(c, p);
	p->actor_of = c->serial;
	c->c.followed |= p->followed;
	if (p->dead) {
		container_actor_cpu(a, p);
		a->exited = true;
		a->exit_status = p->exit_status;
		/* what it did may be told later than its end */
		a->end_ns = p->dead_ns > a->start_ns ? p->dead_ns : a->start_ns;
		a->end_edge = EDGE_OBSERVED;
	}
	if (a->start_ns && !a->is_shared && tl->live)
		container_touch(c, a->start_edge == EDGE_OBSERVED ? a->start_ns : tl->now_ns);
	return *index;
}

bool container_recast(struct cont *c, const struct process *p)
{
	struct actor_key key = { .process = p->id, .role = ACTOR_RUNTIME };
	int *index = map_get_key(&c->actors, &key);

	for (size_t i = 0; index && i < c->c.step_count; i++) {
		if (c->c.steps[i].actor == *index)
			return false;
	}
	if (!index)
		return false;
	map_remove_key(&c->actors, &key);
	key.role = role_of(c, p);
	free(map_put_key(&c->actors, &key, index));
	c->recent_actor = *index;
	c->c.actors[*index].role = (enum actor_role)key.role;
	describe_actor(&c->c.actors[*index], p);
	return true;
}

void container_actor_cpu(struct actor *a, const struct process *p)
{
	/* the time of who acted for several is nobody's */
	a->has_cpu = p->cpu.told && !p->cpu.lacks && !a->is_shared && !p->in_several;
	a->on_cpu_ns = a->has_cpu ? p->cpu.on_cpu_ns : 0;
	a->run_queue_ns = a->has_cpu ? p->cpu.run_queue_ns : 0;
}

void container_actor_gone(struct cont *c, const struct process *p, uint64_t now_ns, enum edge edge)
{
	for (size_t i = 0; i < c->c.actor_count; i++) {
		struct actor *a = &c->c.actors[i];

		if (a->pid != p->id.tgid || a->process_start_ns != p->id.start_ns || a->end_ns)
			continue;
		a->exited = true;
		a->exit_status = p->exit_status;
		a->end_ns = now_ns;
		a->end_edge = edge;
		container_actor_cpu(a, p);
	}
}

void container_actor_leaves(struct cont *c, const struct process *p, uint64_t now_ns)
{
	for (size_t i = 0; i < c->c.actor_count; i++) {
		struct actor *a = &c->c.actors[i];

		if (a->pid != p->id.tgid || a->process_start_ns != p->id.start_ns || a->end_ns)
			continue;
		a->end_ns = now_ns;
		a->end_edge = EDGE_INFERRED;
		c->unsettled = true;
	}
}

static int compare_names(const void *name, const void *element)
{
	return strcmp(name, *(const char *const *)element);
}

static bool is_limit(const char *file)
{
	static const char *const files[] = { /* sorted */
		"blkio.weight", "cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.max", "cpu.shares", "cpu.weight",
		"cpuset.cpus", "cpuset.mems", "hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max", "io.max",
		"io.weight", "memory.high", "memory.limit_in_bytes", "memory.low", "memory.max",
		"memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.swap.max",
		"memory.swappiness", "pids.max" };

	return bsearch(file, files, ARRAY_SIZE(files), sizeof(files[0]), compare_names) != NULL;
}

/* A cgroup that the payload made below its own: its limits are not the container's. */
static bool is_of_child(const struct container *c, const struct step *step)
{
	const char *path = details_text(&step->details, "path");
	bool below = false;

	for (size_t i = 0; path && i < c->cgroup_count; i++) {
		size_t length = strlen(c->cgroups[i].path);

		if (!strcmp(path, c->cgroups[i].path))
			return false;
		below |= !strncmp(path, c->cgroups[i].path, length) && path[length] == '/';
	}
	return below;
}

/* The last value that was written to a file is the limit in force. Returns false where the step sets none. */
static bool note_limit(struct container *c, const struct step *step)
{
	const char *file = details_text(&step->details, "file");
	const char *value = details_text(&step->details, "value");
	size_t i;

	if (!file || !value || !is_limit(file) || (step->has_result && step->result < 0) || is_of_child(c, step))
		return false;
	for (i = 0; i < c->limit_count && strcmp(c->limits[i].file, file) != 0; i++)
		;
	if (i == c->limit_count) {
		array_grow(c->limits, c->limit_count, c->limit_capacity);
		c->limits[c->limit_count++] = (struct limit){ .file = xstrdup(file) };
	}
	free(c->limits[i].value);
	c->limits[i].value = xstrndup(value, strcspn(value, "\n"));
	c->limits[i].at_ns = step->start_ns;
	return true;
}

static bool enters_mounts(const struct actor *actor, const struct step *step)
{
	const char *flags;

	if (step->kind != STEP_UNSHARE && step->kind != STEP_CLONE && step->kind != STEP_SETNS)
		return false;
	flags = details_text(&step->details, "flags");
	return actor && actor->role == ACTOR_RUNTIME && flags && strstr(flags, "CLONE_NEWNS");
}

bool step_sets_propagation(const struct step *step)
{
	static const char *const kinds[] = { "MS_PRIVATE", "MS_SLAVE", "MS_SHARED", "MS_UNBINDABLE" };
	const char *flags = details_text(&step->details, "flags");

	for (size_t i = 0; flags && i < ARRAY_SIZE(kinds); i++) {
		if (strstr(flags, kinds[i]))
			return true;
	}
	return false;
}

/* What a step tells about the container beyond itself. */
static void learn(struct timeline *tl, struct cont *c, const struct actor *actor, const struct step *step)
{
	const char *target, *source;
	bool ok = !step->has_result || step->result >= 0, onto_itself;

	if (step->kind == STEP_CGROUP_WRITE) {
		if (note_limit(&c->c, step) && c->c.started_ns && step->start_ns > c->c.started_ns && !c->c.exit.at_ns) {
			struct mark *m = container_add_mark(c, MARK_LIMIT_CHANGE, step->start_ns);

			details_add_text(&m->details, "file", details_text(&step->details, "file"));
			details_add_text(&m->details, "value", details_text(&step->details, "value"));
		}
	}
	c->own_mounts |= ok && enters_mounts(actor, step);
	if (step->kind == STEP_PIVOT_ROOT && ok)
		c->pivoted = true;
	if (step->kind == STEP_REQUEST && actor) {
		struct process_id client = { .tgid = actor->pid, .start_ns = actor->process_start_ns };

		container_set(&c->c.name, details_text(&step->details, "name"));
		container_set(&c->c.image, details_text(&step->details, "image"));
		claim_process_key(tl, c, &client); /* what else it asked for was for this container */
		return;
	}
	if (step->kind != STEP_MOUNT || !ok || !actor)
		return;
	target = details_text(&step->details, "target");
	source = details_text(&step->details, "source");
	if (!target || *target != '/')
		return;
	onto_itself = source && !strcmp(source, target);
	/* runc binds the root filesystem onto itself; what an engine mounted for this container it will also unmount, but
	 * not its storage, which it binds onto itself for all of them */
	if (actor->role == ACTOR_RUNTIME ? onto_itself && !c->pivoted : actor->is_shared && !onto_itself && !step_sets_propagation(step))
		claim_key(tl, c, 'P', target);
}

/* Steps that grow as they come, in memory that was just used; they move to their own when the container ends. */
static void take_spare_steps(struct timeline *tl, struct cont *c)
{
	c->c.steps = tl->spare_steps.items;
	c->c.step_capacity = tl->spare_steps.capacity;
	tl->spare_steps.items = NULL;
	tl->spare_steps.capacity = 0;
}

static void leave_spare_steps(struct timeline *tl, struct step *steps, size_t capacity)
{
	enum { MAX = 256 }; /* a start of docker's; more would be too much for one that takes a few */

	if (tl->spare_steps.items || capacity > MAX) {
		free(steps);
		return;
	}
	tl->spare_steps.items = steps;
	tl->spare_steps.capacity = capacity;
}

void container_add_step(struct timeline *tl, struct cont *c, int actor_index, struct step *step)
{
	struct actor *actor = actor_index >= 0 ? &c->c.actors[actor_index] : NULL;

	container_touch(c, step->start_ns);
	container_touch(c, step->end_ns);
	if (actor && actor->start_edge == EDGE_INFERRED && (!actor->start_ns || step->start_ns < actor->start_ns))
		actor->start_ns = step->start_ns;
	if (actor && actor->is_shared && step->end_ns > actor->end_ns) {
		actor->end_ns = step->end_ns;
		actor->end_edge = EDGE_INFERRED;
	}
	step->actor = actor_index;
	step->phase = phase_of(c, actor, step);
	if ((!c->c.created_ns || step->start_ns < c->c.created_ns) && !c->c.existed && actor &&
		(actor->role == ACTOR_RUNTIME || step->phase == PHASE_CGROUP))
		c->c.created_ns = step->start_ns;
	if (c->c.step_count >= TIMELINE_MAX_STEPS) {
		c->c.steps_cut++;
		step_free(step);
		return;
	}
	details_seal(&step->details, &c->details);
	waits_seal(step, &c->details);
	if (!c->c.step_capacity)
		take_spare_steps(tl, c);
	array_grow(c->c.steps, c->c.step_count, c->c.step_capacity);
	step->order = (uint32_t)(c->c.step_count + c->c.steps_cut);
	c->c.steps[c->c.step_count++] = *step;
	*step = (struct step){ 0 };
	learn(tl, c, actor, &c->c.steps[c->c.step_count - 1]);
}

struct mark *container_add_mark(struct cont *c, enum mark_kind kind, uint64_t at_ns)
{
	array_grow(c->c.marks, c->c.mark_count, c->c.mark_capacity);
	c->c.marks[c->c.mark_count] = (struct mark){ .kind = kind, .at_ns = at_ns,
		.order = c->c.marks_made++ };
	c->unsettled = true;
	return &c->c.marks[c->c.mark_count++];
}

/* True when no process of its own and no cgroup is left. A client or `ctrace run` may stay on. */
static bool is_gone(const struct cont *c)
{
	return !cgroups_remain(c) && (c->init.tgid == 0 || c->c.state == STATE_EXITED) && !has_live(c, OWN_ROLES);
}

static void abandon(struct timeline *tl, struct cont *c)
{
	c->c.state = STATE_EXITED;
	c->unsettled = true;
	container_notify(tl, c, CHANGE_EXITED);
}

static void drop_steps(struct timeline *tl, struct cont *c)
{
	leave_spare_steps(tl, c->c.steps, c->c.step_capacity);
	c->c.steps = NULL;
	free_steps(c);
}

/* Into memory of just their size. */
static void pack_steps(struct timeline *tl, struct cont *c)
{
	size_t bytes = c->c.step_count * sizeof(*c->c.steps), size = 0;
	struct arena details = { 0 };
	struct step *steps;

	if (!c->c.step_count)
		return;
	steps = memcpy(xmalloc(bytes), c->c.steps, bytes);
	for (size_t i = 0; i < c->c.step_count; i++)
		size += details_size(&steps[i].details) + waits_size(&steps[i]);
	arena_reserve(&details, size);
	for (size_t i = 0; i < c->c.step_count; i++) {
		details_move(&steps[i].details, &details);
		waits_move(&steps[i], &details);
	}
	arena_free(&c->details);
	leave_spare_steps(tl, c->c.steps, c->c.step_capacity);
	c->details = details;
	c->c.steps = steps;
	c->c.step_capacity = c->c.step_count;
}

/* An ended container may be kept for long: it gives back the room that its arrays had to grow. */
static void trim(struct timeline *tl, struct cont *c)
{
	pack_steps(tl, c);
	array_trim(c->c.actors, c->c.actor_count, c->c.actor_capacity);
	array_trim(c->c.cgroups, c->c.cgroup_count, c->c.cgroup_capacity);
	array_trim(c->c.marks, c->c.mark_count, c->c.mark_capacity);
	for (size_t i = 0; i < c->actors.count; i++)
		free(c->actors.entries[i].value);
	map_free(&c->actors);
	c->recent_actor = -1; /* as of the map, nothing is found */
}

static void end(struct timeline *tl, struct cont *c)
{
	struct cont *twin;

	c->c.ended = true;
	c->c.lost = tl->stats.lost - c->lost_at_first;
	c->unsettled = true;
	if (c->c.state != STATE_EXITED)
		c->c.state = STATE_EXITED;
	tl->ended_count++;
	container_notify(tl, c, CHANGE_ENDED);
	claim_drop_all(tl, c);
	if (tl->config.ended_without_steps)
		drop_steps(tl, c);
	twin = c->c.generation ? find_active(tl, c->c.id, NULL) : NULL;
	if (twin && !claim_find(tl, 'I', twin->c.id))
		claim_key(tl, twin, 'I', twin->c.id);
	trim(tl, c);
}

/* Drops the oldest ended containers beyond the configured bound. */
static void forget_ended(struct timeline *tl)
{
	size_t kept = 0, drop;

	if (!tl->config.max_ended || tl->ended_count <= tl->config.max_ended + tl->config.max_ended / 4)
		return;
	drop = tl->ended_count - tl->config.max_ended;
	for (size_t i = 0; i < tl->container_count; i++) {
		struct cont *c = tl->containers[i];

		if (!c->c.ended || !drop) {
			tl->containers[kept++] = c;
			continue;
		}
		drop--;
		tl->ended_count--;
		tl->stats.forgotten++;
		map_remove_key(&tl->by_serial, &c->serial);
		map_remove_value(&tl->by_id, c->c.id, strlen(c->c.id), c);
		container_free(c);
	}
	tl->recent_container = NULL;
	tl->container_count = kept;
}

static bool is_quiet(const struct timeline *tl, struct cont *c, bool last)
{
	if (!c->quiet_since_ns)
		c->quiet_since_ns = tl->now_ns;
	return last || tl->now_ns >= c->quiet_since_ns + QUIET_NS;
}

void container_sweep(struct timeline *tl, bool last)
{
	size_t kept = 0, count = tl->active_count;

	if (!last && tl->now_ns < tl->swept_ns + SWEEP_NS)
		return;
	tl->swept_ns = tl->now_ns;
	for (size_t i = 0; i < count; i++) {
		struct cont *c = tl->active[i];

		if (is_gone(c)) {
			if (is_quiet(tl, c, last)) {
				end(tl, c);
				continue;
			}
		} else if (is_abandoned(tl, c) && is_quiet(tl, c, last)) {
			abandon(tl, c);
		}
		c->c.lost = tl->stats.lost - c->lost_at_first;
		container_bound(tl, c);
		tl->active[kept++] = c;
	}
	tl->active_count = kept;
	forget_ended(tl);
}
