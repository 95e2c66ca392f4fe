/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/lineage.h"
#include "exporters/waterfall_text.h"
#include "tui/timeline_rows.h"

#include <stdlib.h>
#include <string.h>

#include "tui/model.h"
#include "util/array.h"
#include "util/cleanup.h"

/* A run is at least so many steps, each shorter than the start's hundredth. What holds a twentieth of the start's
 * critical path is marked. */
enum { RUN_LEAST = 3, RUN_PART = 100, CRITICAL_PART = 20, DEPTH_MAX = 12 };

bool step_failed(const struct step *s)
{
	return s->has_result && s->result < 0;
}

uint64_t step_length(const struct step *s)
{
	bool known = s->start_edge != EDGE_LOST && (s->end_edge == EDGE_OBSERVED || s->end_edge == EDGE_INFERRED);

	return known && s->end_ns > s->start_ns ? s->end_ns - s->start_ns : 0;
}

/* ---- what is unfolded ---- */

bool timeline_is_unfolded(const struct timeline_state *state, uint64_t key)
{
	for (size_t i = 0; i < state->unfolded_count; i++) {
		if (state->unfolded[i] == key)
			return true;
	}
	return false;
}

void timeline_fold(struct timeline_state *state, uint64_t key, bool unfold)
{
	for (size_t i = 0; i < state->unfolded_count; i++) {
		if (state->unfolded[i] != key)
			continue;
		if (!unfold)
			state->unfolded[i] = state->unfolded[--state->unfolded_count];
		return;
	}
	if (!unfold || state->unfolded_count >= UI_FOLDS)
		return;
	array_grow(state->unfolded, state->unfolded_count, state->unfolded_capacity);
	state->unfolded[state->unfolded_count++] = key;
}

static uint64_t make_key(enum row_kind kind, uint64_t a, uint64_t b)
{
	/* any good mixing will do: two rows with one key would unfold together, nothing worse */
	return ((uint64_t)kind + 1) * 0x9e3779b97f4a7c15ULL ^ (a + 1) * 0xc2b2ae3d27d4eb4fULL ^ b * 0x165667b19e3779f9ULL;
}

/* ---- the critical path ---- */

struct ending {
	uint64_t end_ns;
	size_t step;
};

static int compare_endings(const void *x, const void *y)
{
	const struct ending *a = x, *b = y;

	if (a->end_ns != b->end_ns)
		return a->end_ns < b->end_ns ? -1 : 1;
	return a->step < b->step ? -1 : a->step > b->step;
}

void critical_path(const struct container *c, uint64_t *waited)
{
	uint64_t at = c->started_ns ? c->started_ns : c->last_ns, until = at;
	struct ending *endings = xcalloc(c->step_count + 1, sizeof(*endings));
	size_t count = 0, later = SIZE_MAX; /* the step of the path that is waited for until `until` */

	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];

		waited[i] = 0;
		if (!c->existed && s->kind != STEP_REQUEST && s->end_edge != EDGE_OPEN && s->end_ns && s->end_ns <= at)
			endings[count++] = (struct ending){ s->end_ns, i };
	}
	qsort(endings, count, sizeof(*endings), compare_endings);
	while (count-- > 0) {
		const struct step *s = &c->steps[endings[count].step];

		if (s->end_ns > at)
			continue;
		if (later != SIZE_MAX)
			waited[later] = until - s->end_ns;
		later = endings[count].step;
		until = s->end_ns;
		at = s->start_ns;
	}
	if (later != SIZE_MAX && until > c->first_ns)
		waited[later] = until - c->first_ns;
	free(endings);
}

/* ---- rows ---- */

static struct timeline_row *add_row(struct timeline_rows *rows, enum row_kind kind, size_t depth, uint64_t key)
{
	struct timeline_row *row;

	array_grow(rows->items, rows->count, rows->capacity);
	row = &rows->items[rows->count++];
	*row = (struct timeline_row){ .kind = kind, .depth = depth, .key = key, .actor = -1,
		.unfolded = timeline_is_unfolded(rows->state, key) };
	return row;
}

static void add_member(struct timeline_rows *rows, size_t step)
{
	array_grow(rows->members, rows->member_count, rows->member_capacity);
	rows->members[rows->member_count++] = step;
}

static bool belongs_to(const struct step *s, const struct phase_span *p)
{
	return s->phase == p->phase && s->start_ns >= p->start_ns &&
	       (p->end_edge == EDGE_OPEN || s->start_ns <= p->end_ns);
}

static uint64_t start_length(const struct container *c)
{
	return c->started_ns > c->first_ns ? c->started_ns - c->first_ns : c->last_ns - c->first_ns;
}

/* Counts what the steps from members[first] on tell about their row. */
static void sum_up(struct timeline_rows *rows, struct timeline_row *row, size_t first)
{
	row->first = first;
	row->count = rows->member_count - first;
	for (size_t i = first; i < rows->member_count; i++) {
		row->failed += step_failed(&rows->c->steps[rows->members[i]]);
		row->waited_ns += rows->waited[rows->members[i]];
	}
	row->critical = row->waited_ns > start_length(rows->c) / CRITICAL_PART;
	row->can_unfold = row->count > 0;
}

static void add_step(struct timeline_rows *rows, size_t member, size_t depth)
{
	size_t index = rows->members[member];
	const struct step *s = &rows->c->steps[index];
	struct timeline_row *row = add_row(rows, ROW_STEP, depth, make_key(ROW_STEP, s->start_ns, s->order));

	row->index = index;
	row->actor = s->actor;
	row->first = member;
	row->count = 1;
	row->failed = step_failed(s);
	row->waited_ns = rows->waited[index];
	row->critical = row->waited_ns > 0;
	row->start_ns = s->start_ns;
	row->end_ns = container_end_of(rows->c, s->end_ns, s->end_edge);
	row->start_edge = s->start_edge;
	row->end_edge = s->end_edge;
}

static bool is_tiny(const struct timeline_rows *rows, size_t step)
{
	const struct container *c = rows->c;
	const struct step *s = &c->steps[step];

	return !step_failed(s) && s->end_edge != EDGE_OPEN && s->end_ns - s->start_ns <= start_length(c) / RUN_PART;
}

/* Members from `from` that make a run. */
static size_t run_length(const struct timeline_rows *rows, size_t from, size_t end)
{
	size_t n = from;

	while (n < end && is_tiny(rows, rows->members[n]) &&
		rows->c->steps[rows->members[n]].kind == rows->c->steps[rows->members[from]].kind)
		n++;
	return n - from;
}

static void add_run(struct timeline_rows *rows, size_t from, size_t count, size_t depth, uint64_t parent)
{
	const struct step *first = &rows->c->steps[rows->members[from]];
	struct timeline_row *row = add_row(rows, ROW_RUN, depth, make_key(ROW_RUN, parent, first->start_ns + first->order));
	bool unfolded = row->unfolded;

	row->index = rows->members[from];
	row->actor = first->actor;
	row->first = from;
	row->count = count;
	row->can_unfold = true;
	row->start_ns = first->start_ns;
	for (size_t i = from; i < from + count; i++) {
		const struct step *s = &rows->c->steps[rows->members[i]];

		row->waited_ns += rows->waited[rows->members[i]];
		if (s->end_ns > row->end_ns)
			row->end_ns = s->end_ns;
		if (s->actor != row->actor)
			row->actor = -1;
	}
	row->critical = row->waited_ns > 0;
	for (size_t i = from; unfolded && i < from + count; i++)
		add_step(rows, i, depth + 1);
}

static void add_steps(struct timeline_rows *rows, size_t from, size_t count, size_t depth, uint64_t parent)
{
	for (size_t i = from; i < from + count;) {
		size_t run = run_length(rows, i, from + count);

		if (run >= RUN_LEAST) {
			add_run(rows, i, run, depth, parent);
			i += run;
		} else {
			add_step(rows, i++, depth);
		}
	}
}

/* ---- phases ---- */

static void add_phase(struct timeline_rows *rows, size_t index)
{
	const struct container *c = rows->c;
	const struct phase_span *p = &c->phases[index];
	struct timeline_row *row = add_row(rows, ROW_PHASE, 0, make_key(ROW_PHASE, p->phase, p->start_ns));
	size_t first = rows->member_count;
	struct timeline_row copy;

	row->index = index;
	row->start_ns = p->start_ns;
	row->end_ns = container_end_of(c, p->end_ns, p->end_edge);
	row->start_edge = p->start_edge;
	row->end_edge = p->end_edge;
	for (size_t i = 0; i < c->step_count; i++) {
		if (belongs_to(&c->steps[i], p))
			add_member(rows, i);
	}
	sum_up(rows, row, first);
	copy = *row; /* adding moves the rows */
	if (copy.unfolded)
		add_steps(rows, copy.first, copy.count, 1, copy.key);
}

struct phase_order {
	const struct container *c;
	bool by_time;
};

static uint64_t phase_length(const struct container *c, const struct phase_span *p)
{
	uint64_t end = container_end_of(c, p->end_ns, p->end_edge);

	return end > p->start_ns ? end - p->start_ns : 0;
}

/* The phases of the start come first, slowest first; what comes after it is not what one looks for. */
static int compare_phases(const void *x, const void *y, void *arg)
{
	const struct phase_order *order = arg;
	const struct phase_span *a = &order->c->phases[*(const size_t *)x], *b = &order->c->phases[*(const size_t *)y];
	bool late_a = a->phase > PHASE_EXEC, late_b = b->phase > PHASE_EXEC;
	uint64_t long_a = phase_length(order->c, a), long_b = phase_length(order->c, b);

	if (order->by_time || (late_a && late_b))
		return a->start_ns < b->start_ns ? -1 : a->start_ns > b->start_ns;
	if (late_a != late_b)
		return late_a ? 1 : -1;
	return long_a > long_b ? -1 : long_a < long_b;
}

static void add_phases(struct timeline_rows *rows)
{
	struct phase_order order = { rows->c, rows->state->by_time };
	_cleanup_free_ size_t *indexes = xcalloc(rows->c->phase_count + 1, sizeof(*indexes));

	for (size_t i = 0; i < rows->c->phase_count; i++)
		indexes[i] = i;
	qsort_r(indexes, rows->c->phase_count, sizeof(*indexes), compare_phases, &order);
	for (size_t i = 0; i < rows->c->phase_count; i++)
		add_phase(rows, indexes[i]);
}

static void add_untraced(struct timeline_rows *rows)
{
	const struct container *c = rows->c;
	struct timeline_row *row;

	if (!c->gap_count)
		return;
	row = add_row(rows, ROW_UNTRACED, 0, make_key(ROW_UNTRACED, 0, 0));
	row->start_ns = c->gaps[0].start_ns;
	row->end_ns = row->start_ns;
	for (size_t i = 0; i < c->gap_count; i++)
		row->end_ns += c->gaps[i].end_ns - c->gaps[i].start_ns; /* its length is their sum */
	row->count = c->gap_count;
}

/* ---- actors ---- */

static void add_actor_phases(struct timeline_rows *rows, size_t actor, size_t depth, uint64_t parent)
{
	const struct container *c = rows->c;

	for (size_t phase = 0; phase < PHASE_COUNT; phase++) {
		size_t first = rows->member_count;
		struct timeline_row *row, copy;

		for (size_t i = 0; i < c->step_count; i++) {
			if (c->steps[i].actor == (int)actor && c->steps[i].phase == phase)
				add_member(rows, i);
		}
		if (rows->member_count == first)
			continue;
		row = add_row(rows, ROW_ACTOR_PHASE, depth, make_key(ROW_ACTOR_PHASE, parent, phase));
		row->index = phase;
		row->actor = (int)actor;
		row->start_ns = c->steps[rows->members[first]].start_ns;
		for (size_t i = first; i < rows->member_count; i++) {
			const struct step *s = &c->steps[rows->members[i]];
			uint64_t end = container_end_of(c, s->end_ns, s->end_edge);

			row->end_ns = end > row->end_ns ? end : row->end_ns;
		}
		sum_up(rows, row, first);
		copy = *row;
		if (copy.unfolded)
			add_steps(rows, copy.first, copy.count, depth + 1, copy.key);
	}
}

static void add_actor(struct timeline_rows *rows, size_t index, size_t depth)
{
	const struct container *c = rows->c;
	const struct actor *a = &c->actors[index];
	uint64_t key = make_key(ROW_ACTOR, a->pid, a->process_start_ns + index);
	struct timeline_row *row = add_row(rows, ROW_ACTOR, depth, key);
	size_t first = rows->member_count;
	bool unfolded = row->unfolded;

	row->index = index;
	row->actor = (int)index;
	row->start_ns = a->start_ns > c->first_ns ? a->start_ns : c->first_ns;
	row->end_ns = a->end_ns ? a->end_ns : c->last_ns;
	row->start_edge = a->start_edge;
	row->end_edge = a->end_ns ? a->end_edge : EDGE_OPEN;
	for (size_t i = 0; i < c->step_count; i++) {
		if (c->steps[i].actor == (int)index)
			add_member(rows, i);
	}
	sum_up(rows, row, first);
	if (unfolded)
		add_actor_phases(rows, index, depth + 1, key);
}

/* Parents before children; `done` keeps what is in a circle from coming twice. */
static void add_actors_below(struct timeline_rows *rows, int parent, bool *done, size_t depth)
{
	for (size_t i = 0; i < rows->c->actor_count && depth <= DEPTH_MAX; i++) {
		if (done[i] || rows->c->actors[i].parent != parent)
			continue;
		done[i] = true;
		add_actor(rows, i, depth);
		add_actors_below(rows, (int)i, done, depth + 1);
	}
}

static void add_actors(struct timeline_rows *rows)
{
	_cleanup_free_ bool *done = xcalloc(rows->c->actor_count + 1, sizeof(*done));

	for (size_t i = 0; i < rows->c->actor_count; i++)
		done[i] = lineage_is_prelude(rows->c, (int)i);
	add_actors_below(rows, -1, done, 0);
	for (size_t i = 0; i < rows->c->actor_count; i++) {
		if (!done[i])
			add_actor(rows, i, 0);
	}
}

static void add_marks(struct timeline_rows *rows)
{
	for (size_t i = 0; i < rows->c->mark_count; i++) {
		const struct mark *mark = &rows->c->marks[i];
		struct timeline_row *row;

		if (mark->kind == MARK_STAGE || mark->kind == MARK_STARTED)
			continue;
		row = add_row(rows, ROW_MARK, 0, make_key(ROW_MARK, mark->at_ns, mark->order));
		row->index = i;
		row->start_ns = row->end_ns = mark->at_ns;
		row->failed = text_mark_is_bad(mark);
	}
}

void timeline_rows_make(struct timeline_rows *rows, const struct container *c, const struct timeline_state *state)
{
	struct timeline_row *total;

	*rows = (struct timeline_rows){ .c = c, .state = state };
	rows->waited = xcalloc(c->step_count + 1, sizeof(*rows->waited));
	critical_path(c, rows->waited);
	total = add_row(rows, ROW_TOTAL, 0, make_key(ROW_TOTAL, 0, 0));
	total->start_ns = c->first_ns;
	total->end_ns = c->last_ns;
	total->end_edge = c->ended ? EDGE_OBSERVED : EDGE_OPEN;
	add_marks(rows);
	add_phases(rows);
	add_untraced(rows);
	add_actors(rows);
}

void timeline_rows_free(struct timeline_rows *rows)
{
	free(rows->items);
	free(rows->members);
	free(rows->waited);
	*rows = (struct timeline_rows){ 0 };
}

/* The row that hides the step, or is it. */
static size_t row_of(const struct timeline_rows *rows, size_t step)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < rows->count && rows->items[i].kind != ROW_ACTOR; i++) {
		const struct timeline_row *row = &rows->items[i];

		for (size_t k = row->first; k < row->first + row->count && row->kind != ROW_UNTRACED; k++) {
			if (rows->members[k] == step)
				best = i; /* deeper rows come later */
		}
	}
	return best;
}

size_t timeline_rows_show_step(struct timeline_rows *rows, struct timeline_state *state, size_t step)
{
	for (size_t tries = 0; tries < 4; tries++) { /* phase, run, step */
		const struct container *c = rows->c;
		size_t at = row_of(rows, step);

		if (at == SIZE_MAX || rows->items[at].kind == ROW_STEP)
			return at;
		timeline_fold(state, rows->items[at].key, true);
		timeline_rows_free(rows);
		timeline_rows_make(rows, c, state);
	}
	return row_of(rows, step);
}
