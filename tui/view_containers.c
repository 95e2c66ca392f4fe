/* SPDX-License-Identifier: Apache-2.0 */
/* The list of containers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/format.h"
#include "tui/terminal.h"
#include "tui/view.h"
#include "util/array.h"
#include "util/cleanup.h"

struct row {
	const struct model *m;
	const struct container *c;
	const struct resource *r; /* NULL = nothing is known */
	bool utf8;
};

enum column_id { COLUMN_NAME, COLUMN_STATE, COLUMN_AGE, COLUMN_STARTED, COLUMN_START, COLUMN_SLOWEST, COLUMN_CPU,
	COLUMN_THROTTLE, COLUMN_MEMORY, COLUMN_LIMIT, COLUMN_OOM, COLUMN_RESTARTS, COLUMN_PIDS, COLUMN_RUNTIME, COLUMN_IMAGE, COLUMN_COUNT };

struct column {
	const char *title;
	size_t width;
	bool right;
	/* The higher ones are left out first where the screen is narrow; 99 = not shown. In a recording nothing is
	 * known of what was used, but all of how the start went. */
	int live, recorded;
	void (*text)(const struct row *row, struct strbuf *sb, uint8_t *style);
	double (*value)(const struct row *row); /* sorts downwards; NULL = by text, upwards */
};

/* ---- what the columns say ---- */

static void name_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	(void)style;
	container_label(sb, row->c, row->utf8);
	if (row->c->is_sandbox)
		strbuf_puts(sb, " (pod)");
}

static void state_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	container_state_text(sb, row->c, style);
}

static double state_value(const struct row *row)
{
	static const double order[] = { [STATE_RUNNING] = 3, [STATE_PAUSED] = 2, [STATE_CREATED] = 1, [STATE_EXITED] = 0 };

	return order[row->c->state];
}

static void duration_or_dash(struct strbuf *sb, uint64_t ns, bool utf8)
{
	char text[FORMAT_MAX];

	strbuf_puts(sb, ns ? compact_duration(text, ns, utf8) : "-");
}

static void age_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	(void)style;
	duration_or_dash(sb, container_age_ns(row->m, row->c), row->utf8);
}

static double age_value(const struct row *row)
{
	return (double)container_age_ns(row->m, row->c);
}

static void started_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	char text[FORMAT_MAX];

	(void)style;
	strbuf_puts(sb, clock_text(text, row->m, container_born_ns(row->c), false));
}

static double started_value(const struct row *row)
{
	return (double)container_born_ns(row->c);
}

static void start_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	(void)style;
	duration_or_dash(sb, container_start_ns(row->c), row->utf8);
}

static double start_value(const struct row *row)
{
	return (double)container_start_ns(row->c);
}

static void slowest_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	const struct phase_span *p = container_start_ns(row->c) ? container_slowest(row->c) : NULL;
	char text[FORMAT_MAX];

	(void)style;
	if (p)
		strbuf_printf(sb, "%s %s%s", phase_name(p->phase), phase_is_inferred(p) ? "~" : "", compact_duration(text,
			container_end_of(row->c, p->end_ns, p->end_edge) - p->start_ns, row->utf8));
	else
		strbuf_putc(sb, '-');
}

static double slowest_value(const struct row *row)
{
	const struct phase_span *p = container_start_ns(row->c) ? container_slowest(row->c) : NULL;

	return p ? (double)(container_end_of(row->c, p->end_ns, p->end_edge) - p->start_ns) : 0;
}

static void percent_text(struct strbuf *sb, float percent)
{
	if (percent < 0)
		strbuf_putc(sb, '-');
	else
		strbuf_printf(sb, percent < 99.95F ? "%.1f" : "%.0f", (double)percent);
}

static bool is_running(const struct row *row)
{
	return row->r && row->c->state != STATE_EXITED;
}

static void cpu_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	(void)style;
	percent_text(sb, is_running(row) ? row->r->cpu : RESOURCE_UNKNOWN);
}

static double cpu_value(const struct row *row)
{
	return is_running(row) ? (double)row->r->cpu : -1;
}

static void throttle_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	float percent = is_running(row) ? row->r->throttle : RESOURCE_UNKNOWN;

	if (percent < 0)
		strbuf_putc(sb, '-');
	else
		strbuf_printf(sb, "%.0f", (double)percent);
	if (percent >= 1)
		*style = percent >= 25 ? STYLE_BAD : STYLE_WARN;
}

static double throttle_value(const struct row *row)
{
	return is_running(row) ? (double)row->r->throttle : -1;
}

/* The limit that binds, a parent's if that is the one. */
static int64_t memory_limit(const struct row *row, int64_t *ret_usage)
{
	const struct resource_level *l = row->r ? resource_binding(row->r, RESOURCE_MEMORY) : NULL;

	*ret_usage = row->r ? row->r->stats.memory_usage : -1;
	return l ? l->limit : container_memory_limit(row->c);
}

static double memory_part(const struct row *row)
{
	const struct resource_level *l = row->r ? resource_binding(row->r, RESOURCE_MEMORY) : NULL;

	return l && l->limit > 0 ? (double)l->usage / (double)l->limit : 0;
}

static void memory_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	char text[FORMAT_MAX];
	int64_t usage, limit = memory_limit(row, &usage);
	double part = memory_part(row);

	strbuf_printf(sb, "%s/", compact_bytes(text, usage));
	strbuf_puts(sb, limit < 0 && row->r ? "max" : compact_bytes(text, limit));
	if (part >= 0.9)
		*style = part >= 0.97 ? STYLE_BAD : STYLE_WARN;
}

static double memory_value(const struct row *row)
{
	return row->r ? (double)row->r->stats.memory_usage : (double)container_memory_limit(row->c);
}

static void limit_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	char text[FORMAT_MAX];

	(void)style;
	strbuf_puts(sb, compact_bytes(text, container_memory_limit(row->c)));
}

static double limit_value(const struct row *row)
{
	return (double)container_memory_limit(row->c);
}

static void count_text(struct strbuf *sb, int64_t count)
{
	if (count < 0)
		strbuf_putc(sb, '-');
	else
		strbuf_printf(sb, "%" PRId64, count);
}

static int64_t oom_count(const struct row *row)
{
	return container_oom_kills(row->c, row->r);
}

static void oom_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	count_text(sb, oom_count(row));
	if (oom_count(row) > 0)
		*style = STYLE_BAD;
}

static double oom_value(const struct row *row)
{
	return (double)oom_count(row);
}

static void restarts_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	count_text(sb, row->c->generation);
	if (row->c->generation)
		*style = STYLE_WARN;
}

static double restarts_value(const struct row *row)
{
	return row->c->generation;
}

static void pids_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	(void)style;
	count_text(sb, is_running(row) && row->r->stats.pids >= 0 ? row->r->stats.pids : -1);
}

static double pids_value(const struct row *row)
{
	return is_running(row) ? (double)row->r->stats.pids : -1;
}

static void word_text(struct strbuf *sb, const char *word, bool utf8)
{
	if (word && *word)
		format_text(sb, word, strnlen(word, 200), utf8);
	else
		strbuf_putc(sb, '-');
}

static void runtime_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	(void)style;
	word_text(sb, row->c->runtime, row->utf8);
}

static void image_text(const struct row *row, struct strbuf *sb, uint8_t *style)
{
	(void)style;
	word_text(sb, row->c->image, row->utf8);
}

/* In the order of the screen. Name and image share what room is left. */
static const struct column columns[COLUMN_COUNT] = {
	[COLUMN_NAME] = { "NAME", 12, false, 0, 0, name_text, NULL },
	[COLUMN_STATE] = { "STATE", 8, false, 1, 1, state_text, state_value },
	[COLUMN_AGE] = { "AGE", 6, true, 6, 6, age_text, age_value },
	[COLUMN_STARTED] = { "SINCE", 8, true, 13, 10, started_text, started_value },
	[COLUMN_START] = { "START", 6, true, 4, 2, start_text, start_value },
	[COLUMN_SLOWEST] = { "SLOWEST PHASE", 18, false, 11, 3, slowest_text, slowest_value },
	[COLUMN_CPU] = { "CPU%", 5, true, 2, 99, cpu_text, cpu_value },
	[COLUMN_THROTTLE] = { "THR%", 4, true, 7, 99, throttle_text, throttle_value },
	[COLUMN_MEMORY] = { "MEM/LIMIT", 11, true, 3, 99, memory_text, memory_value },
	[COLUMN_LIMIT] = { "LIMIT", 6, true, 99, 5, limit_text, limit_value },
	[COLUMN_OOM] = { "OOM", 3, true, 5, 4, oom_text, oom_value },
	[COLUMN_RESTARTS] = { "RST", 3, true, 8, 8, restarts_text, restarts_value },
	[COLUMN_PIDS] = { "PIDS", 5, true, 12, 99, pids_text, pids_value },
	[COLUMN_RUNTIME] = { "RUNTIME", 7, false, 10, 9, runtime_text, NULL },
	[COLUMN_IMAGE] = { "IMAGE", 7, false, 9, 7, image_text, NULL },
};

size_t containers_column_count(void)
{
	return COLUMN_COUNT;
}

size_t containers_column(const char *title)
{
	size_t i = 0;

	while (i < COLUMN_COUNT && strcasecmp(columns[i].title, title) != 0)
		i++;
	return i;
}

const char *containers_column_title(size_t column)
{
	return columns[column].title;
}

/* ---- which, and in which order ---- */

/* Of several starts of one id the newest stands for it. */
static bool is_newest(const struct container *c, const struct map *newest)
{
	return map_get(newest, c->id, strlen(c->id)) == c;
}

static struct row make_row(const struct ui *ui, const struct model *m, const struct container *c)
{
	return (struct row){ m, c, resources_get(m->resources, c), ui->utf8 };
}

struct order {
	const struct column *column;
	bool reverse;
};

struct sortable {
	struct row row;
	double value;
	char *text;
	uint64_t born;
	size_t index;
};

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct sortable *a = x, *b = y;
	const struct order *order = arg;
	int by = order->column->value ? (a->value < b->value) - (a->value > b->value) : strcasecmp(a->text, b->text);

	if (order->reverse)
		by = -by;
	/* among equals the newest first, always in the same order */
	if (!by)
		by = (a->born < b->born) - (a->born > b->born);
	return by ? by : (a->index < b->index) - (a->index > b->index);
}

static struct sortable *collect(struct ui *ui, struct model *m, size_t *ret_count)
{
	const struct column *by = &columns[ui->containers.sort];
	size_t total = timeline_count(m->timeline), count = 0;
	struct sortable *rows = xcalloc(total + 1, sizeof(*rows));
	struct map newest = { 0 };

	for (size_t i = 0; i < total; i++) {
		const struct container *c = timeline_get(m->timeline, i);

		if (*c->id)
			map_put(&newest, c->id, strlen(c->id), (void *)(uintptr_t)c);
	}
	for (size_t i = 0; i < total; i++) {
		const struct container *c = timeline_get(m->timeline, i);
		struct sortable *s = &rows[count];

		if ((*c->id && !is_newest(c, &newest)) || !ui_passes_filter(ui, c) ||
			(!ui->all && !model_was_shown(m, c)))
			continue;
		*s = (struct sortable){ .row = make_row(ui, m, c), .born = container_born_ns(c), .index = i };
		if (by->value) {
			s->value = by->value(&s->row);
		} else {
			struct strbuf sb = { 0 };
			uint8_t style;

			by->text(&s->row, &sb, &style);
			s->text = strbuf_steal(&sb);
		}
		count++;
	}
	map_free(&newest);
	*ret_count = count;
	return rows;
}

struct container_rows containers_rows(struct ui *ui, struct model *m)
{
	struct order order = { &columns[ui->containers.sort], ui->containers.reverse };
	struct container_rows rows = { 0 };
	struct sortable *sorted = collect(ui, m, &rows.count);

	qsort_r(sorted, rows.count, sizeof(*sorted), compare_rows, &order);
	rows.items = xcalloc(rows.count + 1, sizeof(*rows.items));
	for (size_t i = 0; i < rows.count; i++) {
		rows.items[i] = sorted[i].row.c;
		free(sorted[i].text);
	}
	free(sorted);
	return rows;
}

/* ---- drawing ---- */

enum { NAME_MORE = 10 };

struct layout {
	bool shown[COLUMN_COUNT];
	size_t width[COLUMN_COUNT];
};

static int priority(const struct column *c, const struct model *m)
{
	return m->playback.is_recording ? c->recorded : c->live;
}

static size_t layout_width(const struct layout *l)
{
	size_t width = 0;

	for (size_t i = 0; i < COLUMN_COUNT; i++)
		width += l->shown[i] ? l->width[i] + (width > 0) : 0;
	return width;
}

/* Leaves out the least important columns until the others fit; what is left goes to the texts. */
static void make_layout(struct layout *l, const struct model *m, size_t room)
{
	size_t rest;

	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		l->shown[i] = priority(&columns[i], m) < 99;
		l->width[i] = columns[i].width;
	}
	while (layout_width(l) > room) {
		size_t least = 0;

		for (size_t i = 1; i < COLUMN_COUNT; i++) {
			if (l->shown[i] && (!l->shown[least] || priority(&columns[i], m) > priority(&columns[least], m)))
				least = i;
		}
		if (least == 0)
			break;
		l->shown[least] = false;
	}
	rest = room > layout_width(l) ? room - layout_width(l) : 0;
	/* names first, until most of them fit */
	l->width[COLUMN_NAME] += rest < NAME_MORE || !l->shown[COLUMN_IMAGE] ? rest : NAME_MORE + (rest - NAME_MORE) / 3;
	if (l->shown[COLUMN_IMAGE] && rest > NAME_MORE)
		l->width[COLUMN_IMAGE] += rest - NAME_MORE - (rest - NAME_MORE) / 3;
}

static void put_head(const struct ui *ui, struct screen *s, size_t row, const struct layout *l)
{
	size_t at = 0;

	screen_restyle(s, row, 0, s->columns, STYLE_HEAD);
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		bool sorts = i == ui->containers.sort;
		bool down = (columns[i].value != NULL) != ui->containers.reverse;
		_cleanup_free_ char *title = NULL;

		if (!l->shown[i])
			continue;
		title = xasprintf("%s%s", columns[i].title, !sorts ? "" : glyph(down ? GLYPH_DOWN : GLYPH_UP, s->utf8));
		if (columns[i].right)
			screen_put_right(s, row, at, l->width[i], STYLE_HEAD, title);
		else
			screen_put(s, row, at, l->width[i], STYLE_HEAD, title);
		/* a title that its arrow makes too long takes the gap behind or before it */
		if (sorts && format_width(title) > l->width[i])
			screen_put(s, row, columns[i].right ? at - 1 : at, l->width[i] + 1, STYLE_HEAD, title);
		at += l->width[i] + 1;
	}
}

static void put_row(struct screen *s, size_t at_row, const struct layout *l, const struct row *row, size_t scroll)
{
	size_t at = 0;

	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		_cleanup_(strbuf_free) struct strbuf text = { 0 };
		uint8_t style = row->c->state == STATE_EXITED ? STYLE_DIM : STYLE_NORMAL;
		const char *shown;

		if (!l->shown[i])
			continue;
		columns[i].text(row, &text, &style);
		shown = text.text ? text.text : "";
		for (size_t k = 0; k < scroll && *shown && !columns[i].right && i != COLUMN_STATE; k++) {
			size_t n = utf8_sequence(shown, strlen(shown));

			shown += n ? n : 1;
		}
		if (columns[i].right)
			screen_put_right(s, at_row, at, l->width[i], style, shown);
		else if (i == COLUMN_NAME)
			screen_put_middle(s, at_row, at, l->width[i], style, shown);
		else
			screen_put(s, at_row, at, l->width[i], style, shown);
		at += l->width[i] + 1;
	}
}

/* The cursor stays on the container that was chosen, wherever the order puts it. */
static void find_chosen(struct ui *ui, const struct container_rows *rows)
{
	for (size_t i = 0; ui->chosen && i < rows->count; i++) {
		if (!strcmp(rows->items[i]->id, ui->chosen))
			ui->containers.list.cursor = i;
	}
}

const char *containers_why_none(const struct ui *ui, const struct model *m)
{
	if (ui->filter[0] && timeline_count(m->timeline))
		return "no container passes the filter; Esc clears it";
	if (m->only_followed && !ui->all && timeline_count(m->timeline))
		return "the recorded command caused no container; a shows the others";
	if (m->playback.is_recording)
		return "no container was seen until this time";
	return "no containers yet: start one, with any engine, and it appears here";
}

static void draw(struct ui *ui, struct model *m, struct screen *s, struct area area)
{
	struct container_rows rows = containers_rows(ui, m);
	struct list *list = &ui->containers.list;
	struct layout layout;

	find_chosen(ui, &rows);
	list_clamp(list, rows.count, area.rows > 1 ? area.rows - 1 : 0);
	list->origin = area.top + 1;
	make_layout(&layout, m, s->columns);
	put_head(ui, s, area.top, &layout);
	for (size_t i = 0; i < list->page && list->top + i < rows.count; i++) {
		struct row row = make_row(ui, m, rows.items[list->top + i]);

		put_row(s, area.top + 1 + i, &layout, &row, ui->containers.scroll);
		if (list->top + i == list->cursor)
			screen_restyle(s, area.top + 1 + i, 0, s->columns, STYLE_SELECTED);
	}
	if (!rows.count)
		wrap_put(s, area.top + 2, 2, s->columns > 4 ? s->columns - 4 : 1, 3, STYLE_DIM,
			containers_why_none(ui, m));
	free(rows.items);
}

static size_t height(struct ui *ui, struct model *m, size_t width)
{
	struct container_rows rows = containers_rows(ui, m);

	(void)width;
	free(rows.items);
	return rows.count + 1 > 4 ? rows.count + 1 : 4;
}

/* ---- keys ---- */

static void choose_row(struct ui *ui, const struct container_rows *rows)
{
	if (ui->containers.list.cursor < rows->count)
		ui_choose(ui, rows->items[ui->containers.list.cursor]);
}

void containers_step(struct ui *ui, struct model *m, int direction)
{
	struct container_rows rows = containers_rows(ui, m);

	find_chosen(ui, &rows);
	list_act(&ui->containers.list, rows.count, direction > 0 ? ACT_DOWN : ACT_UP);
	choose_row(ui, &rows);
	free(rows.items);
}

static bool move_cursor(struct ui *ui, struct model *m, enum action action)
{
	struct container_rows rows = containers_rows(ui, m);
	bool moved;

	find_chosen(ui, &rows);
	moved = list_act(&ui->containers.list, rows.count, action);
	if (moved)
		choose_row(ui, &rows);
	free(rows.items);
	return moved;
}

static bool act(struct ui *ui, struct model *m, enum action action)
{
	struct containers_state *state = &ui->containers;

	switch (action) {
	case ACT_LEFT: state->scroll -= state->scroll > 8 ? 8 : state->scroll; return true;
	case ACT_RIGHT: state->scroll += state->scroll < 1000 ? 8 : 0; return true;
	case ACT_SHOW_ALL: ui->all = !ui->all; return true;
	case ACT_REVERSE: state->reverse = !state->reverse; return true;
	case ACT_SORT:
		ui->sort_menu = true;
		ui->menu = (struct list){ .cursor = state->sort };
		return true;
	case ACT_DETAILS:
		if (ui_container(ui, m)) {
			ui_choose(ui, ui_container(ui, m));
			ui_set_view(ui, VIEW_TIMELINE);
		}
		return true;
	default: return move_cursor(ui, m, action);
	}
}

static bool row_has(const struct ui *ui, const struct model *m, const struct container *c, const char *text)
{
	struct row row = make_row(ui, m, c);

	if (text_has(c->id, text))
		return true;
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		_cleanup_(strbuf_free) struct strbuf sb = { 0 };
		uint8_t style;

		columns[i].text(&row, &sb, &style);
		if (text_has(sb.text, text))
			return true;
	}
	return false;
}

static bool find(struct ui *ui, struct model *m, const char *text, int direction)
{
	struct container_rows rows = containers_rows(ui, m);
	bool found = false;

	find_chosen(ui, &rows);
	for (size_t n = 1; n <= rows.count && !found; n++) {
		size_t step = direction > 0 ? n : rows.count - n;
		size_t i = (ui->containers.list.cursor + step) % rows.count;

		found = row_has(ui, m, rows.items[i], text);
		if (found)
			ui_choose(ui, rows.items[i]);
	}
	free(rows.items);
	return found;
}

static void click(struct ui *ui, struct model *m, size_t row, bool twice)
{
	struct container_rows rows = containers_rows(ui, m);
	size_t index = list_at(&ui->containers.list, rows.count, row);

	if (index != SIZE_MAX)
		ui_choose(ui, rows.items[index]);
	free(rows.items);
	if (row + 1 == ui->containers.list.origin) /* the titles */
		act(ui, m, ACT_SORT);
	else if (twice && index != SIZE_MAX)
		act(ui, m, ACT_DETAILS);
}

const struct view_operations containers_view = { draw, height, act, find, click };
