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

static void walk_directory(struct walk *w, int directory_fd, const char *path, uint32_t level);

static void walk_child(struct walk *w, int parent_fd, const char *parent, const char *name, uint32_t level)
{
	_cleanup_close_ int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[4096];

	if (fd < 0) { /* removed meanwhile: its EVENT_CGROUP_RMDIR will tell */
		++*w->lost;
		return;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", level > 1 ? parent : "", name) >= sizeof(path)) {
		++*w->lost;
		return;
	}
	walk_directory(w, fd, path, level);
}

static void walk_directory(struct walk *w, int directory_fd, const char *path, uint32_t level)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;

	if (w->count >= SNAPSHOT_MAX_CGROUPS || level > SNAPSHOT_MAX_DEPTH || fstat(directory_fd, &st) < 0) {
		++*w->lost;
		return;
	}
	w->count++;
	push_cgroup(w, path, level, st.st_ino);
	if (w->capture->throttle && level)
		throttle_existing(w->capture->throttle, w->hierarchy, st.st_ino, directory_fd, w->capture->facts.start_ns);
	dir = file_open_directory(directory_fd, ".", 0);
	if (!dir) { /* removed meanwhile, or no descriptor is left */
		++*w->lost;
		return;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			walk_child(w, directory_fd, path, entry->d_name, level + 1);
	}
}

void snapshot_push_cgroups(struct capture *c, uint64_t *lost)
{
	const struct timeline_config *config = &c->facts.timeline;
	struct walk w = { .capture = c, .lost = lost };

	for (size_t i = 0; i < config->hierarchy_count; i++) {
		_cleanup_close_ int fd = cgroup_mounts_open(config, config->hierarchies[i].id);

		w.hierarchy = config->hierarchies[i].id;
		if (fd >= 0)
			walk_directory(&w, fd, "/", 0);
	}
}
