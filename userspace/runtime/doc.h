/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RUNTIME_DOC_H
#define CTRACE_RUNTIME_DOC_H

/* Members of a JSON object with the type that the specification gives them. A member that is missing or
 * null leaves *ret alone and returns 0; one of another type is -EINVAL and named. */

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

int doc_string(json_object *o, const char *key, const char **ret, struct error *err);
int doc_bool(json_object *o, const char *key, bool *ret, struct error *err);
int doc_integer(json_object *o, const char *key, int64_t min, int64_t max, int64_t *ret,
	struct error *err);
/* Returns 1 when there is one. */
int doc_object(json_object *o, const char *key, json_object **ret, struct error *err);
int doc_array(json_object *o, const char *key, json_object **ret, struct error *err);
/* A NULL-terminated array (the caller's) of strings that belong to the document. */
int doc_strings(json_object *o, const char *key, char ***ret, size_t *ret_count,
	struct error *err);

/* Parses a whole text; -EINVAL with the place where it is wrong. */
int doc_parse(const char *text, size_t length, json_object **ret, struct error *err);

static inline void doc_put(json_object **o)
{
	if (*o)
		json_object_put(*o);
}

#endif
