/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/detach_keys.h"
#include "engine/frame.h"
#include "engine/terminal.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* AHEAD: so much of our input may be on its way to a program that does not read it yet. */
enum { CHUNK = 16384, AHEAD = 256 * 1024, SIGNALLED = 128 };

struct client {
	struct attachment *a;
	struct terminal terminal;
	struct detach_keys keys;
	struct strbuf received, waiting; /* not yet a whole frame; not yet taken by the supervisor */
	size_t ahead;
	bool input_ended, ended;
	int code; /* -1 = not told yet */
};

/* What the supervisor does not take now waits: it may itself wait for us to read. */
static void push(struct client *c)
{
	while (c->waiting.length) {
		ssize_t n = send(c->a->fd, c->waiting.text, c->waiting.length, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) { /* it is gone, as the next read will tell */
			strbuf_reset(&c->waiting);
			return;
		}
		memmove(c->waiting.text, c->waiting.text + n, c->waiting.length - (size_t)n);
		c->waiting.length -= (size_t)n;
	}
}

static void send_frame(struct client *c, enum frame_kind kind, const void *bytes, size_t length)
{
	unsigned char header[FRAME_HEADER];

	frame_put_header(header, kind, (uint32_t)length);
	strbuf_add(&c->waiting, header, sizeof(header));
	if (length)
		strbuf_add(&c->waiting, bytes, length);
	push(c);
}

static void send_size(struct client *c)
{
	struct winsize w;
	unsigned char b[4];

	if (!c->a->terminal || !terminal_size(&w))
		return;
	b[0] = (unsigned char)(w.ws_row >> 8);
	b[1] = (unsigned char)w.ws_row;
	b[2] = (unsigned char)(w.ws_col >> 8);
	b[3] = (unsigned char)w.ws_col;
	send_frame(c, FRAME_RESIZE, b, sizeof(b));
}

static void take_signals(struct client *c)
{
	int number;

	while ((number = signals_next(c->a->signals))) {
		unsigned char byte = (unsigned char)number;

		if (number == SIGWINCH) {
			send_size(c);
		} else if (c->a->forward) {
			send_frame(c, FRAME_SIGNAL, &byte, 1);
		} else if (number != SIGCONT) {
			c->ended = true;
			c->code = SIGNALLED + number;
		}
	}
}

static void take_input(struct client *c)
{
	char buffer[CHUNK], out[CHUNK + DETACH_KEYS_MAX];
	ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

	if (n <= 0) {
		c->input_ended = n == 0 || (errno != EINTR && errno != EAGAIN);
		if (c->input_ended && !c->a->terminal)
			send_frame(c, FRAME_INPUT_END, NULL, 0);
		return;
	}
	if (!c->a->terminal) {
		c->ahead += (size_t)n;
		send_frame(c, FRAME_INPUT, buffer, (size_t)n);
		return;
	}
	n = (ssize_t)detach_keys_filter(&c->keys, buffer, (size_t)n, out);
	if (n)
		send_frame(c, FRAME_INPUT, out, (size_t)n);
}

static void take_frame(struct client *c, struct frame f, const char *bytes)
{
	if (f.kind == FRAME_EXIT && f.length == 1)
		c->code = (unsigned char)bytes[0];
	else if (f.kind == FRAME_OUTPUT && c->a->output)
		terminal_write(STDOUT_FILENO, bytes, f.length);
	else if (f.kind == FRAME_ERROR && c->a->error)
		terminal_write(STDERR_FILENO, bytes, f.length);
	else if (f.kind == FRAME_INPUT_TAKEN)
		c->ahead = 0;
}

static void take_output(struct client *c)
{
	char buffer[CHUNK];
	ssize_t n = recv(c->a->fd, buffer, sizeof(buffer), 0);
	size_t used = 0;

	if (n <= 0) {
		c->ended = n == 0 || errno != EINTR;
		return;
	}
	strbuf_add(&c->received, buffer, (size_t)n);
	while (c->received.length - used >= FRAME_HEADER) {
		struct frame f = frame_get_header((const unsigned char *)c->received.text + used);

		if (c->received.length - used < FRAME_HEADER + f.length)
			break;
		take_frame(c, f, c->received.text + used + FRAME_HEADER);
		used += FRAME_HEADER + f.length;
	}
	memmove(c->received.text, c->received.text + used, c->received.length - used);
	c->received.length -= used;
	if (c->code >= 0) /* what is typed now is the shell's again */
		terminal_restore(&c->terminal);
}

static bool reads_input(const struct client *c)
{
	return !c->input_ended && c->code < 0 && !c->waiting.length && c->ahead < AHEAD;
}

/* All is said, and nobody listens to what it says. */
static bool has_no_more_to_do(const struct client *c)
{
	return c->input_ended && !c->waiting.length && !c->a->output && !c->a->error;
}

int attach_run(struct attachment *a, int *ret_code, struct error *err)
{
	struct client c = { .a = a, .code = -1, .input_ended = !a->input };
	int r = detach_keys_parse(a->detach_keys, &c.keys, err);
	bool left = false;

	if (r < 0)
		return r;
	if (a->terminal && a->input)
		terminal_raw(&c.terminal);
	send_size(&c);
	while (!c.ended && !left) {
		struct pollfd fds[] = { { .fd = a->fd, .events = (short)(POLLIN | (c.waiting.length ? POLLOUT : 0)) },
			{ .fd = a->signals->fd, .events = POLLIN },
			{ .fd = reads_input(&c) ? STDIN_FILENO : -1, .events = POLLIN } };

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[1].revents)
			take_signals(&c);
		if (fds[0].revents & POLLOUT)
			push(&c);
		if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
			take_output(&c);
		if (fds[2].revents)
			take_input(&c);
		left = detach_keys_complete(&c.keys) || has_no_more_to_do(&c);
	}
	terminal_restore(&c.terminal);
	strbuf_free(&c.received);
	strbuf_free(&c.waiting);
	if (left)
		return 1;
	if (c.code < 0)
		return error_set(err, EPIPE, "the container's supervisor is gone");
	*ret_code = c.code;
	return 0;
}
