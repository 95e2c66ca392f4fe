/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "exporters/format.h"
#include "exporters/lineage.h"
#include "exporters/waterfall_text.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Field numbers of opentelemetry/proto/trace/v1/trace.proto. */
enum { RESOURCE_SPANS_RESOURCE = 1, RESOURCE_SPANS_SCOPE_SPANS = 2, RESOURCE_ATTRIBUTES = 1, SCOPE_SPANS_SCOPE = 1,
	SCOPE_SPANS_SPANS = 2, SCOPE_NAME = 1, SCOPE_VERSION = 2, SPAN_TRACE = 1, SPAN_ID = 2, SPAN_PARENT = 4, SPAN_NAME = 5,
	SPAN_KIND = 6, SPAN_START = 7, SPAN_END = 8, SPAN_ATTRIBUTES = 9, SPAN_EVENTS = 11, SPAN_EVENTS_DROPPED = 12, SPAN_STATUS = 15, EVENT_AT = 1,
	EVENT_TITLE = 2, EVENT_ATTRIBUTES = 3, STATUS_MESSAGE = 2, STATUS_CODE = 3 };
enum { KIND_INTERNAL = 1, KIND_SERVER = 2, KIND_CLIENT = 3, STATUS_ERROR = 2 };

enum { MAX_EVENTS = 64 /* per span */, MAX_PATH = 64 };

/* A stretch of the container's life that has a span of its own, below which the actors hang. */
struct stage {
	const char *path, *name; /* of its span */
	uint64_t start_ns, end_ns;
	bool first; /* the root, and also of what began before it */
	bool fails; /* it is the one in which the container's failure shows */
};

struct view {
	const struct otlp *o;
	const struct container *c;
	const struct stage *stage;
	struct otlp_writer w;
	size_t spans;        /* of the unit */
	unsigned int events; /* of the span; those beyond MAX_EVENTS are only counted */
};

static uint64_t unix_ns(const struct view *v, uint64_t boot_ns)
{
	return boot_ns + (uint64_t)v->o->facts->wall_offset_ns;
}

/* ---- one span ---- */

/* host.arch has names of its own (semantic conventions of OpenTelemetry, registry of attributes); of others, the kernel's. */
static const char *architecture(const char *machine)
{
	static const struct {
		const char *machine, *name;
	} names[] = { { "x86_64", "amd64" }, { "aarch64", "arm64" }, { "i686", "x86" }, { "armv7l", "arm32" },
		{ "armv8l", "arm32" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(machine, names[i].machine))
			return names[i].name;
	}
	return machine;
}

static void open_resource(struct view *v, const char *service)
{
	const struct facts *f = v->o->facts;

	v->spans = 0;
	otlp_open(&v->w, 0, NULL);
	otlp_open(&v->w, RESOURCE_SPANS_RESOURCE, "resource");
	otlp_list(&v->w, "attributes");
	otlp_attribute_text(&v->w, RESOURCE_ATTRIBUTES, "service.name", service);
	otlp_attribute_text(&v->w, RESOURCE_ATTRIBUTES, "host.name", f->hostname);
	otlp_attribute_text(&v->w, RESOURCE_ATTRIBUTES, "host.arch", architecture(f->machine));
	otlp_attribute_text(&v->w, RESOURCE_ATTRIBUTES, "os.type", "linux");
	otlp_attribute_text(&v->w, RESOURCE_ATTRIBUTES, "os.version", f->kernel);
}

/* Behind the resource's last attribute. */
static void open_spans(struct view *v)
{
	otlp_list_end(&v->w);
	otlp_close(&v->w);
	otlp_list(&v->w, "scopeSpans");
	otlp_open(&v->w, RESOURCE_SPANS_SCOPE_SPANS, NULL);
	otlp_open(&v->w, SCOPE_SPANS_SCOPE, "scope");
	otlp_text(&v->w, SCOPE_NAME, "name", "ctrace");
	otlp_text(&v->w, SCOPE_VERSION, "version", v->o->facts->ctrace_version);
	otlp_close(&v->w);
	otlp_list(&v->w, "spans");
}

static void close_resource(struct view *v)
{
	otlp_list_end(&v->w);
	otlp_close(&v->w);
	otlp_list_end(&v->w);
	otlp_close(&v->w);
	v->o->unit(v->o->arg, v->w.sb, v->spans);
	strbuf_reset(v->w.sb);
}

struct span {
	const char *path, *name;
	const char *parent; /* path; NULL = the caller's span, or none */
	unsigned int kind;
	uint64_t start_ns, end_ns;
	enum edge start_edge, end_edge;
};

static void parent_id(struct view *v, const struct span *s)
{
	uint8_t id[SPAN_BYTES];

	if (s->parent)
		span_id(v->o->spans, v->c, s->parent, id);
	else if (!span_parent(v->o->spans, v->c, id))
		return;
	otlp_id(&v->w, SPAN_PARENT, "parentSpanId", id, sizeof(id));
}

/* Its attributes are an open list then. */
static void open_span(struct view *v, const struct span *s)
{
	uint8_t trace[SPAN_TRACE_BYTES], id[SPAN_BYTES];

	span_trace_id(v->o->spans, v->c, trace);
	span_id(v->o->spans, v->c, s->path, id);
	v->spans++;
	otlp_open(&v->w, SCOPE_SPANS_SPANS, NULL);
	otlp_id(&v->w, SPAN_TRACE, "traceId", trace, sizeof(trace));
	otlp_id(&v->w, SPAN_ID, "spanId", id, sizeof(id));
	parent_id(v, s);
	otlp_text(&v->w, SPAN_NAME, "name", s->name);
	otlp_enum(&v->w, SPAN_KIND, "kind", s->kind);
	otlp_time(&v->w, SPAN_START, "startTimeUnixNano", unix_ns(v, s->start_ns));
	otlp_time(&v->w, SPAN_END, "endTimeUnixNano", unix_ns(v, s->end_ns > s->start_ns ? s->end_ns : s->start_ns));
	otlp_list(&v->w, "attributes");
	if (s->start_edge != EDGE_OBSERVED)
		otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, "ctrace.start_edge", edge_name(s->start_edge));
	if (s->end_edge != EDGE_OBSERVED)
		otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, "ctrace.end_edge", edge_name(s->end_edge));
}

static void open_events(struct view *v)
{
	otlp_list_end(&v->w);
	v->events = 0;
	otlp_list(&v->w, "events");
}

static void close_span(struct view *v, const char *error)
{
	otlp_list_end(&v->w);
	if (v->events > MAX_EVENTS)
		otlp_enum(&v->w, SPAN_EVENTS_DROPPED, "droppedEventsCount", v->events - MAX_EVENTS);
	if (error) {
		otlp_open(&v->w, SPAN_STATUS, "status");
		otlp_text(&v->w, STATUS_MESSAGE, "message", error);
		otlp_enum(&v->w, STATUS_CODE, "code", STATUS_ERROR);
		otlp_close(&v->w);
	}
	otlp_close(&v->w);
}

static void write_details(struct view *v, const struct details *details)
{
	char key[64];

	for (size_t i = 0; i < details->count; i++) {
		const struct detail *d = &details->items[i];

		snprintf(key, sizeof(key), "ctrace.%s", d->key);
		if (d->type == DETAIL_TEXT)
			otlp_attribute_text(&v->w, EVENT_ATTRIBUTES, key, d->text);
		else if (d->type == DETAIL_BOOL)
			otlp_attribute_bool(&v->w, EVENT_ATTRIBUTES, key, d->number != 0);
		else if (d->type != DETAIL_LIST)
			otlp_attribute_int(&v->w, EVENT_ATTRIBUTES, key, d->number);
	}
}

/* False where the span has as many as it may have: this one is only counted. */
static bool open_event(struct view *v, uint64_t at_ns, const char *name)
{
	if (v->events++ >= MAX_EVENTS)
		return false;
	otlp_open(&v->w, SPAN_EVENTS, NULL);
	otlp_time(&v->w, EVENT_AT, "timeUnixNano", unix_ns(v, at_ns));
	otlp_text(&v->w, EVENT_TITLE, "name", name);
	otlp_list(&v->w, "attributes");
	return true;
}

static void close_event(struct view *v)
{
	otlp_list_end(&v->w);
	otlp_close(&v->w);
}

/* ---- the stages: what happened to the container as a whole ---- */

static void container_attributes(struct view *v)
{
	const struct container *c = v->c;

	otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, "container.id", c->id);
	otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, "container.name", c->name);
	otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, "container.image.name", c->image);
	otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, "container.runtime.name", c->engine ? c->engine : c->runtime);
	otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, "ctrace.oci_runtime", c->runtime);
	otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, "k8s.pod.name", c->pod);
}

static void stage_attributes(struct view *v)
{
	const struct container *c = v->c;
	char key[96];

	container_attributes(v);
	otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "ctrace.lost", (int64_t)c->lost);
	for (size_t i = 0; i < c->limit_count; i++) {
		snprintf(key, sizeof(key), "ctrace.limit.%.80s", c->limits[i].file);
		otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, key, c->limits[i].value);
	}
	if (!c->exit.known || v->stage->end_ns < c->exit.at_ns)
		return;
	otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "ctrace.exit.code", c->exit.code);
	if (c->exit.signal)
		otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "ctrace.exit.signal", c->exit.signal);
	otlp_attribute_bool(&v->w, SPAN_ATTRIBUTES, "ctrace.exit.oom", c->exit.oom);
}

static bool in_stage(const struct stage *stage, uint64_t at_ns)
{
	return at_ns >= stage->start_ns && at_ns < stage->end_ns;
}

static void mark_events(struct view *v)
{
	for (size_t i = 0; i < v->c->mark_count; i++) {
		const struct mark *m = &v->c->marks[i];

		if (!in_stage(v->stage, m->at_ns) && m->at_ns != v->stage->end_ns)
			continue;
		if (!open_event(v, m->at_ns, mark_kind_name(m->kind)))
			continue;
		write_details(v, &m->details);
		close_event(v);
	}
}

static void write_stage(struct view *v)
{
	const struct stage *stage = v->stage;
	_cleanup_(strbuf_free) struct strbuf outcome = { 0 };

	text_outcome(&outcome, v->c, true);
	open_resource(v, "ctrace");
	open_spans(v);
	open_span(v, &(struct span){ .path = stage->path, .name = stage->name, .parent = stage->first ? NULL : "",
		.kind = KIND_INTERNAL, .start_ns = stage->start_ns, .end_ns = stage->end_ns });
	stage_attributes(v);
	open_events(v);
	mark_events(v);
	close_span(v, stage->fails && text_is_failure(v->c) ? outcome.text : NULL);
	close_resource(v);
}

/* ---- actors ---- */

/* "docker run 2428" without the pid, which would make every span's name one of its own. */
static void actor_name(struct strbuf *sb, const struct actor *a)
{
	struct actor without = *a;

	without.pid = 0;
	text_actor(sb, &without, true);
}

/* What the program is called: name of its file, or the command's. */
static void service_name(struct strbuf *sb, const struct actor *a)
{
	const char *slash = a->exe ? strrchr(a->exe, '/') : NULL;
	char comm[EVENT_COMM + 1] = "";

	memcpy(comm, a->comm, EVENT_COMM);
	if (a->role == ACTOR_RUNTIME && str_starts(comm, "runc"))
		strbuf_puts(sb, "runc"); /* it runs itself from a memfd, as "exe" or "6" */
	else if (slash && slash[1] && strcmp(slash + 1, "exe") != 0 && !str_starts(a->exe, "/proc/") &&
		!str_starts(a->exe, "/dev/fd/"))
		strbuf_puts(sb, slash + 1);
	else if (comm[strspn(comm, "0123456789")] && strcmp(comm, "exe") != 0)
		strbuf_puts(sb, comm);
	else
		actor_name(sb, a);
}

static void process_attributes(struct view *v, const struct actor *a)
{
	char comm[EVENT_COMM + 1] = "";

	memcpy(comm, a->comm, EVENT_COMM);
	otlp_attribute_int(&v->w, RESOURCE_ATTRIBUTES, "process.pid", a->pid);
	otlp_attribute_text(&v->w, RESOURCE_ATTRIBUTES, "process.executable.name", comm);
	otlp_attribute_text(&v->w, RESOURCE_ATTRIBUTES, "process.executable.path", a->exe);
	otlp_attribute_list(&v->w, RESOURCE_ATTRIBUTES, "process.command_args", a->argv);
	if (a->ns_pid)
		otlp_attribute_int(&v->w, RESOURCE_ATTRIBUTES, "process.vpid", a->ns_pid);
	if (a->role == ACTOR_INIT || a->role == ACTOR_EXEC) /* what runs inside */
		otlp_attribute_text(&v->w, RESOURCE_ATTRIBUTES, "container.id", v->c->id);
}

/* The stage in which an actor's span is told: the one in which it began to play its part. */
static bool belongs_to_stage(const struct view *v, int actor)
{
	uint64_t start = lineage_life(v->c, actor).start_ns;

	return in_stage(v->stage, start) || (start < v->stage->start_ns && v->stage->first);
}

static bool is_failed(const struct step *s)
{
	return s->has_result && s->result < 0;
}

static bool is_part(const struct view *v, const struct step *s, int actor, enum phase phase)
{
	return s->actor == actor && s->phase == phase && in_stage(v->stage, s->start_ns);
}

static void failure_events(struct view *v, int actor, enum phase phase)
{
	for (size_t i = 0; i < v->c->step_count; i++) {
		const struct step *s = &v->c->steps[i];
		_cleanup_(strbuf_free) struct strbuf text = { 0 };
		char name[FORMAT_MAX];

		if (!is_part(v, s, actor, phase) || !is_failed(s) || !open_event(v, s->end_ns, step_kind_name(s->kind)))
			continue;
		format_errno(name, s->result > -4096 ? (int)-s->result : 0);
		text_step(&text, s, true);
		otlp_attribute_text(&v->w, EVENT_ATTRIBUTES, "error.type", name);
		otlp_attribute_text(&v->w, EVENT_ATTRIBUTES, "ctrace.step", text.text);
		close_event(v);
	}
}

static void add_times(struct step_times *sum, const struct step_times *t)
{
	sum->on_cpu_ns += t ? t->on_cpu_ns : 0;
	sum->run_queue_ns += t ? t->run_queue_ns : 0;
	sum->blocked_ns += t ? t->blocked_ns : 0;
}

/* The calls in which it was blocked for long. */
static void wait_events(struct view *v, int actor, enum phase phase)
{
	for (size_t i = 0; i < v->c->step_count; i++) {
		const struct step *s = &v->c->steps[i];
		_cleanup_(strbuf_free) struct strbuf text = { 0 };
		_cleanup_(strbuf_free) struct strbuf functions = { 0 };

		if (!is_part(v, s, actor, phase) || !s->times || !s->times->longest_block_ns ||
			!open_event(v, s->end_ns, "blocked"))
			continue;
		text_step(&text, s, true);
		if (s->times->blocked_in)
			text_functions(&functions, s->times->blocked_in, SIZE_MAX, true);
		otlp_attribute_text(&v->w, EVENT_ATTRIBUTES, "ctrace.step", text.text);
		otlp_attribute_int(&v->w, EVENT_ATTRIBUTES, "ctrace.blocked_ns", (int64_t)s->times->longest_block_ns);
		otlp_attribute_text(&v->w, EVENT_ATTRIBUTES, "ctrace.blocked_in", functions.text);
		close_event(v);
	}
}

/* What the actor did for a phase in this stage. A request that goes on when the stage ends is cut there. */
static void write_phase(struct view *v, int actor, enum phase phase, const char *parent)
{
	char path[MAX_PATH];
	struct span span = { .path = path, .name = phase_name(phase), .parent = parent, .kind = KIND_INTERNAL };
	size_t steps = 0, failed = 0;
	struct step_times sum = { 0 };
	bool timed = false;

	for (size_t i = 0; i < v->c->step_count; i++) {
		const struct step *s = &v->c->steps[i];
		uint64_t end = lineage_end(v->c, s->start_ns, s->end_ns, s->end_edge);

		if (!is_part(v, s, actor, phase))
			continue;
		end = end > v->stage->end_ns ? v->stage->end_ns : end;
		if (!steps++) {
			span.start_ns = s->start_ns;
			span.start_edge = s->start_edge;
		}
		if (end >= span.end_ns) {
			span.end_ns = end;
			span.end_edge = s->end_edge;
		}
		failed += is_failed(s);
		timed |= s->times != NULL;
		add_times(&sum, s->times);
	}
	if (!steps)
		return;
	snprintf(path, sizeof(path), "%s/actor/%d/%s", v->stage->path, actor, phase_name(phase));
	open_span(v, &span);
	otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, "ctrace.phase", phase_name(phase));
	otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "ctrace.steps", (int64_t)steps);
	otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "ctrace.failed", (int64_t)failed);
	if (timed) {
		otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "ctrace.on_cpu_ns", (int64_t)sum.on_cpu_ns);
		otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "ctrace.run_queue_ns", (int64_t)sum.run_queue_ns);
		otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "ctrace.blocked_ns", (int64_t)sum.blocked_ns);
	}
	open_events(v);
	failure_events(v, actor, phase); /* first, so that the bound spares them */
	wait_events(v, actor, phase);
	close_span(v, NULL);
}

static void actor_span(struct view *v, int index, const char *path)
{
	const struct actor *a = &v->c->actors[index];
	struct life life = lineage_life(v->c, index);
	int by = lineage_asked_by(v->c, index);
	bool cut = life.end_ns > v->stage->end_ns && v->stage->first;
	char parent[MAX_PATH], error[48];
	_cleanup_(strbuf_free) struct strbuf name = { 0 };

	/* What an actor of the start starts later hangs below that later stage. */
	if (by >= 0 && belongs_to_stage(v, by))
		snprintf(parent, sizeof(parent), "actor/%d", by);
	else
		snprintf(parent, sizeof(parent), "%s", v->stage->path);
	actor_name(&name, a);
	open_span(v, &(struct span){ .path = path, .name = name.text, .parent = parent,
		.kind = a->role == ACTOR_CLI ? KIND_CLIENT : a->role == ACTOR_ENGINE ? KIND_SERVER : KIND_INTERNAL,
		.start_ns = life.start_ns, .end_ns = cut ? v->stage->end_ns : life.end_ns, .start_edge = a->start_edge,
		.end_edge = cut ? EDGE_OPEN : a->end_edge });
	container_attributes(v);
	otlp_attribute_text(&v->w, SPAN_ATTRIBUTES, "ctrace.role", actor_role_name(a->role));
	if (a->has_cpu) {
		otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "ctrace.on_cpu_ns", (int64_t)a->on_cpu_ns);
		otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "ctrace.run_queue_ns", (int64_t)a->run_queue_ns);
	}
	if (a->exited && !cut)
		otlp_attribute_int(&v->w, SPAN_ATTRIBUTES, "process.exit.code", a->exit_status >> 8 & 0xff);
	open_events(v);
	snprintf(error, sizeof(error), a->exit_status & 0x7f ? "ended by signal %d" : "exit code %d",
		a->exit_status & 0x7f ? a->exit_status & 0x7f : a->exit_status >> 8 & 0xff);
	close_span(v, a->exited && a->exit_status && !cut ? error : NULL);
}

static bool has_steps(const struct view *v, int actor)
{
	for (size_t i = 0; i < v->c->step_count; i++) {
		if (v->c->steps[i].actor == actor && in_stage(v->stage, v->c->steps[i].start_ns))
			return true;
	}
	return false;
}

/* Index -1: the steps of nobody known, below the stage itself. */
static void write_actor(struct view *v, int index)
{
	bool own = index >= 0 && belongs_to_stage(v, index);
	_cleanup_(strbuf_free) struct strbuf service = { 0 };
	char path[MAX_PATH];

	if (!own && !has_steps(v, index))
		return;
	if (index >= 0)
		service_name(&service, &v->c->actors[index]);
	open_resource(v, index >= 0 ? service.text : "ctrace");
	if (index >= 0)
		process_attributes(v, &v->c->actors[index]);
	open_spans(v);
	snprintf(path, sizeof(path), "actor/%d", index);
	if (own)
		actor_span(v, index, path);
	for (int phase = 0; phase < PHASE_COUNT; phase++)
		write_phase(v, index, (enum phase)phase, own ? path : v->stage->path);
	close_resource(v);
}

static void tell_stage(const struct otlp *o, const struct container *c, const struct stage *stage)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	struct view v = { .o = o, .c = c, .stage = stage, .w = { .sb = &sb, .encoding = o->encoding } };

	write_stage(&v);
	for (int i = -1; i < (int)c->actor_count; i++)
		write_actor(&v, i);
}

void otlp_container(const struct otlp *o, const struct container *c, enum otlp_part part)
{
	uint64_t last = c->last_ns > c->first_ns ? c->last_ns : c->first_ns + 1;
	uint64_t ended = c->exit.known && c->exit.at_ns > c->started_ns ? c->exit.at_ns : last;

	if (part == OTLP_START && !c->existed)
		tell_stage(o, c, &(struct stage){ "", "container start", c->first_ns,
			c->started_ns ? c->started_ns : last + 1, true, !c->started_ns });
	if (part == OTLP_START || (!c->started_ns && !c->existed))
		return;
	tell_stage(o, c, &(struct stage){ c->existed ? "" : "run", "container run", c->existed ? c->first_ns : c->started_ns,
		ended, c->existed, true });
	if (last > ended)
		tell_stage(o, c, &(struct stage){ "teardown", "container teardown", ended, last + 1, false, false });
}

/* ---- payloads ---- */

void otlp_payload_begin(struct strbuf *sb, enum otlp_encoding encoding)
{
	if (encoding == OTLP_JSON)
		strbuf_puts(sb, "{\"resourceSpans\":[");
}

void otlp_payload_add(struct strbuf *sb, enum otlp_encoding encoding, bool first, const void *unit, size_t length)
{
	uint64_t rest = length;

	if (encoding == OTLP_JSON) {
		strbuf_puts(sb, first ? "\n" : ",\n");
	} else {
		strbuf_putc(sb, 1 << 3 | 2); /* resource_spans = 1, a message */
		for (; rest > 0x7f; rest >>= 7)
			strbuf_putc(sb, (char)(0x80 | (rest & 0x7f)));
		strbuf_putc(sb, (char)rest);
	}
	strbuf_add(sb, unit, length);
}

void otlp_payload_end(struct strbuf *sb, enum otlp_encoding encoding)
{
	if (encoding == OTLP_JSON)
		strbuf_puts(sb, "\n]}\n");
}

/* ---- as a file: ctrace show --otlp ---- */

struct file_sink {
	struct strbuf *sb;
	enum otlp_encoding encoding;
	bool first;
};

static void add_unit(void *arg, const struct strbuf *unit, size_t spans)
{
	struct file_sink *sink = arg;

	(void)spans;
	otlp_payload_add(sink->sb, sink->encoding, sink->first, unit->text, unit->length);
	sink->first = false;
}

static void add_container(struct strbuf *sb, const struct export *e, const struct container *c, enum otlp_encoding encoding)
{
	struct file_sink sink = { sb, encoding, e->containers == 0 };
	struct otlp o = { e->facts, e->spans, encoding, add_unit, &sink };

	otlp_container(&o, c, OTLP_START);
	otlp_container(&o, c, OTLP_REST);
}

static void json_begin(struct strbuf *sb, const struct export *e)
{
	(void)e;
	otlp_payload_begin(sb, OTLP_JSON);
}

static void json_container(struct strbuf *sb, const struct export *e, const struct container *c)
{
	add_container(sb, e, c, OTLP_JSON);
}

static void json_end(struct strbuf *sb, const struct export *e)
{
	(void)e;
	otlp_payload_end(sb, OTLP_JSON);
}

static void protobuf_container(struct strbuf *sb, const struct export *e, const struct container *c)
{
	add_container(sb, e, c, OTLP_PROTOBUF);
}

const struct export_format export_otlp = { "otlp", json_begin, json_container, json_end };
const struct export_format export_otlp_protobuf = { "otlp-protobuf", NULL, protobuf_container, NULL };
