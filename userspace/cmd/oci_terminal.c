/* SPDX-License-Identifier: Apache-2.0 */
/* `ctrace oci run` and `exec` with a terminal: bytes go between the container's pty and ours. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/oci_internal.h"
#include "util/cleanup.h"

bool oci_write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		length -= n;
	}
	return true;
}

/* False when the source has ended. */
static bool copy_some(int from, int to)
{
	char bytes[8192];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return n > 0 && oci_write_all(to, bytes, (size_t)n);
}

static void copy_size(int master)
{
	struct winsize size;

	if (ioctl(0, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

/* What was written last may still be in the pty. */
static void copy_rest(int master)
{
	struct pollfd rest = { .fd = master, .events = POLLIN };

	fcntl(master, F_SETFL, O_NONBLOCK);
	while (poll(&rest, 1, 0) > 0 && rest.revents & POLLIN) {
		if (!copy_some(master, 1))
			break;
	}
}

static int relay(const struct oci_watched *w, int master, int signals)
{
	struct pollfd p[4] = { { .fd = 0, .events = POLLIN }, { .fd = master, .events = POLLIN },
		{ .fd = signals, .events = POLLIN }, { .fd = w->ready, .events = POLLIN } };
	int status = 0;

	for (;;) {
		struct signalfd_siginfo info;

		if (poll(p, 4, -1) < 0)
			continue;
		if (p[3].revents && oci_ready_pass_on(w->ready, 0))
			p[3].fd = -1;
		if (p[0].revents && !copy_some(0, master))
			p[0].fd = -1;
		if (p[1].revents && !copy_some(master, 1))
			p[1].fd = -1;
		if (!p[2].revents || read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
			continue;
		if (info.ssi_signo == SIGWINCH)
			copy_size(master);
		else if (info.ssi_signo != SIGCHLD)
			w->signal(w->data, (int)info.ssi_signo);
		else if (w->ended(w->data, &status))
			break;
	}
	if (p[1].fd >= 0)
		copy_rest(master);
	return status;
}

int oci_relay_terminal(const struct oci_watched *w, int master, const sigset_t *set)
{
	_cleanup_close_ int signals = signalfd(-1, set, SFD_CLOEXEC);
	struct termios before, raw;
	bool terminal = tcgetattr(0, &before) == 0;
	int status;

	if (terminal) {
		raw = before;
		cfmakeraw(&raw);
		tcsetattr(0, TCSANOW, &raw);
		copy_size(master);
	}
	status = relay(w, master, signals);
	if (terminal)
		tcsetattr(0, TCSANOW, &before);
	return status;
}

int oci_watch(const struct oci_watched *w, const sigset_t *set)
{
	_cleanup_close_ int fd = signalfd(-1, set, SFD_CLOEXEC);
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = w->ready, .events = POLLIN } };
	int status = 0;

	for (;;) {
		struct signalfd_siginfo info;

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents && oci_ready_pass_on(w->ready, 0))
			p[1].fd = -1;
		if (!p[0].revents)
			continue;
		if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
			break;
		if (info.ssi_signo != SIGCHLD)
			w->signal(w->data, (int)info.ssi_signo);
		else if (w->ended(w->data, &status))
			break;
	}
	return status;
}
