/* SPDX-License-Identifier: Apache-2.0 */
#include "util/string_list.h"

#include <stdlib.h>
#include <string.h>

#include "util/array.h"

void string_list_add(struct string_list *list, char *item)
{
	array_grow(list->items, list->count + 1, list->capacity);
	list->items[list->count++] = item;
	list->items[list->count] = NULL;
}

bool string_list_has(const struct string_list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->items[i], item))
			return true;
	}
	return false;
}

void string_list_free(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){ 0 };
}
