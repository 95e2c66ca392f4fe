/* SPDX-License-Identifier: Apache-2.0 */
/* Which cgroup is whose: by its path, by who made it, by who was put into it. */
#include <stdlib.h>
#include <string.h>

#include "timeline/identify.h"
#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

struct cgroup_key {
	uint64_t hierarchy, id;
};

struct path_key {
	uint32_t hierarchy;
	char path[EVENT_PATH]; /* the length of the key is that of the path */
};

/* Returns the key's length. Paths are of events, and end within EVENT_PATH. */
static size_t path_key(struct path_key *key, uint32_t hierarchy, const char *path, size_t length)
{
	key->hierarchy = hierarchy;
	memcpy(key->path, path, length);
	return sizeof(hierarchy) + length;
}

static struct cgroup_ref *find_path(struct timeline *tl, uint32_t hierarchy, const char *path, size_t length)
{
	struct path_key key;

	return map_get(&tl->cgroup_paths, &key, path_key(&key, hierarchy, path, length));
}

struct cgroup_ref *cgroups_find_path(struct timeline *tl, uint32_t hierarchy, const char *path)
{
	return find_path(tl, hierarchy, path, strlen(path));
}

struct cgroup_ref *cgroups_find(struct timeline *tl, uint32_t hierarchy, uint64_t id)
{
	struct cgroup_key key = { .hierarchy = hierarchy, .id = id };

	return map_get_key(&tl->cgroups, &key);
}

struct cont *cgroups_container(struct timeline *tl, uint64_t cgroup_id)
{
	struct cgroup_ref *ref = cgroups_find(tl, tl->config.cgroup_hierarchy, cgroup_id);

	return ref ? container_by_serial(tl, ref->container) : NULL;
}

/* One that is there has this path: whoever had the id with another one was forgotten. */
static struct cgroup_ref *ref_new(struct timeline *tl, uint32_t hierarchy, uint64_t id, const char *path)
{
	struct cgroup_key key = { .hierarchy = hierarchy, .id = id };
	struct cgroup_ref *ref = map_get_key(&tl->cgroups, &key);
	size_t length = strlen(path);
	struct path_key text;

	if (!ref) {
		ref = xmalloc(sizeof(*ref) + length + 1);
		*ref = (struct cgroup_ref){ .hierarchy = hierarchy, .id = id };
		memcpy(ref->path, path, length + 1);
		map_put_key(&tl->cgroups, &key, ref);
	}
	map_put(&tl->cgroup_paths, &text, path_key(&text, hierarchy, path, length), ref);
	return ref;
}

static void ref_remove(struct timeline *tl, struct cgroup_ref *ref)
{
	struct cgroup_key key = { .hierarchy = ref->hierarchy, .id = ref->id };
	struct path_key text;
	size_t length = path_key(&text, ref->hierarchy, ref->path, strlen(ref->path));

	map_remove_value(&tl->cgroup_paths, &text, length, ref);
	map_remove_key(&tl->cgroups, &key);
	free(ref);
}

void cgroups_free(struct timeline *tl)
{
	for (size_t i = 0; i < tl->cgroups.count; i++)
		free(tl->cgroups.entries[i].value);
	map_free(&tl->cgroups);
	map_free(&tl->cgroup_paths);
}

static const char *controllers_of(const struct timeline *tl, uint32_t hierarchy)
{
	for (size_t i = 0; i < tl->config.hierarchy_count; i++) {
		if (tl->config.hierarchies[i].id == hierarchy)
			return tl->config.hierarchies[i].controllers;
	}
	return "";
}

/* A cgroup below one that the container has already is the payload's own affair. */
static bool has_parent_of(const struct container *c, const struct cgroup_ref *ref)
{
	for (size_t i = 0; i < c->cgroup_count; i++) {
		size_t length = strlen(c->cgroups[i].path);

		if (c->cgroups[i].hierarchy == ref->hierarchy && !strncmp(ref->path, c->cgroups[i].path, length) &&
			(ref->path[length] == '/' || !ref->path[length]))
			return true;
	}
	return false;
}

void cgroups_adopt(struct timeline *tl, struct cont *c, struct cgroup_ref *ref)
{
	ref->container = c->serial;
	if (has_parent_of(&c->c, ref))
		return;
	array_grow(c->c.cgroups, c->c.cgroup_count, c->c.cgroup_capacity);
	c->c.cgroups[c->c.cgroup_count++] = (struct container_cgroup){
		.controller = controllers_of(tl, ref->hierarchy), .path = xstrdup(ref->path),
		.hierarchy = ref->hierarchy, .id = ref->id };
	c->unsettled = true;
}

/* Not just one below it. */
static bool holds(const struct cont *c, const struct cgroup_ref *ref)
{
	for (size_t i = 0; i < c->c.cgroup_count; i++) {
		if (c->c.cgroups[i].hierarchy == ref->hierarchy && c->c.cgroups[i].id == ref->id)
			return true;
	}
	return false;
}

const struct cont *cgroups_holder(struct timeline *tl, const struct cgroup_ref *ref)
{
	const struct cont *c = container_by_serial(tl, ref->container);

	return c && !c->c.ended && holds(c, ref) ? c : NULL;
}

bool cgroups_remain(const struct cont *c)
{
	for (size_t i = 0; i < c->c.cgroup_count; i++) {
		if (!c->c.cgroups[i].removed)
			return true;
	}
	return false;
}

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A bare id is that of a pod: podman says what a container's cgroup is. */
static bool names_a_pod(const struct process *p, const struct cgroup_identity *who)
{
	return !who->engine && p->role == ROLE_ENGINE && !strcmp(p->comm, "podman");
}

/* What the path itself says of a cgroup that p makes. With creates, an id that only an engine makes begins a container. */
static struct cont *by_path(struct timeline *tl, const char *path, const struct process *p, bool creates)
{
	struct cgroup_identity who;
	_cleanup_free_ char *id = NULL;
	struct cont *c;

	if (!identify_cgroup(path, &who))
		return NULL;
	id = xstrndup(who.id, who.id_length);
	c = container_for_id(tl, id, NULL, creates && !names_a_pod(p, &who));
	if (c && who.engine && !c->c.engine)
		container_set(&c->c.engine, who.engine);
	if (c && who.pod && !c->c.pod) {
		_cleanup_free_ char *pod = xstrndup(who.pod, who.pod_length);

		container_set(&c->c.pod, pod);
	}
	return c;
}

/* What the cgroup above says: children inherit. */
static struct cont *by_parent(struct timeline *tl, uint32_t hierarchy, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct cgroup_ref *parent;

	if (!slash || slash == path)
		return NULL;
	parent = find_path(tl, hierarchy, path, (size_t)(slash - path));
	return parent ? container_by_serial(tl, parent->container) : NULL;
}

static struct step point(enum step_kind kind, const struct event *h)
{
	return (struct step){ .kind = kind, .start_ns = h->time_ns, .end_ns = h->time_ns, .tid = h->tid };
}

static void place_on(struct timeline *tl, struct cont *c, struct process *p, struct step *step)
{
	if (c)
		container_add_step(tl, c, container_actor(tl, c, p), step);
	else
		steps_place(tl, p, step);
}

bool cgroups_is_around(struct timeline *tl, const struct cont *c, const struct process *p, const struct cont *own)
{
	return c != own && lifecycle_container_of(tl, p->cgroup_id, p->ns.pid) == c;
}

/* A supervisor that starts its container again executes nothing that says so: it makes the group anew that it has
 * removed. */
static bool starts_again(const struct cont *own, const struct event_cgroup *e)
{
	return own->c.state == STATE_EXITED && own->c.cgroup_count > 0 && !cgroups_remain(own) &&
	       !strcmp(last_component(e->path), own->c.id);
}

/* Whether c is what made the cgroup's name known, and not just the holder of the cgroup above: what a runtime makes is for the
 * container that it was called for, except between the cgroups of the one around both. */
static bool is_its_own_affair(struct timeline *tl, const struct cont *c, const struct process *p, const struct cont *own)
{
	return c == own || (c && cgroups_is_around(tl, c, p, own));
}

static void mark_removed(struct cont *c, uint32_t hierarchy, uint64_t id)
{
	for (size_t i = 0; i < c->c.cgroup_count; i++) {
		if (c->c.cgroups[i].hierarchy == hierarchy && c->c.cgroups[i].id == id)
			c->c.cgroups[i].removed = true;
	}
}

/* Whoever had the id before is gone, though nobody said so: a removal was lost, or a hierarchy mounted anew. */
static void forget_earlier(struct timeline *tl, const struct event_cgroup *e)
{
	struct cgroup_ref *ref = cgroups_find(tl, e->hierarchy, e->id);
	struct cont *c = ref ? container_by_serial(tl, ref->container) : NULL;

	if (!ref || (c && !c->c.ended && !strcmp(ref->path, e->path)))
		return;
	if (c && !c->c.ended)
		mark_removed(c, e->hierarchy, e->id);
	ref_remove(tl, ref);
}

static struct cgroup_ref *ref_made(struct timeline *tl, const struct event_cgroup *e)
{
	forget_earlier(tl, e);
	return ref_new(tl, e->hierarchy, e->id, e->path);
}

static void on_mkdir(struct timeline *tl, const struct event_cgroup *e)
{
	struct process *p = process_get(tl, &e->h);
	struct cgroup_ref *ref = ref_made(tl, e);
	struct step step = point(STEP_CGROUP_MKDIR, &e->h);
	struct cont *own = process_engine_in_turn(tl, p) ? NULL : process_container(tl, p);
	bool again = own && p->role == ROLE_RUNTIME && starts_again(own, e);
	bool for_own = own && p->role == ROLE_RUNTIME && !again; /* its arguments named a container: the path need not */
	struct cont *c = by_path(tl, e->path, p, p->role != ROLE_NONE && !for_own);

	if (!c)
		c = by_parent(tl, e->hierarchy, e->path);
	if (for_own && !is_its_own_affair(tl, c, p, own)) /* config.json may put it below another container's */
		c = NULL;
	if (own && (!c || cgroups_is_around(tl, c, p, own)) && !strcmp(last_component(e->path), own->c.id))
		c = own;
	if (c) {
		cgroups_adopt(tl, c, ref);
		if ((!own || again) && p->role == ROLE_RUNTIME) /* `ctrace run`: named by its cgroup */
			process_claim(tl, p, c);
	}
	details_add_text(&step.details, "path", e->path);
	details_add_constant(&step.details, "controller", controllers_of(tl, e->hierarchy));
	if (c && p->role == ROLE_NONE && p->container != c->serial) /* systemd, or the payload itself */
		container_add_step(tl, c, -1, &step);
	else
		place_on(tl, for_own || !c ? own : c, p, &step);
}

static void on_rmdir(struct timeline *tl, const struct event_cgroup *e)
{
	struct cgroup_ref *ref = cgroups_find(tl, e->hierarchy, e->id);
	struct cont *c = ref ? container_by_serial(tl, ref->container) : NULL;
	struct process *p = process_get(tl, &e->h);
	struct step step = point(STEP_CGROUP_RMDIR, &e->h);

	details_add_text(&step.details, "path", e->path);
	details_add_constant(&step.details, "controller", controllers_of(tl, e->hierarchy));
	if (c && !c->c.ended) {
		mark_removed(c, e->hierarchy, e->id);
		container_add_step(tl, c, p->role == ROLE_NONE ? -1 : container_actor(tl, c, p), &step);
	} else {
		step_free(&step);
	}
	if (ref)
		ref_remove(tl, ref);
}

/* Whether a cgroup that c's process is put into can be c's: nobody's, or one that was made below those of
 * the container which c's runtime runs in. */
static bool may_take(struct timeline *tl, const struct cont *c, const struct process *p,
	const struct cgroup_ref *ref)
{
	const struct cont *holder = container_by_serial(tl, ref->container);

	return !holder || (!holds(holder, ref) && cgroups_is_around(tl, holder, p, c));
}

/* Which container a process that is put into a cgroup belongs to: a runtime's child that is moved
 * tells that the cgroup is the container's. */
static void on_attach(struct timeline *tl, const struct event_cgroup *e)
{
	struct process *target = process_find(tl, e->target_tgid, e->target_start_ns);
	struct process *p = process_get(tl, &e->h);
	struct cgroup_ref *ref = cgroups_find(tl, e->hierarchy, e->id);
	struct cont *c = target ? process_container(tl, target) : NULL;
	struct step step = point(STEP_CGROUP_ATTACH, &e->h);

	if (!ref && e->level)
		ref = ref_new(tl, e->hierarchy, e->id, e->path);
	if (target && e->hierarchy == tl->config.cgroup_hierarchy)
		target->cgroup_id = e->id;
	if (ref && c && e->level && target->role == ROLE_RUNTIME && !c->c.started_ns && may_take(tl, c, p, ref))
		cgroups_adopt(tl, c, ref);
	if (!c && ref)
		c = container_by_serial(tl, ref->container);
	if (!c || c->c.ended || p->role == ROLE_NONE || p->role == ROLE_PAYLOAD)
		return;
	details_add_text(&step.details, "path", e->path);
	details_add_constant(&step.details, "controller", controllers_of(tl, e->hierarchy));
	details_add_number(&step.details, "pid", e->target_tgid);
	container_add_step(tl, c, container_actor(tl, c, p), &step);
}

static void on_rename(struct timeline *tl, const struct event_cgroup *e)
{
	struct cgroup_ref *ref = cgroups_find(tl, e->hierarchy, e->id);
	uint64_t owner = ref ? ref->container : 0;

	if (ref)
		ref_remove(tl, ref);
	ref_new(tl, e->hierarchy, e->id, e->path)->container = owner;
}

static void on_freeze(struct timeline *tl, const struct event_cgroup *e)
{
	struct cgroup_ref *ref = cgroups_find(tl, e->hierarchy, e->id);
	struct cont *c = ref ? container_by_serial(tl, ref->container) : NULL;
	bool frozen = e->value != 0;

	if (!c || c->c.state == STATE_EXITED || c->c.state == STATE_CREATED)
		return;
	if ((c->c.state == STATE_PAUSED) == frozen)
		return;
	c->c.state = frozen ? STATE_PAUSED : STATE_RUNNING;
	container_add_mark(c, frozen ? MARK_FREEZE : MARK_THAW, e->h.time_ns);
	container_touch(c, e->h.time_ns);
	container_notify(tl, c, CHANGE_STATE);
}

/* The end of a path, which would tell whose it is, is missing. */
static void note_cut(struct timeline *tl, const struct event_cgroup *e)
{
	tl->stats.paths_cut += (e->h.flags & EVENT_F_TRUNCATED) != 0;
}

void cgroups_event(struct timeline *tl, const struct event_cgroup *e)
{
	switch (e->h.kind) {
	case EVENT_CGROUP_MKDIR:
		note_cut(tl, e);
		on_mkdir(tl, e);
		break;
	case EVENT_CGROUP_RMDIR:
		on_rmdir(tl, e);
		break;
	case EVENT_CGROUP_ATTACH:
		on_attach(tl, e);
		break;
	case EVENT_CGROUP_RENAME:
		on_rename(tl, e);
		break;
	case EVENT_CGROUP_FROZEN:
		on_freeze(tl, e);
		break;
	default: /* release, populated, freeze requests: implied by what else is seen */
		break;
	}
}

void cgroups_snapshot(struct timeline *tl, const struct event_cgroup *e)
{
	note_cut(tl, e);
	if (!cgroups_find(tl, e->hierarchy, e->id))
		ref_new(tl, e->hierarchy, e->id, e->path);
}
