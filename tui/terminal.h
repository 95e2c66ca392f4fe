/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TUI_TERMINAL_H
#define CTRACE_TUI_TERMINAL_H

/* The one file that knows of curses, colours and glyphs. */

#include "tui/screen.h"
#include "util/error.h"

enum glyph {
	GLYPH_FULL, GLYPH_LEFT_HALF, GLYPH_RIGHT_HALF, GLYPH_SPAN, GLYPH_CUT, GLYPH_GAP, GLYPH_LOST,
	GLYPH_FOLDED, GLYPH_UNFOLDED, GLYPH_LEAF, GLYPH_CRITICAL, GLYPH_MARK, GLYPH_DOWN, GLYPH_UP, GLYPH_EMPTY,
	GLYPH_RULE, GLYPH_TIMES, GLYPH_DOT, GLYPH_TICK, GLYPH_WALL,
	GLYPH_SPARK_FIRST, GLYPH_SPARK_LAST = GLYPH_SPARK_FIRST + 7, GLYPH_COUNT
};
const char *glyph(enum glyph g, bool utf8);

/* True where the locale (setlocale was called) has UTF-8. */
bool terminal_utf8(void);

/* Takes over the terminal of stdin and stdout. It is given back by terminal_close, and when the process crashes.
 * color: -1 = unless NO_COLOR is set, 0, 1. */
int terminal_open(int color, bool mouse, struct error *err);
/* From now on Ctrl-C, Ctrl-Z, Ctrl-S and the like are keys, too. */
void terminal_take_all_keys(void);
void terminal_close(void); /* also when it was not opened */

void terminal_size(size_t *ret_rows, size_t *ret_columns);
/* After SIGWINCH. */
void terminal_resize(void);
void terminal_mouse(bool on);

/* Shows what changed since the last call; all of it after terminal_redraw. */
void terminal_show(const struct screen *s);
void terminal_redraw(void);
/* Where a prompt's cursor stands; column SIZE_MAX = there is none. */
void terminal_cursor(size_t row, size_t column);

struct terminal_input {
	int key; /* enum key, or 0: a mouse event */
	size_t row, column;
	bool click, double_click;
	int wheel; /* -1 up, 1 down */
};

/* The next one that is there; false = none. Never waits. */
bool terminal_read(struct terminal_input *ret_input);

#endif
