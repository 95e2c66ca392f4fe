/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/serve_host.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/file.h"

/* The process's start in wall time: field 22 of /proc/self/stat is in ticks since boot (proc(5)). */
static uint64_t start_wall_ns(void)
{
	_cleanup_free_ char *text = file_read("/proc/self/stat", 4096, NULL);
	const char *p = text ? strrchr(text, ')') : NULL;
	unsigned long long ticks = 0;

	if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			&ticks) != 1)
		return 0;
	return (uint64_t)clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME) + ticks * (1000000000ULL / sysconf(_SC_CLK_TCK));
}

static uint64_t count_fds(void)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
	uint64_t count = 0;

	while (dir && readdir(dir))
		count++;
	return count > 3 ? count - 3 : 0; /* ".", ".." and dir's own */
}

void serve_host_read(struct prometheus_host *ret)
{
	static uint64_t started; /* it does not change, whatever the wall clock does */
	_cleanup_free_ char *statm = file_read("/proc/self/statm", 256, NULL);
	unsigned long long size = 0, resident = 0;
	struct rlimit fds = { 0 };
	long page = sysconf(_SC_PAGESIZE);

	if (!started)
		started = start_wall_ns();
	if (statm)
		sscanf(statm, "%llu %llu", &size, &resident);
	getrlimit(RLIMIT_NOFILE, &fds);
	ret->process_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	ret->process_start_wall_ns = started;
	ret->virtual_bytes = size * page;
	ret->resident_bytes = resident * page;
	ret->open_fds = count_fds();
	ret->max_fds = fds.rlim_cur;
}

/* "some avg10=0.00 ... total=123" (Documentation/accounting/psi.rst). */
static int64_t pressure(const char *text, const char *line)
{
	const char *p = strstr(text, line);

	p = p ? strstr(p, "total=") : NULL;
	return p ? strtoll(p + strlen("total="), NULL, 10) : CGROUP_UNSET;
}

static void read_pressure(const struct cgroup *cg, const char *file, int64_t *ret_some, int64_t *ret_full)
{
	char text[512];

	*ret_some = *ret_full = CGROUP_UNSET;
	if (cgroup_read_file(cg, "", file, text, sizeof(text)) <= 0)
		return;
	*ret_some = pressure(text, "some ");
	*ret_full = pressure(text, "full ");
}

bool serve_host_usage(pid_t pid, struct prometheus_usage *ret)
{
	static struct cgroup *cg; /* a host's hierarchies stay as they are; its list of mounts is long where containers are many */

	if ((cg ? cgroup_reopen_pid(cg, pid, NULL) : cgroup_open_pid(pid, &cg, NULL)) < 0)
		return false;
	cgroup_read_stats(cg, &ret->stats);
	cgroup_read_memory(cg, ret->stats.memory_usage, &ret->memory);
	read_pressure(cg, "cpu.pressure", &ret->cpu_some_us, &ret->cpu_full_us);
	read_pressure(cg, "memory.pressure", &ret->memory_some_us, &ret->memory_full_us);
	read_pressure(cg, "io.pressure", &ret->io_some_us, &ret->io_full_us);
	ret->wall_ns = (uint64_t)clock_ns(CLOCK_REALTIME);
	cgroup_reopen(cg, NULL, NULL); /* holds on to none meanwhile */
	return true;
}
