/* SPDX-License-Identifier: Apache-2.0 */
/* Network links, addresses and routes, as rtnetlink tells them: it does not say for whom. */
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

/* linux/rtnetlink.h: what struct event_link calls action */
enum { NEW_LINK = 16, DELETED_LINK = 17, NEW_ADDRESS = 20, NEW_ROUTE = 24 };

/* Whether it is this engine that makes the container: 1 yes, 0 not known, -1 another one does. */
static int made_by(const struct cont *c, const struct event *engine)
{
	int r = 0;

	for (size_t i = 0; i < c->c.actor_count; i++) {
		const struct actor *a = &c->c.actors[i];

		if (a->role != ACTOR_ENGINE && a->role != ACTOR_CONTAINERD)
			continue;
		if (a->pid == engine->tgid && a->process_start_ns == engine->start_ns)
			return 1;
		if (a->role == ACTOR_ENGINE)
			r = -1;
	}
	return r;
}

/* Runtimes make no links: engines do, and programs that they or hooks run. */
static bool has_network(const struct cont *c)
{
	for (size_t i = 0; i < c->c.actor_count; i++) {
		enum actor_role role = c->c.actors[i].role;

		if (role == ACTOR_ENGINE || role == ACTOR_CONTAINERD || role == ACTOR_HOOK ||
			role == ACTOR_SHIM || role == ACTOR_CLI)
			return true;
	}
	return c->c.engine != NULL;
}

/* Whether the container has this link already: each change of a link is told, not only its making. */
static bool has_veth(const struct cont *c, const char *name)
{
	for (size_t i = 0; i < c->c.step_count; i++) {
		const struct step *s = &c->c.steps[i];
		const char *known = s->kind == STEP_VETH ? details_text(&s->details, "name") : NULL;

		if (known && !strcmp(known, name))
			return true;
	}
	return false;
}

/* The one container that is being started: by the engine that is told, or by anyone. NULL if there is none,
 * or more than one. */
static struct cont *being_started(struct timeline *tl, const struct event *engine)
{
	struct cont *only = NULL;
	int best = 0, count = 0;

	for (size_t i = 0; i < tl->active_count; i++) {
		struct cont *c = tl->active[i];
		int r = engine->tgid ? made_by(c, engine) : 0;

		if (c->c.started_ns || c->c.state != STATE_CREATED || c->c.existed || r < best || !has_network(c))
			continue;
		count = r > best ? 1 : count + 1;
		best = r;
		only = c;
	}
	tl->stats.unattributed += count > 1;
	return count == 1 ? only : NULL;
}

/* Whether a container that goes on has this link already. */
static bool is_known(const struct timeline *tl, const char *name)
{
	for (size_t i = 0; i < tl->active_count; i++) {
		if (has_veth(tl->active[i], name))
			return true;
	}
	return false;
}

static bool same_engine(const struct event_link *a, const struct event_link *b)
{
	return a->h.tgid == b->h.tgid && a->h.start_ns == b->h.start_ns;
}

static struct event_link *find_waiting(struct timeline *tl, const struct event_link *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(tl->links); i++) {
		struct event_link *w = &tl->links[i];

		if (w->action && same_engine(w, e) && !strncmp(w->name, e->name, sizeof(e->name)))
			return w;
	}
	return NULL;
}

/* An engine may make the links before anything else of the container is seen. The first word of each is kept, of as many links as
 * there is room for; one that has to give way to a newer one is counted. */
static void wait_for_container(struct timeline *tl, const struct event_link *e)
{
	struct event_link *oldest = &tl->links[tl->next_link % ARRAY_SIZE(tl->links)];

	if (e->action != NEW_LINK || e->netns_id >= 0 || find_waiting(tl, e))
		return;
	tl->stats.unattributed += oldest->action != 0;
	*oldest = *e;
	tl->next_link++;
}

static void add_link(struct timeline *tl, struct cont *c, const struct event_link *e)
{
	struct process *engine = e->h.tgid ? process_find(tl, e->h.tgid, e->h.start_ns) : NULL;
	struct step step = { .start_ns = e->h.time_ns, .end_ns = e->h.time_ns,
		.start_edge = EDGE_INFERRED, .end_edge = EDGE_INFERRED };
	_cleanup_free_ char *name = xstrndup(e->name, EVENT_COMM - 1);
	_cleanup_free_ char *address = xstrndup(e->address, sizeof(e->address) - 1);

	step.kind = e->action == NEW_LINK ? STEP_VETH : e->action == NEW_ADDRESS ? STEP_ADDRESS : STEP_ROUTE;
	if (*name)
		details_add_text(&step.details, "name", name);
	if (*address)
		details_add_text(&step.details, "address", address);
	if (e->netns_id >= 0)
		details_add_number(&step.details, "netns_id", e->netns_id);
	container_add_step(tl, c, engine ? container_actor(tl, c, engine) : -1, &step);
}

/* What was told of this link and of its peer before the container was known. */
static bool add_waiting(struct timeline *tl, struct cont *c, const struct event_link *e)
{
	struct event_link *first = find_waiting(tl, e);
	uint32_t index, peer;

	if (!first)
		return false;
	index = first->ifindex;
	peer = first->peer_ifindex;
	for (size_t i = 0; i < ARRAY_SIZE(tl->links); i++) {
		struct event_link *w = &tl->links[i];

		if (w != first && (!w->action || !same_engine(w, e) ||
			(w->peer_ifindex != index && w->ifindex != peer)))
			continue;
		add_link(tl, c, w);
		w->action = 0;
	}
	return true;
}

void links_take(struct timeline *tl, const struct event_link *e)
{
	struct event_link *waiting;
	struct cont *c;

	/* A link that moves to another namespace is told as deleted, too, but still has its peer. */
	if (e->action == DELETED_LINK && !e->peer_ifindex && (waiting = find_waiting(tl, e)))
		waiting->action = 0;
	if (e->action != NEW_LINK && e->action != NEW_ADDRESS && e->action != NEW_ROUTE)
		return;
	if (e->action == NEW_LINK && strncmp(e->kind, "veth", 5) != 0)
		return;
	if (e->action == NEW_LINK && e->netns_id < 0 && is_known(tl, e->name))
		return;
	c = being_started(tl, &e->h);
	if (!c)
		wait_for_container(tl, e);
	else if (e->action != NEW_LINK || (!add_waiting(tl, c, e) && !has_veth(c, e->name)))
		add_link(tl, c, e);
}
