/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/doc.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/doc_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum {
	STRING_MAX = 128 << 10, /* the kernel's MAX_ARG_STRLEN: longer ones fit nowhere */
	ENTRIES_MAX = 65536,
	PATH_SHOWN = 512 /* of a place in the document: an error has room for its end */
};

static void add_name(struct strbuf *path, const char *name)
{
	if (path->length)
		strbuf_putc(path, '.');
	strbuf_puts(path, *name ? name : "\"\"");
}

static void add_path(struct strbuf *text, const struct doc *d)
{
	if (d->parent)
		add_path(text, d->parent);
	if (d->key)
		add_name(text, d->key);
	else if (d->parent)
		strbuf_printf(text, "[%zu]", d->index);
}

int doc_error(const struct doc *d, const char *key, struct error *err, const char *format, ...)
{
	_cleanup_(strbuf_free) struct strbuf path = { 0 };
	size_t cut;
	char text[512];
	va_list ap;

	add_path(&path, d);
	if (key)
		add_name(&path, key);
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	cut = path.length > PATH_SHOWN ? path.length - PATH_SHOWN : 0;
	return error_set(err, EINVAL, "config: %s%s: %s", cut ? "..." : "", path.text ? path.text + cut : "", text);
}

int doc_item_error(const struct doc *d, const char *key, size_t i, struct error *err, const char *format, ...)
{
	const struct doc array = { .parent = d, .key = key }, e = { .parent = &array, .index = i };
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return doc_error(&e, NULL, err, "%s", text);
}

static int member(const struct doc *d, const char *key, json_type type, const char *what,
	json_object **ret, struct error *err)
{
	json_object *v = NULL;

	if (!json_object_object_get_ex(d->json, key, &v) || !v)
		return 0;
	if (!json_object_is_type(v, type))
		return doc_error(d, key, err, "it is not %s", what);
	*ret = v;
	return 1;
}

/* json-c keeps the length, C strings end at the first NUL: one of both must not see what the other does not. */
static const char *check_string(json_object *v, size_t max)
{
	size_t length = (size_t)json_object_get_string_len(v);

	if (strlen(json_object_get_string(v)) != length)
		return "it contains a NUL byte";
	return length >= max ? "it is too long" : NULL;
}

static bool is_utf8(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0, n; i < length; i += n) {
		n = utf8_sequence(text + i, length - i);
		if (n == 0)
			return false;
	}
	return true;
}

static int limited_string(const struct doc *d, const char *key, size_t max, const char **ret,
	struct error *err)
{
	json_object *v = NULL;
	int r = member(d, key, json_type_string, "a string", &v, err);
	const char *wrong;

	if (r <= 0)
		return r;
	wrong = check_string(v, max);
	if (wrong)
		return doc_error(d, key, err, "%s", wrong);
	*ret = json_object_get_string(v);
	return 0;
}

int doc_string(const struct doc *d, const char *key, const char **ret, struct error *err)
{
	const char *text = NULL;
	int r = limited_string(d, key, STRING_MAX, &text, err);

	if (r < 0 || !text)
		return r;
	if (!is_utf8(text))
		return doc_error(d, key, err, "it is not UTF-8");
	*ret = text;
	return 0;
}

int doc_path(const struct doc *d, const char *key, const char **ret, struct error *err)
{
	return limited_string(d, key, PATH_MAX, ret, err);
}

int doc_bool(const struct doc *d, const char *key, bool *ret, struct error *err)
{
	json_object *v = NULL;
	int r = member(d, key, json_type_boolean, "true or false", &v, err);

	if (r > 0)
		*ret = json_object_get_boolean(v);
	return r < 0 ? r : 0;
}

int doc_integer(const struct doc *d, const char *key, int64_t min, int64_t max, int64_t *ret,
	struct error *err)
{
	json_object *v = NULL;
	int64_t value;
	int r = member(d, key, json_type_int, "an integer", &v, err);

	if (r <= 0)
		return r;
	value = json_object_get_int64(v);
	/* json-c gives INT64_MAX for what is larger */
	if (value < min || value > max || (value == INT64_MAX && json_object_get_uint64(v) > INT64_MAX))
		return doc_error(d, key, err, "%s is outside of %" PRId64 "..%" PRId64,
			json_object_get_string(v), min, max);
	*ret = value;
	return 0;
}

int doc_unsigned(const struct doc *d, const char *key, uint64_t *ret, struct error *err)
{
	json_object *v = NULL;
	int r = member(d, key, json_type_int, "an integer", &v, err);

	if (r <= 0)
		return r;
	if (json_object_get_int64(v) < 0)
		return doc_error(d, key, err, "%s is negative", json_object_get_string(v));
	*ret = json_object_get_uint64(v);
	return 0;
}

static int container(const struct doc *d, const char *key, json_type type, const char *what,
	struct doc *ret, struct error *err)
{
	json_object *v = NULL;
	int r = member(d, key, type, what, &v, err);

	*ret = (struct doc){ .json = v, .parent = d, .key = key };
	if (r > 0 && type == json_type_array && json_object_array_length(v) > ENTRIES_MAX)
		return doc_error(d, key, err, "it has more than %d elements", ENTRIES_MAX);
	return r;
}

int doc_object(const struct doc *d, const char *key, struct doc *ret, struct error *err)
{
	return container(d, key, json_type_object, "an object", ret, err);
}

int doc_array(const struct doc *d, const char *key, struct doc *ret, struct error *err)
{
	return container(d, key, json_type_array, "an array", ret, err);
}

size_t doc_count(const struct doc *array)
{
	return array->json ? json_object_array_length(array->json) : 0;
}

int doc_element(const struct doc *array, size_t i, struct doc *ret, struct error *err)
{
	*ret = (struct doc){ .json = json_object_array_get_idx(array->json, i), .parent = array,
		.index = i };
	if (!json_object_is_type(ret->json, json_type_object))
		return doc_error(ret, NULL, err, "it is not an object");
	return 0;
}

int doc_strings(const struct doc *d, const char *key, char ***ret, size_t *ret_count,
	struct error *err)
{
	struct doc a;
	int r = doc_array(d, key, &a, err);
	_cleanup_free_ char **strings = NULL;

	if (r <= 0)
		return r;
	strings = xcalloc(doc_count(&a) + 1, sizeof(*strings));
	for (size_t i = 0; i < doc_count(&a); i++) {
		json_object *v = json_object_array_get_idx(a.json, i);
		const char *wrong = !json_object_is_type(v, json_type_string) ? "it is not a string"
									      : check_string(v, STRING_MAX);

		if (wrong)
			return doc_item_error(d, key, i, err, "%s", wrong);
		strings[i] = (char *)json_object_get_string(v);
	}
	*ret = steal_ptr(strings);
	if (ret_count)
		*ret_count = doc_count(&a);
	return 0;
}

int doc_require(const struct doc *d, const char *const *keys, struct error *err)
{
	for (; *keys; keys++) {
		if (!json_object_object_get(d->json, *keys))
			return doc_error(d, *keys, err, "it is missing");
	}
	return 0;
}

int doc_parse(const char *text, size_t length, json_object **ret, struct error *err)
{
	json_tokener *t;
	json_object *o;
	int r = doc_scan(text, length, err);

	if (r < 0)
		return r;
	t = json_tokener_new_ex(DOC_DEPTH_MAX);
	o = t ? json_tokener_parse_ex(t, text, (int)length) : NULL;
	if (o)
		*ret = o;
	else
		r = error_set(err, t ? EINVAL : ENOMEM, "not a JSON object: %s",
			t ? json_tokener_error_desc(json_tokener_get_error(t)) : "no memory to parse it");
	if (t)
		json_tokener_free(t);
	return r;
}
