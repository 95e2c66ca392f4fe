/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chrome's Trace Event JSON, for ui.perfetto.dev, speedscope and chrome://tracing. A container is a process there, an
 * actor a lane (thread) of it: its life, and in that its steps. Viewers drop slices of a lane that overlap without
 * nesting, so what a many-threaded actor does at once is spread over further lanes ("dockerd 612 (2)"). Phases and
 * times without a trace have lanes of their own; arrows lead from whoever asked to whoever was started for it.
 *
 * Times are microseconds since the first thing that is drawn. What has a lost edge has no known length and is drawn
 * as an instant.
 *
 * Viewers read them as doubles, and drop what then sticks out of what it lies in by a rounding: speedscope adds ts and
 * dur, Perfetto cuts both to nanoseconds. So times are small, a third of a nanosecond past what they are, and
 * a slice ends a tenth of one before what is around it, or begins where it ends.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/export.h"
#include "exporters/format.h"
#include "exporters/json.h"
#include "exporters/json_emit.h"
#include "exporters/lineage.h"
#include "exporters/waterfall_text.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Lanes of one container. An actor has those from ACTOR + its index * MAX_LANES on, and steps of nobody known
 * those of index -1. */
enum { LANE_CONTAINER = 1, LANE_PHASE = 10, LANE_UNTRACED = 60, LANE_ACTOR = 1000, MAX_LANES = 100 };

/* Ids of arrows, and process numbers: a container's index is no pid, since pids are used again. */
enum { FLOWS_PER_CONTAINER = 100000 };

struct slice {
	uint64_t start_ns, end_ns;
	const struct step *step; /* NULL: the actor's life */
	size_t order, depth;     /* how many slices it lies in */
};

struct view {
	struct strbuf *sb;
	const struct container *c;
	size_t number, flows;
	uint64_t origin_ns;
};

static bool is_lost(enum edge start, enum edge end)
{
	return start == EDGE_LOST || end == EDGE_LOST;
}

static void micros(struct strbuf *sb, const char *key, uint64_t tenths)
{
	strbuf_printf(sb, ",\"%s\":%" PRIu64 ".%04" PRIu64, key, tenths / 10000, tenths % 10000);
}

static void write_ts(struct view *v, uint64_t at_ns)
{
	micros(v->sb, "ts", (at_ns > v->origin_ns ? at_ns - v->origin_ns : 0) * 10 + 3);
}

static void write_dur(struct view *v, uint64_t ns, size_t depth)
{
	micros(v->sb, "dur", ns * 10 - (depth < 9 ? depth + 1 : 9));
}

/* Begins an event: name, its kind of event, and where and when it is. */
static void open_event(struct view *v, const char *name, char kind, size_t lane, uint64_t at_ns)
{
	char phase[2] = { kind, '\0' };

	if (v->sb->length && v->sb->text[v->sb->length - 1] == '}')
		strbuf_puts(v->sb, ",\n");
	json_open(v->sb, NULL, '{');
	json_text(v->sb, "name", name);
	json_text(v->sb, "ph", phase);
	json_number(v->sb, "pid", (int64_t)v->number + 1);
	json_number(v->sb, "tid", (int64_t)lane);
	if (kind != 'M')
		write_ts(v, at_ns);
}

static void close_event(struct view *v)
{
	json_close(v->sb, '}');
}

static void meta(struct view *v, const char *what, size_t lane, const char *key, const char *text, int64_t number)
{
	open_event(v, what, 'M', lane, 0);
	json_open(v->sb, "args", '{');
	if (text)
		json_text(v->sb, key, text);
	else
		json_number(v->sb, key, number);
	json_close(v->sb, '}');
	close_event(v);
}

static void name_lane(struct view *v, size_t lane, const char *name, int64_t place)
{
	meta(v, "thread_name", lane, "name", name, 0);
	meta(v, "thread_sort_index", lane, "sort_index", NULL, place);
}

static void edges(struct view *v, enum edge start, enum edge end)
{
	if (start != EDGE_OBSERVED)
		json_text(v->sb, "start_edge", edge_name(start));
	if (end != EDGE_OBSERVED)
		json_text(v->sb, "end_edge", edge_name(end));
}

/* A span of time, or an instant where it has no length or none that is known; args stay open. */
static void open_span(struct view *v, const char *name, const char *category, size_t lane, const struct slice *slice,
	bool lost)
{
	bool instant = lost || slice->start_ns == slice->end_ns;

	open_event(v, name, instant ? 'i' : 'X', lane, slice->start_ns);
	if (instant)
		json_text(v->sb, "s", "t");
	else
		write_dur(v, slice->end_ns - slice->start_ns, slice->depth);
	json_text(v->sb, "cat", category);
	json_open(v->sb, "args", '{');
}

static void close_span(struct view *v)
{
	json_close(v->sb, '}');
	close_event(v);
}

/* ---- what steps and actors tell ---- */

static void write_times(struct view *v, uint64_t on_cpu_ns, uint64_t run_queue_ns, uint64_t blocked_ns)
{
	json_u64(v->sb, "on_cpu_ns", on_cpu_ns);
	json_u64(v->sb, "run_queue_ns", run_queue_ns);
	json_u64(v->sb, "blocked_ns", blocked_ns);
}

/* How long a call waited is known, and in what, but not when in its time: arguments of its slice, not slices in it. */
static void write_waits(struct view *v, const struct step_times *t)
{
	if (!t)
		return;
	write_times(v, t->on_cpu_ns, t->run_queue_ns, t->blocked_ns);
	if (!t->longest_block_ns)
		return;
	json_u64(v->sb, "longest_block_ns", t->longest_block_ns);
	if (t->blocked_in) {
		_cleanup_(strbuf_free) struct strbuf functions = { 0 };

		text_functions(&functions, t->blocked_in, SIZE_MAX, true);
		json_text(v->sb, "blocked_in", functions.text);
	}
}

static void write_step(struct view *v, const struct slice *slice, size_t lane)
{
	const struct step *s = slice->step;
	_cleanup_(strbuf_free) struct strbuf name = { 0 };
	char error[FORMAT_MAX];
	bool failed = s->has_result && s->result < 0;

	if (failed)
		strbuf_printf(&name, "%s ", format_errno(error, s->result > -4096 ? (int)-s->result : 0));
	text_step(&name, s, true);
	open_span(v, name.text, phase_name(s->phase), lane, slice, is_lost(s->start_edge, s->end_edge));
	json_text(v->sb, "kind", step_kind_name(s->kind));
	json_text(v->sb, "phase", phase_name(s->phase));
	if (failed)
		json_text(v->sb, "error", error);
	edges(v, s->start_edge, s->end_edge);
	write_waits(v, s->times);
	json_details(v->sb, "detail", &s->details);
	close_span(v);
}

static void write_life(struct view *v, const struct actor *a, const struct slice *slice, size_t lane)
{
	_cleanup_(strbuf_free) struct strbuf name = { 0 };

	text_actor(&name, a, true);
	open_span(v, name.text, actor_role_name(a->role), lane, slice, false);
	json_text(v->sb, "role", actor_role_name(a->role));
	json_number(v->sb, "pid", a->pid);
	json_text(v->sb, "exe", a->exe);
	json_open(v->sb, "argv", '[');
	for (size_t i = 0; a->argv && a->argv[i]; i++)
		json_text(v->sb, NULL, a->argv[i]);
	json_close(v->sb, ']');
	if (a->exited)
		json_number(v->sb, "exit_status", a->exit_status);
	if (a->has_cpu) {
		json_u64(v->sb, "on_cpu_ns", a->on_cpu_ns);
		json_u64(v->sb, "run_queue_ns", a->run_queue_ns);
	}
	edges(v, a->start_edge, a->end_edge);
	close_span(v);
}

/* ---- lanes of an actor ---- */

static int compare_slices(const void *one, const void *two)
{
	const struct slice *a = one, *b = two;

	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	if (a->end_ns != b->end_ns) /* the longer one holds the other */
		return a->end_ns > b->end_ns ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

struct lane {
	uint64_t *ends; /* of the slices that are open, outermost first */
	size_t depth, capacity;
};

/* True if the slice lies inside what is open in the lane, or after it; then it is the innermost. */
static bool lane_takes(struct lane *lane, struct slice *slice)
{
	size_t depth = lane->depth;

	while (depth && lane->ends[depth - 1] <= slice->start_ns)
		depth--;
	if (depth && lane->ends[depth - 1] < slice->end_ns)
		return false;
	slice->depth = lane->depth = depth;
	array_grow(lane->ends, lane->depth, lane->capacity);
	lane->ends[lane->depth++] = slice->end_ns;
	return true;
}

/* The first lane that takes it; the last one where even those run out: there it becomes an instant. */
static size_t find_lane(struct lane *lanes, size_t *count, struct slice *slice)
{
	for (size_t i = 0; i < MAX_LANES; i++) {
		if (i == *count)
			lanes[(*count)++] = (struct lane){ 0 };
		if (lane_takes(&lanes[i], slice))
			return i;
	}
	return MAX_LANES;
}

static size_t first_lane(int actor)
{
	return (size_t)(LANE_ACTOR + actor * MAX_LANES);
}

static struct slice life_of(const struct container *c, int index)
{
	struct life life = lineage_life(c, index);

	return (struct slice){ life.start_ns, life.end_ns };
}

static void name_lanes(struct view *v, int index, size_t count)
{
	_cleanup_(strbuf_free) struct strbuf name = { 0 };

	if (!count)
		return;
	if (index >= 0)
		text_actor(&name, &v->c->actors[index], true);
	else
		strbuf_puts(&name, "actor unknown");
	name_lane(v, first_lane(index), name.text, (int64_t)first_lane(index));
	for (size_t i = 1; i < count; i++) {
		_cleanup_(strbuf_free) struct strbuf more = { 0 };

		strbuf_printf(&more, "%s (%zu)", name.text, i + 1);
		name_lane(v, first_lane(index) + i, more.text, (int64_t)(first_lane(index) + i));
	}
}

/* Index -1: the steps of nobody known. */
static void write_actor(struct view *v, int index)
{
	const struct container *c = v->c;
	struct slice *slices = xcalloc(c->step_count + 1, sizeof(*slices));
	struct lane lanes[MAX_LANES];
	size_t count = 0, lane_count = 0;

	if (index >= 0)
		slices[count++] = life_of(c, index);
	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];
		bool lost = is_lost(s->start_edge, s->end_edge);

		if (s->actor == index)
			slices[count++] = (struct slice){ s->start_ns,
				lost ? s->start_ns : lineage_end(c, s->start_ns, s->end_ns, s->end_edge), s, i + 1, 0 };
	}
	qsort(slices, count, sizeof(*slices), compare_slices);
	for (size_t i = 0; i < count; i++) {
		size_t lane = find_lane(lanes, &lane_count, &slices[i]);

		if (lane == MAX_LANES) {
			slices[i].end_ns = slices[i].start_ns;
			lane = MAX_LANES - 1;
		}
		if (slices[i].step)
			write_step(v, &slices[i], first_lane(index) + lane);
		else
			write_life(v, &c->actors[index], &slices[i], first_lane(index) + lane);
	}
	name_lanes(v, index, lane_count);
	for (size_t i = 0; i < lane_count; i++)
		free(lanes[i].ends);
	free(slices);
}

/* ---- arrows ---- */

static void arrow_end(struct view *v, char kind, int actor, uint64_t at_ns)
{
	open_event(v, "starts", kind, first_lane(actor), at_ns);
	json_text(v->sb, "cat", "lineage");
	json_number(v->sb, "id", (int64_t)(v->number * FLOWS_PER_CONTAINER + v->flows));
	if (kind == 'f')
		json_text(v->sb, "bp", "e");
	close_event(v);
}

/* Both ends must lie inside the lives that they connect. */
static void write_arrow(struct view *v, int index)
{
	int from = lineage_asked_by(v->c, index);
	struct slice to = life_of(v->c, index), source;
	uint64_t leaves;

	if (from < 0)
		return;
	source = life_of(v->c, from);
	leaves = to.start_ns < source.end_ns ? to.start_ns : source.end_ns - 1;
	if (source.end_ns <= source.start_ns || to.end_ns <= to.start_ns || leaves < source.start_ns)
		return;
	v->flows++;
	arrow_end(v, 's', from, leaves);
	arrow_end(v, 'f', index, to.start_ns);
}

/* ---- phases, marks, gaps, the container itself ---- */

/* Phases may come twice (an exec session): those that overlap are instants of the same lane. */
static void write_phases(struct view *v)
{
	uint64_t busy_until[PHASE_COUNT] = { 0 };
	char name[FORMAT_MAX];

	for (size_t i = 0; i < v->c->phase_count; i++) {
		const struct phase_span *p = &v->c->phases[i];
		uint64_t end = lineage_end(v->c, p->start_ns, p->end_ns, p->end_edge);
		bool overlaps = p->start_ns < busy_until[p->phase];

		if (!busy_until[p->phase]) {
			snprintf(name, sizeof(name), "phase %s", phase_name(p->phase));
			name_lane(v, LANE_PHASE + p->phase, name, LANE_PHASE + (int64_t)p->phase);
		}
		open_span(v, phase_name(p->phase), "phase", LANE_PHASE + p->phase, &(struct slice){ p->start_ns, end },
			overlaps || is_lost(p->start_edge, p->end_edge));
		json_number(v->sb, "steps", (int64_t)p->steps);
		json_number(v->sb, "failed", (int64_t)p->failed);
		json_u64(v->sb, "busy_ns", p->busy_ns);
		if (p->has_times)
			write_times(v, p->on_cpu_ns, p->run_queue_ns, p->blocked_ns);
		edges(v, p->start_edge, p->end_edge);
		close_span(v);
		if (!overlaps)
			busy_until[p->phase] = end > p->start_ns ? end : p->start_ns + 1;
	}
}

static void write_gaps(struct view *v)
{
	for (size_t i = 0; i < v->c->gap_count; i++) {
		const struct gap *g = &v->c->gaps[i];

		open_span(v, "untraced", "untraced", LANE_UNTRACED, &(struct slice){ g->start_ns, g->end_ns }, false);
		if (g->before_actor >= 0)
			json_number(v->sb, "before_actor", g->before_actor);
		close_span(v);
	}
	if (v->c->gap_count)
		name_lane(v, LANE_UNTRACED, "untraced", LANE_UNTRACED);
}

static void write_marks(struct view *v)
{
	for (size_t i = 0; i < v->c->mark_count; i++) {
		const struct mark *m = &v->c->marks[i];
		_cleanup_(strbuf_free) struct strbuf name = { 0 };

		text_mark(&name, m, true);
		open_event(v, name.text, 'i', LANE_CONTAINER, m->at_ns);
		json_text(v->sb, "s", "p"); /* a line through all lanes of the container */
		json_text(v->sb, "cat", "mark");
		json_open(v->sb, "args", '{');
		json_details(v->sb, "detail", &m->details);
		close_span(v);
	}
}

static void write_head(struct view *v)
{
	const struct container *c = v->c;
	_cleanup_(strbuf_free) struct strbuf name = { 0 };
	_cleanup_(strbuf_free) struct strbuf outcome = { 0 };
	_cleanup_(strbuf_free) struct strbuf limits = { 0 };
	uint64_t end = lineage_end(c, c->first_ns, c->last_ns, EDGE_OBSERVED);

	text_container(&name, c, true);
	text_outcome(&outcome, c, true);
	text_limits(&limits, c, true);
	meta(v, "process_name", LANE_CONTAINER, "name", name.text, 0);
	meta(v, "process_sort_index", LANE_CONTAINER, "sort_index", NULL, (int64_t)v->number);
	if (limits.length)
		meta(v, "process_labels", LANE_CONTAINER, "labels", limits.text, 0);
	name_lane(v, LANE_CONTAINER, "container", LANE_CONTAINER);
	open_span(v, outcome.text, "container", LANE_CONTAINER, &(struct slice){ c->first_ns, end }, false);
	json_text(v->sb, "id", c->id);
	json_text(v->sb, "name", c->name);
	json_text(v->sb, "image", c->image);
	json_text(v->sb, "engine", c->engine);
	json_text(v->sb, "runtime", c->runtime);
	json_text(v->sb, "pod", c->pod);
	json_text(v->sb, "limits", limits.text);
	json_number(v->sb, "lost", (int64_t)c->lost);
	close_span(v);
}

static void begin(struct strbuf *sb, const struct export *e)
{
	(void)e;
	strbuf_puts(sb, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
}

static void container(struct strbuf *sb, const struct export *e, const struct container *c)
{
	struct view v = { .sb = sb, .c = c, .number = e->containers, .origin_ns = e->origin_ns };

	if (e->containers) /* what came before may have been written out */
		strbuf_puts(sb, ",\n");
	write_head(&v);
	write_marks(&v);
	write_phases(&v);
	write_gaps(&v);
	for (int i = -1; i < (int)c->actor_count; i++)
		write_actor(&v, i);
	for (int i = 0; i < (int)c->actor_count; i++)
		write_arrow(&v, i);
}

static void end(struct strbuf *sb, const struct export *e)
{
	const struct facts *f = e->facts;

	strbuf_puts(sb, "\n]");
	json_open(sb, "otherData", '{');
	json_text(sb, "ctrace", f->ctrace_version);
	json_text(sb, "host", f->hostname);
	json_text(sb, "kernel", f->kernel);
	json_text(sb, "boot_id", f->boot_id);
	json_u64(sb, "origin_ns", e->origin_ns);
	json_i64(sb, "wall_offset_ns", f->wall_offset_ns);
	json_close(sb, '}');
	strbuf_puts(sb, "}\n");
}

const struct export_format export_perfetto = { "perfetto", begin, container, end };
