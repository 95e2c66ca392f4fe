/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/format.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "util/cleanup.h"
#include "util/digits.h"

static const char *const byte_units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

/* Writes a number with its decimals, and the unit behind it. Not by printf: of durations there are many. */
static void put_scaled(char *at, uint64_t value, unsigned int decimals, const char *unit)
{
	uint64_t scale = decimals == 2 ? 100 : decimals == 1 ? 10 : 1;

	at = digits_put(at, value / scale);
	if (decimals)
		*at++ = '.';
	for (value %= scale; scale > 1; value %= scale) {
		scale /= 10;
		*at++ = (char)('0' + value / scale);
	}
	*at++ = ' ';
	stpcpy(at, unit);
}

/* Scales by hand, in integers: 9.995 must become "10.0", never "9.99" or "10.00". */
static void three_digits(char *buffer, uint64_t value, uint64_t unit, const char *name)
{
	uint64_t hundredths = value / unit * 100 + value % unit * 100 / unit;
	uint64_t rest = value % unit * 100 % unit;

	if (hundredths < 1000) {
		hundredths += rest * 2 >= unit;
		if (hundredths < 1000) {
			put_scaled(buffer, hundredths, 2, name);
			return;
		}
	}
	if (hundredths + 5 < 10000) {
		put_scaled(buffer, (hundredths + 5) / 10, 1, name);
		return;
	}
	put_scaled(buffer, (value + unit / 2) / unit, 0, name);
}

char *format_duration(char *buffer, uint64_t ns, bool utf8)
{
	uint64_t s = ns / 1000000000;

	if (ns < 1000)
		put_scaled(buffer, ns, 0, "ns");
	else if (ns < 999500)
		three_digits(buffer, ns, 1000, utf8 ? "µs" : "us");
	else if (ns < 999500000)
		three_digits(buffer, ns, 1000000, "ms");
	else if (s < 100)
		three_digits(buffer, ns, 1000000000, "s");
	else if (s < 3600)
		snprintf(buffer, FORMAT_MAX, "%" PRIu64 "m %02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buffer, FORMAT_MAX, "%" PRIu64 "h %02" PRIu64 "m", s / 3600, s % 3600 / 60);
	else
		snprintf(buffer, FORMAT_MAX, "%" PRIu64 "d %02" PRIu64 "h", s / 86400, s % 86400 / 3600);
	return buffer;
}

char *format_bytes(char *buffer, uint64_t bytes)
{
	size_t unit = 0;
	uint64_t scale = 1, tenths;

	while (unit + 1 < ARRAY_SIZE(byte_units) && bytes / scale >= 1024) {
		scale *= 1024;
		unit++;
	}
	/* The remainder is below 2^60, so ten times it still fits. */
	tenths = bytes / scale * 10 + bytes % scale * 10 / scale;
	if (tenths % 10 == 0 || tenths >= 1000)
		snprintf(buffer, FORMAT_MAX, "%" PRIu64 " %s", tenths / 10, byte_units[unit]);
	else
		snprintf(buffer, FORMAT_MAX, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10,
			byte_units[unit]);
	return buffer;
}

char *format_signal(char *buffer, int number)
{
	const char *name = number > 0 ? sigabbrev_np(number) : NULL;

	if (name)
		snprintf(buffer, FORMAT_MAX, "SIG%s", name);
	else if (number >= SIGRTMIN && number <= SIGRTMAX)
		snprintf(buffer, FORMAT_MAX, "SIGRTMIN+%d", number - SIGRTMIN);
	else
		snprintf(buffer, FORMAT_MAX, "signal %d", number);
	return buffer;
}

char *format_errno(char *buffer, int code)
{
	const char *name = strerrorname_np(code);

	if (name)
		snprintf(buffer, FORMAT_MAX, "%s", name);
	else
		snprintf(buffer, FORMAT_MAX, "errno %d", code);
	return buffer;
}

static unsigned long decode(const char *s, size_t length)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned long code = length == 1 ? u[0] : u[0] & (0xffU >> (length + 1));

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (u[i] & 0x3f);
	return code;
}

static bool is_format_character(unsigned long code)
{
	return code == 0xad || code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
	       code == 0xfeff || (code >= 0xe0000 && code <= 0xe0fff);
}

void format_text(struct strbuf *sb, const char *bytes, size_t length, bool utf8)
{
	size_t n;

	for (size_t i = 0; i < length; i += n) {
		n = utf8_sequence(bytes + i, length - i);
		if (n == 0)
			n = 1;
		if (n > 1 && !utf8) {
			for (size_t k = 0; k < n; k++)
				strbuf_printf(sb, "\\x%02x", (unsigned char)bytes[i + k]);
		} else if (n > 1 && is_format_character(decode(bytes + i, n))) {
			strbuf_printf(sb, "\\u{%lx}", decode(bytes + i, n));
		} else {
			strbuf_escape(sb, bytes + i, n);
		}
	}
}

/* The character at s, of length bytes at most: how many it has, and how wide it is. */
static size_t character_at(const char *s, size_t length, size_t *ret_width)
{
	size_t n = (unsigned char)*s < 0x80 ? 1 : utf8_sequence(s, length);
	int width = n > 1 ? wcwidth((wchar_t)decode(s, n)) : 1;

	*ret_width = width < 0 ? 1 : (size_t)width;
	return n ? n : 1;
}

size_t format_width(const char *text)
{
	size_t length = strlen(text), width = 0, w;

	for (size_t i = 0; i < length; width += w)
		i += character_at(text + i, length - i, &w);
	return width;
}

void format_blanks(struct strbuf *sb, size_t columns)
{
	char *at = strbuf_room(sb, columns);

	memset(at, ' ', columns);
	strbuf_ends(sb, at + columns);
}

void format_fit(struct strbuf *sb, const char *text, size_t columns, bool utf8)
{
	const char *ellipsis = utf8 ? "…" : "..";
	size_t mark = utf8 ? 1 : 2, length = strlen(text), used = format_width(text), i = length, n, w;

	if (used > columns) {
		size_t room = columns < mark ? columns : columns - mark;

		for (i = 0, used = 0; i < length; i += n, used += w) {
			n = character_at(text + i, length - i, &w);
			if (used + w > room)
				break;
		}
	}
	strbuf_add(sb, text, i);
	if (i < length && columns >= mark) {
		strbuf_puts(sb, ellipsis);
		used += mark;
	}
	format_blanks(sb, columns - used);
}
