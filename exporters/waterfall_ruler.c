/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/waterfall_ruler.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/format.h"
#include "exporters/waterfall_text.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Outside of the run, only silence as long as this is cut: slow starts must look slow. */
static const uint64_t START_CUT_NS = 60ULL * 1000000000;

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Steps come in order of their starts, and few outlast the start of the next: inserting each time moves little, and is faster
 * than qsort. Where much would have to move, qsort sorts the rest. */
static void sort_times(uint64_t *times, size_t count)
{
	const size_t most = 32 * count;
	size_t moves = 0;

	for (size_t i = 1; i < count && moves <= most; i++) {
		uint64_t late = times[i];
		size_t to = i;

		for (; to && times[to - 1] > late; to--)
			times[to] = times[to - 1];
		times[to] = late;
		moves += i - to;
	}
	if (moves > most)
		qsort(times, count, sizeof(*times), compare_times);
}

/* Every time at which something is seen, in order. What mostly comes early is collected first, and is then little to sort. */
static uint64_t *collect_times(const struct container *c, const struct ruler *r, size_t *ret_count)
{
	size_t n = 0, max = 5 + 2 * c->step_count + 2 * c->mark_count + 2 * c->actor_count;
	uint64_t *times = xcalloc(max, sizeof(*times));

	times[n++] = r->start_ns;
	times[n++] = c->created_ns;
	for (size_t i = 0; i < c->actor_count; i++)
		times[n++] = c->actors[i].start_ns;
	for (size_t i = 0; i < c->step_count; i++) {
		times[n++] = c->steps[i].start_ns;
		times[n++] = c->steps[i].end_edge == EDGE_OPEN ? 0 : c->steps[i].end_ns;
	}
	times[n++] = c->started_ns;
	for (size_t i = 0; i < c->mark_count; i++) {
		times[n++] = c->marks[i].at_ns;
		times[n++] = text_mark_end(&c->marks[i]);
	}
	for (size_t i = 0; i < c->actor_count; i++)
		times[n++] = c->actors[i].end_ns;
	times[n++] = c->exit.known ? c->exit.at_ns : r->end_ns;
	times[n++] = r->end_ns;
	sort_times(times, n);
	*ret_count = n;
	return times;
}

static bool may_cut(const struct container *c, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t run_end = c->exit.known ? c->exit.at_ns : UINT64_MAX;
	bool running = c->started_ns && start_ns >= c->started_ns && end_ns <= run_end;

	return running || end_ns - start_ns >= START_CUT_NS;
}

static int compare_cuts(const void *a, const void *b)
{
	return compare_times(&((const struct ruler_cut *)a)->start_ns,
		&((const struct ruler_cut *)b)->start_ns);
}

/* The longest silence that may be cut and is not yet; false if there is none. */
static bool find_silence(const struct container *c, const struct ruler *r, const uint64_t *times,
	size_t count, struct ruler_cut *ret_cut)
{
	uint64_t longest = 0;

	for (size_t i = 1; i < count; i++) {
		uint64_t a = times[i - 1], b = times[i];
		bool taken = a < r->start_ns || b > r->end_ns;

		for (size_t k = 0; k < r->cut_count; k++)
			taken |= a < r->cuts[k].end_ns && b > r->cuts[k].start_ns;
		if (!taken && b - a > longest && may_cut(c, a, b)) {
			longest = b - a;
			*ret_cut = (struct ruler_cut){ .start_ns = a, .end_ns = b };
		}
	}
	return longest > 0;
}

uint64_t ruler_shown(const struct ruler *r)
{
	uint64_t shown = r->end_ns - r->start_ns;

	for (size_t i = 0; i < r->cut_count; i++)
		shown -= r->cuts[i].end_ns - r->cuts[i].start_ns;
	return shown;
}

static void choose_cuts(struct ruler *r, const struct container *c)
{
	size_t count;
	_cleanup_free_ uint64_t *times = collect_times(c, r, &count);
	struct ruler_cut cut;

	while (r->cut_count < RULER_CUTS && find_silence(c, r, times, count, &cut)) {
		uint64_t length = cut.end_ns - cut.start_ns, margin = length / 50;

		/* A third of what is shown: less than that squashes nothing. */
		if (length * 3 < ruler_shown(r) || (r->cut_count + 1) * r->cut_columns > r->columns / 2)
			break;
		/* Silence is drawn on both sides of a cut, as far as it does not take the room itself. */
		if (margin > (ruler_shown(r) - length) / 20)
			margin = (ruler_shown(r) - length) / 20;
		cut.start_ns += margin;
		cut.end_ns -= margin;
		r->cuts[r->cut_count++] = cut;
	}
	qsort(r->cuts, r->cut_count, sizeof(r->cuts[0]), compare_cuts);
}

static void set_scale(struct ruler *r)
{
	r->scale = (double)(2 * (r->columns - r->cut_count * r->cut_columns)) / (double)ruler_shown(r);
}

void ruler_init_span(struct ruler *r, uint64_t start_ns, uint64_t end_ns, size_t columns)
{
	*r = (struct ruler){ .start_ns = start_ns, .end_ns = end_ns, .columns = columns };
	set_scale(r);
}

void ruler_init(struct ruler *r, const struct container *c, size_t columns)
{
	*r = (struct ruler){ .start_ns = c->first_ns, .end_ns = c->last_ns,
		.columns = columns > RULER_COLUMNS ? RULER_COLUMNS : columns };
	r->cut_columns = columns >= 40 ? 9 : columns >= 28 ? 7 : 4;
	if (r->end_ns <= r->start_ns)
		r->end_ns = r->start_ns + 1;
	choose_cuts(r, c);
	set_scale(r);
	for (size_t i = 0; i < r->cut_count; i++)
		r->cuts[i].column = (ruler_at(r, r->cuts[i].start_ns) + 1) / 2;
}

size_t ruler_at(const struct ruler *r, uint64_t ns)
{
	uint64_t from = r->start_ns;
	double at = 0;

	if (ns >= r->end_ns)
		return 2 * r->columns;
	for (size_t i = 0; i < r->cut_count && ns > r->cuts[i].start_ns; i++) {
		const struct ruler_cut *cut = &r->cuts[i];

		at += (double)(cut->start_ns - from) * r->scale;
		if (ns < cut->end_ns)
			return (size_t)(at + (double)(2 * r->cut_columns) *
				((double)(ns - cut->start_ns) / (double)(cut->end_ns - cut->start_ns)));
		at += (double)(2 * r->cut_columns);
		from = cut->end_ns;
	}
	if (ns > from)
		at += (double)(ns - from) * r->scale;
	return (size_t)at < 2 * r->columns ? (size_t)at : 2 * r->columns;
}

bool ruler_is_cut(const struct ruler *r, size_t column)
{
	for (size_t i = 0; i < r->cut_count; i++) {
		if (column >= r->cuts[i].column && column < r->cuts[i].column + r->cut_columns)
			return true;
	}
	return false;
}

/* The smallest of 1, 2, 5 times a power of ten that is at least `ns`. */
static uint64_t nice_step(double ns)
{
	uint64_t step = 1;

	for (;;) {
		if ((double)step >= ns)
			return step;
		if ((double)step * 2 >= ns)
			return step * 2;
		if ((double)step * 5 >= ns)
			return step * 5;
		step *= 10;
	}
}

/* A multiple of step, with the decimals that step needs and no more. */
static void format_tick(char *buffer, uint64_t t, uint64_t step, bool utf8)
{
	uint64_t unit = t >= 1000000000 ? 1000000000 : t >= 1000000 ? 1000000 : 1000;
	const char *name = unit == 1000000000 ? "s" : unit == 1000000 ? "ms" : utf8 ? "µs" : "us";
	int decimals = 0;

	for (uint64_t u = unit; u > step && decimals < 9; u /= 10)
		decimals++;
	if (t == 0)
		snprintf(buffer, FORMAT_MAX, "0");
	else if (step >= 60ULL * 1000000000)
		format_duration(buffer, t, utf8);
	else
		snprintf(buffer, FORMAT_MAX, "%.*f %s", decimals, (double)t / (double)unit, name);
}

/* Writes text into a line of cells, one string per column, if all of them are free. */
static void place(const char **cells, size_t columns, size_t at, const char *text, char (*pool)[8])
{
	size_t width = format_width(text), length = strlen(text), n, k = 0;

	if (at + width > columns)
		return;
	for (size_t i = at ? at - 1 : 0; i < at + width; i++) {
		if (cells[i])
			return;
	}
	for (size_t i = 0; i < length; i += n, k++) {
		n = utf8_sequence(text + i, length - i);
		memcpy(pool[at + k], text + i, n);
		pool[at + k][n] = '\0';
		cells[at + k] = pool[at + k];
	}
}

static void place_ticks(const struct ruler *r, const char **cells, char (*pool)[8], bool utf8)
{
	size_t free_columns = r->columns - r->cut_count * r->cut_columns;
	uint64_t step = nice_step((double)ruler_shown(r) * 8 / (double)(free_columns ? free_columns : 1));
	uint64_t t = 0, length = r->end_ns - r->start_ns;

	for (size_t guard = 0; t < length && guard < 4 * RULER_COLUMNS; guard++) {
		char time[FORMAT_MAX], label[FORMAT_MAX + 8];
		size_t at = ruler_at(r, r->start_ns + t) / 2;
		bool skipped = false;

		for (size_t i = 0; i < r->cut_count; i++) {
			uint64_t end = r->cuts[i].end_ns - r->start_ns;

			if (t > r->cuts[i].start_ns - r->start_ns && t < end) {
				t = (end + step - 1) / step * step;
				skipped = true;
			}
		}
		if (skipped)
			continue;
		format_tick(time, t, step, utf8);
		snprintf(label, sizeof(label), "%s%s", utf8 ? "╷" : "|", time);
		place(cells, r->columns, at, label, pool);
		t += step;
	}
}

static void place_cuts(const struct ruler *r, const char **cells, char (*pool)[8], bool utf8)
{
	for (size_t i = 0; i < r->cut_count; i++) {
		char time[FORMAT_MAX], label[FORMAT_MAX + 8];

		format_duration(time, r->cuts[i].end_ns - r->cuts[i].start_ns, utf8);
		snprintf(label, sizeof(label), "%s%s%s", utf8 ? "⟨" : "<", time, utf8 ? "⟩" : ">");
		place(cells, r->columns, r->cuts[i].column, label, pool);
	}
}

void ruler_print(struct strbuf *sb, const struct ruler *r, bool utf8)
{
	const char *cells[RULER_COLUMNS] = { NULL };
	char pool[RULER_COLUMNS][8];

	place_cuts(r, cells, pool, utf8);
	place_ticks(r, cells, pool, utf8);
	for (size_t i = 0; i < r->columns; i++)
		strbuf_puts(sb, cells[i] ? cells[i] : " ");
}

void bars_add(struct bars *bars, const struct ruler *r, uint64_t start_ns, uint64_t end_ns, enum bar kind)
{
	size_t from = ruler_at(r, start_ns), to = ruler_at(r, end_ns);

	if (from >= 2 * r->columns)
		from = 2 * r->columns - 1;
	if (to <= from)
		to = from + 1;
	for (size_t i = from; i < to; i++) {
		if (bars->halves[i] < kind)
			bars->halves[i] = (unsigned char)kind;
	}
}

enum { GLYPH_MAX = 3 }; /* bytes */

static const char *cell_glyph(unsigned char left, unsigned char right, bool cut, bool utf8)
{
	unsigned char most = left > right ? left : right;

	if (most == BAR_NONE)
		return " ";
	if (most == BAR_SPAN)
		return cut ? (utf8 ? "┄" : "~") : (utf8 ? "─" : "-");
	if (most == BAR_GAP)
		return utf8 ? "░" : "/";
	if (!utf8)
		return "#";
	return left != BAR_BUSY ? "▐" : right != BAR_BUSY ? "▌" : "█";
}

void bars_print(struct strbuf *sb, const struct bars *bars, const struct ruler *r, bool utf8)
{
	char *at = strbuf_room(sb, r->columns * GLYPH_MAX);

	for (size_t i = 0; i < r->columns; i++)
		at = stpcpy(at, cell_glyph(bars->halves[2 * i], bars->halves[2 * i + 1],
			ruler_is_cut(r, i), utf8));
	strbuf_ends(sb, at);
}
