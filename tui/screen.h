/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SCREEN_H
#define CTRACE_SCREEN_H

/*
 * A screen as cells: what the views draw, what the terminal shows, what --batch and the tests print. Nothing
 * here knows of curses. Whatever is put, a control byte or invalid UTF-8 never gets into a cell.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/strbuf.h"

enum style {
	STYLE_NORMAL, STYLE_DIM, STYLE_BOLD, STYLE_TITLE /* first line */, STYLE_TAB /* the view that is shown */,
	STYLE_HEAD /* column titles */, STYLE_KEY, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_GAP,
	/* six colours that tell phases apart; their names are on screen, too */
	STYLE_PHASE_FIRST, STYLE_PHASE_LAST = STYLE_PHASE_FIRST + 5,
	STYLE_FOREIGN, /* what another program printed: as the cell's look says */
	STYLE_COUNT
};

enum { STYLE_SELECTED = 0x80 /* or'ed in: the cursor is here */, CELL_BYTES = 13 };

/* Colours are those that the terminal has names for: 1 black .. 8 white, 0 = its own. */
struct look {
	uint8_t fore, back;
	bool bold, underline, reverse;
};

struct cell {
	char text[CELL_BYTES]; /* one character with what combines with it, "" = blank */
	uint8_t width;         /* 1, 2; 0 = second half of a wide character */
	uint8_t style;
	struct look look;      /* of STYLE_FOREIGN */
};

struct screen {
	size_t rows, columns;
	bool utf8; /* what glyphs may be used */
	struct cell *cells;
};

enum { SCREEN_ROWS_MAX = 20000, SCREEN_COLUMNS_MIN = 20, SCREEN_COLUMNS_MAX = 400 };

/* Sizes beyond the bounds are cut to them. */
struct screen *screen_new(size_t rows, size_t columns, bool utf8);
void screen_free(struct screen *s); /* takes NULL */
void screen_clear(struct screen *s);

/* Puts text from (row, column) on, at most `room` columns of it; what does not fit is cut with an ellipsis.
 * Outside of the screen nothing happens. Returns the columns used. */
size_t screen_put(struct screen *s, size_t row, size_t column, size_t room, uint8_t style, const char *text);
/* The same, but what does not fit is cut in the middle: names often differ in their ends. */
void screen_put_middle(struct screen *s, size_t row, size_t column, size_t room, uint8_t style, const char *text);
/* As screen_put, at the right end of `room`. */
void screen_put_right(struct screen *s, size_t row, size_t column, size_t room, uint8_t style, const char *text);
size_t screen_printf(struct screen *s, size_t row, size_t column, uint8_t style, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* One glyph in one cell. */
void screen_glyph(struct screen *s, size_t row, size_t column, uint8_t style, const char *glyph);
/* A character of another program's, one or two columns wide, that holds no control byte. */
void screen_foreign(struct screen *s, size_t row, size_t column, const char *text, size_t width, const struct look *look);
/* Gives a part of a row another style, the text stays; flag SELECTED alone is added to what is there. */
void screen_restyle(struct screen *s, size_t row, size_t column, size_t width, uint8_t style);

/* Copies rows; both screens are as wide. */
void screen_copy(struct screen *to, size_t to_row, const struct screen *from, size_t from_row, size_t rows);

/* As text, without blanks at the ends of lines; with `trim` without empty lines at the end. */
void screen_text(const struct screen *s, bool trim, struct strbuf *sb);

#endif
