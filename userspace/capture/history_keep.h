/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_HISTORY_KEEP_H
#define CTRACE_HISTORY_KEEP_H

/* Which events of the past still matter (history.h). */

#include "bpf/event_types.h"
#include "timeline/timeline.h"

struct history_keep;

struct history_keep *history_keep_new(void);
void history_keep_free(struct history_keep *keep);

/* Follows which processes and cgroups exist: every event, in order. */
void history_keep_observe(struct history_keep *keep, const struct event *event);

/* Decides for the next pass, by the containers as they are now. */
void history_keep_prepare(struct history_keep *keep, struct timeline *tl, uint64_t now_ns);

enum keep_verdict { KEEP, KEEP_NOT /* nobody misses it */, KEEP_NO_ROOM /* of a container that goes on */ };
enum keep_verdict history_keep_judge(const struct history_keep *keep, const struct event *event);

/* After a pass: whether more must go. Then of half as many containers steps are kept, the youngest; when there
 * is room again, of twice as many. */
void history_keep_tighten(struct history_keep *keep, bool more);

#endif
