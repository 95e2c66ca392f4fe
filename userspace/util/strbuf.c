/* SPDX-License-Identifier: Apache-2.0 */
#include "util/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/digits.h"

void strbuf_reserve_(struct strbuf *sb, size_t more)
{
	size_t wanted = sb->length + more + 1;
	size_t capacity = sb->capacity ? sb->capacity : 64;

	if (wanted <= sb->capacity)
		return;
	while (capacity < wanted)
		capacity *= 2;
	sb->text = xrealloc(sb->text, capacity);
	sb->capacity = capacity;
}

void strbuf_add_slow_(struct strbuf *sb, const void *bytes, size_t length)
{
	strbuf_reserve_(sb, length);
	if (length)
		memcpy(sb->text + sb->length, bytes, length);
	sb->length += length;
	sb->text[sb->length] = '\0';
}

void strbuf_puts(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_number(struct strbuf *sb, uint64_t value)
{
	strbuf_ends(sb, digits_put(strbuf_room(sb, DIGITS_MAX), value));
}

void strbuf_printf(struct strbuf *sb, const char *format, ...)
{
	size_t room = sb->capacity - sb->length; /* mostly enough; what does not fit is written once more */
	va_list ap, again;
	int length;

	va_start(ap, format);
	va_copy(again, ap);
	length = vsnprintf(sb->text ? sb->text + sb->length : NULL, room, format, ap);
	va_end(ap);
	if (length > 0 && (size_t)length >= room) {
		strbuf_reserve_(sb, (size_t)length);
		vsnprintf(sb->text + sb->length, (size_t)length + 1, format, again);
	}
	va_end(again);
	sb->length += length > 0 ? (size_t)length : 0;
}

size_t utf8_sequence(const char *text, size_t length)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned long code;
	size_t need, i;

	if (!length)
		return 0;
	if (s[0] < 0x80)
		return 1;
	need = s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		: s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : 0;
	if (!need || need > length)
		return 0;
	code = s[0] & (0xffU >> (need + 1));
	for (i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if ((need == 3 && code < 0x800) || (need == 4 && (code < 0x10000 || code > 0x10ffff)) ||
		(code >= 0xd800 && code <= 0xdfff))
		return 0;
	return need;
}

void strbuf_escape(struct strbuf *sb, const char *bytes, size_t length)
{
	size_t i, n;

	for (i = 0; i < length; i += n) {
		unsigned char c = (unsigned char)bytes[i];

		n = utf8_sequence(bytes + i, length - i);
		if (c == '\n' || c == '\t' || c == '\\') {
			strbuf_puts(sb, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\\\");
		} else if (n == 0 || c < 0x20 || c == 0x7f ||
			   (n == 2 && c == 0xc2 && (unsigned char)bytes[i + 1] < 0xa0)) {
			strbuf_printf(sb, "\\x%02x", c);
			n = 1; /* the continuation byte of a C1 control is then invalid by itself */
		} else {
			strbuf_add(sb, bytes + i, n);
		}
	}
}

char *strbuf_steal(struct strbuf *sb)
{
	char *text = sb->text ? sb->text : xstrdup("");

	*sb = (struct strbuf){ 0 };
	return text;
}

void strbuf_reset(struct strbuf *sb)
{
	sb->length = 0;
	if (sb->text)
		sb->text[0] = '\0';
}

void strbuf_free(struct strbuf *sb)
{
	free(sb->text);
	*sb = (struct strbuf){ 0 };
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_has_word(const char *words, const char *separators, const char *word)
{
	size_t length = strlen(word), n;

	for (; words && *words; words += n + (words[n] != '\0')) {
		n = strcspn(words, separators);
		if (n && n == length && !memcmp(words, word, n))
			return true;
	}
	return false;
}
