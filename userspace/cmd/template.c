/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/json_repair.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { WORDS_MAX = 3 };

struct action {
	char *words[WORDS_MAX]; /* "json", ".A.B" or ".A.B", or "index", ".A", "\"key\"" */
	size_t count;
	const char *text; /* all between the braces */
	size_t length;
};

static void action_free(struct action *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->words[i]);
}

static int refuse(const struct action *a, struct error *err)
{
	return error_set(err, EINVAL, "template parsing error: ctrace understands {{.Field.Field}}, {{json .Field}}, "
		"{{index .Field \"key\"}} and {{len .Field}}, not {{%.*s}}", (int)a->length, a->text);
}

static int split(struct action *a, struct error *err)
{
	const char *text = a->text;
	size_t i = 0;

	while (i < a->length) {
		size_t begin;

		if (isspace((unsigned char)text[i])) {
			i++;
			continue;
		}
		begin = i;
		if (text[i] == '"') {
			for (i++; i < a->length && text[i] != '"'; i++)
				;
			i++;
		} else {
			while (i < a->length && !isspace((unsigned char)text[i]))
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

void template_json(struct strbuf *out, json_object *o, int flags)
{
	size_t length;
	const char *text = json_object_to_json_string_length(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE, &length);

	json_add_repaired(out, text, length);
}

static void put_value(struct strbuf *out, json_object *value, bool json)
{
	const char *text;

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

static int run(const struct action *a, json_object *o, struct strbuf *out, struct error *err)
{
	bool plain = a->count == 1, json = a->count == 2 && !strcmp(a->words[0], "json");
	bool count = a->count == 2 && !strcmp(a->words[0], "len");
	bool index = a->count == 3 && !strcmp(a->words[0], "index");
	const char *path = plain ? a->words[0] : a->words[1];
	json_object *value;
	int r;

	if (!(plain || json || count || index) || path[0] != '.')
		return refuse(a, err);
	r = follow(path, o, &value, err);
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

int template_print(const char *text, json_object *o, struct strbuf *out, struct error *err)
{
	for (text = put_literal(text, out); *text; text = put_literal(text, out)) {
		_cleanup_(action_free) struct action a = { 0 };
		int r = next_action(&text, &a, err);

		if (r == 0)
			r = run(&a, o, out, err);
		if (r < 0)
			return r;
	}
	return 0;
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
