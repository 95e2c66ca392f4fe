/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/capture_internal.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "bpf/ctrace.skel.h"
#include "capture/facts_internal.h"
#include "capture/losses.h"
#include "capture/names.h"
#include "capture/rtnl.h"
#include "capture/snapshot.h"
#include "capture/throttle.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"

uint64_t boottime_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

void event_prepare(struct event *event, enum event_kind kind, size_t size, uint64_t time_ns)
{
	memset(event, 0, size);
	event->size = size;
	event->kind = kind;
	event->time_ns = time_ns;
}

/* EVENT_ARMED names the task whose sentinel it was: the record comes out of the ring a moment later. */
static void announce_armed(struct capture *c, const struct event *cause, uint32_t armed)
{
	struct event_armed e;

	event_prepare(&e.h, EVENT_ARMED, sizeof(e), boottime_ns());
	if (cause) {
		e.h = *cause;
		e.h.kind = EVENT_ARMED;
		e.h.size = sizeof(e);
		e.h.flags = 0;
		e.h.time_ns = boottime_ns();
	}
	e.armed = armed;
	e.unused = 0;
	e.sentinel_ns = c->sentinel_ns;
	order_push(&c->order, &e.h);
}

static int take_record(void *arg, void *data, size_t size)
{
	struct capture_ring *ring = arg;
	struct capture *c = ring->capture;
	const struct event *event = data;

	if (size < sizeof(*event) || event->size > size || event->size < sizeof(*event))
		return 0;
	ring->last_ns = event->time_ns;
	c->last_event_ns = event->time_ns;
	c->ticks = 0;
	if (ring == &c->lifecycle) {
		arming_observe(&c->arming, event);
		if (c->rtnl)
			rtnl_observe(c->rtnl, event);
		if (c->names)
			names_observe(c->names, event);
	}
	if (c->throttle)
		throttle_observe(c->throttle, event);
	order_push(&c->order, event);
	if (c->announce_armed && event->time_ns == c->sentinel_ns) {
		announce_armed(c, event, 1);
		c->announce_armed = false;
	}
	if (++ring->taken < CAPTURE_RECORDS_A_ROUND)
		return 0;
	ring->has_more = true;
	return -EAGAIN; /* stops this round; the record is taken */
}

static void take_ring(struct capture_ring *ring)
{
	ring->taken = 0;
	ring->has_more = false;
	ring_buffer__consume(ring->reader);
}

static int arm(struct capture *c, struct error *err)
{
	volatile struct ctrace_counters *counters = hooks_counters(&c->hooks);
	int r;

	c->seen_sentinels = counters->sentinels;
	if (c->hooks.armed || !hooks_can_arm(&c->hooks))
		return 0;
	r = hooks_arm(&c->hooks, err);
	if (r == -EEXIST) { /* the links of before are still held: a child of ours has not executed yet */
		c->seen_sentinels--;
		return 0;
	}
	if (r < 0)
		return r;
	c->armed_ns = boottime_ns();
	c->sentinel_ns = counters->last_sentinel_ns;
	c->announce_armed = !c->hooks.calls_always;
	return 0;
}

int capture_arm(struct capture *c, struct error *err)
{
	uint64_t unseen = hooks_counters(&c->hooks)->sentinels - c->seen_sentinels;
	int r;

	if (c->hooks.armed || !hooks_can_arm(&c->hooks)) {
		c->armed_ns = boottime_ns(); /* quiet is counted from here */
		return 0;
	}
	r = arm(c, err);
	if (r == 0 && !unseen)
		c->sentinel_ns = 0;
	return r;
}

/* As soon as a sentinel was seen, before anything else is done. */
static int arm_if_asked(struct capture *c, struct error *err)
{
	if (hooks_counters(&c->hooks)->sentinels == c->seen_sentinels)
		return 0;
	return arm(c, err);
}

static void disarm_if_quiet(struct capture *c, uint64_t now_ns)
{
	volatile struct ctrace_counters *counters = hooks_counters(&c->hooks);
	uint64_t last = counters->last_sentinel_ns;

	if (!c->hooks.armed || c->options.always_armed)
		return;
	if (c->options.start_armed && now_ns < c->facts.start_ns + ARMING_BEGIN_NS)
		return;
	if (counters->last_detail_ns > last)
		last = counters->last_detail_ns;
	if (c->armed_ns > last)
		last = c->armed_ns;
	if (!arming_is_quiet(&c->arming, now_ns, last))
		return;
	hooks_disarm(&c->hooks);
	c->sentinel_ns = 0;
	if (!c->hooks.calls_always)
		announce_armed(c, NULL, 0);
}

static int set_timer(struct capture *c, int ms)
{
	struct itimerspec t = {
		.it_interval = { .tv_nsec = ms * 1000000L },
		.it_value = { .tv_nsec = ms * 1000000L },
	};

	c->tick_ms = ms;
	return timerfd_settime(c->timer_fd, 0, &t, NULL);
}

/* While events flow, wakeups are batched in the kernel and the timer fetches them; in peace it runs slower. */
static void pace(struct capture *c, uint64_t now_ns)
{
	bool active = c->order.count || now_ns < c->last_event_ns + ARMING_QUIET_NS;
	int ms = active ? CAPTURE_TICK_ACTIVE_MS : CAPTURE_TICK_IDLE_MS;
	struct event tick;

	if (ms != c->tick_ms)
		set_timer(c, ms);
	if (active || c->ticks >= CAPTURE_MAX_TICKS)
		return;
	c->ticks++;
	c->last_event_ns = now_ns;
	event_prepare(&tick, EVENT_TICK, sizeof(tick), now_ns);
	order_push(&c->order, &tick);
}

static int add_epoll(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int open_ring(struct capture_ring *ring, struct capture *c, struct bpf_map *map, struct error *err)
{
	libbpf_print_fn_t previous = libbpf_set_print(NULL); /* what fails is told once, in words of our own */
	int code;

	ring->capture = c;
	ring->reader = ring_buffer__new(bpf_map__fd(map), take_record, ring, NULL);
	code = errno;
	libbpf_set_print(previous);
	if (!ring->reader)
		return error_errno(err, code, "cannot map the event ring %s", bpf_map__name(map));
	if (add_epoll(c->epoll_fd, ring_buffer__epoll_fd(ring->reader)) < 0)
		return error_errno(err, errno, "epoll");
	return 0;
}

static int open_fds(struct capture *c, struct error *err)
{
	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	c->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->epoll_fd < 0 || c->timer_fd < 0 || add_epoll(c->epoll_fd, c->timer_fd) < 0)
		return error_errno(err, errno, "cannot make an epoll or timer descriptor");
	set_timer(c, CAPTURE_TICK_ACTIVE_MS);
	return 0;
}

/* The network is worth seeing, but nothing else depends on it. */
static void open_rtnl(struct capture *c)
{
	struct error err = { 0 };

	if (rtnl_open(&c->rtnl, &err) == 0 && add_epoll(c->epoll_fd, rtnl_fd(c->rtnl)) == 0) {
		facts_add_hook(&c->facts, "network interfaces", "rtnetlink", HOOK_ATTACHED, "");
		return;
	}
	facts_add_hook(&c->facts, "network interfaces", "rtnetlink", HOOK_REFUSED, err.text);
}

/* So are names. */
static void open_names(struct capture *c)
{
	struct error err = { 0 };

	if (names_open(c->facts.timeline.root_mnt_ns, &c->names, &err) == 0 &&
		add_epoll(c->epoll_fd, names_fd(c->names)) == 0)
		facts_add_hook(&c->facts, "names and labels", "engines' files", HOOK_ATTACHED, "");
	else
		facts_add_hook(&c->facts, "names and labels", "engines' files", HOOK_REFUSED, err.text);
}

/* Its reading is no sign of life: what is quiet stays quiet. */
static void take_value(void *arg, const struct event *event)
{
	struct capture *c = arg;

	order_push(&c->order, event);
}

static void open_throttle(struct capture *c)
{
	struct error err = { 0 };

	if (throttle_open(&c->facts.timeline, take_value, c, &c->throttle, &err) == 0 &&
		add_epoll(c->epoll_fd, throttle_fd(c->throttle)) == 0) {
		facts_add_hook(&c->facts, "CPU throttling", "cpu.stat", HOOK_ATTACHED, "");
		return;
	}
	facts_add_hook(&c->facts, "CPU throttling", "cpu.stat", HOOK_REFUSED, err.text);
}

static int open_parts(struct capture *c, struct error *err)
{
	int r;

	r = facts_collect(&c->facts, err);
	if (r == 0)
		r = open_fds(c, err);
	if (r == 0)
		r = hooks_load(&c->hooks, &c->options, &c->facts, err);
	if (r == 0)
		r = open_ring(&c->lifecycle, c, c->hooks.skeleton->maps.lifecycle_ring, err);
	if (r == 0)
		r = open_ring(&c->bulk, c, c->hooks.skeleton->maps.bulk_ring, err);
	if (r == 0 && (c->options.always_armed || c->options.start_armed))
		r = arm(c, err);
	if (r < 0)
		return r;
	open_rtnl(c);
	open_names(c);
	open_throttle(c);
	facts_explain(&c->facts);
	snapshot_push(c, &c->lost_snapshot);
	return arming_is_pending(&c->arming, boottime_ns()) ? arm(c, err) : 0; /* in the middle of a start */
}

int capture_open(const struct capture_options *options, struct capture **ret_capture, struct error *err)
{
	struct capture *c = xcalloc(1, sizeof(*c));
	int r;

	c->options = *options;
	c->epoll_fd = -1;
	c->timer_fd = -1;
	c->order.max_bytes = CAPTURE_MAX_WAITING;
	c->facts.always_armed = options->always_armed;
	r = open_parts(c, err);
	if (r == -EMFILE)
		error_set(err, EMFILE, "the caller's limit of open files is too low for tracing: raise it (ulimit -n) to 128 or more");
	if (r < 0) {
		capture_close(c);
		return r;
	}
	if (c->announce_armed || c->hooks.calls_always) {
		announce_armed(c, NULL, options->always_armed || c->hooks.calls_always ? 2 : 1);
		c->announce_armed = false;
	}
	c->last_event_ns = boottime_ns();
	*ret_capture = c;
	return 0;
}

const struct facts *capture_facts(const struct capture *c)
{
	return &c->facts;
}

int capture_fd(const struct capture *c)
{
	return c->epoll_fd;
}

static int give(struct capture *c, uint64_t horizon_ns, capture_sink *sink, void *arg)
{
	struct event *event;

	while ((event = order_pop(&c->order, horizon_ns))) {
		int r = sink(arg, event);

		free(event);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Up to where nothing older can come: a ring that was not emptied may hold anything after its last. */
static uint64_t horizon(const struct capture *c, uint64_t now_ns)
{
	uint64_t limit = now_ns;

	if (c->lifecycle.has_more && c->lifecycle.last_ns < limit)
		limit = c->lifecycle.last_ns;
	if (c->bulk.has_more && c->bulk.last_ns < limit)
		limit = c->bulk.last_ns;
	return limit > CAPTURE_WINDOW_NS ? limit - CAPTURE_WINDOW_NS : 0;
}

static void take_link(void *arg, const struct event *event)
{
	struct capture *c = arg;

	c->last_event_ns = event->time_ns;
	c->ticks = 0;
	order_push(&c->order, event);
}

/* One read takes all of its expirations; there are none when something else woke us. */
static void take_timer(const struct capture *c)
{
	uint64_t expirations;
	ssize_t n = read(c->timer_fd, &expirations, sizeof(expirations));

	(void)n;
}

static int take_all(struct capture *c, uint64_t *ret_now_ns, struct error *err)
{
	int r;

	r = arm_if_asked(c, err);
	if (r < 0)
		return r;
	take_timer(c);
	*ret_now_ns = boottime_ns();
	if (c->throttle)
		throttle_read_ended(c->throttle, *ret_now_ns);
	take_ring(&c->lifecycle);
	take_ring(&c->bulk);
	if (c->throttle)
		throttle_read(c->throttle, *ret_now_ns);
	if (c->rtnl)
		rtnl_read(c->rtnl, *ret_now_ns, take_link, c);
	if (c->names)
		names_take(c->names, *ret_now_ns, take_value, c);
	if (c->announce_armed) { /* its sentinel was lost */
		announce_armed(c, NULL, 1);
		c->announce_armed = false;
	}
	disarm_if_quiet(c, *ret_now_ns);
	losses_push(c, *ret_now_ns, false);
	c->read_ns = *ret_now_ns;
	return 0;
}

/* Takes and gives what there is until both rings are empty. */
static int give_all(struct capture *c, uint64_t *ret_now_ns, capture_sink *sink, void *arg, struct error *err)
{
	int r;

	do {
		r = take_all(c, ret_now_ns, err);
		if (r == 0)
			r = give(c, horizon(c, *ret_now_ns), sink, arg);
	} while (r == 0 && (c->lifecycle.has_more || c->bulk.has_more));
	return r;
}

int capture_read(struct capture *c, capture_sink *sink, void *arg, struct error *err)
{
	uint64_t now_ns = 0;
	int r = give_all(c, &now_ns, sink, arg, err);

	pace(c, now_ns);
	return r;
}

int capture_drain(struct capture *c, capture_sink *sink, void *arg, struct error *err)
{
	uint64_t now_ns = 0;
	int r = give_all(c, &now_ns, sink, arg, err);

	if (r < 0)
		return r;
	if (c->names) { /* of what was seen last, if its files can be read at once */
		names_wait(c->names, CAPTURE_NAMES_WAIT_MS);
		names_take(c->names, boottime_ns(), take_value, c);
	}
	if (c->throttle)
		throttle_finish(c->throttle, now_ns);
	losses_push(c, boottime_ns(), true);
	return give(c, UINT64_MAX, sink, arg);
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	if (c->hooks.skeleton) {
		hooks_disarm(&c->hooks);
		hooks_unload(&c->hooks);
	}
	rtnl_close(c->rtnl);
	names_close(c->names);
	throttle_close(c->throttle);
	ring_buffer__free(c->lifecycle.reader);
	ring_buffer__free(c->bulk.reader);
	if (c->epoll_fd >= 0)
		close(c->epoll_fd);
	if (c->timer_fd >= 0)
		close(c->timer_fd);
	order_free(&c->order);
	arming_free(&c->arming);
	facts_free(&c->facts);
	free(c);
}
