/* SPDX-License-Identifier: Apache-2.0 */
/* Order, phases and gaps of a container, from its steps. */
#include <stdlib.h>
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"

/* A time without any step is worth telling when it is at least this long and a fiftieth of the start. */
#define GAP_MIN_NS 1000000ULL
/* How soon after the arming a first step is suspected not to be the first. */
#define BLIND_NEAR_NS 500000ULL

static int by_start(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Steps come nearly in order: only those that others began and ended within are late. Those few are put where
 * they belong; false where they are many, and in what order the steps are then is open. */
static bool put_in_order(struct step *steps, size_t count)
{
	size_t moves = 0;

	for (size_t i = 1; i < count; i++) {
		size_t to = i;
		struct step late;

		while (to && by_start(&steps[to - 1], &steps[i]) > 0)
			to--;
		if (to == i)
			continue;
		moves += i - to;
		if (moves > 4 * count)
			return false;
		late = steps[i];
		memmove(&steps[to + 1], &steps[to], (i - to) * sizeof(*steps));
		steps[to] = late;
	}
	return true;
}

static int marks_by_time(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int phases_by_start(const void *a, const void *b)
{
	const struct phase_span *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return (int)x->phase - (int)y->phase;
}

static bool is_under_way(const struct step *s, uint64_t at_ns)
{
	return at_ns && s->start_ns < at_ns && s->end_ns > at_ns;
}

/* Where a step counts as over for its phase: a request that waits for others to make the container (docker's start, whose answer may
 * come before or after the program's exec), or for its end (wait, attach), took no time of the start. */
static uint64_t phase_end(const struct container *c, const struct step *s)
{
	if (s->kind == STEP_REQUEST && (is_under_way(s, c->created_ns) || is_under_way(s, c->started_ns)))
		return s->start_ns;
	return s->end_ns;
}

static bool in_start(enum phase phase)
{
	return phase != PHASE_RUN && phase != PHASE_STOP && phase != PHASE_TEARDOWN;
}

static struct phase_span *span_of(struct phase_span *spans, enum phase phase)
{
	return &spans[phase];
}

/* Steps come in order, so that what they cover together can be added up as they pass. */
static void extend(const struct container *c, struct phase_span *span, uint64_t *covered,
	const struct step *s)
{
	uint64_t end = phase_end(c, s);

	if (!span->steps++) {
		span->start_ns = span->end_ns = s->start_ns;
		span->start_edge = s->start_edge;
		span->end_edge = s->end_edge;
	}
	if (end >= span->end_ns) {
		span->end_ns = end;
		span->end_edge = s->end_edge;
	}
	if (end > *covered) {
		span->busy_ns += end - (s->start_ns > *covered ? s->start_ns : *covered);
		*covered = end;
	}
	if (s->has_result && s->result < 0)
		span->failed++;
	if (s->times) {
		span->has_times = true;
		span->on_cpu_ns += s->times->on_cpu_ns;
		span->run_queue_ns += s->times->run_queue_ns;
		span->blocked_ns += s->times->blocked_ns;
	}
}

static void put_phase(struct container *c, const struct phase_span *span)
{
	array_grow(c->phases, c->phase_count, c->phase_capacity);
	c->phases[c->phase_count++] = *span;
}

/* Gives a span other ends than those of its steps: only what lies between them can be covered. */
static void set_ends(struct phase_span *span, uint64_t start_ns, uint64_t end_ns)
{
	span->start_ns = start_ns;
	span->end_ns = end_ns > start_ns ? end_ns : start_ns;
	if (span->busy_ns > span->end_ns - span->start_ns)
		span->busy_ns = span->end_ns - span->start_ns;
}

/* RUN is from init's exec to its exit, STOP from the first fatal signal to the exit. */
static void fixed_phases(const struct cont *cont, struct phase_span *spans)
{
	const struct container *c = &cont->c;
	uint64_t end = c->exit.at_ns ? c->exit.at_ns : c->last_ns;
	enum edge edge = c->exit.at_ns ? EDGE_OBSERVED : EDGE_OPEN;
	struct phase_span *run = span_of(spans, PHASE_RUN), *stop = span_of(spans, PHASE_STOP);

	if (c->started_ns || (c->existed && !cont->awaits_program)) {
		run->start_ns = c->started_ns ? c->started_ns : c->first_ns;
		run->start_edge = c->started_ns ? EDGE_OBSERVED : EDGE_LOST;
		run->end_ns = end > run->start_ns ? end : run->start_ns;
		run->end_edge = edge;
		run->busy_ns = 0;
	}
	if (cont->stop_ns && c->exit.at_ns >= cont->stop_ns) {
		set_ends(stop, cont->stop_ns, end);
		stop->start_edge = EDGE_OBSERVED;
		stop->end_edge = edge;
	} else if (stop->steps && !c->exit.at_ns) {
		stop->end_edge = EDGE_OPEN;
	}
}

/* TEARDOWN is from init's exit to the last sign of the container; one that was over before keeps the ends of its steps. */
static void teardown_phase(const struct container *c, struct phase_span *span)
{
	if (!c->exit.at_ns || !span->steps || c->exit.at_ns > span->end_ns)
		return;
	set_ends(span, c->exit.at_ns, span->end_edge != EDGE_OPEN && c->last_ns > span->end_ns ? c->last_ns : span->end_ns);
	span->start_edge = EDGE_OBSERVED;
}

/* A phase told by system calls that seems to begin just when they could be seen again. */
static bool began_blind(const struct cont *cont, const struct phase_span *span)
{
	bool by_calls = span->phase == PHASE_ROOTFS || span->phase == PHASE_NAMESPACES ||
		span->phase == PHASE_MOUNTS || span->phase == PHASE_CGROUP || span->phase == PHASE_PIVOT ||
		span->phase == PHASE_HARDEN;

	return by_calls && cont->blind_to_ns && span->start_ns >= cont->blind_from_ns &&
		span->start_ns < cont->blind_to_ns + BLIND_NEAR_NS;
}

static void find_phases(struct cont *cont)
{
	struct container *c = &cont->c;
	struct phase_span spans[PHASE_COUNT] = { 0 };
	uint64_t covered[PHASE_COUNT] = { 0 };

	for (int i = 0; i < PHASE_COUNT; i++)
		spans[i].phase = (enum phase)i;
	for (size_t i = 0; i < c->step_count; i++)
		extend(c, &spans[c->steps[i].phase], &covered[c->steps[i].phase], &c->steps[i]);
	fixed_phases(cont, spans);
	teardown_phase(c, &spans[PHASE_TEARDOWN]);
	c->phase_count = 0;
	c->inferred_front = 0;
	for (int i = 0; i < PHASE_COUNT; i++) {
		if (spans[i].steps && began_blind(cont, &spans[i])) {
			spans[i].start_edge = EDGE_INFERRED;
			c->inferred_front++;
		}
		if (spans[i].start_ns)
			put_phase(c, &spans[i]);
	}
	if (c->phase_count)
		qsort(c->phases, c->phase_count, sizeof(*c->phases), phases_by_start);
}

static void put_gap(struct container *c, uint64_t from, const struct step *next)
{
	array_grow(c->gaps, c->gap_count, c->gap_capacity);
	c->gaps[c->gap_count++] = (struct gap){ .start_ns = from, .end_ns = next->start_ns,
		.before_actor = next->actor };
}

static void find_gaps(struct container *c)
{
	uint64_t covered = 0, begin = 0, end = c->started_ns ? c->started_ns : c->last_ns;
	uint64_t least;

	c->gap_count = 0;
	for (size_t i = 0; i < c->step_count && !begin; i++) {
		if (in_start(c->steps[i].phase))
			begin = c->steps[i].start_ns;
	}
	if (!begin || end <= begin)
		return;
	least = (end - begin) / 50 > GAP_MIN_NS ? (end - begin) / 50 : GAP_MIN_NS;
	for (size_t i = 0; i < c->step_count && c->steps[i].start_ns <= end; i++) {
		const struct step *s = &c->steps[i];

		if (!in_start(s->phase))
			continue;
		if (covered && s->start_ns > covered && s->start_ns - covered >= least)
			put_gap(c, covered, s);
		if (phase_end(c, s) > covered)
			covered = phase_end(c, s);
	}
}

void container_settle(struct cont *cont)
{
	struct container *c = &cont->c;

	if (!cont->unsettled)
		return;
	cont->unsettled = false;
	if (!put_in_order(c->steps, c->step_count))
		qsort(c->steps, c->step_count, sizeof(*c->steps), by_start);
	if (c->mark_count)
		qsort(c->marks, c->mark_count, sizeof(*c->marks), marks_by_time);
	find_phases(cont);
	find_gaps(c);
}
