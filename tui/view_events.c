/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of events. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/format.h"
#include "exporters/json.h"
#include "tui/event_text.h"
#include "tui/terminal.h"
#include "tui/view.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { DETAIL_ROWS = 10 };

/* ---- which ---- */

static void show_entry(struct events_state *e, uint64_t number)
{
	array_grow(e->shown, e->shown_count, e->shown_capacity);
	e->shown[e->shown_count++] = number;
}

/* What has left the log leaves the list. */
static void drop_gone(struct events_state *e, const struct event_log *log)
{
	size_t gone = 0;

	while (gone < e->shown_count && e->shown[gone] < log->first)
		gone++;
	if (!gone)
		return;
	memmove(e->shown, e->shown + gone, (e->shown_count - gone) * sizeof(*e->shown));
	e->shown_count -= gone;
	e->list.top -= e->list.top > gone ? gone : e->list.top;
}

static bool passes(const struct ui *ui, struct model *m, const struct log_entry *entry)
{
	return entry->event->kind == EVENT_LOST || /* a loss belongs into every list */
	       ui_passes_event(ui, m, entry->event);
}

/* Asks about the entries that are new since the last time; about all of them when the filter is another. */
static void judge(struct ui *ui, struct model *m)
{
	struct events_state *e = &ui->events;
	const struct event_log *log = &m->log;

	/* a recording that was begun again has other numbers */
	if (e->filter_round != ui->filter_round || e->judged > log->next) {
		e->shown_count = 0;
		e->judged = 0;
		e->filter_round = ui->filter_round;
	}
	drop_gone(e, log);
	if (e->judged < log->first)
		e->judged = log->first;
	for (; e->judged < log->next; e->judged++) {
		if (passes(ui, m, event_log_get(log, e->judged)))
			show_entry(e, e->judged);
	}
}

/* The place of the cursor's entry, or of the first one behind it. */
static size_t place_of(const struct events_state *e, uint64_t number)
{
	size_t low = 0, high = e->shown_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->shown[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void place_cursor(struct ui *ui, struct model *m, size_t page)
{
	struct events_state *e = &ui->events;

	judge(ui, m);
	e->list.cursor = e->follow && e->shown_count ? e->shown_count - 1 : place_of(e, e->cursor);
	list_clamp(&e->list, e->shown_count, page);
	if (e->shown_count)
		e->cursor = e->shown[e->list.cursor];
}

static const struct log_entry *entry_at(const struct ui *ui, const struct model *m, size_t index)
{
	return index < ui->events.shown_count ? event_log_get(&m->log, ui->events.shown[index]) : NULL;
}

/* ---- drawing ---- */

struct layout {
	size_t time, kind, container, process;
};

static struct layout make_layout(size_t columns)
{
	if (columns >= 100)
		return (struct layout){ 12, 16, columns >= 140 ? 20 : 14, 22 };
	if (columns >= 70)
		return (struct layout){ 12, 12, 12, 14 };
	return (struct layout){ columns >= 60 ? 12 : 0, 12, columns >= 50 ? 10 : 0, 0 };
}

/* "1200 older forgotten, 4096 results lost"; nothing where nothing was. */
static void forgotten_text(struct strbuf *sb, const struct event_log *log)
{
	if (log->first)
		strbuf_printf(sb, "%" PRIu64 " older forgotten", log->first);
	if (log->ends_forgotten)
		strbuf_printf(sb, "%s%" PRIu64 " result%s lost", log->first ? ", " : "", log->ends_forgotten,
			log->ends_forgotten == 1 ? "" : "s");
}

static void put_head(struct screen *s, size_t row, const struct layout *l, const struct event_log *log)
{
	_cleanup_(strbuf_free) struct strbuf forgotten = { 0 };
	size_t at = 0;

	screen_restyle(s, row, 0, s->columns, STYLE_HEAD);
	if (l->time)
		at += screen_put(s, row, at, l->time, STYLE_HEAD, "TIME        ") + 1;
	screen_put(s, row, at, l->kind, STYLE_HEAD, "EVENT");
	at += l->kind + 1;
	if (l->container) {
		screen_put(s, row, at, l->container, STYLE_HEAD, "CONTAINER");
		at += l->container + 1;
	}
	if (l->process) {
		screen_put(s, row, at, l->process, STYLE_HEAD, "PROCESS");
		at += l->process + 1;
	}
	at += screen_put(s, row, at, s->columns, STYLE_HEAD, "WHAT") + 1;
	forgotten_text(&forgotten, log);
	if (forgotten.length && at < s->columns)
		screen_put_right(s, row, at, s->columns - at, STYLE_HEAD, forgotten.text);
}

static void process_text(struct strbuf *sb, const struct event *event, size_t room, bool utf8)
{
	char pid[16];
	size_t n = event->tgid ? (size_t)snprintf(pid, sizeof(pid), " %u", event->tgid) : 0;
	_cleanup_(strbuf_free) struct strbuf comm = { 0 };

	if (!event->tgid) { /* ctrace itself, or the kernel */
		strbuf_putc(sb, '-');
		return;
	}
	format_text(&comm, event->comm, strnlen(event->comm, sizeof(event->comm)), utf8);
	/* the pid must not be cut off */
	if (comm.length && format_width(comm.text) + n > room)
		format_fit(sb, comm.text, room > n ? room - n : 0, utf8);
	else
		strbuf_puts(sb, comm.text ? comm.text : "");
	strbuf_puts(sb, pid);
}

static void put_owner(struct screen *s, size_t row, size_t column, size_t room, struct model *m,
	const struct event *event)
{
	const struct container *c = model_owner(m, event);
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	if (c)
		container_label(&text, c, s->utf8);
	screen_put(s, row, column, room, c ? STYLE_NORMAL : STYLE_DIM, c ? text.text : "-");
}

static void put_entry(struct screen *s, size_t row, const struct layout *l, struct model *m,
	const struct log_entry *entry, size_t scroll)
{
	_cleanup_(strbuf_free) struct strbuf what = { 0 };
	_cleanup_(strbuf_free) struct strbuf who = { 0 };
	bool bad = event_is_bad(entry);
	uint8_t style = entry->event->kind == EVENT_LOST ? STYLE_BAD : bad ? STYLE_WARN : STYLE_NORMAL;
	char text[FORMAT_MAX];
	size_t at = 0;

	if (l->time) {
		screen_put(s, row, at, l->time, STYLE_DIM, clock_text(text, m, entry->event->time_ns, true));
		at += l->time + 1;
	}
	screen_put(s, row, at, l->kind, style, event_label(entry->event));
	at += l->kind + 1;
	if (l->container) {
		put_owner(s, row, at, l->container, m, entry->event);
		at += l->container + 1;
	}
	if (l->process) {
		process_text(&who, entry->event, l->process, s->utf8);
		screen_put(s, row, at, l->process, STYLE_NORMAL, who.text);
		at += l->process + 1;
	}
	event_text(&what, entry, &m->facts->timeline, s->utf8);
	if (what.length > scroll && at < s->columns) {
		size_t skip = 0;

		for (size_t i = 0; i < scroll && what.text[skip]; i++) {
			size_t n = utf8_sequence(what.text + skip, what.length - skip);

			skip += n ? n : 1;
		}
		screen_put(s, row, at, s->columns - at, style, what.text + skip);
	}
}

/* Commas are where a line may break. */
static void break_json(struct strbuf *sb, const struct strbuf *json, bool utf8)
{
	for (size_t i = 0; i + 1 < json->length; i++) {
		size_t n = utf8_sequence(json->text + i, json->length - i);

		format_text(sb, json->text + i, n ? n : 1, utf8);
		if (json->text[i] == ',' && json->text[i + 1] == '"')
			strbuf_putc(sb, ' ');
		i += n ? n - 1 : 0;
	}
}

/* What it says, in full, and everything that the record holds. */
static void draw_details(struct screen *s, struct area area, const struct model *m, const struct log_entry *entry)
{
	_cleanup_(strbuf_free) struct strbuf json = { 0 };
	_cleanup_(strbuf_free) struct strbuf fields = { 0 };
	_cleanup_(strbuf_free) struct strbuf what = { 0 };
	size_t width = s->columns > 2 ? s->columns - 2 : 1, used = 1;

	for (size_t i = 0; i < s->columns; i++)
		screen_glyph(s, area.top, i, STYLE_DIM, glyph(GLYPH_RULE, s->utf8));
	strbuf_printf(&what, "%s ", event_label(entry->event));
	event_text(&what, entry, &m->facts->timeline, s->utf8);
	used += wrap_put(s, area.top + used, 1, width, area.rows / 2, event_is_bad(entry) ? STYLE_BAD : STYLE_BOLD, what.text);
	json_write_event(&json, entry->event);
	break_json(&fields, &json, s->utf8);
	if (used < area.rows)
		wrap_put(s, area.top + used, 1, width, area.rows - used, STYLE_DIM, fields.text ? fields.text : "");
}

static void draw(struct ui *ui, struct model *m, struct screen *s, struct area area)
{
	struct events_state *e = &ui->events;
	struct layout layout = make_layout(s->columns);
	size_t below = !e->details ? 0 : area.rows > DETAIL_ROWS + 4 ? DETAIL_ROWS : area.rows / 2;
	size_t page = area.rows > 1 + below ? area.rows - 1 - below : 0;

	place_cursor(ui, m, page);
	e->list.origin = area.top + 1;
	put_head(s, area.top, &layout, &m->log);
	for (size_t i = 0; i < page && e->list.top + i < e->shown_count; i++) {
		put_entry(s, area.top + 1 + i, &layout, m, entry_at(ui, m, e->list.top + i), e->scroll);
		if (e->list.top + i == e->list.cursor)
			screen_restyle(s, area.top + 1 + i, 0, s->columns, STYLE_SELECTED);
	}
	if (!e->shown_count)
		screen_put(s, area.top + 2, 2, s->columns, STYLE_DIM,
			m->log.next > m->log.first ? "no event passes the filter; Esc clears it" : "no events yet");
	else if (below > 1)
		draw_details(s, (struct area){ area.top + area.rows - below, below }, m, entry_at(ui, m, e->list.cursor));
}

static size_t height(struct ui *ui, struct model *m, size_t columns)
{
	(void)columns;
	judge(ui, m);
	return ui->events.shown_count + 1 > 4 ? ui->events.shown_count + 1 : 4;
}

/* ---- keys ---- */

static bool act(struct ui *ui, struct model *m, enum action action)
{
	struct events_state *e = &ui->events;

	switch (action) {
	case ACT_FOLLOW: e->follow = !e->follow; return true;
	case ACT_DETAILS: e->details = !e->details; return true;
	case ACT_LEFT: e->scroll -= e->scroll > 8 ? 8 : e->scroll; return true;
	case ACT_RIGHT: e->scroll += e->scroll < 4000 ? 8 : 0; return true;
	default: break;
	}
	place_cursor(ui, m, e->list.page);
	if (!list_act(&e->list, e->shown_count, action))
		return false;
	/* who looks at an old one does not want it to run away; who goes to the end follows */
	e->follow = e->shown_count && e->list.cursor + 1 == e->shown_count && (e->follow || action == ACT_LAST);
	if (e->shown_count)
		e->cursor = e->shown[e->list.cursor];
	return true;
}

static bool entry_has(struct model *m, const struct log_entry *entry, const char *text)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	const struct container *c = model_owner(m, entry->event);

	strbuf_puts(&sb, event_label(entry->event));
	strbuf_putc(&sb, ' ');
	process_text(&sb, entry->event, 80, true);
	strbuf_putc(&sb, ' ');
	event_text(&sb, entry, &m->facts->timeline, true);
	return text_has(sb.text, text) || (c && (text_has(c->id, text) || text_has(c->name, text)));
}

static bool find(struct ui *ui, struct model *m, const char *text, int direction)
{
	struct events_state *e = &ui->events;

	place_cursor(ui, m, e->list.page);
	for (size_t n = 1; n <= e->shown_count; n++) {
		size_t i = (e->list.cursor + (direction > 0 ? n : e->shown_count - n)) % e->shown_count;

		if (!entry_has(m, entry_at(ui, m, i), text))
			continue;
		e->follow = false;
		e->cursor = e->shown[i];
		return true;
	}
	return false;
}

static void click(struct ui *ui, struct model *m, size_t row, bool twice)
{
	struct events_state *e = &ui->events;
	size_t index = list_at(&e->list, e->shown_count, row);

	(void)m;
	if (index == SIZE_MAX)
		return;
	e->follow = false;
	e->cursor = e->shown[index];
	if (twice)
		e->details = !e->details;
}

const struct view_operations events_view = { draw, height, act, find, click };
