/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/json.h"

#include <string.h>

#include "exporters/format.h"
#include "exporters/json_emit.h"
#include "util/cleanup.h"

const char *json_change_name(enum timeline_change change)
{
	static const char *const names[] = {
		[CHANGE_CREATED] = "created", [CHANGE_STARTED] = "started", [CHANGE_STATE] = "state",
		[CHANGE_NAMED] = "named", [CHANGE_EXITED] = "exited", [CHANGE_ENDED] = "ended",
	};

	return (size_t)change < ARRAY_SIZE(names) ? names[change] : "unknown";
}

static void end_line(struct strbuf *sb)
{
	json_close(sb, '}');
	strbuf_putc(sb, '\n');
}

/* A fixed-size field that the kernel side may have filled to its last byte. */
static void fixed_text(struct strbuf *sb, const char *key, const char *text, size_t size)
{
	json_bytes(sb, key, text, strnlen(text, size));
}

void json_header(struct strbuf *sb, const char *key, const struct facts *f)
{
	json_open(sb, key, '{');
	json_text(sb, "type", "header");
	json_number(sb, "schema", JSON_SCHEMA_VERSION);
	json_text(sb, "ctrace", f->ctrace_version);
	json_text(sb, "host", f->hostname);
	json_text(sb, "boot_id", f->boot_id);
	json_text(sb, "kernel", f->kernel);
	json_text(sb, "machine", f->machine);
	json_number(sb, "cpus", f->cpus);
	json_text(sb, "lockdown", f->lockdown);
	json_text(sb, "cgroup_mode", f->cgroup_mode);
	json_text(sb, "clock", "boottime");
	json_u64(sb, "start_ns", f->start_ns);
	json_i64(sb, "wall_offset_ns", f->wall_offset_ns);
	json_bool(sb, "always_armed", f->always_armed);
	json_open(sb, "hierarchies", '[');
	for (size_t i = 0; i < f->timeline.hierarchy_count; i++) {
		json_open(sb, NULL, '{');
		json_number(sb, "hierarchy", f->timeline.hierarchies[i].id);
		json_text(sb, "controllers", f->timeline.hierarchies[i].controllers);
		json_close(sb, '}');
	}
	json_close(sb, ']');
	json_open(sb, "hooks", '[');
	for (size_t i = 0; i < f->hook_count; i++) {
		json_open(sb, NULL, '{');
		json_text(sb, "job", f->hooks[i].job);
		json_text(sb, "hook", f->hooks[i].hook);
		json_text(sb, "state", hook_state_name(f->hooks[i].state));
		json_text(sb, "reason", f->hooks[i].reason[0] ? f->hooks[i].reason : NULL);
		json_close(sb, '}');
	}
	json_close(sb, ']');
	json_open(sb, "unseen", '[');
	for (size_t i = 0; i < f->unseen_count; i++) {
		json_open(sb, NULL, '{');
		json_text(sb, "what", f->unseen[i].what);
		json_text(sb, "why", f->unseen[i].why);
		json_close(sb, '}');
	}
	json_close(sb, ']');
	json_close(sb, '}');
}

void json_write_header(struct strbuf *sb, const struct facts *facts)
{
	json_header(sb, NULL, facts);
	strbuf_putc(sb, '\n');
}

static void write_list(struct strbuf *sb, const char *key, const char *items)
{
	json_open(sb, key, '[');
	while (items && *items) {
		size_t n = (size_t)(strchrnul(items, '\x1f') - items);

		json_bytes(sb, NULL, items, n);
		items += n + (items[n] != '\0');
	}
	json_close(sb, ']');
}

void json_details(struct strbuf *sb, const char *key, const struct details *details)
{
	json_open(sb, key, '{');
	for (size_t i = 0; i < details->count; i++) {
		const struct detail *d = &details->items[i];

		switch (d->type) {
		case DETAIL_TEXT: json_text(sb, d->key, d->text); break;
		case DETAIL_NUMBER: json_number(sb, d->key, d->number); break;
		case DETAIL_U64: json_u64(sb, d->key, (uint64_t)d->number); break;
		case DETAIL_LIST: write_list(sb, d->key, d->text); break;
		case DETAIL_BOOL: json_bool(sb, d->key, d->number != 0); break;
		}
	}
	json_close(sb, '}');
}

/* Inode numbers; one that could not be read is null, never 0. */
static void write_namespaces(struct strbuf *sb, const struct event_namespaces *ns)
{
	const struct { const char *name; uint32_t inode; } all[] = {
		{ "mnt", ns->mnt }, { "pid", ns->pid }, { "net", ns->net }, { "uts", ns->uts },
		{ "ipc", ns->ipc }, { "cgroup", ns->cgroup }, { "user", ns->user }, { "time", ns->time },
	};

	json_open(sb, "namespaces", '{');
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].inode)
			json_number(sb, all[i].name, all[i].inode);
		else
			json_null(sb, all[i].name);
	}
	json_close(sb, '}');
}

static void write_cgroups(struct strbuf *sb, const struct container *c)
{
	json_open(sb, "cgroups", '[');
	for (size_t i = 0; i < c->cgroup_count; i++) {
		const struct container_cgroup *g = &c->cgroups[i];

		json_open(sb, NULL, '{');
		json_text(sb, "controller", g->controller);
		json_text(sb, "path", g->path);
		json_u64(sb, "id", g->id);
		json_number(sb, "hierarchy", g->hierarchy);
		json_bool(sb, "removed", g->removed);
		json_close(sb, '}');
	}
	json_close(sb, ']');
}

static void write_edges(struct strbuf *sb, enum edge start, enum edge end)
{
	json_name(sb, "start_edge", edge_name(start));
	json_name(sb, "end_edge", edge_name(end));
}

/* A duration with a lost edge is never told as if it were known. */
static void write_duration(struct strbuf *sb, uint64_t start_ns, uint64_t end_ns, enum edge start,
	enum edge end)
{
	bool known = start != EDGE_LOST && end != EDGE_LOST && end != EDGE_OPEN && start_ns &&
		end_ns >= start_ns;

	if (known)
		json_u64(sb, "duration_ns", end_ns - start_ns);
	else
		json_null(sb, "duration_ns");
}

static void write_span(struct strbuf *sb, uint64_t start_ns, uint64_t end_ns, enum edge end)
{
	json_time(sb, "start_ns", start_ns);
	json_time(sb, "end_ns", end == EDGE_OPEN ? 0 : end_ns);
}

static void write_actor(struct strbuf *sb, const struct actor *a, size_t index)
{
	json_open(sb, NULL, '{');
	json_number(sb, "actor", (int64_t)index);
	json_name(sb, "role", actor_role_name(a->role));
	json_number(sb, "pid", a->pid);
	fixed_text(sb, "comm", a->comm, sizeof(a->comm));
	json_text(sb, "exe", a->exe);
	if (a->argv) {
		json_open(sb, "argv", '[');
		for (size_t i = 0; a->argv[i]; i++)
			json_text(sb, NULL, a->argv[i]);
		json_close(sb, ']');
	} else {
		json_null(sb, "argv");
	}
	write_span(sb, a->start_ns, a->end_ns, a->end_edge);
	write_edges(sb, a->start_edge, a->end_edge);
	if (a->ns_pid)
		json_number(sb, "ns_pid", a->ns_pid);
	else
		json_null(sb, "ns_pid");
	if (a->parent >= 0)
		json_number(sb, "parent", a->parent);
	else
		json_null(sb, "parent");
	json_bool(sb, "shared", a->is_shared);
	json_bool(sb, "argv_cut", a->argv_cut);
	if (a->exited)
		json_number(sb, "exit_status", a->exit_status);
	else
		json_null(sb, "exit_status");
	if (a->has_cpu) {
		json_u64(sb, "on_cpu_ns", a->on_cpu_ns);
		json_u64(sb, "run_queue_ns", a->run_queue_ns);
	} else {
		json_null(sb, "on_cpu_ns");
		json_null(sb, "run_queue_ns");
	}
	json_close(sb, '}');
}

static void write_times(struct strbuf *sb, uint64_t on_cpu_ns, uint64_t run_queue_ns, uint64_t blocked_ns)
{
	json_u64(sb, "on_cpu_ns", on_cpu_ns);
	json_u64(sb, "run_queue_ns", run_queue_ns);
	json_u64(sb, "blocked_ns", blocked_ns);
}

static void write_phases(struct strbuf *sb, const struct container *c)
{
	json_open(sb, "phases", '[');
	for (size_t i = 0; i < c->phase_count; i++) {
		const struct phase_span *p = &c->phases[i];

		json_open(sb, NULL, '{');
		json_name(sb, "phase", phase_name(p->phase));
		write_span(sb, p->start_ns, p->end_ns, p->end_edge);
		write_duration(sb, p->start_ns, p->end_ns, p->start_edge, p->end_edge);
		write_edges(sb, p->start_edge, p->end_edge);
		json_u64(sb, "busy_ns", p->busy_ns);
		json_number(sb, "steps", (int64_t)p->steps);
		json_number(sb, "failed", (int64_t)p->failed);
		if (p->has_times)
			write_times(sb, p->on_cpu_ns, p->run_queue_ns, p->blocked_ns);
		json_close(sb, '}');
	}
	json_close(sb, ']');
}

static void write_step(struct strbuf *sb, const struct step *s)
{
	char name[FORMAT_MAX];

	json_open(sb, NULL, '{');
	json_name(sb, "kind", step_kind_name(s->kind));
	json_name(sb, "phase", phase_name(s->phase));
	if (s->actor >= 0)
		json_number(sb, "actor", s->actor);
	else
		json_null(sb, "actor");
	write_span(sb, s->start_ns, s->end_ns, s->end_edge);
	if (!s->has_result)
		json_null(sb, "result");
	else
		json_number(sb, "result", s->result < 0 ? s->result : 0);
	if (s->has_result && s->result < 0)
		json_text(sb, "error", format_errno(name, s->result > -4096 ? (int)-s->result : 0));
	json_details(sb, "detail", &s->details);
	write_duration(sb, s->start_ns, s->end_ns, s->start_edge, s->end_edge);
	write_edges(sb, s->start_edge, s->end_edge);
	if (s->tid)
		json_number(sb, "tid", s->tid);
	else
		json_null(sb, "tid");
	if (s->times) {
		write_times(sb, s->times->on_cpu_ns, s->times->run_queue_ns, s->times->blocked_ns);
		if (s->times->longest_block_ns) {
			json_u64(sb, "longest_block_ns", s->times->longest_block_ns);
			write_list(sb, "blocked_in", s->times->blocked_in);
		}
	}
	json_close(sb, '}');
}

void json_exit(struct strbuf *sb, const struct container *c)
{
	const struct exit_info *e = &c->exit;

	if (!e->known) {
		json_null(sb, "exit");
		return;
	}
	json_open(sb, "exit", '{');
	json_number(sb, "code", e->code);
	if (e->signal)
		json_number(sb, "signal", e->signal);
	else
		json_null(sb, "signal");
	json_bool(sb, "oom", e->oom);
	json_time(sb, "at_ns", e->at_ns);
	if (e->has_sender) {
		json_open(sb, "sender", '{');
		json_number(sb, "pid", e->sender_pid);
		fixed_text(sb, "comm", e->sender_comm, sizeof(e->sender_comm));
		json_text(sb, "container", e->sender_container);
		json_bool(sb, "kernel", e->sender_kernel);
		json_close(sb, '}');
	} else {
		json_null(sb, "sender");
	}
	json_bool(sb, "core", e->core);
	json_close(sb, '}');
}

void json_marks(struct strbuf *sb, const struct container *c)
{
	json_open(sb, "marks", '[');
	for (size_t i = 0; i < c->mark_count; i++) {
		json_open(sb, NULL, '{');
		json_name(sb, "kind", mark_kind_name(c->marks[i].kind));
		json_time(sb, "at_ns", c->marks[i].at_ns);
		json_details(sb, "detail", &c->marks[i].details);
		json_close(sb, '}');
	}
	json_close(sb, ']');
}

static void write_gaps(struct strbuf *sb, const struct container *c)
{
	json_open(sb, "gaps", '[');
	for (size_t i = 0; i < c->gap_count; i++) {
		json_open(sb, NULL, '{');
		json_time(sb, "start_ns", c->gaps[i].start_ns);
		json_time(sb, "end_ns", c->gaps[i].end_ns);
		if (c->gaps[i].before_actor >= 0)
			json_number(sb, "before_actor", c->gaps[i].before_actor);
		else
			json_null(sb, "before_actor");
		json_close(sb, '}');
	}
	json_close(sb, ']');
}

void json_limits(struct strbuf *sb, const struct container *c)
{
	json_open(sb, "limits", '[');
	for (size_t i = 0; i < c->limit_count; i++) {
		json_open(sb, NULL, '{');
		json_text(sb, "file", c->limits[i].file);
		json_text(sb, "value", c->limits[i].value);
		json_time(sb, "at_ns", c->limits[i].at_ns);
		json_close(sb, '}');
	}
	json_close(sb, ']');
}

static void write_throttling(struct strbuf *sb, const struct throttling *t)
{
	if (!t->known) {
		json_null(sb, "throttling");
		return;
	}
	json_open(sb, "throttling", '{');
	json_u64(sb, "periods", t->periods);
	json_u64(sb, "throttled", t->throttled);
	json_u64(sb, "throttled_ns", t->throttled_ns);
	json_close(sb, '}');
}

static void write_trace(struct strbuf *sb, const struct span_context *spans, const struct container *c)
{
	uint8_t trace[SPAN_TRACE_BYTES], span[SPAN_BYTES];
	char hex[SPAN_TRACE_HEX];

	if (!span_is_known(c)) {
		json_null(sb, "trace_id");
		json_null(sb, "span_id");
		json_null(sb, "parent_span_id");
		return;
	}
	span_trace_id(spans, c, trace);
	json_text(sb, "trace_id", span_hex(hex, trace, sizeof(trace)));
	span_id(spans, c, "", span);
	json_text(sb, "span_id", span_hex(hex, span, sizeof(span)));
	json_text(sb, "parent_span_id", span_parent(spans, c, span) ? span_hex(hex, span, sizeof(span)) : NULL);
}

/* Only where they are known: most runtimes have none. */
static void write_labels(struct strbuf *sb, const struct container *c)
{
	if (c->pod_namespace)
		json_text(sb, "pod_namespace", c->pod_namespace);
	if (!c->label_count)
		return;
	json_open(sb, "labels", '[');
	for (size_t i = 0; i < c->label_count; i++) {
		json_open(sb, NULL, '{');
		json_text(sb, "name", c->labels[i].name);
		json_text(sb, "value", c->labels[i].value);
		json_close(sb, '}');
	}
	json_close(sb, ']');
	if (c->labels_cut)
		json_number(sb, "labels_cut", (int64_t)c->labels_cut);
	if (c->values_cut)
		json_number(sb, "values_cut", (int64_t)c->values_cut);
}

void json_write_timeline_again(struct strbuf *sb, const struct span_context *spans, const struct container *c,
	enum timeline_change change, struct json_steps *steps)
{
	json_open(sb, NULL, '{');
	json_text(sb, "type", "timeline");
	json_text(sb, "id", c->id);
	json_text(sb, "name", c->name);
	json_text(sb, "image", c->image);
	json_text(sb, "engine", c->engine);
	json_text(sb, "runtime", c->runtime);
	json_name(sb, "state", container_state_name(c->state));
	if (c->pid)
		json_number(sb, "pid", c->pid);
	else
		json_null(sb, "pid");
	json_text(sb, "pod", c->pod);
	write_labels(sb, c);
	write_namespaces(sb, &c->namespaces);
	write_cgroups(sb, c);
	json_open(sb, "actors", '[');
	for (size_t i = 0; i < c->actor_count; i++)
		write_actor(sb, &c->actors[i], i);
	json_close(sb, ']');
	write_phases(sb, c);
	json_open(sb, "steps", '[');
	json_steps_write(steps, sb, c, write_step);
	json_close(sb, ']');
	json_marks(sb, c);
	json_exit(sb, c);
	json_number(sb, "lost", (int64_t)c->lost);
	json_name(sb, "change", json_change_name(change));
	json_number(sb, "generation", c->generation);
	json_bool(sb, "existed", c->existed);
	json_bool(sb, "sandbox", c->is_sandbox);
	json_text(sb, "bundle", c->bundle);
	json_time(sb, "first_ns", c->first_ns);
	json_time(sb, "last_ns", c->last_ns);
	json_time(sb, "created_ns", c->created_ns);
	json_time(sb, "started_ns", c->started_ns);
	write_gaps(sb, c);
	json_limits(sb, c);
	write_throttling(sb, &c->throttling);
	json_number(sb, "steps_cut", (int64_t)c->steps_cut);
	json_number(sb, "actors_cut", (int64_t)c->actors_cut);
	json_number(sb, "marks_cut", (int64_t)c->marks_cut);
	json_number(sb, "inferred_front", (int64_t)c->inferred_front);
	write_trace(sb, spans, c);
	end_line(sb);
}

void json_write_timeline(struct strbuf *sb, const struct span_context *spans, const struct container *c,
	enum timeline_change change)
{
	json_write_timeline_again(sb, spans, c, change, NULL);
}

static uint32_t kind_of_counter(size_t index)
{
	return index < 48 ? (uint32_t)index : (uint32_t)index + 256 - 48;
}

/* Only where there are any. */
static void write_forgotten(struct strbuf *sb, const struct timeline_stats *s)
{
	if (s->names_forgotten)
		json_number(sb, "names_forgotten", (int64_t)s->names_forgotten);
	if (s->paths_cut)
		json_number(sb, "paths_cut", (int64_t)s->paths_cut);
	if (s->clients_ignored)
		json_number(sb, "clients_ignored", (int64_t)s->clients_ignored);
	if (s->callers_forgotten)
		json_number(sb, "callers_forgotten", (int64_t)s->callers_forgotten);
}

static void write_losses(struct strbuf *sb, const struct loss_list *losses)
{
	json_open(sb, "losses", '[');
	for (size_t i = 0; losses && i < losses->count; i++) {
		const struct loss *l = &losses->items[i];

		json_open(sb, NULL, '{');
		json_text(sb, "kind", l->kind ? json_event_kind_name(l->kind) : NULL);
		json_text(sb, "reason", json_loss_name(l->reason));
		json_number(sb, "count", (int64_t)l->count);
		json_close(sb, '}');
	}
	json_close(sb, ']');
	if (losses && losses->left_out)
		json_number(sb, "losses_left_out", (int64_t)losses->left_out);
}

void json_summary(struct strbuf *sb, const char *key, const struct json_summary *summary)
{
	const struct timeline_stats *s = summary->stats;

	json_open(sb, key, '{');
	json_text(sb, "type", "summary");
	json_number(sb, "containers", (int64_t)summary->containers);
	json_number(sb, "events", (int64_t)s->events);
	json_number(sb, "lost", (int64_t)s->lost);
	json_number(sb, "lost_lifecycle", (int64_t)s->lost_lifecycle);
	json_number(sb, "skipped", (int64_t)s->skipped);
	json_number(sb, "forgotten", (int64_t)s->forgotten);
	json_number(sb, "unattributed", (int64_t)s->unattributed);
	write_forgotten(sb, s);
	json_open(sb, "events_by_kind", '{');
	for (size_t i = 0; i < ARRAY_SIZE(s->events_by_kind); i++) {
		if (s->events_by_kind[i] && strcmp(json_event_kind_name(kind_of_counter(i)), "unknown"))
			json_number(sb, json_event_kind_name(kind_of_counter(i)),
				(int64_t)s->events_by_kind[i]);
	}
	json_close(sb, '}');
	write_losses(sb, summary->losses);
	json_bool(sb, "complete", summary->error == NULL);
	json_text(sb, "error", summary->error);
	json_close(sb, '}');
}

void json_write_summary(struct strbuf *sb, const struct json_summary *summary)
{
	json_summary(sb, NULL, summary);
	strbuf_putc(sb, '\n');
}
