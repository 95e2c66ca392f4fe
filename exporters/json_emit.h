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

#include "util/strbuf.h"

void json_open(struct strbuf *sb, const char *key, char bracket); /* '{' or '[' */
void json_close(struct strbuf *sb, char bracket);                 /* '}' or ']' */
void json_bytes(struct strbuf *sb, const char *key, const char *bytes, size_t length);
void json_text(struct strbuf *sb, const char *key, const char *text); /* NULL: null */
/* The string alone, as a reader of the JSON has it: valid UTF-8 of any bytes, for formats that are not JSON. */
void json_utf8(struct strbuf *sb, const char *bytes, size_t length);
void json_number(struct strbuf *sb, const char *key, int64_t value);
void json_u64(struct strbuf *sb, const char *key, uint64_t value); /* decimal string */
void json_i64(struct strbuf *sb, const char *key, int64_t value);  /* decimal string */
void json_time(struct strbuf *sb, const char *key, uint64_t ns);   /* decimal string; 0: null */
void json_bool(struct strbuf *sb, const char *key, bool value);
void json_null(struct strbuf *sb, const char *key);

#endif
