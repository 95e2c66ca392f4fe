/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TIMELINE_ROWS_H
#define CTRACE_TIMELINE_ROWS_H

/*
 * The timeline of a container as a tree of rows: the whole, its phases with their steps, what was not traced, the
 * actors with their phases and steps, the marks. Runs of tiny steps of one kind are one row.
 */

#include "timeline/model.h"
#include "tui/ui.h"

enum row_kind { ROW_TOTAL, ROW_PHASE, ROW_UNTRACED, ROW_ACTOR, ROW_ACTOR_PHASE, ROW_STEP, ROW_RUN, ROW_MARK };

struct timeline_row {
	enum row_kind kind;
	size_t depth;
	uint64_t key; /* names it among the folded ones, also when steps come between */
	bool can_unfold, unfolded;
	size_t index;           /* of its phase, actor, step or mark */
	int actor;              /* -1 = any */
	size_t first, count;    /* its steps: rows->members[first ..] */
	size_t failed;
	bool critical;          /* holds a good part of the critical path */
	uint64_t waited_ns;     /* how long the start waited for it */
	uint64_t start_ns, end_ns;
	enum edge start_edge, end_edge;
};

struct timeline_rows {
	const struct container *c;
	struct timeline_row *items;
	size_t count, capacity;
	size_t *members; /* indexes of steps */
	size_t member_count, member_capacity;
	uint64_t *waited; /* per step: critical_path */
	const struct timeline_state *state;
};

void timeline_rows_make(struct timeline_rows *rows, const struct container *c, const struct timeline_state *state);
void timeline_rows_free(struct timeline_rows *rows);

bool timeline_is_unfolded(const struct timeline_state *state, uint64_t key);
void timeline_fold(struct timeline_state *state, uint64_t key, bool unfold);

/* The row of a step below its phase, after unfolding what hides it; SIZE_MAX = it has none. */
size_t timeline_rows_show_step(struct timeline_rows *rows, struct timeline_state *state, size_t step);

bool step_failed(const struct step *s);
uint64_t step_length(const struct step *s); /* 0 = a point, or not known */

/* How long the start waited for each step, its own time and the gap before it: from the exec of init back, always for
 * what ended last before what is already in the path began. Their sum is the whole start. Requests, which wait for the
 * others, are left out. Of one that existed nothing is known of its start. */
void critical_path(const struct container *c, uint64_t *ret_waited);

#endif
