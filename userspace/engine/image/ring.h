/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RING_H
#define CTRACE_RING_H

#include <stddef.h>
#include <sys/types.h>

/* A bounded stream of bytes from one thread to another. */
struct ring;

struct ring *ring_new(size_t capacity);
void ring_free(struct ring *ring); /* when neither thread uses it any more; takes NULL */

/* Waits for room. Returns 0, or -EPIPE when the ring was aborted. */
int ring_write(struct ring *ring, const void *bytes, size_t length);
/* The writer is done; the reader gets what is left, then 0. */
void ring_close(struct ring *ring);
/* Waits for bytes. Returns their number (up to length), 0 at the end, -EPIPE when aborted. */
ssize_t ring_read(struct ring *ring, void *bytes, size_t length);
/* Wakes both sides with -EPIPE; either may call it, more than once. */
void ring_abort(struct ring *ring);

#endif
