/* SPDX-License-Identifier: Apache-2.0 */
#include "util/map.h"

#include <stdlib.h>
#include <string.h>

#include "util/array.h"

/* FNV-1a, then a finaliser: keys are pids, ids and names, none chosen to collide. */
static uint64_t hash_bytes(const void *key, size_t length)
{
	const unsigned char *p = key;
	uint64_t h = 0xcbf29ce484222325ULL;

	while (length--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	return h ^ h >> 33;
}

/* The slot that holds the key, or the free slot where it would go. */
static size_t find_slot(const struct map *m, const void *key, size_t length, uint64_t hash)
{
	size_t i = hash & (m->slot_count - 1);

	while (m->slots[i]) {
		const struct map_entry *e = &m->entries[m->slots[i] - 1];

		if (e->hash == hash && e->key_length == length && !memcmp(e->key, key, length))
			break;
		i = (i + 1) & (m->slot_count - 1);
	}
	return i;
}

static void rehash(struct map *m, size_t slot_count)
{
	free(m->slots);
	m->slots = xcalloc(slot_count, sizeof(*m->slots));
	m->slot_count = slot_count;
	for (size_t n = 0; n < m->count; n++) {
		size_t i = m->entries[n].hash & (slot_count - 1);

		while (m->slots[i])
			i = (i + 1) & (slot_count - 1);
		m->slots[i] = (uint32_t)n + 1;
	}
}

void *map_get(const struct map *m, const void *key, size_t length)
{
	size_t i;

	if (!m->count)
		return NULL;
	i = find_slot(m, key, length, hash_bytes(key, length));
	return m->slots[i] ? m->entries[m->slots[i] - 1].value : NULL;
}

void *map_put(struct map *m, const void *key, size_t length, void *value)
{
	uint64_t hash = hash_bytes(key, length);
	void *old;
	size_t i;

	if (m->count * 4 >= m->slot_count * 3)
		rehash(m, m->slot_count ? m->slot_count * 2 : 16);
	i = find_slot(m, key, length, hash);
	if (m->slots[i]) {
		old = m->entries[m->slots[i] - 1].value;
		m->entries[m->slots[i] - 1].value = value;
		return old;
	}
	array_grow(m->entries, m->count, m->capacity);
	m->entries[m->count] = (struct map_entry){ .key_length = length, .hash = hash, .value = value };
	m->entries[m->count].key = memcpy(xmalloc(length), key, length);
	m->slots[i] = (uint32_t)++m->count;
	return NULL;
}

/* Linear probing without tombstones: entries behind the hole move up when the hole would
 * otherwise cut them off from their home slot. */
static void close_hole(struct map *m, size_t hole)
{
	size_t mask = m->slot_count - 1, i = hole;

	for (;;) {
		i = (i + 1) & mask;
		if (!m->slots[i])
			break;
		size_t home = m->entries[m->slots[i] - 1].hash & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = 0;
}

void *map_remove(struct map *m, const void *key, size_t length)
{
	size_t slot, index, last;
	void *value;

	if (!m->count)
		return NULL;
	slot = find_slot(m, key, length, hash_bytes(key, length));
	if (!m->slots[slot])
		return NULL;
	index = m->slots[slot] - 1;
	value = m->entries[index].value;
	last = m->count - 1;
	if (index != last) {
		struct map_entry *e = &m->entries[last];

		m->slots[find_slot(m, e->key, e->key_length, e->hash)] = (uint32_t)index + 1;
	}
	/* The removed entry's slot is closed while its hash is still in place. */
	struct map_entry removed = m->entries[index];

	if (index != last)
		m->entries[index] = m->entries[last];
	m->count--;
	close_hole(m, slot);
	free(removed.key);
	return value;
}

void map_free(struct map *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->entries[i].key);
	free(m->entries);
	free(m->slots);
	*m = (struct map){ 0 };
}
