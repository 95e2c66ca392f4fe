/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_MAP_H
#define CTRACE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAP_SHORT_KEY = 24 }; /* fits a process and its role, the longest of the keys that are numbers */

/* A hash table from byte-string keys (copied) to pointers (not owned). Zero-initialise it.
 * Iteration order is the order of insertion, disturbed only by removals, so output made from it is
 * the same on every run. */
struct map_entry {
	void *value;
	uint32_t hash, key_length;
	union {
		unsigned char bytes[MAP_SHORT_KEY]; /* a short key needs no memory of its own */
		void *longer;
	} key;
};

/* The hash is here, too: of a large map, an entry that is looked at is waited for. */
struct map_slot {
	uint32_t index; /* of the entry, + 1; 0 = free */
	uint32_t hash;
};

struct map {
	struct map_entry *entries; /* dense, insertion order */
	size_t count, capacity;
	struct map_slot *slots;
	size_t slot_count;
};

void *map_get(const struct map *m, const void *key, size_t length);
/* Inserts or replaces; value must not be NULL. Returns the value that was replaced, or NULL. */
void *map_put(struct map *m, const void *key, size_t length, void *value);
/* Returns the value removed, or NULL. The last entry takes the removed one's place. */
void *map_remove(struct map *m, const void *key, size_t length);
/* The same where the key's value is this one, and not that of a later owner. False = it is not. */
bool map_remove_value(struct map *m, const void *key, size_t length, const void *value);
void map_free(struct map *m);

/* For keys that are plain structs without padding, and for strings. */
#define map_get_key(m, key) map_get((m), (key), sizeof(*(key)))
#define map_put_key(m, key, value) map_put((m), (key), sizeof(*(key)), (value))
#define map_remove_key(m, key) map_remove((m), (key), sizeof(*(key)))
#define map_remove_key_value(m, key, value) map_remove_value((m), (key), sizeof(*(key)), (value))

#endif
