/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/stream_client.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "capture/recording_format.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { SEND_A_ROUND = 1 << 20 }; /* bytes: then it is another client's turn, and the capture's */

struct stream_client *stream_client_new(int fd, size_t max_bytes, uint64_t now_ns)
{
	struct stream_client *c = xcalloc(1, sizeof(*c));

	c->fd = fd;
	c->max_bytes = max_bytes;
	c->connected_ns = c->progress_ns = now_ns;
	return c;
}

void stream_client_free(struct stream_client *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		shared_frame_release(c->queue[(c->head + i) % c->capacity].frame);
	free(c->queue);
	cleanup_close(&c->fd);
	free(c);
}

static void grow(struct stream_client *c)
{
	size_t capacity = c->capacity ? c->capacity * 2 : 16;
	struct queued *queue = xcalloc(capacity, sizeof(*queue));

	for (size_t i = 0; i < c->count; i++)
		queue[i] = c->queue[(c->head + i) % c->capacity];
	free(c->queue);
	c->queue = queue;
	c->capacity = capacity;
	c->head = 0;
}

static void put(struct stream_client *c, struct shared_frame *frame, bool live)
{
	if (c->count == c->capacity)
		grow(c);
	c->queue[(c->head + c->count++) % c->capacity] = (struct queued){ shared_frame_hold(frame), live };
	if (live)
		c->live_bytes += frame->length;
}

void stream_client_queue(struct stream_client *c, struct shared_frame *frame)
{
	put(c, frame, false);
}

struct shared_frame *stream_mark_new(void)
{
	return shared_frame_new(FRAME_MARK, NULL, 0, false);
}

void stream_client_tell_lost(struct stream_client *c, uint64_t now_ns)
{
	struct shared_frame *frame;
	struct event_lost e;

	if (c->missed + c->lost == c->told_lost)
		return;
	event_prepare(&e.h, EVENT_LOST, sizeof(e), now_ns);
	e.lost_kind = 0;
	e.reason = LOSS_STREAM;
	e.count = c->missed + c->lost;
	frame = shared_frame_new(FRAME_EVENTS, &e, sizeof(e), false);
	stream_client_queue(c, frame);
	shared_frame_release(frame);
	c->told_lost = c->missed + c->lost;
}

void stream_client_publish(struct stream_client *c, struct shared_frame *frame)
{
	if (c->live_bytes + frame->length > c->max_bytes) {
		c->lost += frame->events;
		return;
	}
	stream_client_tell_lost(c, frame->last_ns);
	put(c, frame, true);
}

bool stream_client_read(struct stream_client *c)
{
	char *to = (char *)&c->request;
	ssize_t n;

	if (c->request_length == sizeof(c->request))
		c->request_length = 0;
	do {
		n = recv(c->fd, to + c->request_length, sizeof(c->request) - c->request_length, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
		c->finished = true;
	if (n <= 0)
		return false;
	c->request_length += n;
	if (c->request_length < sizeof(c->request))
		return false;
	if (memcmp(c->request.magic, stream_magic, sizeof(stream_magic)) != 0) {
		c->finished = true; /* whatever it is, it is no ctrace */
		return false;
	}
	c->request.verb = le16toh(c->request.verb);
	c->request.flags = le16toh(c->request.flags);
	c->request.since_ns = le64toh(c->request.since_ns);
	return true;
}

static void drop_head(struct stream_client *c)
{
	struct queued *head = &c->queue[c->head];

	if (head->live)
		c->live_bytes -= head->frame->length;
	shared_frame_release(head->frame);
	c->head = (c->head + 1) % c->capacity;
	c->count--;
	c->offset = 0;
}

void stream_client_send(struct stream_client *c, uint64_t now_ns)
{
	size_t sent = 0;

	while (c->count && sent < SEND_A_ROUND && !c->finished) {
		struct shared_frame *frame = c->queue[c->head].frame;
		ssize_t n = send(c->fd, frame->bytes + c->offset, frame->length - c->offset, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			c->finished = errno != EAGAIN && errno != EWOULDBLOCK;
			return;
		}
		c->progress_ns = now_ns;
		c->offset += n;
		sent += n;
		if (c->offset == frame->length)
			drop_head(c);
	}
	if (!c->count)
		c->progress_ns = now_ns;
}
