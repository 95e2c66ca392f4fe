/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_WATERFALL_RULER_H
#define CTRACE_WATERFALL_RULER_H

/* From time to columns. Long stretches in which nothing happens are cut to a few columns, so that an
 * hour of running does not squash the milliseconds of the start. */

#include "timeline/model.h"
#include "util/strbuf.h"

enum { RULER_CUTS = 4, RULER_COLUMNS = 400 };

struct ruler {
	uint64_t start_ns, end_ns;
	size_t columns, cut_columns;
	struct ruler_cut {
		uint64_t start_ns, end_ns;
		size_t column; /* the first of its cut_columns */
	} cuts[RULER_CUTS]; /* in order of time */
	size_t cut_count;
	double scale; /* half columns a nanosecond, where nothing is cut */
};

/* columns: at most RULER_COLUMNS. */
void ruler_init(struct ruler *r, const struct container *c, size_t columns);

/* The same of any time, without cuts. */
void ruler_init_span(struct ruler *r, uint64_t start_ns, uint64_t end_ns, size_t columns);

/* Position of a time in half columns, 0 .. 2 * columns. */
size_t ruler_at(const struct ruler *r, uint64_t ns);

/* Time that is not cut. */
uint64_t ruler_shown(const struct ruler *r);

/* True if that column lies inside a cut. */
bool ruler_is_cut(const struct ruler *r, size_t column);

/* Appends the ruler's line: ticks with times since the start, and what was cut. */
void ruler_print(struct strbuf *sb, const struct ruler *r, bool utf8);

/* What one line shows; later kinds win over earlier ones where they meet. */
enum bar { BAR_NONE, BAR_SPAN /* time passes */, BAR_GAP /* untraced */, BAR_BUSY };

struct bars {
	unsigned char halves[2 * RULER_COLUMNS];
};

/* Draws at least half a column. */
void bars_add(struct bars *bars, const struct ruler *r, uint64_t start_ns, uint64_t end_ns, enum bar kind);
void bars_print(struct strbuf *sb, const struct bars *bars, const struct ruler *r, bool utf8);

#endif
