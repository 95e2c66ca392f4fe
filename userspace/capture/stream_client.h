/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_STREAM_CLIENT_H
#define CTRACE_STREAM_CLIENT_H

/* One client of the serving side: its request, and the queue of what it gets (stream_server.c). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/history.h"
#include "capture/stream.h"

enum client_state {
	CLIENT_ASKED,    /* nothing yet */
	CLIENT_OPEN
};

struct queued {
	struct shared_frame *frame;
	bool live; /* of what happens now: it counts against the bound */
};

struct stream_client {
	int fd;
	enum client_state state;
	uint64_t connected_ns, progress_ns; /* when it last took something, or had nothing to take */
	struct stream_request request;
	size_t request_length;    /* bytes of it that are there */
	struct queued *queue;     /* a ring */
	size_t head, count, capacity, offset; /* offset: sent of the head */
	size_t live_bytes, max_bytes; /* queued of what happens now, and its bound */
	uint64_t missed;          /* events of the past that are not kept any more */
	uint64_t lost, told_lost; /* events; told with the missed ones */
	uint64_t sync_ns[8];      /* times of requests that wait, oldest first */
	size_t sync_count;
	bool finished;            /* it has closed its side, or must go */
	bool wants_output;        /* as epoll knows it */
};

struct stream_client *stream_client_new(int fd, size_t max_bytes, uint64_t now_ns);
void stream_client_free(struct stream_client *client); /* takes NULL */

/* Queues a frame of the past, of facts or a mark: there is always room. The client holds it. */
void stream_client_queue(struct stream_client *client, struct shared_frame *frame);

/* Queues events that happened now, or counts them as lost; now_ns is the time of the last of them. */
void stream_client_publish(struct stream_client *client, struct shared_frame *frame);

/* Tells what was lost so far, if that has grown. */
void stream_client_tell_lost(struct stream_client *client, uint64_t now_ns);

/* Reads requests. True when a whole one is in client->request; the caller calls again until it is false. */
bool stream_client_read(struct stream_client *client);

/* Sends what the socket takes. */
void stream_client_send(struct stream_client *client, uint64_t now_ns);

/* A frame without events. */
struct shared_frame *stream_mark_new(void);

#endif
