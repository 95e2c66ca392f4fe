/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { KERNEL_MESSAGE_MAX = 400 };

char *overlay_lowerdir(char *const *layers, size_t count)
{
	struct strbuf sb = { 0 };

	for (size_t i = count; i-- > 0;) {
		for (const char *p = layers[i]; *p; p++) {
			if (*p == ':' || *p == ',' || *p == '\\')
				strbuf_putc(&sb, '\\');
			strbuf_putc(&sb, *p);
		}
		if (i)
			strbuf_putc(&sb, ':');
	}
	return strbuf_steal(&sb);
}

static int set_string(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) < 0 ? -errno : 0;
}

static int set_layers(int fs, const struct overlay *o)
{
	_cleanup_free_ char *all = NULL;
	int r;

	for (size_t i = o->layer_count; i-- > 0;) {
		r = set_string(fs, "lowerdir+", o->layers[i]);
		if (r == -EINVAL && i == o->layer_count - 1)
			break; /* before Linux 6.7 */
		if (r < 0 || i == 0)
			return r;
	}
	all = overlay_lowerdir(o->layers, o->layer_count);
	/* fsconfig takes strings below 256 bytes only; mount(2) a page */
	return strlen(all) < 256 ? set_string(fs, "lowerdir", all) : -E2BIG;
}

/* The new mount API: options are values of their own, so only the path separators matter. upperdir and
 * workdir are not split, but the kernel unquotes them. */
static int mount_by_fsconfig(const struct overlay *o, struct strbuf *message)
{
	_cleanup_close_ int fs = fsopen("overlay", FSOPEN_CLOEXEC), mnt = -1;
	char text[KERNEL_MESSAGE_MAX];
	ssize_t n;
	int r;

	if (fs < 0)
		return -errno;
	set_string(fs, "source", "overlay");
	r = set_layers(fs, o);
	if (r == 0)
		r = set_string(fs, "upperdir", o->upper);
	if (r == 0)
		r = set_string(fs, "workdir", o->work);
	if (r == 0 && o->is_volatile)
		fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0); /* from 5.10 on */
	if (r == 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = -errno;
	if (r == 0) {
		mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
		r = mnt < 0 ? -errno : 0;
	}
	if (r == 0 && move_mount(mnt, "", AT_FDCWD, o->target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		r = -errno;
	if (r < 0) {
		n = read(fs, text, sizeof(text) - 1); /* why, in the kernel's words */
		strbuf_add(message, text, n > 0 ? (size_t)n : 0);
	}
	return r;
}

static int mount_with(const struct overlay *o, char *const *layers)
{
	_cleanup_free_ char *lower = overlay_lowerdir(layers, o->layer_count);
	_cleanup_free_ char *upper = overlay_lowerdir((char *const *)&o->upper, 1);
	_cleanup_free_ char *work = overlay_lowerdir((char *const *)&o->work, 1);
	_cleanup_free_ char *options = xasprintf("lowerdir=%s,upperdir=%s,workdir=%s%s", lower, upper,
		work, o->is_volatile ? ",volatile" : "");

	if (strlen(options) >= (size_t)sysconf(_SC_PAGESIZE))
		return -E2BIG;
	return mount("overlay", o->target, "overlay", 0, options) < 0 ? -errno : 0;
}

/* Some 40 layers' paths fill the page; the names of their descriptors do for 200. */
static int mount_by_descriptors(const struct overlay *o)
{
	char **names = xcalloc(o->layer_count, sizeof(*names));
	int *fds = xcalloc(o->layer_count, sizeof(*fds)), r = 0;
	size_t count = 0;

	while (r == 0 && count < o->layer_count) {
		fds[count] = open(o->layers[count], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fds[count] < 0) {
			r = -errno;
		} else {
			names[count] = xasprintf("/proc/self/fd/%d", fds[count]);
			count++;
		}
	}
	if (r == 0)
		r = mount_with(o, names);
	while (count-- > 0) {
		close(fds[count]);
		free(names[count]);
	}
	free(fds);
	free(names);
	return r;
}

static int mount_by_options(const struct overlay *o)
{
	int r = mount_with(o, o->layers);

	return r == -E2BIG ? mount_by_descriptors(o) : r;
}

int overlay_mount(const struct overlay *o, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf message = { 0 };
	int r = mount_by_fsconfig(o, &message), fallback;

	if (r == 0)
		return 0;
	/* what another way of asking may cure: no fsopen, or options it does not know */
	if (r == -ENOSYS || r == -EINVAL || r == -E2BIG) {
		fallback = mount_by_options(o);
		if (fallback == 0)
			return 0;
		r = fallback;
	}
	if (message.length)
		message.text[strcspn(message.text, "\n")] = '\0';
	return error_errno(err, -r, "cannot mount overlay of %zu layers on %s%s%s%s", o->layer_count,
		o->target, message.length ? " (" : "", message.length ? message.text : "",
		message.length ? ")" : "");
}
