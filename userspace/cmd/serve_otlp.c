/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/serve_otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/otlp.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/map.h"

/* How long a start is waited for; of more starts than that at once the rest is told at once. */
#define SETTLED_NS 1000000000ULL
enum { PENDING_MAX = 10000, TOLD_MS = 60000 /* trouble is told so often at most */ };

/* A container that has started and was not told of yet. */
struct pending {
	uint64_t started_ns;
	char id[];
};

struct serve_otlp {
	struct otlp_settings settings;
	struct span_context spans;
	struct otlp otlp;
	struct otlp_push *push;
	struct map pending; /* id -> struct pending */
	bool is_told;       /* that there is trouble */
	uint64_t told_ms;
};

int serve_otlp_open(const char *endpoint, const struct facts *facts, struct serve_otlp **ret_otlp, struct error *err)
{
	struct serve_otlp *o = xcalloc(1, sizeof(*o));
	int r = otlp_settings_read(&o->settings, endpoint, getenv, err);

	if (r == 0 && o->settings.url)
		r = otlp_push_new(&o->settings, OTLP_PUSH_QUEUE_BYTES, &o->push, err);
	if (r < 0 || !o->push) {
		serve_otlp_close(o, 0, NULL);
		if (r == 0)
			*ret_otlp = NULL;
		return r;
	}
	span_context_init(&o->spans, facts);
	o->otlp = (struct otlp){ .facts = facts, .spans = &o->spans, .encoding = o->settings.encoding,
		.unit = otlp_push_unit, .arg = o->push };
	*ret_otlp = o;
	return 0;
}

static void forget(struct serve_otlp *o, const char *id)
{
	free(map_remove(&o->pending, id, strlen(id)));
}

static void note_start(struct serve_otlp *o, const struct container *c)
{
	struct pending *p;

	if (o->pending.count >= PENDING_MAX) {
		otlp_container(&o->otlp, c, OTLP_START);
		return;
	}
	p = xmalloc(sizeof(*p) + strlen(c->id) + 1);
	p->started_ns = c->started_ns;
	strcpy(p->id, c->id);
	free(map_put(&o->pending, p->id, strlen(p->id), p));
}

void serve_otlp_changed(struct serve_otlp *o, const struct container *c, enum timeline_change change)
{
	if (change == CHANGE_STARTED)
		note_start(o, c);
	if (change != CHANGE_ENDED)
		return;
	/* a start that failed is told with its end */
	if (!c->started_ns || map_get(&o->pending, c->id, strlen(c->id)))
		otlp_container(&o->otlp, c, OTLP_START);
	otlp_container(&o->otlp, c, OTLP_REST);
	forget(o, c->id);
}

void serve_otlp_event(struct serve_otlp *o, const struct event *event)
{
	span_context_take(&o->spans, event);
}

void serve_otlp_step(struct serve_otlp *o, struct timeline *tl, uint64_t now_ns)
{
	for (size_t i = o->pending.count; i-- > 0;) {
		struct pending *p = o->pending.entries[i].value;
		const struct container *c;

		if (now_ns < p->started_ns + SETTLED_NS)
			continue;
		c = timeline_find(tl, p->id);
		if (c && c->started_ns == p->started_ns)
			otlp_container(&o->otlp, c, OTLP_START);
		map_remove(&o->pending, p->id, strlen(p->id));
		free(p);
	}
}

int serve_otlp_fd(const struct serve_otlp *o)
{
	return otlp_push_fd(o->push);
}

static void tell(struct serve_otlp *o)
{
	uint64_t now_ms = clock_ms(CLOCK_MONOTONIC);
	struct otlp_push_stats stats;

	otlp_push_get_stats(o->push, &stats);
	if (stats.in_trouble == o->is_told || (stats.in_trouble && o->told_ms && now_ms < o->told_ms + TOLD_MS))
		return;
	o->is_told = stats.in_trouble;
	if (!o->is_told) {
		fputs("ctrace serve: the collector takes traces again\n", stderr);
		return;
	}
	o->told_ms = now_ms;
	fprintf(stderr, "ctrace serve: traces do not reach the collector: %s (spans sent %" PRIu64 ", refused %" PRIu64
		", dropped %" PRIu64 ", waiting %" PRIu64 ")\n", stats.last_error, stats.sent, stats.failed + stats.rejected,
		stats.dropped, stats.queued_spans);
}

void serve_otlp_work(struct serve_otlp *o)
{
	otlp_push_run(o->push);
	tell(o);
}

void serve_otlp_get_stats(const struct serve_otlp *o, struct otlp_push_stats *ret_stats)
{
	otlp_push_get_stats(o->push, ret_stats);
}

void serve_otlp_hand_over(struct serve_otlp *from, struct serve_otlp *to)
{
	struct map pending = to->pending;

	to->pending = from->pending;
	from->pending = pending;
	to->spans = from->spans;
	otlp_push_hand_over(from->push, to->push);
}

/* What cannot be sent any more is said: nobody scrapes a server that has ended. */
static void close_push(struct serve_otlp *o, int timeout_ms, struct otlp_push_stats *ret_stats)
{
	struct otlp_push_stats before, stats;

	otlp_push_get_stats(o->push, &before);
	otlp_push_close(o->push, timeout_ms);
	otlp_push_get_stats(o->push, &stats);
	if (stats.dropped > before.dropped)
		fprintf(stderr, "ctrace serve: %" PRIu64 " spans were not sent to the collector%s%s\n", stats.dropped - before.dropped,
			stats.last_error[0] ? ": " : "", stats.last_error);
	if (ret_stats)
		*ret_stats = stats;
}

void serve_otlp_close(struct serve_otlp *o, int timeout_ms, struct otlp_push_stats *ret_stats)
{
	if (!o)
		return;
	if (o->push)
		close_push(o, timeout_ms, ret_stats);
	otlp_push_free(o->push);
	for (size_t i = 0; i < o->pending.count; i++)
		free(o->pending.entries[i].value);
	map_free(&o->pending);
	otlp_settings_free(&o->settings);
	free(o);
}
