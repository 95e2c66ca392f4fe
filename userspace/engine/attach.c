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

enum { CHUNK = 16384, SIGNALLED = 128 };

struct client {
	struct attachment *a;
	struct terminal terminal;
	struct detach_keys keys;
	struct strbuf received;
	bool input_ended, ended;
	int code; /* -1 = not told yet */
};

static int send_all(int fd, const void *bytes, size_t length)
{
	const char *p = bytes;

	while (length) {
		ssize_t n = send(fd, p, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

static void send_frame(struct client *c, enum frame_kind kind, const void *bytes, size_t length)
{
	unsigned char header[FRAME_HEADER];

	frame_put_header(header, kind, (uint32_t)length);
	if (send_all(c->a->fd, header, sizeof(header)) == 0)
		send_all(c->a->fd, bytes, length);
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
		} else {
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
		return;
	}
	if (!c->a->terminal) {
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
	else if (c->a->output && (f.kind == FRAME_OUTPUT || f.kind == FRAME_ERROR))
		terminal_write(f.kind == FRAME_OUTPUT ? STDOUT_FILENO : STDERR_FILENO, bytes, f.length);
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

int attach_run(struct attachment *a, int *ret_code, struct error *err)
{
	struct client c = { .a = a, .code = -1, .input_ended = !a->input };
	int r = detach_keys_parse(a->detach_keys, &c.keys, err);

	if (r < 0)
		return r;
	if (a->terminal && a->input)
		terminal_raw(&c.terminal);
	send_size(&c);
	while (!c.ended && !detach_keys_complete(&c.keys)) {
		struct pollfd fds[] = { { .fd = a->fd, .events = POLLIN },
			{ .fd = a->signals->fd, .events = POLLIN },
			{ .fd = c.input_ended || c.code >= 0 ? -1 : STDIN_FILENO, .events = POLLIN } };

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[1].revents)
			take_signals(&c);
		if (fds[0].revents)
			take_output(&c);
		if (fds[2].revents)
			take_input(&c);
	}
	terminal_restore(&c.terminal);
	strbuf_free(&c.received);
	if (detach_keys_complete(&c.keys))
		return 1;
	if (c.code < 0)
		return error_set(err, EPIPE, "the container's supervisor is gone");
	*ret_code = c.code;
	return 0;
}
