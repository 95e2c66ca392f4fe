/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_THROTTLE_H
#define CTRACE_THROTTLE_H

#include "timeline/timeline.h"
#include "util/error.h"

/* Reads what CPU quotas do, since no tracepoint tells: cpu.stat of the cgroups that have one, one to ten times a
 * second, more often during a start, and at once when a container's init is gone: its runtime removes the cgroup
 * within milliseconds. Costs nothing while no quota is in force. */
struct throttle;

/* An EVENT_CGROUP_VALUE; none is older than the time at which it was asked for. */
typedef void throttle_sink(void *arg, const struct event *event);

/* Fails where no hierarchy has a CPU controller, or its cgroups cannot be opened by their ids. */
int throttle_open(const struct timeline_config *config, throttle_sink *sink, void *arg, struct throttle **ret_throttle,
	struct error *err);
int throttle_fd(const struct throttle *t); /* for epoll: readable when an init is gone */

/* Cgroup that existed at the start, by its name in the directory above it: watched if it has a quota. */
void throttle_existing(struct throttle *t, uint32_t hierarchy, uint64_t id, int parent_fd, const char *name, uint64_t now_ns);
/* Then the inits that were alive. */
void throttle_existing_init(struct throttle *t, uint32_t tgid, uint64_t now_ns);

/* Takes notice of quotas that are set and lifted, of inits that execute and exit, of cgroups that are
 * removed. */
void throttle_observe(struct throttle *t, const struct event *event);

/* Reads the cgroups whose init is gone: before anything else, since a runtime races for it. */
void throttle_read_ended(struct throttle *t, uint64_t now_ns);
/* Reads what is due. Call it when all rings have been read: an init's exec comes on another than the quota. */
void throttle_read(struct throttle *t, uint64_t now_ns);
/* The last readings of all, at the end of the capture. */
void throttle_finish(struct throttle *t, uint64_t now_ns);

/* Cgroups that had a quota and were not watched, for want of room, or were gone before they were read. */
uint64_t throttle_unwatched(const struct throttle *t);

void throttle_close(struct throttle *t); /* takes NULL */

#endif
