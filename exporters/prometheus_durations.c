/* SPDX-License-Identifier: Apache-2.0 */
/* How long starts and their phases took. A duration with a lost edge is not known and is not counted. */
#include <stdlib.h>

#include "exporters/prometheus_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

#define MS 1000000ULL

static const uint64_t start_bounds[] = { 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, 1000 * MS,
	2500 * MS, 5000 * MS, 10000 * MS, 30000 * MS, 60000 * MS };
static const uint64_t phase_bounds[] = { MS / 10, MS / 2, MS, 5 * MS, 10 * MS, 50 * MS, 100 * MS, 500 * MS, 1000 * MS,
	5000 * MS, 30000 * MS };

/* What the steps of one role in one phase cover. */
struct part {
	uint64_t start_ns, end_ns;
	bool is_lost;
};

typedef struct part part_table[ACTOR_ROLE_COUNT][PHASE_COUNT];

static bool is_certain(enum edge edge)
{
	return edge == EDGE_OBSERVED || edge == EDGE_INFERRED;
}

static void add_step(part_table parts, const struct container *c, const struct step *s)
{
	struct part *part;

	if (s->actor < 0 || (size_t)s->actor >= c->actor_count)
		return;
	part = &parts[c->actors[s->actor].role][s->phase];
	if (!is_certain(s->start_edge) || !is_certain(s->end_edge))
		part->is_lost = true;
	if (!part->start_ns || s->start_ns < part->start_ns)
		part->start_ns = s->start_ns;
	if (s->end_ns > part->end_ns)
		part->end_ns = s->end_ns;
}

static void observe_parts(struct prometheus *p, part_table parts, const char *trace_id)
{
	for (size_t role = 0; role < ACTOR_ROLE_COUNT; role++) {
		for (size_t phase = 0; phase < PHASE_COUNT; phase++) {
			struct part *part = &parts[role][phase];

			if (!part->start_ns || part->is_lost || part->end_ns < part->start_ns)
				continue;
			if (!p->phases[role][phase]) {
				p->phases[role][phase] = xcalloc(1, sizeof(struct histogram));
				p->phases[role][phase]->bounds_ns = phase_bounds;
				p->phases[role][phase]->bound_count = ARRAY_SIZE(phase_bounds);
			}
			histogram_observe(p->phases[role][phase], part->end_ns - part->start_ns, trace_id,
				prometheus_wall_ns(p, part->end_ns));
		}
	}
}

static char *trace_of(const struct prometheus *p, const struct container *c, char hex[SPAN_TRACE_HEX])
{
	uint8_t id[SPAN_TRACE_BYTES];

	if (!span_is_known(c))
		return NULL;
	span_trace_id(&p->spans, c, id);
	return span_hex(hex, id, sizeof(id));
}

static void observe_total(struct prometheus *p, const struct container *c, const char *trace_id)
{
	size_t runtime = prometheus_runtime(p, c);
	struct histogram *h = &p->start_duration[runtime];

	if (c->existed || !c->first_ns || c->started_ns < c->first_ns)
		return;
	h->bounds_ns = start_bounds;
	h->bound_count = ARRAY_SIZE(start_bounds);
	histogram_observe(h, c->started_ns - c->first_ns, trace_id, prometheus_wall_ns(p, c->started_ns));
}

void prometheus_observe_start(struct prometheus *p, const struct container *c)
{
	char hex[SPAN_TRACE_HEX], *trace_id = trace_of(p, c, hex);
	part_table parts = { 0 };

	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];

		if (s->phase < PHASE_RUN && (!c->started_ns || s->start_ns <= c->started_ns))
			add_step(parts, c, s);
	}
	observe_parts(p, parts, trace_id);
	observe_total(p, c, trace_id);
}

void prometheus_observe_end(struct prometheus *p, const struct container *c)
{
	char hex[SPAN_TRACE_HEX];
	part_table parts = { 0 };

	for (size_t i = 0; i < c->step_count; i++) {
		if (c->steps[i].phase == PHASE_STOP || c->steps[i].phase == PHASE_TEARDOWN)
			add_step(parts, c, &c->steps[i]);
	}
	observe_parts(p, parts, trace_of(p, c, hex));
}
