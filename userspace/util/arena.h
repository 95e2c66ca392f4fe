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
void arena_free(struct arena *arena);

#endif
