/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_WATERFALL_H
#define CTRACE_WATERFALL_H

/* The timeline of one container as text for a person: a header in words, then phases, actors and
 * steps as bars on a time ruler. */

#include <stdbool.h>
#include <stdio.h>

#include "exporters/filter.h"
#include "timeline/timeline.h"
#include "util/strbuf.h"

enum waterfall_detail { WATERFALL_SUMMARY /* phases and actors */, WATERFALL_FULL /* every step */ };

struct waterfall_options {
	enum waterfall_detail detail;
	size_t width; /* columns; 0 = 80; less than 60 counts as 60, more than 400 as 400 */
	bool color, utf8;
	bool explain; /* after each step, what it does and why; implies every step */
	const struct filter *filter; /* where every step is told, only those that pass; NULL = all */
};

enum waterfall_color { WATERFALL_COLOR_AUTO, WATERFALL_COLOR_ALWAYS, WATERFALL_COLOR_NEVER };

/* Fills width (if 0), color and utf8 from the terminal behind out, NO_COLOR, COLUMNS and LC_CTYPE
 * (the caller has called setlocale). */
void waterfall_detect(struct waterfall_options *options, FILE *out, enum waterfall_color color);

/* Appends the waterfall of c, with an empty line at its end. */
void waterfall_print(struct strbuf *sb, const struct container *c,
	const struct waterfall_options *options);

/* Appends one line on the whole session: containers, events, losses. */
void waterfall_print_stats(struct strbuf *sb, const struct timeline_stats *stats, uint64_t containers,
	const struct waterfall_options *options);

#endif
