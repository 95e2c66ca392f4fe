/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static char *temporary_name(const char *path)
{
	return xasprintf("%s.%d.part", path, (int)getpid());
}

/* Without a name as long as it is not whole, so that nothing stays of a ctrace that is killed; not every file system has that. */
static int open_temporary(struct output_file *o)
{
	_cleanup_free_ char *directory = directory_of(o->path);

	o->fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (o->fd >= 0)
		return 0;
	o->temporary = temporary_name(o->path);
	o->fd = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (o->fd < 0)
		free(steal_ptr(o->temporary));
	return o->fd < 0 ? -errno : 0;
}

int output_file_open(const char *path, struct output_file *ret, struct error *err)
{
	struct output_file o = { .path = xstrdup(path), .fd = -1 };
	struct stat st;
	int r = 0;

	o.direct = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
	if (o.direct && S_ISDIR(st.st_mode)) {
		r = error_set(err, EISDIR, "invalid output path %s: cannot write to a directory", path);
	} else if (o.direct) {
		o.fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		r = o.fd < 0 ? -errno : 0;
	} else {
		r = open_temporary(&o);
	}
	if (r < 0 && r != -EISDIR)
		r = error_errno(err, -r, "invalid output path %s", path);
	if (r < 0) {
		output_file_free(&o);
		return r;
	}
	*ret = o;
	return 0;
}

static int name_temporary(struct output_file *o)
{
	_cleanup_free_ char *self = xasprintf("/proc/self/fd/%d", o->fd);

	if (o->temporary)
		return 0;
	o->temporary = temporary_name(o->path);
	if (linkat(AT_FDCWD, self, AT_FDCWD, o->temporary, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	free(steal_ptr(o->temporary));
	return -errno;
}

int output_file_finish(struct output_file *o, int result, struct error *err)
{
	int r = result;

	if (r < 0 || o->direct)
		return r;
	r = name_temporary(o);
	if (r == 0 && rename(o->temporary, o->path) < 0)
		r = -errno;
	if (r < 0)
		return error_errno(err, -r, "cannot write %s", o->path);
	free(steal_ptr(o->temporary));
	return 0;
}

void output_file_free(struct output_file *o)
{
	if (o->temporary)
		unlink(o->temporary);
	free(o->temporary);
	free(o->path);
	cleanup_close(&o->fd);
}
