/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's root: made, entered, and every path below it opened. An image decides what is in the
 * root, so no path of it is ever resolved by name from the host's side: openat2(RESOLVE_IN_ROOT) gives a
 * descriptor, and all that follows is done to the descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { RACES_MAX = 128 };

int rootfs_open(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	/* EAGAIN: something was renamed during the walk and the kernel cannot be sure */
	for (int i = 0; i < RACES_MAX; i++) {
		long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

/* Makes one missing component in the directory parent: a directory, or an empty file. */
static int make_component(int parent, const char *name, bool directory)
{
	if (directory) {
		if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		return 0;
	}
	_cleanup_close_ int fd =
		openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
	return fd < 0 && errno != EEXIST ? -errno : 0;
}

static int open_making(int root, const char *path, bool directory)
{
	char prefix[PATH_MAX];
	const char *p = path;
	_cleanup_close_ int parent = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (parent < 0)
		return -errno;
	while (p += strspn(p, "/"), *p) {
		size_t length = strcspn(p, "/");
		bool last = p[length + strspn(p + length, "/")] == '\0';
		char name[NAME_MAX + 1];
		int next;

		if (length > NAME_MAX || (size_t)(p - path) + length >= sizeof(prefix))
			return -ENAMETOOLONG;
		memcpy(name, p, length);
		name[length] = '\0';
		memcpy(prefix, path, p - path + length);
		prefix[p - path + length] = '\0';
		next = rootfs_open(root, prefix, O_PATH);
		if (next == -ENOENT) {
			r = make_component(parent, name, directory || !last);
			if (r < 0)
				return r;
			next = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			if (next < 0)
				return -errno;
		}
		if (next < 0)
			return next;
		close(parent);
		parent = next;
		p += length;
	}
	return steal_fd(&parent);
}

int rootfs_open_target(int root, const char *path, bool directory, struct error *err)
{
	_cleanup_close_ int fd = rootfs_open(root, path, O_PATH);
	struct stat st;

	if (fd == -ENOENT)
		fd = open_making(root, path, directory);
	if (fd < 0)
		return error_errno(err, -fd, "cannot make the mount point %s in the root filesystem",
			path);
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "cannot stat %s", path);
	if (S_ISLNK(st.st_mode))
		return error_set(err, ELOOP, "the mount point %s is a symbolic link to nowhere", path);
	if (directory != S_ISDIR(st.st_mode))
		/* dockerd looks for "not a directory", and says what may be wrong. Not "is a directory": docker takes a
		 * message with these words for a program that cannot be run, 126 */
		return error_set(err, directory ? ENOTDIR : EISDIR,
			directory ? "the mount point %s in the root filesystem is not a directory, and its source is"
				  : "the source for mount point %s is not a directory, and that in the root filesystem is",
			path);
	return steal_fd(&fd);
}

/* Bind sources are cloned before our copies of the host's mounts leave their peer groups: "rshared" and
 * "rslave" need the group. */
static int open_sources(struct rootfs *fs, struct error *err)
{
	const struct config *c = fs->config;
	_cleanup_close_ int bundle = open(fs->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (bundle < 0)
		return error_errno(err, errno, "cannot open bundle %s", fs->bundle);
	fs->sources = xcalloc(c->mount_count + 1, sizeof(*fs->sources));
	for (size_t i = 0; i < c->mount_count; i++)
		fs->sources[i] = -1;
	for (size_t i = 0; i < c->mount_count; i++) {
		const struct mount_plan *m = &c->mounts[i];

		if (!m->bind)
			continue;
		if (fs->idmapped && fs->idmapped[i] >= 0) {
			fs->sources[i] = fcntl(fs->idmapped[i], F_DUPFD_CLOEXEC, 3);
			continue;
		}
		fs->sources[i] = open_tree(bundle, m->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
			(m->recursive ? AT_RECURSIVE : 0));
		if (fs->sources[i] < 0)
			return error_errno(err, errno, "mounts[%zu].source: cannot bind %s to %s", i, m->source,
				m->destination);
	}
	return 0;
}

static int mount_root(struct rootfs *fs, const char *path, struct error *err)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };
	_cleanup_close_ int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), tree = -1;

	if (dir < 0)
		return error_errno(err, errno, "cannot open the root filesystem %s", path);
	tree = open_tree(dir, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return error_errno(err, errno, "cannot bind the root filesystem %s", path);
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "cannot make the root filesystem private "
			"(mount_setattr, Linux 5.12)");
	if (move_mount(tree, "", dir, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_errno(err, errno, "cannot mount the root filesystem %s", path);
	fs->fd = steal_fd(&tree);
	return 0;
}

int rootfs_make(struct rootfs *fs, const char *path, struct error *err)
{
	int r = open_sources(fs, err);

	if (r < 0)
		return r;
	fs->late_readonly = xcalloc(fs->config->mount_count + 1, sizeof(int));
	/* what the host mounts later still reaches us until pivot_root; nothing goes the other way */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return error_errno(err, errno, "cannot separate the mounts from the host's%s", errno == EINVAL
				? " (\"/\" is no mount point here, as in a chroot: \"mount --bind DIR DIR\" before chroot makes it one)"
				: "");
	r = mount_root(fs, path, err);
	if (r < 0)
		return error_prefix(err, "root.path");
	r = rootfs_mount_all(fs, err);
	if (r == 0)
		r = rootfs_make_devices(fs, err);
	return r;
}

int rootfs_finish(struct rootfs *fs, struct error *err)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	int r = rootfs_mask(fs, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < fs->late_count; i++) {
		if (mount_setattr(fs->late_readonly[i], "", AT_EMPTY_PATH, &readonly,
			    sizeof(readonly)) < 0)
			return error_errno(err, errno, "cannot make a tmpfs read-only");
	}
	if (fs->config->root_readonly &&
		mount_setattr(fs->fd, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)) < 0)
		return error_errno(err, errno, "root.readonly: cannot make the root filesystem read-only");
	return 0;
}

/* The old root comes to lie over the new one and is taken off: no directory for it is needed. */
static int pivot(struct error *err)
{
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return error_errno(err, errno, "pivot_root into the root filesystem failed%s",
			errno == EINVAL ? " (on a ramfs root --no-pivot helps)" : "");
	if (umount2(".", MNT_DETACH) < 0)
		return error_errno(err, errno, "cannot detach the host's root");
	return 0;
}

/* Without pivot_root the host's mounts stay behind the container's root. A proc or sysfs of the host's among them would
 * let whoever may mount in the container have one without the masks that cover its own (the kernel allows it where
 * there is one that is fully visible already). */
static int hide_host_mounts(struct error *err)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	char root[PATH_MAX], target[PATH_MAX], type[64];
	size_t size = 0, length;

	if (!f || !getcwd(root, sizeof(root)))
		return error_errno(err, errno, "cannot read the mounts");
	length = strlen(root);
	while (getline(&line, &size, f) > 0) {
		const char *rest = strstr(line, " - ");

		if (!rest || sscanf(line, "%*s %*s %*s %*s %4095s", target) != 1 ||
			sscanf(rest, " - %63s", type) != 1 ||
			(strcmp(type, "proc") != 0 && strcmp(type, "sysfs") != 0) ||
			(!strncmp(target, root, length) && (target[length] == '/' || !target[length])))
			continue;
		if (umount2(target, MNT_DETACH) < 0 &&
			mount("tmpfs", target, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
			return error_errno(err, errno, "cannot hide the host's %s", target);
	}
	return 0;
}

static int move_root(struct error *err)
{
	int r = hide_host_mounts(err);

	if (r < 0)
		return r;
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return error_errno(err, errno, "cannot move the root filesystem to /");
	if (chroot(".") < 0)
		return error_errno(err, errno, "cannot chroot into the root filesystem");
	return 0;
}

int rootfs_enter(struct rootfs *fs, bool no_pivot, struct error *err)
{
	unsigned long propagation = fs->config->propagation;
	int r;

	if (fchdir(fs->fd) < 0)
		return error_errno(err, errno, "cannot enter the root filesystem");
	r = no_pivot ? move_root(err) : pivot(err);
	if (r < 0)
		return r;
	if (chdir("/") < 0)
		return error_errno(err, errno, "cannot enter the new root");
	/* it is private already */
	if (propagation && !(propagation & MS_PRIVATE) &&
		mount(NULL, "/", NULL, propagation, NULL) < 0)
		return error_errno(err, errno, "linux.rootfsPropagation: cannot set the root's propagation");
	return 0;
}

void rootfs_close(struct rootfs *fs)
{
	if (fs->fd >= 0)
		close(fs->fd);
	for (size_t i = 0; fs->sources && i < fs->config->mount_count; i++) {
		if (fs->sources[i] >= 0)
			close(fs->sources[i]);
	}
	for (size_t i = 0; i < fs->late_count; i++)
		close(fs->late_readonly[i]);
	free(fs->sources);
	free(fs->late_readonly);
}
