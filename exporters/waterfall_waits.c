/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that waited longest, and for what: below the bars, as it is the answer to "why so slow?". */
#include <string.h>

#include "exporters/format.h"
#include "exporters/waterfall_internal.h"
#include "exporters/waterfall_text.h"
#include "util/cleanup.h"

enum { WAITS_SHOWN = 3, FUNCTIONS_SHOWN = 3 };
#define LEAST_WAIT_NS 1000000ULL

static uint64_t wait_of(const struct step *s)
{
	if (!s->times)
		return 0;
	return s->times->blocked_ns > s->times->run_queue_ns ? s->times->blocked_ns : s->times->run_queue_ns;
}

/* The longest that is shorter than the one before; among equals the earlier. */
static const struct step *next_longest(const struct container *c, const struct step *before)
{
	const struct step *best = NULL;

	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];
		bool comes_later = !before || wait_of(s) < wait_of(before) || (wait_of(s) == wait_of(before) && s > before);

		if (wait_of(s) >= LEAST_WAIT_NS && comes_later && (!best || wait_of(s) > wait_of(best)))
			best = s;
	}
	return best;
}

static void print_wait(struct view *v, const struct step *s)
{
	bool queued = s->times->run_queue_ns > s->times->blocked_ns;
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	char duration[FORMAT_MAX];

	strbuf_printf(&text, queued ? "%s waiting for a CPU in " : "%s blocked in ",
		format_duration(duration, wait_of(s), v->o->utf8));
	text_step(&text, s, v->o->utf8);
	if (s->actor >= 0 && (size_t)s->actor < v->c->actor_count) {
		strbuf_puts(&text, " by ");
		text_actor(&text, &v->c->actors[s->actor], v->o->utf8);
	}
	if (!queued && s->times->blocked_in) {
		strbuf_puts(&text, ": ");
		text_functions(&text, s->times->blocked_in, FUNCTIONS_SHOWN, v->o->utf8);
	}
	view_wrapped(v, text.text, 2, queued ? NULL : YELLOW);
}

void view_waits(struct view *v)
{
	const struct step *s = NULL;
	size_t more = 0;

	for (size_t i = 0; i < WAITS_SHOWN; i++) {
		s = next_longest(v->c, s);
		if (!s)
			return;
		if (i == 0)
			view_painted(v, v->full ? BOLD : DIM, "longest waits\n");
		print_wait(v, s);
	}
	while ((s = next_longest(v->c, s)))
		more++;
	if (more) {
		strbuf_printf(v->sb, "  and %zu more of at least 1 ms", more);
		view_end_line(v);
	}
}
