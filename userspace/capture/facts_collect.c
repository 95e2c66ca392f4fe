/* SPDX-License-Identifier: Apache-2.0 */
/* Facts that the running kernel tells before any hook is tried. */
#include "capture/facts_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "version.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/strbuf.h"

/* The first line of a file, without its newline; "" when it cannot be read. */
static void read_line(const char *path, char *to, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");

	to[0] = '\0';
	if (f && fgets(to, size, f))
		to[strcspn(to, "\n")] = '\0';
}

/* "none [integrity] confidentiality" -> "integrity" */
static void collect_lockdown(struct facts *facts)
{
	char line[128], *start, *end;

	snprintf(facts->lockdown, sizeof(facts->lockdown), "unknown");
	read_line("/sys/kernel/security/lockdown", line, sizeof(line));
	start = strchr(line, '[');
	end = start ? strchr(start, ']') : NULL;
	if (!end)
		return;
	*end = '\0';
	snprintf(facts->lockdown, sizeof(facts->lockdown), "%s", start + 1);
}

static uint32_t namespace_inode(const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/1/ns/%s", name);
	if (stat(path, &st) == 0)
		return st.st_ino;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* Lines of /proc/self/cgroup: "4:memory:/path", "0::/path" for v2 (cgroups(7)). */
static int collect_hierarchies(struct facts *facts, struct error *err)
{
	_cleanup_free_ char *what = NULL;
	size_t beyond = 0;
	struct timeline_config *config = &facts->timeline;
	_cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	char line[4352];

	if (!f)
		return error_errno(err, errno, "cannot read /proc/self/cgroup");
	while (fgets(line, sizeof(line), f)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path || config->hierarchy_count == ARRAY_SIZE(config->hierarchies)) {
			beyond += path != NULL;
			continue;
		}
		*path = '\0';
		config->hierarchies[config->hierarchy_count].id = strtoul(line, NULL, 10);
		snprintf(config->hierarchies[config->hierarchy_count].controllers,
			sizeof(config->hierarchies[0].controllers), "%s", controllers + 1);
		config->hierarchy_count++;
	}
	if (beyond) {
		what = xasprintf("cgroups in %zu of the hierarchies", beyond);
		facts_add_unseen(facts, what, "there are more hierarchies than ctrace keeps");
	}
	return 0;
}

/* The hierarchy that names a container: where every runtime makes a cgroup of its own. */
static void choose_identity(struct facts *facts)
{
	static const char *const candidates[] = { "memory", "pids", "cpu" };
	struct timeline_config *config = &facts->timeline;
	bool v1 = false, v2 = false;

	config->cgroup_hierarchy = 0;
	for (size_t c = 0; c < ARRAY_SIZE(candidates) && !config->cgroup_hierarchy; c++) {
		for (size_t i = 0; i < config->hierarchy_count; i++) {
			if (config->hierarchies[i].id && str_has_word(config->hierarchies[i].controllers, ",", candidates[c]))
				config->cgroup_hierarchy = config->hierarchies[i].id;
		}
	}
	for (size_t i = 0; i < config->hierarchy_count; i++) {
		v1 |= config->hierarchies[i].id != 0;
		v2 |= config->hierarchies[i].id == 0;
	}
	snprintf(facts->cgroup_mode, sizeof(facts->cgroup_mode), "%s", v1 && v2 ? "hybrid" : v1 ? "v1" : "v2");
}

/* How far the boot clock of this time namespace is from the kernel's: "boottime SECONDS NANOSECONDS"
 * (time_namespaces(7)). */
static bool is_clock_shifted(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/timens_offsets", "re");
	long long seconds, nanoseconds;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "boottime %lld %lld", &seconds, &nanoseconds) == 2)
			return seconds || nanoseconds;
	}
	return false;
}

/* The kernel's programs tell pids and times as the initial namespaces have them. Compared with those of other
 * namespaces they would name strangers, and put everything at a wrong time. */
static int check_namespaces(struct error *err)
{
	enum { INITIAL_PID_NS = 0xeffffffc, INITIAL_TIME_NS = 0xeffffffa }; /* linux/proc_ns.h */
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != INITIAL_PID_NS)
		return error_set(err, EXDEV, "ctrace is in a pid namespace of its own, where processes have other numbers "
			"than the kernel tells: run it in the host's (docker run --pid host)");
	if (stat("/proc/self/ns/time", &st) == 0 && st.st_ino != INITIAL_TIME_NS && is_clock_shifted())
		return error_set(err, EXDEV, "ctrace is in a time namespace whose boot clock is not the kernel's: run it "
			"in the host's");
	return 0;
}

int facts_collect(struct facts *facts, struct error *err)
{
	struct utsname name;
	int r = check_namespaces(err);

	if (r < 0)
		return r;

	snprintf(facts->ctrace_version, sizeof(facts->ctrace_version), "%s", CTRACE_VERSION);
	if (uname(&name) < 0)
		return error_errno(err, errno, "uname");
	snprintf(facts->hostname, sizeof(facts->hostname), "%s", name.nodename);
	snprintf(facts->kernel, sizeof(facts->kernel), "%s", name.release);
	snprintf(facts->machine, sizeof(facts->machine), "%s", name.machine);
	read_line("/proc/sys/kernel/random/boot_id", facts->boot_id, sizeof(facts->boot_id));
	collect_lockdown(facts);
	facts->cpus = sysconf(_SC_NPROCESSORS_CONF);
	facts->wall_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	facts->start_ns = clock_ns(CLOCK_BOOTTIME);
	facts->timeline.page_size = sysconf(_SC_PAGESIZE);
	facts->timeline.root_pid_ns = namespace_inode("pid");
	facts->timeline.root_mnt_ns = namespace_inode("mnt");
	facts->timeline.root_net_ns = namespace_inode("net");
	r = collect_hierarchies(facts, err);
	if (r < 0)
		return r;
	choose_identity(facts);
	return 0;
}
