/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/history_keep.h"

#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/map.h"

/* Younger events are all kept: who they belong to may not be known yet. */
#define YOUNG_NS 60000000000ULL
/* What a daemon does for a container is near its start; so is the arming. */
#define BEFORE_NS 10000000ULL
#define AFTER_NS 3000000000ULL

struct process_key {
	uint32_t tgid, unused;
	uint64_t start_ns;
};

struct cgroup_key {
	uint32_t hierarchy, unused;
	uint64_t id;
};

struct window {
	uint64_t from_ns, to_ns;
};

/* How much of a process is kept: what its container's other events are worth. */
enum part { PART_NONE, PART_IDENTITY, PART_SHARED /* a daemon's: within windows */, PART_FULL };

struct history_keep {
	struct map alive;    /* process_key -> itself: processes that exist */
	struct map existing; /* cgroup_key: cgroups that exist */
	size_t full_most;    /* of so many containers, the youngest, steps are kept */
	size_t containers;   /* that go on, as of the last prepare */
	uint64_t young_ns;
	struct map parts;    /* process_key -> enum part */
	struct map cgroups;  /* cgroup_key: of containers that go on */
	struct map cgroup_ids; /* their ids, of whichever hierarchy */
	struct map ids;
	struct map link_times, link_names; /* -> enum part: of steps that network events made, and of the links they name */
	struct map networks; /* inodes of the network namespaces of containers that go on */
	struct window *windows; /* in order, apart from each other */
	size_t window_count, window_capacity;
};

static void *const present = (void *)1;

struct history_keep *history_keep_new(void)
{
	struct history_keep *keep = xcalloc(1, sizeof(*keep));

	keep->full_most = SIZE_MAX;
	return keep;
}

static void forget_decisions(struct history_keep *keep)
{
	map_free(&keep->parts);
	map_free(&keep->cgroups);
	map_free(&keep->cgroup_ids);
	map_free(&keep->ids);
	map_free(&keep->link_times);
	map_free(&keep->link_names);
	map_free(&keep->networks);
	keep->window_count = 0;
}

void history_keep_free(struct history_keep *keep)
{
	if (!keep)
		return;
	forget_decisions(keep);
	map_free(&keep->alive);
	map_free(&keep->existing);
	free(keep->windows);
	free(keep);
}

static struct process_key process_key(uint32_t tgid, uint64_t start_ns)
{
	return (struct process_key){ .tgid = tgid, .start_ns = start_ns };
}

static void observe_cgroup(struct history_keep *keep, const struct event_cgroup *e)
{
	struct cgroup_key key = { .hierarchy = e->hierarchy, .id = e->id };

	if (e->h.kind == EVENT_CGROUP_RMDIR || e->h.kind == EVENT_CGROUP_RELEASE)
		map_remove_key(&keep->existing, &key);
	else if (e->h.kind == EVENT_CGROUP_MKDIR || e->h.kind == EVENT_SNAPSHOT_CGROUP)
		map_put_key(&keep->existing, &key, present);
}

void history_keep_observe(struct history_keep *keep, const struct event *event)
{
	const struct event_fork *fork = (const struct event_fork *)event;
	struct process_key key = process_key(event->tgid, event->start_ns);

	switch (event->kind) {
	case EVENT_FORK:
		key = process_key(fork->child_tgid, fork->child_start_ns);
		map_put_key(&keep->alive, &key, present);
		break;
	case EVENT_EXEC:
	case EVENT_SNAPSHOT_TASK:
		map_put_key(&keep->alive, &key, present);
		break;
	case EVENT_EXIT:
		map_remove_key(&keep->alive, &key);
		break;
	case EVENT_CGROUP_MKDIR ... EVENT_CGROUP_RELEASE:
	case EVENT_SNAPSHOT_CGROUP:
		observe_cgroup(keep, (const struct event_cgroup *)event);
		break;
	}
}

/* ---- what the next pass keeps ---- */

static void raise_part(struct history_keep *keep, const struct actor *actor, enum part part)
{
	struct process_key key = process_key(actor->pid, actor->process_start_ns);

	if (actor->is_shared)
		part = PART_SHARED;
	if ((enum part)(uintptr_t)map_get_key(&keep->parts, &key) < part)
		map_put_key(&keep->parts, &key, (void *)(uintptr_t)part);
}

static void add_window(struct history_keep *keep, uint64_t from_ns, uint64_t to_ns)
{
	array_grow(keep->windows, keep->window_count, keep->window_capacity);
	keep->windows[keep->window_count++] = (struct window){ from_ns > BEFORE_NS ? from_ns - BEFORE_NS : 0,
		to_ns + AFTER_NS };
}

/* Network events do not say whose they are. Those that became steps are kept. */
static void keep_links(struct history_keep *keep, const struct container *c, enum part part)
{
	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];
		const char *name;

		if (s->kind != STEP_VETH && s->kind != STEP_ADDRESS && s->kind != STEP_ROUTE)
			continue;
		map_put_key(&keep->link_times, &s->start_ns, (void *)(uintptr_t)part);
		name = s->kind == STEP_VETH ? details_text(&s->details, "name") : NULL;
		if (name)
			map_put(&keep->link_names, name, strlen(name), (void *)(uintptr_t)part);
	}
}

static void keep_container(struct history_keep *keep, const struct container *c, bool full)
{
	for (size_t i = 0; i < c->actor_count; i++)
		raise_part(keep, &c->actors[i], full ? PART_FULL : PART_IDENTITY);
	for (size_t i = 0; i < c->cgroup_count; i++) {
		struct cgroup_key key = { .hierarchy = c->cgroups[i].hierarchy, .id = c->cgroups[i].id };

		map_put_key(&keep->cgroups, &key, present);
		map_put_key(&keep->cgroup_ids, &key.id, present);
	}
	map_put(&keep->ids, c->id, strlen(c->id), present);
	map_put_key(&keep->networks, &c->namespaces.net, present);
	keep_links(keep, c, full ? PART_FULL : PART_IDENTITY);
	if (!full)
		return;
	add_window(keep, c->first_ns, c->started_ns ? c->started_ns : c->last_ns);
	if (c->exit.known)
		add_window(keep, c->exit.at_ns, c->last_ns);
}

static int compare_windows(const void *a, const void *b)
{
	const struct window *x = a, *y = b;

	return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

static void join_windows(struct history_keep *keep)
{
	size_t n = 0;

	if (keep->window_count)
		qsort(keep->windows, keep->window_count, sizeof(keep->windows[0]), compare_windows);
	for (size_t i = 0; i < keep->window_count; i++) {
		if (n && keep->windows[i].from_ns <= keep->windows[n - 1].to_ns) {
			if (keep->windows[i].to_ns > keep->windows[n - 1].to_ns)
				keep->windows[n - 1].to_ns = keep->windows[i].to_ns;
		} else {
			keep->windows[n++] = keep->windows[i];
		}
	}
	keep->window_count = n;
}

void history_keep_prepare(struct history_keep *keep, struct timeline *tl, uint64_t now_ns)
{
	size_t count = timeline_count(tl);

	forget_decisions(keep);
	keep->containers = 0;
	keep->young_ns = now_ns > YOUNG_NS ? now_ns - YOUNG_NS : 0;
	for (size_t i = count; i-- > 0;) { /* the youngest first */
		const struct container *c = timeline_get(tl, i);

		if (!c->ended)
			keep_container(keep, c, keep->containers++ < keep->full_most);
	}
	join_windows(keep);
}

static bool in_window(const struct history_keep *keep, uint64_t time_ns)
{
	size_t low = 0, high = keep->window_count;

	while (low < high) { /* the first that ends at time_ns or later */
		size_t middle = (low + high) / 2;

		if (keep->windows[middle].to_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low < keep->window_count && keep->windows[low].from_ns <= time_ns;
}

static enum part part_of(const struct history_keep *keep, uint32_t tgid, uint64_t start_ns)
{
	struct process_key key = process_key(tgid, start_ns);

	return (enum part)(uintptr_t)map_get_key(&keep->parts, &key);
}

static bool is_known(const struct history_keep *keep, uint32_t tgid, uint64_t start_ns)
{
	struct process_key key = process_key(tgid, start_ns);

	return part_of(keep, tgid, start_ns) != PART_NONE || map_get_key(&keep->alive, &key);
}

static enum keep_verdict judge_step(const struct history_keep *keep, const struct event *event)
{
	switch (part_of(keep, event->tgid, event->start_ns)) {
	case PART_FULL:
		return KEEP;
	case PART_SHARED:
		return in_window(keep, event->time_ns) ? KEEP : KEEP_NOT;
	case PART_IDENTITY:
		return KEEP_NO_ROOM;
	default:
		return KEEP_NOT;
	}
}

/* Where a link belongs, a later word about it tells, which makes no step. */
static enum keep_verdict judge_link(const struct history_keep *keep, const struct event_link *e)
{
	void *part = map_get_key(&keep->link_times, &e->h.time_ns);

	if (!part && in_window(keep, e->h.time_ns))
		part = map_get(&keep->link_names, e->name, strnlen(e->name, sizeof(e->name)));
	return !part ? KEEP_NOT : (enum part)(uintptr_t)part == PART_FULL ? KEEP : KEEP_NO_ROOM;
}

static bool is_cgroup_kept(const struct history_keep *keep, const struct event_cgroup *e)
{
	struct cgroup_key key = { .hierarchy = e->hierarchy, .id = e->id };

	if (map_get_key(&keep->cgroups, &key))
		return true;
	if (e->h.kind == EVENT_CGROUP_ATTACH)
		return part_of(keep, e->target_tgid, e->target_start_ns) != PART_NONE;
	return map_get_key(&keep->existing, &key) && (e->h.kind == EVENT_CGROUP_MKDIR ||
		e->h.kind == EVENT_CGROUP_RENAME || e->h.kind == EVENT_SNAPSHOT_CGROUP);
}

/* Of a process that is known, or in a container's cgroup: few of those inside a container are actors. */
static bool is_concerned(const struct history_keep *keep, uint32_t tgid, uint64_t start_ns, uint64_t cgroup_id)
{
	return is_known(keep, tgid, start_ns) || map_get_key(&keep->cgroup_ids, &cgroup_id);
}

static bool is_lifecycle_kept(const struct history_keep *keep, const struct event *event)
{
	const struct event_fork *fork = (const struct event_fork *)event;
	const struct event_oom *oom = (const struct event_oom *)event;
	const struct event_signal *signal = (const struct event_signal *)event;
	const struct event_meta *meta = (const struct event_meta *)event;
	const struct event_netns *netns = (const struct event_netns *)event;

	switch (event->kind) {
	case EVENT_FORK:
		return is_known(keep, fork->child_tgid, fork->child_start_ns);
	case EVENT_FORK_REFUSED:
		return is_concerned(keep, event->tgid, event->start_ns, event->cgroup_id);
	case EVENT_EXEC:
	case EVENT_EXIT:
	case EVENT_RENAME:
	case EVENT_SNAPSHOT_TASK:
		return is_known(keep, event->tgid, event->start_ns);
	case EVENT_CGROUP_MKDIR ... EVENT_CGROUP_FROZEN:
	case EVENT_SNAPSHOT_CGROUP:
		return is_cgroup_kept(keep, (const struct event_cgroup *)event);
	case EVENT_OOM_VICTIM:
		return is_concerned(keep, oom->victim_tgid, oom->victim_start_ns, oom->victim_cgroup_id);
	case EVENT_SIGNAL:
		return is_concerned(keep, signal->target_tgid, signal->target_start_ns, signal->target_cgroup_id);
	case EVENT_NETNS:
		return map_get_key(&keep->networks, &netns->inode);
	case EVENT_META:
		return map_get(&keep->ids, meta->id, strnlen(meta->id, sizeof(meta->id)));
	case EVENT_ARMED:
		return in_window(keep, event->time_ns);
	case EVENT_SNAPSHOT_END:
	case EVENT_LOST:
		return true;
	default:
		return false;
	}
}

enum keep_verdict history_keep_judge(const struct history_keep *keep, const struct event *event)
{
	if (event->time_ns >= keep->young_ns)
		return KEEP;
	if (event->kind >= EVENT_SYSCALL_ENTER && event->kind <= EVENT_RESPONSE)
		return judge_step(keep, event);
	if (event->kind == EVENT_LINK)
		return judge_link(keep, (const struct event_link *)event);
	return is_lifecycle_kept(keep, event) ? KEEP : KEEP_NOT;
}

void history_keep_tighten(struct history_keep *keep, bool more)
{
	if (more)
		keep->full_most = (keep->full_most < keep->containers ? keep->full_most : keep->containers) / 2;
	else if (keep->full_most <= SIZE_MAX / 4)
		keep->full_most = keep->full_most * 2 + 16;
}
