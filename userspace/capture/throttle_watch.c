/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/throttle_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

enum throttle_quota throttle_quota(const char *file, const char *value)
{
	if (strcmp(file, "cpu.cfs_quota_us") != 0 && strcmp(file, "cpu.max") != 0)
		return QUOTA_NOT_IT;
	return strtoll(value, NULL, 10) > 0 ? QUOTA_SET : QUOTA_LIFTED; /* "-1", "max 100000" */
}

struct throttle_watch *throttle_find(const struct throttle_set *set, uint64_t id)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->items[i].id == id)
			return &set->items[i];
	}
	return NULL;
}

struct throttle_watch *throttle_add(struct throttle_set *set, uint64_t id, bool foreign, bool starting,
	uint64_t now_ns)
{
	struct throttle_watch *w = throttle_find(set, id);

	if (w) {
		w->lifted = false;
		return w;
	}
	if (set->count == THROTTLE_MAX_WATCHED || (foreign && set->foreign == THROTTLE_MAX_FOREIGN)) {
		set->unwatched++;
		return NULL;
	}
	array_grow(set->items, set->count, set->capacity);
	w = &set->items[set->count++];
	*w = (struct throttle_watch){ .id = id, .init_fd = -1, .foreign = foreign, .starting = starting,
		.since_ns = now_ns, .due_ns = now_ns };
	set->foreign += foreign;
	return w;
}

void throttle_remove(struct throttle_set *set, struct throttle_watch *w)
{
	set->foreign -= w->foreign;
	set->unwatched += !w->read_ns;
	*w = set->items[--set->count];
}

static bool differs(const struct cpu_stat *a, const struct cpu_stat *b)
{
	return a->periods != b->periods || a->throttled != b->throttled || a->throttled_ns != b->throttled_ns;
}

static void schedule(const struct throttle_set *set, struct throttle_watch *w, uint64_t now_ns)
{
	uint64_t period = set->count * THROTTLE_READ_SHARE_NS;

	if (w->starting && now_ns >= w->since_ns + THROTTLE_START_NS)
		w->starting = false;
	if (w->starting)
		period = THROTTLE_START_READ_NS;
	else if (period < THROTTLE_READ_NS)
		period = THROTTLE_READ_NS;
	else if (period > THROTTLE_READ_MOST_NS)
		period = THROTTLE_READ_MOST_NS;
	w->due_ns = now_ns + period;
}

static bool is_worth_telling(const struct throttle_watch *w, const struct cpu_stat *stat, uint64_t now_ns)
{
	if (!w->read_ns || (w->wanted && differs(stat, &w->told)))
		return true;
	return stat->throttled > w->told.throttled && (w->starting || now_ns >= w->told_ns + THROTTLE_TELL_NS);
}

bool throttle_take(struct throttle_set *set, struct throttle_watch *w, const char *text, uint64_t now_ns,
	throttle_teller *tell, void *arg)
{
	struct cpu_stat stat;

	schedule(set, w, now_ns);
	if (!cpu_stat_parse(text, &stat))
		return false;
	w->failures = 0;
	if (is_worth_telling(w, &stat, now_ns)) {
		if (w->read_ns > w->told_ns + THROTTLE_CALM_NS && w->stat.throttled == w->told.throttled &&
			stat.throttled > w->told.throttled)
			tell(arg, w->id, w->text, w->read_ns, now_ns);
		tell(arg, w->id, text, now_ns, now_ns);
		w->told = stat;
		w->told_ns = now_ns;
	}
	w->wanted = false;
	w->read_ns = now_ns;
	w->stat = stat;
	snprintf(w->text, sizeof(w->text), "%s", text);
	return true;
}

void throttle_last_word(struct throttle_watch *w, uint64_t now_ns, throttle_teller *tell, void *arg)
{
	if (w->read_ns && differs(&w->stat, &w->told))
		tell(arg, w->id, w->text, w->read_ns, now_ns);
}

void throttle_started(struct throttle_watch *w, uint32_t init, uint64_t now_ns)
{
	w->init = init;
	w->starting = false;
	w->wanted = true; /* the start ends here */
	w->due_ns = now_ns;
}

void throttle_set_free(struct throttle_set *set)
{
	free(set->items);
	*set = (struct throttle_set){ 0 };
}
