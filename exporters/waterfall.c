/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/waterfall_internal.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "exporters/format.h"
#include "exporters/lineage.h"
#include "exporters/waterfall_text.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { WIDTH_MIN = 60, WIDTH_MAX = RULER_COLUMNS, DURATION_COLUMNS = 9, PERCENT_COLUMNS = 5,
	ACTOR_DEPTH = 12,
	/* a summary stays one: hundreds of exec sessions are counted */
	SUMMARY_ACTORS = 24, SUMMARY_MARKS = 10 };

static const char *phase_color(enum phase phase)
{
	static const char *const colors[PHASE_COUNT] = {
		[PHASE_REQUEST] = "36", [PHASE_IMAGE] = "34", [PHASE_ROOTFS] = "34",
		[PHASE_NETWORK] = "35", [PHASE_CGROUP] = "33", [PHASE_NAMESPACES] = "32",
		[PHASE_MOUNTS] = "36", [PHASE_HOOKS] = "35", [PHASE_PIVOT] = "34",
		[PHASE_HARDEN] = "33", [PHASE_EXEC] = "32", [PHASE_RUN] = "32",
		[PHASE_STOP] = "33", [PHASE_TEARDOWN] = "90",
	};

	return colors[phase];
}

/* "12.3 ms", "~12.3 ms" with an inferred edge, "?" with a lost one, "12.3 ms+" if it goes on; a point has no length. */
static void duration_text(struct strbuf *sb, uint64_t start_ns, uint64_t end_ns, enum edge start,
	enum edge end, bool utf8)
{
	char text[FORMAT_MAX];

	if (start == EDGE_LOST || end == EDGE_LOST || end_ns < start_ns) {
		strbuf_puts(sb, "?");
		return;
	}
	if (end_ns == start_ns && end != EDGE_OPEN)
		return;
	if (start == EDGE_INFERRED || end == EDGE_INFERRED)
		strbuf_putc(sb, '~');
	strbuf_puts(sb, format_duration(text, end_ns - start_ns, utf8));
	if (end == EDGE_OPEN)
		strbuf_putc(sb, '+');
}

static void pad_left(struct view *v, const char *text, size_t columns)
{
	size_t width = format_width(text);

	if (width < columns)
		format_blanks(v->sb, columns - width);
	strbuf_puts(v->sb, text);
}

/* One row: label, bars, duration, percentage of the whole, and what is said behind it. */
struct row {
	const char *label, *label_color;
	const struct bars *bars;
	const char *bar_color;
	const char *duration;
	int percent; /* -1 = none */
	const char *tail, *tail_color;
};

static void print_row(struct view *v, const struct row *row)
{
	char percent[16] = "";

	view_paint(v, row->label_color);
	format_fit(v->sb, row->label, v->label, v->o->utf8);
	view_unpaint(v, row->label_color);
	strbuf_putc(v->sb, ' ');
	view_paint(v, row->bar_color);
	if (row->bars)
		bars_print(v->sb, row->bars, &v->ruler, v->o->utf8);
	else
		format_fit(v->sb, "", v->ruler.columns, v->o->utf8);
	view_unpaint(v, row->bar_color);
	strbuf_putc(v->sb, ' ');
	pad_left(v, row->duration ? row->duration : "", DURATION_COLUMNS);
	if (row->percent >= 0)
		snprintf(percent, sizeof(percent), "%d%%", row->percent);
	if (!v->full)
		pad_left(v, percent, PERCENT_COLUMNS);
	if (row->tail && *row->tail) {
		strbuf_puts(v->sb, "  ");
		view_paint(v, row->tail_color);
		format_fit(v->sb, row->tail, v->tail, v->o->utf8);
		view_unpaint(v, row->tail_color);
	}
	view_end_line(v);
}

/* Of the time that is shown: where an hour of running was cut out, everything else would be 0 %.
 * What holds a cut itself has no percentage. */
static int percent_of(const struct view *v, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t total = ruler_shown(&v->ruler);

	for (size_t i = 0; i < v->ruler.cut_count; i++) {
		if (start_ns <= v->ruler.cuts[i].start_ns && end_ns >= v->ruler.cuts[i].end_ns)
			return -1;
	}
	if (end_ns < start_ns || !total || end_ns - start_ns > total)
		return -1;
	return (int)((double)(end_ns - start_ns) * 100 / (double)total + 0.5);
}

/* ---- phases ---- */

static bool belongs_to(const struct step *s, const struct phase_span *p)
{
	return s->phase == p->phase && s->start_ns >= p->start_ns &&
	       (p->end_edge == EDGE_OPEN || s->start_ns <= p->end_ns);
}

/* What a phase's steps are, by kind. */
struct fold {
	size_t counts[STEP_KIND_COUNT], order[STEP_KIND_COUNT], kinds;
	int error; /* of the first that failed */
};

static void fold_step(struct fold *f, const struct step *s)
{
	if (!f->counts[s->kind]++)
		f->order[f->kinds++] = s->kind;
	if (s->has_result && s->result < 0 && !f->error)
		f->error = (int)-s->result;
}

/* "mount ×17, umount ×2" in order of first appearance. */
static void print_fold(struct view *v, struct strbuf *sb, const struct fold *f, size_t failed)
{
	char error[FORMAT_MAX] = "";

	if (failed)
		strbuf_printf(sb, "%zu failed (%s)", failed, f->error ? format_errno(error, f->error) : error);
	for (size_t i = 0; i < f->kinds; i++) {
		strbuf_puts(sb, sb->length ? ", " : "");
		strbuf_puts(sb, text_step_kind((enum step_kind)f->order[i]));
		if (f->counts[f->order[i]] == 1)
			continue;
		strbuf_puts(sb, v->o->utf8 ? " ×" : " x");
		strbuf_number(sb, f->counts[f->order[i]]);
	}
}

static uint64_t end_of(const struct view *v, uint64_t end_ns, enum edge edge)
{
	return edge == EDGE_OPEN || !end_ns ? v->ruler.end_ns : end_ns;
}

static void print_phase(struct view *v, const struct phase_span *p)
{
	uint64_t end_ns = end_of(v, p->end_ns, p->end_edge);
	_cleanup_(strbuf_free) struct strbuf duration = { 0 };
	_cleanup_(strbuf_free) struct strbuf what = { 0 };
	struct bars bars = { 0 };
	struct fold fold = { 0 };
	bool known = p->start_edge != EDGE_LOST && p->end_edge != EDGE_LOST && (end_ns > p->start_ns || p->end_edge == EDGE_OPEN);

	bars_add(&bars, &v->ruler, p->start_ns, end_ns, BAR_SPAN);
	for (size_t i = 0; i < v->c->step_count; i++) {
		const struct step *s = &v->c->steps[i];
		uint64_t step_end_ns = end_of(v, s->end_ns, s->end_edge);

		if (!belongs_to(s, p))
			continue;
		/* a request that outlasts its phase waits: for the container to run, or to end */
		bars_add(&bars, &v->ruler, s->start_ns, step_end_ns > end_ns ? s->start_ns : step_end_ns, BAR_BUSY);
		fold_step(&fold, s);
	}
	duration_text(&duration, p->start_ns, end_ns, p->start_edge, p->end_edge, v->o->utf8);
	if (!v->full)
		print_fold(v, &what, &fold, p->failed);
	print_row(v, &(struct row){ .label = phase_name(p->phase), .label_color = v->full ? BOLD : NULL,
		.bars = &bars, .bar_color = phase_color(p->phase), .duration = duration.text,
		.percent = known ? percent_of(v, p->start_ns, end_ns) : -1,
		.tail = what.text, .tail_color = p->failed ? RED : DIM });
}

/* ---- steps ---- */

static void print_step(struct view *v, const struct step *s, bool last)
{
	_cleanup_(strbuf_free) struct strbuf label = { 0 };
	_cleanup_(strbuf_free) struct strbuf duration = { 0 };
	_cleanup_(strbuf_free) struct strbuf who = { 0 };
	uint64_t end_ns = end_of(v, s->end_ns, s->end_edge);
	bool failed = s->has_result && s->result < 0;
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	enum explained explained = v->explain ? explain_step(v->explain, s, &text) : EXPLAINED_NOT;
	struct bars bars = { 0 };
	char name[FORMAT_MAX];

	strbuf_puts(&label, v->o->utf8 ? (last ? " └ " : " ├ ") : " - ");
	if (explained == EXPLAINED_ABOVE)
		strbuf_puts(&label, v->o->utf8 ? "↑ " : "^ ");
	if (failed)
		strbuf_printf(&label, "%s ", format_errno(name, (int)-s->result));
	text_step(&label, s, v->o->utf8);
	bars_add(&bars, &v->ruler, s->start_ns, end_ns, BAR_BUSY);
	duration_text(&duration, s->start_ns, end_ns, s->start_edge, s->end_edge, v->o->utf8);
	if (s->actor >= 0 && (size_t)s->actor < v->c->actor_count)
		text_actor(&who, &v->c->actors[s->actor], v->o->utf8);
	if (failed && format_width(label.text) > v->label) {
		/* What failed is worth a line of its own. */
		view_wrapped(v, label.text, 0, RED);
		strbuf_reset(&label);
		strbuf_puts(&label, "   ");
	}
	print_row(v, &(struct row){ .label = label.text, .label_color = failed ? RED : NULL, .bars = &bars,
		.bar_color = failed ? RED : phase_color(s->phase), .duration = duration.text,
		.percent = -1, .tail = who.text, .tail_color = DIM });
	if (explained == EXPLAINED)
		view_wrapped(v, text.text, 6, DIM);
}

/* Of what is narrowed, a phase without a step that passes is not told. */
static bool phase_passes(const struct view *v, const struct phase_span *p)
{
	if (!v->full || !v->o->filter)
		return true;
	for (size_t i = 0; i < v->c->step_count; i++) {
		if (belongs_to(&v->c->steps[i], p) && filter_step(v->o->filter, v->c, &v->c->steps[i]))
			return true;
	}
	return false;
}

static void print_phase_steps(struct view *v, const struct phase_span *p)
{
	const struct step *pending = NULL;

	for (size_t i = 0; i < v->c->step_count; i++) {
		if (!belongs_to(&v->c->steps[i], p) || !filter_step(v->o->filter, v->c, &v->c->steps[i]))
			continue;
		if (pending)
			print_step(v, pending, false);
		pending = &v->c->steps[i];
	}
	if (pending)
		print_step(v, pending, true);
}

/* ---- gaps, actors, marks ---- */

static void print_gaps(struct view *v)
{
	_cleanup_(strbuf_free) struct strbuf what = { 0 };
	uint64_t sum = 0, longest = 0;
	char duration[FORMAT_MAX], most[FORMAT_MAX];
	struct bars bars = { 0 };
	int before = -1;

	if (!v->c->gap_count)
		return;
	for (size_t i = 0; i < v->c->gap_count; i++) {
		const struct gap *g = &v->c->gaps[i];

		bars_add(&bars, &v->ruler, g->start_ns, g->end_ns, BAR_GAP);
		sum += g->end_ns - g->start_ns;
		if (g->end_ns - g->start_ns > longest) {
			longest = g->end_ns - g->start_ns;
			before = g->before_actor;
		}
	}
	format_duration(most, longest, v->o->utf8);
	strbuf_printf(&what, v->c->gap_count > 1 ? "longest %s" : "%s", most);
	if (before >= 0 && (size_t)before < v->c->actor_count) {
		strbuf_puts(&what, " before ");
		text_actor(&what, &v->c->actors[before], v->o->utf8);
	}
	print_row(v, &(struct row){ .label = "untraced", .label_color = DIM, .bars = &bars,
		.bar_color = DIM, .duration = format_duration(duration, sum, v->o->utf8),
		.percent = percent_of(v, v->ruler.start_ns, v->ruler.start_ns + sum), .tail = what.text, .tail_color = DIM });
}

static void actor_tail(struct view *v, struct strbuf *sb, size_t index)
{
	const struct actor *a = &v->c->actors[index];
	size_t steps = 0, failed = 0;
	char signal[FORMAT_MAX];

	for (size_t i = 0; i < v->c->step_count; i++) {
		if (v->c->steps[i].actor != (int)index)
			continue;
		steps++;
		failed += v->c->steps[i].has_result && v->c->steps[i].result < 0;
	}
	strbuf_puts(sb, actor_role_name(a->role));
	if (steps)
		strbuf_printf(sb, ", %zu step%s", steps, steps == 1 ? "" : "s");
	if (failed)
		strbuf_printf(sb, ", %zu failed", failed);
	if (a->exited && (a->exit_status & 0x7f))
		strbuf_printf(sb, ", %s", format_signal(signal, a->exit_status & 0x7f));
	else if (a->exited && a->exit_status)
		strbuf_printf(sb, ", exit %d", a->exit_status >> 8 & 0xff);
}

/* What of its time it spent on a CPU, and waiting for one if that is worth a word. */
static void cpu_tail(struct view *v, struct strbuf *sb, const struct actor *a)
{
	char text[FORMAT_MAX];

	if (!a->has_cpu)
		return;
	strbuf_printf(sb, ", cpu %s", format_duration(text, a->on_cpu_ns, v->o->utf8));
	if (a->end_ns > a->start_ns && a->run_queue_ns > (a->end_ns - a->start_ns) / 10)
		strbuf_printf(sb, ", queued %s", format_duration(text, a->run_queue_ns, v->o->utf8));
}

static void print_actor(struct view *v, size_t index, const char *branch)
{
	const struct actor *a = &v->c->actors[index];
	uint64_t end_ns = a->end_ns ? a->end_ns : v->ruler.end_ns;
	uint64_t start_ns = a->start_ns > v->ruler.start_ns ? a->start_ns : v->ruler.start_ns;
	_cleanup_(strbuf_free) struct strbuf label = { 0 };
	_cleanup_(strbuf_free) struct strbuf duration = { 0 };
	_cleanup_(strbuf_free) struct strbuf what = { 0 };
	struct bars bars = { 0 };

	strbuf_puts(&label, branch);
	text_actor(&label, a, v->o->utf8);
	bars_add(&bars, &v->ruler, start_ns, end_ns, BAR_SPAN);
	for (size_t i = 0; i < v->c->step_count; i++) {
		const struct step *s = &v->c->steps[i];

		if (s->actor == (int)index)
			bars_add(&bars, &v->ruler, s->start_ns, end_of(v, s->end_ns, s->end_edge), BAR_BUSY);
	}
	if (!a->is_shared)
		duration_text(&duration, start_ns, end_ns, a->start_edge,
			a->end_ns ? a->end_edge : EDGE_OPEN, v->o->utf8);
	actor_tail(v, &what, index);
	cpu_tail(v, &what, a);
	print_row(v, &(struct row){ .label = label.text, .bars = &bars, .bar_color = DIM,
		.duration = duration.text, .percent = -1, .tail = what.text, .tail_color = DIM });
}

static bool has_later_sibling(const struct container *c, size_t index, const bool *done)
{
	for (size_t i = 0; i < c->actor_count; i++) {
		if (i != index && !done[i] && c->actors[i].parent == c->actors[index].parent)
			return true;
	}
	return false;
}

/* Parents before children, children where their parent is; branch is what stands left of them. `done`
 * keeps what is in a circle from being printed twice. */
static void print_actors_below(struct view *v, int parent, bool *done, const char *branch, size_t depth)
{
	for (size_t i = 0; i < v->c->actor_count && depth <= ACTOR_DEPTH; i++) {
		_cleanup_free_ char *own = NULL, *below = NULL;
		bool more;

		if (done[i] || v->c->actors[i].parent != parent)
			continue;
		done[i] = true;
		if (!v->full && v->actors_printed++ >= SUMMARY_ACTORS)
			continue;
		more = has_later_sibling(v->c, i, done);
		own = xasprintf("%s%s", branch, !depth ? "" : v->o->utf8 ? (more ? "├ " : "└ ") : "` ");
		below = xasprintf("%s%s", branch, !depth ? "" : !more ? "  " : v->o->utf8 ? "│ " : "| ");
		print_actor(v, i, own);
		print_actors_below(v, (int)i, done, below, depth + 1);
	}
}

static void print_actors(struct view *v)
{
	_cleanup_free_ bool *done = xcalloc(v->c->actor_count, sizeof(*done));

	if (v->c->actor_count)
		strbuf_putc(v->sb, '\n');
	for (size_t i = 0; i < v->c->actor_count; i++)
		done[i] = !v->full && lineage_is_prelude(v->c, (int)i);
	print_actors_below(v, -1, done, "", 0);
	for (size_t i = 0; i < v->c->actor_count; i++) {
		if (!done[i] && (v->full || v->actors_printed++ < SUMMARY_ACTORS))
			print_actor(v, i, "");
	}
	if (!v->full && v->actors_printed > SUMMARY_ACTORS) {
		strbuf_printf(v->sb, "and %zu more actors; --trace=full shows them all",
			v->actors_printed - SUMMARY_ACTORS);
		view_end_line(v);
	}
}

/* Only throttling takes time. */
static const char *mark_duration(char *buffer, const struct mark *m, bool utf8)
{
	const struct detail *d = m->kind == MARK_THROTTLE ? details_get(&m->details, "throttled_ns") : NULL;

	return d ? format_duration(buffer, (uint64_t)d->number, utf8) : "";
}

static void print_marks(struct view *v)
{
	size_t printed = 0;

	for (size_t i = 0; i < v->c->mark_count; i++) {
		const struct mark *m = &v->c->marks[i];
		_cleanup_(strbuf_free) struct strbuf text = { 0 };
		char at[FORMAT_MAX], took[FORMAT_MAX];
		struct bars bars = { 0 };
		bool bad = text_mark_is_bad(m);

		if (!v->full && (m->kind == MARK_STAGE || m->kind == MARK_STARTED))
			continue;
		if (!v->full && printed++ >= SUMMARY_MARKS)
			continue;
		bars_add(&bars, &v->ruler, m->at_ns, text_mark_end(m), BAR_BUSY);
		strbuf_puts(&text, v->o->utf8 ? "▲ " : "^ ");
		text_mark(&text, m, v->o->utf8);
		print_row(v, &(struct row){ .label = text.text, .label_color = bad ? RED : YELLOW,
			.bars = &bars, .bar_color = bad ? RED : YELLOW, .percent = -1,
			.duration = mark_duration(took, m, v->o->utf8), .tail = m->at_ns >= v->ruler.start_ns ?
				format_duration(at, m->at_ns - v->ruler.start_ns, v->o->utf8) : "" });
	}
	if (printed > SUMMARY_MARKS) {
		strbuf_printf(v->sb, "and %zu more marks; --trace=full shows them all", printed - SUMMARY_MARKS);
		view_end_line(v);
	}
}

static void print_ruler(struct view *v)
{
	format_fit(v->sb, "", v->label + 1, v->o->utf8);
	view_paint(v, DIM);
	ruler_print(v->sb, &v->ruler, v->o->utf8);
	if (v->ruler.cut_count && !v->full) {
		pad_left(v, "%", 1 + DURATION_COLUMNS + PERCENT_COLUMNS);
		strbuf_puts(v->sb, "  ");
		format_fit(v->sb, v->o->utf8 ? "⟨…⟩ is cut out" : "<...> is cut out", v->tail, v->o->utf8);
	}
	view_unpaint(v, DIM);
	view_end_line(v);
}

static void layout(struct view *v)
{
	size_t width = v->o->width ? v->o->width : 80, rest;

	v->width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
	if (v->full) {
		v->label = v->width / 2;
		v->tail = v->width >= 100 ? v->width / 7 : 0;
		rest = v->width - v->label - 2 - DURATION_COLUMNS - (v->tail ? v->tail + 2 : 0);
		ruler_init(&v->ruler, v->c, rest);
		return;
	}
	v->label = v->width / 4;
	rest = v->width - v->label - 2 - DURATION_COLUMNS - PERCENT_COLUMNS - 2;
	v->tail = rest * 2 / 5;
	ruler_init(&v->ruler, v->c, rest - v->tail);
}

void waterfall_print(struct strbuf *sb, const struct container *c,
	const struct waterfall_options *options)
{
	struct view v = { .sb = sb, .c = c, .o = options,
		.full = options->explain || options->detail == WATERFALL_FULL };

	layout(&v);
	if (options->explain)
		v.explain = explain_new(c);
	view_header(&v);
	strbuf_putc(sb, '\n');
	print_ruler(&v);
	for (size_t i = 0; i < c->phase_count; i++) {
		if (!phase_passes(&v, &c->phases[i]))
			continue;
		print_phase(&v, &c->phases[i]);
		if (v.full)
			print_phase_steps(&v, &c->phases[i]);
	}
	print_gaps(&v);
	print_marks(&v);
	print_actors(&v);
	view_waits(&v);
	view_losses(&v);
	if (v.explain)
		view_painted(&v, DIM, options->utf8 ? "↑ explained above\n" : "^ explained above\n");
	strbuf_putc(sb, '\n');
	explain_free(v.explain);
}

/* Where somebody may have expected a container, and there was a sandbox. */
static void print_namespaced(struct view *v, const struct namespaced *n)
{
	strbuf_printf(v->sb, "%" PRIu64 " process%s began in new namespaces", n->count, n->count == 1 ? "" : "es");
	text_word(v->sb, n->count == 1 ? ", made by " : ", the last made by ", n->by, v->o->utf8);
	strbuf_puts(v->sb, ", but by no runtime and in no container's cgroup that ctrace knows");
	view_end_line(v);
}

void waterfall_print_stats(struct strbuf *sb, const struct timeline_stats *s, uint64_t containers,
	const struct waterfall_options *options)
{
	struct view v = { .sb = sb, .o = options };
	const char *color = s->lost || s->skipped ? RED : DIM;

	view_paint(&v, color);
	strbuf_printf(sb, "%" PRIu64 " container%s, %" PRIu64 " events, ", containers,
		containers == 1 ? "" : "s", s->events);
	if (s->lost)
		strbuf_printf(sb, "LOST %" PRIu64 " (%" PRIu64 " that identity rests on)", s->lost,
			s->lost_lifecycle);
	else
		strbuf_puts(sb, "none lost");
	if (s->skipped)
		strbuf_printf(sb, ", %" PRIu64 " malformed", s->skipped);
	text_forgotten(sb, s);
	view_unpaint(&v, color);
	view_end_line(&v);
	if (!containers && s->namespaced.count)
		print_namespaced(&v, &s->namespaced);
}

void waterfall_detect(struct waterfall_options *o, FILE *out, enum waterfall_color color)
{
	const char *no_color = getenv("NO_COLOR"), *columns = getenv("COLUMNS"), *term = getenv("TERM");
	bool terminal = isatty(fileno(out));
	struct winsize size;

	o->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	o->color = color == WATERFALL_COLOR_ALWAYS ||
		(color == WATERFALL_COLOR_AUTO && terminal && !(no_color && *no_color) &&
			!(term && !strcmp(term, "dumb")));
	if (!o->width && terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
		o->width = size.ws_col;
	if (!o->width && columns)
		o->width = (size_t)strtoul(columns, NULL, 10);
	if (!o->width)
		o->width = terminal ? 80 : 120;
}
