/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of config.json, made detached and then moved onto a descriptor of their target. */
#include <errno.h>
#include <fcntl.h>
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

enum { CGROUP_MOUNTS = 32 };

static int attach(int tree, int target, const char *destination, struct error *err)
{
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_errno(err, errno, "cannot mount at %s", destination);
	return 0;
}

/* The kernel says in words, on the context's descriptor, what it disliked. */
static int context_error(int context, int code, const struct mount_plan *m, const char *what,
	struct error *err)
{
	char text[256];
	ssize_t n = read(context, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return error_set(err, code, "cannot mount %s at %s: %s%s%s%s%s", m->type, m->destination, what,
		*what ? ": " : "", strerror(code), n > 2 ? ": " : "", n > 2 ? text + 2 : "");
}

static int set_option(int context, const char *option)
{
	const char *equal = strchr(option, '=');
	_cleanup_free_ char *key = NULL;

	if (!equal)
		return fsconfig(context, FSCONFIG_SET_FLAG, option, NULL, 0);
	key = xstrndup(option, equal - option);
	return fsconfig(context, FSCONFIG_SET_STRING, key, equal + 1, 0);
}

/* A new file system instance as a detached mount. ret_member: of the element of "mounts", what an error is about; or NULL. */
static int make_filesystem(const struct mount_plan *m, uint64_t attributes, const char **ret_member, struct error *err)
{
	_cleanup_close_ int context = fsopen(m->type, FSOPEN_CLOEXEC);
	int fd;

	*ret_member = "type";
	if (context < 0)
		return error_errno(err, errno, "cannot mount %s at %s", m->type, m->destination);
	*ret_member = "source";
	if (m->source && fsconfig(context, FSCONFIG_SET_STRING, "source", m->source, 0) < 0)
		return context_error(context, errno, m, "source", err);
	*ret_member = "options";
	for (size_t i = 0; i < m->data_count; i++) {
		if (set_option(context, m->data[i]) < 0)
			return context_error(context, errno, m, m->data[i], err);
	}
	*ret_member = NULL; /* the kernel found it out from all of them */
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return context_error(context, errno, m, "", err);
	fd = fsmount(context, FSMOUNT_CLOEXEC, attributes);
	if (fd < 0)
		return context_error(context, errno, m, "flags", err);
	return fd;
}

static int set_propagation(int tree, const struct mount_plan *m, struct error *err)
{
	bool recursive = m->propagation ? m->propagation_recursive : true;
	struct mount_attr attr = { .attr_set = m->recursive_set, .attr_clr = m->recursive_clear };

	attr.propagation = recursive ? (m->propagation ? m->propagation : MS_PRIVATE) : 0;
	if ((attr.attr_set || attr.attr_clr || attr.propagation) &&
		mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "cannot set the flags of mount %s", m->destination);
	attr = (struct mount_attr){ .attr_set = m->set, .attr_clr = m->clear };
	attr.propagation = recursive ? 0 : m->propagation;
	if ((attr.attr_set || attr.attr_clr || attr.propagation) &&
		mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "cannot set the flags of mount %s", m->destination);
	return 0;
}

static int open_target(struct rootfs *fs, const struct mount_plan *m, bool directory, struct error *err)
{
	int target = rootfs_open_target(fs->fd, m->destination, directory, err);

	if (target < 0)
		fs->member = "destination";
	return target;
}

static int mount_bind(struct rootfs *fs, size_t i, struct error *err)
{
	const struct mount_plan *m = &fs->config->mounts[i];
	_cleanup_close_ int target = -1;
	struct stat st;
	int r;

	if (fstat(fs->sources[i], &st) < 0)
		return error_errno(err, errno, "cannot stat %s", m->source);
	target = open_target(fs, m, S_ISDIR(st.st_mode), err);
	if (target < 0)
		return target;
	r = set_propagation(fs->sources[i], m, err);
	return r < 0 ? r : attach(fs->sources[i], target, m->destination, err);
}

/* Without "mode=" it gets the mode of the directory that it covers: /tmp stays sticky. For a directory that was made for this mount
 * it is not called: there the tmpfs keeps its own mode, 1777 (tmpfs(5)). */
static int keep_mode(int target, int tree, const struct mount_plan *m, struct error *err)
{
	struct stat st;

	for (size_t i = 0; i < m->data_count; i++) {
		if (str_starts(m->data[i], "mode="))
			return 0;
	}
	if (fstat(target, &st) < 0 || fchmodat(tree, ".", st.st_mode & 07777, 0) < 0)
		return error_errno(err, errno, "cannot set the mode of %s", m->destination);
	return 0;
}

/* A tmpfs that others will be mounted in becomes read-only at the end. */
static int mount_tmpfs_like(struct rootfs *fs, const struct mount_plan *m, int target, bool existed,
	struct error *err)
{
	_cleanup_close_ int tree = make_filesystem(m, m->set & ~(uint64_t)MOUNT_ATTR_RDONLY, &fs->member, err);
	int r;

	if (tree < 0)
		return tree;
	r = m->copy_up ? copy_up(target, tree, err) : existed ? keep_mode(target, tree, m, err) : 0;
	if (r == 0 && m->propagation)
		r = set_propagation(tree, m, err);
	if (r < 0)
		return r;
	r = attach(tree, target, m->destination, err);
	if (r == 0 && m->set & MOUNT_ATTR_RDONLY)
		fs->late_readonly[fs->late_count++] = steal_fd(&tree);
	return r;
}

static int mount_filesystem(struct rootfs *fs, const struct mount_plan *m, struct error *err)
{
	_cleanup_close_ int target = -1, tree = -1, before = -1;
	int r;

	/* where /proc or /sys is a symbolic link, whoever made the image chose what gets covered */
	if (!strcmp(m->type, "proc") || !strcmp(m->type, "sysfs")) {
		_cleanup_close_ int link = rootfs_open(fs->fd, m->destination, O_PATH | O_NOFOLLOW);
		struct stat st;

		fs->member = "destination";
		if (link >= 0 && fstat(link, &st) == 0 && S_ISLNK(st.st_mode))
			return error_set(err, ELOOP, "%s must be mounted on ordinary directory: it is a "
				"symbolic link in the root filesystem", m->destination);
	}
	if (!strcmp(m->type, "tmpfs"))
		before = rootfs_open(fs->fd, m->destination, O_PATH);
	target = open_target(fs, m, true, err);
	if (target < 0)
		return target;
	if (!strcmp(m->type, "tmpfs"))
		return mount_tmpfs_like(fs, m, target, before >= 0, err);
	tree = make_filesystem(m, m->set, &fs->member, err);
	if (tree < 0)
		return tree;
	r = m->propagation ? set_propagation(tree, m, err) : 0;
	return r < 0 ? r : attach(tree, target, m->destination, err);
}

/* The container's own directory of one hierarchy. */
static int bind_cgroup(const char *directory, const struct mount_plan *m, int target,
	struct error *err)
{
	struct mount_attr attr = { .attr_set = m->set, .attr_clr = m->clear,
		.propagation = m->propagation ? m->propagation : MS_PRIVATE };
	_cleanup_close_ int tree =
		open_tree(AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "cannot bind cgroup %s", directory);
	return attach(tree, target, m->destination, err);
}

static int add_hierarchy(int dir, const struct cgroup_mount *h, const struct mount_plan *m,
	struct error *err)
{
	const char *name = strrchr(h->target, '/') + 1;
	_cleanup_close_ int target = -1;
	_cleanup_free_ char *words = xstrdup(h->controllers);
	char *save = NULL;

	if (mkdirat(dir, name, 0755) < 0)
		return error_errno(err, errno, "cannot make %s/%s", m->destination, name);
	target = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0)
		return error_errno(err, errno, "cannot open %s/%s", m->destination, name);
	/* "cpu" beside "cpu,cpuacct", as hosts have it */
	if (strchr(h->controllers, ',')) {
		for (char *w = strtok_r(words, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
			if (symlinkat(name, dir, w) < 0 && errno != EEXIST)
				return error_errno(err, errno, "cannot make %s/%s", m->destination, w);
		}
	}
	return bind_cgroup(h->directory, m, target, err);
}

/* v2: the group itself; v1 and hybrid: a tmpfs with one directory per hierarchy. All are binds of the
 * container's own groups, so that with or without a cgroup namespace no other container is seen. */
static int mount_cgroup(struct rootfs *fs, const struct mount_plan *m, struct error *err)
{
	struct mount_plan tmpfs = { .destination = m->destination, .type = "tmpfs", .source = "tmpfs",
		.set = m->set, .data = (const char *[]){ "mode=755" }, .data_count = 1 };
	struct cgroup_mount list[CGROUP_MOUNTS];
	size_t count = cgroup_mounts(fs->cgroup, list, CGROUP_MOUNTS);
	_cleanup_close_ int target = open_target(fs, m, true, err), dir = -1;
	int r;

	if (target < 0)
		return target;
	if (count == 1 && list[0].version == 2)
		return bind_cgroup(list[0].directory, m, target, err);
	r = mount_tmpfs_like(fs, &tmpfs, target, true, err);
	if (r < 0)
		return r;
	dir = rootfs_open(fs->fd, m->destination, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return error_errno(err, -dir, "cannot open %s", m->destination);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_hierarchy(dir, &list[i], m, err);
	return r;
}

/* Nothing may hide or fake the files of /proc that decide about confinement: only what lxcfs and the
 * like provide may be put over a file of it. */
static int check_destination(struct rootfs *fs, const struct mount_plan *m, struct error *err)
{
	static const char *const allowed[] = { "cpuinfo", "diskstats", "meminfo", "stat", "swaps",
		"uptime", "loadavg", "slabinfo", "net/dev", "sys/kernel/ns_last_pid",
		"sys/crypto/fips_enabled" };
	const char *p = m->destination + strspn(m->destination, "/");

	if (strncmp(p, "proc/", 5) != 0 || !p[5])
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (!strcmp(p + 5, allowed[i]))
			return 0;
	}
	fs->member = "destination";
	return error_set(err, EPERM, "refused to mount at %s: it is inside of /proc", m->destination);
}

int rootfs_mount_all(struct rootfs *fs, struct error *err)
{
	for (size_t i = 0; i < fs->config->mount_count; i++) {
		const struct mount_plan *m = &fs->config->mounts[i];
		int r;

		fs->member = NULL;
		r = check_destination(fs, m, err);
		if (r == 0 && m->bind)
			r = mount_bind(fs, i, err);
		else if (r == 0 && (!strcmp(m->type, "cgroup") || !strcmp(m->type, "cgroup2")))
			r = mount_cgroup(fs, m, err);
		else if (r == 0)
			r = mount_filesystem(fs, m, err);
		if (r < 0 && m->origin)
			return error_prefix(err, "%s", m->origin);
		if (r < 0)
			return fs->member ? error_prefix(err, "mounts[%zu].%s", i, fs->member)
					  : error_prefix(err, "mounts[%zu]", i);
	}
	return 0;
}

/* A file is masked by the container's null device (seen to be one: an image or a volume may have put
 * anything there, CVE-2025-31133), a directory by an empty tmpfs that all of them share. */
static int mask_file(struct rootfs *fs, int target, const char *path, struct error *err)
{
	_cleanup_close_ int null = rootfs_open(fs->fd, "/dev/null", O_PATH | O_NOFOLLOW), tree = -1;
	struct stat st;

	if (null < 0)
		return error_errno(err, -null, "cannot mask %s: no /dev/null in the container", path);
	tree = open_tree(null, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || fstat(tree, &st) < 0)
		return error_errno(err, errno, "cannot mask %s", path);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return error_set(err, EPERM, "cannot mask %s: the container's /dev/null is not the null "
			"device", path);
	return attach(tree, target, path, err);
}

static int mask_directory(int *empty, int target, const char *path, struct error *err)
{
	static const struct mount_plan plan = { .destination = "a masked path", .type = "tmpfs",
		.source = "tmpfs" };
	_cleanup_close_ int tree = -1;
	const char *member;

	if (*empty < 0) {
		*empty = make_filesystem(&plan, MOUNT_ATTR_RDONLY, &member, err);
		if (*empty < 0)
			return *empty;
		return attach(*empty, target, path, err);
	}
	tree = open_tree(*empty, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return error_errno(err, errno, "cannot mask %s", path);
	return attach(tree, target, path, err);
}

static int make_readonly(struct rootfs *fs, const char *path, struct error *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE };
	_cleanup_close_ int target = rootfs_open(fs->fd, path, O_PATH), tree = -1;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return error_errno(err, -target, "linux.readonlyPaths: cannot open %s to make it read-only", path);
	tree = open_tree(target, "",
		AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return error_errno(err, errno, "linux.readonlyPaths: cannot make %s read-only", path);
	return attach(tree, target, path, err);
}

int rootfs_mask(struct rootfs *fs, struct error *err)
{
	_cleanup_close_ int empty = -1;
	int r = 0;

	for (char **p = fs->config->readonly; r == 0 && p && *p; p++)
		r = make_readonly(fs, *p, err);
	for (char **p = fs->config->masked; r == 0 && p && *p; p++) {
		_cleanup_close_ int target = rootfs_open(fs->fd, *p, O_PATH);
		struct stat st;

		if (target == -ENOENT || target == -ENOTDIR)
			continue;
		if (target < 0 || fstat(target, &st) < 0)
			return error_errno(err, target < 0 ? -target : errno, "linux.maskedPaths: cannot mask %s", *p);
		r = S_ISDIR(st.st_mode) ? mask_directory(&empty, target, *p, err)
					: mask_file(fs, target, *p, err);
		if (r < 0)
			return error_prefix(err, "linux.maskedPaths");
	}
	return r;
}
