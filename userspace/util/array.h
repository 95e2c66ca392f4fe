/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ARRAY_H
#define CTRACE_ARRAY_H

#include <stddef.h>

/* Makes room for one more element of a growing array; aborts when memory is exhausted, as
 * every allocation of ctrace does (xmalloc and friends). Items stay uninitialised. */
#define array_grow(items, count, capacity)                                                   \
	((count) < (capacity) ? (void)0                                                      \
			      : (void)((items) = array_grow_(                                \
					       (items), &(capacity), sizeof((items)[0]))))

void *array_grow_(void *items, size_t *capacity, size_t item_size);

/* Gives back the room of an array that is to grow no more, unless it has none in use. */
#define array_trim(items, count, capacity)                                                   \
	((count) ? (void)((items) = xrealloc((items), (count) * sizeof((items)[0])),         \
			  (capacity) = (count))                                              \
		 : (void)0)

/* Allocation that cannot fail: prints "out of memory" and exits 125. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
void *or_die(void *p); /* p, unless it is NULL: what another allocator returned */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
