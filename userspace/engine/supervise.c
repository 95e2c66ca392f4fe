/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/terminal.h"
#include "util/cleanup.h"

enum { BUFFER = 16384, OWN_FDS = 6, FDS_MAX = 64, INPUT_MAX = 1 << 20 };

struct loop {
	struct supervision *s;
	struct launch *l;
	struct strbuf typed; /* not yet taken by the container */
	bool input_ended;    /* it is to see the end of its stdin when it has taken that */
};

static void close_one(int *fd)
{
	cleanup_close(fd);
	*fd = -1;
}

/* ---- what the container prints ---- */

static void hand_out(struct loop *l, enum log_stream stream, const char *bytes, size_t length)
{
	container_log_add(&l->l->log, stream, bytes, length);
	if (l->s->server)
		attach_server_send(l->s->server, stream == LOG_STDOUT ? FRAME_OUTPUT : FRAME_ERROR, bytes, length);
	if (l->s->local)
		terminal_write(stream == LOG_STDOUT ? STDOUT_FILENO : STDERR_FILENO, bytes, length);
}

/* One round's worth; at the end (EIO: no slave of the console is open) nothing more will come. */
static bool copy_output(struct loop *l, int *fd, enum log_stream stream)
{
	char buffer[BUFFER];
	ssize_t n = read(*fd, buffer, sizeof(buffer));

	if (n > 0)
		hand_out(l, stream, buffer, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_one(fd);
	return n > 0;
}

/* All its processes are gone, and all that they printed is there. */
static void drain(struct loop *l)
{
	while (l->l->console >= 0 && copy_output(l, &l->l->console, LOG_STDOUT))
		;
	for (int i = 0; i < 2; i++) {
		while (l->l->output[i] >= 0 && copy_output(l, &l->l->output[i], (enum log_stream)i))
			;
	}
}

/* ---- what it is told ---- */

static int *input_of(struct loop *l)
{
	return l->l->console >= 0 ? &l->l->console : &l->l->input;
}

static void on_input(void *data, const char *bytes, size_t length)
{
	struct loop *l = data;

	/* a program that never reads must not cost us all memory */
	if (*input_of(l) >= 0 && l->typed.length + length <= INPUT_MAX)
		strbuf_add(&l->typed, bytes, length);
}

/* docker's StdinOnce: the input ends with that of whoever was attached first. */
static void on_input_end(void *data)
{
	struct loop *l = data;

	l->input_ended |= l->l->state.stdin_once;
}

static void on_resize(void *data, unsigned rows, unsigned columns)
{
	struct loop *l = data;
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	if (l->l->console >= 0)
		ioctl(l->l->console, TIOCSWINSZ, &size);
}

static bool asks_to_end(int number)
{
	return number == SIGHUP || number == SIGINT || number == SIGQUIT || number == SIGTERM || number == SIGKILL;
}

static void on_signal(void *data, int number)
{
	struct loop *l = data;

	l->s->told_to_end |= asks_to_end(number);
	runtime_kill(l->l->container, number, false, NULL);
}

static void pass_input(struct loop *l)
{
	int *fd = input_of(l);
	ssize_t n = write(*fd, l->typed.text, l->typed.length);

	if (n > 0) {
		memmove(l->typed.text, l->typed.text + n, l->typed.length - (size_t)n);
		l->typed.length -= (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		strbuf_reset(&l->typed);
		if (fd == &l->l->input)
			close_one(fd);
	}
}

/* All that was typed is taken: who types without a terminal may go on. */
static void note_taken(struct loop *l)
{
	if (l->l->input < 0)
		return;
	if (l->s->server)
		attach_server_send(l->s->server, FRAME_INPUT_TAKEN, NULL, 0);
	if (l->input_ended)
		close_one(&l->l->input);
}

static void forward_signals(struct loop *l)
{
	int number;

	while ((number = signals_next(l->s->signals))) {
		l->s->told_to_end |= asks_to_end(number);
		if (number != SIGWINCH)
			runtime_kill(l->l->container, number, false, NULL);
		else if (l->l->console >= 0 && l->s->local)
			terminal_copy_size(l->l->console);
	}
}

/* ---- the loop ---- */

/* One round; returns whether init still runs. */
static bool turn(struct loop *l)
{
	bool behind = l->s->server && attach_server_is_behind(l->s->server);
	short typed = l->typed.length ? POLLOUT : 0;
	struct pollfd fds[OWN_FDS + FDS_MAX] = {
		{ .fd = runtime_pidfd(l->l->container), .events = POLLIN },
		{ .fd = l->s->signals->fd, .events = POLLIN },
		{ .fd = behind && !typed ? -1 : l->l->console,
			.events = (short)((behind ? 0 : POLLIN) | typed) },
		{ .fd = behind ? -1 : l->l->output[0], .events = POLLIN },
		{ .fd = behind ? -1 : l->l->output[1], .events = POLLIN },
		{ .fd = typed ? l->l->input : -1, .events = POLLOUT },
	};
	size_t clients = l->s->server ? attach_server_poll(l->s->server, fds + OWN_FDS, FDS_MAX) : 0;
	const struct attach_events events = { on_input, on_input_end, on_resize, on_signal, l };

	if (poll(fds, OWN_FDS + clients, -1) < 0)
		return true;
	/* first, while the clients are those that were asked for: sending drops those that are gone */
	if (clients)
		attach_server_handle(l->s->server, fds + OWN_FDS, clients, &events);
	if (fds[1].revents)
		forward_signals(l);
	if (l->typed.length && ((fds[2].revents & POLLOUT) || fds[5].revents))
		pass_input(l);
	if (typed && !l->typed.length)
		note_taken(l);
	else if (l->input_ended && !l->typed.length)
		close_one(&l->l->input);
	if (!behind && fds[2].revents & (POLLIN | POLLHUP | POLLERR))
		copy_output(l, &l->l->console, LOG_STDOUT);
	if (fds[3].revents)
		copy_output(l, &l->l->output[0], LOG_STDOUT);
	if (fds[4].revents)
		copy_output(l, &l->l->output[1], LOG_STDERR);
	return !fds[0].revents;
}

static void set_nonblocking(int fd)
{
	int flags = fd >= 0 ? fcntl(fd, F_GETFL) : -1;

	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int supervise(struct supervision *s, int *ret_status, struct error *err)
{
	struct loop l = { .s = s, .l = s->launch };

	set_nonblocking(l.l->console);
	set_nonblocking(l.l->output[0]);
	set_nonblocking(l.l->output[1]);
	set_nonblocking(l.l->input);
	while (turn(&l))
		;
	drain(&l);
	strbuf_free(&l.typed);
	return runtime_wait(s->launch->container, ret_status, err);
}
