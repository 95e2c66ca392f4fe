/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

struct ring {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	char *bytes;
	size_t capacity, start, used;
	bool closed, aborted;
};

struct ring *ring_new(size_t capacity)
{
	struct ring *ring = xcalloc(1, sizeof(*ring));

	pthread_mutex_init(&ring->mutex, NULL);
	pthread_cond_init(&ring->changed, NULL);
	ring->bytes = xmalloc(capacity);
	ring->capacity = capacity;
	return ring;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	pthread_mutex_destroy(&ring->mutex);
	pthread_cond_destroy(&ring->changed);
	free(ring->bytes);
	free(ring);
}

/* Copies into the free part, at most up to the wrap; returns how much. */
static size_t put(struct ring *ring, const char *bytes, size_t length)
{
	size_t end = (ring->start + ring->used) % ring->capacity;
	size_t room = ring->capacity - ring->used;

	if (room > ring->capacity - end)
		room = ring->capacity - end;
	if (length > room)
		length = room;
	memcpy(ring->bytes + end, bytes, length);
	ring->used += length;
	return length;
}

int ring_write(struct ring *ring, const void *bytes, size_t length)
{
	const char *p = bytes;
	int r = 0;

	pthread_mutex_lock(&ring->mutex);
	while (length && !ring->aborted) {
		if (ring->used == ring->capacity) {
			pthread_cond_wait(&ring->changed, &ring->mutex);
			continue;
		}
		size_t n = put(ring, p, length);

		p += n;
		length -= n;
		pthread_cond_signal(&ring->changed);
	}
	if (ring->aborted)
		r = -EPIPE;
	pthread_mutex_unlock(&ring->mutex);
	return r;
}

ssize_t ring_read(struct ring *ring, void *bytes, size_t length)
{
	ssize_t r = -EPIPE;

	pthread_mutex_lock(&ring->mutex);
	while (!ring->used && !ring->closed && !ring->aborted)
		pthread_cond_wait(&ring->changed, &ring->mutex);
	if (!ring->aborted) {
		size_t n = ring->capacity - ring->start;

		n = n < ring->used ? n : ring->used;
		n = n < length ? n : length;
		memcpy(bytes, ring->bytes + ring->start, n);
		ring->start = (ring->start + n) % ring->capacity;
		ring->used -= n;
		pthread_cond_signal(&ring->changed);
		r = (ssize_t)n;
	}
	pthread_mutex_unlock(&ring->mutex);
	return r;
}

void ring_close(struct ring *ring)
{
	pthread_mutex_lock(&ring->mutex);
	ring->closed = true;
	pthread_cond_broadcast(&ring->changed);
	pthread_mutex_unlock(&ring->mutex);
}

void ring_abort(struct ring *ring)
{
	pthread_mutex_lock(&ring->mutex);
	ring->aborted = true;
	pthread_cond_broadcast(&ring->changed);
	pthread_mutex_unlock(&ring->mutex);
}
