/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/session.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/docker_events.h"
#include "exporters/json.h"
#include "exporters/lineage.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Buffered output is written at this size. Ended containers are kept up to so many: they were written when
 * they ended, or will be at the end. */
#define DOCKER_STEP_NS 100000000ULL
enum { FLUSH_BYTES = 256 * 1024, MAX_ENDED = 128, MAX_SHOWN = 100000 };

struct session {
	const struct facts *facts;
	struct session_options o;
	struct timeline *timeline;
	struct strbuf json, text;
	struct json_steps *steps; /* as they were written; NULL = each container is written once */
	char *recorded_id; /* the filters of the session that made the recording */
	struct filter *filter, *recorded_filter;
	struct filter *events, *recorded_events; /* what they say of single events; NULL = nothing */
	struct span_context spans;
	bool has_caller; /* the session's own traceparent is one */
	struct docker_events *docker; /* NULL = JSON is JSON */
	struct export export; /* what the format of the text is told */
	uint64_t containers;
	struct error record_error; /* of writing the recording, which then ends; the session goes on */
	bool in_past;
	uint64_t docker_ns; /* when all containers were last looked at for docker */
	uint64_t last_ns, past_ns; /* of the last event; when the past ended */
	struct loss_list losses;
	bool id_is_whole; /* one of just that id or name is there: those whose id begins so are not meant */
};

static bool is_called(const struct container *c, const char *id)
{
	return !strcmp(c->id, id) || (c->name && !strcmp(c->name, id));
}

static bool matches(const struct session *s, const struct container *c)
{
	if (c->ended && c->last_ns <= s->past_ns)
		return false;
	if (s->o.followed && !c->followed)
		return false;
	if (!filter_container(s->filter, c) || !filter_container(s->recorded_filter, c))
		return false;
	if (!s->o.id)
		return true;
	return is_called(c, s->o.id) || (!s->id_is_whole && str_starts(c->id, s->o.id));
}

/* A container that was there before and of which nothing was seen makes no picture. */
static bool has_story(const struct container *c)
{
	return !c->existed || c->step_count || c->mark_count || c->state == STATE_EXITED;
}

static void write_container(struct session *s, const struct container *c, enum timeline_change change,
	bool last)
{
	if (!matches(s, c))
		return;
	if (s->o.json && !s->docker)
		json_write_timeline_again(&s->json, &s->spans, c, change, s->steps);
	if (!last)
		return;
	s->containers++;
	if (!s->o.text || !has_story(c))
		return;
	if (s->o.format) {
		s->o.format->container(&s->text, &s->export, c);
		s->export.containers++;
	} else {
		waterfall_print(&s->text, c, &s->o.waterfall);
	}
}

/* What lies in the past is remembered, so that it is not told late. What is not of the followed command may turn
 * out to be, and is then told. */
static void tell_docker(struct session *s, const struct container *c, uint64_t now_ns)
{
	if (s->in_past || matches(s, c))
		docker_events_update(s->docker, s->in_past ? NULL : &s->json, c, now_ns);
}

/* Docker tells of things that are no change of state: all containers are looked at, but not with each event. */
static void look_for_docker(struct session *s, const struct event *event)
{
	size_t count;

	if (event->time_ns < s->docker_ns + DOCKER_STEP_NS)
		return;
	s->docker_ns = event->time_ns;
	count = timeline_count(s->timeline);
	for (size_t i = 0; i < count; i++) {
		const struct container *c = timeline_get(s->timeline, i);

		if (!c->ended)
			tell_docker(s, c, s->last_ns);
	}
}

static void changed(void *arg, const struct container *c, enum timeline_change change)
{
	struct session *s = arg;

	if (s->docker) {
		tell_docker(s, c, s->last_ns);
		if (change == CHANGE_ENDED)
			docker_events_forget(s->docker, c);
	}
	/* a name alone is no change of state; it is in the next timeline */
	if (!s->o.at_end && !s->in_past && change != CHANGE_NAMED)
		write_container(s, c, change, change == CHANGE_ENDED);
	if (change == CHANGE_ENDED)
		json_steps_forget(s->steps, c);
}

static int write_out(struct strbuf *sb, FILE *file, const char *name, struct error *err)
{
	if (!file || !sb->length)
		return 0;
	errno = EIO;
	if (fwrite(sb->text, 1, sb->length, file) != sb->length || fflush(file) != 0)
		return error_errno(err, errno, "cannot write %s", name ? name : "the output");
	strbuf_reset(sb);
	return 0;
}

int session_flush(struct session *s, struct error *err)
{
	int r = write_out(&s->json, s->o.json, s->o.json_name, err);

	return r < 0 ? r : write_out(&s->text, s->o.text, NULL, err);
}

void session_make_note(struct event_meta *ret, const char *key, const char *value, uint64_t time_ns)
{
	size_t n = strlen(key) + 1, length = strlen(value);

	if (length > sizeof(ret->text) - n - 1)
		length = sizeof(ret->text) - n - 1;
	memset(ret, 0, sizeof(*ret));
	ret->h.kind = EVENT_META;
	ret->h.time_ns = time_ns;
	memcpy(ret->text, key, n);
	memcpy(ret->text + n, value, length);
	ret->h.size = (__u16)(offsetof(struct event_meta, text) + n + length + 1);
}

static void keep_record(struct session *s, const struct event *event)
{
	if (s->o.record)
		recording_add(s->o.record, event, &s->record_error); /* tells an error once */
}

const struct error *session_record_error(const struct session *s)
{
	return s->record_error.text[0] ? &s->record_error : NULL;
}

/* What the session shows is part of the recording: a replay shows the same. Such a note is no fact about
 * containers, and the timeline never sees it. */
static void record_note(struct session *s, const char *id, const char *key, const char *value)
{
	struct event_meta e;

	session_make_note(&e, key, value, s->facts->start_ns);
	snprintf(e.id, sizeof(e.id), "%s", id);
	if (s->o.json && s->o.events)
		json_write_event(&s->json, &e.h);
	keep_record(s, &e.h);
}

/* The container whose trace is the caller's; "" = all that the followed command causes. */
static const char *caller_of(const struct session *s)
{
	return s->o.traceparent_of ? s->o.traceparent_of : "";
}

static void record_notes(struct session *s)
{
	if (!s->o.record)
		return;
	if (s->o.followed)
		record_note(s, "", "session.followed", "1");
	if (s->o.id)
		record_note(s, "", "session.id", s->o.id);
	if (s->o.filter)
		record_note(s, "", "session.filter", s->o.filter);
	if (s->has_caller)
		record_note(s, caller_of(s), SPAN_PARENT_NOTE, s->o.traceparent);
}

/* Containers that go on are written as they are when the past ends. */
static void take_past(struct session *s, const char *value)
{
	size_t count = timeline_count(s->timeline);

	s->in_past = !strcmp(value, "begin");
	if (s->in_past)
		return;
	s->past_ns = s->last_ns;
	for (size_t i = 0; i < count && !s->o.at_end; i++) {
		const struct container *c = timeline_get(s->timeline, i);

		if (!c->ended)
			write_container(s, c, CHANGE_STATE, false);
	}
}

static int use_recorded_filter(struct session *s, const char *text, struct error *err)
{
	int r;

	if (s->recorded_filter)
		return 0;
	r = filter_parse(text, &s->recorded_filter, NULL, err);
	if (r < 0)
		return error_prefix(err, "the recording was made with a filter that this ctrace does not know, \"%s\"", text);
	s->recorded_events = filter_items_only(s->recorded_filter);
	return 0;
}

/* 1 if the event was such a note, 0 if not. */
static int take_filter(struct session *s, const struct event *event, struct error *err)
{
	const struct event_meta *e = (const struct event_meta *)event;
	static const char prefix[] = "session.";
	size_t offset = offsetof(struct event_meta, text), room, key;
	char value[FILTER_MAX + 1];
	int r;

	if (event->kind != EVENT_META || event->size < offset + sizeof(prefix) ||
		event->size > sizeof(*e) || memcmp(e->text, prefix, strlen(prefix)) != 0)
		return 0;
	room = event->size - offset;
	key = strnlen(e->text, room);
	if (key + 1 >= room)
		return 1;
	snprintf(value, sizeof(value), "%.*s", (int)(room - key - 1), e->text + key + 1);
	span_context_take(&s->spans, event);
	if (!strcmp(e->text, SESSION_PAST) && (s->o.as_recorded || s->o.has_past))
		take_past(s, value);
	if (!s->o.as_recorded)
		return 1;
	if (!strcmp(e->text, "session.followed"))
		s->o.followed = true;
	if (!strcmp(e->text, "session.id") && !s->recorded_id)
		s->o.id = s->recorded_id = xstrdup(value);
	r = strcmp(e->text, "session.filter") ? 0 : use_recorded_filter(s, value, err);
	return r < 0 ? r : 1;
}

int session_begin(const struct facts *facts, const struct session_options *options,
	struct session **ret_session, struct error *err)
{
	struct session *s = xcalloc(1, sizeof(*s));
	struct timeline_config config = facts->timeline;
	int r;

	s->facts = facts;
	s->o = *options;
	if (s->o.filter && (r = filter_parse(s->o.filter, &s->filter, NULL, err)) < 0) {
		session_free(s);
		return r;
	}
	span_context_init(&s->spans, facts);
	s->has_caller = s->o.traceparent && span_context_set_parent(&s->spans, s->o.traceparent, caller_of(s));
	s->events = filter_items_only(s->filter);
	s->o.waterfall.filter = s->events;
	config.max_ended = options->at_end ? MAX_SHOWN : MAX_ENDED;
	config.ended_without_steps = !options->at_end; /* they were written */
	s->timeline = timeline_new(&config);
	timeline_listen(s->timeline, changed, s);
	s->export = (struct export){ .facts = facts, .spans = &s->spans };
	if (s->o.json && s->o.docker_events)
		s->docker = docker_events_new(facts);
	else if (s->o.json)
		json_write_header(&s->json, facts);
	if (s->o.json && !s->docker && !s->o.at_end)
		s->steps = json_steps_new();
	if (s->o.text && s->o.format && s->o.format->begin)
		s->o.format->begin(&s->text, &s->export);
	record_notes(s);
	r = session_flush(s, err);
	if (r < 0) {
		session_free(s);
		return r;
	}
	*ret_session = s;
	return 0;
}

int session_event(struct session *s, const struct event *event, struct error *err)
{
	bool is_note;
	int r;

	keep_record(s, event);
	r = take_filter(s, event, err);
	if (r < 0)
		return r;
	is_note = r > 0;
	if (s->o.json && s->o.events && (is_note ||
		(filter_event(s->events, NULL, event) && filter_event(s->recorded_events, NULL, event))))
		json_write_event(&s->json, event);
	loss_list_note(&s->losses, event);
	if (event->time_ns > s->last_ns)
		s->last_ns = event->time_ns;
	if (!is_note)
		timeline_feed(s->timeline, event); /* counts what it refuses */
	if (s->docker && !is_note)
		look_for_docker(s, event);
	if (s->json.length + s->text.length >= FLUSH_BYTES)
		return session_flush(s, err);
	return 0;
}

static int add_note(struct session *s, const char *value, struct error *err)
{
	struct event_meta e;

	session_make_note(&e, SESSION_PAST, value, s->last_ns ? s->last_ns : s->facts->start_ns);
	return session_event(s, &e.h, err);
}

int session_begin_past(struct session *s, struct error *err)
{
	return add_note(s, "begin", err);
}

int session_end_past(struct session *s, struct error *err)
{
	return add_note(s, "end", err);
}

/* Before the first of them is written: of those that will be. */
static uint64_t earliest(struct session *s)
{
	size_t count = timeline_count(s->timeline);
	uint64_t first = 0;

	for (size_t i = 0; i < count; i++) {
		const struct container *c = timeline_get(s->timeline, i);

		if (matches(s, c) && has_story(c))
			first = lineage_earlier(first, lineage_first(c));
	}
	return first;
}

/* Containers that go on, or with at_end all of them, in order of their first event. */
static int write_rest(struct session *s, struct error *err)
{
	size_t count = timeline_count(s->timeline);

	for (size_t i = 0; i < count && s->o.id && s->o.at_end; i++)
		s->id_is_whole |= is_called(timeline_get(s->timeline, i), s->o.id);
	if (s->o.format && s->o.at_end)
		s->export.origin_ns = earliest(s);
	for (size_t i = 0; i < count; i++) {
		const struct container *c = timeline_get(s->timeline, i);
		int r;

		if (c->ended && !s->o.at_end)
			continue; /* was written then */
		if (s->docker)
			tell_docker(s, c, UINT64_MAX);
		write_container(s, c, c->ended ? CHANGE_ENDED : CHANGE_STATE, true);
		r = session_flush(s, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int session_end(struct session *s, const char *incomplete, struct error *err)
{
	struct timeline_stats stats;
	int r;

	timeline_finish(s->timeline);
	r = write_rest(s, err);
	if (r < 0)
		return r;
	timeline_get_stats(s->timeline, &stats);
	if (!s->o.at_end)
		stats.forgotten = 0; /* each was written when it ended */
	stats.callers_forgotten = span_context_forgotten(&s->spans);
	if (s->o.followed)
		stats.namespaced = stats.namespaced_followed;
	if (s->o.json && !s->docker)
		json_write_summary(&s->json, &(struct json_summary){ .stats = &stats, .losses = &s->losses,
			.containers = s->containers, .error = incomplete });
	s->export.stats = &stats;
	s->export.incomplete = incomplete;
	if (s->o.text && s->o.format && s->o.format->end)
		s->o.format->end(&s->text, &s->export);
	if (s->o.text && !s->o.format && (s->containers || stats.lost || !s->o.only_if_any))
		waterfall_print_stats(&s->text, &stats, s->containers, &s->o.waterfall);
	return session_flush(s, err);
}

uint64_t session_containers(const struct session *s)
{
	return s->containers;
}

struct timeline *session_timeline(struct session *s)
{
	return s->timeline;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	timeline_free(s->timeline);
	strbuf_free(&s->json);
	strbuf_free(&s->text);
	json_steps_free(s->steps);
	free(s->recorded_id);
	docker_events_free(s->docker);
	filter_free(s->filter);
	filter_free(s->recorded_filter);
	filter_free(s->events);
	filter_free(s->recorded_events);
	free(s);
}
