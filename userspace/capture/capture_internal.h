/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CAPTURE_INTERNAL_H
#define CTRACE_CAPTURE_INTERNAL_H

#include "bpf/shared.h"
#include "capture/arming.h"
#include "capture/capture.h"
#include "capture/hooks.h"
#include "capture/order.h"

enum {
	CAPTURE_MAX_WAITING = 128 << 20, /* bytes in the ordering queue */
	CAPTURE_RECORDS_A_ROUND = 65536, /* of one ring, before what is in order goes out */
	CAPTURE_TICK_ACTIVE_MS = 10,
	CAPTURE_TICK_IDLE_MS = 100,
	CAPTURE_NAMES_WAIT_MS = 100,     /* at the end */
	CAPTURE_MAX_TICKS = 5            /* EVENT_TICK after the last event of another kind */
};



struct ring_buffer;
struct names;
struct rtnl;
struct throttle;

/* One ring: which of its records came last, and whether there is more. */
struct capture_ring {
	struct capture *capture;
	struct ring_buffer *reader;
	size_t taken;
	uint64_t last_ns;
	bool has_more;
};

struct capture {
	struct capture_options options;
	struct facts facts;
	struct hooks hooks;
	struct arming arming;
	struct order order;
	struct names *names;      /* NULL = they cannot be read */
	struct rtnl *rtnl;         /* NULL where it is refused, as throttle */
	struct throttle *throttle;
	struct capture_ring lifecycle, bulk;
	int epoll_fd, timer_fd;
	int tick_ms;              /* how the timer runs */
	uint64_t last_event_ns;   /* when something was last taken in */
	uint64_t seen_sentinels;
	uint64_t sentinel_ns;     /* of the sentinel that armed, until EVENT_ARMED is out */
	uint64_t armed_ns;        /* when the detail tier was attached */
	bool announce_armed;
	unsigned int ticks;
	uint64_t lost_snapshot;
	uint64_t missed_asked_ns;
	uint64_t read_ns; /* when the rings were looked at before this time; 0 = never */
	uint64_t told_lost[CTRACE_LOST_KINDS], told_late, told_netlink, told_snapshot, told_missed, told_unwatched, told_unnamed, told_unheard;
};

uint64_t boottime_ns(void);

/* A record that user space makes, with the header's fields that are the same for all of them. */
void event_prepare(struct event *event, enum event_kind kind, size_t size, uint64_t time_ns);

#endif
