/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_STREAM_SERVER_H
#define CTRACE_STREAM_SERVER_H

/*
 * The serving side of stream.h. It never waits for a client: each has a queue with a bound, beyond which it
 * loses events, and one that takes nothing for long is left. Root, the server's own user and the group
 * "ctrace", where there is one, may connect.
 *
 * The caller reads its capture into stream_server_add, then calls stream_server_publish, then
 * stream_server_work; the latter also when stream_server_fd is readable.
 */

#include "capture/capture.h"
#include "timeline/timeline.h"

struct stream_server;

struct stream_server_options {
	const char *path;     /* NULL = stream_path; its directory is made if it is missing */
	const struct facts *facts;
	size_t history_bytes; /* 0 = 64 MiB */
	size_t queue_bytes;   /* of a client; 0 = 8 MiB */
	size_t max_clients;   /* 0 = 64 */
	int (*arm)(void *arg, struct error *err); /* asked for by a client; NULL = cannot */
	void *arg;
};

/* -EADDRINUSE when a tracer serves there already. A socket that a dead one left is replaced. */
int stream_server_open(const struct stream_server_options *options, struct stream_server **ret_server,
	struct error *err);

/* For poll. */
int stream_server_fd(const struct stream_server *server);
/* How long poll may wait, -1 = for ever: a client waits for what has happened by now. */
int stream_server_timeout_ms(const struct stream_server *server);

/* The next event, in order; it fits capture_sink's needs. */
void stream_server_add(struct stream_server *server, const struct event *event);

/* Puts what was added since the last call into the clients' queues. All of it that happened before complete_ns
 * has been added; tl has taken the same events. */
void stream_server_publish(struct stream_server *server, struct timeline *tl, uint64_t complete_ns);

/* Takes new clients, their requests, and sends what they are ready for. */
void stream_server_work(struct stream_server *server);

/* What streams that begin from now on say of the facts. */
void stream_server_set_facts(struct stream_server *server, const struct facts *facts);

struct stream_server_stats {
	size_t clients;
	uint64_t accepted, refused;   /* refused: not allowed, or too many */
	uint64_t lost;                /* events, over all clients that there were */
	uint64_t left;                /* clients that took nothing for too long */
	size_t history_bytes;
	uint64_t history_events, history_dropped;
};
void stream_server_get_stats(const struct stream_server *server, struct stream_server_stats *ret_stats);

void stream_server_close(struct stream_server *server); /* takes NULL; sends nothing more, removes the socket */

#endif
