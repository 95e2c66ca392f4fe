/* SPDX-License-Identifier: Apache-2.0 */
/* The chosen container's timeline. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/explain.h"
#include "exporters/format.h"
#include "exporters/waterfall_text.h"
#include "tui/terminal.h"
#include "tui/timeline_draw.h"
#include "tui/view.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { HEAD_ROWS = 3, INFO_ROWS = 2, DETAIL_ROWS = 7, WINDOW_LEAST_NS = 1000 };

/* ---- what stands above ---- */

static void times_text(struct strbuf *sb, const struct container *c, bool utf8)
{
	uint64_t exited = c->exit.known ? c->exit.at_ns : 0;
	const struct phase_span *slowest = container_start_ns(c) ? container_slowest(c) : NULL;
	char text[FORMAT_MAX];

	if (!c->existed)
		text_add_span(sb, "start", c->first_ns, c->started_ns, utf8);
	if (slowest)
		strbuf_printf(sb, " (%s %s%s)", phase_name(slowest->phase), phase_is_inferred(slowest) ? "~" : "",
			format_duration(text, container_end_of(c, slowest->end_ns, slowest->end_edge) - slowest->start_ns, utf8));
	text_add_span(sb, "run", c->started_ns, exited ? exited : c->last_ns, utf8);
	text_add_span(sb, "teardown", exited, c->last_ns, utf8);
	text_add_span(sb, "total", c->first_ns, c->last_ns, utf8);
	if (c->existed)
		strbuf_puts(sb, sb->length ? "; was there before tracing began" : "was there before tracing began");
}

static void outcome_text(struct strbuf *sb, const struct container *c, bool utf8)
{
	text_outcome(sb, c, utf8);
	if (c->lost)
		strbuf_printf(sb, "; LOST %" PRIu64 " event%s while it lived", c->lost, c->lost == 1 ? "" : "s");
	if (c->inferred_front) {
		strbuf_puts(sb, "; ");
		text_blind_front(sb, c);
	}
	if (text_is_cut(c)) {
		strbuf_puts(sb, "; ");
		text_cut(sb, c);
	}
}

static const struct container *compared(const struct ui *ui, struct model *m, const struct container *c)
{
	return ui->timeline.compare ? model_earlier(m, c) : NULL;
}

static void compare_text(struct strbuf *sb, const struct model *m, const struct container *c,
	const struct container *other, bool utf8)
{
	char text[FORMAT_MAX];

	if (!other) {
		strbuf_puts(sb, "no earlier start to compare with");
		return;
	}
	strbuf_printf(sb, "start %s, was ", format_duration(text, container_start_ns(c), utf8));
	strbuf_printf(sb, "%s for ", format_duration(text, container_start_ns(other), utf8));
	container_label(sb, other, utf8);
	strbuf_printf(sb, " at %s", clock_text(text, m, container_born_ns(other), false));
}

static void draw_head(struct ui *ui, struct model *m, struct screen *s, struct area *area, const struct container *c,
	const struct container *other)
{
	_cleanup_(strbuf_free) struct strbuf title = { 0 };
	_cleanup_(strbuf_free) struct strbuf outcome = { 0 };
	_cleanup_(strbuf_free) struct strbuf times = { 0 };
	size_t rows = area->rows >= 16 ? HEAD_ROWS : area->rows >= 10 ? 2 : area->rows >= 6;

	text_title(&title, c, s->utf8);
	outcome_text(&outcome, c, s->utf8);
	if (ui->timeline.compare)
		compare_text(&times, m, c, other, s->utf8);
	else
		times_text(&times, c, s->utf8);
	if (rows > 0)
		screen_put(s, area->top, 0, s->columns, STYLE_BOLD, title.text);
	if (rows > 2)
		screen_put(s, area->top + 2, 0, s->columns, text_is_failure(c) || c->lost ? STYLE_BAD : STYLE_NORMAL,
			outcome.text);
	if (rows > 1)
		screen_put(s, area->top + 1, 0, s->columns, STYLE_NORMAL, times.text ? times.text : "");
	area->top += rows;
	area->rows -= rows;
}

/* ---- what stands below: all about the row under the cursor ---- */

static void row_info(struct strbuf *sb, const struct timeline_rows *rows, const struct timeline_row *row, bool utf8)
{
	_cleanup_(strbuf_free) struct strbuf duration = { 0 };
	char text[FORMAT_MAX];

	timeline_row_text(sb, rows, row, utf8);
	timeline_duration(&duration, row, false, utf8);
	strbuf_printf(sb, duration.length ? ": %s" : "%s", duration.length ? duration.text : "");
	if (row->start_ns >= rows->c->first_ns && row->kind != ROW_UNTRACED)
		strbuf_printf(sb, "%s +%s", duration.length ? " from" : ": at", format_duration(text,
			row->start_ns - rows->c->first_ns, utf8));
	if (row->waited_ns && row->kind != ROW_ACTOR)
		strbuf_printf(sb, "; the start waited %s for it", format_duration(text, row->waited_ns, utf8));
}

static void draw_info(struct screen *s, size_t top, const struct timeline_rows *rows, const struct timeline_row *row)
{
	_cleanup_(strbuf_free) struct strbuf what = { 0 };
	_cleanup_(strbuf_free) struct strbuf more = { 0 };

	row_info(&what, rows, row, s->utf8);
	timeline_row_more(&more, rows, row, s->utf8);
	screen_put(s, top, 1, s->columns - 1, row->failed ? STYLE_BAD : STYLE_BOLD, what.text);
	screen_put(s, top + 1, 1, s->columns - 1, STYLE_DIM, more.text ? more.text : "");
}

/* Longer first; among equals in order. */
static bool is_slower(const struct container *c, size_t a, size_t b)
{
	uint64_t x = step_length(&c->steps[a]), y = step_length(&c->steps[b]);

	return x > y || (x == y && a < b);
}

static int compare_lengths(const void *x, const void *y, void *c)
{
	size_t a = *(const size_t *)x, b = *(const size_t *)y;

	return a == b ? 0 : is_slower(c, a, b) ? -1 : 1;
}

/* What a phase, an actor or a run was busy with: its longest steps. */
static void draw_longest(struct screen *s, struct area area, const struct timeline_rows *rows, const struct timeline_row *row)
{
	_cleanup_free_ size_t *order = xcalloc(row->count + 1, sizeof(*order));
	const struct container *c = rows->c;
	size_t at = area.top, end = area.top + area.rows, count = 0;
	char text[FORMAT_MAX];

	if (row->kind == ROW_STEP || row->kind == ROW_UNTRACED || row->kind == ROW_TOTAL || row->kind == ROW_MARK)
		return;
	if (row->kind == ROW_PHASE && at < end)
		screen_printf(s, at++, 1, STYLE_NORMAL, "%s of it in calls, the longest:",
			format_duration(text, c->phases[row->index].busy_ns, s->utf8));
	/* a request that outlasts its phase waits: for the container to run, or to end */
	for (size_t i = row->first; i < row->first + row->count; i++) {
		if (row->kind != ROW_PHASE || c->steps[rows->members[i]].end_ns <= row->end_ns)
			order[count++] = rows->members[i];
	}
	qsort_r(order, count, sizeof(*order), compare_lengths, (void *)(uintptr_t)c);
	for (size_t i = 0; i < count && at < end && step_length(&c->steps[order[i]]); i++) {
		_cleanup_(strbuf_free) struct strbuf step = { 0 };

		text_step(&step, &c->steps[order[i]], s->utf8);
		screen_put_right(s, at, 2, 8, STYLE_NORMAL, format_duration(text, step_length(&c->steps[order[i]]), s->utf8));
		screen_put(s, at++, 12, s->columns > 12 ? s->columns - 12 : 1, STYLE_DIM, step.text);
	}
}

static void explain_row(struct strbuf *sb, const struct timeline_rows *rows, const struct timeline_row *row)
{
	struct explain *explain;

	if (row->kind != ROW_STEP && row->kind != ROW_RUN)
		return;
	explain = explain_new(rows->c);
	explain_step(explain, &rows->c->steps[row->index], sb);
	explain_free(explain);
}

static void draw_details(struct screen *s, struct area area, const struct timeline_rows *rows,
	const struct timeline_row *row)
{
	_cleanup_(strbuf_free) struct strbuf what = { 0 };
	_cleanup_(strbuf_free) struct strbuf more = { 0 };
	_cleanup_(strbuf_free) struct strbuf why = { 0 };
	size_t used, width = s->columns > 2 ? s->columns - 2 : 1;

	row_info(&what, rows, row, s->utf8);
	timeline_row_more(&more, rows, row, s->utf8);
	explain_row(&why, rows, row);
	used = wrap_put(s, area.top, 1, width, area.rows, row->failed ? STYLE_BAD : STYLE_BOLD, what.text);
	used += wrap_put(s, area.top + used, 1, width, area.rows - used, STYLE_NORMAL, more.text ? more.text : "");
	used += wrap_put(s, area.top + used, 1, width, area.rows - used, STYLE_DIM, why.text ? why.text : "");
	draw_longest(s, (struct area){ area.top + used, area.rows - used }, rows, row);
}

static void draw_rule(struct screen *s, size_t row)
{
	for (size_t i = 0; i < s->columns; i++)
		screen_glyph(s, row, i, STYLE_DIM, glyph(GLYPH_RULE, s->utf8));
}

/* Takes its rows off the end of the area. */
static void draw_below(const struct ui *ui, struct screen *s, struct area *area, const struct timeline_rows *rows,
	const struct timeline_row *row)
{
	size_t half = area->rows / 2 > DETAIL_ROWS ? area->rows / 2 : DETAIL_ROWS;
	size_t want = ui->timeline.details ? half : INFO_ROWS, take = 0;

	if (area->rows >= want + 8)
		take = want + 1;
	else if (ui->timeline.details && area->rows >= 6)
		take = area->rows - 3;
	if (!take)
		return;
	area->rows -= take;
	draw_rule(s, area->top + area->rows);
	if (ui->timeline.details)
		draw_details(s, (struct area){ area->top + area->rows + 1, take - 1 }, rows, row);
	else
		draw_info(s, area->top + area->rows + 1, rows, row);
}

/* Beside the ruler: where the window begins, or what the mark of the rows means. */
static void draw_note(struct screen *s, size_t row, const struct timeline_layout *l, const struct container *c)
{
	uint64_t at = l->ruler.start_ns > c->first_ns ? l->ruler.start_ns - c->first_ns : 0;
	_cleanup_free_ char *text = NULL;
	char from[FORMAT_MAX];

	if (l->zoomed)
		text = xasprintf("zoom: 0 = +%s", compact_duration(from, at, s->utf8));
	else if (!c->existed)
		text = xasprintf("%s the start waited", glyph(GLYPH_CRITICAL, s->utf8));
	if (text)
		screen_put(s, row, 0, l->label + 2, l->zoomed ? STYLE_WARN : STYLE_DIM, text);
}

static void draw(struct ui *ui, struct model *m, struct screen *s, struct area area)
{
	const struct container *chosen = ui_container(ui, m), *other, *c;
	struct list *list = &ui->timeline.list;
	struct timeline_layout layout;
	struct timeline_rows rows;
	struct container now;

	if (!chosen) {
		wrap_put(s, area.top + 1, 2, s->columns > 4 ? s->columns - 4 : 1, 3, STYLE_DIM, containers_why_none(ui, m));
		return;
	}
	other = compared(ui, m, chosen);
	now = container_now(m, chosen);
	c = &now;
	draw_head(ui, m, s, &area, c, other);
	timeline_rows_make(&rows, c, &ui->timeline);
	timeline_layout_make(&layout, c, &ui->timeline, other, s->columns);
	if (list->cursor >= rows.count)
		list->cursor = rows.count - 1;
	draw_below(ui, s, &area, &rows, &rows.items[list->cursor]);
	timeline_put_ruler(s, area.top, &layout);
	draw_note(s, area.top, &layout, c);
	list_clamp(list, rows.count, area.rows > 1 ? area.rows - 1 : 0);
	list->origin = area.top + 1;
	for (size_t i = 0; i < list->page && list->top + i < rows.count; i++) {
		timeline_put_row(s, area.top + 1 + i, &layout, &rows, &rows.items[list->top + i]);
		if (list->top + i == list->cursor)
			screen_restyle(s, area.top + 1 + i, 0, 2 + layout.label, STYLE_SELECTED);
	}
	timeline_rows_free(&rows);
}

static size_t height(struct ui *ui, struct model *m, size_t width)
{
	const struct container *c = ui_container(ui, m);
	struct timeline_rows rows;
	size_t count;

	(void)width;
	if (!c)
		return 3;
	timeline_rows_make(&rows, c, &ui->timeline);
	count = rows.count;
	timeline_rows_free(&rows);
	return HEAD_ROWS + 1 + count + INFO_ROWS + 1 < 16 ? 16 : HEAD_ROWS + 1 + count + INFO_ROWS + 1;
}

/* ---- keys ---- */

static void fold_row(struct ui *ui, struct timeline_rows *rows, bool unfold)
{
	struct list *list = &ui->timeline.list;
	const struct timeline_row *row = &rows->items[list->cursor];
	size_t at = list->cursor;

	if (unfold) {
		if (row->can_unfold)
			timeline_fold(&ui->timeline, row->key, true);
		return;
	}
	if (row->unfolded && row->can_unfold) {
		timeline_fold(&ui->timeline, row->key, false);
		return;
	}
	while (at > 0 && rows->items[at].depth >= row->depth)
		at--;
	if (row->depth > 0)
		list->cursor = at;
}

static void unfold_all(struct ui *ui, const struct container *c, struct timeline_rows *rows)
{
	bool any = ui->timeline.unfolded_count > 0;

	ui->timeline.unfolded_count = 0;
	if (any)
		return;
	for (size_t level = 0; level < 3; level++) { /* phases, and what appears below them */
		for (size_t i = 0; i < rows->count; i++) {
			if (rows->items[i].can_unfold && rows->items[i].kind != ROW_ACTOR)
				timeline_fold(&ui->timeline, rows->items[i].key, true);
		}
		timeline_rows_free(rows);
		timeline_rows_make(rows, c, &ui->timeline);
	}
}

/* The step under the cursor, SIZE_MAX = the cursor is on none. */
static size_t current_step(const struct ui *ui, const struct timeline_rows *rows)
{
	const struct timeline_row *row = &rows->items[ui->timeline.list.cursor];

	return row->kind == ROW_STEP ? row->index : SIZE_MAX;
}

static void go_to_step(struct ui *ui, struct timeline_rows *rows, size_t step)
{
	size_t at = timeline_rows_show_step(rows, &ui->timeline, step);

	if (at != SIZE_MAX)
		ui->timeline.list.cursor = at;
}

static void next_error(struct ui *ui, const struct container *c, struct timeline_rows *rows)
{
	size_t from = current_step(ui, rows);

	for (size_t n = 1; n <= c->step_count; n++) {
		size_t i = (from == SIZE_MAX ? n - 1 : from + n) % c->step_count;

		if (step_failed(&c->steps[i])) {
			go_to_step(ui, rows, i);
			return;
		}
	}
	ui_say(ui, false, "no step failed");
}

/* The slowest of those that are less slow than the one under the cursor; requests wait for the others. */
static void next_slow(struct ui *ui, const struct container *c, struct timeline_rows *rows)
{
	size_t from = current_step(ui, rows), best = SIZE_MAX, first = SIZE_MAX;

	for (size_t i = 0; i < c->step_count; i++) {
		if (c->steps[i].kind == STEP_REQUEST || !step_length(&c->steps[i]))
			continue;
		if (first == SIZE_MAX || is_slower(c, i, first))
			first = i;
		if (from != SIZE_MAX && is_slower(c, from, i) && (best == SIZE_MAX || is_slower(c, i, best)))
			best = i;
	}
	if (best == SIZE_MAX)
		best = first;
	if (best == SIZE_MAX)
		ui_say(ui, false, "no step has a duration");
	else
		go_to_step(ui, rows, best);
}

/* ---- the window of time ---- */

static void set_window(struct ui *ui, const struct container *c, uint64_t from, uint64_t length)
{
	uint64_t whole = c->last_ns > c->first_ns ? c->last_ns - c->first_ns : 1;

	if (length < WINDOW_LEAST_NS)
		length = WINDOW_LEAST_NS;
	if (length >= whole) {
		ui->timeline.from_ns = ui->timeline.to_ns = 0;
		return;
	}
	if (from < c->first_ns)
		from = c->first_ns;
	if (from + length > c->last_ns)
		from = c->last_ns - length;
	ui->timeline.from_ns = from;
	ui->timeline.to_ns = from + length;
}

static void zoom(struct ui *ui, const struct container *c, const struct timeline_row *row, enum action action)
{
	struct timeline_state *t = &ui->timeline;
	uint64_t from = t->to_ns ? t->from_ns : c->first_ns, to = t->to_ns ? t->to_ns : c->last_ns;
	uint64_t length = to > from ? to - from : 1;
	uint64_t middle = row->kind == ROW_TOTAL ? from + length / 2 : row->start_ns + (row->end_ns - row->start_ns) / 2;

	if (middle < from || middle > to)
		middle = from + length / 2;
	switch (action) {
	case ACT_ZOOM_IN: set_window(ui, c, middle > length / 4 ? middle - length / 4 : 0, length / 2); break;
	case ACT_ZOOM_OUT: set_window(ui, c, middle > length ? middle - length : 0, length * 2); break;
	case ACT_ZOOM_TO: set_window(ui, c, row->start_ns - (row->end_ns - row->start_ns) / 20,
		(row->end_ns - row->start_ns) * 11 / 10); break;
	case ACT_PAN_LEFT: set_window(ui, c, from > length / 4 ? from - length / 4 : 0, length); break;
	case ACT_PAN_RIGHT: set_window(ui, c, from + length / 4, length); break;
	default: t->from_ns = t->to_ns = 0; break;
	}
}

static void compare(struct ui *ui, struct model *m, const struct container *c)
{
	if (!ui->timeline.compare && !model_earlier(m, c)) {
		ui_say(ui, false, "no earlier start of this container, its name, its image or its runtime was seen");
		return;
	}
	ui->timeline.compare = !ui->timeline.compare;
}

static bool act_on_rows(struct ui *ui, const struct container *c, struct timeline_rows *rows, enum action action)
{
	struct list *list = &ui->timeline.list;

	list_clamp(list, rows->count, list->page);
	switch (action) {
	case ACT_LEFT: fold_row(ui, rows, false); return true;
	case ACT_RIGHT: fold_row(ui, rows, true); return true;
	case ACT_UNFOLD_ALL: unfold_all(ui, c, rows); return true;
	case ACT_NEXT_ERROR: next_error(ui, c, rows); return true;
	case ACT_NEXT_SLOW: next_slow(ui, c, rows); return true;
	case ACT_ZOOM_IN:
	case ACT_ZOOM_OUT:
	case ACT_ZOOM_FIT:
	case ACT_ZOOM_TO:
	case ACT_PAN_LEFT:
	case ACT_PAN_RIGHT: zoom(ui, c, &rows->items[list->cursor], action); return true;
	default: return list_act(list, rows->count, action);
	}
}

static bool act(struct ui *ui, struct model *m, enum action action)
{
	const struct container *c = ui_container(ui, m);
	struct timeline_rows rows;
	struct container now;
	bool done;

	switch (action) {
	case ACT_DETAILS: ui->timeline.details = !ui->timeline.details; return true;
	case ACT_ORDER: ui->timeline.by_time = !ui->timeline.by_time; return true;
	case ACT_NEXT_CONTAINER: containers_step(ui, m, 1); return true;
	case ACT_PREVIOUS_CONTAINER: containers_step(ui, m, -1); return true;
	case ACT_COMPARE:
		if (c)
			compare(ui, m, c);
		return true;
	default: break;
	}
	if (!c)
		return false;
	now = container_now(m, c);
	timeline_rows_make(&rows, &now, &ui->timeline);
	done = act_on_rows(ui, &now, &rows, action);
	timeline_rows_free(&rows);
	return done;
}

static bool step_has(const struct container *c, size_t index, const char *text)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	const struct step *s = &c->steps[index];

	text_step(&sb, s, true);
	if (s->actor >= 0 && (size_t)s->actor < c->actor_count) {
		strbuf_putc(&sb, ' ');
		text_actor(&sb, &c->actors[s->actor], true);
	}
	return text_has(sb.text, text) || text_has(phase_name(s->phase), text);
}

/* Through all steps, folded ones, too. */
static bool find(struct ui *ui, struct model *m, const char *text, int direction)
{
	const struct container *c = ui_container(ui, m);
	struct timeline_rows rows;
	bool found = false;
	size_t from;

	if (!c || !c->step_count)
		return false;
	timeline_rows_make(&rows, c, &ui->timeline);
	list_clamp(&ui->timeline.list, rows.count, ui->timeline.list.page);
	from = current_step(ui, &rows);
	if (from == SIZE_MAX)
		from = direction > 0 ? c->step_count - 1 : 0;
	for (size_t n = 1; n <= c->step_count && !found; n++) {
		size_t i = (from + (direction > 0 ? n : c->step_count - n)) % c->step_count;

		found = step_has(c, i, text);
		if (found)
			go_to_step(ui, &rows, i);
	}
	timeline_rows_free(&rows);
	return found;
}

static void click(struct ui *ui, struct model *m, size_t row, bool twice)
{
	size_t index = list_at(&ui->timeline.list, SIZE_MAX, row);

	if (index == SIZE_MAX)
		return;
	ui->timeline.list.cursor = index; /* beyond the last row: drawing corrects it */
	if (twice)
		act(ui, m, ACT_RIGHT);
}

const struct view_operations timeline_view = { draw, height, act, find, click };
