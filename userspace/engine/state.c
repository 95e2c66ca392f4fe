/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "engine/address_pool.h"
#include "engine/store.h"
#include "runtime/runtime.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { TREE_DEPTH_MAX = 4096 };

const char *state_run_directory(void)
{
	const char *own = getenv("CTRACE_RUN");

	return own && *own == '/' ? own : "/run/ctrace";
}

unsigned long long state_process_start(pid_t pid)
{
	char path[64], text[1024];
	unsigned long long start = 0;
	_cleanup_close_ int fd = -1;
	char *p;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* the name may hold blanks and brackets: count from its end */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
				"%*d %*d %*d %llu", &start) != 1)
		return 0;
	return start;
}

int state_new_id(char ret[STATE_ID_LENGTH + 1], struct error *err)
{
	unsigned char bytes[STATE_ID_LENGTH / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return error_errno(err, errno, "cannot make a container id");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int make_directories(struct error *err)
{
	static const char *const names[] = { "", "/containers", "/names" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("%s%s", state_run_directory(), names[i]);

		if (mkdir(path, i ? 0700 : 0755) < 0 && errno != EEXIST)
			return error_errno(err, errno, "cannot make directory %s", path);
	}
	return 0;
}

/* Returns a descriptor that holds the lock until it is closed. */
static int take_lock(struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/lock", state_run_directory());
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(err, errno, "cannot open %s", path);
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR) {
			close(fd);
			return error_errno(err, errno, "cannot lock %s", path);
		}
	}
	return fd;
}

int state_save(const struct state *s, struct error *err)
{
	const struct {
		const char *key, *value;
	} rows[] = { { "id", s->id }, { "name", s->name }, { "image", s->image },
		{ "imageId", s->image_id }, { "storeRoot", s->store_root }, { "storage", s->storage },
		{ "cgroup", s->cgroup }, { "address", s->address } };
	_cleanup_free_ char *path = xasprintf("%s/state.json", s->directory);
	_cleanup_free_ char *temporary = xasprintf("%s.tmp", path);
	json_object *o = json_object_new_object();
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		json_object_object_add(o, rows[i].key,
			json_object_new_string(rows[i].value ? rows[i].value : ""));
	json_object_object_add(o, "supervisor", json_object_new_int(getpid()));
	json_object_object_add(o, "supervisorStart",
		json_object_new_uint64(state_process_start(getpid())));
	if (json_object_to_file_ext(temporary, o, JSON_C_TO_STRING_PLAIN) < 0 ||
		rename(temporary, path) < 0)
		r = error_errno(err, errno, "cannot write %s", path);
	json_object_put(o);
	return r;
}

static void invent_name(struct state *s)
{
	/* what a person can say and remember; the digits make it unique enough */
	static const char *const words[] = { "amber", "brisk", "calm", "clever", "coral", "eager",
		"gentle", "hazel", "lively", "lucid", "merry", "nimble", "quiet", "rapid", "silver",
		"sunny" };
	static const char *const things[] = { "badger", "beacon", "comet", "falcon", "harbor", "heron",
		"lantern", "maple", "otter", "pebble", "puffin", "river", "robin", "sparrow", "tracer",
		"willow" };
	unsigned long bits = strtoul((char[]){ s->id[0], s->id[1], 0 }, NULL, 16);

	s->name = xasprintf("%s_%s_%.4s", words[bits & 15], things[bits >> 4], s->id + 2);
}

static int take_name(struct state *s, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/names/%s", state_run_directory(), s->name);
	char owner[STATE_ID_LENGTH + 1] = "";

	if (symlink(s->id, path) == 0)
		return 0;
	if (errno != EEXIST)
		return error_errno(err, errno, "cannot register the name %s", path);
	if (readlink(path, owner, sizeof(owner) - 1) < 0)
		owner[0] = '\0';
	return error_set(err, EEXIST, "Conflict. The container name \"/%s\" is already in use by "
		"container \"%s\". Choose another name, or wait until it has ended", s->name, owner);
}

static void remove_name(const struct state *s)
{
	_cleanup_free_ char *path = xasprintf("%s/names/%s", state_run_directory(), s->name);
	char owner[STATE_ID_LENGTH + 1] = "";

	if (readlink(path, owner, sizeof(owner) - 1) == STATE_ID_LENGTH && !strcmp(owner, s->id))
		unlink(path);
}

int state_register(struct state *s, const char *name, struct error *err)
{
	_cleanup_close_ int lock = -1;
	int r = make_directories(err);

	if (r < 0)
		return r;
	lock = take_lock(err);
	if (lock < 0)
		return lock;
	if (name)
		s->name = xstrdup(name);
	else
		invent_name(s);
	r = take_name(s, err);
	if (r < 0)
		return r;
	s->directory = xasprintf("%s/containers/%s", state_run_directory(), s->id);
	if (mkdir(s->directory, 0700) < 0)
		r = error_errno(err, errno, "cannot make directory %s", s->directory);
	else
		r = state_save(s, err);
	if (r < 0) {
		state_remove_tree(AT_FDCWD, s->directory);
		remove_name(s);
	}
	return r;
}

static int remove_entries(int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((entry = readdir(dir))) {
		int child;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			r = -errno;
			continue;
		}
		child = openat(dirfd(dir), entry->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child >= 0 && depth < TREE_DEPTH_MAX) {
			int deeper = remove_entries(child, depth + 1);

			r = deeper < 0 ? deeper : r;
		} else if (child >= 0) {
			close(child);
		}
		if (unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) < 0)
			r = -errno;
	}
	closedir(dir);
	return r;
}

int state_remove_tree(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = remove_entries(fd, 0);
	if (unlinkat(at, name, AT_REMOVEDIR) < 0 && r == 0)
		r = -errno;
	return r;
}

static int remove_storage(const struct state *s, struct error *err)
{
	_cleanup_free_ char *root = xasprintf("%s/root", s->storage);
	int r;

	/* Detached: someone on the host may have a file open below it. EINVAL: nothing is mounted. */
	if (umount2(root, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return error_errno(err, errno, "cannot unmount %s", root);
	r = state_remove_tree(AT_FDCWD, s->storage);
	return r < 0 ? error_errno(err, -r, "cannot remove %s", s->storage) : 0;
}

static void release_image(const struct state *s)
{
	_cleanup_(cleanup_store) struct store *store = NULL;

	if (store_open(s->store_root, &store, NULL) == 0)
		store_release(store, s->image_id, s->id, NULL);
}

static bool given(const char *s)
{
	return s && *s;
}

static int remove_all(const struct state *s, struct error *err)
{
	int r = 0, tree;

	if (given(s->storage))
		r = remove_storage(s, err);
	if (given(s->image_id))
		release_image(s);
	if (given(s->address))
		address_pool_release(state_run_directory(), s->id);
	remove_name(s);
	tree = state_remove_tree(AT_FDCWD, s->directory);
	if (tree < 0 && r == 0)
		r = error_errno(err, -tree, "cannot remove %s", s->directory);
	return r;
}

int state_remove(struct state *s, struct error *err)
{
	/* Half removed it looks like a dead supervisor's: others must not come across it. */
	_cleanup_close_ int lock = s->directory ? take_lock(NULL) : -1;

	return s->directory ? remove_all(s, err) : 0;
}

void state_free(struct state *s)
{
	free(s->name);
	free(s->directory);
	free(s->image_id);
	free(s->image);
	free(s->store_root);
	free(s->storage);
	free(s->cgroup);
	free(s->address);
	*s = (struct state){ 0 };
}

/* ---- what killed supervisors left ---- */

static char *copy_member(json_object *o, const char *key)
{
	const char *text = json_object_get_string(json_object_object_get(o, key));

	return xstrdup(text ? text : "");
}

/* Returns whether the supervisor is alive; a directory without a state is from one that died early. */
static bool load(const char *id, struct state *ret)
{
	_cleanup_free_ char *path = NULL;
	unsigned long long start;
	json_object *o;
	bool alive;

	snprintf(ret->id, sizeof(ret->id), "%.*s", (int)sizeof(ret->id) - 1, id);
	ret->directory = xasprintf("%s/containers/%s", state_run_directory(), id);
	path = xasprintf("%s/state.json", ret->directory);
	o = json_object_from_file(path);
	ret->name = copy_member(o, "name");
	ret->image = copy_member(o, "image");
	ret->image_id = copy_member(o, "imageId");
	ret->store_root = copy_member(o, "storeRoot");
	ret->storage = copy_member(o, "storage");
	ret->cgroup = copy_member(o, "cgroup");
	ret->address = copy_member(o, "address");
	start = json_object_get_uint64(json_object_object_get(o, "supervisorStart"));
	alive = start && start == state_process_start(
					json_object_get_int(json_object_object_get(o, "supervisor")));
	json_object_put(o);
	return alive;
}

static void remove_container(const char *id)
{
	_cleanup_(runtime_close_ptr) struct container *container = NULL;
	_cleanup_free_ char *root = xasprintf("%s/oci", state_run_directory());

	if (runtime_open(root, id, &container, NULL) == 0)
		runtime_delete(container, true, NULL);
}

/* The supervisor may have died before the runtime had written its state. */
static void remove_cgroup(const char *path)
{
	_cleanup_(cgroup_close_ptr) struct cgroup *cgroup = NULL;

	if (!given(path) || cgroup_open(path, &cgroup, NULL) < 0)
		return;
	cgroup_kill(cgroup, 9, NULL);
	cgroup_remove(cgroup, NULL);
}

static void clean_one(const char *id)
{
	struct state s = { 0 };

	if (!load(id, &s)) {
		remove_container(id);
		remove_cgroup(s.cgroup);
		remove_all(&s, NULL);
	}
	state_free(&s);
}

static void clean_names(void)
{
	_cleanup_free_ char *path = xasprintf("%s/names", state_run_directory());
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char id[STATE_ID_LENGTH + 1] = "";
		_cleanup_free_ char *container = NULL;

		if (readlinkat(dirfd(dir), entry->d_name, id, sizeof(id) - 1) != STATE_ID_LENGTH)
			continue;
		container = xasprintf("%s/containers/%s", state_run_directory(), id);
		if (access(container, F_OK) < 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
}

void state_clean_leftovers(void)
{
	_cleanup_free_ char *path = xasprintf("%s/containers", state_run_directory());
	_cleanup_closedir_ DIR *dir = opendir(path);
	_cleanup_close_ int lock = dir ? take_lock(NULL) : -1;
	struct dirent *entry;

	if (lock < 0)
		return;
	while ((entry = readdir(dir))) {
		if (strlen(entry->d_name) == STATE_ID_LENGTH)
			clean_one(entry->d_name);
	}
	clean_names();
}

enum { BOOT_ID = 36 };

static bool read_boot_id(char ret[BOOT_ID + 1])
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(ret, 0, BOOT_ID + 1);
	return fd >= 0 && read(fd, ret, BOOT_ID) == BOOT_ID;
}

int state_mark_storage(const char *storage)
{
	_cleanup_free_ char *path = xasprintf("%s/boot", storage);
	char boot[BOOT_ID + 1];

	if (!read_boot_id(boot))
		return 0;
	return symlink(boot, path) < 0 ? -errno : 0;
}

void state_clean_storage(const char *store_root)
{
	_cleanup_free_ char *path = xasprintf("%s/containers", store_root);
	_cleanup_closedir_ DIR *dir = opendir(path);
	char boot[BOOT_ID + 1], made[BOOT_ID + 1];
	struct dirent *entry;

	while (dir && read_boot_id(boot) && (entry = readdir(dir))) {
		struct state s = { .storage = xasprintf("%s/%s", path, entry->d_name) };
		_cleanup_free_ char *mark = xasprintf("%s/boot", s.storage);

		memset(made, 0, sizeof(made));
		if (readlink(mark, made, BOOT_ID) == BOOT_ID && strcmp(made, boot) != 0)
			remove_storage(&s, NULL);
		free(s.storage);
	}
}
