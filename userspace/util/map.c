/* SPDX-License-Identifier: Apache-2.0 */
#include "util/map.h"

#include <stdlib.h>
#include <string.h>

#include "util/array.h"

static uint64_t read_bytes(const unsigned char *p, size_t count)
{
	uint64_t word = 0;

	while (count--)
		word = word << 8 | p[count];
	return word;
}

static uint64_t read_word(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Eight bytes at a time: keys are pids, ids and names, none chosen to collide. */
static uint64_t hash_bytes(const void *key, size_t length)
{
	const uint64_t odd = 0x9e3779b97f4a7c15ULL;
	const unsigned char *p = key;
	uint64_t h = length;

	for (; length >= sizeof(h); p += sizeof(h), length -= sizeof(h)) {
		h = (h ^ read_word(p)) * odd;
		h ^= h >> 32;
	}
	h = (h ^ read_bytes(p, length)) * odd;
	return h ^ h >> 32;
}

static const void *entry_key(const struct map_entry *e)
{
	return e->key_length <= MAP_SHORT_KEY ? e->key.bytes : e->key.longer;
}

/* The slot that holds the key, or the free slot where it would go. */
static size_t find_slot(const struct map *m, const void *key, size_t length, uint64_t hash)
{
	size_t i = hash & (m->slot_count - 1);

	while (m->slots[i]) {
		const struct map_entry *e = &m->entries[m->slots[i] - 1];

		if (e->hash == hash && e->key_length == length && !memcmp(entry_key(e), key, length))
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

static void add_entry(struct map_entry *e, const void *key, size_t length, uint64_t hash, void *value)
{
	e->hash = hash;
	e->value = value;
	e->key_length = length;
	if (length > MAP_SHORT_KEY)
		e->key.longer = memcpy(xmalloc(length), key, length);
	else
		memcpy(e->key.bytes, key, length);
}

static void free_key(const struct map_entry *e)
{
	if (e->key_length > MAP_SHORT_KEY)
		free(e->key.longer);
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
	add_entry(&m->entries[m->count++], key, length, hash, value);
	m->slots[i] = (uint32_t)m->count;
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
		size_t i = m->entries[last].hash & (m->slot_count - 1);

		while (m->slots[i] != last + 1)
			i = (i + 1) & (m->slot_count - 1);
		m->slots[i] = (uint32_t)index + 1;
	}
	/* The removed entry's slot is closed while its hash is still in place. */
	struct map_entry removed = m->entries[index];

	if (index != last)
		m->entries[index] = m->entries[last];
	m->count--;
	close_hole(m, slot);
	free_key(&removed);
	return value;
}

void map_free(struct map *m)
{
	for (size_t i = 0; i < m->count; i++)
		free_key(&m->entries[i]);
	free(m->entries);
	free(m->slots);
	*m = (struct map){ 0 };
}
