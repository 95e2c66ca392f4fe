/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/volumes.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/rooted.h"
#include "engine/state.h"
#include "engine/file_copy.h"
#include "engine/image/tree.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"

enum { NAME_MAX_LENGTH = 255, ANONYMOUS_LENGTH = 64 };

bool volume_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	/* docker's: [a-zA-Z0-9][a-zA-Z0-9_.-]+ */
	if (length < 2 || length > NAME_MAX_LENGTH || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t i = 1; i < length; i++) {
		if (!isalnum((unsigned char)name[i]) && !strchr("_.-", name[i]))
			return false;
	}
	return true;
}

static char *path_of(const char *store_root, const char *name, const char *file)
{
	return xasprintf("%s/volumes/%s%s%s", store_root, name, *file ? "/" : "", file);
}

static int invent(char ret[ANONYMOUS_LENGTH + 1], struct error *err)
{
	unsigned char bytes[ANONYMOUS_LENGTH / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return error_errno(err, errno, "cannot make a volume's name");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int write_description(const char *path, const struct string_list *labels, bool anonymous)
{
	_cleanup_free_ char *temporary = xasprintf("%s.tmp", path);
	json_object *o = json_object_new_object(), *list = json_object_new_array();
	int r = 0;

	json_object_object_add(o, "created_ns", json_object_new_int64(state_now()));
	json_object_object_add(o, "anonymous", json_object_new_boolean(anonymous));
	for (size_t i = 0; labels && i < labels->count; i++)
		json_object_array_add(list, json_object_new_string(labels->items[i]));
	json_object_object_add(o, "labels", list);
	if (json_object_to_file_ext(temporary, o, JSON_C_TO_STRING_PLAIN) < 0 ||
		rename(temporary, path) < 0)
		r = -errno;
	json_object_put(o);
	return r;
}

static int make_directories(const char *store_root, const char *name, struct error *err)
{
	_cleanup_free_ char *all = xasprintf("%s/volumes", store_root);
	_cleanup_free_ char *own = path_of(store_root, name, "");
	_cleanup_free_ char *data = path_of(store_root, name, "_data");

	if ((mkdir(all, 0701) < 0 && errno != EEXIST) || (mkdir(own, 0701) < 0 && errno != EEXIST) ||
		(mkdir(data, 0755) < 0 && errno != EEXIST))
		return error_errno(err, errno, "cannot make volume %s", name);
	return 0;
}

int volume_make(const char *store_root, const char *name, const struct string_list *labels,
	struct named_volume *ret, bool *ret_made, struct error *err)
{
	_cleanup_free_ char *description = NULL;
	char invented[ANONYMOUS_LENGTH + 1];
	int r = name ? 0 : invent(invented, err);

	if (r < 0)
		return r;
	description = path_of(store_root, name ? name : invented, "volume.json");
	*ret_made = false;
	if (access(description, F_OK) < 0) {
		r = make_directories(store_root, name ? name : invented, err);
		if (r < 0)
			return r;
		r = write_description(description, labels, !name);
		if (r < 0)
			return error_errno(err, -r, "cannot write %s", description);
		*ret_made = true;
	}
	return volume_find(store_root, name ? name : invented, ret, err);
}

int volume_find(const char *store_root, const char *name, struct named_volume *ret, struct error *err)
{
	_cleanup_free_ char *description = NULL;
	json_object *o, *labels;

	if (!volume_name_is_valid(name))
		return error_set(err, ENOENT, "get %s: no such volume", name);
	description = path_of(store_root, name, "volume.json");
	o = json_object_from_file(description);
	if (!o)
		return error_set(err, ENOENT, "get %s: no such volume", name);
	*ret = (struct named_volume){ .name = xstrdup(name), .data = path_of(store_root, name, "_data") };
	ret->created_ns = json_object_get_int64(json_object_object_get(o, "created_ns"));
	ret->anonymous = json_object_get_boolean(json_object_object_get(o, "anonymous"));
	labels = json_object_object_get(o, "labels");
	for (size_t i = 0; labels && i < json_object_array_length(labels); i++)
		string_list_add(&ret->labels,
			xstrdup(json_object_get_string(json_object_array_get_idx(labels, i))));
	json_object_put(o);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct named_volume *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int volume_list(const char *store_root, struct named_volume **ret, size_t *ret_count, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/volumes", store_root);
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct named_volume *list = NULL;
	size_t count = 0, capacity = 0;
	struct dirent *entry;

	*ret = NULL;
	*ret_count = 0;
	if (!dir)
		return errno == ENOENT ? 0 : error_errno(err, errno, "cannot read %s", path);
	while ((entry = readdir(dir))) {
		struct named_volume v;

		if (entry->d_name[0] == '.' || volume_find(store_root, entry->d_name, &v, NULL) < 0)
			continue;
		array_grow(list, count, capacity);
		list[count++] = v;
	}
	if (count)
		qsort(list, count, sizeof(*list), by_name);
	*ret = list;
	*ret_count = count;
	return 0;
}

static char *hidden_path(const char *store_root, const char *name)
{
	return xasprintf("%s/volumes/.%s", store_root, name);
}

int volume_hide(const char *store_root, const char *name, struct error *err)
{
	_cleanup_free_ char *path = path_of(store_root, name, ""), *hidden = hidden_path(store_root, name);

	if (rename(path, hidden) == 0)
		return 0;
	/* one of that name that a killed process left */
	if ((errno == ENOTEMPTY || errno == EEXIST) && tree_remove(AT_FDCWD, hidden) == 0 && rename(path, hidden) == 0)
		return 0;
	return errno == ENOENT ? error_set(err, ENOENT, "get %s: no such volume", name)
			       : error_errno(err, errno, "cannot remove volume %s", name);
}

int volume_remove_hidden(const char *store_root, const char *name, struct error *err)
{
	_cleanup_free_ char *hidden = hidden_path(store_root, name);
	int r = tree_remove(AT_FDCWD, hidden);

	return r < 0 ? error_errno(err, -r, "cannot remove volume %s", name) : 0;
}

void volume_remove_all_hidden(const char *store_root)
{
	_cleanup_free_ char *path = xasprintf("%s/volumes", store_root);
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' && volume_name_is_valid(entry->d_name + 1))
			volume_remove_hidden(store_root, entry->d_name + 1, NULL);
	}
}

void volume_free(struct named_volume *v)
{
	free(v->name);
	free(v->data);
	string_list_free(&v->labels);
	*v = (struct named_volume){ 0 };
}

void volume_list_free(struct named_volume *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		volume_free(&list[i]);
	free(list);
}

static bool is_empty(int fd)
{
	_cleanup_closedir_ DIR *dir = file_open_directory(fd, ".", 0);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return false;
	}
	return dir != NULL;
}

int volume_fill(const struct named_volume *v, int root, const char *path, struct error *err)
{
	_cleanup_close_ int from = rooted_open(root, path, O_RDONLY | O_DIRECTORY);
	_cleanup_close_ int to = open(v->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (from < 0)
		return 0; /* the image has nothing there */
	if (to < 0)
		return error_errno(err, errno, "cannot open volume %s", v->name);
	if (!is_empty(to))
		return 0;
	r = file_copy_tree(from, to, err);
	return r < 0 ? error_prefix(err, "volume %s", v->name) : 0;
}
