/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3) of a container: the service manager's socket is not in it. It gets a directory with a socket of its own, which
 * whoever starts it listens at. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

#define SOCKET_NAME "notify"

/* Named as the socket outside is, which is what crun does; an abstract one, or one whose name leaves no room for that of the socket
 * within, as runc names it. */
static const char *directory_within(const char *notify_socket)
{
	struct sockaddr_un address;

	if (notify_socket[0] != '/' || strlen(notify_socket) + sizeof("/" SOCKET_NAME) > sizeof(address.sun_path))
		return "/run/notify";
	return notify_socket;
}

char *ready_environment(const char *notify_socket)
{
	return xasprintf("NOTIFY_SOCKET=%s/" SOCKET_NAME, directory_within(notify_socket));
}

int ready_prepare(struct container *c, const char *notify_socket, struct error *err)
{
	struct config *f = c->config;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/" READY_DIRECTORY, c->dir);
	if (mkdirat(c->dir, READY_DIRECTORY, 0755) < 0 || fchmodat(c->dir, READY_DIRECTORY, 0755, 0) < 0)
		return error_errno(err, errno, "NOTIFY_SOCKET: cannot make a directory for the container's socket");
	c->ready_directory = realpath(path, NULL);
	if (!c->ready_directory)
		return error_errno(err, errno, "NOTIFY_SOCKET: cannot find %s", path);
	array_grow(f->mounts, f->mount_count, f->mount_capacity);
	f->mounts[f->mount_count++] = (struct mount_plan){
		.destination = directory_within(notify_socket),
		.source = c->ready_directory,
		.type = "bind",
		.origin = "NOTIFY_SOCKET",
		.bind = true,
		.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	return 0;
}

void ready_remove(int state_directory)
{
	unlinkat(state_directory, READY_DIRECTORY "/" SOCKET_NAME, 0);
	unlinkat(state_directory, READY_DIRECTORY, AT_REMOVEDIR);
}

int runtime_ready_socket(const struct container *c)
{
	return c->ready;
}

int ready_listen(struct container *c, struct error *err)
{
	_cleanup_close_ int dir = openat(c->dir, READY_DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t before;
	int r;

	if (dir < 0)
		return 0;
	/* of a start that did not come to its end */
	unlinkat(dir, SOCKET_NAME, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, dir);
	before = umask(0); /* any user of the container may write to it */
	r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (r < 0)
		return error_errno(err, errno, "NOTIFY_SOCKET: cannot make the container's socket");
	c->ready = steal_fd(&fd);
	return 0;
}
