/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SESSION_H
#define CTRACE_SESSION_H

/*
 * From events to output: the one path that a live trace and a replay share, so that a recording gives
 * byte for byte what the live session gave. Feeds a timeline and writes, as things happen:
 *
 *   JSON   header; events, if asked; a timeline whenever a container's state changes and when it ends;
 *          at the end a timeline of each that goes on, and the summary
 *   text   the waterfall of each container that ends; at the end of each that goes on, and a line
 *          about losses; or another format's
 */

#include <stdio.h>

#include "capture/facts.h"
#include "capture/recording.h"
#include "exporters/export.h"
#include "exporters/filter.h"
#include "exporters/waterfall.h"
#include "util/error.h"

struct session_options {
	FILE *json, *text; /* not owned; NULL = none */
	const char *json_name; /* for errors; NULL = stdout */
	bool events;       /* JSON: every event as well */
	bool docker_events; /* instead of JSON: docker's events (exporters/docker_events.h) */
	bool at_end;       /* write containers only when all is known, one timeline for each (show) */
	bool followed;     /* only containers that the followed command caused */
	bool as_recorded;  /* filter as the session did that made the recording (replay) */
	bool only_if_any;  /* of no container the text says nothing, unless events were lost (run: the launcher says why) */
	bool has_past;     /* live, from a serving tracer: session_begin_past and _end_past are called */
	const char *id;    /* only this container: id, name, or, where at_end finds none such, a prefix of the id; NULL = all */
	const char *filter; /* only containers, and with events also events, that pass (exporters/filter.h); NULL = all */
	/* The caller's span, of which the trace of the container of that id becomes a part, or those of all that the
	 * followed command causes ("" or NULL). NULL = none, and what is not valid counts as none. */
	const char *traceparent, *traceparent_of;
	struct waterfall_options waterfall;
	const struct export_format *format; /* of the text; NULL = the waterfall */
	struct recording_writer *record; /* not owned; every event goes there, and before them an
					    EVENT_META that tell the filters and the traceparent; NULL = none */
};

struct session;

/* Writes the JSON header at once. facts and options->json, text, record, id, filter, traceparent must outlive the session. */
int session_begin(const struct facts *facts, const struct session_options *options,
	struct session **ret_session, struct error *err);

/* Takes the next event. Errors are those of writing the output; malformed events are counted, not errors. */
int session_event(struct session *s, const struct event *event, struct error *err);

/* Between the two come events of before: what they tell of containers is known afterwards, but not written, and
 * those that ended in it are not shown. Both are part of the recording and of a replay of it. */
int session_begin_past(struct session *s, struct error *err);
int session_end_past(struct session *s, struct error *err);

/* The event by which a recording tells of such things: EVENT_META without an id. key: "session.*". */
void session_make_note(struct event_meta *ret, const char *key, const char *value, uint64_t time_ns);
#define SESSION_PAST "session.past" /* "begin", "end" */

/* Hands what was written so far to its readers; a live trace calls it after each batch. */
int session_flush(struct session *s, struct error *err);

/* No more events. incomplete: why they ended too early, or NULL. Writes what is left. */
int session_end(struct session *s, const char *incomplete, struct error *err);

/* Containers that matched the filter and of which the last word was written. */
uint64_t session_containers(const struct session *s);

/* Why the recording could not be written on (what came since is missing in it), or NULL. */
const struct error *session_record_error(const struct session *s);

/* The timeline, for further questions; it belongs to the session. */
struct timeline *session_timeline(struct session *s);

void session_free(struct session *s); /* takes NULL; also for a session that was not ended */

#endif
