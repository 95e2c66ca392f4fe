/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled seccomp profiles: libseccomp takes 17 ms for one like docker's. A program is kept in a file that
 * holds the profile's text too: a hit is the same text, byte for byte.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "runtime/seccomp_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/hash.h"

#define SECCOMP_CACHE_PARENT "/var/lib/ctrace"
#define SECCOMP_CACHE SECCOMP_CACHE_PARENT "/seccomp"

enum { CACHE_FILES_MAX = 64, FILTER_MAX = 32768 };

struct cache_header {
	char magic[8];
	char made_by[120]; /* kernel release and library version */
	uint64_t text_length, filter_count;
};

static void fill_header(struct cache_header *h, size_t text_length, size_t filter_count)
{
	const struct scmp_version *v = seccomp_version();
	struct utsname u;

	memset(h, 0, sizeof(*h));
	/* another number whenever the compiler refuses or makes something that it did not before */
	memcpy(h->magic, "ctsecc4\n", 8);
	uname(&u);
	snprintf(h->made_by, sizeof(h->made_by), "%.64s %.32s %u.%u.%u", u.release, u.machine, v->major,
		v->minor, v->micro);
	h->text_length = text_length;
	h->filter_count = filter_count;
}

/* FNV-1a names the file; what is in it is compared. */
static void cache_name(const char *text, char *ret, size_t size)
{
	snprintf(ret, size, "%016llx", (unsigned long long)fnv1a(FNV1A_BASIS, text));
}

/* Only a directory that root alone can write to is trusted. */
static int open_cache(bool make)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (geteuid() != 0)
		return -EPERM;
	if (make) {
		mkdir(SECCOMP_CACHE_PARENT, 0755);
		mkdir(SECCOMP_CACHE, 0700);
	}
	fd = open(SECCOMP_CACHE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0 || st.st_mode & 022)
		return -EPERM;
	return steal_fd(&fd);
}

bool seccomp_cache_read(const char *text, struct seccomp_program *p)
{
	_cleanup_close_ int dir = open_cache(false), fd = -1;
	size_t length = strlen(text), bytes;
	struct cache_header want;
	struct stat st;
	const char *map;
	char name[32];
	bool hit;

	cache_name(text, name, sizeof(name));
	fd = dir >= 0 ? openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 ||
		st.st_mode & 022 || st.st_size < (off_t)(sizeof(want) + length))
		return false;
	bytes = st.st_size - sizeof(want) - length;
	if (bytes == 0 || bytes % sizeof(struct sock_filter) ||
		bytes / sizeof(struct sock_filter) > FILTER_MAX)
		return false;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return false;
	fill_header(&want, length, bytes / sizeof(struct sock_filter));
	hit = !memcmp(map, &want, sizeof(want)) && !memcmp(map + sizeof(want), text, length);
	if (hit) {
		p->count = want.filter_count;
		p->filter = xmalloc(bytes);
		memcpy(p->filter, map + sizeof(want) + length, bytes);
	}
	munmap((void *)map, st.st_size);
	return hit;
}

/* A full cache starts anew: profiles that are in use are soon in it again. */
static void limit_files(int dir)
{
	_cleanup_closedir_ DIR *d = file_open_directory(dir, ".", 0);
	struct dirent *e;
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (n <= CACHE_FILES_MAX)
		return;
	rewinddir(d);
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dir, e->d_name, 0);
	}
}

/* Best effort: a cache that cannot be written costs time, not correctness. */
void seccomp_cache_write(const char *text, const struct seccomp_program *p)
{
	_cleanup_close_ int dir = open_cache(true), fd = -1;
	size_t length = strlen(text), bytes = p->count * sizeof(*p->filter);
	struct cache_header h;
	char name[32], temporary[48];

	if (dir < 0)
		return;
	limit_files(dir);
	cache_name(text, name, sizeof(name));
	snprintf(temporary, sizeof(temporary), ".%s.%d", name, getpid());
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	fill_header(&h, length, p->count);
	if (write(fd, &h, sizeof(h)) != (ssize_t)sizeof(h) ||
		write(fd, text, length) != (ssize_t)length ||
		write(fd, p->filter, bytes) != (ssize_t)bytes ||
		renameat(dir, temporary, dir, name) < 0)
		unlinkat(dir, temporary, 0);
}
