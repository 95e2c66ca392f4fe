/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"

static struct detail *add(struct details *d, const char *key, enum detail_type type)
{
	if (d->count == d->capacity) {
		d->capacity = d->capacity ? d->capacity * 2 : 6; /* as many as a mount has; most have fewer */
		d->items = xrealloc(d->items, d->capacity * sizeof(*d->items));
	}
	d->items[d->count] = (struct detail){ .key = key, .type = type };
	return &d->items[d->count++];
}

void details_add_text(struct details *d, const char *key, const char *text)
{
	details_add_bytes(d, key, text, strlen(text));
}

void details_add_bytes(struct details *d, const char *key, const char *bytes, size_t length)
{
	char *text = memcpy(xmalloc(length + 1), bytes, length);

	text[length] = '\0';
	details_take_text(d, key, text);
}

void details_add_constant(struct details *d, const char *key, const char *text)
{
	struct detail *item = add(d, key, DETAIL_TEXT);

	item->text = (char *)text;
	item->borrowed = true;
}

void details_take_text(struct details *d, const char *key, char *text)
{
	add(d, key, DETAIL_TEXT)->text = text;
}

void details_take_list(struct details *d, const char *key, char *items)
{
	add(d, key, DETAIL_LIST)->text = items;
}

void details_add_number(struct details *d, const char *key, int64_t number)
{
	add(d, key, DETAIL_NUMBER)->number = number;
}

void details_add_u64(struct details *d, const char *key, uint64_t number)
{
	add(d, key, DETAIL_U64)->number = (int64_t)number;
}

void details_add_bool(struct details *d, const char *key, bool value)
{
	add(d, key, DETAIL_BOOL)->number = value;
}

/* Whether item has a text at all. */
static bool is_text(const struct detail *item)
{
	return item->type == DETAIL_TEXT || item->type == DETAIL_LIST;
}

void details_seal(struct details *d, struct arena *arena)
{
	size_t size = d->count * sizeof(*d->items);
	struct detail *items;
	char *text;

	if (!d->count)
		return;
	for (uint32_t i = 0; i < d->count; i++) {
		if (is_text(&d->items[i]) && !d->items[i].borrowed)
			size += strlen(d->items[i].text) + 1;
	}
	items = arena_take(arena, size);
	text = (char *)&items[d->count];
	for (uint32_t i = 0; i < d->count; i++) {
		items[i] = d->items[i];
		if (!is_text(&items[i]) || items[i].borrowed)
			continue;
		items[i].text = text;
		items[i].borrowed = true;
		text = stpcpy(text, d->items[i].text) + 1;
		free(d->items[i].text);
	}
	free(d->items);
	d->items = items;
	d->capacity = (uint32_t)size;
}

size_t details_size(const struct details *d)
{
	return arena_piece(d->capacity);
}

/* Whether the text is in the same piece of memory as the items. */
static bool is_beside(const struct details *d, const char *text)
{
	return (uintptr_t)text - (uintptr_t)d->items < d->capacity;
}

void details_move(struct details *d, struct arena *arena)
{
	char *to;

	if (!d->count)
		return;
	to = memcpy(arena_take(arena, d->capacity), d->items, d->capacity);
	for (uint32_t i = 0; i < d->count; i++) {
		struct detail *item = (struct detail *)to + i;

		if (is_text(item) && is_beside(d, item->text))
			item->text = to + (item->text - (char *)d->items);
	}
	d->items = (struct detail *)to;
}

void details_free(struct details *d)
{
	for (size_t i = 0; i < d->count; i++) {
		if (is_text(&d->items[i]) && !d->items[i].borrowed)
			free(d->items[i].text);
	}
	free(d->items);
	*d = (struct details){ 0 };
}

void step_free(struct step *s)
{
	details_free(&s->details);
	waits_free(s->times);
	s->times = NULL;
}
