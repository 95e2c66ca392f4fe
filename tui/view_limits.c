/* SPDX-License-Identifier: Apache-2.0 */
/* What containers use of what they may use: above, those that are nearest to a limit; below, the chosen one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/format.h"
#include "exporters/waterfall_text.h"
#include "tui/terminal.h"
#include "tui/view.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { LABEL = 8, GAUGE = 20, MARKS_SHOWN = 50 };

/* Parts of limits, 0..1 and above; -1 = no limit, or nothing is known. */
struct tightness {
	const struct container *c;
	double parts[RESOURCE_KINDS], most;
	size_t index;
};

/* Its own, where nothing tells what binds. */
static int64_t own_limit(const struct container *c, const struct resource *r, enum resource_kind kind)
{
	double cpus;

	if (r && r->level_counts[kind] && r->levels[kind][0].limit >= 0)
		return r->levels[kind][0].limit;
	switch (kind) {
	case RESOURCE_MEMORY:
		return container_memory_limit(c);
	case RESOURCE_CPU:
		cpus = container_cpu_limit(c);
		return cpus > 0 ? (int64_t)(cpus * 1000) : -1;
	default:
		return container_pids_limit(c);
	}
}

/* Of one that has ended only its memory is told: what it had when it was last looked at. */
static const struct resource_level *binding(const struct container *c, const struct resource *r, enum resource_kind kind)
{
	bool told = r && (kind == RESOURCE_MEMORY || c->state != STATE_EXITED);

	return told ? resource_binding(r, kind) : NULL;
}

static double part_of(const struct resource_level *l)
{
	return l && l->limit > 0 ? (double)l->usage / (double)l->limit : -1;
}

static struct tightness tightness_of(const struct model *m, const struct container *c, size_t index)
{
	const struct resource *r = resources_get(m->resources, c);
	struct tightness t = { .c = c, .most = -1, .index = index };

	for (size_t kind = 0; kind < RESOURCE_KINDS; kind++) {
		t.parts[kind] = part_of(binding(c, r, (enum resource_kind)kind));
		t.most = t.parts[kind] > t.most ? t.parts[kind] : t.most;
	}
	return t;
}

static int compare_tightness(const void *x, const void *y)
{
	const struct tightness *a = x, *b = y;

	if (a->most != b->most)
		return a->most > b->most ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* The nearest to a limit first. */
static struct tightness *collect(struct ui *ui, struct model *m, size_t *ret_count)
{
	struct container_rows rows = containers_rows(ui, m);
	struct tightness *all = xcalloc(rows.count + 1, sizeof(*all));

	for (size_t i = 0; i < rows.count; i++)
		all[i] = tightness_of(m, rows.items[i], i);
	qsort(all, rows.count, sizeof(*all), compare_tightness);
	*ret_count = rows.count;
	free(rows.items);
	return all;
}

static void find_chosen(struct ui *ui, const struct container *chosen, const struct tightness *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (all[i].c == chosen)
			ui->limits.cursor = i;
	}
}

/* ---- the list ---- */

static uint8_t part_style(double part)
{
	return part >= 0.97 ? STYLE_BAD : part >= 0.8 ? STYLE_WARN : STYLE_GOOD;
}

static void put_part(struct screen *s, size_t row, size_t column, double part)
{
	char text[16];

	snprintf(text, sizeof(text), part < 0 ? "-" : "%.0f%%", part * 100);
	screen_put_right(s, row, column, 5, part < 0 ? STYLE_DIM : part_style(part), text);
}

static void put_tightness(struct screen *s, size_t row, const struct tightness *t)
{
	_cleanup_(strbuf_free) struct strbuf name = { 0 };
	size_t wide = s->columns >= 60 ? s->columns / 3 : 12, at = wide + 1;

	container_label(&name, t->c, s->utf8);
	screen_put(s, row, 0, wide, t->c->state == STATE_EXITED ? STYLE_DIM : STYLE_NORMAL, name.text);
	for (size_t kind = 0; kind < RESOURCE_KINDS; kind++)
		put_part(s, row, at + kind * 7, t->parts[kind]);
	if (s->columns > at + 22 && t->most >= 0)
		gauge_put(s, row, at + 21, s->columns - at - 22 > 30 ? 30 : s->columns - at - 22, part_style(t->most),
			t->most);
}

static void draw_list(struct ui *ui, struct screen *s, struct area area, const struct tightness *all, size_t count)
{
	size_t wide = s->columns >= 60 ? s->columns / 3 : 12, at = wide + 1;
	struct list *l = &ui->limits;

	list_clamp(l, count, area.rows - 1);
	l->origin = area.top + 1;
	screen_restyle(s, area.top, 0, s->columns, STYLE_HEAD);
	screen_put(s, area.top, 0, wide, STYLE_HEAD, "NEAREST TO A LIMIT");
	screen_put_right(s, area.top, at, 5, STYLE_HEAD, "MEM");
	screen_put_right(s, area.top, at + 7, 5, STYLE_HEAD, "CPU");
	screen_put_right(s, area.top, at + 14, 5, STYLE_HEAD, "PIDS");
	for (size_t i = 0; i < l->page && l->top + i < count; i++) {
		put_tightness(s, area.top + 1 + i, &all[l->top + i]);
		if (l->top + i == l->cursor)
			screen_restyle(s, area.top + 1 + i, 0, s->columns, STYLE_SELECTED);
	}
}

/* ---- the chosen one ---- */

/* Draws downwards and stops at its end. */
struct pen {
	struct model *m;
	struct screen *s;
	size_t row, end;
	const struct container *c;
	const struct resource *r; /* NULL = nothing is known */
};

static bool has_room(const struct pen *p)
{
	return p->row < p->end;
}

static void put_use(struct pen *p, const char *name, const char *use, const char *limit, double part, const char *more)
{
	size_t at = LABEL;

	if (!has_room(p))
		return;
	screen_put(p->s, p->row, 0, LABEL - 1, STYLE_BOLD, name);
	at += screen_printf(p->s, p->row, at, STYLE_NORMAL, "%s of %s ", use, limit);
	at = at < LABEL + 18 ? LABEL + 18 : at;
	if (part >= 0 && p->s->columns > at + GAUGE + 6) {
		gauge_put(p->s, p->row, at, GAUGE, part_style(part), part);
		at += GAUGE + 1;
	}
	if (part >= 0)
		at += screen_printf(p->s, p->row, at, part_style(part), "%3.0f%% ", part * 100);
	if (at < p->s->columns)
		screen_put(p->s, p->row, at, p->s->columns - at, STYLE_DIM, more);
	p->row++;
}

/* Marks of a kind over the history's columns. */
static void put_history_marks(const struct pen *p, size_t width)
{
	for (size_t i = 0; i < p->c->mark_count; i++) {
		const struct mark *mark = &p->c->marks[i];

		for (size_t back = 0; back < width; back++) {
			const struct resource_point *point = resource_point(p->r, back), *older = resource_point(p->r, back + 1);

			if (!point || !older || mark->at_ns <= older->at_ns || mark->at_ns > point->at_ns)
				continue;
			if (text_mark_is_bad(mark) || mark->kind == MARK_LIMIT_CHANGE || mark->kind == MARK_THROTTLE)
				screen_glyph(p->s, p->row, LABEL + width - 1 - back,
					text_mark_is_bad(mark) ? STYLE_BAD : STYLE_WARN, glyph(GLYPH_MARK, p->s->utf8));
		}
	}
}

enum history { HISTORY_MEMORY, HISTORY_CPU };

static void put_history(struct pen *p, enum history what, double most)
{
	double values[RESOURCE_HISTORY];
	size_t width = p->s->columns > LABEL + 1 ? p->s->columns - LABEL - 1 : 0, n;

	if (!p->r || p->r->points < 2 || !has_room(p))
		return;
	width = width < RESOURCE_HISTORY ? width : RESOURCE_HISTORY;
	n = p->r->points < width ? p->r->points : width;
	for (size_t i = 0; i < n; i++) {
		const struct resource_point *point = resource_point(p->r, n - 1 - i);

		values[i] = what == HISTORY_MEMORY ? (double)point->memory : (double)point->cpu;
		most = values[i] > most ? values[i] : most;
	}
	spark_put(p->s, p->row, LABEL, width, STYLE_GOOD, values, n, most);
	if (what == HISTORY_MEMORY)
		put_history_marks(p, width);
	p->row++;
}

/* As the list of containers writes them; "-" = unknown. */
static const char *amount_text(char *buffer, enum resource_kind kind, int64_t value)
{
	if (kind == RESOURCE_MEMORY)
		return compact_bytes(buffer, value);
	if (value < 0)
		strcpy(buffer, "-");
	else if (kind == RESOURCE_CPU)
		snprintf(buffer, FORMAT_MAX, value % 10 ? "%.1f%%" : "%.0f%%", (double)value / 10);
	else
		snprintf(buffer, FORMAT_MAX, "%" PRId64, value);
	return buffer;
}

static void level_line(struct pen *p, enum resource_kind kind, const struct resource_level *l, bool binds)
{
	_cleanup_(strbuf_free) struct strbuf path = { 0 };
	char use[FORMAT_MAX], limit[FORMAT_MAX];

	if (!has_room(p))
		return;
	text_quote(&path, l->path, p->s->utf8);
	screen_printf(p->s, p->row, LABEL, binds ? STYLE_BOLD : STYLE_DIM, "%6s of %-6s %s %s", amount_text(use, kind, l->usage),
		l->limit == -1 ? "max" : amount_text(limit, kind, l->limit), binds ? "BINDS" : "     ", path.text);
	p->row++;
}

/* use: its own; the part is that of the limit that binds, which may be another group's. */
static void put_kind(struct pen *p, enum resource_kind kind, const char *name, int64_t use, const char *more)
{
	const struct resource_level *binds = binding(p->c, p->r, kind);
	int64_t limit = binds ? binds->limit : own_limit(p->c, p->r, kind);
	char a[FORMAT_MAX], b[FORMAT_MAX];

	put_use(p, name, amount_text(a, kind, use), limit < 0 && p->r ? "max" : amount_text(b, kind, limit), part_of(binds), more);
}

static void put_memory(struct pen *p)
{
	const struct resource_level *binds = binding(p->c, p->r, RESOURCE_MEMORY);
	_cleanup_(strbuf_free) struct strbuf more = { 0 };
	char text[FORMAT_MAX];

	if (p->r)
		strbuf_printf(&more, "peak %s, hit %" PRId64 "%s, OOM %" PRId64, compact_bytes(text, p->r->stats.memory_peak),
			p->r->stats.memory_reclaims < 0 ? 0 : p->r->stats.memory_reclaims, glyph(GLYPH_TIMES, p->s->utf8),
			container_oom_kills(p->c, p->r));
	put_kind(p, RESOURCE_MEMORY, "memory", p->r ? p->r->stats.memory_usage : -1, more.text ? more.text : "");
	put_history(p, HISTORY_MEMORY, (double)(binds ? binds->limit : own_limit(p->c, p->r, RESOURCE_MEMORY)));
	for (size_t i = 0; p->r && i < p->r->level_counts[RESOURCE_MEMORY]; i++)
		level_line(p, RESOURCE_MEMORY, &p->r->levels[RESOURCE_MEMORY][i], binds == &p->r->levels[RESOURCE_MEMORY][i]);
	if (p->r && p->r->levels_cut && has_room(p))
		screen_printf(p->s, p->row++, LABEL, STYLE_WARN, "%zu more above them, whose limits are not looked at",
			p->r->levels_cut);
}

/* A parent's limit, where that is the one that binds. */
static void put_parent(struct pen *p, enum resource_kind kind)
{
	const struct resource_level *binds = binding(p->c, p->r, kind);

	if (binds && binds != &p->r->levels[kind][0])
		level_line(p, kind, binds, true);
}

static void put_cpu(struct pen *p)
{
	const struct resource_level *binds = binding(p->c, p->r, RESOURCE_CPU);
	bool lives = p->r && p->c->state != STATE_EXITED;
	_cleanup_(strbuf_free) struct strbuf more = { 0 };
	char text[FORMAT_MAX];

	if (p->r && p->r->throttle >= 0)
		strbuf_printf(&more, "throttled %.0f%% of periods", (double)p->r->throttle);
	if (p->r && p->r->stats.cpu_throttled_ns > 0)
		strbuf_printf(&more, "%s%s in all", more.length ? ", " : "throttled ",
			format_duration(text, (uint64_t)p->r->stats.cpu_throttled_ns, p->s->utf8));
	put_kind(p, RESOURCE_CPU, "cpu", lives && p->r->cpu >= 0 ? (int64_t)((double)p->r->cpu * 10 + 0.5) : -1,
		more.text ? more.text : "");
	put_history(p, HISTORY_CPU, binds ? (double)binds->limit / 10 : 1);
	put_parent(p, RESOURCE_CPU);
}

static void put_pids(struct pen *p)
{
	bool lives = p->r && p->c->state != STATE_EXITED;

	put_kind(p, RESOURCE_PIDS, "pids", lives ? p->r->stats.pids : -1, "");
	put_parent(p, RESOURCE_PIDS);
}

static void put_io(struct pen *p)
{
	char a[FORMAT_MAX], b[FORMAT_MAX];

	if (!p->r || p->r->stats.io_read_bytes < 0 || !has_room(p))
		return;
	screen_put(p->s, p->row, 0, LABEL - 1, STYLE_BOLD, "io");
	screen_printf(p->s, p->row++, LABEL, STYLE_NORMAL, "read %s, written %s",
		compact_bytes(a, p->r->stats.io_read_bytes), compact_bytes(b, p->r->stats.io_write_bytes));
}

static void put_given(struct pen *p)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	text_limits(&text, p->c, p->s->utf8);
	if (!has_room(p))
		return;
	screen_put(p->s, p->row, 0, LABEL - 1, STYLE_BOLD, "given");
	p->row += wrap_put(p->s, p->row, LABEL, p->s->columns > LABEL ? p->s->columns - LABEL : 1,
		p->end - p->row < 3 ? p->end - p->row : 3, STYLE_NORMAL, text.length ? text.text : p->c->existed ?
		"not seen (set before tracing began)" : "no limit was written");
}

static void put_marks(struct pen *p)
{
	for (size_t i = p->c->mark_count, n = 0; i-- > 0 && n < MARKS_SHOWN && has_room(p);) {
		const struct mark *mark = &p->c->marks[i];
		_cleanup_(strbuf_free) struct strbuf text = { 0 };
		char at[FORMAT_MAX];

		if (mark->kind == MARK_STAGE || mark->kind == MARK_STARTED || mark->kind == MARK_EXEC_EXIT)
			continue;
		text_mark(&text, mark, p->s->utf8);
		screen_put(p->s, p->row, 0, LABEL - 1, STYLE_BOLD, n ? "" : "marks");
		screen_printf(p->s, p->row++, LABEL, text_mark_is_bad(mark) ? STYLE_BAD : STYLE_WARN, "%s %s",
			clock_text(at, p->m, mark->at_ns, false), text.text);
		n++;
	}
}

static void draw_chosen(struct model *m, struct screen *s, struct area area, const struct container *c)
{
	struct pen p = { m, s, area.top, area.top + area.rows, c, resources_get(m->resources, c) };
	_cleanup_(strbuf_free) struct strbuf title = { 0 };
	uint8_t style = STYLE_BOLD;

	for (size_t i = 0; i < s->columns; i++)
		screen_glyph(s, p.row, i, STYLE_DIM, glyph(GLYPH_RULE, s->utf8));
	strbuf_puts(&title, " ");
	container_label(&title, c, s->utf8);
	strbuf_puts(&title, "  ");
	container_state_text(&title, c, &style);
	strbuf_puts(&title, " ");
	screen_put(s, p.row++, 2, s->columns - 2, STYLE_BOLD, title.text);
	put_memory(&p);
	put_cpu(&p);
	put_pids(&p);
	put_io(&p);
	put_given(&p);
	put_marks(&p);
	if (!p.r && has_room(&p))
		screen_put(s, p.row, LABEL, s->columns - LABEL, STYLE_DIM, m->playback.is_recording ?
			"a recording has no figures of use, only limits and marks" : "nothing was read of it yet");
	else if (p.r && c->state == STATE_EXITED && has_room(&p))
		screen_put(s, p.row, LABEL, s->columns - LABEL, STYLE_DIM, "it has ended: the last known figures");
}

static void draw(struct ui *ui, struct model *m, struct screen *s, struct area area)
{
	const struct container *c = ui_container(ui, m);
	size_t count, above;
	_cleanup_free_ struct tightness *all = collect(ui, m, &count);

	if (!c) {
		wrap_put(s, area.top + 1, 2, s->columns > 4 ? s->columns - 4 : 1, 3, STYLE_DIM, containers_why_none(ui, m));
		return;
	}
	find_chosen(ui, c, all, count);
	above = area.rows / 3 < count + 1 ? area.rows / 3 : count + 1;
	if (above < 2)
		above = 0;
	else
		draw_list(ui, s, (struct area){ area.top, above }, all, count);
	draw_chosen(m, s, (struct area){ area.top + above, area.rows - above }, c);
}

static size_t height(struct ui *ui, struct model *m, size_t columns)
{
	struct container_rows rows = containers_rows(ui, m);
	size_t count = rows.count;

	(void)columns;
	free(rows.items);
	return count * 3 + 3 > 40 ? count * 3 + 3 : 40; /* a third is the list's */
}

static bool act(struct ui *ui, struct model *m, enum action action)
{
	const struct container *c = ui_container(ui, m);
	size_t count;
	_cleanup_free_ struct tightness *all = collect(ui, m, &count);

	if (action == ACT_DETAILS && c) {
		ui_choose(ui, c);
		ui_set_view(ui, VIEW_TIMELINE);
		return true;
	}
	if (action == ACT_NEXT_CONTAINER)
		action = ACT_DOWN;
	if (action == ACT_PREVIOUS_CONTAINER)
		action = ACT_UP;
	find_chosen(ui, c, all, count);
	if (!list_act(&ui->limits, count, action))
		return false;
	if (ui->limits.cursor < count)
		ui_choose(ui, all[ui->limits.cursor].c);
	return true;
}

static void click(struct ui *ui, struct model *m, size_t row, bool twice)
{
	size_t count;
	_cleanup_free_ struct tightness *all = collect(ui, m, &count);
	size_t index = list_at(&ui->limits, count, row);

	if (index == SIZE_MAX)
		return;
	ui_choose(ui, all[index].c);
	if (twice)
		ui_set_view(ui, VIEW_TIMELINE);
}

static bool find(struct ui *ui, struct model *m, const char *text, int direction)
{
	return containers_view.find(ui, m, text, direction);
}

const struct view_operations limits_view = { draw, height, act, find, click };
