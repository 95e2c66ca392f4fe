/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network links, addresses and routes. rtnetlink tells where they are, not for whom: a link belongs with the network namespace
 * that one of its ends moves to, and that with the container which has it for its own. What is told waits until both are known.
 */
#include <stdlib.h>
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

/* linux/rtnetlink.h: what struct event_link calls action */
enum { NEW_LINK = 16, DELETED_LINK = 17, NEW_ADDRESS = 20, NEW_ROUTE = 24 };

/* An id means a namespace only to the one in which it was heard. */
struct netns_key {
	uint32_t tgid;
	int32_t id;
	uint64_t start_ns;
};

static struct netns_key key_of(const struct event *listener, int32_t id)
{
	return (struct netns_key){ .tgid = listener->tgid, .id = id, .start_ns = listener->start_ns };
}

static bool same_listener(const struct event *a, const struct event *b)
{
	return a->tgid == b->tgid && a->start_ns == b->start_ns;
}

struct netns {
	uint32_t inode;
	bool had_links; /* that became steps of its container, which may be gone by now */
};

static struct netns *netns_find(const struct timeline *tl, const struct event *listener, int32_t id)
{
	struct netns_key key = key_of(listener, id);

	return id >= 0 ? map_get_key(&tl->netns, &key) : NULL;
}

/* The one whose own network namespace it is; NULL = not known. */
static struct cont *container_there(struct timeline *tl, const struct event *listener, int32_t id)
{
	const struct netns *netns = netns_find(tl, listener, id);

	return netns ? claim_find_inode(tl, 'N', netns->inode) : NULL;
}

static enum step_kind kind_of(const struct event_link *e)
{
	return e->action == NEW_LINK ? STEP_VETH : e->action == NEW_ADDRESS ? STEP_ADDRESS : STEP_ROUTE;
}

static void add_link(struct timeline *tl, struct cont *c, const struct event_link *e)
{
	struct process *engine = e->h.tgid ? process_find(tl, e->h.tgid, e->h.start_ns) : NULL;
	struct step step = { .start_ns = e->h.time_ns, .end_ns = e->h.time_ns,
		.start_edge = EDGE_INFERRED, .end_edge = EDGE_INFERRED };
	_cleanup_free_ char *name = xstrndup(e->name, EVENT_COMM - 1);
	_cleanup_free_ char *address = xstrndup(e->address, sizeof(e->address) - 1);

	step.kind = kind_of(e);
	if (*name)
		details_add_text(&step.details, "name", name);
	if (*address)
		details_add_text(&step.details, "address", address);
	if (e->h.flags & EVENT_F_IN_NETNS)
		details_add_number(&step.details, "netns_id", e->netns_id);
	container_add_step(tl, c, engine ? container_actor(tl, c, engine) : -1, &step);
	c->has_links = true;
}

void links_settle(struct timeline *tl)
{
	for (size_t i = 0; i < tl->next_link && i < LINK_MAX; i++) {
		struct event_link *w = &tl->links[i];
		struct cont *c = w->action ? container_there(tl, &w->h, w->netns_id) : NULL;

		if (!c)
			continue;
		netns_find(tl, &w->h, w->netns_id)->had_links = true;
		add_link(tl, c, w);
		w->action = 0;
	}
}

/* Each change is told, not only its making: a link by its name, an address or route by itself. */
static bool has_step(const struct cont *c, const struct event_link *e)
{
	const char *key = e->action == NEW_LINK ? "name" : "address", *value = e->action == NEW_LINK ? e->name : e->address;

	for (size_t i = 0; i < c->c.step_count; i++) {
		const struct step *s = &c->c.steps[i];
		const char *known = s->kind == kind_of(e) ? details_text(&s->details, key) : NULL;

		if (known && !strcmp(known, value))
			return true;
	}
	return false;
}

static bool is_same(const struct event_link *a, const struct event_link *b)
{
	return a->action == b->action && a->netns_id == b->netns_id && same_listener(&a->h, &b->h) &&
		(a->action == NEW_LINK ? !strncmp(a->name, b->name, sizeof(a->name))
			: !strncmp(a->address, b->address, sizeof(a->address)));
}

static bool is_known(struct timeline *tl, const struct event_link *e)
{
	const struct netns *netns = netns_find(tl, &e->h, e->netns_id);
	const struct cont *c = container_there(tl, &e->h, e->netns_id);

	if (c ? has_step(c, e) : netns && netns->had_links)
		return true;
	for (size_t i = 0; i < tl->next_link && i < LINK_MAX; i++) {
		if (is_same(&tl->links[i], e))
			return true;
	}
	return false;
}

/* Whether e tells where w belongs, of which nobody knew: it is the same link, or the other end of it where the numbers of both are
 * those of one namespace. What is told from inside of another has that one's numbers. */
static bool tells_of(const struct event_link *e, const struct event_link *w)
{
	if (w->action != NEW_LINK || w->netns_id >= 0 || e->h.flags & EVENT_F_IN_NETNS || !same_listener(&w->h, &e->h))
		return false;
	return w->ifindex == e->ifindex || (e->action == DELETED_LINK && w->ifindex == e->peer_ifindex);
}

static void find_pair(struct timeline *tl, const struct event_link *e)
{
	for (size_t i = 0; i < tl->next_link && i < LINK_MAX; i++) {
		if (tells_of(e, &tl->links[i]))
			tl->links[i].netns_id = e->netns_id;
	}
}

/* One that has to give way to a newer one is counted. */
static void wait_for_container(struct timeline *tl, const struct event_link *e)
{
	struct event_link *oldest;

	if (!tl->links)
		tl->links = xcalloc(LINK_MAX, sizeof(*tl->links));
	oldest = &tl->links[tl->next_link++ % LINK_MAX];
	tl->stats.unattributed += oldest->action != 0;
	*oldest = *e;
}

/* A link that was never anybody's is gone. */
static void forget(struct timeline *tl, const struct event_link *e)
{
	for (size_t i = 0; i < tl->next_link && i < LINK_MAX; i++) {
		struct event_link *w = &tl->links[i];

		if (w->action == NEW_LINK && w->netns_id < 0 && w->ifindex == e->ifindex && same_listener(&w->h, &e->h))
			w->action = 0;
	}
}

void links_take(struct timeline *tl, const struct event_link *e)
{
	bool is_news = e->action == NEW_LINK ? !strncmp(e->kind, "veth", 5)
		: (e->action == NEW_ADDRESS || e->action == NEW_ROUTE) && e->netns_id >= 0;

	if (e->action == DELETED_LINK && e->netns_id < 0)
		forget(tl, e);
	if (e->netns_id >= 0 && (e->action == NEW_LINK || e->action == DELETED_LINK))
		find_pair(tl, e);
	if (is_news && !is_known(tl, e))
		wait_for_container(tl, e);
	links_settle(tl);
}

/* The one container that was being started with a network namespace of its own, and of whose links nothing is known: of those that
 * live for milliseconds it is gone before anyone can ask what its namespace is called. NULL = there is none, or more than one. */
static struct cont *being_started(struct timeline *tl, uint64_t at_ns)
{
	struct cont *only = NULL;

	for (size_t i = tl->container_count; i-- > 0 && tl->container_count - i <= CANDIDATE_MAX;) {
		struct cont *c = tl->containers[i];

		if (c->c.ended || !c->has_network || c->has_links || c->c.first_ns > at_ns || c->c.started_ns < at_ns)
			continue;
		if (only)
			return NULL;
		only = c;
	}
	return only;
}

static bool waits_for(const struct event_link *w, const struct event *listener, int32_t id)
{
	return w->action && w->netns_id == id && same_listener(&w->h, listener);
}

/* Its id will be another's. */
static void namespace_gone(struct timeline *tl, const struct event *listener, int32_t id)
{
	struct netns_key key = key_of(listener, id);
	uint64_t first_ns = UINT64_MAX;
	struct cont *c;

	free(map_remove_key(&tl->netns, &key));
	for (size_t i = 0; i < tl->next_link && i < LINK_MAX; i++) {
		if (waits_for(&tl->links[i], listener, id) && tl->links[i].h.time_ns < first_ns)
			first_ns = tl->links[i].h.time_ns;
	}
	c = first_ns < UINT64_MAX ? being_started(tl, first_ns) : NULL;
	for (size_t i = 0; i < tl->next_link && i < LINK_MAX; i++) {
		struct event_link *w = &tl->links[i];

		if (!waits_for(w, listener, id))
			continue;
		if (c)
			add_link(tl, c, w);
		else
			tl->stats.unattributed++;
		w->action = 0;
	}
}

void links_take_netns(struct timeline *tl, const struct event_netns *e)
{
	struct netns_key key = key_of(&e->h, e->netns_id);
	struct netns *netns;

	if (!e->inode) {
		namespace_gone(tl, &e->h, e->netns_id);
		return;
	}
	if (tl->netns.count >= NETNS_MAX && !map_get_key(&tl->netns, &key))
		return;
	netns = xcalloc(1, sizeof(*netns));
	netns->inode = e->inode;
	free(map_put_key(&tl->netns, &key, netns));
	links_settle(tl);
}

void links_finish(struct timeline *tl)
{
	for (size_t i = 0; i < tl->next_link && i < LINK_MAX; i++) {
		const struct event listener = tl->links[i].h;

		if (tl->links[i].action && tl->links[i].netns_id >= 0)
			namespace_gone(tl, &listener, tl->links[i].netns_id);
	}
}

void links_free(struct timeline *tl)
{
	free(tl->links);
	for (size_t i = 0; i < tl->netns.count; i++)
		free(tl->netns.entries[i].value);
	map_free(&tl->netns);
}
