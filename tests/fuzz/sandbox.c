/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* New system calls that the C library may not have; the numbers are the same on all architectures here. */
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static bool complain(const char *what)
{
	fprintf(stderr, "fuzz: sandbox: cannot %s: %s\n", what, strerror(errno));
	return false;
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static bool unshare_all(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	if (uid == 0 && unshare(CLONE_NEWNS) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return complain("make a mount namespace");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", map))
		return complain("map the user");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", map) || complain("map the group");
}

bool sandbox_enter(void)
{
	struct mount_attr closed = { .attr_set = MOUNT_ATTR_RDONLY }, opened = { .attr_clr = MOUNT_ATTR_RDONLY };
	char here[PATH_MAX];

	if (!getcwd(here, sizeof(here)) || !unshare_all())
		return false;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount(here, here, NULL, MS_BIND, NULL) < 0)
		return complain("bind the working directory");
	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &closed, sizeof(closed)) < 0 ||
		syscall(SYS_mount_setattr, AT_FDCWD, here, 0, &opened, sizeof(opened)) < 0)
		return complain("make the file systems read-only");
	return chdir(here) == 0 || complain("go to the working directory");
}

int sandbox_directory(void)
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 1 /* FSOPEN_CLOEXEC */), fd = -1;

	if (fs >= 0 && syscall(SYS_fsconfig, fs, 1 /* FSCONFIG_SET_STRING */, "size", "16m", 0) == 0 &&
		syscall(SYS_fsconfig, fs, 1, "nr_inodes", "4096", 0) == 0 &&
		syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) == 0)
		fd = (int)syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
	if (fd < 0)
		complain("make a file system in memory");
	if (fs >= 0)
		close(fs);
	return fd;
}

int sandbox_once(void)
{
	static bool tried;
	static int directory = -1;

	if (!tried && sandbox_enter())
		directory = sandbox_directory();
	tried = true;
	return directory;
}
