/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/diff.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/format.h"
#include "exporters/waterfall_text.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/map.h"

/* A step counts as changed when it differs by so much, and lists are cut there. */
#define LEAST_NS 1000000ULL
enum { ROWS_SHOWN = 12, LABEL_COLUMNS = 14, VALUE_COLUMNS = 12 };

struct view {
	struct strbuf *sb;
	const struct diff_side *sides[2];
	bool utf8;
};

/* ---- the same step of two runs ---- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* "8ede32da762e", or overlay's "EXYK7QIPLXUE75JMQKTMYA2LYU": what names one thing of one run. Words of letters
 * alone are none, nor are numbers. */
static bool is_id(const char *word, size_t length)
{
	size_t digits = 0, hex = 0, upper = 0;

	for (size_t i = 0; i < length; i++) {
		digits += isdigit((unsigned char)word[i]) != 0;
		hex += isxdigit((unsigned char)word[i]) != 0;
		upper += isupper((unsigned char)word[i]) || isdigit((unsigned char)word[i]);
	}
	return (hex == length && digits > 0 && digits < length && length >= 8) || (upper == length && length == 26);
}

static bool is_number(const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)word[i]))
			return false;
	}
	return length >= 3; /* 1:3 of a device and 0755 are no pids; those have three digits or more */
}

/* runc.j0qLJI, vethf4b8f3d, ct.y11niK: a name with a random end. */
static bool is_random_end(const char *before, const char *word, size_t length)
{
	bool digits = false, upper = false, lower = false;

	for (size_t i = 0; i < length; i++) {
		digits |= isdigit((unsigned char)word[i]) != 0;
		upper |= isupper((unsigned char)word[i]) != 0;
		lower |= islower((unsigned char)word[i]) != 0;
	}
	if (length > 4 && !strncmp(word, "veth", 4))
		return true;
	return before && *before == '.' && length == 6 && digits + upper + lower >= 2;
}

/* Numbers of limits and answers mean something; others are pids, inode numbers and the like. */
static bool has_pids(const struct step *s)
{
	const char *file = s->kind == STEP_CGROUP_WRITE ? details_text(&s->details, "file") : NULL;

	if (file)
		return !strcmp(file, "cgroup.procs") || !strcmp(file, "tasks");
	return s->kind != STEP_CGROUP_WRITE && s->kind != STEP_REQUEST;
}

void diff_label(struct strbuf *sb, const struct container *c, const struct step *s, bool utf8)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	const char *at, *id;
	size_t n;

	text_step(&text, s, utf8);
	for (at = text.text; *at; at += n) {
		id = c->id;
		n = strlen(id);
		if (n >= 3 && !strncmp(at, id, n)) { /* short ids, as runc's, are names of their own */
			strbuf_puts(sb, "ID");
			continue;
		}
		for (n = 0; is_word(at[n]); n++)
			;
		if (!n) {
			strbuf_putc(sb, *at);
			n = 1;
		} else if (is_id(at, n)) {
			strbuf_puts(sb, "ID");
		} else if (is_number(at, n) && has_pids(s)) {
			strbuf_puts(sb, "N");
		} else if (is_random_end(at > text.text ? at - 1 : NULL, at, n)) {
			strbuf_puts(sb, "X");
		} else {
			strbuf_add(sb, at, n);
		}
	}
}

/* All steps of one label on both sides. */
struct pair {
	char *label;
	size_t count[2], failed[2];
	uint64_t sum_ns[2];
	bool known[2]; /* all of its lengths */
};

struct pairs {
	struct map by_label;
	struct pair **items;
	size_t count, capacity;
};

static void add_step(struct pairs *p, const struct container *c, const struct step *s, int side, bool utf8)
{
	_cleanup_(strbuf_free) struct strbuf label = { 0 };
	struct pair *pair;

	diff_label(&label, c, s, utf8);
	pair = map_get(&p->by_label, label.text, label.length);
	if (!pair) {
		pair = xcalloc(1, sizeof(*pair));
		pair->label = xstrdup(label.text);
		pair->known[0] = pair->known[1] = true;
		map_put(&p->by_label, label.text, label.length, pair);
		array_grow(p->items, p->count, p->capacity);
		p->items[p->count++] = pair;
	}
	pair->count[side]++;
	pair->failed[side] += s->has_result && s->result < 0;
	pair->known[side] &= s->start_edge != EDGE_LOST && s->end_edge != EDGE_LOST && s->end_edge != EDGE_OPEN;
	pair->sum_ns[side] += s->end_ns - s->start_ns;
}

static void free_pairs(struct pairs *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->items[i]->label);
		free(p->items[i]);
	}
	free(p->items);
	map_free(&p->by_label);
}

/* ---- rows ---- */

static void cell(struct view *v, const char *text)
{
	size_t width = format_width(text);

	for (; width < VALUE_COLUMNS; width++)
		strbuf_putc(v->sb, ' ');
	strbuf_puts(v->sb, text);
}

/* Two times and their difference; `known` false: "-". */
static void time_row(struct view *v, const char *label, const uint64_t ns[2], const bool known[2])
{
	char text[FORMAT_MAX + 2], number[FORMAT_MAX];
	uint64_t more = ns[1] > ns[0] ? ns[1] - ns[0] : ns[0] - ns[1];

	strbuf_puts(v->sb, "  ");
	format_fit(v->sb, label, LABEL_COLUMNS, v->utf8);
	for (int side = 0; side < 2; side++)
		cell(v, known[side] ? format_duration(number, ns[side], v->utf8) : "-");
	if (known[0] && known[1] && !more) {
		cell(v, "=");
	} else if (known[0] && known[1]) {
		snprintf(text, sizeof(text), "%c%s", ns[1] < ns[0] ? '-' : '+', format_duration(number, more, v->utf8));
		cell(v, text);
		if (ns[0]) {
			snprintf(text, sizeof(text), "%c%" PRIu64 " %%", ns[1] < ns[0] ? '-' : '+',
				(more > UINT64_MAX / 100 ? 0 : more * 100) / ns[0]);
			cell(v, text);
		}
	}
	strbuf_putc(v->sb, '\n');
}

static void print_head(struct view *v)
{
	for (int side = 0; side < 2; side++) {
		const struct container *c = v->sides[side]->c;

		strbuf_printf(v->sb, "%c  ", 'A' + side);
		text_container(v->sb, c, v->utf8);
		text_word(v->sb, "  image ", c->image, v->utf8);
		text_word(v->sb, "  by ", c->engine, v->utf8);
		text_word(v->sb, "  with ", c->runtime, v->utf8);
		text_word(v->sb, "  in ", v->sides[side]->where, v->utf8);
		strbuf_puts(v->sb, "\n   ");
		text_outcome(v->sb, c, v->utf8);
		strbuf_putc(v->sb, '\n');
	}
	strbuf_puts(v->sb, "\n  ");
	format_fit(v->sb, "", LABEL_COLUMNS, v->utf8);
	cell(v, "A");
	cell(v, "B");
	cell(v, "B - A");
	strbuf_putc(v->sb, '\n');
}

static void print_whole(struct view *v)
{
	uint64_t start[2], run[2], teardown[2];
	bool started[2], ended[2];

	for (int side = 0; side < 2; side++) {
		const struct container *c = v->sides[side]->c;

		started[side] = c->started_ns && !c->existed;
		ended[side] = c->started_ns && c->exit.known;
		start[side] = c->started_ns - c->first_ns;
		run[side] = c->exit.at_ns - c->started_ns;
		teardown[side] = c->last_ns - c->exit.at_ns;
	}
	time_row(v, "start", start, started);
	time_row(v, "run", run, ended);
	time_row(v, "teardown", teardown, ended);
}

static const struct phase_span *find_phase(const struct container *c, enum phase phase)
{
	for (size_t i = 0; i < c->phase_count; i++) {
		if (c->phases[i].phase == phase)
			return &c->phases[i];
	}
	return NULL;
}

static void print_phases(struct view *v)
{
	strbuf_puts(v->sb, "phases\n");
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		uint64_t ns[2] = { 0 };
		bool known[2] = { false }, any = false;

		for (int side = 0; side < 2; side++) {
			const struct phase_span *p = find_phase(v->sides[side]->c, (enum phase)phase);

			any |= p != NULL;
			known[side] = p && p->start_edge != EDGE_LOST && p->end_edge != EDGE_LOST && p->end_edge != EDGE_OPEN;
			ns[side] = p ? p->end_ns - p->start_ns : 0;
		}
		if (any && phase != PHASE_RUN) /* told above */
			time_row(v, phase_name((enum phase)phase), ns, known);
	}
}

/* ---- steps ---- */

static uint64_t change_of(const struct pair *p)
{
	return p->sum_ns[1] > p->sum_ns[0] ? p->sum_ns[1] - p->sum_ns[0] : p->sum_ns[0] - p->sum_ns[1];
}

static int compare_change(const void *one, const void *two)
{
	const struct pair *a = *(struct pair *const *)one, *b = *(struct pair *const *)two;

	return change_of(a) > change_of(b) ? -1 : change_of(a) < change_of(b);
}

static void print_changed(struct view *v, const struct pairs *p)
{
	_cleanup_free_ struct pair **sorted = xcalloc(p->count + 1, sizeof(struct pair *));
	size_t count = 0;
	char a[FORMAT_MAX], b[FORMAT_MAX];

	for (size_t i = 0; i < p->count; i++) {
		const struct pair *one = p->items[i];

		if (one->count[0] && one->count[1] && one->known[0] && one->known[1] && change_of(one) >= LEAST_NS)
			sorted[count++] = p->items[i];
	}
	if (!count)
		return;
	qsort(sorted, count, sizeof(struct pair *), compare_change);
	strbuf_puts(v->sb, "steps that took longer or shorter\n");
	for (size_t i = 0; i < count && i < ROWS_SHOWN; i++) {
		strbuf_puts(v->sb, "  ");
		cell(v, format_duration(a, sorted[i]->sum_ns[0], v->utf8));
		strbuf_puts(v->sb, v->utf8 ? " →" : " ->");
		cell(v, format_duration(b, sorted[i]->sum_ns[1], v->utf8));
		strbuf_printf(v->sb, "  %s\n", sorted[i]->label);
	}
	if (count > ROWS_SHOWN)
		strbuf_printf(v->sb, "  and %zu more\n", count - ROWS_SHOWN);
}

/* Steps that the other side has not, or not as often. */
static void print_only(struct view *v, const struct pairs *p, int side)
{
	size_t shown = 0, left = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct pair *one = p->items[i];
		size_t more = one->count[side] > one->count[!side] ? one->count[side] - one->count[!side] : 0;

		if (!more)
			continue;
		if (shown >= ROWS_SHOWN) {
			left++;
			continue;
		}
		if (!shown++)
			strbuf_printf(v->sb, "steps only in %c, or more often there\n", 'A' + side);
		strbuf_printf(v->sb, "  %s", one->label);
		if (more > 1)
			strbuf_printf(v->sb, v->utf8 ? " ×%zu" : " x%zu", more);
		strbuf_putc(v->sb, '\n');
	}
	if (left)
		strbuf_printf(v->sb, "  and %zu more\n", left);
}

static void print_failed(struct view *v, const struct pairs *p)
{
	bool any = false;

	for (size_t i = 0; i < p->count; i++) {
		const struct pair *one = p->items[i];

		if (!one->count[0] || !one->count[1] || !one->failed[0] == !one->failed[1])
			continue;
		if (!any)
			strbuf_puts(v->sb, "steps that failed on one side only\n");
		any = true;
		strbuf_printf(v->sb, "  in %c  %s\n", one->failed[0] ? 'A' : 'B', one->label);
	}
}

/* ---- limits ---- */

static const char *limit_of(const struct container *c, const char *file)
{
	for (size_t i = 0; i < c->limit_count; i++) {
		if (!strcmp(c->limits[i].file, file))
			return c->limits[i].value;
	}
	return NULL;
}

static void print_limit(struct view *v, bool *any, const char *file, const char *a, const char *b)
{
	if (a && b && !strcmp(a, b))
		return;
	if (!*any)
		strbuf_puts(v->sb, "limits that differ\n");
	*any = true;
	strbuf_puts(v->sb, "  ");
	text_quote(v->sb, file, v->utf8);
	text_word(v->sb, ": ", a ? a : "not set", v->utf8);
	text_word(v->sb, v->utf8 ? " → " : " -> ", b ? b : "not set", v->utf8);
	strbuf_putc(v->sb, '\n');
}

static void print_limits(struct view *v)
{
	const struct container *a = v->sides[0]->c, *b = v->sides[1]->c;
	bool any = false;

	for (size_t i = 0; i < a->limit_count; i++)
		print_limit(v, &any, a->limits[i].file, a->limits[i].value, limit_of(b, a->limits[i].file));
	for (size_t i = 0; i < b->limit_count; i++) {
		if (!limit_of(a, b->limits[i].file))
			print_limit(v, &any, b->limits[i].file, NULL, b->limits[i].value);
	}
}

void diff_print(struct strbuf *sb, const struct diff_side *a, const struct diff_side *b, bool utf8)
{
	struct view v = { .sb = sb, .sides = { a, b }, .utf8 = utf8 };
	struct pairs pairs = { .items = NULL };

	for (int side = 0; side < 2; side++) {
		const struct container *c = v.sides[side]->c;

		for (size_t i = 0; i < c->step_count; i++)
			add_step(&pairs, c, &c->steps[i], side, v.utf8);
	}
	print_head(&v);
	print_whole(&v);
	print_phases(&v);
	print_changed(&v, &pairs);
	print_only(&v, &pairs, 0);
	print_only(&v, &pairs, 1);
	print_failed(&v, &pairs);
	print_limits(&v);
	free_pairs(&pairs);
}
