/* SPDX-License-Identifier: Apache-2.0 */
#include "util/arena.h"

#include <stdlib.h>

#include "util/array.h"

struct arena_block {
	struct arena_block *next;
	max_align_t bytes[];
};

enum { BLOCK_SIZE = 976 }; /* what is not used of the last block is lost: half of this on average */

static void add_block(struct arena *arena, size_t size)
{
	struct arena_block *block = xmalloc(sizeof(*block) + size);

	block->next = arena->blocks;
	arena->blocks = block;
	arena->size = size;
	arena->used = 0;
}

void *arena_take(struct arena *arena, size_t size)
{
	char *piece;

	size = arena_piece(size);
	if (size > arena->size - arena->used)
		add_block(arena, size > BLOCK_SIZE ? size : BLOCK_SIZE);
	piece = (char *)arena->blocks->bytes + arena->used;
	arena->used += size;
	return piece;
}

void arena_reserve(struct arena *arena, size_t size)
{
	if (size > arena->size - arena->used)
		add_block(arena, size);
}

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	*arena = (struct arena){ 0 };
}
