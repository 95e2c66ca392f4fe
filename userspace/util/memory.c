/* SPDX-License-Identifier: Apache-2.0 */
#include "util/memory.h"

#include <limits.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	HUGE_PAGE = 2 << 20,
	ROOM = INT_MAX / HUGE_PAGE * HUGE_PAGE, /* of addresses; memory is what of it is touched */
	TOP_PAD = 128 << 10,                    /* glibc's own M_TOP_PAD */
	PIECE = 120 << 10,                      /* less than what gets a mapping of its own (M_MMAP_THRESHOLD) */
	PIECES = 4,                             /* more than a young heap has left */
};

/* Makes the heap grow, once, by the room and a bit. */
static void grow_heap(void)
{
	void *volatile pieces[PIECES]; /* or a compiler may leave out what is only allocated and freed */

	mallopt(M_TOP_PAD, ROOM);
	for (size_t i = 0; i < PIECES; i++)
		pieces[i] = malloc(PIECE);
	mallopt(M_TRIM_THRESHOLD, INT_MAX); /* or the first free would give the room back */
	for (size_t i = 0; i < PIECES; i++)
		free(pieces[i]);
	mallopt(M_TOP_PAD, TOP_PAD);
}

void memory_prefer_huge_pages(void)
{
	uintptr_t begin = (uintptr_t)sbrk(0), end;

	grow_heap();
	end = (uintptr_t)sbrk(0);
	begin = (begin + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	if (end > begin)
		madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}
