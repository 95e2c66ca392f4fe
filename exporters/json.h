/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_JSON_H
#define CTRACE_JSON_H

/*
 * JSON Lines, as JSON_SCHEMA.md describes them: each function appends one line with its newline to sb.
 * The same input gives the same bytes: no clock, no environment, no locale.
 */

#include "capture/facts.h"
#include "exporters/json_steps.h"
#include "exporters/loss_list.h"
#include "exporters/span_id.h"
#include "timeline/timeline.h"
#include "util/strbuf.h"

enum { JSON_SCHEMA_VERSION = 1 };

/* First line: the host, its clocks, the hooks chosen, what cannot be seen. */
void json_write_header(struct strbuf *sb, const struct facts *facts);

/* A container as it is now; change is why it is written now. */
void json_write_timeline(struct strbuf *sb, const struct span_context *spans, const struct container *c,
	enum timeline_change change);

/* The same for one that is written again and again: steps remembers what was written of it. */
void json_write_timeline_again(struct strbuf *sb, const struct span_context *spans, const struct container *c,
	enum timeline_change change, struct json_steps *steps);

/* The details of a step or a mark as an object. */
void json_details(struct strbuf *sb, const char *key, const struct details *details);

/* One event of the stream (--events). What a short record does not hold is left out. */
void json_write_event(struct strbuf *sb, const struct event *event);

struct json_summary {
	const struct timeline_stats *stats;
	const struct loss_list *losses; /* NULL = none */
	uint64_t containers; /* that were shown */
	const char *error;   /* why the input ended too early; NULL = complete */
};

/* Last line. */
void json_write_summary(struct strbuf *sb, const struct json_summary *summary);

/* Parts of lines, for lines that have them, too. */
void json_header(struct strbuf *sb, const char *key, const struct facts *facts);
void json_summary(struct strbuf *sb, const char *key, const struct json_summary *summary);
void json_marks(struct strbuf *sb, const struct container *c);  /* "marks" */
void json_limits(struct strbuf *sb, const struct container *c); /* "limits" */
void json_exit(struct strbuf *sb, const struct container *c);   /* "exit" */

const char *json_event_kind_name(uint32_t kind); /* "cgroup_write"; "unknown" */
const char *json_event_op_name(uint32_t op);     /* "mount"; "unknown" */
const char *json_event_role_name(uint8_t role);  /* "runtime"; NULL = none */
const char *json_loss_name(uint32_t reason);     /* "ring_full"; "unknown" */
const char *json_change_name(enum timeline_change change);

/* exporters/schema.json, as it was built in; NUL-terminated. */
extern const char json_schema[];

#endif
