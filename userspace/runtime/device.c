/* SPDX-License-Identifier: Apache-2.0 */
/* /dev: config-linux.md "Devices", "Default Devices", runtime-linux.md "Dev symbolic links". */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static const struct device_plan defaults[] = {
	{ "/dev/null", 'c', 1, 3, 0666, 0, 0 },
	{ "/dev/zero", 'c', 1, 5, 0666, 0, 0 },
	{ "/dev/full", 'c', 1, 7, 0666, 0, 0 },
	{ "/dev/random", 'c', 1, 8, 0666, 0, 0 },
	{ "/dev/urandom", 'c', 1, 9, 0666, 0, 0 },
	{ "/dev/tty", 'c', 5, 0, 0666, 0, 0 },
};

static mode_t type_bits(const struct device_plan *d)
{
	return d->type == 'b' ? S_IFBLK : d->type == 'p' ? S_IFIFO : S_IFCHR;
}

/* Without CAP_MKNOD over the file system (user namespaces) a node that was made outside is bound, or the host's. */
static int bind_device(int dir, const char *name, const struct device_plan *d, int node, struct error *err)
{
	_cleanup_close_ int file = -1, target = -1, tree = -1;

	file = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
	if (file < 0)
		return error_errno(err, errno, "cannot make a place for device %s", d->path);
	target = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	tree = node >= 0 ? fcntl(node, F_DUPFD_CLOEXEC, 3)
			 : open_tree(AT_FDCWD, d->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (target < 0 || tree < 0 ||
		move_mount(tree, "", target, "",
			MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_errno(err, errno, "cannot make device %s (CAP_MKNOD is missing here), nor bind the host's", d->path);
	return 0;
}

static int make_node(int dir, const char *name, const struct device_plan *d, int node, struct error *err)
{
	struct stat st;

	if (mknodat(dir, name, type_bits(d) | d->mode, makedev(d->major, d->minor)) == 0) {
		if ((d->uid || d->gid) &&
			fchownat(dir, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
			return error_errno(err, errno, "cannot give device %s its owner", d->path);
		return 0;
	}
	if (errno == EPERM)
		return bind_device(dir, name, d, node, err);
	if (errno != EEXIST)
		return error_errno(err, errno, "cannot make device %s", d->path);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		(st.st_mode & S_IFMT) != type_bits(d) ||
		(d->type != 'p' && st.st_rdev != makedev(d->major, d->minor)))
		return error_set(err, EEXIST, "cannot make device %s: something else is there",
			d->path);
	return 0;
}

static int make_device(struct rootfs *fs, int dev, const struct device_plan *d, int node, struct error *err)
{
	const char *slash = strrchr(d->path, '/');
	_cleanup_free_ char *parent = xstrndup(d->path, slash - d->path);
	_cleanup_close_ int dir = -1;

	if (!slash[1] || !strcmp(slash + 1, ".") || !strcmp(slash + 1, ".."))
		return error_set(err, EINVAL, "the path %s has no name", d->path);
	if (!strcmp(parent, "/dev"))
		return make_node(dev, slash + 1, d, node, err);
	dir = rootfs_open_target(fs->fd, *parent ? parent : "/", true, err);
	return dir < 0 ? dir : make_node(dir, slash + 1, d, node, err);
}

/* Of the kernel's own mounts no path leads here: nobody but the container will see the nodes. */
static int open_empty_tmpfs(struct error *err)
{
	_cleanup_close_ int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd = -1;

	if (context >= 0 && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? error_errno(err, errno, "cannot mount a tmpfs for devices") : fd;
}

/* A file of a mount that hangs nowhere cannot be cloned before Linux 6.15: each node is the only one of its own. */
static int open_node(const struct device_plan *d, struct error *err)
{
	_cleanup_close_ int all = open_empty_tmpfs(err), tree = -1;

	if (all < 0)
		return all;
	if (mknodat(all, "node", type_bits(d) | d->mode, makedev(d->major, d->minor)) < 0 ||
		fchownat(all, "node", d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "cannot make device %s", d->path);
	tree = open_tree(all, "node", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return -errno; /* then the host's node is bound */
	return steal_fd(&tree);
}

int device_open_nodes(const struct config *c, int **ret, struct error *err)
{
	if (!config_namespace(c, CLONE_NEWUSER) || !c->device_count)
		return 0;
	*ret = xcalloc(c->device_count, sizeof(**ret));
	for (size_t i = 0; i < c->device_count; i++)
		(*ret)[i] = open_node(&c->devices[i], err);
	return 0;
}

void device_close_nodes(const struct config *c, int *nodes)
{
	for (size_t i = 0; nodes && i < c->device_count; i++) {
		if (nodes[i] >= 0)
			close(nodes[i]);
	}
	free(nodes);
}

static int make_links(struct rootfs *fs, int dev, struct error *err)
{
	static const char *const links[][2] = { { "fd", "/proc/self/fd" },
		{ "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" }, { "core", "/proc/kcore" }, { "ptmx", "pts/ptmx" } };

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		if (!strcmp(links[i][0], "core") && faccessat(fs->fd, "proc/kcore", F_OK, 0) < 0)
			continue;
		if (symlinkat(links[i][1], dev, links[i][0]) < 0 && errno != EEXIST)
			return error_errno(err, errno, "cannot make /dev/%s", links[i][0]);
	}
	return 0;
}

static int make_console(struct rootfs *fs, int dev, struct error *err)
{
	_cleanup_close_ int file = -1, target = -1, tree = -1;
	struct stat st;

	/* what is there already is not opened: a device may do things then */
	file = openat(dev, "console", O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	target = openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target >= 0 && fstat(target, &st) == 0 && (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)))
		return error_set(err, ELOOP, "/dev/console in the root filesystem is a link or a directory: "
			"refused as a place for the terminal");
	tree = open_tree(fs->console, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (target < 0 || tree < 0 ||
		move_mount(tree, "", target, "",
			MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_errno(err, errno, "cannot bind the terminal to /dev/console");
	return 0;
}

/* A /dev of the host's, or a volume: not ours to fill. */
static bool dev_is_bound(const struct config *c)
{
	for (size_t i = 0; i < c->mount_count; i++) {
		size_t n = strlen(c->mounts[i].destination);

		while (n > 1 && c->mounts[i].destination[n - 1] == '/')
			n--;
		if (c->mounts[i].bind && n == 4 && !strncmp(c->mounts[i].destination, "/dev", 4))
			return true;
	}
	return false;
}

int rootfs_make_devices(struct rootfs *fs, struct error *err)
{
	const struct config *c = fs->config;
	_cleanup_close_ int dev = -1;
	int r = 0;

	if (c->process.terminal) {
		int master = -1;

		r = console_open(fs->fd, &master, &fs->console, err);
		if (r < 0)
			return r;
		fs->master = master;
	}
	if (dev_is_bound(c))
		return 0;
	dev = rootfs_open_target(fs->fd, "/dev", true, err);
	if (dev < 0)
		return dev;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(defaults); i++)
		r = make_node(dev, strrchr(defaults[i].path, '/') + 1, &defaults[i], -1, err);
	for (size_t i = 0; r == 0 && i < c->device_count; i++)
		r = make_device(fs, dev, &c->devices[i], fs->nodes ? fs->nodes[i] : -1, err) < 0
			? error_prefix(err, "linux.devices[%zu]", i) : 0;
	if (r == 0)
		r = make_links(fs, dev, err);
	if (r == 0 && fs->console >= 0)
		r = make_console(fs, dev, err);
	return r;
}
