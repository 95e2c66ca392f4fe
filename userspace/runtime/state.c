/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What outlives the process that made a container: ROOT/ID/ with state.json (ours), config.json (the bundle's
 * as it was at create) and exec.fifo (there while the container waits for its start).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* Of state.json; a file that does not say has the first. */
enum { STATE_VERSION = 1 };

int state_check_id(const char *id, struct error *err)
{
	static const char first[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-";
	size_t length = strlen(id);

	/* '.' may not come first: "..", and hidden directories of ROOT */
	if (length == 0 || length > NAME_MAX || !strchr(first, id[0]) ||
		length != strspn(id + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-") + 1)
		return error_set(err, EINVAL, "invalid container id \"%.255s\": wanted "
			"[a-zA-Z0-9_+-][a-zA-Z0-9_+.-]*, at most %d bytes", id, NAME_MAX);
	return 0;
}

char *state_choose_cgroup(const struct config *c, const char *id)
{
	const char *path = c ? c->cgroups_path : NULL, *first, *second;

	if (!path || !*path)
		return xasprintf("/ctrace/%s", id);
	first = strchr(path, ':');
	second = first ? strchr(first + 1, ':') : NULL;
	if (path[0] != '/' && second)
		return xasprintf("/%.*s%s%.*s%s%s.scope", (int)(first - path), path,
			first == path ? "system.slice/" : "/", (int)(second - first - 1), first + 1,
			second == first + 1 ? "" : "-", second + 1);
	return path[0] == '/' ? xstrdup(path) : xasprintf("/%s", path);
}

static int make_root(const char *root, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(root);

	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0711) < 0 && errno != EEXIST)
			return error_errno(err, errno, "cannot make %s", copy);
		*p = '/';
	}
	if (mkdir(copy, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "cannot make the state directory %s", root);
	return 0;
}

int state_make_directory(const char *root, const char *id, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", root, id);
	int fd, r = mkdir(path, 0700);

	if (r < 0 && errno == ENOENT) {
		r = make_root(root, err);
		if (r < 0)
			return r;
		r = mkdir(path, 0700);
	}
	if (r < 0 && errno == EEXIST)
		return error_set(err, EEXIST, "container with id %s exists already in %s", id, root);
	if (r < 0)
		return error_errno(err, errno, "cannot make %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "cannot make %s", path);
	return fd;
}

int state_remove_directory(const char *root, const char *id, int dir, struct error *err)
{
	static const char *const files[] = { "state.json", "config.json", "exec.fifo", ".state.json" };
	_cleanup_free_ char *path = xasprintf("%s/%s", root, id);

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(dir, files[i], 0);
	ready_remove(dir);
	if (rmdir(path) < 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot remove %s", path);
	return 0;
}

static void add(json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value ? value : ""));
}

static int replace_file(int dir, const char *text, struct error *err)
{
	_cleanup_close_ int fd =
		openat(dir, ".state.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
		renameat(dir, ".state.json", dir, "state.json") < 0)
		return error_errno(err, errno, "cannot write the container's state");
	return 0;
}

int state_write(const struct container *c, struct error *err)
{
	_cleanup_(doc_put) json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_int(STATE_VERSION));
	add(o, "id", c->id);
	add(o, "bundle", c->bundle);
	add(o, "rootfs", c->rootfs);
	add(o, "cgroup", c->cgroup_path);
	add(o, "created", c->created);
	json_object_object_add(o, "pid", json_object_new_int(c->pid));
	json_object_object_add(o, "start_time", json_object_new_int64((int64_t)c->start_time));
	json_object_object_add(o, "cgroup_others", json_object_new_int64((int64_t)c->others));
	return replace_file(c->dir, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), err);
}

char *state_document(const struct container *c, enum runtime_status status)
{
	_cleanup_(doc_put) json_object *o = json_object_new_object();
	const char *version = "1.1.0";

	if (c->config)
		doc_string(&(struct doc){ .json = c->config->json }, "ociVersion", &version, NULL);
	add(o, "ociVersion", version);
	add(o, "id", c->id);
	json_object_object_add(o, "pid",
		json_object_new_int(status == RUNTIME_STOPPED ? 0 : c->pid));
	add(o, "status", runtime_status_name(status));
	add(o, "bundle", c->bundle);
	add(o, "rootfs", c->rootfs);
	add(o, "created", c->created);
	json_object_object_add(o, "annotations",
		c->config && c->config->annotations ? json_object_get(c->config->annotations)
						    : json_object_new_object());
	return xstrdup(json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static int parse_state(struct container *c, const char *text, size_t length, struct error *err)
{
	static const char *const required[] = { "bundle", "rootfs", "cgroup", "created", "pid", "start_time", NULL };
	_cleanup_(doc_put) json_object *json = NULL;
	struct doc o = { 0 };
	const char *bundle = "", *rootfs = "", *cgroup = "", *created = "";
	int64_t version = STATE_VERSION, pid = 0, start = 0, others = 0;

	if (doc_parse(text, length, &json, err) < 0)
		return -EINVAL;
	o.json = json;
	if (doc_integer(&o, "version", 1, INT64_MAX, &version, err) < 0)
		return -EINVAL;
	if (version != STATE_VERSION)
		return error_set(err, EINVAL, "version %lld is another ctrace's, this one reads version %d",
			(long long)version, STATE_VERSION);
	if (doc_require(&o, required, err) < 0 || doc_path(&o, "bundle", &bundle, err) < 0 ||
		doc_path(&o, "rootfs", &rootfs, err) < 0 || doc_path(&o, "cgroup", &cgroup, err) < 0 ||
		doc_string(&o, "created", &created, err) < 0 ||
		doc_integer(&o, "pid", 0, INT_MAX, &pid, err) < 0 ||
		/* who has a pid has been started at some time: 0 would be the time of a pid that is gone */
		doc_integer(&o, "start_time", pid > 0, INT64_MAX, &start, err) < 0 ||
		doc_integer(&o, "cgroup_others", 0, INT64_MAX, &others, err) < 0)
		return -EINVAL;
	c->bundle = xstrdup(bundle);
	c->rootfs = xstrdup(rootfs);
	c->cgroup_path = xstrdup(cgroup);
	c->created = xstrdup(created);
	c->pid = (pid_t)pid;
	c->start_time = (uint64_t)start;
	c->others = (size_t)others;
	return 0;
}

static int read_state(struct container *c, struct error *err)
{
	char text[16384];
	int n = -1, fd = openat(c->dir, "state.json", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = (int)read(fd, text, sizeof(text));
		close(fd);
	}
	/* the creator died before it came to write it, or is about to */
	if (n <= 0)
		return 0;
	return parse_state(c, text, (size_t)n, err);
}

/* A container with its identity and its directory, no more. */
static int open_directory(const char *root, const char *id, struct container **ret, struct error *err)
{
	_cleanup_(runtime_close_ptr) struct container *c = xcalloc(1, sizeof(*c));
	_cleanup_free_ char *path = NULL;
	int r = state_check_id(id, err);

	c->dir = c->pidfd = c->sync = c->console = c->ready = -1;
	if (r < 0)
		return r;
	c->root = xstrdup(root ? root : RUNTIME_ROOT);
	c->id = xstrdup(id);
	path = xasprintf("%s/%s", c->root, id);
	c->dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dir < 0)
		return error_set(err, errno, "container %s does not exist", id);
	c->detached = true;
	*ret = steal_ptr(c);
	return 0;
}

int runtime_open(const char *root, const char *id, struct container **ret, struct error *err)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct error why = { 0 };
	int r = open_directory(root, id, &c, err);

	if (r < 0)
		return r;
	if (read_state(c, &why) < 0)
		return error_set(err, EUCLEAN, "container %s: %s/%s/state.json cannot be used (delete --force removes the "
			"container): %s", id, c->root, id, why.text);
	/* half-made containers have none; they can be deleted all the same */
	config_read(c->dir, "config.json", &c->config, &c->config_error);
	if (c->cgroup_path)
		cgroup_open(c->cgroup_path, &c->cgroup, NULL);
	*ret = steal_ptr(c);
	return 0;
}

int state_need_config(const struct container *c, struct error *err)
{
	return c->config ? 0 : error_set(err, EUCLEAN, "container %s: %s/%s/config.json cannot be used: %s", c->id, c->root,
					 c->id, c->config_error.text);
}

/* True where the last name of the path is the container's own: "/docker/ID", "/x.slice/libpod-ID.scope". */
static bool is_own_group(const char *path, const char *id)
{
	const char *slash = strrchr(path, '/');

	return strstr(slash ? slash : path, id) != NULL;
}

int runtime_discard(const char *root, const char *id, struct error *err)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	size_t count = 0;
	int r = open_directory(root, id, &c, err);

	if (r < 0)
		return r;
	config_read(c->dir, "config.json", &c->config, NULL);
	c->cgroup_path = state_choose_cgroup(c->config, id);
	if (cgroup_open(c->cgroup_path, &c->cgroup, NULL) == 0 && cgroup_processes(c->cgroup, &pids, &count, NULL) == 0 &&
		count && !is_own_group(c->cgroup_path, id))
		return error_set(err, EBUSY, "cannot delete container %s: %s/%s/state.json does not tell which of the %zu "
			"processes in cgroup %s are its own: end them, and delete it again", id, c->root, id, count,
			c->cgroup_path);
	if (c->cgroup) {
		cgroup_kill(c->cgroup, SIGKILL, NULL);
		if (cgroup_is_frozen(c->cgroup))
			cgroup_freeze(c->cgroup, false, NULL);
		r = cgroup_remove(c->cgroup, err);
	}
	return r < 0 ? r : state_remove_directory(c->root, id, c->dir, err);
}
