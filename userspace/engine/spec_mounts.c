/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/spec.h"
#include "util/array.h"
#include "util/cleanup.h"

static void add_mount(json_object *list, const char *destination, const char *type,
	const char *source, const char *options)
{
	json_object *o = json_object_new_object();

	spec_add_string(o, "destination", destination);
	spec_add_string(o, "type", type);
	spec_add_string(o, "source", source);
	json_object_object_add(o, "options", spec_words(options));
	json_object_array_add(list, o);
}

/* What a person mounts at a place replaces the default there. */
static bool is_replaced(const struct run_settings *s, const char *destination)
{
	for (size_t i = 0; i < s->volume_count; i++) {
		if (!strcmp(s->volumes[i].destination, destination))
			return true;
	}
	for (size_t i = 0; i < s->tmpfs_count; i++) {
		if (!strcmp(s->tmpfs[i].destination, destination))
			return true;
	}
	return false;
}

static void add_default(const struct spec_input *in, json_object *list, const char *destination,
	const char *type, const char *options)
{
	if (!is_replaced(in->settings, destination))
		add_mount(list, destination, type, type, options);
}

static void add_kernel_mounts(const struct spec_input *in, json_object *list)
{
	bool rw = in->settings->privileged;
	_cleanup_free_ char *shm = xasprintf("nosuid,noexec,nodev,mode=1777,size=%lldk",
		(long long)((in->settings->shm_size + 1023) / 1024));

	add_default(in, list, "/proc", "proc", "nosuid,noexec,nodev");
	add_default(in, list, "/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k");
	add_default(in, list, "/dev/pts", "devpts",
		"nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5");
	add_default(in, list, "/sys", "sysfs",
		rw ? "nosuid,noexec,nodev,rw" : "nosuid,noexec,nodev,ro");
	add_default(in, list, "/sys/fs/cgroup", "cgroup",
		rw ? "nosuid,noexec,nodev,relatime,rw" : "ro,nosuid,noexec,nodev,relatime");
	add_default(in, list, "/dev/mqueue", "mqueue", "nosuid,noexec,nodev");
	if (is_replaced(in->settings, "/dev/shm"))
		return;
	if (in->shm)
		add_mount(list, "/dev/shm", "bind", in->shm, "rbind,rprivate");
	else if (!in->settings->ipc_mode || strcmp(in->settings->ipc_mode, "none") != 0)
		add_mount(list, "/dev/shm", "tmpfs", "shm", shm);
}

static void add_files(const struct spec_input *in, json_object *list)
{
	static const char *const names[] = { "resolv.conf", "hostname", "hosts" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *source = xasprintf("%s/%s", in->directory, names[i]);
		_cleanup_free_ char *destination = xasprintf("/etc/%s", names[i]);

		if (!is_replaced(in->settings, destination))
			add_mount(list, destination, "bind", source,
				in->settings->read_only ? "rbind,rprivate,ro" : "rbind,rprivate");
	}
}

static void add_volumes(const struct run_settings *s, json_object *list)
{
	for (size_t i = 0; i < s->volume_count; i++) {
		const struct volume *v = &s->volumes[i];
		_cleanup_free_ char *options = xasprintf("%s,%s%s", v->not_recursive ? "bind" : "rbind",
			v->propagation, v->read_only ? ",ro" : "");

		add_mount(list, v->destination, "bind", v->source, options);
	}
	for (size_t i = 0; i < s->tmpfs_count; i++) {
		_cleanup_free_ char *options = xasprintf("noexec,nosuid,nodev,%s", s->tmpfs[i].options);

		add_mount(list, s->tmpfs[i].destination, "tmpfs", "tmpfs", options);
	}
}

static int depth(json_object *mount)
{
	const char *path = json_object_get_string(json_object_object_get(mount, "destination"));
	int n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1] && path[1] != '/';
	return n;
}

/* Parents first, or a mount would cover what was mounted below it; otherwise the order stays. */
static json_object *sort_by_depth(json_object *list)
{
	json_object *sorted = json_object_new_array();
	size_t count = json_object_array_length(list);

	for (int level = 0; json_object_array_length(sorted) < count; level++) {
		for (size_t i = 0; i < count; i++) {
			json_object *mount = json_object_array_get_idx(list, i);

			if (depth(mount) == level)
				json_object_array_add(sorted, json_object_get(mount));
		}
	}
	json_object_put(list);
	return sorted;
}

static int check_duplicates(const struct run_settings *s, struct error *err)
{
	for (size_t i = 0; i < s->volume_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!strcmp(s->volumes[i].destination, s->volumes[j].destination))
				return error_set(err, EINVAL, "Duplicate mount point: %s",
					s->volumes[i].destination);
		}
		for (size_t j = 0; j < s->tmpfs_count; j++) {
			if (!strcmp(s->volumes[i].destination, s->tmpfs[j].destination))
				return error_set(err, EINVAL, "Duplicate mount point: %s",
					s->volumes[i].destination);
		}
	}
	return 0;
}

int spec_mounts(const struct spec_input *in, json_object **ret, struct error *err)
{
	json_object *defaults, *own;
	int r = check_duplicates(in->settings, err);

	if (r < 0)
		return r;
	/* The kernel's own file systems keep docker's order, whatever people mount below or above. */
	defaults = json_object_new_array();
	add_kernel_mounts(in, defaults);
	add_files(in, defaults);
	own = json_object_new_array();
	add_volumes(in->settings, own);
	own = sort_by_depth(own);
	for (size_t i = 0; i < json_object_array_length(own); i++)
		json_object_array_add(defaults, json_object_get(json_object_array_get_idx(own, i)));
	json_object_put(own);
	if (in->init)
		add_mount(defaults, "/sbin/docker-init", "bind", in->init, "bind,ro");
	*ret = defaults;
	return 0;
}
