/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/template_printf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/template.h"
#include "cmd/template_internal.h"
#include "util/cleanup.h"

enum { WIDTH_MAX = 4096 };

struct verb {
	char flags[8];
	int width, precision; /* 0 and -1: none */
	char letter;
};

static int read_number(const char **at)
{
	int value = 0;

	for (; isdigit((unsigned char)**at); (*at)++)
		value = value > WIDTH_MAX ? value : value * 10 + (**at - '0');
	return value;
}

/* Behind the '%'. */
static const char *read_verb(const char *at, struct verb *ret)
{
	size_t flags = 0;

	*ret = (struct verb){ .precision = -1 };
	for (; *at && strchr("-+# 0", *at); at++) {
		if (flags < sizeof(ret->flags) - 1 && !strchr(ret->flags, *at))
			ret->flags[flags++] = *at;
	}
	ret->width = read_number(&at);
	if (*at == '.') {
		at++;
		ret->precision = read_number(&at);
	}
	ret->letter = *at;
	return *at ? at + 1 : at;
}

/* Filled to its width, with what a precision leaves of it. */
static void put_text(struct strbuf *out, const struct verb *v, const char *text)
{
	size_t length = strlen(text), width = 0, cut = 0;

	while (cut < length && (v->precision < 0 || width < (size_t)v->precision)) {
		size_t n = utf8_sequence(text + cut, length - cut);

		cut += n ? n : 1;
		width++;
	}
	if (!strchr(v->flags, '-') && (int)width < v->width)
		strbuf_printf(out, "%*s", v->width - (int)width, "");
	strbuf_add(out, text, cut);
	if (strchr(v->flags, '-') && (int)width < v->width)
		strbuf_printf(out, "%*s", v->width - (int)width, "");
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
/* By C's printf, which has the same flags. */
static void put_number(struct strbuf *out, const struct verb *v, json_object *value)
{
	char format[32], precision[16] = "";

	if (v->precision >= 0)
		snprintf(precision, sizeof(precision), ".%d", v->precision);
	if (strchr("feg", v->letter)) {
		snprintf(format, sizeof(format), "%%%s*%s%c", v->flags, precision, v->letter);
		strbuf_printf(out, format, v->width, json_object_get_double(value));
	} else {
		snprintf(format, sizeof(format), "%%%s*%sll%c", v->flags, precision, v->letter);
		strbuf_printf(out, format, v->width, (long long)json_object_get_int64(value));
	}
}
#pragma GCC diagnostic pop

static int put_verb(struct strbuf *out, const struct verb *v, json_object *value, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	json_type type = json_object_get_type(value);

	if (v->letter == 'c' && type == json_type_int && json_object_get_int64(value) >= 0 && json_object_get_int64(value) < 0x80)
		strbuf_putc(&text, (char)json_object_get_int64(value));
	else if (v->letter == 'v' || v->letter == 's' || (v->letter == 't' && type == json_type_boolean))
		template_put_value(&text, value);
	else if (v->letter == 'q' && type == json_type_string)
		template_json(&text, value, JSON_C_TO_STRING_PLAIN);
	else if (strchr("xXo", v->letter) && type == json_type_int && json_object_get_int64(value) < 0) /* Go: -ff, C: two's complement */
		return error_set(err, EDOM, "template: error calling printf: %%%c of a negative number is not supported", v->letter);
	else if ((strchr("dxXo", v->letter) && type == json_type_int) || (strchr("feg", v->letter) && type == json_type_double))
		put_number(out, v, value);
	else
		return error_set(err, EDOM, "template: error calling printf: %%%c of a value of type %s is not supported", v->letter,
			template_type(value));
	if (text.text)
		put_text(out, v, text.text);
	return 0;
}

int template_printf(const char *format, json_object **values, size_t count, struct strbuf *out, struct error *err)
{
	size_t used = 0;
	int r = 0;

	while (r == 0 && *format) {
		size_t plain = strcspn(format, "%");
		struct verb v;

		strbuf_add(out, format, plain);
		format += plain;
		if (!*format)
			break;
		format = read_verb(format + 1, &v);
		if (v.letter == '%')
			strbuf_putc(out, '%');
		else if (!v.letter || v.width > WIDTH_MAX || v.precision > WIDTH_MAX)
			r = error_set(err, EDOM, "template: error calling printf: no verb, or a width beyond %d", WIDTH_MAX);
		else if (used == count)
			r = error_set(err, EDOM, "template: error calling printf: no value for %%%c", v.letter);
		else
			r = put_verb(out, &v, values[used++], err);
	}
	if (r == 0 && used < count)
		r = error_set(err, EDOM, "template: error calling printf: %zu values, but only %zu verbs", count, used);
	return r;
}
