/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that templates have: Go's, and those that docker's client adds. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/template.h"
#include "cmd/template_internal.h"
#include "cmd/template_printf.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { PAD_MAX = 4096 };

json_object *template_keep(json_object *kept, json_object *value)
{
	if (value)
		json_object_array_add(kept, value);
	return value;
}

const char *template_type(json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_boolean: return "bool";
	case json_type_double: return "float64";
	case json_type_int: return "int";
	case json_type_object: return "map";
	case json_type_array: return "list";
	case json_type_string: return "string";
	default: return "nil";
	}
}

/* As Go has it: not false, 0, "", nil, nor what has no elements. */
bool template_is_true(json_object *value)
{
	if (json_object_is_type(value, json_type_array))
		return json_object_array_length(value) > 0;
	if (json_object_is_type(value, json_type_object))
		return json_object_object_length(value) > 0;
	return json_object_get_boolean(value);
}

/* -EDOM, as everything that goes wrong only with these values. */
static int wrong(const struct call *c, struct error *err, const char *text)
{
	return error_set(err, EDOM, "template: error calling %s: %s", c->name, text);
}

static int wrong_type(const struct call *c, size_t i, const char *expected, struct error *err)
{
	return error_set(err, EDOM, "template: error calling %s: wrong type for value; expected %s; got %s", c->name, expected,
		template_type(c->arguments[i]));
}

static int get_text(const struct call *c, size_t i, const char **ret, struct error *err)
{
	if (!json_object_is_type(c->arguments[i], json_type_string))
		return wrong_type(c, i, "string", err);
	*ret = json_object_get_string(c->arguments[i]);
	return 0;
}

static int get_number(const struct call *c, size_t i, int64_t *ret, struct error *err)
{
	if (!json_object_is_type(c->arguments[i], json_type_int))
		return wrong_type(c, i, "int", err);
	*ret = json_object_get_int64(c->arguments[i]);
	return 0;
}

static json_object *new_text(struct call *c, const struct strbuf *sb)
{
	return template_keep(c->kept, json_object_new_string_len(sb->text ? sb->text : "", (int)sb->length));
}

static json_object *new_bool(struct call *c, bool value)
{
	return template_keep(c->kept, json_object_new_boolean(value));
}

/* ---- Go's ---- */

static int call_not(struct call *c, json_object **ret, struct error *err)
{
	(void)err;
	*ret = new_bool(c, !template_is_true(c->arguments[0]));
	return 0;
}

static int call_len(struct call *c, json_object **ret, struct error *err)
{
	json_object *o = c->arguments[0];
	int64_t length;

	if (json_object_is_type(o, json_type_array))
		length = (int64_t)json_object_array_length(o);
	else if (json_object_is_type(o, json_type_object))
		length = json_object_object_length(o);
	else if (json_object_is_type(o, json_type_string))
		length = json_object_get_string_len(o);
	else
		return error_set(err, EDOM, "template: error calling len: len of type %s", template_type(o));
	*ret = template_keep(c->kept, json_object_new_int64(length));
	return 0;
}

/* A key that is not there is "": so it is in docker's labels, and as good as nothing elsewhere. */
static int index_one(struct call *c, json_object *o, size_t i, json_object **ret, struct error *err)
{
	const char *key;
	int64_t at, length;
	int r;

	if (json_object_is_type(o, json_type_object)) {
		r = get_text(c, i, &key, err);
		if (r == 0 && !json_object_object_get_ex(o, key, ret))
			*ret = template_keep(c->kept, json_object_new_string(""));
		return r;
	}
	if (!json_object_is_type(o, json_type_array) && !json_object_is_type(o, json_type_string))
		return error_set(err, EDOM, "template: error calling index: can't index item of type %s", template_type(o));
	r = get_number(c, i, &at, err);
	if (r < 0)
		return r;
	length = json_object_is_type(o, json_type_array) ? (int64_t)json_object_array_length(o) : json_object_get_string_len(o);
	if (at < 0 || at >= length)
		return error_set(err, EDOM, "template: error calling index: index out of range: %lld", (long long)at);
	*ret = json_object_is_type(o, json_type_array) ? json_object_array_get_idx(o, (size_t)at)
		: template_keep(c->kept, json_object_new_int64((unsigned char)json_object_get_string(o)[at]));
	return 0;
}

static int call_index(struct call *c, json_object **ret, struct error *err)
{
	json_object *o = c->arguments[0];
	int r = 0;

	for (size_t i = 1; r == 0 && i < c->count; i++)
		r = index_one(c, o, i, &o, err);
	*ret = o;
	return r;
}

static int call_slice(struct call *c, json_object **ret, struct error *err)
{
	json_object *o = c->arguments[0];
	bool list = json_object_is_type(o, json_type_array);
	int64_t from = 0, length, to;
	int r = 0;

	if (!list && !json_object_is_type(o, json_type_string))
		return error_set(err, EDOM, "template: error calling slice: can't slice item of type %s", template_type(o));
	length = to = list ? (int64_t)json_object_array_length(o) : json_object_get_string_len(o);
	if (c->count > 1)
		r = get_number(c, 1, &from, err);
	if (r == 0 && c->count > 2)
		r = get_number(c, 2, &to, err);
	if (r < 0)
		return r;
	if (from < 0 || to < from || to > length)
		return error_set(err, EDOM, "template: error calling slice: index out of range: %lld", (long long)(from < 0 || from > length ? from : to));
	if (!list) {
		*ret = template_keep(c->kept, json_object_new_string_len(json_object_get_string(o) + from, (int)(to - from)));
		return 0;
	}
	*ret = template_keep(c->kept, json_object_new_array());
	for (; from < to; from++)
		json_object_array_add(*ret, json_object_get(json_object_array_get_idx(o, (size_t)from)));
	return 0;
}

/* Less than, equal to, greater than 0, of two of one type. */
static int compare(const struct call *c, json_object *a, json_object *b, int *ret, struct error *err)
{
	json_type type = json_object_get_type(a);

	if (type != json_object_get_type(b))
		return wrong(c, err, "incompatible types for comparison");
	if (type == json_type_string) {
		*ret = strcmp(json_object_get_string(a), json_object_get_string(b));
	} else if (type == json_type_int) {
		int64_t x = json_object_get_int64(a), y = json_object_get_int64(b);

		*ret = (x > y) - (x < y);
	} else if (type == json_type_double) {
		double x = json_object_get_double(a), y = json_object_get_double(b);

		*ret = (x > y) - (x < y);
	} else if (type == json_type_boolean && (*c->name == 'e' || *c->name == 'n')) {
		*ret = json_object_get_boolean(a) != json_object_get_boolean(b);
	} else {
		return wrong(c, err, "invalid type for comparison");
	}
	return 0;
}

static int same(const struct call *c, size_t i, bool *ret, struct error *err)
{
	int order, r;

	if (!c->arguments[0] || !c->arguments[i]) {
		*ret = c->arguments[0] == c->arguments[i];
		return 0;
	}
	r = compare(c, c->arguments[0], c->arguments[i], &order, err);
	*ret = r == 0 && order == 0;
	return r;
}

/* eq A B C: A is B or C. */
static int call_eq(struct call *c, json_object **ret, struct error *err)
{
	bool equal = false;
	int r = 0;

	for (size_t i = 1; r == 0 && !equal && i < c->count; i++)
		r = same(c, i, &equal, err);
	*ret = new_bool(c, equal);
	return r;
}

static int call_ne(struct call *c, json_object **ret, struct error *err)
{
	bool equal;
	int r = same(c, 1, &equal, err);

	*ret = new_bool(c, !equal);
	return r;
}

static int call_order(struct call *c, json_object **ret, struct error *err)
{
	int order = 0, r = compare(c, c->arguments[0], c->arguments[1], &order, err);
	bool less = *c->name == 'l', equal = c->name[1] == 'e';

	*ret = new_bool(c, order == 0 ? equal : less == (order < 0));
	return r;
}

/* A blank stands between two of which neither is a string. */
static int call_print(struct call *c, json_object **ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	(void)err;
	for (size_t i = 0; i < c->count; i++) {
		if (i && !json_object_is_type(c->arguments[i], json_type_string) &&
			!json_object_is_type(c->arguments[i - 1], json_type_string))
			strbuf_putc(&sb, ' ');
		template_put_value(&sb, c->arguments[i]);
	}
	*ret = new_text(c, &sb);
	return 0;
}

static int call_println(struct call *c, json_object **ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	(void)err;
	for (size_t i = 0; i < c->count; i++) {
		strbuf_puts(&sb, i ? " " : "");
		template_put_value(&sb, c->arguments[i]);
	}
	strbuf_putc(&sb, '\n');
	*ret = new_text(c, &sb);
	return 0;
}

static int call_printf(struct call *c, json_object **ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	const char *format;
	int r = get_text(c, 0, &format, err);

	if (r == 0)
		r = template_printf(format, c->arguments + 1, c->count - 1, &sb, err);
	*ret = new_text(c, &sb);
	return r;
}

/* ---- docker's ---- */

static int call_json(struct call *c, json_object **ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	(void)err;
	template_json(&sb, c->arguments[0], JSON_C_TO_STRING_PLAIN);
	*ret = new_text(c, &sb);
	return 0;
}

static int call_split(struct call *c, json_object **ret, struct error *err)
{
	const char *text, *by;
	int r = get_text(c, 0, &text, err);

	if (r == 0)
		r = get_text(c, 1, &by, err);
	if (r < 0)
		return r;
	*ret = template_keep(c->kept, json_object_new_array());
	for (;;) {
		const char *end = *by ? strstr(text, by) : *text ? text + utf8_sequence(text, strlen(text)) + !utf8_sequence(text, strlen(text)) : NULL;

		if (!*by && !end)
			return 0;
		json_object_array_add(*ret, end ? json_object_new_string_len(text, (int)(end - text)) : json_object_new_string(text));
		if (!end)
			return 0;
		text = end + strlen(by);
	}
}

static int call_join(struct call *c, json_object **ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	const char *by;
	int r = get_text(c, 1, &by, err);

	if (r == 0 && !json_object_is_type(c->arguments[0], json_type_array) && c->arguments[0])
		return wrong_type(c, 0, "list of strings", err);
	for (size_t i = 0; r == 0 && c->arguments[0] && i < json_object_array_length(c->arguments[0]); i++) {
		json_object *element = json_object_array_get_idx(c->arguments[0], i);

		if (!json_object_is_type(element, json_type_string))
			return wrong(c, err, "wrong type for value; expected list of strings");
		strbuf_puts(&sb, i ? by : "");
		strbuf_add(&sb, json_object_get_string(element), (size_t)json_object_get_string_len(element));
	}
	*ret = new_text(c, &sb);
	return r;
}

/* upper, lower, title: of ASCII's letters. */
static int call_case(struct call *c, json_object **ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	const char *text;
	int r = get_text(c, 0, &text, err);
	bool inside = false; /* a word */

	for (; r == 0 && *text; text++) {
		unsigned char letter = (unsigned char)*text;
		bool up = *c->name == 'u' || (*c->name == 't' && !inside);

		strbuf_putc(&sb, (char)(up ? toupper(letter) : *c->name == 'l' ? tolower(letter) : letter));
		inside = isalnum(letter) || letter == '_' || letter >= 0x80;
	}
	*ret = new_text(c, &sb);
	return r;
}

/* pad TEXT BEFORE AFTER: blanks around it, unless it is empty. */
static int call_pad(struct call *c, json_object **ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	const char *text;
	int64_t before = 0, after = 0;
	int r = get_text(c, 0, &text, err);

	if (r == 0)
		r = get_number(c, 1, &before, err);
	if (r == 0)
		r = get_number(c, 2, &after, err);
	if (r == 0 && (before < 0 || after < 0 || before > PAD_MAX || after > PAD_MAX))
		return wrong(c, err, "a number of blanks is out of range");
	if (r == 0)
		strbuf_printf(&sb, "%*s%s%*s", *text ? (int)before : 0, "", text, *text ? (int)after : 0, "");
	*ret = new_text(c, &sb);
	return r;
}

static int call_truncate(struct call *c, json_object **ret, struct error *err)
{
	const char *text;
	int64_t length = 0;
	int r = get_text(c, 0, &text, err);

	if (r == 0)
		r = get_number(c, 1, &length, err);
	if (r == 0 && length < 0)
		return wrong(c, err, "the length is below 0");
	if (r == 0)
		*ret = template_keep(c->kept, json_object_new_string_len(text, (int)strnlen(text, (size_t)length)));
	return r;
}

/* ---- the table ---- */

enum { ANY = 1000 };

static const struct function {
	const char *name;
	size_t least, most;
	int (*call)(struct call *c, json_object **ret, struct error *err); /* NULL: the executor's, which need not evaluate all */
	bool plain_in_heading;
} functions[] = {
	{ "and", 1, ANY, NULL, false }, { "or", 1, ANY, NULL, false }, { "not", 1, 1, call_not, false },
	{ "eq", 2, ANY, call_eq, false }, { "ne", 2, 2, call_ne, false }, { "lt", 2, 2, call_order, false },
	{ "le", 2, 2, call_order, false }, { "gt", 2, 2, call_order, false }, { "ge", 2, 2, call_order, false },
	{ "index", 1, ANY, call_index, false }, { "slice", 1, 3, call_slice, false }, { "len", 1, 1, call_len, false },
	{ "print", 0, ANY, call_print, false }, { "printf", 1, ANY, call_printf, false }, { "println", 0, ANY, call_println, false },
	{ "json", 1, 1, call_json, true }, { "split", 2, 2, call_split, true }, { "join", 2, 2, call_join, true },
	{ "title", 1, 1, call_case, true }, { "lower", 1, 1, call_case, true }, { "upper", 1, 1, call_case, true },
	{ "pad", 3, 3, call_pad, false }, { "truncate", 2, 2, call_truncate, true },
};

static const struct function *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (!strcmp(functions[i].name, name))
			return &functions[i];
	}
	return NULL;
}

bool template_has_function(const char *name)
{
	return find(name) != NULL;
}

bool template_lacks_function(const char *name)
{
	static const char *const names[] = { "call", "html", "js", "urlquery" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return false;
}

int template_call(struct call *c, json_object **ret, struct error *err)
{
	const struct function *f = find(c->name);

	*ret = NULL;
	if (c->count < f->least || c->count > f->most)
		return error_set(err, EINVAL, "template: wrong number of args for %s: want %s%zu got %zu", c->name,
			f->least < f->most ? c->count < f->least ? "at least " : "at most " : "",
			c->count < f->least ? f->least : f->most, c->count);
	if (c->heading && f->plain_in_heading) {
		*ret = c->arguments[0];
		return 0;
	}
	return f->call(c, ret, err);
}
