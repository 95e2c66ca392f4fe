/* SPDX-License-Identifier: Apache-2.0 */
/* Usage, limits and events of a group, read from v1 or v2 files into the same fields. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/cgroup_internal.h"

int cgroup_read_file(const struct cgroup *cg, const char *controller, const char *file, char *ret,
	size_t size)
{
	const struct hierarchy *h = *controller ? cgroup_find(cg, controller) : cgroup_find_v2(cg);

	if (!h || h->fd < 0)
		return -ENOENT;
	return cgroup_read_at(h->fd, file, ret, size);
}

/* v1 has no word for "no limit": the largest page-aligned counter stands for it. */
#define V1_NO_LIMIT 0x7ffffffffffff000LL

static int64_t number(const char *text)
{
	char *end;
	int64_t value;

	if (!strncmp(text, "max", 3))
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text)
		return CGROUP_UNSET;
	return value >= V1_NO_LIMIT || errno == ERANGE ? -1 : value;
}

static int64_t read_number(const struct cgroup *cg, const char *controller, const char *file)
{
	char text[64];

	if (cgroup_read_file(cg, controller, file, text, sizeof(text)) <= 0)
		return CGROUP_UNSET;
	return number(text);
}

static int64_t scaled(int64_t value, int64_t factor)
{
	return value == CGROUP_UNSET || value < 0 ? value : value * factor;
}

/* A line "name 5" of a file, and what it is to be multiplied by. */
struct key {
	const char *name;
	int64_t *ret, factor;
};

static int64_t key_value(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = text; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		if (!strncmp(p, name, length) && p[length] == ' ')
			return number(p + length + 1);
	}
	return CGROUP_UNSET;
}

/* Reads the file once for all of them: the kernel may have to sum over CPUs for it. */
static void read_keys(const struct cgroup *cg, const char *controller, const char *file, const struct key *keys, size_t count)
{
	char text[8192];

	if (cgroup_read_file(cg, controller, file, text, sizeof(text)) <= 0)
		return;
	for (size_t i = 0; i < count; i++)
		*keys[i].ret = scaled(key_value(text, keys[i].name), keys[i].factor);
}

#define READ_KEYS(cg, controller, file, ...) \
	read_keys(cg, controller, file, (const struct key[]){ __VA_ARGS__ }, \
		sizeof((const struct key[]){ __VA_ARGS__ }) / sizeof(struct key))

static int64_t minus(int64_t total, int64_t part)
{
	if (total == CGROUP_UNSET || part == CGROUP_UNSET || total < 0 || part < 0)
		return total;
	return total > part ? total - part : 0;
}

static void read_v1(const struct cgroup *cg, struct cgroup_stats *s)
{
	long hz = sysconf(_SC_CLK_TCK);

	s->memory_usage = read_number(cg, "memory", "memory.usage_in_bytes");
	s->memory_limit = read_number(cg, "memory", "memory.limit_in_bytes");
	s->memory_peak = read_number(cg, "memory", "memory.max_usage_in_bytes");
	s->memory_swap_usage =
		minus(read_number(cg, "memory", "memory.memsw.usage_in_bytes"), s->memory_usage);
	s->memory_swap_limit =
		minus(read_number(cg, "memory", "memory.memsw.limit_in_bytes"), s->memory_limit);
	s->memory_reclaims = read_number(cg, "memory", "memory.failcnt");
	READ_KEYS(cg, "memory", "memory.oom_control", { "oom_kill", &s->oom_kills, 1 });
	s->cpu_usage_ns = read_number(cg, "cpuacct", "cpuacct.usage");
	READ_KEYS(cg, "cpuacct", "cpuacct.stat", { "user", &s->cpu_user_ns, 1000000000 / hz },
		{ "system", &s->cpu_system_ns, 1000000000 / hz });
	READ_KEYS(cg, "cpu", "cpu.stat", { "nr_periods", &s->cpu_periods, 1 }, { "nr_throttled", &s->cpu_throttled, 1 },
		{ "throttled_time", &s->cpu_throttled_ns, 1 });
	s->cpu_quota_us = read_number(cg, "cpu", "cpu.cfs_quota_us");
	s->cpu_period_us = read_number(cg, "cpu", "cpu.cfs_period_us");
}

static void read_cpu_max(const struct cgroup *cg, struct cgroup_stats *s)
{
	char text[64], *space;

	if (cgroup_read_file(cg, "cpu", "cpu.max", text, sizeof(text)) <= 0)
		return;
	s->cpu_quota_us = number(text);
	space = strchr(text, ' ');
	if (space)
		s->cpu_period_us = number(space + 1);
}

static void read_v2(const struct cgroup *cg, struct cgroup_stats *s)
{
	s->memory_usage = read_number(cg, "memory", "memory.current");
	s->memory_limit = read_number(cg, "memory", "memory.max");
	s->memory_peak = read_number(cg, "memory", "memory.peak");
	s->memory_swap_usage = read_number(cg, "memory", "memory.swap.current");
	s->memory_swap_limit = read_number(cg, "memory", "memory.swap.max");
	READ_KEYS(cg, "memory", "memory.events", { "max", &s->memory_reclaims, 1 }, { "oom_kill", &s->oom_kills, 1 });
	READ_KEYS(cg, "", "cpu.stat", { "usage_usec", &s->cpu_usage_ns, 1000 }, { "user_usec", &s->cpu_user_ns, 1000 },
		{ "system_usec", &s->cpu_system_ns, 1000 }, { "nr_periods", &s->cpu_periods, 1 },
		{ "nr_throttled", &s->cpu_throttled, 1 }, { "throttled_usec", &s->cpu_throttled_ns, 1000 });
	read_cpu_max(cg, s);
}

/* Sums "rbytes=N" and "wbytes=N" of io.stat (v2) over the devices. */
static void read_io_v2(const struct cgroup *cg, struct cgroup_stats *s)
{
	char text[8192], *save = NULL;

	if (cgroup_read_file(cg, "io", "io.stat", text, sizeof(text)) < 0)
		return;
	s->io_read_bytes = s->io_write_bytes = 0;
	for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		if (!strncmp(w, "rbytes=", 7))
			s->io_read_bytes += strtoll(w + 7, NULL, 10);
		else if (!strncmp(w, "wbytes=", 7))
			s->io_write_bytes += strtoll(w + 7, NULL, 10);
	}
}

/* Lines "8:0 Read 4096" of v1. */
static void read_io_v1(const struct cgroup *cg, struct cgroup_stats *s)
{
	char text[8192], *save = NULL;

	if (cgroup_read_file(cg, "blkio", "blkio.throttle.io_service_bytes", text, sizeof(text)) < 0)
		return;
	s->io_read_bytes = s->io_write_bytes = 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int64_t value;

		if (sscanf(line, "%*s Read %" SCNd64, &value) == 1)
			s->io_read_bytes += value;
		else if (sscanf(line, "%*s Write %" SCNd64, &value) == 1)
			s->io_write_bytes += value;
	}
}

void cgroup_read_stats(const struct cgroup *cg, struct cgroup_stats *ret)
{
	struct cgroup_stats s;
	int64_t *fields = (int64_t *)&s;

	for (size_t i = 0; i < sizeof(s) / sizeof(*fields); i++)
		fields[i] = CGROUP_UNSET;
	if (cgroup_is_v2(cg)) {
		read_v2(cg, &s);
		read_io_v2(cg, &s);
	} else {
		read_v1(cg, &s);
		read_io_v1(cg, &s);
	}
	s.pids = read_number(cg, "pids", "pids.current");
	s.pids_limit = read_number(cg, "pids", "pids.max");
	*ret = s;
}

void cgroup_read_memory(const struct cgroup *cg, int64_t usage, struct cgroup_memory *ret)
{
	bool v2 = cgroup_is_v2(cg);
	int64_t inactive = CGROUP_UNSET;
	struct cgroup_memory m = { CGROUP_UNSET, CGROUP_UNSET, CGROUP_UNSET };

	READ_KEYS(cg, "memory", "memory.stat", { v2 ? "anon" : "total_rss", &m.anonymous, 1 },
		{ v2 ? "file" : "total_cache", &m.cache, 1 }, { v2 ? "inactive_file" : "total_inactive_file", &inactive, 1 });
	m.working_set = minus(usage, inactive);
	*ret = m;
}
