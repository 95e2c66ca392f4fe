/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tui/ancestors.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/map.h"
#include "util/strbuf.h"

/* Figures of containers that the timeline has forgotten are kept for so many readings. */
enum { LEVELS_EVERY_NS = 2000000000, FORGET_ROUNDS = 30 };

struct resources {
	struct cgroup *cg; /* one handle, pointed at one group after the other; NULL = none could be opened */
	bool tried;
	struct ancestors *ancestors;
	struct map by_container; /* id NUL generation -> struct resource */
	size_t turn;             /* where the next round of the others begins */
	uint64_t round;
};

struct resources *resources_new(void)
{
	struct resources *r = xcalloc(1, sizeof(*r));

	r->ancestors = ancestors_new();
	return r;
}

static void forget_levels(struct resource *res)
{
	for (size_t kind = 0; kind < RESOURCE_KINDS; kind++) {
		for (size_t i = 0; i < res->level_counts[kind]; i++)
			free(res->levels[kind][i].path);
		res->level_counts[kind] = 0;
	}
	res->levels_cut = 0;
	res->throttle_above = RESOURCE_UNKNOWN;
}

static void resource_free(struct resource *res)
{
	forget_levels(res);
	strbuf_free(&res->key);
	free(res->proc_cgroup);
	free(res);
}

void resources_free(struct resources *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->by_container.count; i++)
		resource_free(r->by_container.entries[i].value);
	map_free(&r->by_container);
	ancestors_free(r->ancestors);
	cgroup_close(r->cg);
	free(r);
}

static void container_key(struct strbuf *key, const struct container *c)
{
	strbuf_puts(key, c->id);
	strbuf_putc(key, '\0');
	strbuf_add(key, &c->generation, sizeof(c->generation));
}

static struct resource *find(const struct resources *r, const struct container *c)
{
	_cleanup_(strbuf_free) struct strbuf key = { 0 };

	container_key(&key, c);
	return map_get(&r->by_container, key.text, key.length);
}

static struct resource *find_or_make(struct resources *r, const struct container *c)
{
	_cleanup_(strbuf_free) struct strbuf key = { 0 };
	struct resource *res;

	container_key(&key, c);
	res = map_get(&r->by_container, key.text, key.length);
	if (!res) {
		res = xcalloc(1, sizeof(*res));
		res->cpu = res->throttle = res->throttle_above = RESOURCE_UNKNOWN;
		res->key = key;
		key = (struct strbuf){ 0 };
		map_put(&r->by_container, res->key.text, res->key.length, res);
	}
	return res;
}

const struct resource *resources_get(const struct resources *r, const struct container *c)
{
	const struct resource *res = r ? find(r, c) : NULL;

	return res && res->at_ns ? res : NULL;
}

/* The group that the memory controller knows, else any that is still there. */
static const struct container_cgroup *main_cgroup(const struct container *c)
{
	const struct container_cgroup *any = NULL;

	for (size_t i = 0; i < c->cgroup_count; i++) {
		const struct container_cgroup *g = &c->cgroups[i];

		if (g->removed)
			continue;
		if (strstr(g->controller, "memory"))
			return g;
		if (!any || !*g->controller)
			any = g;
	}
	return any;
}

static bool has_figures(const char *controllers)
{
	return !*controllers || strstr(controllers, "cpu") || strstr(controllers, "pids") || strstr(controllers, "blkio");
}

static void point_one(struct resources *r, const char *controllers, const char *path, const char *already)
{
	if (has_figures(controllers) && strcmp(path, already) != 0)
		cgroup_reopen_one(r->cg, controllers, path, NULL); /* what cannot be read is unknown */
}

/* Lines "4:memory:/docker/..." of cgroups(7). */
static void point_at_proc(struct resources *r, struct resource *res, const struct container *c, const char *already)
{
	char path[64], *lines, *save = NULL;

	if (!res->proc_cgroup) {
		snprintf(path, sizeof(path), "/proc/%u/cgroup", c->pid);
		res->proc_cgroup = file_read(path, 16384, NULL);
	}
	if (!res->proc_cgroup)
		return;
	lines = xstrdup(res->proc_cgroup);
	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':'), *at = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!at)
			continue;
		*at = '\0';
		point_one(r, controllers + 1, at + 1, already);
	}
	free(lines);
}

/* On v1 each hierarchy may have another path for it. */
static int point_at(struct resources *r, struct resource *res, const struct container *c,
	const struct container_cgroup *group)
{
	int result = cgroup_reopen(r->cg, group->path, NULL);

	if (result == 0 && c->existed && c->pid)
		point_at_proc(r, res, c, group->path);
	for (size_t i = 0; result == 0 && i < c->cgroup_count; i++) {
		const struct container_cgroup *g = &c->cgroups[i];

		if (!g->removed)
			point_one(r, g->controller, g->path, group->path);
	}
	return result;
}

static void take_stats(struct resource *res, const struct cgroup_stats *stats, uint64_t now_ns)
{
	struct resource_point *p = &res->history[res->next];

	if (res->at_ns && now_ns > res->at_ns) {
		res->cpu = stats_cpu(stats, &res->stats, now_ns - res->at_ns);
		res->throttle = stats_throttle(stats, &res->stats);
	}
	if (res->throttle < res->throttle_above)
		res->throttle = res->throttle_above;
	res->stats = *stats;
	res->at_ns = now_ns;
	*p = (struct resource_point){ now_ns, stats->memory_usage < 0 ? -1 : stats->memory_usage, res->cpu,
		res->throttle, stats->pids < 0 ? -1 : (int32_t)stats->pids };
	res->next = (res->next + 1) % RESOURCE_HISTORY;
	if (res->points < RESOURCE_HISTORY)
		res->points++;
}

/* ---- limits of its own and of what it is in ---- */

static int64_t millicpus(float percent)
{
	return percent < 0 ? CGROUP_UNSET : (int64_t)((double)percent * 10 + 0.5);
}

static void set_level(struct resource_level *l, enum resource_kind kind, const struct cgroup_stats *s, float cpu)
{
	bool has_quota = s->cpu_quota_us > 0 && s->cpu_period_us > 0;

	switch (kind) {
	case RESOURCE_MEMORY:
		l->usage = s->memory_usage;
		l->limit = s->memory_limit;
		break;
	case RESOURCE_CPU:
		l->usage = millicpus(cpu);
		l->limit = has_quota ? s->cpu_quota_us * 1000 / s->cpu_period_us : -1;
		break;
	default:
		l->usage = s->pids;
		l->limit = s->pids_limit;
	}
}

/* The newest figures of its own, so that they are those of one moment. */
static void set_own_levels(struct resource *res)
{
	for (size_t kind = 0; kind < RESOURCE_KINDS; kind++) {
		if (res->level_counts[kind])
			set_level(&res->levels[kind][0], (enum resource_kind)kind, &res->stats, res->cpu);
	}
}

static void add_parent(struct resource *res, enum resource_kind kind, const struct ancestor *a)
{
	struct resource_level *l = &res->levels[kind][res->level_counts[kind]++];

	l->path = xstrdup(a->path);
	set_level(l, kind, &a->stats, a->cpu);
	if (kind == RESOURCE_CPU && a->throttle > res->throttle_above)
		res->throttle_above = a->throttle;
}

/* What is above a group up to the root, which has no limit. */
static void read_parents(struct resources *r, struct resource *res, enum resource_kind kind, const char *own, uint64_t now_ns)
{
	_cleanup_free_ char *path = xstrdup(own);

	for (char *slash = strrchr(path, '/'); slash && slash > path; slash = strrchr(path, '/')) {
		*slash = '\0';
		if (res->level_counts[kind] < RESOURCE_LEVELS)
			add_parent(res, kind, ancestors_get(r->ancestors, r->cg, path, now_ns));
		else
			res->levels_cut += kind == RESOURCE_MEMORY;
	}
}

/* On v1 each hierarchy may have another path for it. */
static void read_levels(struct resources *r, struct resource *res, uint64_t now_ns)
{
	static const char *const controllers[RESOURCE_KINDS] = { "memory", "cpu", "pids" };

	forget_levels(res);
	res->levels_ns = now_ns;
	for (size_t kind = 0; kind < RESOURCE_KINDS; kind++) {
		res->levels[kind][0].path = cgroup_path(r->cg, controllers[kind]);
		res->level_counts[kind] = res->levels[kind][0].path != NULL;
	}
	for (size_t kind = 0; kind < RESOURCE_KINDS; kind++) {
		if (res->level_counts[kind])
			read_parents(r, res, (enum resource_kind)kind, res->levels[kind][0].path, now_ns);
	}
}

static void read_one(struct resources *r, const struct container *c, uint64_t now_ns)
{
	struct resource *res = find_or_make(r, c);
	const struct container_cgroup *group = main_cgroup(c);
	struct cgroup_stats stats;

	res->seen_round = r->round;
	if (!group || c->state == STATE_EXITED || point_at(r, res, c, group) < 0) {
		res->gone = true;
		return;
	}
	cgroup_read_stats(r->cg, &stats);
	if (stats.memory_usage == CGROUP_UNSET && stats.cpu_usage_ns == CGROUP_UNSET && stats.pids == CGROUP_UNSET) {
		res->gone = true; /* removed a moment ago */
		return;
	}
	take_stats(res, &stats, now_ns);
	if (now_ns - res->levels_ns >= LEVELS_EVERY_NS || !res->levels_ns)
		read_levels(r, res, now_ns);
	set_own_levels(res);
}

/* What no container of the timeline asked for in a while belongs to none. */
static void forget(struct resources *r)
{
	struct map *m = &r->by_container;

	for (size_t i = m->count; i-- > 0;) {
		struct resource *res = m->entries[i].value;

		if (r->round - res->seen_round < FORGET_ROUNDS)
			continue;
		map_remove(m, res->key.text, res->key.length);
		resource_free(res);
	}
}

void resources_read(struct resources *r, struct timeline *tl, uint64_t now_ns, uint64_t budget_ns,
	resources_wanted *wanted, void *arg)
{
	size_t count = timeline_count(tl), turn = r->turn;
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);

	if (!r->tried)
		cgroup_open("/", &r->cg, NULL);
	r->tried = true;
	if (!r->cg)
		return;
	r->round++;
	for (size_t i = 0; i < count; i++) {
		const struct container *c = timeline_get(tl, i);
		struct resource *res = find(r, c);

		if (res)
			res->seen_round = r->round;
		if (c->state != STATE_EXITED && wanted(arg, c))
			read_one(r, c, now_ns);
	}
	for (size_t n = 0; n < count && clock_ns(CLOCK_MONOTONIC) - begin < budget_ns; n++) {
		const struct container *c = timeline_get(tl, (turn + n) % count);

		r->turn = (turn + n + 1) % count;
		if (c->state != STATE_EXITED && !wanted(arg, c))
			read_one(r, c, now_ns);
	}
	forget(r);
	ancestors_forget(r->ancestors, now_ns);
}

const struct resource_point *resource_point(const struct resource *r, size_t back)
{
	if (back >= r->points)
		return NULL;
	return &r->history[(r->next + RESOURCE_HISTORY - 1 - back) % RESOURCE_HISTORY];
}

const struct resource_level *resource_binding(const struct resource *r, enum resource_kind kind)
{
	const struct resource_level *least = NULL;

	for (size_t i = 0; i < r->level_counts[kind]; i++) {
		const struct resource_level *l = &r->levels[kind][i];

		if (l->limit < 0 || l->usage < 0)
			continue;
		if (!least || l->limit - l->usage < least->limit - least->usage)
			least = l;
	}
	return least;
}

/* ---- what was written ---- */

static const char *limit_value(const struct container *c, const char *file)
{
	for (size_t i = 0; i < c->limit_count; i++) {
		if (!strcmp(c->limits[i].file, file))
			return c->limits[i].value;
	}
	return NULL;
}

static int64_t limit_number(const struct container *c, const char *v1, const char *v2)
{
	const char *text = limit_value(c, v1);
	long long value;
	char *end;

	if (!text)
		text = limit_value(c, v2);
	if (!text)
		return -1;
	value = strtoll(text, &end, 10);
	return end == text || value < 0 || value >= 1LL << 62 ? -1 : value;
}

int64_t container_memory_limit(const struct container *c)
{
	return limit_number(c, "memory.limit_in_bytes", "memory.max");
}

int64_t container_pids_limit(const struct container *c)
{
	return limit_number(c, "pids.max", "pids.max");
}

double container_cpu_limit(const struct container *c)
{
	const char *max = limit_value(c, "cpu.max");
	double quota = (double)limit_number(c, "cpu.cfs_quota_us", "cpu.max");
	double period = (double)limit_number(c, "cpu.cfs_period_us", "");

	if (max && strchr(max, ' '))
		period = strtod(strchr(max, ' '), NULL);
	return quota > 0 ? quota / (period > 0 ? period : 100000) : 0;
}
