/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DOCUMENT_H
#define CTRACE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <json-c/json.h>

#include "util/error.h"

/* JSON from registries, archives and the store, none of it trusted: strict, of bounded depth (32). The
 * caller bounds the length. */

/* Parses one JSON object. what: its name in error texts. Returns 0 or -EBADMSG. */
int document_parse(const char *bytes, size_t length, const char *what, struct json_object **ret,
	struct error *err);
/* Reads and parses a file, at most limit bytes. Returns also -ENOENT and other errnos of open. */
int document_read(int dir_fd, const char *path, size_t limit, struct json_object **ret,
	struct error *err);
/* Writes the object to dir_fd/path by way of a temporary file beside it, synced and renamed. */
int document_write(int dir_fd, const char *path, struct json_object *object, struct error *err);

/* Members; NULL, def or fallback when missing, of another type, or a string with a NUL inside. The
 * results belong to the object. */
const char *document_string(struct json_object *object, const char *key, const char *fallback);
struct json_object *document_object(struct json_object *object, const char *key);
struct json_object *document_array(struct json_object *object, const char *key);
/* A non-negative integer, or -1. */
int64_t document_size(struct json_object *object, const char *key);
/* Seconds since 1970 of an RFC 3339 text, "2024-05-01T12:00:00.123+02:00"; 0 when it is something else. */
int64_t document_time(struct json_object *object, const char *key);
bool document_bool(struct json_object *object, const char *key, bool fallback);
/* Element i of an array as a string, or NULL. */
const char *document_item(struct json_object *array, size_t i);

void cleanup_json(struct json_object **object);

/* Opens a regular file for reading and tells its size in bytes. Returns the descriptor, or a negative errno. */
int document_open(int dir_fd, const char *path, off_t *ret_size, struct error *err);

/* A whole file, at most limit bytes, NUL-terminated; the caller frees. Only regular files. */
int document_read_file(int dir_fd, const char *path, size_t limit, char **ret, size_t *ret_length,
	struct error *err);

#endif
