/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ARENA_H
#define CTRACE_ARENA_H

#include <stddef.h>

/* Many small pieces of memory that are given back together. Zero-initialise it. */
struct arena {
	struct arena_block *blocks; /* the newest first */
	size_t used, size;          /* of the newest */
};

/* Aligned as pointers are; not zeroed. */
void *arena_take(struct arena *arena, size_t size);
/* Room for pieces of so many bytes together, as arena_piece tells of each: no more is taken for them. */
void arena_reserve(struct arena *arena, size_t size);
static inline size_t arena_piece(size_t size)
{
	return (size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
}
void arena_free(struct arena *arena);

#endif
