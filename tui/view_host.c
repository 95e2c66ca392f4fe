/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: how much happens, what is seen of it, what was lost, what ctrace costs. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/format.h"
#include "exporters/json.h"
#include "exporters/waterfall_text.h"
#include "tui/terminal.h"
#include "tui/view.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { PAGE_ROWS = 400, LABEL = 12 };

/* A page that may be longer than the screen. */
struct page {
	struct ui *ui;
	struct model *m;
	struct screen *s;
	size_t row;
};

static void heading(struct page *p, const char *text)
{
	p->row++;
	screen_put(p->s, p->row++, 0, p->s->columns, STYLE_HEAD, text);
}

static void label(struct page *p, const char *text)
{
	screen_put(p->s, p->row, 0, LABEL - 1, STYLE_DIM, text);
}

__attribute__((format(printf, 3, 4))) static void line(struct page *p, uint8_t style, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		text = NULL;
	screen_put(p->s, p->row++, LABEL, p->s->columns - LABEL, style, text ? text : "");
}

/* A name's and a reason's bytes may come from a recording that somebody sent. */
static char *clean(const char *text, size_t size, bool utf8)
{
	struct strbuf sb = { 0 };

	format_text(&sb, text, strnlen(text, size), utf8);
	return strbuf_steal(&sb);
}

#define CLEAN(array) clean(array, sizeof(array), p->s->utf8)

static void put_kernel(struct page *p)
{
	const struct facts *f = p->m->facts;
	_cleanup_free_ char *host = CLEAN(f->hostname), *kernel = CLEAN(f->kernel), *machine = CLEAN(f->machine);
	_cleanup_free_ char *mode = CLEAN(f->cgroup_mode), *lockdown = CLEAN(f->lockdown), *version = CLEAN(f->ctrace_version);

	label(p, "host");
	line(p, STYLE_BOLD, "%s", host);
	label(p, "kernel");
	line(p, STYLE_NORMAL, "%s %s, %u cpus, cgroup %s, lockdown %s", kernel, machine, f->cpus, mode, lockdown);
	label(p, "ctrace");
	line(p, STYLE_NORMAL, "%s%s", version, f->always_armed ? ", always armed" : "");
}

static void put_containers(struct page *p)
{
	size_t counts[4] = { 0 }, total = timeline_count(p->m->timeline);

	for (size_t i = 0; i < total; i++)
		counts[timeline_get(p->m->timeline, i)->state]++;
	label(p, "containers");
	line(p, STYLE_NORMAL, "%zu running, %zu created, %zu paused, %zu exited", counts[STATE_RUNNING],
		counts[STATE_CREATED], counts[STATE_PAUSED], counts[STATE_EXITED]);
}

static void put_rates(struct page *p)
{
	const struct host *h = &p->m->host;
	double values[HOST_HISTORY], most = 1;
	size_t room = p->s->columns > LABEL + 44 ? p->s->columns - LABEL - 44 : 0;
	struct timeline_stats stats;

	timeline_get_stats(p->m->timeline, &stats);
	label(p, "events");
	if (p->m->playback.is_recording) {
		line(p, STYLE_NORMAL, "%" PRIu64 " until here", stats.events);
		return;
	}
	for (size_t i = 0; i < h->points; i++) {
		values[i] = (double)h->rates[(h->next + HOST_HISTORY - h->points + i) % HOST_HISTORY];
		most = values[i] > most ? values[i] : most;
	}
	if (h->points && room)
		spark_put(p->s, p->row, LABEL + 42, room < HOST_HISTORY ? room : HOST_HISTORY, STYLE_GOOD, values,
			h->points, most);
	line(p, STYLE_NORMAL, "%" PRIu64 " a second, %" PRIu64 " in all", host_rate(h), stats.events);
}

static const char *what_is_lost(const struct loss *l)
{
	if (l->kind)
		return json_event_kind_name(l->kind);
	switch (l->reason) {
	case LOSS_UNWATCHED:
		return "cgroups with a CPU limit";
	case LOSS_UNNAMED:
		return "names and labels";
	case LOSS_UNHEARD:
		return "networks of engines";
	default:
		return "events";
	}
}

static void put_losses(struct page *p)
{
	const struct loss_list *losses = &p->m->losses;
	_cleanup_(strbuf_free) struct strbuf forgotten = { 0 };
	struct timeline_stats stats;

	timeline_get_stats(p->m->timeline, &stats);
	stats.callers_forgotten = span_context_forgotten(&p->m->spans);
	text_forgotten(&forgotten, &stats);
	label(p, "lost");
	if (!stats.lost && !stats.skipped && !forgotten.length) {
		line(p, STYLE_GOOD, "nothing");
		return;
	}
	line(p, stats.lost ? STYLE_BAD : STYLE_NORMAL, "%" PRIu64 " event%s, %" PRIu64 " of them of lifecycles; %"
		PRIu64 " malformed%s", stats.lost, stats.lost == 1 ? "" : "s", stats.lost_lifecycle, stats.skipped, forgotten.length ? forgotten.text : "");
	for (size_t i = 0; i < losses->count; i++) {
		const struct loss *l = &losses->items[i];

		if (l->count)
			line(p, timeline_loss_is_of_events(l->reason) ? STYLE_BAD : STYLE_NORMAL, "%" PRIu64 " %s: %s", l->count,
				what_is_lost(l), json_loss_name(l->reason));
	}
	if (losses->left_out)
		line(p, STYLE_BAD, "losses of further kinds are left out; they were told %" PRIu64 " time%s", losses->left_out,
			losses->left_out == 1 ? "" : "s");
}

static void percent(char *buffer, float value)
{
	if (value < 0)
		strcpy(buffer, "-");
	else
		snprintf(buffer, FORMAT_MAX, "%.1f%%", (double)value);
}

static void put_machine(struct page *p)
{
	const struct host *h = &p->m->host;
	char a[FORMAT_MAX], b[FORMAT_MAX];

	if (p->m->playback.is_recording)
		return; /* a recording has no figures of its machine */
	label(p, "own cost");
	percent(a, h->own_cpu);
	line(p, STYLE_NORMAL, "cpu %s of one, memory %s", a, h->own_memory < 0 ? "-" :
		format_bytes(b, (uint64_t)h->own_memory));
	percent(a, h->hooks_cpu);
	line(p, h->hooks_cpu < 0 ? STYLE_DIM : STYLE_NORMAL, "hooks %s%s", a, h->hooks_cpu < 0 ?
		" (the kernel counts it with kernel.bpf_stats_enabled=1)" : " of one cpu, in everybody's processes");
	for (size_t i = 0; i < PRESSURE_COUNT; i++) {
		percent(a, h->pressure_some[i]);
		percent(b, h->pressure_full[i]);
		label(p, i ? "" : "pressure");
		line(p, h->pressure_some[i] >= 10 ? STYLE_WARN : STYLE_NORMAL, "%-7s some %s, full %s (10 s)",
			host_pressure_name((enum host_pressure)i), a, b);
	}
	label(p, "load");
	if (h->load[0] >= 0)
		line(p, STYLE_NORMAL, "%.2f %.2f %.2f", (double)h->load[0], (double)h->load[1], (double)h->load[2]);
	else
		line(p, STYLE_NORMAL, "-");
	label(p, "memory");
	if (h->memory_total > 0)
		line(p, STYLE_NORMAL, "%s of %s available", format_bytes(a, (uint64_t)h->memory_available),
			format_bytes(b, (uint64_t)h->memory_total));
	else
		line(p, STYLE_NORMAL, "-");
}

struct kind_count {
	uint32_t kind;
	uint64_t count;
};

static int compare_counts(const void *x, const void *y)
{
	const struct kind_count *a = x, *b = y;

	return a->count > b->count ? -1 : a->count < b->count;
}

static void put_kinds(struct page *p)
{
	struct kind_count counts[64];
	struct timeline_stats stats;
	size_t n = 0;

	timeline_get_stats(p->m->timeline, &stats);
	for (size_t i = 0; i < ARRAY_SIZE(stats.events_by_kind); i++) {
		if (stats.events_by_kind[i])
			counts[n++] = (struct kind_count){ (uint32_t)(i < 48 ? i : i - 48 + 256), stats.events_by_kind[i] };
	}
	qsort(counts, n, sizeof(counts[0]), compare_counts);
	heading(p, "EVENTS BY KIND");
	for (size_t i = 0, at = 0; i < n; i++) {
		if (at + 28 > p->s->columns) {
			at = 0;
			p->row++;
		}
		screen_printf(p->s, p->row, at, STYLE_NORMAL, "%9" PRIu64 " %s", counts[i].count,
			json_event_kind_name(counts[i].kind));
		at += 28;
	}
	p->row += n > 0;
}

static void put_hooks(struct page *p)
{
	const struct facts *f = p->m->facts;
	size_t wide = p->s->columns >= 110 ? 42 : p->s->columns >= 60 ? 22 : 14;

	heading(p, "HOOKS");
	for (size_t i = 0; i < f->hook_count; i++) {
		const struct hook_fact *h = &f->hooks[i];
		_cleanup_free_ char *job = CLEAN(h->job), *hook = CLEAN(h->hook), *reason = CLEAN(h->reason);
		bool bad = h->state == HOOK_REFUSED || h->state == HOOK_ABSENT;
		uint8_t style = h->state == HOOK_ATTACHED ? STYLE_GOOD : bad ? STYLE_DIM : STYLE_NORMAL;

		screen_put(p->s, p->row, 0, wide, STYLE_NORMAL, job);
		screen_put(p->s, p->row, wide + 1, 8, style, hook_state_name(h->state));
		screen_printf(p->s, p->row, wide + 10, bad ? STYLE_DIM : STYLE_NORMAL, "%s%s%s", hook,
			*reason ? ": " : "", reason);
		p->row++;
	}
}

static void put_unseen(struct page *p)
{
	const struct facts *f = p->m->facts;

	if (!f->unseen_count)
		return;
	heading(p, "WHAT CANNOT BE SEEN HERE");
	for (size_t i = 0; i < f->unseen_count; i++) {
		_cleanup_free_ char *what = CLEAN(f->unseen[i].what), *why = CLEAN(f->unseen[i].why);
		_cleanup_free_ char *text = xasprintf("%s: %s", what, why);

		p->row += wrap_put(p->s, p->row, 0, p->s->columns, 4, STYLE_NORMAL, text);
	}
}

static struct page make_page(struct ui *ui, struct model *m, size_t columns)
{
	struct page p = { ui, m, screen_new(PAGE_ROWS, columns, ui->utf8), 0 };

	put_kernel(&p);
	put_containers(&p);
	put_rates(&p);
	put_losses(&p);
	put_machine(&p);
	put_kinds(&p);
	put_hooks(&p);
	put_unseen(&p);
	return p;
}

static void draw(struct ui *ui, struct model *m, struct screen *s, struct area area)
{
	struct page p = make_page(ui, m, s->columns);
	struct list *l = &ui->host;

	l->cursor = l->top;
	l->page = area.rows;
	if (l->top + area.rows > p.row)
		l->top = p.row > area.rows ? p.row - area.rows : 0;
	screen_copy(s, area.top, p.s, l->top, area.rows);
	if (l->top + area.rows < p.row)
		screen_put_right(s, area.top + area.rows - 1, 0, s->columns, STYLE_DIM, " more below");
	screen_free(p.s);
}

static size_t height(struct ui *ui, struct model *m, size_t columns)
{
	struct page p = make_page(ui, m, columns);

	screen_free(p.s);
	return p.row;
}

static bool act(struct ui *ui, struct model *m, enum action action)
{
	(void)m;
	return list_scroll(&ui->host, PAGE_ROWS, action);
}

const struct view_operations host_view = { draw, height, act, NULL, NULL };
