/* SPDX-License-Identifier: Apache-2.0 */
/* What a view shows, as JSON (JSON_SCHEMA.md, "top"). */
#include <stdio.h>
#include <stdlib.h>

#include "exporters/json.h"
#include "exporters/json_emit.h"
#include "tui/export.h"
#include "tui/view.h"
#include "util/cleanup.h"

/* Unknown is null. */
static void maybe_number(struct strbuf *sb, const char *key, int64_t value)
{
	if (value < 0)
		json_null(sb, key);
	else
		json_number(sb, key, value);
}

static void maybe_u64(struct strbuf *sb, const char *key, int64_t value)
{
	if (value < 0)
		json_null(sb, key);
	else
		json_u64(sb, key, (uint64_t)value);
}

/* Of percent; below 0 = unknown. */
static int64_t tenths(float percent)
{
	return percent < 0 ? -1 : (int64_t)((double)percent * 10 + 0.5);
}

static void write_slowest(struct strbuf *sb, const struct container *c)
{
	const struct phase_span *p = container_start_ns(c) ? container_slowest(c) : NULL;

	if (!p) {
		json_null(sb, "slowest_phase");
		return;
	}
	json_open(sb, "slowest_phase", '{');
	json_text(sb, "phase", phase_name(p->phase));
	json_time(sb, "duration_ns", container_end_of(c, p->end_ns, p->end_edge) - p->start_ns);
	json_close(sb, '}');
}

static const char *const kind_names[RESOURCE_KINDS] = { "memory", "cpu", "pids" };

/* The limit that binds, and whose it is where that is told. */
static void write_limit(struct strbuf *sb, const struct resource *r, enum resource_kind kind, const char *name, int64_t given)
{
	const struct resource_level *binds = r ? resource_binding(r, kind) : NULL;
	char key[40];

	if (kind == RESOURCE_MEMORY)
		maybe_u64(sb, name, binds ? binds->limit : given);
	else
		maybe_number(sb, name, binds ? binds->limit : given);
	snprintf(key, sizeof(key), "%s_limit_cgroup", kind_names[kind]);
	json_text(sb, key, binds ? binds->path : NULL);
}

static void write_resources(struct strbuf *sb, const struct container *c, const struct resource *r)
{
	double cpus = container_cpu_limit(c);

	maybe_number(sb, "cpu_millicores", r ? tenths(r->cpu) : -1);
	write_limit(sb, r, RESOURCE_CPU, "cpu_limit_millicores", cpus > 0 ? (int64_t)(cpus * 1000) : -1);
	maybe_number(sb, "throttled_percent", r && r->throttle >= 0 ? (int64_t)((double)r->throttle + 0.5) : -1);
	maybe_u64(sb, "memory_bytes", r ? r->stats.memory_usage : -1);
	maybe_u64(sb, "memory_peak_bytes", r ? r->stats.memory_peak : -1);
	write_limit(sb, r, RESOURCE_MEMORY, "memory_limit_bytes", container_memory_limit(c));
	json_number(sb, "oom_kills", container_oom_kills(c, r));
	maybe_number(sb, "pids", r && r->stats.pids >= 0 ? r->stats.pids : -1);
	write_limit(sb, r, RESOURCE_PIDS, "pids_limit", container_pids_limit(c));
}

static void write_container(struct strbuf *sb, const struct model *m, const struct container *c)
{
	json_open(sb, NULL, '{');
	json_text(sb, "id", c->id);
	json_number(sb, "generation", c->generation);
	json_text(sb, "name", c->name);
	json_text(sb, "image", c->image);
	json_text(sb, "engine", c->engine);
	json_text(sb, "runtime", c->runtime);
	json_text(sb, "state", container_state_name(c->state));
	json_time(sb, "age_ns", container_age_ns(m, c));
	json_time(sb, "start_duration_ns", container_start_ns(c));
	write_slowest(sb, c);
	json_number(sb, "restarts", c->generation);
	write_resources(sb, c, resources_get(m->resources, c));
	json_exit(sb, c);
	json_close(sb, '}');
}

static void write_containers(struct strbuf *sb, struct ui *ui, struct model *m)
{
	struct container_rows rows = containers_rows(ui, m);

	json_open(sb, "containers", '[');
	for (size_t i = 0; i < rows.count; i++)
		write_container(sb, m, rows.items[i]);
	json_close(sb, ']');
	free(rows.items);
}

/* ---- the chosen one, against its limits ---- */

static void write_levels(struct strbuf *sb, const struct resource *r, enum resource_kind kind)
{
	json_open(sb, kind_names[kind], '[');
	for (size_t i = 0; r && i < r->level_counts[kind]; i++) {
		const struct resource_level *l = &r->levels[kind][i];

		json_open(sb, NULL, '{');
		json_text(sb, "cgroup", l->path);
		maybe_u64(sb, "usage", l->usage);
		maybe_u64(sb, "limit", l->limit);
		json_close(sb, '}');
	}
	json_close(sb, ']');
}

static void write_history(struct strbuf *sb, const struct resource *r)
{
	json_open(sb, "history", '[');
	for (size_t back = r ? r->points : 0; back-- > 0;) {
		const struct resource_point *p = resource_point(r, back);

		json_open(sb, NULL, '{');
		json_time(sb, "at_ns", p->at_ns);
		maybe_u64(sb, "memory_bytes", p->memory);
		maybe_number(sb, "cpu_millicores", tenths(p->cpu));
		maybe_number(sb, "throttled_percent", p->throttle < 0 ? -1 : (int64_t)((double)p->throttle + 0.5));
		maybe_number(sb, "pids", p->pids);
		json_close(sb, '}');
	}
	json_close(sb, ']');
}

static void write_chosen(struct strbuf *sb, const struct model *m, const struct container *c)
{
	const struct resource *r = c ? resources_get(m->resources, c) : NULL;

	if (!c) {
		json_null(sb, "chosen");
		return;
	}
	json_open(sb, "chosen", '{');
	json_text(sb, "id", c->id);
	json_number(sb, "generation", c->generation);
	maybe_number(sb, "memory_limit_hits", r ? r->stats.memory_reclaims : -1);
	maybe_u64(sb, "cpu_throttled_ns", r ? r->stats.cpu_throttled_ns : -1);
	maybe_u64(sb, "io_read_bytes", r ? r->stats.io_read_bytes : -1);
	maybe_u64(sb, "io_write_bytes", r ? r->stats.io_write_bytes : -1);
	json_open(sb, "levels", '{');
	for (size_t kind = 0; kind < RESOURCE_KINDS; kind++)
		write_levels(sb, r, (enum resource_kind)kind);
	json_close(sb, '}');
	write_history(sb, r);
	json_limits(sb, c);
	json_marks(sb, c);
	json_close(sb, '}');
}

/* ---- the machine ---- */

static void write_states(struct strbuf *sb, const struct model *m)
{
	int64_t counts[STATE_EXITED + 1] = { 0 };

	for (size_t i = 0; i < timeline_count(m->timeline); i++)
		counts[timeline_get(m->timeline, i)->state]++;
	json_open(sb, "states", '{');
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		json_number(sb, container_state_name((enum container_state)i), counts[i]);
	json_close(sb, '}');
}

static void write_machine(struct strbuf *sb, const struct host *h)
{
	json_open(sb, "pressure", '{');
	for (size_t i = 0; i < PRESSURE_COUNT; i++) {
		json_open(sb, host_pressure_name((enum host_pressure)i), '{');
		maybe_number(sb, "some_centipercent", (int64_t)((double)h->pressure_some[i] * 100));
		maybe_number(sb, "full_centipercent", (int64_t)((double)h->pressure_full[i] * 100));
		json_close(sb, '}');
	}
	json_close(sb, '}');
	json_open(sb, "load_hundredths", '[');
	for (size_t i = 0; i < ARRAY_SIZE(h->load); i++)
		maybe_number(sb, NULL, h->load[i] < 0 ? -1 : (int64_t)((double)h->load[i] * 100 + 0.5));
	json_close(sb, ']');
	maybe_u64(sb, "memory_bytes", h->memory_total > 0 ? h->memory_total : -1);
	maybe_u64(sb, "memory_available_bytes", h->memory_total > 0 ? h->memory_available : -1);
}

static void write_host(struct strbuf *sb, const struct model *m)
{
	const struct host *h = &m->host;
	struct timeline_stats stats;
	struct json_summary summary = { .stats = &stats, .losses = &m->losses, .containers = timeline_count(m->timeline) };

	timeline_get_stats(m->timeline, &stats);
	stats.callers_forgotten = span_context_forgotten(&m->spans);
	json_open(sb, "host", '{');
	json_number(sb, "events_per_second", (int64_t)host_rate(h));
	json_u64(sb, "events", stats.events);
	json_u64(sb, "lost", stats.lost);
	maybe_number(sb, "own_cpu_millicores", tenths(h->own_cpu));
	maybe_u64(sb, "own_memory_bytes", h->own_memory);
	maybe_number(sb, "hooks_cpu_millicores", tenths(h->hooks_cpu));
	write_machine(sb, h);
	write_states(sb, m);
	json_header(sb, "header", m->facts);
	json_summary(sb, "summary", &summary);
	json_close(sb, '}');
}

static void write_events(struct strbuf *sb, struct ui *ui, struct model *m)
{
	for (uint64_t n = m->log.first; n < m->log.next; n++) {
		const struct log_entry *entry = event_log_get(&m->log, n);

		if (ui_passes_event(ui, m, entry->event))
			json_write_event(sb, entry->event);
	}
}

void export_json(struct ui *ui, struct model *m, struct strbuf *sb)
{
	const struct container *c = ui_container(ui, m);
	uint32_t ns;

	if (ui->view == VIEW_TIMELINE) {
		if (c)
			json_write_timeline(sb, &m->spans, c, c->ended ? CHANGE_ENDED : CHANGE_STATE);
		return;
	}
	if (ui->view == VIEW_EVENTS) {
		write_events(sb, ui, m);
		return;
	}
	json_open(sb, NULL, '{');
	json_text(sb, "type", "top");
	json_text(sb, "view", view_name(ui->view));
	json_time(sb, "at_ns", m->now_ns);
	json_number(sb, "wall_s", model_wall(m, m->now_ns, &ns));
	if (ui->view == VIEW_HOST)
		write_host(sb, m);
	else
		write_containers(sb, ui, m);
	if (ui->view == VIEW_LIMITS)
		write_chosen(sb, m, c);
	json_close(sb, '}');
	strbuf_putc(sb, '\n');
}
