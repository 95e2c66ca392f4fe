/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/diagnose.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "exporters/format.h"
#include "exporters/waterfall_text.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Fewer others than that have no median worth the name; a phase stands out when it took so many percent of theirs. */
enum { LEAST_OTHERS = 3, STANDS_OUT_PERCENT = 150, PHASES_SHOWN = 4, STEPS_SHOWN = 3, FAILURES_SHOWN = 6, SENDERS_SHOWN = 3 };
#define LEAST_NS 1000000ULL /* what is shorter is no reason for anything */
#define ASKED_NS 600000000000ULL /* engines wait 10 s for it to end, or 30, or as they were told */

struct view {
	struct strbuf *sb;
	const struct container *c;
	const struct diagnose_others *others;
	bool utf8;
};

static void section(struct view *v, const char *title)
{
	strbuf_printf(v->sb, "%s\n", title);
}

static char *length(const struct view *v, char *buffer, uint64_t ns)
{
	return format_duration(buffer, ns, v->utf8);
}

/* ---- why it ended ---- */

static const struct limit *find_limit(const struct container *c, uint64_t bytes)
{
	for (size_t i = 0; i < c->limit_count; i++) {
		if (str_starts(c->limits[i].file, "memory.") && strtoull(c->limits[i].value, NULL, 10) == bytes)
			return &c->limits[i];
	}
	return NULL;
}

/* Which limit it was, who set it and when, and who had to go for it. */
static void print_oom(struct view *v, const struct mark *m)
{
	const struct detail *bytes = details_get(&m->details, "limit_bytes");
	const char *of = details_text(&m->details, "limit_of");
	const struct limit *limit = bytes ? find_limit(v->c, (uint64_t)bytes->number) : NULL;
	char after[FORMAT_MAX];

	strbuf_puts(v->sb, "  ");
	text_mark(v->sb, m, v->utf8);
	strbuf_putc(v->sb, '\n');
	if (limit && limit->at_ns >= v->c->first_ns)
		strbuf_printf(v->sb, "  the limit is the container's own: %s was set to %s %s after its first sign\n", limit->file,
			limit->value, length(v, after, limit->at_ns - v->c->first_ns));
	else if (of && strcmp(of, "container") != 0)
		strbuf_printf(v->sb, "  the limit that was hit is not the container's but %s\n", !strcmp(of, "host") ?
			"the machine's memory" : !strcmp(of, "parent") ? "that of a cgroup above it" : "that of a cgroup in it");
	if (v->c->started_ns && m->at_ns > v->c->started_ns)
		strbuf_printf(v->sb, "  that was %s after its program began\n",
			length(v, after, m->at_ns - v->c->started_ns));
}

/* Who sent a fatal signal, and what started that. */
static void print_sender(struct view *v)
{
	const struct exit_info *e = &v->c->exit;
	const struct actor *a = NULL;

	for (size_t i = 0; i < v->c->actor_count && e->has_sender; i++) {
		if (v->c->actors[i].pid == e->sender_pid)
			a = &v->c->actors[i];
	}
	for (int hops = 0; a && hops < SENDERS_SHOWN; hops++) {
		strbuf_puts(v->sb, hops ? "    started by " : "  the signal came from ");
		text_actor(v->sb, a, v->utf8);
		for (size_t i = 0; a->argv && a->argv[i]; i++)
			text_word(v->sb, i ? " " : ":  ", a->argv[i], v->utf8);
		strbuf_putc(v->sb, '\n');
		a = a->parent >= 0 ? &v->c->actors[a->parent] : NULL;
	}
}

/* A signal that asks to end, shortly before SIGKILL: the container could have ended by itself. */
static bool asks_to_end(const struct container *c, const struct mark *m)
{
	const struct detail *number = details_get(&m->details, "signal");
	int signal = m->kind == MARK_SIGNAL && number ? (int)number->number : 0;

	return (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGRTMIN + 3) &&
		m->at_ns < c->exit.at_ns && c->exit.at_ns - m->at_ns < ASKED_NS;
}

static void print_asked(struct view *v)
{
	const struct mark *asked = NULL;
	char before[FORMAT_MAX];

	for (size_t i = 0; v->c->exit.signal == SIGKILL && i < v->c->mark_count && !asked; i++)
		asked = asks_to_end(v->c, &v->c->marks[i]) ? &v->c->marks[i] : NULL;
	if (!asked)
		return;
	strbuf_printf(v->sb, "  it was asked to end %s before: ", length(v, before, v->c->exit.at_ns - asked->at_ns));
	text_mark(v->sb, asked, v->utf8);
	strbuf_puts(v->sb, details_get(&asked->details, "ignored") ? ": its first process has no handler for that signal\n" :
		"; its first process did not end by it\n");
}

/* An engine kills a container whose shim (conmon, for podman) was killed, and a start ends with the daemon that was at it. */
static void print_killed_servers(struct view *v)
{
	bool started = v->c->started_ns || v->c->existed;
	uint64_t end = started ? v->c->exit.at_ns : v->c->last_ns;
	char before[FORMAT_MAX], name[FORMAT_MAX];

	for (size_t i = 0; i < v->c->actor_count; i++) {
		const struct actor *a = &v->c->actors[i];
		bool serves = a->role == ACTOR_SHIM || (!started && (a->role == ACTOR_ENGINE || a->role == ACTOR_CONTAINERD));

		if (!serves || !a->exited || !WIFSIGNALED(a->exit_status) || a->end_ns > end)
			continue;
		strbuf_printf(v->sb, "  %s before%s, its %s was killed by %s: ", length(v, before, end - a->end_ns),
			started ? "" : " the last sign of it", actor_role_name(a->role), format_signal(name, WTERMSIG(a->exit_status)));
		text_actor(v->sb, a, v->utf8);
		strbuf_putc(v->sb, '\n');
	}
}

/* Requests that came while it ran, such as a kill: the last thing that somebody wanted. */
static void print_last_request(struct view *v)
{
	const struct step *last = NULL;

	for (size_t i = 0; i < v->c->step_count; i++) {
		const struct step *s = &v->c->steps[i];
		const char *path = s->kind == STEP_REQUEST ? details_text(&s->details, "path") : NULL;

		if (path && s->start_ns > v->c->started_ns && (strstr(path, "/kill") || strstr(path, "/stop")))
			last = s;
	}
	if (!last)
		return;
	strbuf_puts(v->sb, "  somebody asked for it: ");
	text_step(v->sb, last, v->utf8);
	if (last->actor >= 0) {
		strbuf_puts(v->sb, " by ");
		text_actor(v->sb, &v->c->actors[last->actor], v->utf8);
	}
	strbuf_putc(v->sb, '\n');
}

static bool is_over(const struct container *c)
{
	return c->exit.known || c->state == STATE_EXITED || text_is_failure(c);
}

static void print_end(struct view *v)
{
	_cleanup_(strbuf_free) struct strbuf refused = { 0 };
	bool any = false;

	section(v, is_over(v->c) ? "why it ended" : "how it is");
	strbuf_puts(v->sb, "  ");
	text_outcome(v->sb, v->c, v->utf8);
	strbuf_putc(v->sb, '\n');
	for (size_t i = 0; i < v->c->mark_count; i++) {
		if (v->c->marks[i].kind == MARK_OOM_KILL) {
			print_oom(v, &v->c->marks[i]);
			any = true;
		}
	}
	text_refused(&refused, v->c, v->utf8);
	if (refused.length)
		strbuf_printf(v->sb, "  %s\n", refused.text);
	if (!any && v->c->exit.signal) {
		print_sender(v);
		print_killed_servers(v);
		print_asked(v);
		print_last_request(v);
	}
	if (!v->c->started_ns && !v->c->existed)
		print_killed_servers(v);
	if (v->c->exit.known && !v->c->exit.signal && v->c->exit.code)
		strbuf_puts(v->sb, "  its own program ended with that code; its output says why, which ctrace does not read\n");
}

/* ---- what took long ---- */

static bool is_known(const struct phase_span *p)
{
	return p->start_edge != EDGE_LOST && p->end_edge != EDGE_LOST && p->end_edge != EDGE_OPEN;
}

static uint64_t phase_length(const struct container *c, enum phase phase)
{
	for (size_t i = 0; i < c->phase_count; i++) {
		if (c->phases[i].phase == phase && is_known(&c->phases[i]))
			return c->phases[i].end_ns - c->phases[i].start_ns;
	}
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of the phase in the other containers, or with PHASE_COUNT of their whole starts. 0 = too few to tell. */
static uint64_t median(const struct view *v, enum phase phase)
{
	_cleanup_free_ uint64_t *all = NULL;
	size_t count = 0;
	uint64_t middle;

	if (!v->others || v->others->count < LEAST_OTHERS)
		return 0;
	all = xcalloc(v->others->count, sizeof(*all));
	for (size_t i = 0; i < v->others->count; i++) {
		const struct container *c = v->others->items[i];
		uint64_t one = phase < PHASE_COUNT ? phase_length(c, phase) : c->started_ns ? c->started_ns - c->first_ns : 0;

		if (one)
			all[count++] = one;
	}
	qsort(all, count, sizeof(*all), compare_u64);
	middle = count ? all[count / 2] : 0;
	return count < LEAST_OTHERS ? 0 : middle;
}

static void add_comparison(struct view *v, uint64_t mine, enum phase phase)
{
	uint64_t usual = median(v, phase);
	char text[FORMAT_MAX];

	if (!usual)
		return;
	strbuf_printf(v->sb, ", the others' median is %s", length(v, text, usual));
	if (mine * 100 >= usual * STANDS_OUT_PERCENT)
		strbuf_printf(v->sb, ": %" PRIu64 ".%" PRIu64 " times as long", mine / usual, mine % usual * 10 / usual);
}

static const struct phase_span *next_longest(const struct container *c, const struct phase_span *before)
{
	const struct phase_span *best = NULL;

	for (size_t i = 0; i < c->phase_count; i++) {
		const struct phase_span *p = &c->phases[i];
		uint64_t one = p->end_ns - p->start_ns, last = before ? before->end_ns - before->start_ns : UINT64_MAX;

		if (!is_known(p) || p->phase >= PHASE_RUN || one < LEAST_NS || one > last || (one == last && p <= before))
			continue;
		if (!best || one > best->end_ns - best->start_ns)
			best = p;
	}
	return best;
}

/* The steps that fill the most of the phase. */
static void print_steps_of(struct view *v, const struct phase_span *p)
{
	const struct step *shown[STEPS_SHOWN];
	size_t count = 0;

	for (; count < STEPS_SHOWN; count++) {
		const struct step *best = NULL;
		char text[FORMAT_MAX];

		for (size_t i = 0; i < v->c->step_count; i++) {
			const struct step *s = &v->c->steps[i];
			bool told = false;

			for (size_t k = 0; k < count; k++)
				told |= shown[k] == s;
			if (!told && s->phase == p->phase && s->start_ns >= p->start_ns && s->end_ns <= p->end_ns &&
				s->end_ns - s->start_ns >= LEAST_NS && s->start_edge != EDGE_LOST &&
				s->end_edge != EDGE_LOST && (!best || s->end_ns - s->start_ns > best->end_ns - best->start_ns))
				best = s;
		}
		if (!best)
			return;
		shown[count] = best;
		strbuf_printf(v->sb, "    %s  ", length(v, text, best->end_ns - best->start_ns));
		text_step(v->sb, best, v->utf8);
		if (best->actor >= 0) {
			strbuf_puts(v->sb, ", by ");
			text_actor(v->sb, &v->c->actors[best->actor], v->utf8);
		}
		strbuf_putc(v->sb, '\n');
	}
}

static void print_gaps(struct view *v)
{
	const struct gap *longest = NULL;
	uint64_t sum = 0;
	char text[FORMAT_MAX], most[FORMAT_MAX];

	for (size_t i = 0; i < v->c->gap_count; i++) {
		const struct gap *g = &v->c->gaps[i];

		sum += g->end_ns - g->start_ns;
		if (!longest || g->end_ns - g->start_ns > longest->end_ns - longest->start_ns)
			longest = g;
	}
	if (!longest || sum < LEAST_NS)
		return;
	strbuf_printf(v->sb, "  in %s of it nothing was seen; the longest such time is %s", length(v, text, sum),
		length(v, most, longest->end_ns - longest->start_ns));
	if (longest->before_actor >= 0) {
		strbuf_puts(v->sb, ", before ");
		text_actor(v->sb, &v->c->actors[longest->before_actor], v->utf8);
	}
	strbuf_putc(v->sb, '\n');
}

static void print_start(struct view *v)
{
	const struct container *c = v->c;
	const struct phase_span *p = NULL;
	uint64_t whole = c->started_ns && !c->existed ? c->started_ns - c->first_ns : 0;
	char text[FORMAT_MAX];

	if (c->existed)
		return;
	section(v, "what its start took");
	if (whole) {
		strbuf_printf(v->sb, "  %s in all", length(v, text, whole));
		add_comparison(v, whole, PHASE_COUNT);
		strbuf_putc(v->sb, '\n');
	}
	for (int i = 0; i < PHASES_SHOWN && (p = next_longest(c, p)); i++) {
		uint64_t mine = p->end_ns - p->start_ns;

		strbuf_printf(v->sb, "  %s%s  %s", p->end_edge == EDGE_INFERRED || p->start_edge == EDGE_INFERRED ? "~" : "",
			length(v, text, mine), phase_name(p->phase));
		if (mine > p->busy_ns * 2)
			strbuf_printf(v->sb, ", %s of it in calls", length(v, text, p->busy_ns));
		add_comparison(v, mine, p->phase);
		strbuf_putc(v->sb, '\n');
		print_steps_of(v, p);
	}
	print_gaps(v);
}

/* ---- what failed, what is missing ---- */

static bool has_failed(const struct step *s)
{
	return s->has_result && s->result < 0;
}

static void print_failures(struct view *v)
{
	size_t failed = 0, shown = 0;
	char name[FORMAT_MAX];

	for (size_t i = 0; i < v->c->step_count; i++)
		failed += has_failed(&v->c->steps[i]);
	if (!failed)
		return;
	section(v, "calls that failed");
	if (v->c->started_ns && !text_is_failure(v->c))
		strbuf_puts(v->sb, "  it started and ended well after these, so they did no harm\n");
	else if (v->c->started_ns)
		strbuf_puts(v->sb, "  those before its program began did not keep it from starting\n");
	for (size_t i = v->c->step_count; i-- > 0 && shown < FAILURES_SHOWN;) { /* the last ones tell more */
		const struct step *s = &v->c->steps[i];

		if (!has_failed(s))
			continue;
		strbuf_printf(v->sb, "  %s  ", format_errno(name, s->result > -4096 ? (int)-s->result : 0));
		text_step(v->sb, s, v->utf8);
		strbuf_printf(v->sb, ", in %s\n", phase_name(s->phase));
		shown++;
	}
	if (failed > shown)
		strbuf_printf(v->sb, "  and %zu before\n", failed - shown);
}

static void print_missing(struct view *v)
{
	const struct container *c = v->c;

	if (!c->lost && !text_is_cut(c) && !c->inferred_front)
		return;
	section(v, "what may be missing");
	if (c->lost)
		strbuf_printf(v->sb, "  %" PRIu64 " %s lost while it lived: what is said above may be wrong\n", c->lost,
			c->lost == 1 ? "event was" : "events were");
	if (text_is_cut(c)) {
		strbuf_puts(v->sb, "  ");
		text_cut(v->sb, c);
		strbuf_putc(v->sb, '\n');
	}
	if (c->inferred_front) {
		strbuf_puts(v->sb, "  ");
		text_blind_front(v->sb, c);
		strbuf_putc(v->sb, '\n');
	}
}

void diagnose_print(struct strbuf *sb, const struct container *c, const struct diagnose_others *others, bool utf8)
{
	struct view v = { sb, c, others, utf8 };

	text_title(sb, c, utf8);
	strbuf_putc(sb, '\n');
	print_end(&v);
	print_start(&v);
	print_failures(&v);
	print_missing(&v);
	strbuf_putc(sb, '\n');
}
