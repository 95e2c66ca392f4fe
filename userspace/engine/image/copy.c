/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/image/pack.h"
#include "engine/image/ring.h"
#include "engine/image/tree.h"
#include "engine/image/unpack.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/parallel.h"
#include "util/strbuf.h"

enum { LINKS_MAX = 10, CHUNK = 1 << 18, RING_BYTES = 1 << 20 };

/* ---- paths ---- */

/* Where a path leads, without following any link. */
struct location {
	char *clean;     /* without leading '/', "." and ".."; "" = the root */
	bool contents;   /* it ends in "/." */
	bool directory;  /* it ends in "/", so it must be one */
};

static void location_free(struct location *l)
{
	free(l->clean);
}

static int locate(const struct copy_place *place, struct location *ret, struct error *err)
{
	const char *path = place->path;
	_cleanup_free_ char *here = place->root < 0 ? getcwd(NULL, 0) : xstrdup("");

	if (!here)
		return error_errno(err, errno, "cannot find the working directory");
	if (!*path)
		return error_set(err, EINVAL, "path cannot be empty");
	ret->clean = tree_join(here, path);
	ret->contents = !strcmp(path, ".") || str_ends(path, "/.");
	ret->directory = str_ends(path, "/");
	return 0;
}

static char *parent_of(const char *clean)
{
	const char *slash = strrchr(clean, '/');

	return slash ? xstrndup(clean, (size_t)(slash - clean)) : xstrdup("");
}

static const char *name_of(const char *clean)
{
	const char *slash = strrchr(clean, '/');

	return slash ? slash + 1 : clean;
}

static int open_at(const struct copy_place *place, const char *clean, int flags)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (place->root >= 0)
		return tree_open(place->root, clean, flags);
	path = xasprintf("/%s", clean);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int not_found(const struct copy_place *place, const char *clean, int code, struct error *err)
{
	if (place->root < 0)
		return error_errno(err, code, "lstat /%s", clean);
	if (code == ENOENT)
		return error_set(err, code, "Could not find the file /%s in container %s", clean, place->container);
	return error_errno(err, code, "cannot open /%s in container %s", clean, place->container);
}

/* ---- the source ---- */

struct source {
	int fd;     /* O_PATH */
	char *name; /* what it is called in the archive; "." = only what is in it */
	bool directory;
};

static void source_close(struct source *s)
{
	cleanup_close(&s->fd);
	free(s->name);
}

static int source_open(const struct copy_place *place, bool follow, struct source *ret, struct error *err)
{
	_cleanup_(location_free) struct location l = { 0 };
	struct stat st;
	int r = locate(place, &l, err);

	if (r < 0)
		return r;
	ret->fd = open_at(place, l.clean, O_PATH | (follow || l.contents || l.directory ? 0 : O_NOFOLLOW));
	if (ret->fd < 0)
		return not_found(place, l.clean, -ret->fd, err);
	if (fstat(ret->fd, &st) < 0)
		return not_found(place, l.clean, errno, err);
	ret->directory = S_ISDIR(st.st_mode);
	if ((l.contents || l.directory) && !ret->directory)
		return error_set(err, ENOTDIR, "/%s: not a directory", l.clean);
	ret->name = xstrdup(l.contents || !*l.clean ? "." : name_of(l.clean));
	return 0;
}

/* ---- the destination ---- */

struct destination {
	struct location location; /* links are followed */
	int fd;                   /* of what is there, O_PATH; -1 = nothing */
	bool directory;
};

static void destination_close(struct destination *d)
{
	location_free(&d->location);
	cleanup_close(&d->fd);
}

/* One step along a link, which may lead to what does not exist yet. */
static int follow_link(struct destination *d, struct error *err)
{
	_cleanup_free_ char *parent = parent_of(d->location.clean);
	char target[PATH_MAX];
	ssize_t n = readlinkat(d->fd, "", target, sizeof(target) - 1);

	if (n < 0)
		return error_errno(err, errno, "cannot read the link /%s", d->location.clean);
	target[n] = '\0';
	free(d->location.clean);
	d->location.clean = tree_join(parent, target);
	close(steal_fd(&d->fd));
	return 0;
}

static int destination_find(const struct copy_place *place, struct destination *d, struct error *err)
{
	struct stat st;
	int r = locate(place, &d->location, err);

	for (int links = 0; r == 0; links++) {
		d->fd = open_at(place, d->location.clean, O_PATH | O_NOFOLLOW);
		if (d->fd == -ENOENT || d->fd == -ENOTDIR)
			return 0;
		if (d->fd < 0)
			return not_found(place, d->location.clean, -d->fd, err);
		if (fstat(d->fd, &st) < 0)
			return not_found(place, d->location.clean, errno, err);
		d->directory = S_ISDIR(st.st_mode);
		if (!S_ISLNK(st.st_mode))
			break;
		if (links == LINKS_MAX)
			return not_found(place, d->location.clean, ELOOP, err);
		r = follow_link(d, err);
	}
	if (r == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return error_set(err, EINVAL, "%s \"%s%s%s\" must be a directory or a regular file: got a device",
			place->root < 0 ? "invalid output path:" : "destination", place->root < 0 ? "" : place->container,
			place->root < 0 ? "" : ":", place->path);
	if (r == 0 && !d->directory && (d->location.directory || d->location.contents))
		close(steal_fd(&d->fd)); /* "file/" is nothing that there could be */
	return r;
}

static int open_parent(const struct copy_place *place, const char *clean, struct error *err)
{
	_cleanup_free_ char *parent = parent_of(clean);
	int fd = open_at(place, parent, O_PATH | O_DIRECTORY);

	if (fd == -ENOENT && place->root < 0)
		return error_set(err, ENOENT, "invalid output path: directory \"/%s\" does not exist", parent);
	return fd < 0 ? not_found(place, parent, -fd, err) : fd;
}

static int check_writable(const struct copy_place *place, int fd, struct error *err)
{
	struct statvfs here, root;

	if (place->root < 0 || fstatvfs(fd, &here) < 0 || !(here.f_flag & ST_RDONLY))
		return 0;
	if (fstatvfs(place->root, &root) == 0 && root.f_flag & ST_RDONLY)
		return error_set(err, EROFS, "container rootfs is marked read-only");
	return error_set(err, EROFS, "mounted volume is marked read-only");
}

/* What is unpacked where. */
struct plan {
	int directory; /* O_PATH */
	char *name;    /* what the source is called there */
};

static void plan_free(struct plan *p)
{
	cleanup_close(&p->directory);
	free(p->name);
}

static int make_plan(const struct source *source, const struct copy_place *to, struct plan *ret, struct error *err)
{
	_cleanup_(destination_close) struct destination d = { .fd = -1 };
	int r = destination_find(to, &d, err);

	if (r < 0)
		return r;
	if (d.fd >= 0 && d.directory) {
		ret->directory = steal_fd(&d.fd);
		ret->name = xstrdup(source->name);
		return check_writable(to, ret->directory, err);
	}
	if (d.fd >= 0 && source->directory)
		return error_set(err, ENOTDIR, "cannot copy directory");
	if (d.fd < 0 && !source->directory && (d.location.directory || d.location.contents))
		return error_set(err, ENOENT, "no such directory");
	ret->directory = open_parent(to, d.location.clean, err);
	ret->name = xstrdup(name_of(d.location.clean));
	return ret->directory < 0 ? ret->directory : check_writable(to, ret->directory, err);
}

/* ---- the transfer: packed in a thread, unpacked in ours ---- */

struct transfer {
	struct ring *ring;
	const struct source *source;
	const char *name;
	char *buffer; /* CHUNK */
	int pack_result;
	struct error pack_error;
};

static int put_bytes(void *arg, const void *bytes, size_t length)
{
	return ring_write(arg, bytes, length);
}

static void *pack_main(void *arg)
{
	struct transfer *t = arg;

	t->pack_result = pack_tree(t->source->fd, t->name, put_bytes, t->ring, &t->pack_error);
	if (t->pack_result == 0)
		ring_close(t->ring);
	else
		ring_abort(t->ring);
	return NULL;
}

static ssize_t get_bytes(void *arg, const void **bytes)
{
	struct transfer *t = arg;

	*bytes = t->buffer;
	return ring_read(t->ring, t->buffer, CHUNK);
}

static int unpack_side(struct transfer *t, int directory, const struct unpack_options *how, struct copy_options *o,
	struct error *err)
{
	struct unpacked unpacked = { 0 };
	const void *bytes;
	int r = unpack_archive(directory, how, get_bytes, t, &unpacked, err);

	if (r < 0) {
		ring_abort(t->ring);
		return r;
	}
	o->left_out = unpacked.left_out;
	unpacked_free(&unpacked);
	while (get_bytes(t, &bytes) > 0) /* what follows the end mark */
		;
	return 0;
}

static int transfer(const struct source *source, const struct plan *plan, const struct unpack_options *how,
	struct copy_options *o, struct error *err)
{
	struct transfer t = { .source = source, .name = plan->name };
	pthread_t thread;
	int r;

	t.ring = ring_new(RING_BYTES);
	t.buffer = xmalloc(CHUNK);
	r = parallel_start(&thread, pack_main, &t);
	if (r == 0) {
		r = unpack_side(&t, plan->directory, how, o, err);
		pthread_join(thread, NULL);
		/* the cause, not what it led to on the other side */
		if (t.pack_result < 0 && t.pack_result != -ECANCELED) {
			r = t.pack_result;
			if (err)
				*err = t.pack_error;
		}
	} else {
		r = error_errno(err, r, "cannot start a thread");
	}
	ring_free(t.ring);
	free(t.buffer);
	return r;
}

int copy_files(const struct copy_place *from, const struct copy_place *to, struct copy_options *o, struct error *err)
{
	_cleanup_(source_close) struct source source = { .fd = -1 };
	_cleanup_(plan_free) struct plan plan = { .directory = -1 };
	struct unpack_options how = { .what = "the copy", .foreign = to->root < 0 && !o->archive };
	int r = source_open(from, o->follow, &source, err);

	if (r == 0)
		r = make_plan(&source, to, &plan, err);
	return r == 0 ? transfer(&source, &plan, &how, o, err) : r;
}

/* ---- streams ---- */

static int pack_to(int top, const char *name, int fd, struct error *err)
{
	struct output_stream out = { .fd = fd };
	int r = pack_tree(top, name, output_stream_write, &out, err);

	return out.failed ? error_errno(err, out.failed, "cannot write the archive") : r;
}

int copy_root_to_stream(int root, int fd, struct error *err)
{
	return pack_to(root, "", fd, err);
}

int copy_to_stream(const struct copy_place *from, const struct copy_options *o, int fd, struct error *err)
{
	_cleanup_(source_close) struct source source = { .fd = -1 };
	int r = source_open(from, o->follow, &source, err);

	return r == 0 ? pack_to(source.fd, source.name, fd, err) : r;
}

struct input {
	int fd;
	char *buffer; /* CHUNK */
};

static ssize_t read_bytes(void *arg, const void **bytes)
{
	struct input *in = arg;
	ssize_t n;

	*bytes = in->buffer;
	do {
		n = read(in->fd, in->buffer, CHUNK);
	} while (n < 0 && errno == EINTR);
	return n;
}

int copy_from_stream(int fd, const struct copy_place *to, struct copy_options *o, struct error *err)
{
	_cleanup_(destination_close) struct destination d = { .fd = -1 };
	struct unpack_options how = { .what = "the archive", .compressed = true, .foreign = to->root < 0 && !o->archive };
	struct unpacked unpacked = { 0 };
	_cleanup_free_ char *buffer = xmalloc(CHUNK);
	struct input in = { fd, buffer };
	int r = destination_find(to, &d, err);

	if (r < 0)
		return r;
	if (d.fd < 0 || !d.directory)
		return error_set(err, ENOTDIR, "destination \"%s:%s\" must be a directory", to->container, to->path);
	r = check_writable(to, d.fd, err);
	if (r == 0)
		r = unpack_archive(d.fd, &how, read_bytes, &in, &unpacked, err);
	unpacked_free(&unpacked);
	return r;
}
