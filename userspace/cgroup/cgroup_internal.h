/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CGROUP_INTERNAL_H
#define CTRACE_CGROUP_INTERNAL_H

#include "cgroup/cgroup.h"

enum { CGROUP_MOUNTS_MAX = 32 };

struct hierarchy {
	int version;
	char *mount;       /* mount point */
	char *root;        /* what of the hierarchy is mounted there, mostly "/" */
	char *controllers; /* comma-separated; v2: those of the tree's root, space-separated */
	char *directory;   /* the group's, below mount */
	int fd;            /* of directory, O_PATH; -1 = not there */
	bool made;         /* directory was not there before */
};

struct cgroup {
	struct hierarchy hierarchies[CGROUP_MOUNTS_MAX];
	size_t count;
};

/* The hierarchy that enforces a controller, NULL = none. */
struct hierarchy *cgroup_find(const struct cgroup *cg, const char *controller);
struct hierarchy *cgroup_find_v2(const struct cgroup *cg);

/* One open, one write, one close: -errno. */
int cgroup_write_at(int dir, const char *file, const char *value);
int cgroup_read_at(int dir, const char *file, char *ret, size_t size);

/* Replaces the device rules of a v2 group by a BPF program. */
int cgroup_device_attach(int dir, const struct cgroup_resources *r, struct error *err);

#endif
