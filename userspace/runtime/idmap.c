/* SPDX-License-Identifier: Apache-2.0 */
/* Id mappings: written for a container's user namespace, and kept in one without processes for idmapped mounts
 * (mount_setattr(2), MOUNT_ATTR_IDMAP). */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static int write_map(pid_t pid, const char *file, const struct id_maps *m, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	_cleanup_close_ int fd = -1;
	char path[64];

	for (size_t i = 0; i < m->count; i++)
		strbuf_printf(&text, "%u %u %u\n", m->maps[i].container, m->maps[i].host,
			m->maps[i].size);
	if (!text.length)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text.text, text.length) < 0)
		return error_errno(err, errno, "cannot write the %zu mappings to %s (at most 340, of ids that ctrace itself has)",
			m->count, path);
	return 0;
}

int idmap_write_both(pid_t pid, const struct id_maps *uids, const struct id_maps *gids, const char *field, struct error *err)
{
	if (write_map(pid, "uid_map", uids, err) < 0)
		return error_prefix(err, "%s.uidMappings", field);
	return write_map(pid, "gid_map", gids, err) < 0 ? error_prefix(err, "%s.gidMappings", field) : 0;
}

static int open_namespace(const struct id_maps *uids, const struct id_maps *gids, const char *field, struct error *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	char path[64];
	int fd = -1, r, status;
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			pause();
	}
	if (pid < 0)
		return error_errno(err, errno, "%s: cannot make a user namespace for an idmapped mount", field);
	r = idmap_write_both(pid, uids, gids, field, err);
	if (r == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? error_errno(err, errno, "%s: cannot open %s", field, path) : fd;
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return r;
}

/* The user namespace that a mount's ids are mapped by. */
static int open_mapping(const struct config *c, const struct mount_plan *m, const char *field, struct error *err)
{
	const struct namespace_plan *user = config_namespace(c, CLONE_NEWUSER);
	int fd;

	if (m->uids.count)
		return open_namespace(&m->uids, &m->gids, field, err);
	if (!user->path)
		return open_namespace(&c->uids, &c->gids, "linux", err);
	fd = open(user->path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "linux.namespaces[%zu].path: cannot open %s",
				(size_t)(user - c->namespaces), user->path) : fd;
}

static int open_source(const struct config *c, int bundle, const struct mount_plan *m,
	struct error *err)
{
	_cleanup_free_ char *field = xasprintf("mounts[%zu]", (size_t)(m - c->mounts));
	unsigned recursive = m->recursive ? AT_RECURSIVE : 0;
	_cleanup_close_ int mapping = -1, tree = -1;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };

	tree = open_tree(bundle, m->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
	if (tree < 0)
		return error_errno(err, errno, "%s.source: cannot bind %s to %s", field, m->source, m->destination);
	if (!m->idmap)
		return steal_fd(&tree);
	mapping = open_mapping(c, m, field, err);
	if (mapping < 0)
		return mapping;
	attr.userns_fd = (__u64)mapping;
	if (mount_setattr(tree, "", AT_EMPTY_PATH | (m->idmap_recursive ? AT_RECURSIVE : 0), &attr,
		    sizeof(attr)) < 0)
		return error_errno(err, errno, "%s: cannot map the ids of %s at %s (Linux 5.12, and a file "
			"system that supports it)", field, m->source, m->destination);
	return steal_fd(&tree);
}

int idmap_open_sources(const struct config *c, const char *bundle, int **ret, struct error *err)
{
	_cleanup_close_ int dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool user = config_namespace(c, CLONE_NEWUSER);
	int *sources = NULL, r = 0;

	for (size_t i = 0; r >= 0 && i < c->mount_count; i++) {
		if (!c->mounts[i].idmap && !(c->mounts[i].bind && user))
			continue;
		if (!sources) {
			sources = xcalloc(c->mount_count, sizeof(*sources));
			memset(sources, 0xff, c->mount_count * sizeof(*sources));
		}
		r = sources[i] = open_source(c, dir, &c->mounts[i], err);
	}
	if (r < 0) {
		idmap_close_sources(c, sources);
		return r;
	}
	*ret = sources;
	return 0;
}

void idmap_close_sources(const struct config *c, int *sources)
{
	for (size_t i = 0; sources && i < c->mount_count; i++) {
		if (sources[i] >= 0)
			close(sources[i]);
	}
	free(sources);
}
