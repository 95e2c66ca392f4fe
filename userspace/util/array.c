/* SPDX-License-Identifier: Apache-2.0 */
#include "util/array.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *or_die(void *p)
{
	if (!p) {
		fputs("ctrace: out of memory\n", stderr);
		_Exit(125);
	}
	return p;
}

void *array_grow_(void *items, size_t *capacity, size_t item_size)
{
	size_t wanted = *capacity ? *capacity * 2 : 8;

	if (wanted > SIZE_MAX / item_size)
		or_die(NULL);
	items = or_die(realloc(items, wanted * item_size));
	*capacity = wanted;
	return items;
}

void *xmalloc(size_t size)
{
	return or_die(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return or_die(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return or_die(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return or_die(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return or_die(strndup(s, n));
}

char *xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	return or_die(text);
}
