/* SPDX-License-Identifier: Apache-2.0 */
/* Every cgroup of every mounted hierarchy. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/snapshot.h"
#include "util/cleanup.h"

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
	dir = fdopendir(fcntl(directory_fd, F_DUPFD_CLOEXEC, 3));
	while (dir && (entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			walk_child(w, directory_fd, path, entry->d_name, level + 1);
	}
}

/* Whether the comma-separated options of a v1 mount name a controller of this hierarchy. */
static bool is_mount_of(const char *options, const char *controllers)
{
	char first[64];
	size_t length;

	length = snprintf(first, sizeof(first), "%.*s", (int)strcspn(controllers, ","), controllers);
	for (const char *p = options; (p = strstr(p, first)); p += length) {
		if ((p == options || p[-1] == ',') && (p[length] == '\0' || p[length] == ',' || p[length] == '\n'))
			return true;
	}
	return false;
}

/* One line of /proc/self/mountinfo (proc(5)): "ID PARENT MAJ:MIN ROOT POINT OPTIONS ... - TYPE SOURCE SUPER". */
struct mount_line {
	char root[256], point[1024], type[32], super[512];
};

static bool parse_line(char *line, struct mount_line *m)
{
	char *separator = strstr(line, " - ");

	return separator && sscanf(line, "%*s %*s %*s %255s %1023s", m->root, m->point) == 2 &&
		sscanf(separator, " - %31s %*s %511s", m->type, m->super) == 2;
}

/* The index in config->hierarchies of what is mounted there, or -1. */
static int hierarchy_of(const struct mount_line *m, const struct timeline_config *config)
{
	bool v2 = strcmp(m->type, "cgroup2") == 0;

	/* in a cgroup namespace, as a pod's, the root of the host's tree reads "/../.." (cgroup_namespaces(7)) */
	if ((!v2 && strcmp(m->type, "cgroup") != 0) || strspn(m->root, "/.") != strlen(m->root))
		return -1;
	for (size_t i = 0; i < config->hierarchy_count; i++) {
		if (v2 ? config->hierarchies[i].id == 0 :
			 config->hierarchies[i].id && is_mount_of(m->super, config->hierarchies[i].controllers))
			return i;
	}
	return -1;
}

void snapshot_push_cgroups(struct capture *c, uint64_t *lost)
{
	const struct timeline_config *config = &c->facts.timeline;
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	bool done[ARRAY_SIZE(config->hierarchies)] = { false };
	struct walk w = { .capture = c, .lost = lost };
	struct mount_line m;
	char line[4096];
	int i;

	while (f && fgets(line, sizeof(line), f)) {
		if (!parse_line(line, &m) || (i = hierarchy_of(&m, config)) < 0 || done[i])
			continue;
		_cleanup_close_ int fd = open(m.point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			continue;
		done[i] = true;
		w.hierarchy = config->hierarchies[i].id;
		walk_directory(&w, fd, "/", 0);
	}
}
