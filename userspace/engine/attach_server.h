/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ATTACH_SERVER_H
#define CTRACE_ATTACH_SERVER_H

/* The supervisor's side of attaching: a socket in the container's directory, any number of clients. */

#include <poll.h>
#include <stdbool.h>

#include "engine/frame.h"
#include "engine/state.h"
#include "util/error.h"
#include "util/strbuf.h"

struct attach_client {
	int fd;
	struct strbuf received, waiting; /* not yet a whole frame; not yet taken by the client */
};

struct attach_server {
	int listener; /* -1 = nobody can attach */
	struct attach_client *clients;
	size_t count, capacity;
};

/* What a client says, told to the supervisor. */
struct attach_events {
	void (*input)(void *data, const char *bytes, size_t length);
	void (*input_end)(void *data);
	void (*resize)(void *data, unsigned rows, unsigned columns);
	void (*signal)(void *data, int number);
	void *data;
};

int attach_server_open(const struct state *s, struct attach_server *ret, struct error *err);
/* fd: a socket whose other end is a client already; taken. */
void attach_server_add(struct attach_server *server, int fd);
void attach_server_close(struct attach_server *server);

/* For poll(2): at most max entries; attach_server_handle takes them back in the same order. */
size_t attach_server_poll(const struct attach_server *server, struct pollfd *fds, size_t max);
void attach_server_handle(struct attach_server *server, const struct pollfd *fds, size_t count,
	const struct attach_events *events);

void attach_server_send(struct attach_server *server, enum frame_kind kind, const void *bytes,
	size_t length);
/* A client does not read as fast as the container prints: the container has to wait, as it would for a
 * terminal. */
bool attach_server_is_behind(const struct attach_server *server);
/* Hands out what is waiting, for at most so long; a client that does not take it is given up. */
void attach_server_flush(struct attach_server *server, int timeout_ms);

/* The client's way in: a connected socket or a negative errno. */
int attach_connect(const struct state *s, struct error *err);

#endif
