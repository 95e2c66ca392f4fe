/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DOCKER_EVENTS_H
#define CTRACE_DOCKER_EVENTS_H

/*
 * What happened to containers in the shape of `docker events --format '{{json .}}'`, a JSON object per line, for
 * programs that read those: create, start, oom, kill, pause, unpause, exec_create, exec_start, exec_die, die, destroy.
 * Whatever engine or runtime made the container.
 *
 * Not the same as docker: times are those of the kernel's work and not of the daemon's note of it; labels and
 * execID are not known; attach, resize, top and network events are none of the container's.
 */

#include "capture/facts.h"
#include "timeline/model.h"
#include "util/strbuf.h"

struct docker_events;

struct docker_events *docker_events_new(const struct facts *facts);
void docker_events_free(struct docker_events *d); /* takes NULL */

/* Appends what is new since the last call for that container, in order of time. sb NULL: only remembers it.
 * now_ns: up to when events were seen; UINT64_MAX = no more will come. */
void docker_events_update(struct docker_events *d, struct strbuf *sb, const struct container *c, uint64_t now_ns);

/* Nothing more will come of that container. */
void docker_events_forget(struct docker_events *d, const struct container *c);

#endif
