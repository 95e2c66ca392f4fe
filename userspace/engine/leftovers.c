/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "engine/address_pool.h"
#include "engine/ports.h"
#include "engine/registry.h"
#include "engine/shared_memory.h"
#include "engine/store.h"
#include "engine/image/tree.h"
#include "engine/volumes.h"
#include "runtime/runtime.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/strbuf.h"

/* ---- taking things away ---- */

/* Its root, and the memory that others may share. */
static int unmount_storage(const struct state *s, struct error *err)
{
	static const char *const names[] = { "root", SHARED_MEMORY };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", s->storage, names[i]);

		/* Detached: someone on the host may have a file open below it. EINVAL: nothing is mounted. */
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
			r = error_errno(r < 0 ? NULL : err, errno, "cannot unmount %s", path);
	}
	return r;
}

int registry_stop(struct state *s, struct error *err)
{
	int r = ports_release(s->id, err), unmounted;

	if (state_has(s->address))
		address_pool_release(registry_directory(), s->id);
	unmounted = state_has(s->storage) ? unmount_storage(s, r < 0 ? NULL : err) : 0;
	return r < 0 ? r : unmounted;
}

/* One hold, or, where the image is not known any more, any that the container has. */
static void release_image(const struct state *s)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	_cleanup_free_ char *holds = xasprintf("%s/holds", s->store_root);
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;

	if (access(holds, F_OK) < 0 || store_open(s->store_root, &store, NULL) < 0)
		return;
	if (state_has(s->image_id)) {
		store_release(store, s->image_id, s->id, NULL);
		return;
	}
	if (state_has(s->rootfs))
		return;
	dir = opendir(holds);
	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *path = xasprintf("%s/%s/%s", holds, entry->d_name, s->id);
		_cleanup_free_ char *image = xasprintf("sha256:%s", entry->d_name);

		if (entry->d_name[0] != '.' && access(path, F_OK) == 0)
			store_release(store, image, s->id, NULL);
	}
}

static void remove_name(const struct state *s)
{
	_cleanup_free_ char *path = registry_path("names", "");
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;

	if (state_has(s->name)) {
		registry_remove_name(s->name, s->id);
		return;
	}
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		registry_remove_name(entry->d_name, s->id);
}

static int remove_files(const struct state *s, struct error *err)
{
	int r = state_has(s->storage) ? tree_remove(AT_FDCWD, s->storage) : 0, own;

	if (unlink(s->directory) == 0 || errno == ENOENT)
		own = 0;
	else
		own = tree_remove(AT_FDCWD, s->directory);
	r = r < 0 ? r : own;
	return r < 0 ? error_errno(err, -r, "cannot remove the files of container %s", s->id) : 0;
}

static bool others_have(const struct state *list, size_t count, const struct state *s, const char *volume)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].id, s->id) != 0 && list[i].status != STATE_REMOVING &&
			state_has_volume(&list[i], volume))
			return true;
	}
	return false;
}

/* Those without a name; another container may have one by --volumes-from, or may be about to: it looks for them, and notes
 * them in its state, under the lock. */
static void remove_volumes(const struct state *s)
{
	_cleanup_close_ int lock = s->anonymous.count ? registry_lock(NULL) : -1;
	struct state *list = NULL;
	size_t count = 0;

	if (lock < 0 || registry_list(&list, &count, NULL) < 0)
		return; /* rather one too many is left than one too few */
	for (size_t i = 0; i < s->anonymous.count; i++) {
		if (!others_have(list, count, s, s->anonymous.items[i]))
			volume_hide(s->store_root, s->anonymous.items[i], NULL);
	}
	registry_list_free(list, count);
	close(steal_fd(&lock));
	/* one that others have is not hidden: there is nothing to remove */
	for (size_t i = 0; i < s->anonymous.count; i++)
		volume_remove_hidden(s->store_root, s->anonymous.items[i], NULL);
}

int registry_remove(struct state *s, struct error *err)
{
	int r;

	remove_volumes(s);
	if (state_has(s->store_root))
		release_image(s);
	remove_name(s);
	r = s->directory ? remove_files(s, err) : 0;
	if (r == 0)
		registry_release(s->id);
	return r;
}

/* ---- killed processes ---- */

static void remove_container(const char *id)
{
	_cleanup_(runtime_close_ptr) struct container *container = NULL;
	_cleanup_free_ char *root = xasprintf("%s/oci", registry_directory());
	int r = runtime_open(root, id, &container, NULL);

	if (r == 0)
		runtime_delete(container, true, NULL);
	else if (r == -EUCLEAN)
		runtime_discard(root, id, NULL);
}

/* The supervisor may have died before the runtime had written its state. */
static void remove_cgroup(const char *path)
{
	_cleanup_(cgroup_close_ptr) struct cgroup *cgroup = NULL;

	if (!state_has(path) || cgroup_open(path, &cgroup, NULL) < 0)
		return;
	cgroup_kill(cgroup, 9, NULL);
	cgroup_remove(cgroup, NULL);
}

/* It was killed before it had written a state, or while it removed it. */
static void guess(struct state *s, const char *id, const char *store_root)
{
	snprintf(s->id, sizeof(s->id), "%s", id);
	s->directory = registry_path("containers", id);
	s->store_root = xstrdup(store_root);
	s->storage = *store_root ? xasprintf("%s/containers/%s", store_root, id) : NULL;
	s->address = xstrdup("?");
	s->status = STATE_CREATING;
}

static void keep_stopped(struct state *s)
{
	registry_stop(s, NULL);
	free(s->address);
	s->address = NULL;
	string_list_free(&s->published);
	s->status = STATE_EXITED;
	s->pid = 0;
	s->exit_code = 137;
	s->finished_ns = state_now();
	if (state_save(s, NULL) == 0)
		registry_release(s->id);
}

static void clean_one(const char *id, const char *store_root)
{
	_cleanup_free_ char *directory = registry_path("containers", id);
	_cleanup_(state_free) struct state s = { 0 };
	bool rested, ran;

	if (state_load(directory, &s, NULL) < 0) {
		state_free(&s);
		guess(&s, id, store_root);
	}
	if (!state_has(s.address)) { /* it takes one before it can write down which */
		free(s.address);
		s.address = xstrdup("?");
	}
	remove_container(id);
	remove_cgroup(s.cgroup);
	rested = state_rests(&s); /* who held the claim was about to start it, or to look */
	ran = s.status == STATE_EXITED || s.status == STATE_RUNNING || s.status == STATE_RESTARTING;
	if (s.status == STATE_CREATED || (ran && !s.remove)) {
		if (rested) {
			registry_stop(&s, NULL);
			registry_release(id);
		} else {
			keep_stopped(&s);
		}
		return;
	}
	/* what is still mounted must not be emptied: the next one tries again */
	if (registry_stop(&s, NULL) == 0)
		registry_remove(&s, NULL);
}

/* Takes the claim over, so that two who clean do not meet. */
static bool take_void_claim(const char *id, char **ret_store_root)
{
	_cleanup_close_ int lock = registry_lock(NULL);

	*ret_store_root = NULL;
	return lock >= 0 && registry_claim_is_void(id, ret_store_root) &&
	       registry_take_over(id, *ret_store_root) == 0;
}

/* A claim that was being made: registry_take_over holds the lock, so that nobody is at it any more. */
static void remove_half_claim(const char *name)
{
	_cleanup_free_ char *path = registry_path("live", name);
	_cleanup_close_ int lock = registry_lock(NULL);

	if (lock >= 0)
		unlink(path);
}

void leftovers_clean(void)
{
	_cleanup_free_ char *path = registry_path("live", "");
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *look = NULL, *store_root = NULL;

		if (str_ends(entry->d_name, ".tmp"))
			remove_half_claim(entry->d_name);
		if (strlen(entry->d_name) != STATE_ID_LENGTH || !registry_claim_is_void(entry->d_name, &look))
			continue;
		if (take_void_claim(entry->d_name, &store_root))
			clean_one(entry->d_name, store_root ? store_root : "");
	}
}

/* ---- reboots ---- */

enum { BOOT_ID = 36 };

static bool read_boot_id(char ret[BOOT_ID + 1])
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(ret, 0, BOOT_ID + 1);
	return fd >= 0 && read(fd, ret, BOOT_ID) == BOOT_ID;
}

int leftovers_mark(const char *storage)
{
	_cleanup_free_ char *path = xasprintf("%s/boot", storage);
	char boot[BOOT_ID + 1];

	if (!read_boot_id(boot))
		return 0;
	unlink(path);
	return symlink(boot, path) < 0 ? -errno : 0;
}

static void adopt_one(const char *storage, const char *id)
{
	_cleanup_(state_free) struct state s = { 0 };
	_cleanup_free_ char *link = registry_path("containers", id), *name = NULL;
	int kept = state_load(storage, &s, NULL);

	if (kept < 0 || s.remove || s.status == STATE_CREATING || s.status == STATE_REMOVING) {
		if (kept < 0) {
			state_free(&s);
			snprintf(s.id, sizeof(s.id), "%s", id);
			s.storage = xstrdup(storage);
		}
		if (unmount_storage(&s, NULL) == 0)
			tree_remove(AT_FDCWD, storage);
		return;
	}
	name = registry_path("names", s.name);
	if (symlink(storage, link) < 0 || symlink(id, name) < 0)
		return;
	if (!state_rests(&s)) {
		s.status = STATE_EXITED;
		s.exit_code = 255; /* docker's, after a reboot */
		s.finished_ns = state_now();
	}
	s.pid = 0;
	string_list_free(&s.published);
	free(s.address);
	s.address = NULL;
	state_save(&s, NULL);
	leftovers_mark(storage);
}

static void adopt_all(const char *store_root, const char *boot)
{
	_cleanup_free_ char *path = xasprintf("%s/containers", store_root);
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *storage = xasprintf("%s/%s", path, entry->d_name);
		_cleanup_free_ char *mark = xasprintf("%s/boot", storage);
		char made[BOOT_ID + 1] = "";

		if (strlen(entry->d_name) == STATE_ID_LENGTH && readlink(mark, made, BOOT_ID) == BOOT_ID &&
			strcmp(made, boot) != 0)
			adopt_one(storage, entry->d_name);
	}
}

void leftovers_adopt(const char *store_root)
{
	_cleanup_free_ char *done = NULL;
	_cleanup_close_ int lock = -1;
	char boot[BOOT_ID + 1];

	done = xasprintf("%s/adopted.%" PRIx64, registry_directory(), fnv1a(FNV1A_BASIS, store_root));
	if (access(done, F_OK) == 0 || !read_boot_id(boot))
		return;
	lock = registry_make_and_lock(NULL);
	if (lock < 0 || access(done, F_OK) == 0)
		return;
	adopt_all(store_root, boot);
	if (symlink(boot, done) < 0)
		return; /* the next one looks again */
}
