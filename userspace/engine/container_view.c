/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_view.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "engine/registry.h"
#include "engine/root_mount.h"
#include "engine/image/tree.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { WAIT_MS = 10000, WAIT_STEP_MS = 20 };

/* ---- who has it ---- */

/* Until it either runs, or is ours. ret: as it is then; ret_claimed: it is ours. */
static int settle(const char *id, struct state *ret, bool *ret_claimed, struct error *err)
{
	static const struct timespec step = { .tv_nsec = WAIT_STEP_MS * 1000000 };
	int r = 0;

	for (int waited = 0; waited <= WAIT_MS; waited += WAIT_STEP_MS) {
		state_free(ret);
		r = registry_find(id, ret, err);
		*ret_claimed = false;
		if (r < 0 || ret->status == STATE_RUNNING)
			return r;
		r = registry_claim(ret, NULL, err);
		*ret_claimed = r == 0;
		if (r != -EBUSY)
			return r;
		nanosleep(&step, NULL);
	}
	return r;
}

/* ---- mounts, in the namespace of the view ---- */

static int make_read_only(int fd)
{
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", fd);

	return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0 ? -errno : 0;
}

static char *join_options(json_object *mount)
{
	json_object *list = json_object_object_get(mount, "options");
	struct strbuf sb = { 0 };

	strbuf_puts(&sb, "");
	for (size_t i = 0; json_object_is_type(list, json_type_array) && i < json_object_array_length(list); i++)
		strbuf_printf(&sb, "%s%s", i ? "," : "", json_object_get_string(json_object_array_get_idx(list, i)));
	return strbuf_steal(&sb);
}

/* The container may have changed what it is mounted on, and then it is not seen: inside it is not, either, under that name. */
static int add_bind(int root, json_object *mount, struct error *err)
{
	const char *source = json_object_get_string(json_object_object_get(mount, "source"));
	const char *destination = json_object_get_string(json_object_object_get(mount, "destination"));
	_cleanup_free_ char *options = join_options(mount);
	_cleanup_close_ int tree = -1, target = -1;

	if (!source || *source != '/' || !destination)
		return 0;
	target = tree_open(root, destination, O_PATH);
	if (target < 0)
		return 0;
	tree = open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | O_CLOEXEC | (str_has_word(options, ",", "bind") ? 0 : AT_RECURSIVE));
	if (tree < 0)
		return error_errno(err, errno, "cannot open %s, which is mounted on %s", source, destination);
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return errno == ENOTDIR ? 0 : error_errno(err, errno, "cannot mount %s on %s", source, destination);
	return str_has_word(options, ",", "ro") && make_read_only(tree) < 0
		? error_errno(err, errno, "cannot make %s read-only", destination) : 0;
}

static int add_binds(int root, json_object *config, struct error *err)
{
	json_object *mounts = json_object_object_get(config, "mounts");
	int r = 0;

	for (size_t i = 0; r == 0 && json_object_is_type(mounts, json_type_array) &&
		i < json_object_array_length(mounts); i++) {
		json_object *mount = json_object_array_get_idx(mounts, i);
		const char *type = json_object_get_string(json_object_object_get(mount, "type"));
		_cleanup_free_ char *options = join_options(mount);

		if ((type && !strcmp(type, "bind")) || str_has_word(options, ",", "bind") || str_has_word(options, ",", "rbind"))
			r = add_bind(root, mount, err);
	}
	return r;
}

/* The directory that becomes "/": the overlay of one of ours, what config.json names for a bundle. */
static char *root_path(const struct state *s, json_object *config)
{
	const char *path = json_object_get_string(json_object_object_get(json_object_object_get(config, "root"), "path"));

	if (state_has(s->storage))
		return xasprintf("%s/root", s->storage);
	return path && *path == '/' ? xstrdup(path) : xasprintf("%s/%s", s->bundle, path ? path : "rootfs");
}

/* A mount of its own, so that it can be made read-only and be the root. */
static int clone_root(const struct state *s, const char *path, int *ret, struct error *err)
{
	_cleanup_close_ int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | O_CLOEXEC);
	struct statfs st;

	if (tree < 0 || fstatfs(tree, &st) < 0)
		return error_errno(err, errno, "cannot open the container's root %s", path);
	if (state_has(s->storage) && st.f_type != OVERLAYFS_SUPER_MAGIC)
		return error_set(err, ESTALE, "the root of container %s is not mounted at %s: it has just ended, or was "
			"started in another mount namespace", s->name, path);
	if (move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_errno(err, errno, "cannot mount the container's root %s", path);
	*ret = steal_fd(&tree);
	return 0;
}

static int build(const struct state *s, bool claimed, bool volumes, json_object *config, struct container_view *v,
	struct error *err)
{
	_cleanup_free_ char *path = root_path(s, config);
	bool read_only = json_object_get_boolean(json_object_object_get(json_object_object_get(config, "root"), "readonly"));
	int r = 0;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, errno, "cannot make a mount namespace");
	v->namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (v->namespace < 0)
		return error_errno(err, errno, "cannot open /proc/self/ns/mnt");
	if (claimed)
		r = root_mount(s, NULL, err);
	if (r == 0)
		r = clone_root(s, path, &v->root, err);
	if (r == 0 && read_only && make_read_only(v->root) < 0)
		r = error_errno(err, errno, "cannot make the container's root read-only");
	if (r == 0 && volumes)
		r = add_binds(v->root, config, err);
	/* What else is mounted on this host must not be held. Where / is an initramfs this fails, and does no harm. */
	if (r == 0 && fchdir(v->root) == 0 && syscall(SYS_pivot_root, ".", ".") == 0)
		umount2(".", MNT_DETACH);
	return r;
}

/* ---- there and back ---- */

struct outside {
	int namespace, root, directory;
};

static void outside_close(struct outside *o)
{
	cleanup_close(&o->namespace);
	cleanup_close(&o->root);
	cleanup_close(&o->directory);
}

static int outside_keep(struct outside *o, struct error *err)
{
	o->namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	o->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	o->directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return o->namespace < 0 || o->root < 0 || o->directory < 0
		? error_errno(err, errno, "cannot open the mount namespace, root and working directory") : 0;
}

static int outside_return(const struct outside *o, struct error *err)
{
	if (setns(o->namespace, CLONE_NEWNS) < 0 || fchdir(o->root) < 0 || chroot(".") < 0 || fchdir(o->directory) < 0)
		return error_errno(err, errno, "cannot return to the host's mounts");
	return 0;
}

static int read_config(const struct state *s, json_object **ret, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/config.json", state_has(s->bundle) ? s->bundle : s->directory);

	*ret = json_object_from_file(path);
	return *ret ? 0 : error_set(err, EBADMSG, "cannot read %s", path);
}

static int open_settled(const struct state *s, bool claimed, bool volumes, struct container_view *v, struct error *err)
{
	_cleanup_(outside_close) struct outside outside = { -1, -1, -1 };
	json_object *config = NULL;
	int r = outside_keep(&outside, err), back;

	if (r == 0)
		r = read_config(s, &config, err);
	if (r < 0)
		return r;
	r = build(s, claimed, volumes, config, v, err);
	back = outside_return(&outside, r < 0 ? NULL : err);
	json_object_put(config);
	return r < 0 ? r : back;
}

int container_view_open(const struct state *s, bool volumes, struct container_view *ret, struct error *err)
{
	_cleanup_(state_free) struct state now = { 0 };
	struct container_view v = { .root = -1, .namespace = -1 };
	bool claimed;
	int r = settle(s->id, &now, &claimed, err);

	if (r < 0)
		return r;
	if (claimed)
		memcpy(v.claimed, now.id, sizeof(v.claimed));
	r = open_settled(&now, claimed, volumes, &v, err);
	if (r < 0)
		container_view_close(&v);
	else
		*ret = v;
	return r;
}

/* The claim goes last: with the last descriptor the storage is unmounted. */
void container_view_close(struct container_view *v)
{
	cleanup_close(&v->root);
	cleanup_close(&v->namespace);
	if (v->claimed[0])
		registry_release(v->claimed);
	*v = (struct container_view){ .root = -1, .namespace = -1 };
}
