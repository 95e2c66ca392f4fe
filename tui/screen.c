/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/format.h"
#include "util/array.h"
#include "util/cleanup.h"

struct screen *screen_new(size_t rows, size_t columns, bool utf8)
{
	struct screen *s = xcalloc(1, sizeof(*s));

	s->rows = rows > SCREEN_ROWS_MAX ? SCREEN_ROWS_MAX : rows;
	s->columns = columns > SCREEN_COLUMNS_MAX ? SCREEN_COLUMNS_MAX : columns;
	s->utf8 = utf8;
	s->cells = xcalloc(s->rows * s->columns + 1, sizeof(*s->cells));
	screen_clear(s);
	return s;
}

void screen_free(struct screen *s)
{
	if (!s)
		return;
	free(s->cells);
	free(s);
}

void screen_clear(struct screen *s)
{
	memset(s->cells, 0, s->rows * s->columns * sizeof(*s->cells));
	for (size_t i = 0; i < s->rows * s->columns; i++)
		s->cells[i].width = 1;
}

static struct cell *cell_at(struct screen *s, size_t row, size_t column)
{
	return row < s->rows && column < s->columns ? &s->cells[row * s->columns + column] : NULL;
}

/* Half of a wide character must not stay when the other half is overwritten. */
static void blank_cell(struct screen *s, size_t row, size_t column)
{
	struct cell *c = cell_at(s, row, column);
	struct cell *next = cell_at(s, row, column + 1);

	if (c->width == 0 && column > 0) {
		struct cell *before = cell_at(s, row, column - 1);

		memset(before->text, 0, sizeof(before->text));
		before->width = 1;
	}
	if (c->width == 2 && next)
		next->width = 1;
	memset(c->text, 0, sizeof(c->text));
	c->width = 1;
}

static void set_cell(struct screen *s, size_t row, size_t column, uint8_t style, const char *text, size_t length,
	size_t width)
{
	struct cell *c = cell_at(s, row, column);

	blank_cell(s, row, column);
	if (width == 2) {
		blank_cell(s, row, column + 1);
		cell_at(s, row, column + 1)->width = 0;
		cell_at(s, row, column + 1)->style = style;
	}
	if (length > 1 || text[0] != ' ')
		memcpy(c->text, text, length);
	c->width = (uint8_t)width;
	c->style = style;
}

/* What has no width of its own joins the character before it, if there is room. */
static void combine(struct screen *s, size_t row, size_t column, const char *text, size_t length)
{
	struct cell *c = cell_at(s, row, column);
	size_t used = c ? strlen(c->text) : 0;

	if (used && used + length < CELL_BYTES)
		memcpy(c->text + used, text, length);
}

static size_t one_width(const char *text, size_t length)
{
	char one[8] = "";

	memcpy(one, text, length);
	return format_width(one);
}

static size_t put_columns(struct screen *s, size_t row, size_t column, size_t room, uint8_t style,
	const char *text)
{
	size_t length = strlen(text), used = 0, last = 0, n, width;

	for (size_t i = 0; i < length; i += n) {
		const char *at = text + i;

		n = utf8_sequence(at, length - i);
		if (n <= 1 && (n == 0 || (unsigned char)*at < 0x20 || *at == 0x7f)) {
			at = "?";
			n = 1;
		} else if (n > 1 && !s->utf8) {
			at = "?";
		}
		width = *at == '?' ? 1 : one_width(at, n);
		if (width == 0) {
			if (used)
				combine(s, row, column + last, at, n);
			continue;
		}
		if (used + width > room)
			break;
		last = used;
		set_cell(s, row, column + used, style, at, *at == '?' ? 1 : n, width);
		used += width;
	}
	return used;
}

size_t screen_put(struct screen *s, size_t row, size_t column, size_t room, uint8_t style, const char *text)
{
	size_t width, mark = s->utf8 ? 1 : 2;

	if (row >= s->rows || column >= s->columns)
		return 0;
	if (room > s->columns - column)
		room = s->columns - column;
	width = format_width(text);
	if (width <= room)
		return put_columns(s, row, column, room, style, text);
	if (room <= mark)
		return put_columns(s, row, column, room, style, text);
	width = put_columns(s, row, column, room - mark, style, text);
	return width + put_columns(s, row, column + width, mark, style, s->utf8 ? "…" : "..");
}

void screen_put_right(struct screen *s, size_t row, size_t column, size_t room, uint8_t style, const char *text)
{
	size_t width = format_width(text);

	screen_put(s, row, width < room ? column + room - width : column, room, style, text);
}

void screen_put_middle(struct screen *s, size_t row, size_t column, size_t room, uint8_t style, const char *text)
{
	size_t width = format_width(text), length = strlen(text), tail = room / 2 > 1 ? room / 2 - 1 : 0, at = 0;

	if (width <= room || tail == 0) {
		screen_put(s, row, column, room, style, text);
		return;
	}
	while (at < length && format_width(text + at) > tail) {
		size_t n = utf8_sequence(text + at, length - at);

		at += n ? n : 1;
	}
	tail = format_width(text + at);
	screen_put(s, row, column, room - tail, style, text);
	screen_put(s, row, column + room - tail, tail, style, text + at);
}

size_t screen_printf(struct screen *s, size_t row, size_t column, uint8_t style, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return 0;
	}
	return screen_put(s, row, column, s->columns, style, text);
}

void screen_glyph(struct screen *s, size_t row, size_t column, uint8_t style, const char *glyph)
{
	if (cell_at(s, row, column))
		set_cell(s, row, column, style, glyph, strlen(glyph), 1);
}

void screen_foreign(struct screen *s, size_t row, size_t column, const char *text, size_t width, const struct look *look)
{
	size_t length = strlen(text);

	if (row >= s->rows || column + width > s->columns || length >= CELL_BYTES)
		return;
	set_cell(s, row, column, STYLE_FOREIGN, length ? text : " ", length ? length : 1, width);
	cell_at(s, row, column)->look = *look;
}

void screen_restyle(struct screen *s, size_t row, size_t column, size_t width, uint8_t style)
{
	for (size_t i = column; i < column + width; i++) {
		struct cell *c = cell_at(s, row, i);

		if (c)
			c->style = style == STYLE_SELECTED ? c->style | STYLE_SELECTED : style;
	}
}

void screen_copy(struct screen *to, size_t to_row, const struct screen *from, size_t from_row, size_t rows)
{
	size_t columns = to->columns < from->columns ? to->columns : from->columns;

	for (size_t i = 0; i < rows && to_row + i < to->rows && from_row + i < from->rows; i++)
		memcpy(&to->cells[(to_row + i) * to->columns], &from->cells[(from_row + i) * from->columns],
			columns * sizeof(*to->cells));
}

static void row_text(const struct screen *s, size_t row, struct strbuf *sb)
{
	const struct cell *cells = &s->cells[row * s->columns];
	size_t end = s->columns;

	while (end && !cells[end - 1].text[0] && cells[end - 1].width)
		end--;
	for (size_t i = 0; i < end; i++) {
		if (cells[i].width)
			strbuf_puts(sb, cells[i].text[0] ? cells[i].text : " ");
	}
	strbuf_putc(sb, '\n');
}

void screen_text(const struct screen *s, bool trim, struct strbuf *sb)
{
	for (size_t row = 0; row < s->rows; row++)
		row_text(s, row, sb);
	while (trim && sb->length > 1 && sb->text[sb->length - 2] == '\n')
		sb->text[--sb->length] = '\0';
}
