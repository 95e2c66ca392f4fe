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

void json_open_(struct strbuf *sb, struct json_key key, char bracket);
void json_bytes_(struct strbuf *sb, struct json_key key, const char *bytes, size_t length);
void json_number_(struct strbuf *sb, struct json_key key, int64_t value);
void json_u64_(struct strbuf *sb, struct json_key key, uint64_t value);
void json_i64_(struct strbuf *sb, struct json_key key, int64_t value);
void json_literal_(struct strbuf *sb, struct json_key key, const char *literal);

static inline void json_open(struct strbuf *sb, const char *key, char bracket) /* '{' or '[' */
{
	json_open_(sb, json_key(key), bracket);
}

/* An element of an array, or a key and its value, that is JSON already. */
void json_ready(struct strbuf *sb, const char *text, size_t length);

static inline void json_close(struct strbuf *sb, char bracket)
{
	strbuf_putc(sb, bracket);
}

static inline void json_bytes(struct strbuf *sb, const char *key, const char *bytes, size_t length)
{
	json_bytes_(sb, json_key(key), bytes, length);
}

static inline void json_number(struct strbuf *sb, const char *key, int64_t value)
{
	json_number_(sb, json_key(key), value);
}

static inline void json_u64(struct strbuf *sb, const char *key, uint64_t value) /* decimal string */
{
	json_u64_(sb, json_key(key), value);
}

static inline void json_i64(struct strbuf *sb, const char *key, int64_t value) /* decimal string */
{
	json_i64_(sb, json_key(key), value);
}

static inline void json_bool(struct strbuf *sb, const char *key, bool value)
{
	json_literal_(sb, json_key(key), value ? "true" : "false");
}

static inline void json_null(struct strbuf *sb, const char *key)
{
	json_literal_(sb, json_key(key), "null");
}

static inline void json_text(struct strbuf *sb, const char *key, const char *text) /* NULL: null */
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

/* A string alone, as a reader of the JSON has it: valid UTF-8 of any bytes, for formats that are not JSON. */
void json_utf8(struct strbuf *sb, const char *bytes, size_t length);

#endif
