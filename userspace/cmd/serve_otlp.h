/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SERVE_OTLP_H
#define CTRACE_SERVE_OTLP_H

/* Traces of containers' starts and ends, pushed to an OpenTelemetry collector as they become known. */

#include "capture/facts.h"
#include "exporters/otlp_push.h"
#include "timeline/timeline.h"

struct serve_otlp;

/* endpoint NULL = as the environment says (OTEL_EXPORTER_OTLP_*). *ret_otlp is NULL where nothing says where to. facts
 * must outlive it. */
int serve_otlp_open(const char *endpoint, const struct facts *facts, struct serve_otlp **ret_otlp, struct error *err);

/* What changed; a start is told a moment later, when all of it has come in. */
void serve_otlp_changed(struct serve_otlp *otlp, const struct container *c, enum timeline_change change);
/* Those that say whose traces containers belong to; others are of no interest. */
void serve_otlp_event(struct serve_otlp *otlp, const struct event *event);
/* Tells the starts that have settled; with UINT64_MAX all that were not told yet. */
void serve_otlp_step(struct serve_otlp *otlp, struct timeline *tl, uint64_t now_ns);

/* For poll: serve_otlp_work when it is readable. It says on stderr when the collector does not take traces, and when it does again. */
int serve_otlp_fd(const struct serve_otlp *otlp);
void serve_otlp_work(struct serve_otlp *otlp);

void serve_otlp_get_stats(const struct serve_otlp *otlp, struct otlp_push_stats *ret_stats);

/* What is queued, what is waited for and whose traces it is, to another that has just been opened. */
void serve_otlp_hand_over(struct serve_otlp *from, struct serve_otlp *to);

/* Takes NULL. What is queued has timeout_ms to be sent; ret_stats (may be NULL): the last figures. */
void serve_otlp_close(struct serve_otlp *otlp, int timeout_ms, struct otlp_push_stats *ret_stats);

#endif
