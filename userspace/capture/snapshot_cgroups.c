/* SPDX-License-Identifier: Apache-2.0 */
/* Every cgroup of every mounted hierarchy. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/cgroup_mounts.h"
#include "capture/snapshot.h"
#include "capture/throttle.h"
#include "util/cleanup.h"
#include "util/file.h"

struct walk {
	struct capture *capture;
	uint32_t hierarchy;
	size_t count; /* in all hierarchies */
	uint64_t *lost;
};

/* The kernfs id of a cgroup is the inode number of its directory. */
static void push_cgroup(struct walk *w, const char *path, uint32_t level, uint64_t id)
{
	struct event_cgroup e;

	event_prepare(&e.h, EVENT_SNAPSHOT_CGROUP, sizeof(e), w->capture->facts.start_ns);
	e.hierarchy = w->hierarchy;
	e.id = id;
	e.level = level;
	if (strlen(path) >= sizeof(e.path))
		e.h.flags |= EVENT_F_TRUNCATED;
	snprintf(e.path, sizeof(e.path), "%s", path);
	e.h.size = offsetof(struct event_cgroup, path) + strlen(e.path) + 1;
	order_push(&w->capture->order, &e.h);
}

static void walk_children(struct walk *w, int parent_fd, const char *name, const char *path, uint32_t level);

/* Most cgroups have none below them, and are not opened: kernfs counts the directories in a directory's links, beside its
 * own two (kernfs_refresh_inode). */
static void walk_cgroup(struct walk *w, int parent_fd, const char *name, const char *path, uint32_t level)
{
	struct capture *c = w->capture;
	struct stat st;

	/* one that was removed meanwhile: its EVENT_CGROUP_RMDIR will tell */
	if (w->count >= SNAPSHOT_MAX_CGROUPS || level > SNAPSHOT_MAX_DEPTH ||
		fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		++*w->lost;
		return;
	}
	w->count++;
	push_cgroup(w, path, level, st.st_ino);
	if (c->throttle && level)
		throttle_existing(c->throttle, w->hierarchy, st.st_ino, parent_fd, name, c->facts.start_ns);
	if (st.st_nlink > 2)
		walk_children(w, parent_fd, name, path, level);
}

static void walk_children(struct walk *w, int parent_fd, const char *name, const char *path, uint32_t level)
{
	_cleanup_closedir_ DIR *dir = file_open_directory(parent_fd, name, O_NOFOLLOW);
	struct dirent *entry;
	char child[4096];

	if (!dir) { /* removed meanwhile, or no descriptor is left */
		++*w->lost;
		return;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if ((size_t)snprintf(child, sizeof(child), "%s/%s", level ? path : "", entry->d_name) >= sizeof(child))
			++*w->lost;
		else
			walk_cgroup(w, dirfd(dir), entry->d_name, child, level + 1);
	}
}

void snapshot_push_cgroups(struct capture *c, uint64_t *lost)
{
	const struct timeline_config *config = &c->facts.timeline;
	struct walk w = { .capture = c, .lost = lost };
	int fds[CGROUP_MOUNTS_MAX];

	cgroup_mounts_open_all(config, fds);
	for (size_t i = 0; i < config->hierarchy_count; i++) {
		w.hierarchy = config->hierarchies[i].id;
		if (fds[i] >= 0)
			walk_cgroup(&w, fds[i], ".", "/", 0);
		cleanup_close(&fds[i]);
	}
}
