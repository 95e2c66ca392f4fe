/* SPDX-License-Identifier: Apache-2.0 */
/* What a container that runs for long may keep. A health check every ten seconds is an exec session every ten seconds: without
 * this, they would fill the timeline within hours, and nothing that comes later, the container's end above all, would
 * find room. So the oldest of what came after the start is forgotten, and counted; the start, limits in force and
 * the newest are kept. */
#include <stdlib.h>
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

/* A steep bound and a low rest make forgetting rare. */
enum {
	STEPS_FULL = TIMELINE_MAX_STEPS / 4 * 3, STEPS_LEFT = TIMELINE_MAX_STEPS / 4,
	ACTORS_FULL = 1000, ACTORS_LEFT = 400,
	MARKS_FULL = 1000, MARKS_LEFT = 500 /* of a kind */
};

/* When the start was over: what came later may be forgotten. A container that never starts, but whose state is asked for again and
 * again, has no such time; its first ACTORS_LEFT actors are its start. */
static uint64_t start_of_rest(const struct container *c)
{
	if (c->started_ns || c->existed)
		return c->started_ns ? c->started_ns : c->first_ns;
	return c->actor_count > ACTORS_FULL ? c->actors[ACTORS_LEFT].start_ns : UINT64_MAX;
}

static bool is_late_step(const struct container *c, const struct step *s, uint64_t from_ns)
{
	return s->phase == PHASE_RUN || s->phase == PHASE_STOP || (!c->started_ns && !c->existed && s->start_ns > from_ns);
}

/* Whoever came after the start and is over: exec sessions and who made them. */
static bool is_late_actor(const struct actor *a, uint64_t from_ns)
{
	return a->role != ACTOR_INIT && !a->is_shared && a->end_ns && a->start_ns > from_ns;
}

/* The time before which steps must go so that but few of them are left; 0 = they may stay. */
static uint64_t bound_of_steps(const struct container *c)
{
	uint64_t rest_ns = start_of_rest(c);
	size_t late = 0;

	if (c->step_count <= STEPS_FULL)
		return 0;
	for (size_t i = c->step_count; i-- > 0;) {
		late += is_late_step(c, &c->steps[i], rest_ns);
		if (late == STEPS_LEFT)
			return c->steps[i].start_ns;
	}
	return 0;
}

static uint64_t bound_of_actors(const struct container *c)
{
	uint64_t rest_ns = start_of_rest(c);
	size_t late = 0;

	if (c->actor_count <= ACTORS_FULL)
		return 0;
	for (size_t i = c->actor_count; i-- > 0;) {
		late += is_late_actor(&c->actors[i], rest_ns);
		if (late == ACTORS_LEFT)
			return c->actors[i].start_ns;
	}
	return 0;
}

/* The details of what stays move to memory of their own, so that those of what went are given back. */
static void drop_steps(struct cont *cont, uint64_t before_ns)
{
	struct container *c = &cont->c;
	struct arena kept_details = { 0 };
	uint64_t rest_ns = start_of_rest(c);
	size_t kept = 0;

	for (size_t i = 0; i < c->step_count; i++) {
		struct step *s = &c->steps[i];

		if (is_late_step(c, s, rest_ns) && s->end_ns < before_ns)
			continue;
		details_move(&s->details, &kept_details);
		waits_move(s, &kept_details);
		c->steps[kept++] = *s;
	}
	arena_free(&cont->details);
	cont->details = kept_details;
	c->steps_cut += c->step_count - kept;
	c->step_count = kept;
}

/* Which actors are there for a step that is kept, still live, or made one that does. */
static void find_needed(const struct container *c, uint64_t before_ns, bool *needed)
{
	uint64_t rest_ns = start_of_rest(c);

	for (size_t i = 0; i < c->step_count; i++) {
		if (c->steps[i].actor >= 0)
			needed[c->steps[i].actor] = true;
	}
	for (size_t i = 0; i < c->actor_count; i++)
		needed[i] |= !is_late_actor(&c->actors[i], rest_ns) || c->actors[i].end_ns >= before_ns;
	for (size_t i = 0; i < c->actor_count; i++) {
		for (int up = needed[i] ? c->actors[i].parent : -1; up >= 0 && !needed[up]; up = c->actors[up].parent)
			needed[up] = true;
	}
}

static void forget_actor(struct timeline *tl, struct cont *cont, struct actor *a)
{
	struct actor_key key = { .process = { .tgid = a->pid, .start_ns = a->process_start_ns }, .role = a->role };

	claim_drop_process(tl, cont, &key.process);
	free(map_remove_key(&cont->actors, &key));
	actor_free(a);
}

static void drop_actors(struct timeline *tl, struct cont *cont, uint64_t before_ns)
{
	struct container *c = &cont->c;
	_cleanup_free_ bool *needed = xcalloc(c->actor_count, sizeof(*needed));
	_cleanup_free_ int *now_at = xcalloc(c->actor_count, sizeof(*now_at));
	size_t kept = 0;

	find_needed(c, before_ns, needed);
	for (size_t i = 0; i < c->actor_count; i++) {
		now_at[i] = needed[i] ? (int)kept : -1;
		if (needed[i])
			c->actors[kept++] = c->actors[i];
		else
			forget_actor(tl, cont, &c->actors[i]);
	}
	for (size_t i = 0; i < kept; i++) {
		if (c->actors[i].parent >= 0)
			c->actors[i].parent = now_at[c->actors[i].parent];
	}
	for (size_t i = 0; i < c->step_count; i++) {
		if (c->steps[i].actor >= 0)
			c->steps[i].actor = now_at[c->steps[i].actor];
	}
	for (size_t i = 0; i < cont->actors.count; i++) {
		int *index = cont->actors.entries[i].value;

		*index = now_at[*index];
	}
	c->actors_cut += c->actor_count - kept;
	c->actor_count = kept;
	claim_tidy(tl, cont);
}

/* The oldest of each kind of which there are very many. */
static void drop_marks(struct container *c)
{
	size_t counts[MARK_KIND_COUNT] = { 0 }, kept = 0;

	for (size_t i = 0; i < c->mark_count; i++)
		counts[c->marks[i].kind]++;
	for (int kind = 0; kind < MARK_KIND_COUNT; kind++)
		counts[kind] = counts[kind] > MARKS_FULL ? counts[kind] - MARKS_LEFT : 0;
	for (size_t i = 0; i < c->mark_count; i++) {
		struct mark *m = &c->marks[i];

		if (counts[m->kind]) {
			counts[m->kind]--;
			details_free(&m->details);
		} else {
			c->marks[kept++] = *m;
		}
	}
	c->marks_cut += c->mark_count - kept;
	c->mark_count = kept;
}

static bool is_full(size_t count, size_t full, size_t raised)
{
	return count > (raised > full ? raised : full);
}

/* Where many must stay (they live, or are of the start), it is worth looking again when there are noticeably more. */
static size_t raise_bound(size_t count, size_t full)
{
	return count > full ? count + full / 8 : 0;
}

static void bound(struct timeline *tl, struct cont *cont)
{
	struct container *c = &cont->c;
	uint64_t from, from_actors;

	from = bound_of_steps(c);
	from_actors = bound_of_actors(c);
	if (from_actors > from)
		from = from_actors;
	if (from) {
		drop_steps(cont, from);
		drop_actors(tl, cont, from);
	}
	if (c->mark_count > MARKS_FULL)
		drop_marks(c);
}

void container_bound(struct timeline *tl, struct cont *cont)
{
	struct container *c = &cont->c;
	uint64_t cut = c->steps_cut + c->actors_cut + c->marks_cut;

	if (!is_full(c->step_count, STEPS_FULL, cont->full.steps) && !is_full(c->actor_count, ACTORS_FULL, cont->full.actors) &&
		!is_full(c->mark_count, MARKS_FULL, cont->full.marks))
		return;
	container_settle(cont); /* in order of time */
	bound(tl, cont);
	cont->full.steps = raise_bound(c->step_count, STEPS_FULL);
	if (cont->full.steps >= TIMELINE_MAX_STEPS)
		cont->full.steps = TIMELINE_MAX_STEPS - 1;
	cont->full.actors = raise_bound(c->actor_count, ACTORS_FULL);
	cont->full.marks = raise_bound(c->mark_count, MARKS_FULL);
	cont->unsettled = c->steps_cut + c->actors_cut + c->marks_cut != cut;
}
