/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/attach_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"

enum { CLIENTS_MAX = 32, BEHIND = 256 * 1024, BACKLOG = 8 };

/* The directory's path may be longer than a socket's may be: it is named by a descriptor. */
static int socket_address(const struct state *s, struct sockaddr_un *ret)
{
	int dir = open(s->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/attach", dir);
	return dir < 0 ? -errno : dir;
}

int attach_server_open(const struct state *s, struct attach_server *ret, struct error *err)
{
	struct sockaddr_un address;
	_cleanup_close_ int dir = socket_address(s, &address);
	int fd;

	*ret = (struct attach_server){ .listener = -1 };
	if (dir < 0)
		return error_errno(err, -dir, "cannot open %s", s->directory);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlinkat(dir, "attach", 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0) {
		int code = errno;

		cleanup_close(&fd);
		return error_errno(err, code, "cannot listen at %s/attach", s->directory);
	}
	ret->listener = fd;
	return 0;
}

int attach_connect(const struct state *s, struct error *err)
{
	struct sockaddr_un address;
	_cleanup_close_ int dir = socket_address(s, &address);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (dir < 0 || fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set(err, ENOTCONN, "cannot attach to container %s: its output goes straight to "
			"where ctrace run was started (--rm in the foreground, --bundle)", s->name);
	return steal_fd(&fd);
}

void attach_server_add(struct attach_server *server, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || server->count >= CLIENTS_MAX) {
		close(fd);
		return;
	}
	array_grow(server->clients, server->count, server->capacity);
	server->clients[server->count++] = (struct attach_client){ .fd = fd };
}

static void drop(struct attach_server *server, size_t i)
{
	struct attach_client *c = &server->clients[i];

	close(c->fd);
	strbuf_free(&c->received);
	strbuf_free(&c->waiting);
	*c = server->clients[--server->count];
}

void attach_server_close(struct attach_server *server)
{
	while (server->count)
		drop(server, server->count - 1);
	free(server->clients);
	cleanup_close(&server->listener);
	*server = (struct attach_server){ .listener = -1 };
}

size_t attach_server_poll(const struct attach_server *server, struct pollfd *fds, size_t max)
{
	size_t n = 0;

	if (max < server->count + 1)
		return 0;
	fds[n++] = (struct pollfd){ .fd = server->listener, .events = POLLIN };
	for (size_t i = 0; i < server->count; i++)
		fds[n++] = (struct pollfd){ .fd = server->clients[i].fd,
			.events = (short)(POLLIN | (server->clients[i].waiting.length ? POLLOUT : 0)) };
	return n;
}

/* False: the client is gone. */
static bool push(struct attach_client *c)
{
	while (c->waiting.length) {
		ssize_t n = send(c->fd, c->waiting.text, c->waiting.length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		memmove(c->waiting.text, c->waiting.text + n, c->waiting.length - (size_t)n);
		c->waiting.length -= (size_t)n;
	}
	return true;
}

static void tell(const struct attach_events *e, struct frame f, const char *bytes)
{
	const unsigned char *b = (const unsigned char *)bytes;

	switch (f.kind) {
	case FRAME_INPUT:
		e->input(e->data, bytes, f.length);
		break;
	case FRAME_INPUT_END:
		e->input_end(e->data);
		break;
	case FRAME_RESIZE:
		if (f.length == 4)
			e->resize(e->data, (unsigned)(b[0] << 8 | b[1]), (unsigned)(b[2] << 8 | b[3]));
		break;
	case FRAME_SIGNAL:
		if (f.length == 1)
			e->signal(e->data, b[0]);
		break;
	default:
		break;
	}
}

/* False: the client is gone, or talks nonsense. */
static bool receive(struct attach_client *c, const struct attach_events *events)
{
	char buffer[16384];
	ssize_t n = recv(c->fd, buffer, sizeof(buffer), 0);
	size_t used = 0;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	strbuf_add(&c->received, buffer, (size_t)n);
	while (c->received.length - used >= FRAME_HEADER) {
		struct frame f = frame_get_header((const unsigned char *)c->received.text + used);

		if (f.length > FRAME_MAX)
			return false;
		if (c->received.length - used < FRAME_HEADER + f.length)
			break;
		tell(events, f, c->received.text + used + FRAME_HEADER);
		used += FRAME_HEADER + f.length;
	}
	memmove(c->received.text, c->received.text + used, c->received.length - used);
	c->received.length -= used;
	return true;
}

static void accept_clients(struct attach_server *server)
{
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		attach_server_add(server, fd);
}

void attach_server_handle(struct attach_server *server, const struct pollfd *fds, size_t count,
	const struct attach_events *events)
{
	/* from the end: the last takes the place of one that is dropped */
	for (size_t i = count; i-- > 1;) {
		struct attach_client *c = &server->clients[i - 1];
		bool alive = true;

		if (fds[i].revents & POLLOUT)
			alive = push(c);
		if (alive && fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			alive = receive(c, events);
		if (!alive)
			drop(server, i - 1);
	}
	if (count && fds[0].revents)
		accept_clients(server);
}

void attach_server_send(struct attach_server *server, enum frame_kind kind, const void *bytes,
	size_t length)
{
	unsigned char header[FRAME_HEADER];

	frame_put_header(header, kind, (uint32_t)length);
	for (size_t i = server->count; i-- > 0;) {
		struct attach_client *c = &server->clients[i];

		strbuf_add(&c->waiting, header, sizeof(header));
		if (length)
			strbuf_add(&c->waiting, bytes, length);
		if (!push(c))
			drop(server, i);
	}
}

bool attach_server_is_behind(const struct attach_server *server)
{
	for (size_t i = 0; i < server->count; i++) {
		if (server->clients[i].waiting.length > BEHIND)
			return true;
	}
	return false;
}

void attach_server_flush(struct attach_server *server, int timeout_ms)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + timeout_ms;

	for (size_t i = server->count; i-- > 0;) {
		struct attach_client *c = &server->clients[i];
		struct pollfd p = { .fd = c->fd, .events = POLLOUT };
		bool alive = push(c);

		while (alive && c->waiting.length && clock_ms(CLOCK_MONOTONIC) < end) {
			poll(&p, 1, (int)(end - clock_ms(CLOCK_MONOTONIC)));
			alive = push(c);
		}
		if (!alive)
			drop(server, i);
	}
}
