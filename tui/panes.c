/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/panes.h"

#include <stdio.h>
#include <string.h>

#include "exporters/format.h"
#include "tui/terminal.h"

enum { KEY_SWITCH = 0x1d /* Ctrl-] */, KEY_INTERRUPT = 3, BESIDE_COLUMNS = 100, BESIDE_ROWS = 10, ABOVE_ROWS = 16 };

/* The row below the terminal says who has the keys. */
void panes_layout(struct panes *p, size_t rows, size_t columns)
{
	size_t half = columns / 2, least = rows > 1 ? rows - 1 : 1;

	if (columns >= BESIDE_COLUMNS && rows >= BESIDE_ROWS) {
		p->terminal = (struct pane){ 0, 0, rows - 1, half };
		p->dashboard = (struct pane){ 0, half + 1, rows, columns - half - 1 };
	} else if (rows >= ABOVE_ROWS) {
		p->terminal = (struct pane){ 0, 0, least / 2, columns };
		p->dashboard = (struct pane){ least / 2 + 1, 0, least - least / 2, columns };
	} else {
		/* the terminal keeps its size: its program need not know that it is out of sight */
		p->terminal = (struct pane){ 0, 0, least, columns };
		p->dashboard = (struct pane){ 0, 0, least, columns };
	}
	guest_resize(p->guest, p->terminal.rows, p->terminal.columns);
}

static bool is_beside(const struct panes *p)
{
	return p->dashboard.column > 0;
}

static bool is_single(const struct panes *p)
{
	return p->dashboard.row == p->terminal.row && !is_beside(p);
}

static void copy_cells(struct screen *to, const struct screen *from, const struct pane *at)
{
	for (size_t row = 0; row < from->rows && at->row + row < to->rows; row++)
		memcpy(&to->cells[(at->row + row) * to->columns + at->column], &from->cells[row * from->columns],
			(from->columns < to->columns - at->column ? from->columns : to->columns - at->column) *
				sizeof(*to->cells));
}

static void draw_dashboard(struct panes *p, struct ui *ui, struct model *m, struct screen *s, bool fresh)
{
	const struct pane *at = &p->dashboard;

	if (p->drawn && (p->drawn->rows != at->rows || p->drawn->columns != at->columns)) {
		screen_free(p->drawn);
		p->drawn = NULL;
	}
	if (!p->drawn || fresh) {
		if (!p->drawn)
			p->drawn = screen_new(at->rows, at->columns, s->utf8);
		ui_draw(ui, m, p->drawn);
	}
	copy_cells(s, p->drawn, at);
}

static void draw_status(const struct panes *p, struct screen *s)
{
	size_t row = p->terminal.rows, columns = p->terminal.columns;
	bool has_keys = !p->on_timeline;
	char text[160];

	if (p->ended)
		snprintf(text, sizeof(text), " it has ended: exit %d, q quits ", p->code);
	else if (guest_refused(p->guest))
		snprintf(text, sizeof(text), " it takes no more input: %zu typed byte%s LOST ", guest_refused(p->guest),
			guest_refused(p->guest) == 1 ? "" : "s");
	else if (has_keys)
		snprintf(text, sizeof(text), " the container has the keys, Ctrl-]: the timeline ");
	else
		snprintf(text, sizeof(text), " the timeline has the keys, Ctrl-]: the container ");
	for (size_t i = 0; i < columns; i++)
		screen_glyph(s, row, i, STYLE_DIM, glyph(GLYPH_RULE, s->utf8));
	screen_put(s, row, columns > 4 ? 1 : 0, columns > 4 ? columns - 1 : columns,
		(p->ended ? p->code != 0 : guest_refused(p->guest) > 0) ? STYLE_BAD : has_keys ? STYLE_TAB : STYLE_BOLD, text);
}

static void draw_wall(const struct panes *p, struct screen *s)
{
	for (size_t row = 0; row < s->rows; row++)
		screen_glyph(s, row, p->dashboard.column - 1, STYLE_DIM, glyph(GLYPH_WALL, s->utf8));
}

void panes_draw(struct panes *p, struct ui *ui, struct model *m, struct screen *s, bool fresh)
{
	screen_clear(s);
	if (!is_single(p) || p->on_timeline)
		draw_dashboard(p, ui, m, s, fresh);
	if (!is_single(p) || !p->on_timeline)
		guest_draw(p->guest, s, p->terminal.row, p->terminal.column);
	if (s->rows > 1)
		draw_status(p, s);
	if (is_beside(p))
		draw_wall(p, s);
}

bool panes_cursor(const struct panes *p, size_t *ret_row, size_t *ret_column)
{
	if (p->on_timeline || !guest_cursor(p->guest, ret_row, ret_column))
		return false;
	*ret_row += p->terminal.row;
	*ret_column += p->terminal.column;
	return true;
}

/* Leaving a container that runs is what ctrl-p ctrl-q is there for. */
static void detach(struct panes *p)
{
	guest_key(p->guest, 'P' & 0x1f);
	guest_key(p->guest, 'Q' & 0x1f);
}

static void dashboard_key(struct panes *p, struct ui *ui, struct model *m, int key)
{
	bool plain = ui->prompt == PROMPT_NONE && !ui->help && !ui->sort_menu;

	if (key == KEY_INTERRUPT && p->ended) {
		ui->quit = true;
	} else if (key == KEY_INTERRUPT) {
		guest_key(p->guest, key);
	} else if (key == ']' && plain && !p->ended) {
		guest_key(p->guest, KEY_SWITCH);
		p->on_timeline = false;
	} else {
		ui_key(ui, m, key);
	}
	if (ui->quit && !p->ended) {
		ui->quit = false;
		p->left = true;
		ui_say(ui, false, "leaving it running (ctrl-p ctrl-q)");
		detach(p);
	}
}

void panes_key(struct panes *p, struct ui *ui, struct model *m, int key)
{
	if (key == KEY_SWITCH && !p->ended)
		p->on_timeline = !p->on_timeline;
	else if (p->on_timeline)
		dashboard_key(p, ui, m, key);
	else
		guest_key(p->guest, key);
}

/* A click gives the keys to what was clicked; the rest is the dashboard's. */
void panes_click(struct panes *p, struct ui *ui, struct model *m, size_t row, size_t column, bool twice, int wheel)
{
	const struct pane *at = &p->dashboard;
	bool inside = row >= at->row && row < at->row + at->rows && column >= at->column &&
		      (!is_single(p) || p->on_timeline);

	if (!wheel && !p->ended)
		p->on_timeline = inside;
	if (inside)
		ui_mouse(ui, m, row - at->row, column - at->column, twice, wheel);
}

void panes_free(struct panes *p)
{
	guest_close(p->guest);
	screen_free(p->drawn);
	*p = (struct panes){ 0 };
}
