/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_UTIL_STRING_LIST_H
#define CTRACE_UTIL_STRING_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* Strings that it owns. Zeroes are an empty one. */
struct string_list {
	char **items; /* NULL-terminated as soon as there is one */
	size_t count, capacity;
};

void string_list_add(struct string_list *list, char *item); /* takes the item */
bool string_list_has(const struct string_list *list, const char *item);
void string_list_free(struct string_list *list);

#endif
