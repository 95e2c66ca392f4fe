/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/timeline_draw.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "exporters/format.h"
#include "exporters/waterfall_text.h"
#include "tui/model.h"
#include "tui/terminal.h"
#include "tui/view.h"
#include "util/cleanup.h"

/* ---- words ---- */

void timeline_duration(struct strbuf *sb, const struct timeline_row *row, bool compact, bool utf8)
{
	char text[FORMAT_MAX];

	if (row->start_edge == EDGE_LOST || row->end_edge == EDGE_LOST || row->end_ns < row->start_ns) {
		strbuf_puts(sb, "?");
		return;
	}
	if (row->end_ns == row->start_ns && row->end_edge != EDGE_OPEN)
		return; /* a point */
	if (row->start_edge == EDGE_INFERRED || row->end_edge == EDGE_INFERRED)
		strbuf_putc(sb, '~');
	strbuf_puts(sb, (compact ? compact_duration : format_duration)(text, row->end_ns - row->start_ns, utf8));
	if (row->end_edge == EDGE_OPEN)
		strbuf_putc(sb, '+');
}

static void mark_text(struct strbuf *sb, const struct mark *mark, bool utf8)
{
	const char *name = details_text(&mark->details, "sig");

	if (mark->kind != MARK_SIGNAL || !name) {
		text_mark(sb, mark, utf8);
		return;
	}
	text_word(sb, str_starts(name, "SIG") ? "" : "SIG", name, utf8);
	text_word(sb, details_get(&mark->details, "sender_pid") ? " from " : " from the ", details_text(&mark->details, "sender"),
		utf8); /* the kernel has no pid */
}

void timeline_row_text(struct strbuf *sb, const struct timeline_rows *rows, const struct timeline_row *row, bool utf8)
{
	const struct container *c = rows->c;
	char name[FORMAT_MAX];

	switch (row->kind) {
	case ROW_TOTAL: strbuf_puts(sb, "total"); break;
	case ROW_PHASE: strbuf_puts(sb, phase_name(c->phases[row->index].phase)); break;
	case ROW_ACTOR_PHASE: strbuf_puts(sb, phase_name((enum phase)row->index)); break;
	case ROW_UNTRACED: strbuf_puts(sb, "untraced"); break;
	case ROW_ACTOR: text_actor(sb, &c->actors[row->index], utf8); break;
	case ROW_MARK: mark_text(sb, &c->marks[row->index], utf8); break;
	case ROW_RUN:
		strbuf_printf(sb, "%s %s%zu", text_step_kind(c->steps[row->index].kind), glyph(GLYPH_TIMES, utf8),
			row->count);
		break;
	case ROW_STEP:
		if (row->failed)
			strbuf_printf(sb, "%s ", format_errno(name, (int)-c->steps[row->index].result));
		text_step(sb, &c->steps[row->index], utf8);
		break;
	}
}

/* "mount x17, umount x2" in order of first appearance. */
static void count_kinds(struct strbuf *sb, const struct timeline_rows *rows, const struct timeline_row *row, bool utf8)
{
	size_t counts[STEP_KIND_COUNT] = { 0 }, order[STEP_KIND_COUNT], kinds = 0;

	if (row->failed)
		strbuf_printf(sb, "%zu failed", row->failed);
	for (size_t i = row->first; i < row->first + row->count; i++) {
		enum step_kind kind = rows->c->steps[rows->members[i]].kind;

		if (!counts[kind]++)
			order[kinds++] = kind;
	}
	for (size_t i = 0; i < kinds; i++) {
		strbuf_printf(sb, "%s%s", sb->length ? ", " : "", text_step_kind((enum step_kind)order[i]));
		if (counts[order[i]] > 1)
			strbuf_printf(sb, " %s%zu", glyph(GLYPH_TIMES, utf8), counts[order[i]]);
	}
}

static void actor_more(struct strbuf *sb, const struct timeline_rows *rows, const struct timeline_row *row, bool utf8)
{
	const struct actor *a = &rows->c->actors[row->index];
	char text[FORMAT_MAX];

	strbuf_puts(sb, actor_role_name(a->role));
	if (row->count)
		strbuf_printf(sb, ", %zu step%s", row->count, row->count == 1 ? "" : "s");
	if (row->failed)
		strbuf_printf(sb, ", %zu failed", row->failed);
	if (a->exited && (a->exit_status & 0x7f))
		strbuf_printf(sb, ", %s", format_signal(text, a->exit_status & 0x7f));
	else if (a->exited && a->exit_status)
		strbuf_printf(sb, ", exit %d", a->exit_status >> 8 & 0xff);
	if (a->has_cpu)
		strbuf_printf(sb, ", cpu %s", format_duration(text, a->on_cpu_ns, utf8));
	if (a->has_cpu && a->end_ns > a->start_ns && a->run_queue_ns > (a->end_ns - a->start_ns) / 10)
		strbuf_printf(sb, ", queued %s", format_duration(text, a->run_queue_ns, utf8));
}

static void untraced_more(struct strbuf *sb, const struct container *c, bool utf8)
{
	const struct gap *longest = &c->gaps[0];
	char text[FORMAT_MAX];

	for (size_t i = 1; i < c->gap_count; i++) {
		if (c->gaps[i].end_ns - c->gaps[i].start_ns > longest->end_ns - longest->start_ns)
			longest = &c->gaps[i];
	}
	strbuf_printf(sb, c->gap_count > 1 ? "longest %s" : "%s",
		format_duration(text, longest->end_ns - longest->start_ns, utf8));
	if (longest->before_actor >= 0 && (size_t)longest->before_actor < c->actor_count) {
		strbuf_puts(sb, " before ");
		text_actor(sb, &c->actors[longest->before_actor], utf8);
	}
}

/* Where its time went, and where in the kernel it was blocked, innermost first. */
static void times_more(struct strbuf *sb, uint64_t on_cpu_ns, uint64_t run_queue_ns, uint64_t blocked_ns, bool utf8)
{
	const uint64_t values[] = { on_cpu_ns, run_queue_ns, blocked_ns };
	static const char *const names[] = { "cpu", "queued", "blocked" };
	char text[FORMAT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (values[i])
			strbuf_printf(sb, "%s%s %s", sb->length ? ", " : "", names[i],
				format_duration(text, values[i], utf8));
	}
}

static void step_more(struct strbuf *sb, const struct step *s, bool utf8)
{
	const char *where = s->times ? s->times->blocked_in : NULL;

	if (!s->times)
		return;
	times_more(sb, s->times->on_cpu_ns, s->times->run_queue_ns, s->times->blocked_ns, utf8);
	while (where && *where) {
		size_t n = strcspn(where, "\x1f");

		strbuf_puts(sb, where == s->times->blocked_in ? " in " : " < ");
		format_text(sb, where, n, utf8);
		where += n + (where[n] == '\x1f');
	}
}

void timeline_row_more(struct strbuf *sb, const struct timeline_rows *rows, const struct timeline_row *row, bool utf8)
{
	const struct container *c = rows->c;

	switch (row->kind) {
	case ROW_PHASE:
		count_kinds(sb, rows, row, utf8);
		if (c->phases[row->index].has_times)
			times_more(sb, c->phases[row->index].on_cpu_ns, c->phases[row->index].run_queue_ns,
				c->phases[row->index].blocked_ns, utf8);
		break;
	case ROW_ACTOR_PHASE: count_kinds(sb, rows, row, utf8); break;
	case ROW_ACTOR: actor_more(sb, rows, row, utf8); break;
	case ROW_UNTRACED: untraced_more(sb, c, utf8); break;
	case ROW_TOTAL: text_outcome(sb, c, utf8); break;
	case ROW_RUN:
	case ROW_STEP:
		if (row->actor >= 0 && (size_t)row->actor < c->actor_count)
			text_actor(sb, &c->actors[row->actor], utf8);
		if (row->kind == ROW_STEP)
			step_more(sb, &c->steps[row->index], utf8);
		break;
	case ROW_MARK: break;
	}
}

/* ---- bars ---- */

enum bar_kind { EMPTY, SPAN, GAP, BUSY, LOST };

/* Two per column; later kinds win where they meet. */
struct painting {
	const struct ruler *ruler;
	uint8_t kinds[2 * RULER_COLUMNS], styles[2 * RULER_COLUMNS];
};

static void paint(struct painting *p, uint64_t start_ns, uint64_t end_ns, enum bar_kind kind, uint8_t style)
{
	const struct ruler *r = p->ruler;
	size_t from, to;

	if (end_ns < r->start_ns || start_ns > r->end_ns || end_ns < start_ns)
		return;
	from = ruler_at(r, start_ns > r->start_ns ? start_ns : r->start_ns);
	to = ruler_at(r, end_ns);
	if (from >= 2 * r->columns)
		from = 2 * r->columns - 1;
	if (to <= from)
		to = from + 1;
	for (size_t i = from; i < to; i++) {
		if (p->kinds[i] > kind)
			continue;
		p->kinds[i] = (uint8_t)kind;
		p->styles[i] = style;
	}
}

static enum glyph cell_glyph(uint8_t left, uint8_t right, bool cut)
{
	uint8_t most = left > right ? left : right;

	if (most == SPAN)
		return cut ? GLYPH_CUT : GLYPH_SPAN;
	if (most == GAP)
		return GLYPH_GAP;
	if (most == LOST)
		return GLYPH_LOST;
	return left != BUSY ? GLYPH_RIGHT_HALF : right != BUSY ? GLYPH_LEFT_HALF : GLYPH_FULL;
}

static void put_painting(struct screen *s, size_t row, size_t column, const struct painting *p)
{
	for (size_t i = 0; i < p->ruler->columns; i++) {
		uint8_t left = p->kinds[2 * i], right = p->kinds[2 * i + 1];

		if (left || right)
			screen_glyph(s, row, column + i, p->styles[left >= right ? 2 * i : 2 * i + 1],
				glyph(cell_glyph(left, right, ruler_is_cut(p->ruler, i)), s->utf8));
	}
}

static void paint_steps(struct painting *p, const struct timeline_rows *rows, const struct timeline_row *row)
{
	for (size_t i = row->first; i < row->first + row->count; i++) {
		const struct step *s = &rows->c->steps[rows->members[i]];
		bool lost = s->start_edge == EDGE_LOST || s->end_edge == EDGE_LOST;
		uint64_t end = container_end_of(rows->c, s->end_ns, s->end_edge);

		/* a request that outlasts its phase waits: for the container to run, or to end */
		if (end > row->end_ns)
			end = s->start_ns;
		paint(p, s->start_ns, end, lost ? LOST : BUSY, step_failed(s) ? STYLE_BAD : phase_style(s->phase));
	}
}

static void paint_gaps(struct painting *p, const struct container *c)
{
	for (size_t i = 0; i < c->gap_count; i++)
		paint(p, c->gaps[i].start_ns, c->gaps[i].end_ns, GAP, STYLE_GAP);
}

/* The whole shows what the start waited for: the critical path in the colours of its phases, and the gaps. */
static void paint_total(struct painting *p, const struct timeline_rows *rows, const struct timeline_row *row)
{
	const struct container *c = rows->c;

	paint(p, row->start_ns, row->end_ns, SPAN, STYLE_DIM);
	paint_gaps(p, c);
	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];
		bool late = s->phase > PHASE_EXEC && s->kind != STEP_REQUEST && s->end_edge != EDGE_OPEN;

		if (rows->waited[i] || late)
			paint(p, s->start_ns, s->end_ns, BUSY, phase_style(s->phase));
	}
}

static void put_marks(struct screen *s, size_t row, size_t column, const struct ruler *r, const struct container *c)
{
	for (size_t i = 0; i < c->mark_count; i++) {
		const struct mark *m = &c->marks[i];
		size_t at = ruler_at(r, m->at_ns) / 2;

		if (m->kind == MARK_STAGE || m->kind == MARK_STARTED || m->at_ns < r->start_ns || m->at_ns > r->end_ns)
			continue;
		screen_glyph(s, row, column + (at < r->columns ? at : r->columns - 1),
			text_mark_is_bad(m) ? STYLE_BAD : STYLE_WARN, glyph(GLYPH_MARK, s->utf8));
	}
}

static void put_bars(struct screen *s, size_t at, size_t column, const struct timeline_layout *l,
	const struct timeline_rows *rows, const struct timeline_row *row)
{
	struct painting p = { .ruler = &l->ruler };

	switch (row->kind) {
	case ROW_TOTAL: paint_total(&p, rows, row); break;
	case ROW_UNTRACED: paint_gaps(&p, rows->c); break;
	case ROW_MARK: break;
	case ROW_STEP:
	case ROW_RUN: paint_steps(&p, rows, row); break;
	default:
		paint(&p, row->start_ns, row->end_ns, SPAN, STYLE_DIM);
		paint_steps(&p, rows, row);
		break;
	}
	put_painting(s, at, column, &p);
	if (row->kind == ROW_TOTAL)
		put_marks(s, at, column, &l->ruler, rows->c);
}

/* ---- rows ---- */

void timeline_layout_make(struct timeline_layout *l, const struct container *c, const struct timeline_state *state,
	const struct container *other, size_t columns)
{
	*l = (struct timeline_layout){ .zoomed = state->to_ns, .duration = 8, .last = 4, .other = other };
	if (other) /* "249ms -12.3ms" */
		l->last = columns >= 70 ? 16 : 8;
	l->label = columns >= 60 ? columns * 29 / 100 : columns >= 46 ? 14 : 12;
	if (columns >= 110) {
		l->label = 30 + (columns - 110) / 8;
		l->tail = 28 + (columns - 110) / 3;
	}
	if (columns < 46)
		l->last = 0;
	l->bars = columns - l->label - l->duration - 4 - (l->last ? l->last + 1 : 0) - (l->tail ? l->tail + 2 : 0);
	if (l->bars > columns || l->bars < 4)
		l->bars = 4;
	ruler_init(&l->ruler, c, l->bars);
	if (state->to_ns > state->from_ns)
		ruler_init_span(&l->ruler, state->from_ns, state->to_ns, l->ruler.columns);
}

void timeline_put_ruler(struct screen *s, size_t row, const struct timeline_layout *l)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	size_t at = 2 + l->label + 1;

	ruler_print(&text, &l->ruler, s->utf8);
	screen_put(s, row, at, l->bars, STYLE_DIM, text.text);
	screen_put_right(s, row, at + l->bars + 1, l->duration, STYLE_DIM, "TIME");
	if (l->last)
		screen_put_right(s, row, at + l->bars + 1 + l->duration + 1, l->last, STYLE_DIM,
			l->other ? "BEFORE, CHANGE" : "%");
}

/* Of the time that is shown: where an hour of running was cut out, everything else would be 0 %. */
static void put_percent(struct screen *s, size_t at, size_t column, const struct timeline_layout *l,
	const struct timeline_row *row)
{
	uint64_t total = ruler_shown(&l->ruler), length = row->end_ns - row->start_ns;
	char text[16];

	for (size_t i = 0; i < l->ruler.cut_count; i++) {
		if (row->start_ns <= l->ruler.cuts[i].start_ns && row->end_ns >= l->ruler.cuts[i].end_ns)
			return;
	}
	if (l->zoomed || row->end_ns <= row->start_ns || !total || length > total)
		return;
	snprintf(text, sizeof(text), "%.0f%%", (double)length * 100 / (double)total);
	screen_put_right(s, at, column, l->last, STYLE_NORMAL, text);
}

/* How long the same took in the other start; 0 = it has no such thing. */
static uint64_t other_length(const struct timeline_layout *l, const struct timeline_rows *rows,
	const struct timeline_row *row)
{
	if (row->kind == ROW_TOTAL)
		return l->other->last_ns - l->other->first_ns;
	for (size_t i = 0; row->kind == ROW_PHASE && i < l->other->phase_count; i++) {
		const struct phase_span *p = &l->other->phases[i];

		if (p->phase == rows->c->phases[row->index].phase)
			return container_end_of(l->other, p->end_ns, p->end_edge) - p->start_ns;
	}
	return 0;
}

static void put_comparison(struct screen *s, size_t at, size_t column, const struct timeline_layout *l,
	const struct timeline_rows *rows, const struct timeline_row *row)
{
	uint64_t before = other_length(l, rows, row);
	uint64_t now = row->end_ns - row->start_ns;
	char was[FORMAT_MAX], change[FORMAT_MAX + 1];
	uint8_t style = STYLE_DIM;

	if (!before)
		return;
	compact_duration(was, before, s->utf8);
	change[0] = now >= before ? '+' : '-';
	compact_duration(change + 1, now >= before ? now - before : before - now, s->utf8);
	/* a tenth and a millisecond: less is noise */
	if (now > before + before / 10 + 1000000)
		style = STYLE_BAD;
	else if (before > now + before / 10 + 1000000)
		style = STYLE_GOOD;
	screen_put_right(s, at, column + l->last - 8, 8, style, change);
	if (l->last >= 16)
		screen_put_right(s, at, column, 7, STYLE_DIM, was);
}

static uint8_t label_style(const struct timeline_row *row)
{
	if (row->failed && (row->kind == ROW_STEP || row->kind == ROW_MARK))
		return STYLE_BAD;
	switch (row->kind) {
	case ROW_TOTAL: return STYLE_BOLD;
	case ROW_UNTRACED: return STYLE_DIM;
	case ROW_MARK: return STYLE_WARN;
	default: return STYLE_NORMAL;
	}
}

static void put_label(struct screen *s, size_t at, const struct timeline_layout *l, const struct timeline_rows *rows,
	const struct timeline_row *row)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	enum glyph fold = !row->can_unfold ? GLYPH_LEAF : row->unfolded ? GLYPH_UNFOLDED : GLYPH_FOLDED;
	size_t indent = row->depth * 2 < l->label / 2 ? row->depth * 2 : l->label / 2;

	if (row->critical && row->kind != ROW_ACTOR)
		screen_glyph(s, at, 0, STYLE_WARN, glyph(GLYPH_CRITICAL, s->utf8));
	if (row->kind == ROW_MARK)
		screen_glyph(s, at, 0, label_style(row), glyph(GLYPH_MARK, s->utf8));
	screen_glyph(s, at, 1 + indent, STYLE_DIM, glyph(fold, s->utf8));
	timeline_row_text(&text, rows, row, s->utf8);
	screen_put(s, at, 2 + indent, row->kind == ROW_MARK ? l->label + l->bars : l->label - indent,
		label_style(row), text.text ? text.text : "");
}

void timeline_put_row(struct screen *s, size_t at, const struct timeline_layout *l, const struct timeline_rows *rows,
	const struct timeline_row *row)
{
	_cleanup_(strbuf_free) struct strbuf duration = { 0 };
	_cleanup_(strbuf_free) struct strbuf tail = { 0 };
	size_t column = 2 + l->label + 1;
	char text[FORMAT_MAX];

	put_label(s, at, l, rows, row);
	put_bars(s, at, column, l, rows, row);
	column += l->bars + 1;
	if (row->kind == ROW_MARK)
		strbuf_printf(&duration, "@%s", compact_duration(text, row->start_ns - rows->c->first_ns, s->utf8));
	else if (row->kind != ROW_ACTOR || !rows->c->actors[row->index].is_shared)
		timeline_duration(&duration, row, true, s->utf8);
	screen_put_right(s, at, column, l->duration, STYLE_NORMAL, duration.text ? duration.text : "");
	column += l->duration + 1;
	if (l->last && l->other)
		put_comparison(s, at, column, l, rows, row);
	else if (l->last && row->kind != ROW_ACTOR)
		put_percent(s, at, column, l, row);
	if (!l->tail)
		return;
	timeline_row_more(&tail, rows, row, s->utf8);
	screen_put(s, at, column + l->last + 2, l->tail, row->failed ? STYLE_BAD : STYLE_DIM, tail.text ? tail.text : "");
}
