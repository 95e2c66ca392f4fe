/* SPDX-License-Identifier: Apache-2.0 */
/* The frame around the views: title, tabs, help, menus, the last line. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/format.h"
#include "tui/terminal.h"
#include "tui/ui_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { SMALL_ROWS = 7 /* below that there is only the view */, TAB_GAP = 2 };

/* ---- title ---- */

static void playback_text(struct strbuf *sb, const struct playback *b, bool utf8)
{
	char at[FORMAT_MAX], speed[16] = "";

	if (b->playing)
		snprintf(speed, sizeof(speed), " %gx", b->speed);
	strbuf_printf(sb, "recording %s%s", b->playing ? "plays" : b->at_end ? "at its end" : "stands", speed);
	strbuf_printf(sb, " +%s", format_duration(at, b->at_ns - b->start_ns, utf8));
	if (b->last_ns > b->start_ns && !b->at_end)
		strbuf_printf(sb, " of %s", format_duration(at, b->last_ns - b->start_ns, utf8));
}

static void live_text(struct strbuf *sb, const struct model *m)
{
	size_t running = 0, total = timeline_count(m->timeline);

	for (size_t i = 0; i < total; i++)
		running += timeline_get(m->timeline, i)->state == STATE_RUNNING;
	strbuf_printf(sb, "%zu running  %" PRIu64 " ev/s", running, host_rate(&m->host));
}

static void put_title(const struct ui *ui, struct model *m, struct screen *s)
{
	_cleanup_(strbuf_free) struct strbuf left = { 0 };
	char at[FORMAT_MAX], lost[48];
	uint64_t losses = model_lost(m);
	size_t room;

	snprintf(lost, sizeof(lost), losses ? "LOST %" PRIu64 : "lost 0", losses);
	room = s->columns > strlen(lost) + 1 ? s->columns - strlen(lost) - 1 : 0;
	strbuf_printf(&left, s->columns >= 70 ? "ctrace top  %s  " : "%s ", clock_text(at, m, m->now_ns, false));
	if (s->columns >= 90) {
		format_text(&left, m->facts->hostname, strnlen(m->facts->hostname, 40), s->utf8);
		strbuf_puts(&left, "  ");
	}
	if (m->playback.is_recording)
		playback_text(&left, &m->playback, s->utf8);
	else
		live_text(&left, m);
	if (ui->held)
		strbuf_puts(&left, "  HELD");
	screen_put(s, 0, 0, room, ui->held ? STYLE_WARN : STYLE_TITLE, left.text);
	screen_put_right(s, 0, 0, s->columns, losses ? STYLE_BAD : STYLE_DIM, lost);
}

/* ---- tabs ---- */

static size_t tab_width(enum view view)
{
	return strlen(view_name(view)) + 4; /* " 1 containers " */
}

enum view ui_tab_at(size_t column)
{
	size_t at = 0;

	for (size_t i = 0; i < VIEW_COUNT; i++) {
		if (column >= at && column < at + tab_width((enum view)i))
			return (enum view)i;
		at += tab_width((enum view)i);
	}
	return VIEW_COUNT;
}

static void put_tabs(const struct ui *ui, struct screen *s)
{
	_cleanup_(strbuf_free) struct strbuf note = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < VIEW_COUNT; i++) {
		bool shown = i == ui->view;
		uint8_t style = shown ? STYLE_TAB : STYLE_NORMAL;

		if (s->columns < 66 && !shown) { /* the others by their numbers */
			at += screen_printf(s, UI_TABS_ROW, at, style, " %zu ", i + 1);
			continue;
		}
		at += screen_printf(s, UI_TABS_ROW, at, style, shown ? "[%zu %s]" : " %zu %s ", i + 1, view_name((enum view)i));
	}
	if (ui->filter[0]) {
		strbuf_puts(&note, "filter: ");
		format_text(&note, ui->filter, strlen(ui->filter), s->utf8);
	} else if (ui->view == VIEW_EVENTS && ui->events.follow) {
		strbuf_puts(&note, "following");
	} else if (ui->view == VIEW_TIMELINE) {
		strbuf_printf(&note, "%s", ui->timeline.by_time ? "as it happened" : "slowest first");
	}
	if (note.length && at + 2 < s->columns)
		screen_put_right(s, UI_TABS_ROW, at + 1, s->columns - at - 1, STYLE_WARN, note.text);
}

/* ---- the last line ---- */

/* One hint of the last line, if it fits; where the next one stands. */
static size_t put_hint(struct screen *s, size_t at, const char *key, const char *hint)
{
	size_t row = s->rows - 1;

	if (at + strlen(key) + strlen(hint) + 1 > s->columns)
		return at;
	at += screen_put(s, row, at, s->columns - at, STYLE_KEY, key) + 1;
	return at + screen_put(s, row, at, s->columns - at, STYLE_NORMAL, hint) + 2;
}

static void put_hints(const struct ui *ui, const struct model *m, struct screen *s)
{
	struct key_context context = { ui->view, m->playback.is_recording, ui->readonly, ui->find[0] != '\0' };
	size_t at = 0;

	/* what lies over the view has the keys */
	if (ui->sort_menu) {
		put_hint(s, put_hint(s, put_hint(s, 0, "Enter", "sort by it"), "j k", "move"), "Esc", "close");
		return;
	}
	if (ui->help) {
		put_hint(s, put_hint(s, 0, "Esc", "close the help"), "j k", "scroll");
		return;
	}
	for (size_t i = 0; i < key_binding_count; i++) {
		const struct binding *b = &key_bindings[i];
		_cleanup_free_ char *name = NULL;

		if (!b->hint || !binding_holds(b, &context))
			continue;
		name = xstrndup(b->name, strcspn(b->name, " "));
		at = put_hint(s, at, name, b->hint);
	}
}

static const char *prompt_label(enum prompt prompt)
{
	static const char *const labels[] = { "", "find: ", "filter: ", "write to: ", "" };

	return labels[prompt];
}

static void put_prompt(struct ui *ui, struct model *m, struct screen *s)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	const struct container *c = ui_container(ui, m);
	size_t row = s->rows - 1, width;

	if (ui->prompt == PROMPT_SIGNAL) {
		strbuf_puts(&text, "end ");
		if (c)
			container_label(&text, c, s->utf8);
		strbuf_printf(&text, " (pid %u)?  t SIGTERM  k SIGKILL  any other key: no", c ? c->pid : 0);
		screen_put(s, row, 0, s->columns, STYLE_WARN, text.text);
		return;
	}
	strbuf_puts(&text, prompt_label(ui->prompt));
	format_text(&text, ui->input, strlen(ui->input), s->utf8);
	width = format_width(text.text);
	/* the end of what is typed must be in sight */
	while (width + 2 > s->columns && text.length) {
		size_t n = utf8_sequence(text.text, text.length);

		n = n ? n : 1;
		memmove(text.text, text.text + n, text.length - n + 1);
		text.length -= n;
		width = format_width(text.text);
	}
	screen_put(s, row, 0, s->columns, STYLE_BOLD, text.text);
	screen_restyle(s, row, width, 1, STYLE_SELECTED);
	if (ui->message[0] && s->rows > 1)
		screen_put(s, row - 1, 0, s->columns, STYLE_BAD, ui->message);
}

static void put_last_line(struct ui *ui, struct model *m, struct screen *s)
{
	if (ui->prompt != PROMPT_NONE)
		put_prompt(ui, m, s);
	else if (ui->message[0])
		screen_put(s, s->rows - 1, 0, s->columns, ui->message_bad ? STYLE_BAD : STYLE_WARN, ui->message);
	else if (m->problem[0])
		screen_put(s, s->rows - 1, 0, s->columns, STYLE_BAD, m->problem);
	else
		put_hints(ui, m, s);
}

/* ---- help and menus ---- */

/* Those of this view alone first, then what is the same everywhere. */
static size_t collect_help(const struct ui *ui, const struct model *m, const struct binding **ret_lines)
{
	struct key_context context = { ui->view, m->playback.is_recording, ui->readonly, ui->find[0] != '\0' };
	unsigned int all = (1U << VIEW_COUNT) - 1;
	size_t count = 0;

	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < key_binding_count; i++) {
			const struct binding *b = &key_bindings[i];

			if (binding_holds(b, &context) && (b->views == all) == (pass == 1))
				ret_lines[count++] = b;
		}
	}
	return count;
}

static void draw_help(struct ui *ui, struct model *m, struct screen *s, struct area area)
{
	const struct binding **lines = xcalloc(key_binding_count, sizeof(*lines));
	size_t count = collect_help(ui, m, lines), across = s->columns >= 100 ? 2 : 1;
	size_t rows = (count + across - 1) / across, width = s->columns / across, page = area.rows - 1;
	static const char note[] = " more below";
	struct list *l = &ui->help_list;
	bool more;

	screen_printf(s, area.top, 0, STYLE_HEAD, "KEYS (%s)", view_name(ui->view));
	l->page = page;
	if (l->top + page > rows)
		l->top = rows > page ? rows - page : 0;
	more = l->top + page < rows;
	for (size_t i = 0; i < count; i++) {
		size_t row = i % rows, column = i / rows * width;

		if (row < l->top || row >= l->top + page)
			continue;
		screen_put(s, area.top + 1 + row - l->top, column + 1, 9, STYLE_KEY, lines[i]->name);
		size_t room = width > 12 ? width - 12 : 1;

		/* the last row of the last column makes room for the note */
		if (more && row + 1 == l->top + page && column + width + sizeof(note) > s->columns)
			room = room > sizeof(note) ? room - sizeof(note) : 1;
		screen_put(s, area.top + 1 + row - l->top, column + 11, room, STYLE_NORMAL, lines[i]->what);
	}
	if (more)
		screen_put_right(s, area.top + area.rows - 1, 0, s->columns, STYLE_DIM, note);
	free(lines);
}

static void draw_menu(struct ui *ui, struct screen *s, struct area area)
{
	size_t count = containers_column_count(), left = s->columns > 30 ? s->columns / 2 - 14 : 0;
	size_t width = s->columns - left < 28 ? s->columns - left : 28;

	if (area.rows < 3)
		return;
	list_clamp(&ui->menu, count, area.rows - 2 < count ? area.rows - 2 : count);
	for (size_t i = 0; i < ui->menu.page + 1; i++)
		screen_printf(s, area.top + i, left, STYLE_NORMAL, "%*s", (int)width, "");
	screen_put(s, area.top, left, width, STYLE_TAB, " SORT BY                    ");
	for (size_t i = 0; i < ui->menu.page; i++) {
		size_t column = ui->menu.top + i;

		screen_put(s, area.top + 1 + i, left + 1, width, STYLE_NORMAL, containers_column_title(column));
		if (column == ui->menu.cursor)
			screen_restyle(s, area.top + 1 + i, left, width, STYLE_SELECTED);
	}
}

void ui_draw(struct ui *ui, struct model *m, struct screen *s)
{
	struct area area = { 0, s->rows };

	screen_clear(s);
	if (s->rows >= SMALL_ROWS) {
		put_title(ui, m, s);
		put_tabs(ui, s);
		area = (struct area){ 2, s->rows - 3 };
	}
	if (ui->help)
		draw_help(ui, m, s, area);
	else
		ui_views[ui->view]->draw(ui, m, s, area);
	if (ui->sort_menu)
		draw_menu(ui, s, area);
	if (s->rows >= SMALL_ROWS || ui->prompt != PROMPT_NONE)
		put_last_line(ui, m, s);
}

struct screen *ui_draw_whole(struct ui *ui, struct model *m, size_t columns)
{
	const struct view_operations *view = ui_views[ui->view];
	struct screen *s = screen_new(view->height(ui, m, columns) + 1, columns, ui->utf8);

	put_title(ui, m, s);
	view->draw(ui, m, s, (struct area){ 1, s->rows - 1 });
	for (size_t i = 0; i < s->rows * s->columns; i++) /* nobody's cursor */
		s->cells[i].style &= (uint8_t)~STYLE_SELECTED;
	return s;
}
