/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_VIEW_H
#define CTRACE_VIEW_H

/* What the five views have in common: each draws into a part of the screen, takes the actions that are its own,
 * and finds text in itself. */

#include "tui/ui.h"

struct area {
	size_t top, rows; /* of the screen; views use its whole width */
};

struct view_operations {
	void (*draw)(struct ui *ui, struct model *m, struct screen *s, struct area area);
	/* Rows that it would take to show all. */
	size_t (*height)(struct ui *ui, struct model *m, size_t columns);
	/* False: none of its own. */
	bool (*act)(struct ui *ui, struct model *m, enum action action);
	/* Moves to the next (1) or previous (-1) row with the text; NULL = cannot. */
	bool (*find)(struct ui *ui, struct model *m, const char *text, int direction);
	/* The row of the screen that was clicked. */
	void (*click)(struct ui *ui, struct model *m, size_t row, bool twice);
};

extern const struct view_operations containers_view, timeline_view, events_view, limits_view, host_view;

/* ---- lists ---- */

/* Keeps cursor and first row inside, and the cursor in sight. page = rows that there are. */
void list_clamp(struct list *l, size_t count, size_t page);
/* The index that the screen's row shows; SIZE_MAX = none. */
size_t list_at(const struct list *l, size_t count, size_t row);
/* The cursor moves by an action; false = not an action of lists. */
bool list_act(struct list *l, size_t count, enum action action);
/* Only scrolls: for what has no cursor. */
bool list_scroll(struct list *l, size_t count, enum action action);

/* ---- text ---- */

/* As format_duration and format_bytes, without blanks and long units: "249ms", "3m12s"; "1.5G". */
char *compact_duration(char *buffer, uint64_t ns, bool utf8);
char *compact_bytes(char *buffer, int64_t bytes); /* "-" when negative */
/* "12:03:04.123" of the wall clock, UTC offset of the machine that looks. */
char *clock_text(char *buffer, const struct model *m, uint64_t at_ns, bool milliseconds);
/* Name, else the first 12 digits of the id; escaped. */
void container_label(struct strbuf *sb, const struct container *c, bool utf8);
/* "running", "exit 1", "OOM 137", "failed": what became of it in one word; ret_style may be NULL. */
void container_state_text(struct strbuf *sb, const struct container *c, uint8_t *ret_style);
bool text_has(const char *text, const char *part); /* without regard to case */

/* The last `width` values as a line of little bars; values below 0 are unknown. */
void spark_put(struct screen *s, size_t row, size_t column, size_t width, uint8_t style, const double *values,
	size_t count, double most);
/* "[####......]" without its brackets: a part of 0..1 of the columns is filled. */
void gauge_put(struct screen *s, size_t row, size_t column, size_t width, uint8_t style, double part);

/* A line of text broken at blanks, from row on; returns the rows used. */
size_t wrap_put(struct screen *s, size_t row, size_t column, size_t width, size_t rows, uint8_t style, const char *text);

uint8_t phase_style(enum phase phase);

/* ---- containers ---- */

struct container_rows {
	const struct container **items;
	size_t count;
};
/* Those that pass the filter, in the order of the containers view; free(items). */
struct container_rows containers_rows(struct ui *ui, struct model *m);
/* The one before or after the chosen one. */
void containers_step(struct ui *ui, struct model *m, int direction);
size_t containers_column_count(void);
/* Of that title, whatever the case; containers_column_count() = there is none. */
size_t containers_column(const char *title);
const char *containers_column_title(size_t column);
/* Why the list is empty, and what to do. */
const char *containers_why_none(const struct ui *ui, const struct model *m);

#endif
