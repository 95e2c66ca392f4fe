/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/exec_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "engine/terminal.h"
#include "util/cleanup.h"

enum { BUFFER = 16384, STREAMS = 2 };

static const int ours[STREAMS] = { STDOUT_FILENO, STDERR_FILENO };

int exec_output_open(struct exec_output *o, uid_t user, struct error *err)
{
	bool lend = user == 0 || output_is_piped();

	*o = (struct exec_output){ { -1, -1 }, { -1, -1 } };
	for (int i = 0; i < STREAMS; i++) {
		int fds[2];

		if (lend) {
			o->fds[i] = fcntl(ours[i], F_DUPFD_CLOEXEC, 3);
			continue;
		}
		if (pipe2(fds, O_CLOEXEC) < 0)
			return error_errno(err, errno, "cannot make a pipe");
		o->pipes[i] = fds[0];
		o->fds[i] = fds[1];
		fcntl(fds[0], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(steal_fd(fd));
}

/* What is there now. */
static void copy(struct exec_output *o, int i)
{
	char buffer[BUFFER];
	ssize_t n;

	while ((n = read(o->pipes[i], buffer, sizeof(buffer))) > 0)
		terminal_write(ours[i], buffer, (size_t)n);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_one(&o->pipes[i]);
}

void exec_output_relay(struct exec_output *o, pid_t pid)
{
	_cleanup_close_ int end = pidfd_open(pid, 0);
	bool ended = end < 0;

	for (int i = 0; i < STREAMS; i++)
		close_one(&o->fds[i]);
	/* others may hold the pipes for longer than it lives */
	while (!ended && (o->pipes[0] >= 0 || o->pipes[1] >= 0)) {
		struct pollfd p[] = { { .fd = o->pipes[0], .events = POLLIN }, { .fd = o->pipes[1], .events = POLLIN },
			{ .fd = end, .events = POLLIN } };

		if (poll(p, 3, -1) < 0 && errno != EINTR)
			break;
		ended = p[2].revents;
		for (int i = 0; i < STREAMS; i++) {
			if (o->pipes[i] >= 0 && (p[i].revents || ended))
				copy(o, i);
		}
	}
}

void exec_output_close(struct exec_output *o)
{
	for (int i = 0; i < STREAMS; i++) {
		close_one(&o->fds[i]);
		close_one(&o->pipes[i]);
	}
}
