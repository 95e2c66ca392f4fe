/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/json_emit.h"

#include <stdio.h>
#include <string.h>

#include "exporters/json_repair.h"

static void add_escaped_byte(struct strbuf *sb, unsigned char c)
{
	unsigned int code = 0xef00U + c;
	char utf8[3] = { (char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3f)),
		(char)(0x80 | (code & 0x3f)) };

	strbuf_add(sb, utf8, sizeof(utf8));
}

static bool is_own_escape(const char *s, size_t length)
{
	/* U+EF80..U+EFFF is EE BE 80 .. EE BF BF. */
	return length == 3 && (unsigned char)s[0] == 0xee && (unsigned char)s[1] >= 0xbe;
}

static void add_ascii(struct strbuf *sb, unsigned char c)
{
	static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";

	for (size_t i = 0; i + 1 < sizeof(shorts); i += 2) {
		if (c == (unsigned char)shorts[i]) {
			strbuf_putc(sb, '\\');
			strbuf_putc(sb, shorts[i + 1]);
			return;
		}
	}
	strbuf_printf(sb, "\\u%04x", c);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#define EACH_BYTE(c) ((c) * 0x0101010101010101ULL)

static uint64_t zero_bytes(uint64_t word)
{
	return (word - EACH_BYTE(0x01)) & ~word & EACH_BYTE(0x80);
}

/* True if all of the eight bytes are plain: none above 0x7e, below 0x20, a quote or a backslash. */
static bool are_plain(uint64_t word)
{
	return !(((word | (word + EACH_BYTE(0x01)) | (word - EACH_BYTE(0x20))) & EACH_BYTE(0x80)) |
		zero_bytes(word ^ EACH_BYTE('"')) | zero_bytes(word ^ EACH_BYTE('\\')));
}

static uint64_t word_at(const char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static uint64_t half_word_at(const char *bytes)
{
	uint32_t half;

	memcpy(&half, bytes, sizeof(half));
	return half;
}

/* The last word of a text that is no multiple of eight bytes reaches back over bytes that were looked at. */
static bool is_plain_text(const char *bytes, size_t length)
{
	size_t n = 0;

	if (length >= 8) {
		for (; n + 8 <= length; n += 8) {
			if (!are_plain(word_at(bytes + n)))
				return false;
		}
		return are_plain(word_at(bytes + length - 8));
	}
	if (length >= 4)
		return are_plain(half_word_at(bytes) | half_word_at(bytes + length - 4) << 32);
	while (n < length && is_plain((unsigned char)bytes[n]))
		n++;
	return n == length;
}

/* What is not plain, up to the next plain byte. Returns how many bytes it was. */
static size_t add_special(struct strbuf *sb, const char *bytes, size_t length)
{
	size_t n = utf8_sequence(bytes, length);

	if (n == 1) {
		add_ascii(sb, (unsigned char)bytes[0]);
	} else if (n == 2 && (unsigned char)bytes[0] == 0xc2 && (unsigned char)bytes[1] < 0xa0) {
		strbuf_printf(sb, "\\u%04x", (unsigned char)bytes[1]);
	} else if (n == 0 || is_own_escape(bytes, n)) {
		n = n ? n : 1;
		for (size_t k = 0; k < n; k++)
			add_escaped_byte(sb, (unsigned char)bytes[k]);
	} else {
		strbuf_add(sb, bytes, n);
	}
	return n;
}

static void add_escaped(struct strbuf *sb, const char *bytes, size_t length)
{
	size_t i = 0, n;

	while (i < length) {
		for (n = 0; i + n < length && is_plain((unsigned char)bytes[i + n]); n++)
			;
		strbuf_add(sb, bytes + i, n);
		i += n;
		if (i < length)
			i += add_special(sb, bytes + i, length - i);
	}
}

void json_add_repaired(struct strbuf *sb, const char *json, size_t length)
{
	size_t n;

	for (size_t i = 0; i < length; i += n) {
		unsigned char c = (unsigned char)json[i];

		n = utf8_sequence(json + i, length - i);
		if (n == 0 || is_own_escape(json + i, n)) {
			add_escaped_byte(sb, c); /* the other bytes of a character are no UTF-8 by themselves */
			n = 1;
		} else if (c == 0x7f || (n == 2 && c == 0xc2 && (unsigned char)json[i + 1] < 0xa0)) {
			strbuf_printf(sb, "\\u%04x", (unsigned char)json[i + n - 1]);
		} else {
			strbuf_add(sb, json + i, n);
		}
	}
}

void json_put_string_(struct strbuf *sb, char *at, const char *bytes, size_t length)
{
	*at++ = '"';
	if (is_plain_text(bytes, length)) {
		at = mempcpy(at, bytes, length);
	} else {
		strbuf_ends(sb, at);
		add_escaped(sb, bytes, length);
		at = strbuf_room(sb, 1);
	}
	*at++ = '"';
	strbuf_ends(sb, at);
}

void json_utf8(struct strbuf *sb, const char *bytes, size_t length)
{
	for (size_t i = 0, n; i < length; i += n) {
		n = utf8_sequence(bytes + i, length - i);
		if (n && !is_own_escape(bytes + i, n)) {
			strbuf_add(sb, bytes + i, n);
			continue;
		}
		n = n ? n : 1;
		for (size_t k = 0; k < n; k++)
			add_escaped_byte(sb, (unsigned char)bytes[i + k]);
	}
}

char *json_put_i64_(char *at, int64_t value)
{
	if (value < 0)
		*at++ = '-';
	return digits_put(at, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}
