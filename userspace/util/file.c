/* SPDX-License-Identifier: Apache-2.0 */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/strbuf.h"

char *file_read(const char *path, size_t max, size_t *ret_length)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct strbuf text = { 0 };
	char block[4096];
	size_t n;

	if (!f)
		return NULL;
	while (text.length < max && (n = fread(block, 1, sizeof(block), f)) > 0)
		strbuf_add(&text, block, n);
	if (ret_length)
		*ret_length = text.length;
	return strbuf_steal(&text);
}

int file_open_locked(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(err, errno, "cannot open %s", path);
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR) {
			int r = error_errno(err, errno, "cannot lock %s", path);

			close(fd);
			return r;
		}
	}
	return fd;
}

DIR *file_open_directory(int dir_fd, const char *path, int flags)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		steal_fd(&fd);
	return dir;
}
