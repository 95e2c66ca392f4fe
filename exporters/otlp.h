/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_OTLP_H
#define CTRACE_OTLP_H

/*
 * A container's start as a trace for OpenTelemetry collectors (OTLP 1.x, ExportTraceServiceRequest):
 *
 *     container start                  from the first sign of it until its program runs
 *       docker run                     each actor that took part, below who started or asked it
 *         request                      and for each phase what it did, from its first step to its last
 *         dockerd ...
 *     container run                    until it ended: how, and the marks on the way
 *     container teardown
 *
 * All are of one trace, and their ids are those of exporters/span_id.h. The start can be told as soon as the
 * container runs, the rest when it has ended; each span is told once, with its end. An actor is a resource of its own
 * (service.name dockerd, runc, ...). Steps are too many for a tracing system: those that failed become events of their
 * phase's span. What has no known length carries ctrace.start_edge or ctrace.end_edge.
 */

#include "exporters/export.h"
#include "exporters/otlp_encode.h"

enum otlp_part { OTLP_START, OTLP_REST };

/* Takes one encoded ResourceSpans: the unit of which payloads are made, queued and split. */
typedef void otlp_unit(void *arg, const struct strbuf *unit, size_t spans);

struct otlp {
	const struct facts *facts;
	const struct span_context *spans;
	enum otlp_encoding encoding;
	otlp_unit *unit;
	void *arg;
};

/* The spans of that part of c. Nothing for the start of a container that was there before tracing began, nor for the
 * rest of one that never started. */
void otlp_container(const struct otlp *o, const struct container *c, enum otlp_part part);

/* A payload is units between a beginning and an end. */
void otlp_payload_begin(struct strbuf *sb, enum otlp_encoding encoding);
void otlp_payload_add(struct strbuf *sb, enum otlp_encoding encoding, bool first, const void *unit, size_t length);
void otlp_payload_end(struct strbuf *sb, enum otlp_encoding encoding);

#endif
