/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/json_repair.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { WORDS_MAX = 5 };

struct action {
	char *words[WORDS_MAX]; /* "json", ".A.B" or ".A.B", or "index", ".A", "\"key\"", or "range", "$k", "$v", ":=", ".A" */
	size_t count;
	const char *text; /* all between the braces */
	size_t length;
};

/* What "." is, and what a range calls its key and its element: "" where it has no names for them. */
struct scope {
	json_object *dot;
	struct {
		const char *name;
		json_object *value;
	} variables[2];
	const struct scope *outer;
};

static void action_free(struct action *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->words[i]);
}

static int refuse(const struct action *a, struct error *err)
{
	return error_set(err, EINVAL, "template parsing error: ctrace understands {{.Field.Field}}, {{json .Field}}, "
		"{{index .Field \"key\"}}, {{len .Field}}, {{println .Field}}, {{range .Field}}...{{end}} and "
		"{{if .Field}}...{{else}}...{{end}}, not {{%.*s}}", (int)a->length, a->text);
}

static int split(struct action *a, struct error *err)
{
	const char *text = a->text;
	size_t i = 0;

	while (i < a->length) {
		size_t begin;

		if (isspace((unsigned char)text[i]) || text[i] == ',') {
			i++;
			continue;
		}
		begin = i;
		if (text[i] == '"') {
			for (i++; i < a->length && text[i] != '"'; i++)
				;
			i++;
		} else {
			while (i < a->length && !isspace((unsigned char)text[i]) && text[i] != ',')
				i++;
		}
		if (a->count == WORDS_MAX || i > a->length)
			return refuse(a, err);
		a->words[a->count++] = xstrndup(text + begin, i - begin);
	}
	return a->count ? 0 : refuse(a, err);
}

/* ".A.B" from o; -ENOENT names what is missing. */
static int follow(const char *path, json_object *o, json_object **ret, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(path + 1);
	char *rest = copy, *name;

	*ret = o;
	while ((name = strsep(&rest, "."))) {
		if (!*name)
			continue;
		if (!json_object_is_type(*ret, json_type_object) || !json_object_object_get_ex(*ret, name, ret))
			return error_set(err, ENOENT, "template: can't evaluate field %s in %s", name, path);
	}
	return 0;
}

/* ".A.B", or "$v.A" of a range around. */
static int resolve(const char *path, const struct scope *s, json_object **ret, struct error *err)
{
	size_t length = strcspn(path, ".");

	if (*path == '.')
		return follow(path, s->dot, ret, err);
	for (; s; s = s->outer) {
		for (size_t i = 0; i < ARRAY_SIZE(s->variables); i++) {
			const char *name = s->variables[i].name;

			if (name && strlen(name) == length && !strncmp(name, path, length))
				return follow(path[length] ? path + length : ".", s->variables[i].value, ret, err);
		}
	}
	return error_set(err, EINVAL, "template parsing error: undefined variable \"%.*s\"", (int)length, path);
}

/* As Go prints a slice of strings or numbers: "[a b]". */
static bool put_list(struct strbuf *out, json_object *value)
{
	size_t count = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;

	for (size_t i = 0; i < count; i++) {
		json_object *element = json_object_array_get_idx(value, i);

		if (json_object_is_type(element, json_type_object) || json_object_is_type(element, json_type_array))
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(value, i));

		strbuf_printf(out, "%s%s", i ? " " : "[", text ? text : "<nil>");
	}
	strbuf_puts(out, count ? "]" : "[]");
	return true;
}

void template_json(struct strbuf *out, json_object *o, int flags)
{
	size_t length;
	const char *text = json_object_to_json_string_length(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE, &length);

	json_add_repaired(out, text, length);
}

static void put_value(struct strbuf *out, json_object *value, bool json)
{
	const char *text;

	if (!json && json_object_is_type(value, json_type_array) && put_list(out, value))
		return;
	if (json || json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array)) {
		template_json(out, value, JSON_C_TO_STRING_PLAIN);
		return;
	}
	text = json_object_get_string(value);
	strbuf_puts(out, text ? text : "<no value>");
}

static int index_value(json_object *o, const char *word, json_object **ret, struct error *err)
{
	_cleanup_free_ char *key = xstrdup(word + (*word == '"'));

	key[strcspn(key, "\"")] = '\0';
	if (json_object_is_type(o, json_type_array)) {
		*ret = json_object_array_get_idx(o, (size_t)strtoul(key, NULL, 10));
		return *ret ? 0 : error_set(err, ERANGE, "template: index out of range: %s", key);
	}
	if (!json_object_object_get_ex(o, key, ret))
		*ret = NULL;
	return 0;
}

/* As Go has it: not false, 0, "", null, nor what has no elements. */
static bool is_true(json_object *value)
{
	if (json_object_is_type(value, json_type_array))
		return json_object_array_length(value) > 0;
	if (json_object_is_type(value, json_type_object))
		return json_object_object_length(value) > 0;
	return json_object_get_boolean(value);
}

static int run(const struct action *a, const struct scope *s, struct strbuf *out, struct error *err)
{
	bool plain = a->count == 1, line = a->count == 2 && !strcmp(a->words[0], "println"), json = a->count == 2 && !strcmp(a->words[0], "json");
	bool count = a->count == 2 && !strcmp(a->words[0], "len");
	bool index = a->count == 3 && !strcmp(a->words[0], "index");
	const char *path = plain ? a->words[0] : a->words[1];
	json_object *value;
	int r;

	if (!(plain || line || json || count || index) || (path[0] != '.' && path[0] != '$'))
		return refuse(a, err);
	r = resolve(path, s, &value, err);
	if (r == 0 && index)
		r = index_value(value, a->words[2], &value, err);
	if (r < 0)
		return r;
	if (count)
		strbuf_printf(out, "%zu", json_object_is_type(value, json_type_array)
				? json_object_array_length(value)
				: json_object_is_type(value, json_type_object)
				? (size_t)json_object_object_length(value)
				: strlen(json_object_get_string(value) ? json_object_get_string(value) : ""));
	else if (index && !value)
		strbuf_puts(out, "");
	else
		put_value(out, value, json);
	if (line)
		strbuf_putc(out, '\n');
	return 0;
}

/* Copies what stands before the next action, with its escapes; returns where the action begins. */
static const char *put_literal(const char *text, struct strbuf *out)
{
	for (; *text && !(text[0] == '{' && text[1] == '{'); text++) {
		if (text[0] == '\\' && (text[1] == 't' || text[1] == 'n')) {
			strbuf_putc(out, text[1] == 't' ? '\t' : '\n');
			text++;
		} else {
			strbuf_putc(out, *text);
		}
	}
	return text;
}

static int next_action(const char **text, struct action *a, struct error *err)
{
	const char *end = strstr(*text, "}}");

	if (!end)
		return error_set(err, EINVAL, "template parsing error: unclosed action in %s", *text);
	a->text = *text + 2;
	a->length = (size_t)(end - a->text);
	*text = end + 2;
	return split(a, err);
}

static bool begins(const struct action *a, const char *word)
{
	return !strcmp(a->words[0], word);
}

/* Splits what a range or an if holds from what follows its {{end}}; *ret_else: "" where it has none. */
static int take_block(const char **text, char **ret_body, char **ret_else, struct error *err)
{
	struct strbuf rest = { 0 };
	const char *begin = *text;

	*ret_body = NULL;
	for (int depth = 0; (*text = strstr(*text, "{{"));) {
		_cleanup_(action_free) struct action a = { 0 };
		const char *at = *text;

		if (next_action(text, &a, err) < 0)
			break;
		if (begins(&a, "range") || begins(&a, "if"))
			depth++;
		else if (begins(&a, "else") && depth == 0 && !*ret_body) {
			*ret_body = xstrndup(begin, (size_t)(at - begin));
			begin = *text;
		} else if (begins(&a, "end") && depth-- == 0) {
			strbuf_add(&rest, begin, (size_t)(at - begin));
			*ret_else = *ret_body ? strbuf_steal(&rest) : xstrdup("");
			if (!*ret_body)
				*ret_body = strbuf_steal(&rest);
			return 0;
		}
	}
	free(*ret_body);
	*ret_body = NULL;
	return error_set(err, EINVAL, "template parsing error: unexpected EOF: {{end}} is missing");
}

static int print(const char *text, const struct scope *s, struct strbuf *out, struct error *err);

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* By their keys in order, as Go does it. */
static int range_object(json_object *o, const char *body, struct scope *inner, struct strbuf *out, struct error *err)
{
	size_t count = (size_t)json_object_object_length(o), n = 0;
	_cleanup_free_ const char **keys = xcalloc(count + 1, sizeof(*keys));
	int r = 0;

	json_object_object_foreach(o, key, value) {
		(void)value;
		keys[n++] = key;
	}
	qsort(keys, n, sizeof(*keys), by_name);
	for (size_t i = 0; r == 0 && i < n; i++) {
		json_object *name = json_object_new_string(keys[i]);

		inner->dot = json_object_object_get(o, keys[i]);
		inner->variables[0].value = name;
		inner->variables[1].value = inner->dot;
		r = print(body, inner, out, err);
		json_object_put(name);
	}
	return r;
}

static int range_array(json_object *o, const char *body, struct scope *inner, struct strbuf *out, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_object_array_length(o); i++) {
		json_object *number = json_object_new_int64((int64_t)i);

		inner->dot = json_object_array_get_idx(o, i);
		inner->variables[0].value = number;
		inner->variables[1].value = inner->dot;
		r = print(body, inner, out, err);
		json_object_put(number);
	}
	return r;
}

/* "range .A", "range $v := .A", "range $k, $v := .A"; and "if .A". */
static int run_block(const struct action *a, const char **text, const struct scope *s, struct strbuf *out, struct error *err)
{
	bool range = begins(a, "range"), named = range && a->count > 2;
	_cleanup_free_ char *body = NULL, *otherwise = NULL;
	struct scope inner = { .outer = s };
	json_object *value;
	int r;

	if (a->count < 2 || a->count == 3 || (!range && a->count > 2) || (named && strcmp(a->words[a->count - 2], ":=") != 0))
		return refuse(a, err);
	r = take_block(text, &body, &otherwise, err);
	if (r == 0)
		r = resolve(a->words[a->count - 1], s, &value, err);
	if (r < 0)
		return r;
	if (named)
		inner.variables[1].name = a->words[a->count - 3];
	if (a->count == WORDS_MAX)
		inner.variables[0].name = a->words[1];
	if (!range || !is_true(value))
		return print(is_true(value) ? body : otherwise, s, out, err);
	if (json_object_is_type(value, json_type_array))
		return range_array(value, body, &inner, out, err);
	if (json_object_is_type(value, json_type_object))
		return range_object(value, body, &inner, out, err);
	return error_set(err, EINVAL, "template: range can't iterate over %s", json_object_get_string(value));
}

static int print(const char *text, const struct scope *s, struct strbuf *out, struct error *err)
{
	for (text = put_literal(text, out); *text; text = put_literal(text, out)) {
		_cleanup_(action_free) struct action a = { 0 };
		int r = next_action(&text, &a, err);

		if (r == 0)
			r = begins(&a, "range") || begins(&a, "if") ? run_block(&a, &text, s, out, err) : run(&a, s, out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int template_print(const char *text, json_object *o, struct strbuf *out, struct error *err)
{
	return print(text, &(struct scope){ .dot = o }, out, err);
}

int template_titles(const char *text, const char *(*title)(const char *name), struct strbuf *out,
	struct error *err)
{
	for (text = put_literal(text, out); *text; text = put_literal(text, out)) {
		_cleanup_(action_free) struct action a = { 0 };
		int r = next_action(&text, &a, err);
		const char *path;

		if (r < 0)
			return r;
		path = a.words[a.count > 1 ? 1 : 0];
		strbuf_puts(out, title(path[0] == '.' ? path + 1 : path));
	}
	return 0;
}
