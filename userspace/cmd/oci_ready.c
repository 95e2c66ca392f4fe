/* SPDX-License-Identifier: Apache-2.0 */
/* Passes on to the service manager that a container is ready (sd_notify(3)). */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/oci_internal.h"
#include "util/cleanup.h"
#include "util/service.h"
#include "util/strbuf.h"

const char *oci_notify_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && (*path == '/' || *path == '@') ? path : NULL;
}

/* One of the lines of a message. */
static bool says_ready(const char *text)
{
	static const char ready[] = "READY=1";

	for (const char *p = text; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		if (strcspn(p, "\n") == strlen(ready) && str_starts(p, ready))
			return true;
	}
	return false;
}

/* No more than this is passed on: what else a container says (MAINPID=, FDSTORE=1) would be taken as said by its service. */
bool oci_ready_pass_on(int fd, pid_t main_pid)
{
	char text[4096];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return false;
	text[n] = '\0';
	if (!says_ready(text))
		return false;
	if (main_pid > 0)
		service_notify("MAINPID=%d\nREADY=1", main_pid);
	else
		service_notify("READY=1");
	return true;
}

void oci_ready_wait(const struct container *c, pid_t main_pid)
{
	int fd = oci_notify_socket() ? runtime_ready_socket(c) : -1;
	_cleanup_close_ int end = (int)syscall(SYS_pidfd_open, runtime_pid(c), 0);
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = end, .events = POLLIN } };
	bool ended = end < 0;
	sigset_t none;

	if (fd < 0)
		return;
	sigemptyset(&none);
	while (!oci_ready_pass_on(fd, main_pid) && !ended) {
		/* what it said last is read, still */
		if (ppoll(p, 2, NULL, &none) > 0 && !p[0].revents)
			ended = p[1].revents;
	}
}
