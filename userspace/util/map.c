/* SPDX-License-Identifier: Apache-2.0 */
#include "util/map.h"

#include <stdlib.h>
#include <string.h>

#include "util/array.h"

static uint64_t read_word(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* All of up to eight bytes, some of them twice. */
static uint64_t read_bytes(const unsigned char *p, size_t count)
{
	uint32_t first, last;

	if (count == sizeof(uint64_t))
		return read_word(p);
	if (count < sizeof(first))
		return count ? (uint64_t)p[0] << 16 | (uint64_t)p[count / 2] << 8 | p[count - 1] : 0;
	memcpy(&first, p, sizeof(first));
	memcpy(&last, p + count - sizeof(last), sizeof(last));
	return (uint64_t)last << 32 | first;
}

/* Eight bytes at a time: keys are pids, ids and names, none chosen to collide. */
static uint32_t hash_bytes(const void *key, size_t length)
{
	const uint64_t odd = 0x9e3779b97f4a7c15ULL;
	const unsigned char *p = key;
	uint64_t h = length;

	for (; length > sizeof(h); p += sizeof(h), length -= sizeof(h)) {
		h = (h ^ read_word(p)) * odd;
		h ^= h >> 32;
	}
	h = (h ^ read_bytes(p, length)) * odd;
	return (uint32_t)(h ^ h >> 32);
}

static const void *entry_key(const struct map_entry *e)
{
	return e->key_length <= MAP_SHORT_KEY ? e->key.bytes : e->key.longer;
}

static bool is_key(const struct map_entry *e, const void *key, size_t length)
{
	return e->key_length == length && !memcmp(entry_key(e), key, length);
}

/* The slot that holds the key, or the free slot where it would go. */
static size_t find_slot(const struct map *m, const void *key, size_t length, uint32_t hash)
{
	size_t i = hash & (m->slot_count - 1);

	while (m->slots[i].index && (m->slots[i].hash != hash || !is_key(&m->entries[m->slots[i].index - 1], key, length)))
		i = (i + 1) & (m->slot_count - 1);
	return i;
}

static void rehash(struct map *m, size_t slot_count)
{
	free(m->slots);
	m->slots = xcalloc(slot_count, sizeof(*m->slots));
	m->slot_count = slot_count;
	for (size_t n = 0; n < m->count; n++) {
		size_t i = m->entries[n].hash & (slot_count - 1);

		while (m->slots[i].index)
			i = (i + 1) & (slot_count - 1);
		m->slots[i] = (struct map_slot){ .index = (uint32_t)n + 1, .hash = m->entries[n].hash };
	}
}

void *map_get(const struct map *m, const void *key, size_t length)
{
	size_t i;

	if (!m->count)
		return NULL;
	i = find_slot(m, key, length, hash_bytes(key, length));
	return m->slots[i].index ? m->entries[m->slots[i].index - 1].value : NULL;
}

static void add_entry(struct map_entry *e, const void *key, size_t length, uint32_t hash, void *value)
{
	e->hash = hash;
	e->value = value;
	e->key_length = (uint32_t)length;
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
	uint32_t hash = hash_bytes(key, length);
	void *old;
	size_t i;

	if (m->count * 4 >= m->slot_count * 3)
		rehash(m, m->slot_count ? m->slot_count * 2 : 16);
	i = find_slot(m, key, length, hash);
	if (m->slots[i].index) {
		old = m->entries[m->slots[i].index - 1].value;
		m->entries[m->slots[i].index - 1].value = value;
		return old;
	}
	array_grow(m->entries, m->count, m->capacity);
	add_entry(&m->entries[m->count++], key, length, hash, value);
	m->slots[i] = (struct map_slot){ .index = (uint32_t)m->count, .hash = hash };
	return NULL;
}

/* Linear probing without tombstones: entries behind the hole move up when the hole would
 * otherwise cut them off from their home slot. */
static void close_hole(struct map *m, size_t hole)
{
	size_t mask = m->slot_count - 1, i = hole;

	for (;;) {
		i = (i + 1) & mask;
		if (!m->slots[i].index)
			break;
		size_t home = m->slots[i].hash & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (struct map_slot){ 0 };
}

/* Returns the value that the slot had. */
static void *empty_slot(struct map *m, size_t slot)
{
	struct map_entry *removed = &m->entries[m->slots[slot].index - 1], *last = &m->entries[--m->count];
	void *value = removed->value;

	free_key(removed);
	if (removed != last) {
		size_t i = last->hash & (m->slot_count - 1);

		while (m->slots[i].index != m->count + 1)
			i = (i + 1) & (m->slot_count - 1);
		m->slots[i].index = m->slots[slot].index;
		*removed = *last;
	}
	close_hole(m, slot);
	return value;
}

void *map_remove(struct map *m, const void *key, size_t length)
{
	size_t slot;

	if (!m->count)
		return NULL;
	slot = find_slot(m, key, length, hash_bytes(key, length));
	return m->slots[slot].index ? empty_slot(m, slot) : NULL;
}

bool map_remove_value(struct map *m, const void *key, size_t length, const void *value)
{
	size_t slot;

	if (!m->count)
		return false;
	slot = find_slot(m, key, length, hash_bytes(key, length));
	if (!m->slots[slot].index || m->entries[m->slots[slot].index - 1].value != value)
		return false;
	empty_slot(m, slot);
	return true;
}

void map_free(struct map *m)
{
	for (size_t i = 0; i < m->count; i++)
		free_key(&m->entries[i]);
	free(m->entries);
	free(m->slots);
	*m = (struct map){ 0 };
}
