/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to the processes of a group: list, freeze, kill; and the group's removal. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/cgroup_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/strbuf.h"

enum {
	FREEZE_TIMEOUT_MS = 10000,
	REMOVE_TIMEOUT_MS = 2000,
	KILL_TIMEOUT_MS = 5000,
	DEPTH_MAX = 64 /* of groups that a container made below its own */
};

struct pids {
	pid_t *items;
	size_t count, capacity;
};

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* Calls visit for each directory below dir, children first: dir is open, and stands in parent by that name. */
static void walk_below(int dir, int depth, void (*visit)(int dir, int parent, const char *name, void *data), void *data)
{
	_cleanup_closedir_ DIR *d = file_open_directory(dir, ".", 0);
	struct dirent *e;

	while (d && depth < DEPTH_MAX && (e = readdir(d))) {
		_cleanup_close_ int child = -1;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		child = openat(dir, e->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			continue;
		walk_below(child, depth + 1, visit, data);
		visit(child, dir, e->d_name, data);
	}
}

static void add_pids(int dir, int parent, const char *name, void *data)
{
	int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct pids *pids = data;
	int pid;

	(void)parent;
	(void)name;
	while (f && fscanf(f, "%d", &pid) == 1) {
		array_grow(pids->items, pids->count, pids->capacity);
		pids->items[pids->count++] = pid;
	}
}

/* The processes of a group and of those below it. */
static struct pids pids_of(const struct hierarchy *h)
{
	struct pids pids = { 0 };

	walk_below(h->fd, 0, add_pids, &pids);
	add_pids(h->fd, -1, NULL, &pids);
	return pids;
}

/* The hierarchy that lists the processes best: v2, else pids, memory or any. */
static const struct hierarchy *listing(const struct cgroup *cg)
{
	static const char *const names[] = { "pids", "memory", "cpu", "devices" };
	const struct hierarchy *h = cgroup_find_v2(cg);

	for (size_t i = 0; (!h || h->fd < 0) && i < ARRAY_SIZE(names); i++)
		h = cgroup_find(cg, names[i]);
	return h ? h : cg->count ? &cg->hierarchies[0] : NULL;
}

int cgroup_processes(const struct cgroup *cg, pid_t **ret_pids, size_t *ret_count,
	struct error *err)
{
	const struct hierarchy *h = listing(cg);
	struct pids pids;

	if (!h || h->fd < 0)
		return error_set(err, ENOENT, "cgroup %s does not exist",
			h && h->directory ? h->directory : "");
	pids = pids_of(h);
	*ret_pids = pids.items;
	*ret_count = pids.count;
	return 0;
}

size_t cgroup_others(const struct cgroup *cg)
{
	size_t most = 0;

	for (size_t i = 0; i < cg->count; i++) {
		const struct hierarchy *h = &cg->hierarchies[i];
		struct pids pids;

		if (h->made || h->fd < 0)
			continue;
		pids = pids_of(h);
		free(pids.items);
		most = pids.count > most ? pids.count : most;
	}
	return most;
}

static int signal_all(const struct cgroup *cg, int signal, size_t *ret_count, struct error *err)
{
	_cleanup_free_ pid_t *pids = NULL;
	int r = cgroup_processes(cg, &pids, ret_count, err);

	for (size_t i = 0; r == 0 && i < *ret_count; i++) {
		if (kill(pids[i], signal) < 0 && errno != ESRCH)
			r = error_errno(err, errno, "cannot send signal %d to process %d", signal,
				pids[i]);
	}
	return r;
}

int cgroup_kill(struct cgroup *cg, int signal, struct error *err)
{
	const struct hierarchy *v2 = cgroup_find_v2(cg);
	int64_t end = clock_ms(CLOCK_MONOTONIC) + KILL_TIMEOUT_MS;
	size_t count = 0;

	if (signal != SIGKILL)
		return signal_all(cg, signal, &count, err);
	/* cgroup.kill (5.14) is atomic; without it new children are caught in the next round */
	if (v2 && v2->fd >= 0 && cgroup_write_at(v2->fd, "cgroup.kill", "1") == 0)
		return 0;
	for (long pause = 1; clock_ms(CLOCK_MONOTONIC) < end; pause = pause < 50 ? pause * 2 : pause) {
		int r = signal_all(cg, SIGKILL, &count, err);

		if (r < 0 || count == 0)
			return r;
		sleep_ms(pause);
	}
	return error_set(err, EBUSY, "%zu processes of the container do not die (state D?)", count);
}

bool cgroup_is_frozen(const struct cgroup *cg)
{
	const struct hierarchy *h = cgroup_find(cg, "freezer");
	char value[512];

	if (h)
		return h->fd >= 0 && cgroup_read_at(h->fd, "freezer.state", value, sizeof(value)) > 0 &&
		       strcmp(value, "THAWED") != 0;
	h = cgroup_find_v2(cg);
	return h && h->fd >= 0 && cgroup_read_at(h->fd, "cgroup.events", value, sizeof(value)) > 0 &&
	       strstr(value, "frozen 1");
}

static void take_back(const struct hierarchy *h, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	if (h && h->fd >= 0)
		cgroup_write_at(h->fd, "cgroup.procs", text);
}

void cgroup_take_back(struct cgroup *cg, pid_t pid)
{
	const struct hierarchy *ways[] = { cgroup_find(cg, "freezer"), cgroup_find_v2(cg) };
	_cleanup_free_ pid_t *pids = NULL;
	size_t count = 0;

	cgroup_processes(cg, &pids, &count, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		take_back(ways[i], pid);
		for (size_t j = 0; j < count; j++)
			take_back(ways[i], pids[j]);
	}
}

/* v2 tells the end of a change by POLLPRI on cgroup.events. */
static int freeze_v2(const struct hierarchy *h, bool frozen, struct error *err)
{
	_cleanup_close_ int fd = openat(h->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int64_t end = clock_ms(CLOCK_MONOTONIC) + FREEZE_TIMEOUT_MS;
	int r = cgroup_write_at(h->fd, "cgroup.freeze", frozen ? "1" : "0");

	if (r < 0)
		return error_errno(err, -r, "cannot write to %s/cgroup.freeze", h->directory);
	if (fd < 0)
		return error_errno(err, errno, "cannot open %s/cgroup.events", h->directory);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		int64_t left = end - clock_ms(CLOCK_MONOTONIC);
		char value[512];
		ssize_t n = pread(fd, value, sizeof(value) - 1, 0);

		if (n < 0)
			return error_errno(err, errno, "cannot read %s/cgroup.events", h->directory);
		value[n] = '\0';
		if (strstr(value, frozen ? "frozen 1" : "frozen 0"))
			return 0;
		if (left <= 0)
			return error_set(err, ETIMEDOUT, "cgroup %s did not %s in time", h->directory,
				frozen ? "freeze" : "thaw");
		poll(&p, 1, (int)left);
	}
}

/* v1 tells nothing: freezer.state has to be read until it says FROZEN, and FROZEN be written again for
 * processes that were forked meanwhile. */
static int freeze_v1(const struct hierarchy *h, bool frozen, struct error *err)
{
	const char *wanted = frozen ? "FROZEN" : "THAWED";
	int64_t end = clock_ms(CLOCK_MONOTONIC) + FREEZE_TIMEOUT_MS;

	for (long pause = 1; clock_ms(CLOCK_MONOTONIC) < end; pause = pause < 50 ? pause * 2 : pause) {
		char value[32];
		int r = cgroup_write_at(h->fd, "freezer.state", wanted);

		if (r < 0)
			return error_errno(err, -r, "cannot write to %s/freezer.state", h->directory);
		r = cgroup_read_at(h->fd, "freezer.state", value, sizeof(value));
		if (r < 0)
			return error_errno(err, -r, "cannot read %s/freezer.state", h->directory);
		if (!strcmp(value, wanted))
			return 0;
		sleep_ms(pause);
	}
	cgroup_write_at(h->fd, "freezer.state", "THAWED");
	return error_set(err, ETIMEDOUT, "cgroup %s did not freeze in time", h->directory);
}

int cgroup_freeze(struct cgroup *cg, bool frozen, struct error *err)
{
	const struct hierarchy *h = cgroup_find(cg, "freezer");

	if (h && h->fd >= 0)
		return freeze_v1(h, frozen, err);
	h = cgroup_find_v2(cg);
	if (h && h->fd >= 0)
		return freeze_v2(h, frozen, err);
	return error_set(err, EOPNOTSUPP, "cannot pause: this host has no freezer cgroup");
}

/* What is busy stays, and the rmdir of the group above it tells. */
static void remove_one(int dir, int parent, const char *name, void *data)
{
	(void)dir;
	(void)data;
	unlinkat(parent, name, AT_REMOVEDIR);
}

static int remove_directory(const struct hierarchy *h, int64_t end, struct error *err)
{
	for (long pause = 1;; pause = pause < 50 ? pause * 2 : pause) {
		if (rmdir(h->directory) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return error_errno(err, errno, "cannot remove cgroup %s", h->directory);
		if (clock_ms(CLOCK_MONOTONIC) >= end)
			return error_set(err, EBUSY, "cannot remove cgroup %s: it still has processes",
				h->directory);
		if (h->fd >= 0)
			walk_below(h->fd, 0, remove_one, NULL);
		if (rmdir(h->directory) == 0)
			return 0;
		sleep_ms(pause);
	}
}

int cgroup_remove(struct cgroup *cg, struct error *err)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + REMOVE_TIMEOUT_MS;
	int ret = 0;

	for (size_t i = 0; i < cg->count; i++) {
		struct hierarchy *h = &cg->hierarchies[i];
		int r;

		/* never the root of a hierarchy */
		if (!h->directory || !strcmp(h->directory, h->mount))
			continue;
		r = remove_directory(h, end, ret == 0 ? err : NULL);
		if (r < 0 && ret == 0)
			ret = r;
	}
	return ret;
}

void cgroup_remove_empty(struct cgroup *cg)
{
	for (size_t i = 0; i < cg->count; i++) {
		struct hierarchy *h = &cg->hierarchies[i];

		if (h->directory && strcmp(h->directory, h->mount) != 0)
			rmdir(h->directory);
	}
}
