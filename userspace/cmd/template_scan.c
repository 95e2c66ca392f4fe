/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/template_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

/* No characters of their own, but halves of them in UTF-16. */
enum { SURROGATE_FIRST = 0xd800, SURROGATE_LAST = 0xdfff };

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (is_name(text[n]))
		n++;
	return n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* ---- between the actions ---- */

static void drop_blanks_at_end(struct strbuf *out, size_t from)
{
	while (out->length > from && is_blank(out->text[out->length - 1]))
		out->text[--out->length] = '\0';
}

/* Past a comment with its braces; NULL where it has no end. */
static const char *skip_comment(struct scanner *s, const char *at)
{
	const char *end = strstr(at + 2, "*/");

	if (!end)
		return NULL;
	end += 2;
	s->trims = is_blank(end[0]) && end[1] == '-' && !strncmp(end + 2, "}}", 2);
	if (s->trims)
		end += 2;
	return strncmp(end, "}}", 2) ? NULL : end + 2;
}

bool scan_text(struct scanner *s, struct strbuf *out, struct error *err, int *ret)
{
	size_t from = out->length;

	*ret = 0;
	for (;;) {
		const char *inside;
		bool trims;

		for (; s->trims && is_blank(*s->at); s->at++)
			;
		s->trims = false;
		for (; *s->at && strncmp(s->at, "{{", 2) != 0; s->at++) {
			bool escape = s->at[0] == '\\' && (s->at[1] == 't' || s->at[1] == 'n');

			s->at += escape;
			strbuf_putc(out, !escape ? *s->at : *s->at == 't' ? '\t' : '\n');
		}
		if (!*s->at)
			return false;
		trims = s->at[2] == '-' && is_blank(s->at[3]);
		if (trims)
			drop_blanks_at_end(out, from);
		inside = s->at + (trims ? 4 : 2);
		if (strncmp(inside, "/*", 2) != 0) {
			s->at = inside;
			return true;
		}
		s->at = skip_comment(s, inside);
		if (!s->at) {
			*ret = error_set(err, EINVAL, "template parsing error: unclosed comment %s", inside);
			return false;
		}
	}
}

/* ---- in an action ---- */

static const char *end_of_string(const char *at)
{
	char quote = *at++;

	for (; *at && *at != quote; at++) {
		if (*at == '\\' && quote != '`' && at[1])
			at++;
	}
	return *at ? at + 1 : NULL;
}

static size_t number_length(const char *text)
{
	size_t n = *text == '-' || *text == '+';

	while (is_name(text[n]) || text[n] == '.' || ((text[n] == '-' || text[n] == '+') && (text[n - 1] == 'e' || text[n - 1] == 'E')))
		n++;
	return n;
}

static size_t path_length(const char *text)
{
	size_t n = 1 + name_length(text + 1);

	while (n > 1 && text[n] == '.' && is_name(text[n + 1]))
		n += 1 + name_length(text + n + 1);
	return n;
}

static void set(struct token *t, enum token_kind kind, size_t length)
{
	t->kind = kind;
	t->length = length;
}

int scan_token(struct scanner *s, struct token *ret, struct error *err)
{
	static const char single[] = "()|,=";
	static const enum token_kind kinds[] = { TOKEN_OPEN_PAREN, TOKEN_CLOSE_PAREN, TOKEN_PIPE, TOKEN_COMMA, TOKEN_ASSIGN };
	const char *begin = s->at, *end;

	while (is_blank(*s->at))
		s->at++;
	*ret = (struct token){ .text = s->at, .spaced = s->at > begin };
	s->trims = ret->spaced && !strncmp(s->at, "-}}", 3);
	if (s->trims || !strncmp(s->at, "}}", 2))
		set(ret, TOKEN_CLOSE, s->trims ? 3 : 2);
	else if (!*s->at)
		return error_set(err, EINVAL, "template parsing error: unclosed action: }} is missing");
	else if (*s->at == '"' || *s->at == '`' || *s->at == '\'') {
		end = end_of_string(s->at);
		if (!end)
			return error_set(err, EINVAL, "template parsing error: unterminated quoted string %s", s->at);
		set(ret, *s->at == '\'' ? TOKEN_NUMBER : TOKEN_STRING, (size_t)(end - s->at));
	} else if (isdigit((unsigned char)*s->at) || ((*s->at == '-' || *s->at == '+') && isdigit((unsigned char)s->at[1])))
		set(ret, TOKEN_NUMBER, number_length(s->at));
	else if (*s->at == '.')
		set(ret, TOKEN_PATH, path_length(s->at));
	else if (*s->at == '$')
		set(ret, TOKEN_VARIABLE, 1 + name_length(s->at + 1));
	else if (is_name(*s->at))
		set(ret, TOKEN_WORD, name_length(s->at));
	else if (!strncmp(s->at, ":=", 2))
		set(ret, TOKEN_DECLARE, 2);
	else if (strchr(single, *s->at))
		set(ret, kinds[strchr(single, *s->at) - single], 1);
	else
		return error_set(err, EINVAL, "template parsing error: unexpected \"%.1s\" in {{...%.*s", s->at,
			(int)strcspn(s->at, "}"), s->at);
	s->at += ret->length;
	return 0;
}

/* ---- what a literal stands for ---- */

static void put_utf8(struct strbuf *out, uint32_t c)
{
	if (c < 0x80) {
		strbuf_putc(out, (char)c);
	} else if (c < 0x800) {
		strbuf_putc(out, (char)(0xc0 | c >> 6));
		strbuf_putc(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		strbuf_putc(out, (char)(0xe0 | c >> 12));
		strbuf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_putc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		strbuf_putc(out, (char)(0xf0 | c >> 18));
		strbuf_putc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		strbuf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_putc(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* What follows a backslash, up to end; NULL: no escape of Go's. */
static const char *put_escape(struct strbuf *out, const char *at, const char *end)
{
	static const char letters[] = "abfnrtv\\\"'", bytes[] = "\a\b\f\n\r\t\v\\\"'";
	const char *letter = strchr(letters, *at);
	size_t digits = *at == 'x' ? 2 : *at == 'u' ? 4 : *at == 'U' ? 8 : 3;
	int base = digits == 3 ? 8 : 16;
	char text[9] = "";
	uint32_t value;

	if (*at && letter) {
		strbuf_putc(out, bytes[letter - letters]);
		return at + 1;
	}
	at += base == 16;
	if ((size_t)(end - at) < digits)
		return NULL;
	memcpy(text, at, digits);
	value = (uint32_t)strtoul(text, NULL, base);
	if (strspn(text, base == 8 ? "01234567" : "0123456789abcdefABCDEF") != digits || value > (base == 8 ? 0xff : 0x10ffff) ||
		(value >= SURROGATE_FIRST && value <= SURROGATE_LAST))
		return NULL;
	if (digits > 3)
		put_utf8(out, value);
	else
		strbuf_putc(out, (char)value);
	return at + digits;
}

static int unquote(const struct token *t, struct strbuf *out, struct error *err)
{
	const char *at = t->text + 1, *end = t->text + t->length - 1;

	while (at && at < end) {
		if (*at == '\\' && *t->text != '`')
			at = put_escape(out, at + 1, end);
		else
			strbuf_putc(out, *at++);
	}
	return at ? 0 : error_set(err, EINVAL, "template parsing error: invalid syntax: %.*s", (int)t->length, t->text);
}

/* 'x' is its number. */
static int64_t first_character(const struct strbuf *sb)
{
	size_t n = sb->length ? utf8_sequence(sb->text, sb->length) : 0;
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	int64_t value;

	if (!n || n != sb->length)
		return -1;
	value = (unsigned char)sb->text[0] & masks[n];
	for (size_t i = 1; i < n; i++)
		value = value << 6 | (sb->text[i] & 0x3f);
	return value;
}

static int read_number(const struct token *t, json_object **ret, struct error *err)
{
	_cleanup_free_ char *text = xstrndup(t->text, t->length);
	char *end;
	long long whole;
	double broken;

	errno = 0;
	whole = strtoll(text, &end, 0);
	if (!*end && errno == 0) {
		*ret = json_object_new_int64(whole);
		return 0;
	}
	broken = strtod(text, &end);
	if (*end)
		return error_set(err, EINVAL, "template parsing error: bad number syntax: \"%s\"", text);
	*ret = json_object_new_double(broken);
	return 0;
}

int scan_literal(const struct token *t, json_object **ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	int r;

	if (t->kind == TOKEN_NUMBER && *t->text != '\'')
		return read_number(t, ret, err);
	strbuf_puts(&sb, "");
	r = unquote(t, &sb, err);
	if (r < 0)
		return r;
	if (t->kind == TOKEN_STRING) {
		*ret = json_object_new_string_len(sb.text, (int)sb.length);
		return 0;
	}
	if (first_character(&sb) < 0)
		return error_set(err, EINVAL, "template parsing error: malformed character constant: %.*s", (int)t->length, t->text);
	*ret = json_object_new_int64(first_character(&sb));
	return 0;
}
