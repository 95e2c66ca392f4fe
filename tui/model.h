/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TUI_MODEL_H
#define CTRACE_TUI_MODEL_H

/* All that the dashboard shows. The screen is a function of this and of where the user is (ui.h). */

#include "capture/facts.h"
#include "exporters/loss_list.h"
#include "exporters/span_id.h"
#include "timeline/timeline.h"
#include "tui/event_log.h"
#include "tui/host.h"
#include "tui/resources.h"

enum { MODEL_ENDED_LIVE = 1000, MODEL_ENDED_RECORDED = 100000 };

/* Where a recording stands. */
struct playback {
	bool is_recording, playing, at_end;
	double speed;                      /* 1 = as it happened */
	uint64_t start_ns, at_ns, last_ns; /* last 0 = not known yet */
	uint64_t target_ns;                /* where it is going, or has gone */
};

struct model {
	const struct facts *facts;
	struct timeline *timeline;
	struct event_log log;
	struct resources *resources; /* NULL for a recording: its groups are not here */
	struct host host;
	uint64_t now_ns;
	struct loss_list losses;
	struct playback playback;
	/* What the session that made a recording showed: only what its command caused, only one container. */
	bool only_followed;
	char only_id[EVENT_NAME];
	struct span_context spans;
	char problem[256]; /* why events ended too early, escaped; "" = they did not */
	struct map owners; /* process or group -> container, as of owners_events */
	uint64_t owners_events;
};

/* facts must outlive the model. */
void model_init(struct model *m, const struct facts *facts, bool is_recording);
void model_free(struct model *m);
/* Forgets all that was fed: a recording begins again. */
void model_reset(struct model *m);

void model_feed(struct model *m, const struct event *event);

uint64_t model_events(const struct model *m);
uint64_t model_lost(const struct model *m);

/* The container that an event belongs to, by its process or its control group; NULL = none is known. */
const struct container *model_owner(struct model *m, const struct event *event);

/* Seconds of the wall clock of a time, with nanoseconds left over. */
int64_t model_wall(const struct model *m, uint64_t at_ns, uint32_t *ret_ns);

/* Whether the session that made the recording would have shown it. */
bool model_was_shown(const struct model *m, const struct container *c);

/* The newest start of `id`; id NULL = none. */
const struct container *model_container(const struct model *m, const char *id);
/* An earlier start that is like this one: of the same container, the same name, the same image, in that order. */
const struct container *model_earlier(const struct model *m, const struct container *c);

/* ---- figures of a container ---- */

/* From the first sign of it to the exec of its init; 0 = not known. */
uint64_t container_start_ns(const struct container *c);
/* Since it was made; of one that has ended, its whole life. */
uint64_t container_age_ns(const struct model *m, const struct container *c);
uint64_t container_born_ns(const struct container *c);
size_t container_ooms(const struct container *c);
/* Those that were seen or those that its group has counted, whichever are more; r may be NULL. */
int64_t container_oom_kills(const struct container *c, const struct resource *r);
/* The longest phase of the start (up to exec); NULL = none. */
const struct phase_span *container_slowest(const struct container *c);
/* Whether its length is printed with a ~. */
bool phase_is_inferred(const struct phase_span *p);
/* As it stands: what goes on ends now, not with the last event. Belongs to the container; good as long as that. */
struct container container_now(const struct model *m, const struct container *c);
/* The end of a span that may still be open. */
uint64_t container_end_of(const struct container *c, uint64_t end_ns, enum edge edge);

#endif
