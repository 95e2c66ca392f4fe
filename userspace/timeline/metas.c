/* SPDX-License-Identifier: Apache-2.0 */
/* Names, images, labels: what a container is called, which may come late or early. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static const char label_prefix[] = "label.", labels_cut_key[] = "labels_cut",
	values_cut_key[] = "values_cut", sandbox_key[] = "sandbox", state_key[] = "state";

/* The field that a key of EVENT_META fills, or NULL. */
static char **meta_field(struct container *c, const char *key)
{
	return !strcmp(key, "name") ? &c->name : !strcmp(key, "image") ? &c->image
		: !strcmp(key, "engine") ? &c->engine : !strcmp(key, "runtime") ? &c->runtime
		: !strcmp(key, "pod") ? &c->pod : !strcmp(key, "namespace") ? &c->pod_namespace
		: !strcmp(key, "bundle") ? &c->bundle : NULL;
}

static char *meta_key(const char *id, const char *key)
{
	return xasprintf("%s\x1f%s", id, key);
}

static const char *take_early(struct timeline *tl, const struct cont *c, const char *key)
{
	_cleanup_free_ char *both = meta_key(c->c.id, key);
	struct early_meta *early = map_get(&tl->metas, both, strlen(both));

	if (!early)
		return NULL;
	early->is_applied = true;
	return early->value;
}

void metas_apply(struct timeline *tl, struct cont *c)
{
	static const char *const keys[] = { "name", "image", "engine", "runtime", "pod", "namespace", "bundle" };

	if (!tl->metas.count)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		container_set(meta_field(&c->c, keys[i]), take_early(tl, c, keys[i]));
	c->c.is_sandbox |= take_early(tl, c, sandbox_key) != NULL;
}

/* The oldest gives way, and is lost if its container has not come. */
static void keep_early(struct timeline *tl, const struct event_meta *e, const char *value)
{
	_cleanup_free_ char *key = meta_key(e->id, e->text);
	struct early_meta *early = xcalloc(1, sizeof(*early) + strlen(value) + 1), *old;
	char **place = &tl->meta_keys[tl->next_meta];

	memcpy(early->value, value, strlen(value));
	old = map_put(&tl->metas, key, strlen(key), early);
	if (!old) {
		old = *place ? map_remove(&tl->metas, *place, strlen(*place)) : NULL;
		tl->stats.names_forgotten += old && !old->is_applied;
		free(*place);
		*place = steal_ptr(key);
		tl->next_meta = (tl->next_meta + 1) % META_MAX;
	}
	free(old);
}

void metas_free(struct timeline *tl)
{
	for (size_t i = 0; i < tl->metas.count; i++)
		free(tl->metas.entries[i].value);
	map_free(&tl->metas);
	for (size_t i = 0; i < META_MAX; i++)
		free(tl->meta_keys[i]);
}

static void set_label(struct container *c, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < c->label_count && strcmp(c->labels[i].name, name) != 0; i++)
		;
	if (!*name)
		return;
	if (i == LABELS_MAX) {
		c->labels_cut++;
		return;
	}
	if (i == c->label_count) {
		array_grow(c->labels, c->label_count, c->label_capacity);
		c->labels[c->label_count++] = (struct label){ .name = xstrdup(name) };
	}
	free(c->labels[i].value);
	c->labels[i].value = xstrdup(value);
}

/* Told again each time that an engine's files are read: not to be added up. */
static void note_cut(uint64_t *cut, const char *value)
{
	uint64_t told = strtoull(value, NULL, 10);

	if (told > *cut)
		*cut = told;
}

/* The counter that a key of EVENT_META fills, or NULL. */
static uint64_t *meta_cut(struct container *c, const char *key)
{
	return !strcmp(key, labels_cut_key) ? &c->labels_cut : !strcmp(key, values_cut_key) ? &c->values_cut : NULL;
}

/* What is no absolute path of a directory within another is of no use. */
static void take_state(struct timeline *tl, const struct event_meta *e, const char *path)
{
	struct process *p = e->h.start_ns ? process_find(tl, e->h.tgid, e->h.start_ns) : NULL;
	const char *slash = strrchr(path, '/');

	if (!p || p->state || *path != '/' || slash == path || !slash[1])
		return;
	p->state = xstrdup(path);
}

void metas_take(struct timeline *tl, const struct event_meta *e)
{
	struct cont *c = claim_find(tl, 'I', e->id);
	size_t size = e->h.size - offsetof(struct event_meta, text);
	const char *value = memchr(e->text, '\0', size);
	bool is_label = str_starts(e->text, label_prefix), is_sandbox = !strcmp(e->text, sandbox_key);
	struct container probe;
	bool is_cut = meta_cut(&probe, e->text) != NULL;

	if (value && !strcmp(e->text, state_key))
		take_state(tl, e, value + 1);
	if (!value || (!is_label && !is_cut && !is_sandbox && !meta_field(&probe, e->text)))
		return;
	value++;
	if (c && is_sandbox)
		c->c.is_sandbox = true;
	else if (c && is_label)
		set_label(&c->c, e->text + strlen(label_prefix), value);
	else if (c && is_cut)
		note_cut(meta_cut(&c->c, e->text), value);
	else if (c)
		container_set(meta_field(&c->c, e->text), value);
	if (c)
		container_notify(tl, c, CHANGE_NAMED);
	else if (is_label || is_cut)
		tl->stats.names_forgotten++;
	else
		keep_early(tl, e, value);
}

void labels_free(struct container *c)
{
	for (size_t i = 0; i < c->label_count; i++) {
		free(c->labels[i].name);
		free(c->labels[i].value);
	}
	free(c->labels);
}
