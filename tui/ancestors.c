/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/ancestors.h"

#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/map.h"

enum { UNKNOWN = -1 };
static const uint64_t read_every_ns = 1900000000, forget_after_ns = 30000000000;

struct ancestors {
	struct map by_path;
};

struct ancestors *ancestors_new(void)
{
	return xcalloc(1, sizeof(struct ancestors));
}

void ancestors_free(struct ancestors *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->by_path.count; i++)
		free(a->by_path.entries[i].value);
	map_free(&a->by_path);
	free(a);
}

float stats_cpu(const struct cgroup_stats *now, const struct cgroup_stats *before, uint64_t over_ns)
{
	if (now->cpu_usage_ns < 0 || before->cpu_usage_ns < 0 || now->cpu_usage_ns < before->cpu_usage_ns || !over_ns)
		return UNKNOWN;
	return (float)((double)(now->cpu_usage_ns - before->cpu_usage_ns) * 100 / (double)over_ns);
}

float stats_throttle(const struct cgroup_stats *now, const struct cgroup_stats *before)
{
	int64_t periods = now->cpu_periods - before->cpu_periods;

	if (now->cpu_periods < 0 || before->cpu_periods < 0 || now->cpu_throttled < before->cpu_throttled)
		return UNKNOWN;
	return periods > 0 ? (float)(now->cpu_throttled - before->cpu_throttled) * 100 / (float)periods : 0;
}

static struct ancestor *find_or_make(struct ancestors *a, const char *path)
{
	size_t length = strlen(path);
	struct ancestor *found = map_get(&a->by_path, path, length);

	if (!found) {
		found = xcalloc(1, sizeof(*found) + length + 1);
		memcpy(found->path, path, length);
		found->cpu = found->throttle = UNKNOWN;
		map_put(&a->by_path, path, length, found);
	}
	return found;
}

const struct ancestor *ancestors_get(struct ancestors *a, struct cgroup *cg, const char *path, uint64_t now_ns)
{
	struct ancestor *found = find_or_make(a, path);
	struct cgroup_stats stats;

	found->used_ns = now_ns;
	if (found->at_ns && now_ns - found->at_ns < read_every_ns)
		return found;
	cgroup_reopen(cg, path, NULL); /* what cannot be read is unknown */
	cgroup_read_stats(cg, &stats);
	if (found->at_ns) {
		found->cpu = stats_cpu(&stats, &found->stats, now_ns - found->at_ns);
		found->throttle = stats_throttle(&stats, &found->stats);
	}
	found->stats = stats;
	found->at_ns = now_ns;
	return found;
}

void ancestors_forget(struct ancestors *a, uint64_t now_ns)
{
	for (size_t i = a->by_path.count; i-- > 0;) {
		struct ancestor *old = a->by_path.entries[i].value;

		if (now_ns - old->used_ns < forget_after_ns)
			continue;
		map_remove(&a->by_path, old->path, strlen(old->path));
		free(old);
	}
}
