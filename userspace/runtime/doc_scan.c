/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 8259 to the letter, before json-c reads the same text: json-c takes comments and text behind the end, keeps the
 * last of two members of one name, ends a name at \u0000 and turns a number beyond 64 bits into the largest there is.
 * Others read such a document otherwise than we do, so it is refused, with the place where it is wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/doc.h"
#include "runtime/doc_internal.h"
#include "util/cleanup.h"
#include "util/map.h"
#include "util/strbuf.h"

struct scan {
	const char *start, *at, *end;
	struct error *err;
};

static int value(struct scan *s, const struct doc *d, unsigned depth);

static int wrong(const struct scan *s, const struct doc *d, const char *what)
{
	if (!d->parent)
		return error_set(s->err, EINVAL, "not a JSON object: %s at byte %zu", what,
			(size_t)(s->at - s->start));
	return doc_error(d, NULL, s->err, "%s at byte %zu", what, (size_t)(s->at - s->start));
}

static char peek(const struct scan *s)
{
	return s->at < s->end ? *s->at : '\0';
}

static void skip_space(struct scan *s)
{
	while (s->at < s->end && strchr(" \t\r\n", *s->at) && *s->at)
		s->at++;
}

/* Takes the character c, with the white space before it. */
static bool take(struct scan *s, char c)
{
	skip_space(s);
	if (peek(s) != c)
		return false;
	s->at++;
	return true;
}

static bool hex4(const struct scan *s, const char *at, unsigned *ret)
{
	char digits[5] = "";

	if (s->end - at < 4)
		return false;
	memcpy(digits, at, 4);
	*ret = (unsigned)strtoul(digits, NULL, 16);
	return strspn(digits, "0123456789abcdefABCDEF") == 4;
}

static void put_utf8(struct strbuf *sb, unsigned c)
{
	if (c < 0x80) {
		strbuf_putc(sb, (char)c);
	} else if (c < 0x800) {
		strbuf_putc(sb, (char)(0xc0 | c >> 6));
		strbuf_putc(sb, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		strbuf_putc(sb, (char)(0xe0 | c >> 12));
		strbuf_putc(sb, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_putc(sb, (char)(0x80 | (c & 0x3f)));
	} else {
		strbuf_putc(sb, (char)(0xf0 | c >> 18));
		strbuf_putc(sb, (char)(0x80 | (c >> 12 & 0x3f)));
		strbuf_putc(sb, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_putc(sb, (char)(0x80 | (c & 0x3f)));
	}
}

/* What follows "\u": one code point, of two surrogates where there are two; half a pair is U+FFFD, as json-c has it. */
static bool take_unicode(struct scan *s, struct strbuf *into)
{
	unsigned c, low = 0;

	if (!hex4(s, s->at, &c))
		return false;
	s->at += 4;
	if (c >= 0xd800 && c < 0xdc00 && s->end - s->at >= 6 && s->at[0] == '\\' && s->at[1] == 'u' &&
		hex4(s, s->at + 2, &low) && low >= 0xdc00 && low < 0xe000) {
		s->at += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xd800 && c < 0xe000) {
		c = 0xfffd;
	}
	put_utf8(into, c);
	return true;
}

static bool take_escape(struct scan *s, struct strbuf *into)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = peek(s);
	const char *known = c ? strchr(from, c) : NULL;

	s->at++;
	if (c == 'u')
		return take_unicode(s, into);
	if (known)
		strbuf_putc(into, to[known - from]);
	return known != NULL;
}

/* The string at an opening quote, decoded. */
static int string(struct scan *s, const struct doc *d, struct strbuf *ret)
{
	strbuf_reset(ret);
	for (s->at++; s->at < s->end && *s->at != '"';) {
		const char *plain = s->at;

		while (s->at < s->end && *s->at != '"' && *s->at != '\\' && (unsigned char)*s->at >= 0x20)
			s->at++;
		strbuf_add(ret, plain, (size_t)(s->at - plain));
		if (s->at == s->end || *s->at == '"')
			continue;
		if (*s->at != '\\')
			return wrong(s, d, "a control character in a string");
		s->at++;
		if (!take_escape(s, ret))
			return wrong(s, d, "an unknown escape in a string");
	}
	if (s->at >= s->end)
		return wrong(s, d, "a string without end");
	s->at++;
	return 0;
}

static int check_name(const struct doc *d, const struct strbuf *name, struct map *names, struct error *err)
{
	const char *text = name->text ? name->text : "";

	for (size_t i = 0, n; i < name->length; i += n) {
		n = utf8_sequence(text + i, name->length - i);
		if (n == 0)
			return doc_error(d, text, err, "the name is not UTF-8");
	}
	if (name->length != strlen(text))
		return doc_error(d, text, err, "the name contains a NUL byte");
	if (map_put(names, text, name->length, names))
		return doc_error(d, text, err, "it is there twice");
	return 0;
}

static int object(struct scan *s, const struct doc *d, unsigned depth)
{
	_cleanup_(map_free) struct map names = { 0 };
	_cleanup_(strbuf_free) struct strbuf name = { 0 };

	s->at++;
	if (take(s, '}'))
		return 0;
	do {
		struct doc member = { .parent = d };
		int r;

		skip_space(s);
		if (peek(s) != '"')
			return wrong(s, d, "no name of a member");
		r = string(s, d, &name);
		if (r == 0)
			r = check_name(d, &name, &names, s->err);
		member.key = name.text ? name.text : "";
		if (r == 0 && !take(s, ':'))
			r = wrong(s, &member, "no ':'");
		if (r == 0)
			r = value(s, &member, depth + 1);
		if (r < 0)
			return r;
	} while (take(s, ','));
	return take(s, '}') ? 0 : wrong(s, d, "neither ',' nor '}'");
}

static int array(struct scan *s, const struct doc *d, unsigned depth)
{
	struct doc element = { .parent = d };

	s->at++;
	if (take(s, ']'))
		return 0;
	do {
		int r = value(s, &element, depth + 1);

		if (r < 0)
			return r;
		element.index++;
	} while (take(s, ','));
	return take(s, ']') ? 0 : wrong(s, d, "neither ',' nor ']'");
}

static size_t take_digits(struct scan *s)
{
	const char *first = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return (size_t)(s->at - first);
}

static int number(struct scan *s, const struct doc *d)
{
	const char *first = s->at;
	char text[24];
	size_t digits;
	bool good, whole = true;

	s->at += *s->at == '-';
	good = peek(s) == '0' ? (s->at++, true) : take_digits(s) > 0;
	digits = (size_t)(s->at - first);
	if (good && peek(s) == '.') {
		s->at++;
		whole = false;
		good = take_digits(s) > 0;
	}
	if (good && (peek(s) == 'e' || peek(s) == 'E')) {
		s->at++;
		s->at += peek(s) == '+' || peek(s) == '-';
		whole = false;
		good = take_digits(s) > 0;
	}
	if (!good)
		return wrong(s, d, "neither a value nor a number");
	if (!whole)
		return 0;
	snprintf(text, sizeof(text), "%.*s", (int)(digits < sizeof(text) ? digits : sizeof(text)), first);
	errno = 0;
	if (*text == '-')
		strtoll(text, NULL, 10);
	else
		strtoull(text, NULL, 10);
	return errno == ERANGE ? doc_error(d, NULL, s->err, "%.*s does not fit into 64 bits",
				       (int)(digits < 40 ? digits : 40), first)
			       : 0;
}

static int word(struct scan *s, const struct doc *d)
{
	static const char *const words[] = { "true", "false", "null", NULL };

	for (const char *const *w = words; *w; w++) {
		size_t length = strlen(*w);

		if ((size_t)(s->end - s->at) >= length && !strncmp(s->at, *w, length)) {
			s->at += length;
			return 0;
		}
	}
	return number(s, d);
}

static int value(struct scan *s, const struct doc *d, unsigned depth)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	skip_space(s);
	if (depth > DOC_DEPTH_MAX)
		return wrong(s, d, "nesting too deep");
	if (s->at == s->end)
		return wrong(s, d, "an early end");
	switch (*s->at) {
	case '{':
		return object(s, d, depth);
	case '[':
		return array(s, d, depth);
	case '"':
		return string(s, d, &text);
	default:
		return word(s, d);
	}
}

int doc_scan(const char *text, size_t length, struct error *err)
{
	const struct doc top = { 0 };
	struct scan s = { text, text, text + length, err };
	int r;

	skip_space(&s);
	if (peek(&s) != '{')
		return wrong(&s, &top, s.at == s.end ? "an early end" : "no '{'");
	r = value(&s, &top, 1);
	if (r < 0)
		return r;
	skip_space(&s);
	return s.at == s.end ? 0 : wrong(&s, &top, "something behind the end");
}
