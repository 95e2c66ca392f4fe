/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_JSON_EMIT_H
#define CTRACE_JSON_EMIT_H

/*
 * Writes JSON (RFC 8259) into a strbuf, in the order of the calls, without blanks. `key` is NULL
 * inside an array and at the top. Commas are set by what was written before.
 *
 * Strings are bytes. What is valid UTF-8 is written as it is (control characters, DEL and C1 controls
 * as \u00NN). A byte that is not part of valid UTF-8 becomes the private-use character U+EF00 + byte
 * (U+EF80..U+EFFF), and so does each byte of a genuine character of that range, so that nothing is
 * lost, every parser accepts the line, and the bytes can be had back (JSON_SCHEMA.md shows how).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/digits.h"
#include "util/strbuf.h"

/* A key and its length, which the compiler knows where the key is a literal, as nearly all are. */
struct json_key {
	const char *text;
	size_t length;
};

static inline struct json_key json_key(const char *text)
{
	return (struct json_key){ text, text ? strlen(text) : 0 };
}

/* Writes the key and makes room for `room` bytes of the value; returns where that goes. Inline, so that a key that is
 * a literal is copied by a few instructions. Every value ends in a quote, a digit, a letter or a closing bracket;
 * only after an opening bracket or a line end there is no comma. */
static inline __attribute__((always_inline)) char *json_begin_(struct strbuf *sb, struct json_key key, size_t room)
{
	char *at = strbuf_room(sb, key.length + strlen(",\"\":") + room);
	char last = sb->length ? at[-1] : '\n';

	*at = ',';
	at += last != '{' && last != '[' && last != '\n';
	if (key.text) {
		*at++ = '"';
		at = mempcpy(at, key.text, key.length);
		*at++ = '"';
		*at++ = ':';
	}
	return at;
}

/* The rest of a value that was begun with room for it; they return where it ends. */
enum { JSON_NUMBER_MAX = DIGITS_MAX }; /* of -2^63 with its sign, too */
char *json_put_i64_(char *at, int64_t value);
/* The same for a string: room for its quotes and its bytes; more is taken where bytes are escaped. */
void json_put_string_(struct strbuf *sb, char *at, const char *bytes, size_t length);

static inline void json_open(struct strbuf *sb, const char *key, char bracket) /* '{' or '[' */
{
	char *at = json_begin_(sb, json_key(key), 1);

	*at++ = bracket;
	strbuf_ends(sb, at);
}

/* An element of an array, or a key and its value, that is JSON already. */
static inline void json_ready(struct strbuf *sb, const char *text, size_t length)
{
	char *at = json_begin_(sb, json_key(NULL), length);

	strbuf_ends(sb, mempcpy(at, text, length));
}

static inline void json_close(struct strbuf *sb, char bracket)
{
	strbuf_putc(sb, bracket);
}

static inline void json_bytes(struct strbuf *sb, const char *key, const char *bytes, size_t length)
{
	json_put_string_(sb, json_begin_(sb, json_key(key), length + strlen("\"\"")), bytes, length);
}

static inline void json_number(struct strbuf *sb, const char *key, int64_t value)
{
	strbuf_ends(sb, json_put_i64_(json_begin_(sb, json_key(key), JSON_NUMBER_MAX), value));
}

static inline void json_u64(struct strbuf *sb, const char *key, uint64_t value) /* decimal string */
{
	char *at = json_begin_(sb, json_key(key), JSON_NUMBER_MAX + strlen("\"\""));

	*at++ = '"';
	at = digits_put(at, value);
	*at++ = '"';
	strbuf_ends(sb, at);
}

static inline void json_i64(struct strbuf *sb, const char *key, int64_t value) /* decimal string */
{
	char *at = json_begin_(sb, json_key(key), JSON_NUMBER_MAX + strlen("\"\""));

	*at++ = '"';
	at = json_put_i64_(at, value);
	*at++ = '"';
	strbuf_ends(sb, at);
}

static inline void json_bool(struct strbuf *sb, const char *key, bool value)
{
	char *at = json_begin_(sb, json_key(key), strlen("false"));

	strbuf_ends(sb, stpcpy(at, value ? "true" : "false"));
}

static inline void json_null(struct strbuf *sb, const char *key)
{
	char *at = json_begin_(sb, json_key(key), strlen("null"));

	strbuf_ends(sb, stpcpy(at, "null"));
}

static inline __attribute__((always_inline)) void json_text(struct strbuf *sb, const char *key, const char *text) /* NULL: null */
{
	if (text)
		json_bytes(sb, key, text, strlen(text));
	else
		json_null(sb, key);
}

static inline void json_time(struct strbuf *sb, const char *key, uint64_t ns) /* decimal string; 0: null */
{
	if (ns)
		json_u64(sb, key, ns);
	else
		json_null(sb, key);
}

/* A name of ours, in which nothing is to be escaped. */
static inline void json_name(struct strbuf *sb, const char *key, const char *name)
{
	size_t length = strlen(name);
	char *at = json_begin_(sb, json_key(key), length + strlen("\"\""));

	*at++ = '"';
	at = mempcpy(at, name, length);
	*at++ = '"';
	strbuf_ends(sb, at);
}

/* A string alone, as a reader of the JSON has it: valid UTF-8 of any bytes, for formats that are not JSON. */
void json_utf8(struct strbuf *sb, const char *bytes, size_t length);

#endif
