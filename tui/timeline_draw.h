/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TIMELINE_DRAW_H
#define CTRACE_TIMELINE_DRAW_H

/* One row of the timeline as text and bars. */

#include "exporters/waterfall_ruler.h"
#include "tui/timeline_rows.h"

/* A line is: mark, label, bars, duration, percentage or comparison, words where there is room. */
struct timeline_layout {
	struct ruler ruler;
	bool zoomed;
	size_t label, bars, duration, last, tail; /* columns */
	const struct container *other; /* compared with; NULL = none */
};

void timeline_layout_make(struct timeline_layout *l, const struct container *c, const struct timeline_state *state,
	const struct container *other, size_t columns);
void timeline_put_ruler(struct screen *s, size_t row, const struct timeline_layout *l);
void timeline_put_row(struct screen *s, size_t at, const struct timeline_layout *l, const struct timeline_rows *rows,
	const struct timeline_row *row);

/* "~12.3 ms" with an inferred edge, "?" with a lost one, "12.3 ms+" if it goes on; compact for a column: "~12.3ms". */
void timeline_duration(struct strbuf *sb, const struct timeline_row *row, bool compact, bool utf8);
/* What the row is, in words, escaped. */
void timeline_row_text(struct strbuf *sb, const struct timeline_rows *rows, const struct timeline_row *row, bool utf8);
/* What else there is to say about it: "mount x17, umount x2"; who did it. */
void timeline_row_more(struct strbuf *sb, const struct timeline_rows *rows, const struct timeline_row *row, bool utf8);

#endif
