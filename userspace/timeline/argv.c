/* SPDX-License-Identifier: Apache-2.0 */
/* An argv of ours is one piece of memory: the pointers, NULL at their end, and behind them the strings. */
#include <stdlib.h>
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"

static char **argv_new(size_t count, size_t text_size, char **ret_text)
{
	char **argv = xmalloc((count + 1) * sizeof(*argv) + text_size);

	argv[count] = NULL;
	*ret_text = (char *)&argv[count + 1];
	return argv;
}

char **argv_split(const char *bytes, size_t length)
{
	bool ends = !length || !bytes[length - 1];
	size_t count = !ends;
	char **argv, *text;

	for (size_t i = 0; i < length; i++)
		count += !bytes[i];
	argv = argv_new(count, length + 1, &text);
	memcpy(text, bytes, length);
	text[length] = '\0';
	for (size_t i = 0; i < count; i++) {
		argv[i] = text;
		text += strlen(text) + 1;
	}
	return argv;
}

static size_t text_size(char *const *argv, size_t *ret_count)
{
	size_t size = 0, count = 0;

	for (; argv[count]; count++)
		size += strlen(argv[count]) + 1;
	*ret_count = count;
	return size;
}

char **argv_copy(char *const *argv)
{
	size_t count, size;
	char **copy, *text;

	if (!argv)
		return NULL;
	size = text_size(argv, &count);
	copy = argv_new(count, size, &text);
	for (size_t i = 0; i < count; i++) {
		copy[i] = text;
		text = stpcpy(text, argv[i]) + 1;
	}
	return copy;
}

char *argv_join(char *const *argv, char separator)
{
	size_t count, size = argv ? text_size(argv, &count) : 0;
	char *text = xmalloc(size + 1), *at = text;

	*text = '\0';
	for (char *const *a = argv; a && *a; a++) {
		if (at != text)
			*at++ = separator;
		at = stpcpy(at, *a);
	}
	return text;
}
