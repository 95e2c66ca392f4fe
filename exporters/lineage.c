/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/lineage.h"

static int asked_by(const struct container *c, int actor)
{
	const struct actor *a = &c->actors[actor];
	int found = -1;

	if (a->parent >= 0)
		return a->parent;
	if (a->role > ACTOR_SHIM)
		return -1;
	for (int i = 0; i < (int)c->actor_count; i++) {
		const struct actor *other = &c->actors[i];

		if (other->role < a->role && (found < 0 || other->role > c->actors[found].role))
			found = i;
	}
	return found;
}

int lineage_asked_by(const struct container *c, int actor)
{
	int first = asked_by(c, actor), at = first;

	/* What is guessed by role and what the kernel told of parents could contradict each other. */
	for (size_t hops = 0; at >= 0 && hops < c->actor_count; hops++) {
		if (at == actor)
			return -1;
		at = asked_by(c, at);
	}
	return first;
}

uint64_t lineage_end(const struct container *c, uint64_t start_ns, uint64_t end_ns, enum edge edge)
{
	uint64_t end = edge == EDGE_OPEN || !end_ns ? c->last_ns : end_ns;

	return end > start_ns ? end : start_ns;
}

uint64_t lineage_earlier(uint64_t a_ns, uint64_t b_ns)
{
	return !a_ns || (b_ns && b_ns < a_ns) ? b_ns : a_ns;
}

struct life lineage_life(const struct container *c, int actor)
{
	const struct actor *a = &c->actors[actor];
	struct life life = { a->start_ns, lineage_end(c, a->start_ns, a->end_ns, a->end_edge) };

	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];
		uint64_t end = lineage_end(c, s->start_ns, s->end_ns, s->end_edge);

		if (s->actor != actor)
			continue;
		life.start_ns = lineage_earlier(life.start_ns, s->start_ns);
		if (end > life.end_ns && s->start_edge != EDGE_LOST && s->end_edge != EDGE_LOST)
			life.end_ns = end;
	}
	for (size_t i = 0; i < c->actor_count; i++) {
		if (c->actors[i].parent != actor)
			continue;
		life.start_ns = lineage_earlier(life.start_ns, c->actors[i].start_ns);
		if (c->actors[i].start_ns >= life.end_ns)
			life.end_ns = c->actors[i].start_ns + 1;
	}
	if (!life.start_ns)
		life.start_ns = c->first_ns;
	if (life.end_ns < life.start_ns)
		life.end_ns = life.start_ns;
	return life;
}

uint64_t lineage_first(const struct container *c)
{
	uint64_t first = c->first_ns;

	for (size_t i = 0; i < c->actor_count; i++)
		first = lineage_earlier(first, c->actors[i].start_ns);
	for (size_t i = 0; i < c->step_count; i++)
		first = lineage_earlier(first, c->steps[i].start_ns);
	for (size_t i = 0; i < c->mark_count; i++)
		first = lineage_earlier(first, c->marks[i].at_ns);
	return first;
}

bool lineage_is_prelude(const struct container *c, int actor)
{
	bool twin = false;

	for (size_t i = 0; i < c->step_count; i++) {
		if (c->steps[i].actor == actor)
			return false;
	}
	for (size_t i = 0; i < c->actor_count; i++) {
		if (c->actors[i].parent == actor)
			return false;
		twin |= (int)i != actor && c->actors[i].pid == c->actors[actor].pid;
	}
	return twin;
}
