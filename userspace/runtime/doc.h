/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RUNTIME_DOC_H
#define CTRACE_RUNTIME_DOC_H

/*
 * Members of a JSON document with the type that the specification gives them. A member that is missing or null
 * leaves *ret alone and returns 0; one of another type or size is -EINVAL, and the error gives its whole path:
 * "linux.resources.devices[2].major".
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* An object or array of the document and the way to it; the parents must outlive it (stack, all of them). */
struct doc {
	json_object *json;
	const struct doc *parent; /* NULL: the top, whose key is what errors call it (may be NULL) */
	const char *key;          /* NULL: element `index` of an array */
	size_t index;
};

/* Text: UTF-8, shorter than the longest argument that execve(2) takes. */
int doc_string(const struct doc *d, const char *key, const char **ret, struct error *err);
/* A string that the kernel takes as a path: any bytes, shorter than PATH_MAX. */
int doc_path(const struct doc *d, const char *key, const char **ret, struct error *err);
int doc_bool(const struct doc *d, const char *key, bool *ret, struct error *err);
int doc_integer(const struct doc *d, const char *key, int64_t min, int64_t max, int64_t *ret,
	struct error *err);
int doc_unsigned(const struct doc *d, const char *key, uint64_t *ret, struct error *err);
/* These return 1 when there is one. */
int doc_object(const struct doc *d, const char *key, struct doc *ret, struct error *err);
int doc_array(const struct doc *d, const char *key, struct doc *ret, struct error *err);

size_t doc_count(const struct doc *array);
/* Element i of an array, which must be an object; 0 or negative. */
int doc_element(const struct doc *array, size_t i, struct doc *ret, struct error *err);
/* A NULL-terminated array (the caller's) of strings that belong to the document: any bytes, as the kernel has them. */
int doc_strings(const struct doc *d, const char *key, char ***ret, size_t *ret_count,
	struct error *err);

/* -EINVAL where one of the keys (the list ends with NULL) is missing or null. */
int doc_require(const struct doc *d, const char *const *keys, struct error *err);
/* "config: PATH.key: text"; key may be NULL. Returns -EINVAL. */
int doc_error(const struct doc *d, const char *key, struct error *err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for element i of the array `key`. */
int doc_item_error(const struct doc *d, const char *key, size_t i, struct error *err, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Parses a whole text, which must be RFC 8259's JSON without a name that is twice in an object; -EINVAL with the place
 * where it is wrong. */
int doc_parse(const char *text, size_t length, json_object **ret, struct error *err);

static inline void doc_put(json_object **o)
{
	if (*o)
		json_object_put(*o);
}

#endif
