/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/doc.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "util/array.h"

enum { JSON_DEPTH_MAX = 64 };

static int member(json_object *o, const char *key, json_type type, const char *what,
	json_object **ret, struct error *err)
{
	json_object *v = NULL;

	if (!json_object_object_get_ex(o, key, &v) || !v)
		return 0;
	if (!json_object_is_type(v, type))
		return error_set(err, EINVAL, "config: %s is not %s", key, what);
	*ret = v;
	return 1;
}

int doc_string(json_object *o, const char *key, const char **ret, struct error *err)
{
	json_object *v = NULL;
	int r = member(o, key, json_type_string, "a string", &v, err);

	if (r <= 0)
		return r;
	if (strlen(json_object_get_string(v)) != (size_t)json_object_get_string_len(v))
		return error_set(err, EINVAL, "config: %s contains a NUL byte", key);
	*ret = json_object_get_string(v);
	return 0;
}

int doc_bool(json_object *o, const char *key, bool *ret, struct error *err)
{
	json_object *v = NULL;
	int r = member(o, key, json_type_boolean, "true or false", &v, err);

	if (r > 0)
		*ret = json_object_get_boolean(v);
	return r < 0 ? r : 0;
}

int doc_integer(json_object *o, const char *key, int64_t min, int64_t max, int64_t *ret,
	struct error *err)
{
	json_object *v = NULL;
	int64_t value;
	int r = member(o, key, json_type_int, "an integer", &v, err);

	if (r <= 0)
		return r;
	value = json_object_get_int64(v);
	if (value < min || value > max)
		return error_set(err, EINVAL, "config: %s is %" PRId64 ", outside of %" PRId64 "..%"
			PRId64, key, value, min, max);
	*ret = value;
	return 0;
}

int doc_object(json_object *o, const char *key, json_object **ret, struct error *err)
{
	return member(o, key, json_type_object, "an object", ret, err);
}

int doc_array(json_object *o, const char *key, json_object **ret, struct error *err)
{
	return member(o, key, json_type_array, "an array", ret, err);
}

int doc_strings(json_object *o, const char *key, char ***ret, size_t *ret_count,
	struct error *err)
{
	json_object *a = NULL;
	size_t count;
	char **strings;
	int r = doc_array(o, key, &a, err);

	if (r <= 0)
		return r;
	count = json_object_array_length(a);
	strings = xcalloc(count + 1, sizeof(*strings));
	for (size_t i = 0; i < count; i++) {
		json_object *v = json_object_array_get_idx(a, i);

		if (!json_object_is_type(v, json_type_string) ||
			strlen(json_object_get_string(v)) !=
				(size_t)json_object_get_string_len(v)) {
			free(strings);
			return error_set(err, EINVAL, "config: %s has an element that is not a "
				"string", key);
		}
		strings[i] = (char *)json_object_get_string(v);
	}
	*ret = strings;
	if (ret_count)
		*ret_count = count;
	return 0;
}

int doc_parse(const char *text, size_t length, json_object **ret, struct error *err)
{
	json_tokener *t = json_tokener_new_ex(JSON_DEPTH_MAX);
	json_object *o;
	int r = 0;

	if (!t)
		return error_set(err, ENOMEM, "no memory to parse JSON");
	o = json_tokener_parse_ex(t, text, (int)length);
	if (!o || !json_object_is_type(o, json_type_object)) {
		r = error_set(err, EINVAL, "not a JSON object: %s at byte %zu",
			json_tokener_error_desc(json_tokener_get_error(t)),
			json_tokener_get_parse_end(t));
		if (o)
			json_object_put(o);
	} else {
		*ret = o;
	}
	json_tokener_free(t);
	return r;
}
