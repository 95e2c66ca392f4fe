/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mermaid gantt charts, one per container, each in a fence of its own, to be pasted into an issue or a README of
 * GitHub. Phases first, then what each actor did for each phase; marks are milestones.
 *
 * Mermaid knows milliseconds of a date, no less. Its axis here is "milliseconds" that stand for microseconds, or for
 * milliseconds where the container lived longer than a minute: the title says which.
 */
#include <inttypes.h>
#include <string.h>

#include "exporters/export.h"
#include "exporters/format.h"
#include "exporters/lineage.h"
#include "exporters/waterfall_text.h"
#include "util/cleanup.h"

enum { LABEL_MAX = 60, TITLE_MAX = 160, MAX_TASKS = 200 /* GitHub gives up on charts that are much larger */ };

struct view {
	struct strbuf *sb;
	const struct container *c;
	uint64_t unit_ns;
	size_t tasks;
};

/* In a gantt chart ":" ends a name, ";" and a line end end a line, "%%" begins a comment and "#" an entity, and words
 * such as "section" are keywords at the start of a line. What is not certainly harmless becomes its own entity, which
 * Mermaid shows as the character: #58; is a colon. */
static void add_name(struct strbuf *sb, const char *text, size_t most)
{
	size_t length = strlen(text), n;

	for (size_t i = 0; i < length; i += n) {
		unsigned char c = (unsigned char)text[i];

		n = utf8_sequence(text + i, length - i);
		n = n ? n : 1;
		if (i + n > most) {
			strbuf_puts(sb, "…");
			break;
		}
		if (c == '\\' || (c < 0x80 && strchr(":;#%,\"'`<>{}[]()|&$@^*_~!", c)))
			strbuf_printf(sb, "#%u;", c);
		else
			strbuf_add(sb, text + i, n);
	}
}

static uint64_t scaled(const struct view *v, uint64_t ns)
{
	uint64_t since = ns > v->c->first_ns ? ns - v->c->first_ns : 0;

	return (since + v->unit_ns / 2) / v->unit_ns;
}

static void section(struct view *v, const char *name)
{
	strbuf_puts(v->sb, "    section ");
	add_name(v->sb, name, LABEL_MAX);
	strbuf_putc(v->sb, '\n');
}

/* style: "crit, " for what failed, "done, " for what is over and of no interest, "active, ". */
static void task(struct view *v, const char *name, const char *style, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t start = scaled(v, start_ns), end = scaled(v, end_ns);

	if (v->tasks++ >= MAX_TASKS)
		return;
	strbuf_puts(v->sb, "    ");
	add_name(v->sb, name, LABEL_MAX);
	strbuf_printf(v->sb, " :%s%" PRIu64 ", %" PRIu64 "\n", style, start, end > start ? end : start + 1);
}

/* "mounts 2.42 ms", "~" where an edge was inferred, "?" where one was lost. */
static void add_length(struct strbuf *sb, uint64_t start_ns, uint64_t end_ns, enum edge start, enum edge end)
{
	char text[FORMAT_MAX];

	if (start == EDGE_LOST || end == EDGE_LOST)
		strbuf_puts(sb, " ?");
	else if (end_ns > start_ns)
		strbuf_printf(sb, " %s%s%s", start == EDGE_INFERRED || end == EDGE_INFERRED ? "~" : "",
			format_duration(text, end_ns - start_ns, true), end == EDGE_OPEN ? "+" : "");
}

static void phases(struct view *v)
{
	section(v, "phases");
	for (size_t i = 0; i < v->c->phase_count; i++) {
		const struct phase_span *p = &v->c->phases[i];
		uint64_t end = lineage_end(v->c, p->start_ns, p->end_ns, p->end_edge);
		_cleanup_(strbuf_free) struct strbuf name = { 0 };

		strbuf_puts(&name, phase_name(p->phase));
		add_length(&name, p->start_ns, end, p->start_edge, p->end_edge);
		if (p->failed)
			strbuf_printf(&name, ", %zu failed", p->failed);
		task(v, name.text, p->phase == PHASE_RUN ? "done, " : "", p->start_ns, end);
	}
}

/* What an actor did for a phase: from the first of its steps to the last. False: nothing. */
static bool part_of(const struct container *c, int actor, enum phase phase, uint64_t *start, uint64_t *end)
{
	bool any = false;

	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];
		uint64_t last = lineage_end(c, s->start_ns, s->end_ns, s->end_edge);

		if (s->actor != actor || s->phase != phase)
			continue;
		*start = any && *start < s->start_ns ? *start : s->start_ns;
		*end = any && *end > last ? *end : last;
		any = true;
	}
	return any;
}

static void actor(struct view *v, int index)
{
	_cleanup_(strbuf_free) struct strbuf who = { 0 };
	uint64_t start, end;
	bool any = false;

	text_actor(&who, &v->c->actors[index], true);
	if (!who.length) /* a process may take its name away */
		strbuf_puts(&who, "?");
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		_cleanup_(strbuf_free) struct strbuf name = { 0 };

		if (!part_of(v->c, index, (enum phase)phase, &start, &end))
			continue;
		if (!any)
			section(v, who.text);
		any = true;
		strbuf_puts(&name, phase_name((enum phase)phase));
		add_length(&name, start, end, EDGE_OBSERVED, EDGE_OBSERVED);
		task(v, name.text, "", start, end);
	}
}

static void marks(struct view *v)
{
	bool any = false;

	for (size_t i = 0; i < v->c->mark_count; i++) {
		const struct mark *m = &v->c->marks[i];
		_cleanup_(strbuf_free) struct strbuf name = { 0 };

		if (m->kind == MARK_STAGE)
			continue;
		if (!any)
			section(v, "marks");
		any = true;
		text_mark(&name, m, true);
		task(v, name.text, text_mark_is_bad(m) ? "crit, milestone, " : "milestone, ", m->at_ns, m->at_ns);
	}
}

static void container(struct strbuf *sb, const struct export *e, const struct container *c)
{
	struct view v = { .sb = sb, .c = c,
		.unit_ns = c->last_ns - c->first_ns > 60000000000ULL ? 1000000 : 1000 };
	_cleanup_(strbuf_free) struct strbuf title = { 0 };

	if (e->containers)
		strbuf_putc(sb, '\n');
	text_container(&title, c, true);
	strbuf_puts(&title, " - ");
	text_outcome(&title, c, true);
	strbuf_puts(sb, "```mermaid\ngantt\n    title ");
	add_name(sb, title.text, TITLE_MAX);
	strbuf_printf(sb, " (axis in %s)\n    dateFormat x\n    axisFormat %s\n", v.unit_ns == 1000 ? "ms" : "s", "%s.%L");
	phases(&v);
	marks(&v);
	for (size_t i = 0; i < c->actor_count; i++)
		actor(&v, (int)i);
	if (v.tasks > MAX_TASKS)
		strbuf_printf(sb, "    %%%% %zu more are left out\n", v.tasks - MAX_TASKS);
	strbuf_puts(sb, "```\n");
}

const struct export_format export_mermaid = { "mermaid", NULL, container, NULL };
