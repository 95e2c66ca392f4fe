/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's CPU limit did to it, from one reading of cpu.stat to the next. */
#include <string.h>

#include "timeline/timeline_internal.h"

/* Marks of one container; beyond it the two that are nearest become one. */
enum { THROTTLE_MARKS_MAX = 64 };

/* Between two readings. */
struct interval {
	uint64_t from_ns, to_ns;
	struct cpu_stat stat;
};

static struct detail *find(struct mark *m, const char *key)
{
	for (size_t i = 0; i < m->details.count; i++) {
		if (!strcmp(m->details.items[i].key, key))
			return &m->details.items[i];
	}
	return NULL;
}

static uint64_t get(struct mark *m, const char *key)
{
	const struct detail *d = find(m, key);

	return d ? (uint64_t)d->number : 0;
}

static void set(struct mark *m, const char *key, uint64_t value)
{
	struct detail *d = find(m, key);

	if (d)
		d->number = (int64_t)value;
	else
		details_add_u64(&m->details, key, value);
}

static void extend(struct mark *m, const struct interval *more)
{
	set(m, "periods", get(m, "periods") + more->stat.periods);
	set(m, "throttled", get(m, "throttled") + more->stat.throttled);
	set(m, "throttled_ns", get(m, "throttled_ns") + more->stat.throttled_ns);
	set(m, "until_ns", more->to_ns);
}

static struct interval interval_of(struct mark *m)
{
	return (struct interval){ .from_ns = m->at_ns, .to_ns = get(m, "until_ns"),
		.stat = { get(m, "periods"), get(m, "throttled"), get(m, "throttled_ns") } };
}

/* The next mark of this kind from index on, or NULL. They are in order of time, whether sorted or not. */
static struct mark *next_mark(struct container *c, size_t from)
{
	for (size_t i = from; i < c->mark_count; i++) {
		if (c->marks[i].kind == MARK_THROTTLE)
			return &c->marks[i];
	}
	return NULL;
}

static struct mark *last_mark(struct container *c)
{
	for (size_t i = c->mark_count; i-- > 0;) {
		if (c->marks[i].kind == MARK_THROTTLE)
			return &c->marks[i];
	}
	return NULL;
}

static void merge_nearest(struct container *c)
{
	struct mark *before = NULL, *m, *next;
	uint64_t least = UINT64_MAX;
	struct interval more;

	for (m = next_mark(c, 0); m && (next = next_mark(c, (size_t)(m - c->marks) + 1)); m = next) {
		if (next->at_ns - get(m, "until_ns") < least) {
			least = next->at_ns - get(m, "until_ns");
			before = m;
		}
	}
	if (!before)
		return;
	next = next_mark(c, (size_t)(before - c->marks) + 1);
	more = interval_of(next);
	extend(before, &more);
	details_free(&next->details);
	memmove(next, next + 1, (size_t)(c->marks + --c->mark_count - next) * sizeof(*next));
}

static void bound_marks(struct container *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->mark_count; i++)
		count += c->marks[i].kind == MARK_THROTTLE;
	if (count > THROTTLE_MARKS_MAX)
		merge_nearest(c);
}

/* Throttling that goes on is one mark; what held back the start is told apart from what came after it. */
static void add_interval(struct cont *c, const struct interval *interval)
{
	struct mark *m = last_mark(&c->c);
	uint64_t started = c->c.started_ns;

	if (!m || get(m, "until_ns") != interval->from_ns || (m->at_ns < started && interval->from_ns >= started)) {
		m = container_add_mark(c, MARK_THROTTLE, interval->from_ns);
		extend(m, interval);
		bound_marks(&c->c);
	} else {
		extend(m, interval);
	}
	c->unsettled = true;
}

/* Cgroups that the payload made below its own have limits of their own, which are its own affair. */
static bool is_own(const struct container *c, const struct cgroup_ref *ref)
{
	for (size_t i = 0; i < c->cgroup_count; i++) {
		if (c->cgroups[i].hierarchy == ref->hierarchy && c->cgroups[i].id == ref->id)
			return true;
	}
	return false;
}

static uint64_t more(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* A cgroup that was made while we watched began with zeros; of one that was there the first reading says
 * only from where to count. */
static void begin(struct cont *c, uint64_t cgroup, uint64_t at_ns, const struct cpu_stat *stat)
{
	c->cpu.cgroup = cgroup;
	c->cpu.at_ns = c->c.existed ? at_ns : c->c.created_ns ? c->c.created_ns : c->c.first_ns;
	c->cpu.stat = c->c.existed ? *stat : (struct cpu_stat){ 0 };
}

void throttling_take(struct timeline *tl, const struct event_cgroup_value *e)
{
	struct cgroup_ref *ref = cgroups_find(tl, e->hierarchy, e->id);
	struct cont *c = ref ? container_by_serial(tl, ref->container) : NULL;
	struct interval interval = { .to_ns = more(e->h.time_ns, e->age_ms * UINT64_C(1000000)) };
	struct cpu_stat stat;

	if (!c || c->c.ended || !is_own(&c->c, ref) || strcmp(e->file, "cpu.stat") != 0 ||
		!cpu_stat_parse(e->value, &stat))
		return;
	if (c->cpu.cgroup != e->id || !c->cpu.at_ns)
		begin(c, e->id, interval.to_ns, &stat);
	interval.from_ns = c->cpu.at_ns;
	interval.stat = (struct cpu_stat){ more(stat.periods, c->cpu.stat.periods),
		more(stat.throttled, c->cpu.stat.throttled), more(stat.throttled_ns, c->cpu.stat.throttled_ns) };
	if (interval.stat.throttled && interval.to_ns >= interval.from_ns)
		add_interval(c, &interval);
	c->cpu.at_ns = interval.to_ns;
	c->cpu.stat = stat;
	c->c.throttling = (struct throttling){ true, stat.periods, stat.throttled, stat.throttled_ns };
}
