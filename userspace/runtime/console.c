/* SPDX-License-Identifier: Apache-2.0 */
/* The container's terminal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/cleanup.h"

#ifndef DEVPTS_SUPER_MAGIC
#define DEVPTS_SUPER_MAGIC 0x1cd1
#endif

/* The slave comes from the master (TIOCGPTPEER): a name like /dev/pts/0 could have been replaced by a
 * container that runs already (CVE-2025-52565). The multiplexer is seen to be one before it is opened. */
int console_open(int root, int *ret_master, int *ret_slave, struct error *err)
{
	_cleanup_close_ int path = rootfs_open(root, "/dev/pts/ptmx", O_PATH | O_NOFOLLOW), master = -1;
	struct statfs fs;
	struct stat st;
	int unlock = 0, slave;

	if (path < 0)
		return error_errno(err, -path, "cannot make a terminal: /dev/pts/ptmx (a devpts mount in "
			"config.json)");
	if (fstatfs(path, &fs) < 0 || fstat(path, &st) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC ||
		st.st_rdev != makedev(5, 2))
		return error_set(err, EPERM, "cannot make a terminal: /dev/pts/ptmx is not one of devpts");
	master = rootfs_open(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW);
	if (master < 0)
		return error_errno(err, -master, "cannot open /dev/pts/ptmx");
	if (fstatfs(master, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
		return error_set(err, EPERM, "/dev/pts/ptmx changed while it was opened");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return error_errno(err, errno, "cannot unlock the terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return error_errno(err, errno, "cannot open the terminal's slave");
	*ret_master = steal_fd(&master);
	*ret_slave = slave;
	return 0;
}

int console_attach(int slave, const struct process_plan *process, bool control, struct error *err)
{
	struct winsize size = { .ws_row = process->rows, .ws_col = process->columns };

	if (process->rows && process->columns)
		ioctl(slave, TIOCSWINSZ, &size);
	if (process->uid && fchown(slave, process->uid, -1) < 0)
		return error_errno(err, errno, "cannot give the terminal to user %u", process->uid);
	if (control && ioctl(slave, TIOCSCTTY, 0) < 0)
		return error_errno(err, errno, "cannot make the terminal the controlling one");
	for (int i = 0; i < 3; i++) {
		if (dup2(slave, i) < 0)
			return error_errno(err, errno, "cannot connect the terminal");
	}
	return 0;
}

int console_send_fd(const char *socket_path, const char *text, int passed, const char *what,
	struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec v = { .iov_base = (char *)text, .iov_len = strlen(text) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (strlen(socket_path) >= sizeof(address.sun_path))
		return error_set(err, ENAMETOOLONG, "cannot send %s: socket path %s is too long", what,
			socket_path);
	strcpy(address.sun_path, socket_path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, errno, "cannot send %s: cannot connect to socket %s", what,
			socket_path);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &passed, sizeof(int));
	if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
		return error_errno(err, errno, "cannot send %s over %s", what, socket_path);
	return 0;
}

int console_send(const char *socket_path, int master, struct error *err)
{
	return console_send_fd(socket_path, "/dev/ptmx", master, "the terminal", err);
}
