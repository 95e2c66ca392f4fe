/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that lead to a container, and the steps that wait for one. dockerd mounts an overlay
 * before anything names the container it is for; later runc is called with the id and binds that very path.
 * So a step of a process that serves many containers is kept with the keys it offers, and the
 * first container to claim one of them gets the step.
 */
#include <stdlib.h>
#include <string.h>

#include "timeline/identify.h"
#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

/* The orphans that offer one key, oldest first. The oldest are also the first to be evicted: taking them away moves
 * only where the list begins. */
struct orphan_list {
	uint64_t *serials;
	size_t first, count, capacity; /* serials[first] up to, not including, serials[count] */
};

static char *key_text(char kind, const char *value)
{
	size_t length = strlen(value) + 1;
	char *key = xmalloc(length + 1);

	key[0] = kind;
	memcpy(key + 1, value, length);
	return key;
}

enum { KEY_NUMBER = 16 /* digits at most */, PROCESS_KEYS = 3 /* room for a helper's, its maker's and its engine's */ };

/* In as few hexadecimal digits as it has: printf takes longer than all else that is done with a key. Returns where it ends. */
static char *put_number(char *at, uint64_t number)
{
	for (int shift = (63 - __builtin_clzll(number | 1)) / 4 * 4; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[number >> shift & 15];
	*at = '\0';
	return at;
}

static char *process_key_text(const struct process_id *id)
{
	char *key = xmalloc(1 + 2 * (KEY_NUMBER + 1)), *at = key;

	*at++ = 'p';
	at = put_number(at, id->tgid);
	*at++ = ':';
	put_number(at, id->start_ns);
	return key;
}

static void orphan_clear(struct orphan *o)
{
	for (size_t i = 0; i < o->key_count; i++)
		free(o->keys[i]);
	step_free(&o->step);
	*o = (struct orphan){ 0 };
}

static struct orphan *orphan_by_serial(struct timeline *tl, uint64_t serial)
{
	struct orphan *o = &tl->orphans[serial % ORPHAN_MAX];

	return o->serial == serial ? o : NULL;
}

static void index_add(struct timeline *tl, const char *key, uint64_t serial)
{
	struct orphan_list *list = map_get(&tl->orphan_index, key, strlen(key));

	if (!list) {
		list = xcalloc(1, sizeof(*list));
		map_put(&tl->orphan_index, key, strlen(key), list);
	}
	if (list->count == list->capacity && list->first > list->capacity / 2) {
		list->count -= list->first;
		memmove(list->serials, list->serials + list->first, list->count * sizeof(*list->serials));
		list->first = 0;
	}
	array_grow(list->serials, list->count, list->capacity);
	list->serials[list->count++] = serial;
}

static int compare_serials(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void list_remove(struct orphan_list *list, uint64_t serial)
{
	uint64_t *first = list->serials + list->first, *end = list->serials + list->count;
	uint64_t *found = bsearch(&serial, first, (size_t)(end - first), sizeof(*first), compare_serials);

	if (found == first) {
		list->first++;
	} else if (found) {
		memmove(found, found + 1, (size_t)(end - found - 1) * sizeof(*found));
		list->count--;
	}
}

static void index_remove(struct timeline *tl, const char *key, uint64_t serial)
{
	struct orphan_list *list = map_get(&tl->orphan_index, key, strlen(key));

	if (!list)
		return;
	list_remove(list, serial);
	if (list->first < list->count)
		return;
	map_remove(&tl->orphan_index, key, strlen(key));
	free(list->serials);
	free(list);
}

/* Takes the orphan out of the index, except for the key whose list the caller is emptying. */
static void orphan_unlink(struct timeline *tl, struct orphan *o, const char *except)
{
	for (size_t i = 0; i < o->key_count; i++) {
		if (!except || strcmp(o->keys[i], except) != 0)
			index_remove(tl, o->keys[i], o->serial);
	}
}

static void orphan_evict(struct timeline *tl, struct orphan *o)
{
	if (!o->serial)
		return;
	orphan_unlink(tl, o, NULL);
	orphan_clear(o);
	tl->stats.unattributed++;
}

/* Its own, and of an engine's helper those of the helper that it is called by and of the engine: an engine has a network set up
 * before it makes the container, and taken down before it removes it. */
static void add_process_keys(struct timeline *tl, struct process *p, struct key_set *set)
{
	while (p && !process_is_daemon(p) && set->count < ORPHAN_KEYS) {
		set->keys[set->count++] = process_key_text(&p->id);
		p = p->role == ROLE_HELPER ? process_creator(tl, p) : NULL;
		if (p && p->role != ROLE_HELPER && p->role != ROLE_ENGINE)
			break;
	}
}

void orphan_add(struct timeline *tl, struct process *p, struct step *step, struct key_set *set)
{
	struct orphan *o;

	add_process_keys(tl, p, set);
	if (!set->count) {
		step_free(step);
		tl->stats.unattributed++;
		return;
	}
	if (!tl->orphans)
		tl->orphans = xcalloc(ORPHAN_MAX, sizeof(*tl->orphans));
	tl->next_orphan++;
	o = &tl->orphans[tl->next_orphan % ORPHAN_MAX];
	orphan_evict(tl, o);
	o->serial = tl->next_orphan;
	o->process = p->id;
	o->step = *step;
	*step = (struct step){ 0 };
	for (size_t i = 0; i < set->count; i++)
		index_add(tl, set->keys[i], o->serial);
	memcpy(o->keys, set->keys, sizeof(o->keys));
	o->key_count = set->count;
	*set = (struct key_set){ 0 };
}

/* Everything that waited for this key belongs to c. */
static void adopt(struct timeline *tl, struct cont *c, const char *key)
{
	struct orphan_list *list = map_remove(&tl->orphan_index, key, strlen(key));

	if (!list)
		return;
	for (size_t i = list->first; i < list->count; i++) {
		struct orphan *o = orphan_by_serial(tl, list->serials[i]);
		struct process *p;

		if (!o)
			continue;
		orphan_unlink(tl, o, key);
		p = process_find(tl, o->process.tgid, o->process.start_ns);
		if (p) {
			container_add_step(tl, c, container_actor(tl, c, p), &o->step);
			claim_helper(tl, c, p);
		} else {
			tl->stats.unattributed++;
		}
		orphan_clear(o);
	}
	free(list->serials);
	free(list);
}

/* Takes key. The newest container to claim a key has it: inodes and paths are used again. */
static void claim_text(struct timeline *tl, struct cont *c, char *key)
{
	struct cont *old = map_put(&tl->keys, key, strlen(key), c);

	if (old == c) {
		adopt(tl, c, key);
		free(key);
		return;
	}
	array_grow(c->keys, c->key_count, c->key_capacity);
	c->keys[c->key_count++] = key;
	adopt(tl, c, key);
}

void claim_key(struct timeline *tl, struct cont *c, char kind, const char *value)
{
	if (value && *value)
		claim_text(tl, c, key_text(kind, value));
}

void claim_helper(struct timeline *tl, struct cont *c, struct process *p)
{
	if (p->role != ROLE_HELPER || p->container)
		return;
	p->container = c->serial;
	claim_process_key(tl, c, &p->id);
}

void claim_process_key(struct timeline *tl, struct cont *c, const struct process_id *id)
{
	claim_text(tl, c, process_key_text(id));
}

void claim_inode_key(struct timeline *tl, struct cont *c, char kind, uint32_t inode)
{
	char text[KEY_NUMBER + 1];

	if (!inode)
		return;
	put_number(text, inode);
	claim_key(tl, c, kind, text);
}

void claim_drop_process(struct timeline *tl, const struct cont *c, const struct process_id *id)
{
	_cleanup_free_ char *key = process_key_text(id);

	map_remove_value(&tl->keys, key, strlen(key), c);
}

void claim_tidy(struct timeline *tl, struct cont *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->key_count; i++) {
		if (map_get(&tl->keys, c->keys[i], strlen(c->keys[i])) == c)
			c->keys[kept++] = c->keys[i];
		else
			free(c->keys[i]);
	}
	c->key_count = kept;
}

void claim_drop_all(struct timeline *tl, struct cont *c)
{
	for (size_t i = 0; i < c->key_count; i++) {
		map_remove_value(&tl->keys, c->keys[i], strlen(c->keys[i]), c);
		free(c->keys[i]);
	}
	free(c->keys);
	c->keys = NULL;
	c->key_count = c->key_capacity = 0;
}

struct cont *claim_find(struct timeline *tl, char kind, const char *value)
{
	return claim_find_bytes(tl, kind, value, strlen(value));
}

struct cont *claim_find_bytes(struct timeline *tl, char kind, const char *value, size_t length)
{
	_cleanup_free_ char *large = NULL;
	char small[128], *key = small;

	if (length >= sizeof(small))
		key = large = xmalloc(1 + length);
	key[0] = kind;
	memcpy(key + 1, value, length);
	return map_get(&tl->keys, key, 1 + length);
}

struct cont *claim_find_inode(struct timeline *tl, char kind, uint32_t inode)
{
	char text[KEY_NUMBER + 1];

	if (!inode)
		return NULL;
	put_number(text, inode);
	return claim_find(tl, kind, text);
}

void key_set_add(struct key_set *set, char kind, const char *value)
{
	if (value && *value && set->count < ORPHAN_KEYS - PROCESS_KEYS)
		set->keys[set->count++] = key_text(kind, value);
}

void key_set_add_inode(struct key_set *set, char kind, uint32_t inode)
{
	char text[KEY_NUMBER + 1];

	put_number(text, inode);
	key_set_add(set, kind, text);
}

void key_set_add_path(struct key_set *set, const char *path)
{
	const char *at = path, *init;

	if (!path || *path != '/')
		return;
	key_set_add(set, 'P', path);
	/* docker's overlay2 prepares a container's layer in a sister directory, ID-init */
	init = strstr(path, "-init/");
	if (init) {
		_cleanup_free_ char *sister = xasprintf("%.*s%s", (int)(init - path), path, init + 5);

		key_set_add(set, 'P', sister);
	}
	while (*at && set->count < ORPHAN_KEYS - PROCESS_KEYS) {
		size_t length = strcspn(at, "/");

		if (identify_is_hex_id(at, length)) {
			_cleanup_free_ char *id = xstrndup(at, length);

			key_set_add(set, 'I', id);
		}
		at += length;
		at += *at == '/';
	}
}

void key_set_free(struct key_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->keys[i]);
	*set = (struct key_set){ 0 };
}

struct cont *claim_find_set(struct timeline *tl, const struct key_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct cont *c = map_get(&tl->keys, set->keys[i], strlen(set->keys[i]));

		if (c)
			return c;
	}
	return NULL;
}

void orphans_free(struct timeline *tl)
{
	for (size_t i = 0; tl->orphans && i < ORPHAN_MAX && i <= tl->next_orphan; i++)
		orphan_evict(tl, &tl->orphans[i]);
	free(tl->orphans);
	map_free(&tl->orphan_index);
	map_free(&tl->keys);
}
