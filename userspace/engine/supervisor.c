/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/supervisor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"

struct report {
	int result, exit_code;
	struct error why;
};

/* All that is ours is close-on-exec; what is not came from whoever called us, who may wait for its end. */
static void close_inherited(void)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name), flags = fd > 2 ? fcntl(fd, F_GETFD) : -1;

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			close(fd);
	}
}

int supervisor_fork(bool attach, struct supervisor *ret, struct error *err)
{
	int report[2], client[2] = { -1, -1 }, code;

	if (pipe2(report, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	if (attach && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client) < 0) {
		code = errno;
		close(report[0]);
		close(report[1]);
		return error_errno(err, code, "cannot make a socket pair");
	}
	ret->pid = fork();
	if (ret->pid == 0) {
		setsid();
		close_inherited();
	}
	code = errno;
	ret->report = report[ret->pid == 0];
	ret->client = client[ret->pid == 0];
	cleanup_close(&report[ret->pid != 0]);
	cleanup_close(&client[ret->pid != 0]);
	if (ret->pid >= 0)
		return ret->pid == 0;
	cleanup_close(&ret->report);
	cleanup_close(&ret->client);
	return error_errno(err, code, "cannot make the container's supervisor");
}

static void leave_terminal(void)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (chdir("/") < 0)
		return;
}

void supervisor_tell(struct supervisor *s, int result, int exit_code, const struct error *why)
{
	struct report report = { .result = result, .exit_code = exit_code };

	if (why)
		report.why = *why;
	leave_terminal(); /* before: the parent's callers may wait for the end of its output */
	if (write(s->report, &report, sizeof(report)) < 0)
		errno = 0; /* the parent is gone: nobody is there to be told */
	close(s->report);
	s->report = -1;
}

int supervisor_await(struct supervisor *s, int *ret_exit_code, struct error *err)
{
	struct report report;
	ssize_t n;

	do {
		n = read(s->report, &report, sizeof(report));
	} while (n < 0 && errno == EINTR);
	close(s->report);
	s->report = -1;
	if (n != (ssize_t)sizeof(report)) {
		waitpid(s->pid, NULL, 0);
		return error_set(err, EPIPE, "the container's supervisor died while it made the container");
	}
	*ret_exit_code = report.exit_code;
	if (report.result >= 0)
		return 0;
	waitpid(s->pid, NULL, 0);
	if (err)
		*err = report.why;
	return report.result;
}
