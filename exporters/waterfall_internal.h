/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_WATERFALL_INTERNAL_H
#define CTRACE_WATERFALL_INTERNAL_H

/* What the files of the waterfall share: one view that is being drawn, and how text gets into it. */

#include "exporters/explain.h"
#include "exporters/waterfall.h"
#include "exporters/waterfall_ruler.h"

#define RED "31"
#define GREEN "32"
#define YELLOW "33"
#define BOLD "1"
#define DIM "2"

struct view {
	struct strbuf *sb;
	const struct container *c;
	const struct waterfall_options *o;
	struct ruler ruler;
	size_t width, label, tail; /* columns of a line's first and last part */
	size_t actors_printed;
	bool full;
	struct explain *explain; /* NULL unless asked for */
};

/* Colours where they are wanted; color NULL = none. */
void view_paint(struct view *v, const char *color);
void view_unpaint(struct view *v, const char *color);
void view_painted(struct view *v, const char *color, const char *text);
/* Ends a line without the blanks that padding left. */
void view_end_line(struct view *v);
/* A sentence that may be longer than a line: broken at blanks, indented. */
void view_wrapped(struct view *v, const char *text, size_t indent, const char *color);

/* Who it is, which command made it, how it ended, how long it took, its limits. */
void view_header(struct view *v);
/* The calls that waited longest, if any waited for a millisecond. */
void view_waits(struct view *v);
/* What was lost, or that nothing was. */
void view_losses(struct view *v);

#endif
