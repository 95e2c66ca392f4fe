/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/losses.h"

#include "capture/names.h"
#include "capture/rtnl.h"
#include "capture/throttle.h"

#define MISSED_EVERY_NS 1000000000ULL /* it takes a system call for each program */

/* It comes before all that is read together with it: which of that surrounds what is missing is not known. */
static void push(struct capture *c, uint64_t now_ns, uint32_t kind, enum event_loss reason, uint64_t count)
{
	struct event_lost e;

	event_prepare(&e.h, EVENT_LOST, sizeof(e), c->read_ns && c->read_ns < now_ns ? c->read_ns : now_ns);
	e.until_ns = now_ns;
	e.lost_kind = kind;
	e.reason = reason;
	e.count = count;
	order_push(&c->order, &e.h);
}

static void push_if_grown(struct capture *c, uint64_t now_ns, bool final, uint32_t kind, enum event_loss reason,
	uint64_t count, uint64_t *told)
{
	if (count == *told && !(final && count))
		return;
	*told = count;
	push(c, now_ns, kind, reason, count);
}

static enum event_loss reason_of(uint32_t index)
{
	switch (index) {
	case CTRACE_LOST_BLOCKED:
		return LOSS_BLOCKED_FULL;
	case CTRACE_LOST_INFLIGHT:
		return LOSS_INFLIGHT_FULL;
	case CTRACE_LOST_ROLE:
		return LOSS_ROLE_FULL;
	default:
		return LOSS_RING_FULL;
	}
}

void losses_push(struct capture *c, uint64_t now_ns, bool final)
{
	volatile struct ctrace_counters *counters = hooks_counters(&c->hooks);

	for (uint32_t i = 0; i < CTRACE_LOST_KINDS; i++) {
		enum event_loss reason = reason_of(i);

		push_if_grown(c, now_ns, final, reason == LOSS_RING_FULL ? i : 0, reason, counters->lost[i],
			&c->told_lost[i]);
	}
	if (final || now_ns > c->missed_asked_ns + MISSED_EVERY_NS) {
		c->missed_asked_ns = now_ns;
		push_if_grown(c, now_ns, final, 0, LOSS_MISSED, hooks_missed(&c->hooks), &c->told_missed);
	}
	push_if_grown(c, now_ns, final, 0, LOSS_LATE, c->order.late, &c->told_late);
	push_if_grown(c, now_ns, final, 0, LOSS_SNAPSHOT, c->lost_snapshot, &c->told_snapshot);
	if (c->rtnl) {
		push_if_grown(c, now_ns, final, 0, LOSS_NETLINK, rtnl_lost(c->rtnl), &c->told_netlink);
		push_if_grown(c, now_ns, final, 0, LOSS_UNHEARD, rtnl_unheard(c->rtnl), &c->told_unheard);
	}
	if (c->throttle)
		push_if_grown(c, now_ns, final, 0, LOSS_UNWATCHED, throttle_unwatched(c->throttle), &c->told_unwatched);
	if (c->names)
		push_if_grown(c, now_ns, final, 0, LOSS_UNNAMED, names_unwatched(c->names), &c->told_unnamed);
}
