/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/rooted.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

int rooted_open(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (__u64)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	/* EAGAIN: a rename or mount elsewhere raced with the walk */
	do {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd < 0 ? -errno : fd;
}

int rooted_read(int root, const char *path, size_t limit, char **ret)
{
	/* O_NONBLOCK: a fifo must not hold us up */
	_cleanup_close_ int fd = rooted_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > limit)
		return -EFBIG;
	text = xmalloc((size_t)st.st_size + 1);
	while (length < (size_t)st.st_size) {
		n = read(fd, text + length, (size_t)st.st_size - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	text[length] = '\0';
	*ret = steal_ptr(text);
	return 0;
}

int rooted_make_directory(int root, const char *path, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(path);
	_cleanup_close_ int at = dup(root);
	char *rest = copy, *name;

	/* Component by component: what exists may be a link, which is followed inside the root. */
	while (at >= 0 && (name = strsep(&rest, "/"))) {
		size_t used = (size_t)(name - copy) + strlen(name);
		_cleanup_free_ char *so_far = xstrndup(path, used);
		int next;

		if (!*name || !strcmp(name, "."))
			continue;
		next = rooted_open(root, so_far, O_PATH | O_DIRECTORY);
		if (next == -ENOENT && strcmp(name, "..") != 0) {
			if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
				return error_errno(err, errno, "cannot make directory %s in the container",
					so_far);
			next = rooted_open(root, so_far, O_PATH | O_DIRECTORY);
		}
		if (next < 0)
			return error_errno(err, -next, "cannot make directory %s in the container",
				so_far);
		close(at);
		at = next;
	}
	return at < 0 ? error_errno(err, errno, "cannot open the container's root") : 0;
}
