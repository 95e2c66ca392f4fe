/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/export.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/json.h"
#include "exporters/json_emit.h"
#include "exporters/waterfall.h"
#include "tui/view.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { EXPORT_COLUMNS = 160 };

/* ---- JSON ---- */

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

static void write_exit(struct strbuf *sb, const struct container *c)
{
	if (!c->exit.known) {
		json_null(sb, "exit");
		return;
	}
	json_open(sb, "exit", '{');
	json_number(sb, "code", c->exit.code);
	json_number(sb, "signal", c->exit.signal);
	json_bool(sb, "oom", c->exit.oom);
	json_close(sb, '}');
}

static void write_resources(struct strbuf *sb, const struct container *c, const struct resource *r)
{
	const struct resource_level *binds = r ? resource_binding(r) : NULL;
	int64_t seen = (int64_t)container_ooms(c);

	maybe_number(sb, "cpu_millicores", r && r->cpu >= 0 ? (int64_t)((double)r->cpu * 10 + 0.5) : -1);
	maybe_number(sb, "throttled_percent", r && r->throttle >= 0 ? (int64_t)((double)r->throttle + 0.5) : -1);
	maybe_u64(sb, "memory_bytes", r ? r->stats.memory_usage : -1);
	maybe_u64(sb, "memory_peak_bytes", r ? r->stats.memory_peak : -1);
	maybe_u64(sb, "memory_limit_bytes", binds ? binds->limit : container_memory_limit(c));
	json_text(sb, "memory_limit_cgroup", binds ? binds->path : NULL);
	json_number(sb, "oom_kills", r && r->stats.oom_kills > seen ? r->stats.oom_kills : seen);
	maybe_number(sb, "pids", r && r->stats.pids >= 0 ? r->stats.pids : -1);
	maybe_number(sb, "pids_limit", r && r->stats.pids_limit >= 0 ? r->stats.pids_limit : container_pids_limit(c));
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
	write_exit(sb, c);
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

static void write_host(struct strbuf *sb, const struct model *m)
{
	const struct host *h = &m->host;
	struct timeline_stats stats;

	timeline_get_stats(m->timeline, &stats);
	json_open(sb, "host", '{');
	json_number(sb, "events_per_second", (int64_t)host_rate(h));
	json_u64(sb, "events", stats.events);
	json_u64(sb, "lost", stats.lost);
	maybe_number(sb, "own_cpu_millicores", h->own_cpu >= 0 ? (int64_t)((double)h->own_cpu * 10 + 0.5) : -1);
	maybe_u64(sb, "own_memory_bytes", h->own_memory);
	maybe_number(sb, "hooks_cpu_millicores", h->hooks_cpu >= 0 ? (int64_t)((double)h->hooks_cpu * 10 + 0.5) : -1);
	json_open(sb, "pressure", '{');
	for (size_t i = 0; i < PRESSURE_COUNT; i++) {
		json_open(sb, host_pressure_name((enum host_pressure)i), '{');
		maybe_number(sb, "some_centipercent", (int64_t)((double)h->pressure_some[i] * 100));
		maybe_number(sb, "full_centipercent", (int64_t)((double)h->pressure_full[i] * 100));
		json_close(sb, '}');
	}
	json_close(sb, '}');
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
	json_close(sb, '}');
	strbuf_putc(sb, '\n');
}

/* ---- files ---- */

void export_default_name(struct ui *ui, struct model *m, char *ret_name, size_t size)
{
	const struct container *c = ui->view == VIEW_TIMELINE ? ui_container(ui, m) : NULL;
	char label[32] = "";

	/* of a hostile name only what is harmless in a file's name */
	for (size_t i = 0, n = 0; c && n + 1 < sizeof(label); i++) {
		char byte = (c->name && *c->name ? c->name : c->id)[i];

		if (!byte || i >= 12)
			break;
		label[n++] = isalnum((unsigned char)byte) ? byte : '_';
	}
	snprintf(ret_name, size, "ctrace-%s%s%s.txt", view_name(ui->view), *label ? "-" : "", label);
}

static void write_text(struct ui *ui, struct model *m, struct strbuf *sb)
{
	struct waterfall_options options = { .detail = WATERFALL_FULL, .width = EXPORT_COLUMNS, .utf8 = ui->utf8 };
	const struct container *c = ui->view == VIEW_TIMELINE ? ui_container(ui, m) : NULL;
	struct screen *s;

	if (c) {
		waterfall_print(sb, c, &options);
		return;
	}
	s = ui_draw_whole(ui, m, EXPORT_COLUMNS);
	screen_text(s, true, sb);
	screen_free(s);
}

int export_view(struct ui *ui, struct model *m, const char *path, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t done = 0;

	if (fd < 0)
		return error_errno(err, errno, "cannot make %s", path);
	if (str_ends(path, ".json"))
		export_json(ui, m, &text);
	else
		write_text(ui, m, &text);
	while (done < text.length) {
		ssize_t n = write(fd, text.text + done, text.length - done);

		if (n < 0 && errno != EINTR)
			return error_errno(err, errno, "cannot write %s", path);
		done += n > 0 ? (size_t)n : 0;
	}
	if (close(steal_fd(&fd)) < 0)
		return error_errno(err, errno, "cannot write %s", path);
	return 0;
}
