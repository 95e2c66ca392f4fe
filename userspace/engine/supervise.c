/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "util/cleanup.h"

enum { BUFFER = 16384, CTRL_P = 0x10, CTRL_Q = 0x11 };

struct terminal {
	bool raw;
	struct termios saved;
};

struct loop {
	struct supervision *s;
	struct terminal terminal;
	bool input_ended, output_ended, half_detached, detached;
	char typed[BUFFER]; /* read from stdin, not yet taken by the console */
	size_t typed_length;
};

static void terminal_raw(struct terminal *t)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void terminal_restore(struct terminal *t)
{
	if (t->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->saved);
	t->raw = false;
}

void supervise_resize(int console)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(console, TIOCSWINSZ, &size);
}

static void write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* whoever read our output is gone; the container need not care */
		bytes += n;
		length -= (size_t)n;
	}
}

/* Copies what the console has; at its end (EIO: no slave is open) nothing more will come. */
static void copy_output(struct loop *l)
{
	char buffer[BUFFER];
	ssize_t n;

	while ((n = read(l->s->console, buffer, sizeof(buffer))) > 0)
		write_all(STDOUT_FILENO, buffer, (size_t)n);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		l->output_ended = true;
}

/* Takes the detach keys out; docker, too, holds ctrl-p back until the next key. */
static void filter_keys(struct loop *l, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && !l->detached; i++) {
		if (l->half_detached && bytes[i] == CTRL_Q) {
			l->detached = true;
		} else {
			if (l->half_detached)
				l->typed[l->typed_length++] = CTRL_P;
			l->half_detached = bytes[i] == CTRL_P;
			if (!l->half_detached)
				l->typed[l->typed_length++] = bytes[i];
		}
	}
}

static void read_input(struct loop *l)
{
	char buffer[BUFFER / 2 - 1]; /* filter_keys may double a byte */
	ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

	if (n > 0)
		filter_keys(l, buffer, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		l->input_ended = true;
}

static void pass_input(struct loop *l)
{
	ssize_t n = write(l->s->console, l->typed, l->typed_length);

	if (n > 0) {
		memmove(l->typed, l->typed + n, l->typed_length - (size_t)n);
		l->typed_length -= (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		l->typed_length = 0;
		l->input_ended = true;
	}
}

static void forward_signals(struct loop *l)
{
	int number;

	while ((number = signals_next(l->s->signals))) {
		if (number != SIGWINCH)
			runtime_kill(l->s->container, number, false, NULL);
		else if (l->s->console >= 0)
			supervise_resize(l->s->console);
	}
}

/* One round; returns whether init still runs. */
static bool turn(struct loop *l)
{
	struct pollfd fds[] = {
		{ .fd = runtime_pidfd(l->s->container), .events = POLLIN },
		{ .fd = l->s->signals->fd, .events = POLLIN },
		{ .fd = l->output_ended ? -1 : l->s->console,
			.events = (short)(POLLIN | (l->typed_length ? POLLOUT : 0)) },
		{ .fd = l->input_ended || l->typed_length ? -1 : STDIN_FILENO, .events = POLLIN },
	};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return true;
	if (fds[1].revents)
		forward_signals(l);
	if (fds[2].revents & POLLOUT)
		pass_input(l);
	if (fds[2].revents & (POLLIN | POLLHUP | POLLERR))
		copy_output(l);
	if (fds[3].revents)
		read_input(l);
	return !fds[0].revents;
}

static void set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int supervise(struct supervision *s, int *ret_status, struct error *err)
{
	struct loop l = { .s = s };
	bool running = true;

	l.input_ended = s->console < 0 || !s->interactive;
	l.output_ended = s->console < 0;
	if (s->console >= 0) {
		set_nonblocking(s->console);
		if (s->interactive)
			terminal_raw(&l.terminal);
	}
	while (running && !l.detached)
		running = turn(&l);
	if (!running && s->console >= 0)
		copy_output(&l);
	terminal_restore(&l.terminal);
	if (l.detached && running)
		return 1;
	return runtime_wait(s->container, ret_status, err);
}

void supervise_detached(struct supervision *s)
{
	char buffer[BUFFER];
	bool open = s->console >= 0, running = true;

	while (running) {
		struct pollfd fds[] = { { .fd = runtime_pidfd(s->container), .events = POLLIN },
			{ .fd = open ? s->console : -1, .events = POLLIN } };

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[1].revents && read(s->console, buffer, sizeof(buffer)) <= 0 &&
			errno != EAGAIN && errno != EINTR)
			open = false;
		running = !fds[0].revents;
	}
}
