/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_STRBUF_H
#define CTRACE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A string that grows. Zero-initialise it; text is NULL until something is added and always
 * NUL-terminated afterwards. */
struct strbuf {
	char *text;
	size_t length, capacity;
};

void strbuf_add_slow_(struct strbuf *sb, const void *bytes, size_t length);
void strbuf_reserve_(struct strbuf *sb, size_t more);
void strbuf_puts(struct strbuf *sb, const char *s);

/* Inline, since writing JSON is little else. */
static inline void strbuf_add(struct strbuf *sb, const void *bytes, size_t length)
{
	if (sb->capacity - sb->length > length) { /* capacity 0 is never more than 0 */
		memcpy(sb->text + sb->length, bytes, length);
		sb->length += length;
		sb->text[sb->length] = '\0';
	} else {
		strbuf_add_slow_(sb, bytes, length);
	}
}

/* Room for `more` bytes at the end, to be written by the caller, who says with strbuf_ends where they end. */
static inline char *strbuf_room(struct strbuf *sb, size_t more)
{
	if (sb->capacity - sb->length <= more)
		strbuf_reserve_(sb, more);
	return sb->text + sb->length;
}

static inline void strbuf_ends(struct strbuf *sb, char *end)
{
	*end = '\0';
	sb->length = (size_t)(end - sb->text);
}

static inline void strbuf_putc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}
void strbuf_number(struct strbuf *sb, uint64_t value);
void strbuf_printf(struct strbuf *sb, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends bytes from the kernel or a container so that a terminal shows them and obeys none of
 * them: control bytes, DEL, invalid UTF-8 and C1 controls become \xNN, and \n, \t, \\ their C escapes. */
void strbuf_escape(struct strbuf *sb, const char *bytes, size_t length);

/* The text, owned by the caller ("" when nothing was added); sb is empty afterwards. */
char *strbuf_steal(struct strbuf *sb);
void strbuf_reset(struct strbuf *sb); /* keeps the memory */
void strbuf_free(struct strbuf *sb);  /* also fit for _cleanup_ */

/* Length in bytes (1..4) of the valid UTF-8 sequence at s, or 0 where it is invalid (overlong,
 * surrogate, beyond U+10FFFF or cut short), RFC 3629. */
size_t utf8_sequence(const char *s, size_t length);

/* True if s starts with prefix. */
bool str_starts(const char *s, const char *prefix);
/* True if s ends with suffix. */
bool str_ends(const char *s, const char *suffix);
/* True if word, which is not empty, is one of the words of a list (NULL = none); any of the separators may stand between two. */
bool str_has_word(const char *words, const char *separators, const char *word);

#endif
