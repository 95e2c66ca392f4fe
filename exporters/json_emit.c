/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/json_emit.h"

#include <stdio.h>
#include <string.h>

/* Every value ends in a quote, a digit, a letter or a closing bracket; only after an opening bracket,
 * a colon or a line end there is no comma. */
static void before_value(struct strbuf *sb, const char *key)
{
	char last = sb->length ? sb->text[sb->length - 1] : '\n';

	if (last != '{' && last != '[' && last != '\n')
		strbuf_putc(sb, ',');
	if (key) {
		strbuf_putc(sb, '"');
		strbuf_puts(sb, key);
		strbuf_add(sb, "\":", 2);
	}
}

void json_open(struct strbuf *sb, const char *key, char bracket)
{
	before_value(sb, key);
	strbuf_putc(sb, bracket);
}

void json_close(struct strbuf *sb, char bracket)
{
	strbuf_putc(sb, bracket);
}

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

void json_bytes(struct strbuf *sb, const char *key, const char *bytes, size_t length)
{
	size_t i = 0, n;

	before_value(sb, key);
	strbuf_putc(sb, '"');
	while (i < length) {
		for (n = 0; i + n < length && is_plain((unsigned char)bytes[i + n]); n++)
			;
		if (n) {
			strbuf_add(sb, bytes + i, n);
			i += n;
			continue;
		}
		n = utf8_sequence(bytes + i, length - i);
		if (n == 1) {
			add_ascii(sb, (unsigned char)bytes[i]);
		} else if (n == 2 && (unsigned char)bytes[i] == 0xc2 && (unsigned char)bytes[i + 1] < 0xa0) {
			strbuf_printf(sb, "\\u%04x", (unsigned char)bytes[i + 1]);
		} else if (n == 0 || is_own_escape(bytes + i, n)) {
			n = n ? n : 1;
			for (size_t k = 0; k < n; k++)
				add_escaped_byte(sb, (unsigned char)bytes[i + k]);
		} else {
			strbuf_add(sb, bytes + i, n);
		}
		i += n;
	}
	strbuf_putc(sb, '"');
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

void json_text(struct strbuf *sb, const char *key, const char *text)
{
	if (text)
		json_bytes(sb, key, text, strlen(text));
	else
		json_null(sb, key);
}

static void add_u64(struct strbuf *sb, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	strbuf_add(sb, digits + at, sizeof(digits) - at);
}

static void add_i64(struct strbuf *sb, int64_t value)
{
	if (value < 0)
		strbuf_putc(sb, '-');
	add_u64(sb, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_number(struct strbuf *sb, const char *key, int64_t value)
{
	before_value(sb, key);
	add_i64(sb, value);
}

void json_u64(struct strbuf *sb, const char *key, uint64_t value)
{
	before_value(sb, key);
	strbuf_putc(sb, '"');
	add_u64(sb, value);
	strbuf_putc(sb, '"');
}

void json_i64(struct strbuf *sb, const char *key, int64_t value)
{
	before_value(sb, key);
	strbuf_putc(sb, '"');
	add_i64(sb, value);
	strbuf_putc(sb, '"');
}

void json_time(struct strbuf *sb, const char *key, uint64_t ns)
{
	if (ns)
		json_u64(sb, key, ns);
	else
		json_null(sb, key);
}

void json_bool(struct strbuf *sb, const char *key, bool value)
{
	before_value(sb, key);
	strbuf_puts(sb, value ? "true" : "false");
}

void json_null(struct strbuf *sb, const char *key)
{
	before_value(sb, key);
	strbuf_puts(sb, "null");
}
