/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TIMELINE_H
#define CTRACE_TIMELINE_H

#include "timeline/model.h"

/*
 * Events in, containers out. Pure: no I/O, no clock, no globals; the same events in the same
 * order give the same model. Feed events in order of time_ns (capture/order.h does that).
 */
struct timeline;

/* Facts of the capture that the recording header carries. */
struct timeline_config {
	uint32_t cgroup_hierarchy;    /* identifying hierarchy of event.cgroup_id; 0 = v2 */
	uint32_t root_pid_ns, root_mnt_ns, root_net_ns; /* inode numbers of the host's namespaces */
	struct {
		uint32_t id;
		char controllers[64]; /* as in /proc/self/cgroup: "memory", "name=systemd", "" for v2 */
	} hierarchies[32];
	size_t hierarchy_count;
	uint32_t page_size;
	/* Containers that have ended are kept until timeline_forget; beyond this many, the oldest
	 * ended ones are dropped and counted. 0 = no bound. */
	size_t max_ended;
	/* The steps of a container are given back when the listener has been told that it has ended. */
	bool ended_without_steps;
};

/* Of a container; of one that lives for long, the oldest after its start are forgotten in time. */
enum { TIMELINE_MAX_STEPS = 20000 };

/* Told when a container changes; the pointer is good for the duration of the call. */
enum timeline_change { CHANGE_CREATED, CHANGE_STARTED, CHANGE_STATE, CHANGE_NAMED, CHANGE_EXITED,
	CHANGE_ENDED /* torn down: nothing more will come */ };
typedef void timeline_listener(void *arg, const struct container *c, enum timeline_change change);

struct timeline *timeline_new(const struct timeline_config *config);
void timeline_free(struct timeline *tl); /* takes NULL */
void timeline_listen(struct timeline *tl, timeline_listener *listener, void *arg);

/* Takes one event. Records that are too short for their kind or of an unknown kind are counted and
 * skipped, never trusted: returns 0, or -EINVAL for such a record. */
int timeline_feed(struct timeline *tl, const struct event *event);

/* No more events will come: open edges get their final word, containers that are gone end. */
void timeline_finish(struct timeline *tl);

/* Containers in order of first_ns. The pointers stay good until the next feed or forget. Phases,
 * gaps and orders are up to date after this call (it settles what changed). */
size_t timeline_count(const struct timeline *tl);
const struct container *timeline_get(struct timeline *tl, size_t index);
/* The newest container whose id, name or unique id prefix this is; NULL = none or not unique. */
const struct container *timeline_find(struct timeline *tl, const char *id);

struct timeline_stats {
	uint64_t events, skipped;     /* taken; malformed */
	uint64_t lost;                /* sum of EVENT_LOST over kinds and reasons of lost events */
	uint64_t lost_lifecycle;      /* of these, events that identity rests on */
	uint64_t unwatched;           /* sum over the other reasons: cgroups, names and networks whose changes go unseen */
	uint64_t forgotten;           /* ended containers dropped at the bound */
	uint64_t unattributed;        /* runtime steps, and network links, that no container claimed */
	uint64_t names_forgotten;     /* facts about containers that had not been seen: those beyond the newest */
	uint64_t paths_cut;           /* cgroups whose paths are longer than a record holds: whose they are may be mistaken */
	uint64_t clients_ignored;     /* live clients beyond as many as are asked for ids in their arguments */
	uint64_t callers_forgotten;   /* span_context_forgotten: 0 until whoever has the spans sets it */
	uint64_t events_by_kind[64];  /* index: kind, or kind - 256 + 48 for those of user space */
	/* Processes that began in namespaces of their own, made by no runtime and in no container: bubblewrap's, unshare's. */
	struct namespaced {
		uint64_t count;
		char by[EVENT_COMM + 1]; /* who made the last of them */
	} namespaced, namespaced_followed; /* all; those of the followed command */
};
void timeline_get_stats(const struct timeline *tl, struct timeline_stats *ret_stats);

/* Whether an enum event_loss tells of events that were lost, and not of something that is not watched. */
bool timeline_loss_is_of_events(uint32_t reason);

#endif
