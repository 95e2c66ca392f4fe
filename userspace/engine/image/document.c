/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

enum { DEPTH_MAX = 32 };

void cleanup_json(struct json_object **object)
{
	json_object_put(*object);
}

int document_parse(const char *bytes, size_t length, const char *what, struct json_object **ret,
	struct error *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *object = NULL;
	enum json_tokener_error problem;
	size_t end;

	if (!tokener || length > INT32_MAX - 1) {
		json_tokener_free(tokener);
		return error_set(err, EBADMSG, "%s is too long", what);
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, bytes, (int)length);
	problem = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	while (end < length && strchr(" \t\r\n", bytes[end]) && bytes[end])
		end++;
	if (problem == json_tokener_success && end == length &&
		json_object_is_type(object, json_type_object)) {
		*ret = object;
		return 0;
	}
	json_object_put(object);
	if (problem == json_tokener_success)
		return error_set(err, EBADMSG, "%s is not one JSON object", what);
	return error_set(err, EBADMSG, "%s is not valid JSON: %s at byte %zu", what,
		problem == json_tokener_continue ? "it ends too early" : json_tokener_error_desc(problem),
		end);
}

int document_open(int dir_fd, const char *path, off_t *ret_size, struct error *err)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return error_errno(err, errno, "cannot open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "%s is not a regular file", path);
	*ret_size = st.st_size;
	return steal_fd(&fd);
}

int document_read_file(int dir_fd, const char *path, size_t limit, char **ret, size_t *ret_length,
	struct error *err)
{
	_cleanup_free_ char *bytes = NULL;
	off_t size = 0;
	_cleanup_close_ int fd = document_open(dir_fd, path, &size, err);
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	if ((uint64_t)size > limit)
		return error_set(err, EFBIG, "%s has %lld bytes, at most %zu are read", path,
			(long long)size, limit);
	bytes = xmalloc((size_t)size + 1);
	while (used < (size_t)size) {
		n = read(fd, bytes + used, (size_t)size - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "cannot read %s", path);
		if (n == 0)
			break;
		used += (size_t)n;
	}
	bytes[used] = '\0';
	*ret = steal_ptr(bytes);
	if (ret_length)
		*ret_length = used;
	return 0;
}

int document_read(int dir_fd, const char *path, size_t limit, struct json_object **ret,
	struct error *err)
{
	_cleanup_free_ char *bytes = NULL;
	size_t length;
	int r = document_read_file(dir_fd, path, limit, &bytes, &length, err);

	return r < 0 ? r : document_parse(bytes, length, path, ret, err);
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

int document_write(int dir_fd, const char *path, struct json_object *object, struct error *err)
{
	size_t length;
	const char *text = json_object_to_json_string_length(object,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	_cleanup_free_ char *temporary = xasprintf("%s.new", path);
	_cleanup_close_ int fd =
		openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return error_errno(err, errno, "cannot write %s", temporary);
	r = write_all(fd, text, length);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, path) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, temporary, 0);
		return error_errno(err, -r, "cannot write %s", path);
	}
	return 0;
}

static struct json_object *member(struct json_object *object, const char *key, json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
		!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

static const char *plain_string(struct json_object *value)
{
	const char *s;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	s = json_object_get_string(value);
	return strlen(s) == (size_t)json_object_get_string_len(value) ? s : NULL;
}

const char *document_string(struct json_object *object, const char *key, const char *fallback)
{
	const char *s = plain_string(member(object, key, json_type_string));

	return s ? s : fallback;
}

struct json_object *document_object(struct json_object *object, const char *key)
{
	return member(object, key, json_type_object);
}

struct json_object *document_array(struct json_object *object, const char *key)
{
	return member(object, key, json_type_array);
}

int64_t document_size(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key, json_type_int);

	return value && json_object_get_int64(value) >= 0 ? json_object_get_int64(value) : -1;
}

int64_t document_time(struct json_object *object, const char *key)
{
	const char *text = document_string(object, key, NULL);
	struct tm tm = { 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int64_t seconds;

	if (!rest)
		return 0;
	seconds = timegm(&tm);
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if ((*rest == '+' || *rest == '-') && strlen(rest) == 6)
		seconds -= (*rest == '+' ? 60 : -60) * (atoi(rest + 1) * 60 + atoi(rest + 4));
	return seconds > 0 ? seconds : 0;
}

bool document_bool(struct json_object *object, const char *key, bool fallback)
{
	struct json_object *value = member(object, key, json_type_boolean);

	return value ? json_object_get_boolean(value) : fallback;
}

const char *document_item(struct json_object *array, size_t i)
{
	return plain_string(json_object_array_get_idx(array, i));
}
