/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/detach_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static const char control[] = "ctrl-";

/* The byte that a key sends; -1: no such key. */
static int key_code(const char *key)
{
	static const char special[] = "@[\\]^_";
	char c = key[0];

	if (c && !key[1])
		return (unsigned char)c;
	if (!strcmp(key, "DEL"))
		return 0x7f;
	if (!str_starts(key, control) || strlen(key) != strlen(control) + 1)
		return -1;
	c = key[strlen(control)];
	/* the bytes that ASCII has for them: the character without its upper bits */
	return (c >= 'a' && c <= 'z') || strchr(special, c) ? c & 0x1f : -1;
}

int detach_keys_parse(const char *text, struct detach_keys *ret, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(text && *text ? text : "ctrl-p,ctrl-q");
	char *rest = copy, *key;
	struct detach_keys keys = { .count = 0 };

	while ((key = strsep(&rest, ","))) {
		int code = key_code(key);

		if (code < 0)
			return error_set(err, EINVAL, "invalid detach keys (%s) provided: '%s' is no key: it is ctrl- and "
				"one of a-z@[\\]^_, DEL, or a character", text, key);
		if (keys.count == DETACH_KEYS_MAX)
			return error_set(err, EINVAL, "invalid detach keys (%s) provided: more than %d", text,
				DETACH_KEYS_MAX);
		keys.keys[keys.count++] = (char)code;
	}
	*ret = keys;
	return 0;
}

bool detach_keys_complete(const struct detach_keys *keys)
{
	return keys->count && keys->held == keys->count;
}

/* What is held is not their beginning after all: the shortest part of it goes on that leaves a beginning again. */
static size_t let_go(struct detach_keys *k, char *ret)
{
	size_t n = 1;

	while (n < k->held && memcmp(k->keys, k->keys + n, k->held - n) != 0)
		n++;
	memcpy(ret, k->keys, n);
	k->held -= n;
	return n;
}

size_t detach_keys_filter(struct detach_keys *k, const char *bytes, size_t length, char *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < length && !detach_keys_complete(k); i++) {
		while (k->held && bytes[i] != k->keys[k->held])
			n += let_go(k, ret + n);
		if (k->count && bytes[i] == k->keys[k->held])
			k->held++;
		else
			ret[n++] = bytes[i];
	}
	return n;
}
