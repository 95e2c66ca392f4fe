/* SPDX-License-Identifier: Apache-2.0 */
/* Engines replace their files as a whole, so directories are watched: a file's own watch would go with the file. */
#include "capture/names_watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "capture/names_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* Docker writes a container's file several times while it starts: once is enough to read it. */
enum { WATCHED_MAX = 4096, SETTLE_MS = 100, EVENTS_BYTES = 16384 };
#define CHANGES (IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR)

struct watched {
	char *id, *path, *name;
	enum names_source source;
	int wd; /* of the directory that path is in; shared where a file tells of many containers */
	bool is_due, is_over;
};

struct names_watch {
	int fd; /* -1: the kernel has no room for another */
	struct watched *items;
	size_t count, capacity;
	bool is_due;
	int64_t due_ms;
	uint64_t missed;
};

struct names_watch *names_watch_new(void)
{
	struct names_watch *w = xcalloc(1, sizeof(*w));

	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return w;
}

static void forget(struct names_watch *w, size_t i)
{
	int wd = w->items[i].wd;

	free(w->items[i].id);
	free(w->items[i].path);
	free(w->items[i].name);
	w->items[i] = w->items[--w->count];
	for (size_t other = 0; other < w->count; other++) {
		if (w->items[other].wd == wd)
			return;
	}
	inotify_rm_watch(w->fd, wd); /* one that went with its directory is none any more: no harm */
}

void names_watch_free(struct names_watch *w)
{
	if (!w)
		return;
	while (w->count)
		forget(w, w->count - 1);
	free(w->items);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

/* ---- whom to watch ---- */

static struct watched *find(struct names_watch *w, const char *id)
{
	for (size_t i = 0; i < w->count; i++) {
		if (!strcmp(w->items[i].id, id))
			return &w->items[i];
	}
	return NULL;
}

/* Room for one more: of one that has exited, which may stay on disk for ever. */
static bool make_room(struct names_watch *w)
{
	for (size_t i = 0; w->count == WATCHED_MAX && i < w->count; i++) {
		if (w->items[i].is_over)
			forget(w, i);
	}
	return w->count < WATCHED_MAX;
}

static void make_due(struct names_watch *w, struct watched *item)
{
	item->is_due = true;
	if (!w->is_due)
		w->due_ms = clock_ms(CLOCK_MONOTONIC) + SETTLE_MS;
	w->is_due = true;
}

/* The directory of path. */
static int watch_directory(const struct names_watch *w, const char *path)
{
	_cleanup_free_ char *directory = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	return w->fd < 0 ? -1 : inotify_add_watch(w->fd, directory, CHANGES);
}

void names_watch_follow(void *arg, const struct names_job *job, enum names_source source, const char *path,
	const char *name)
{
	struct names_watch *w = arg;
	struct watched *item = find(w, job->id);
	int wd;

	if (item) { /* started again, and read just now */
		free(item->name);
		item->name = xstrdup(name);
		item->is_over = false;
		return;
	}
	wd = make_room(w) ? watch_directory(w, path) : -1;
	if (wd < 0) {
		__atomic_add_fetch(&w->missed, 1, __ATOMIC_RELAXED);
		return;
	}
	array_grow(w->items, w->count, w->capacity);
	item = &w->items[w->count++];
	*item = (struct watched){ .id = xstrdup(job->id), .path = xstrdup(path), .name = xstrdup(name), .source = source,
		.wd = wd };
	make_due(w, item); /* it may have changed before it was watched */
}

uint64_t names_watch_missed(const struct names_watch *w)
{
	return __atomic_load_n(&w->missed, __ATOMIC_RELAXED);
}

/* ---- what happens to them ---- */

static bool is_about(const struct inotify_event *e, const struct watched *item)
{
	return e->wd == item->wd && e->len && !strcmp(e->name, strrchr(item->path, '/') + 1);
}

static void take_event(struct names_watch *w, const struct inotify_event *e)
{
	for (size_t i = w->count; i-- > 0;) {
		if (e->mask & IN_Q_OVERFLOW || is_about(e, &w->items[i]))
			make_due(w, &w->items[i]);
		else if (e->mask & IN_IGNORED && e->wd == w->items[i].wd) /* the container was removed */
			forget(w, i);
	}
}

static void take_events(struct names_watch *w)
{
	_Alignas(struct inotify_event) char buffer[EVENTS_BYTES];
	const struct inotify_event *e;
	ssize_t n;

	while ((n = read(w->fd, buffer, sizeof(buffer))) > 0) {
		for (size_t at = 0; at < (size_t)n; at += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)(buffer + at);
			take_event(w, e);
		}
	}
}

bool names_watch_wait(struct names_watch *w, int wake_fd)
{
	struct pollfd fds[] = { { .fd = wake_fd, .events = POLLIN }, { .fd = w->fd, .events = POLLIN } };
	int64_t left = w->due_ms - clock_ms(CLOCK_MONOTONIC);
	int timeout = !w->is_due ? -1 : left > 0 ? (int)left : 0;

	if (poll(fds, ARRAY_SIZE(fds), timeout) > 0 && fds[1].revents)
		take_events(w);
	return w->is_due && clock_ms(CLOCK_MONOTONIC) >= w->due_ms;
}

/* One file tells of many containers where it is containers-storage's: it is read once. */
struct open_file {
	char *path;
	json_object *content;
};

static json_object *open_file(struct open_file *f, const char *path)
{
	if (f->path && !strcmp(f->path, path))
		return f->content;
	free(f->path);
	json_object_put(f->content);
	f->path = xstrdup(path);
	f->content = names_json(path, NULL);
	return f->content;
}

/* False when it is known no more. */
static bool read_again(struct watched *item, struct open_file *f, names_emit *emit, void *arg)
{
	const struct names_job job = { .id = item->id };
	json_object *content = open_file(f, item->path);
	const char *name = names_find(content, item->source, item->id);

	item->is_due = false;
	if (!content) /* being replaced, or gone with its directory, which is told */
		return true;
	if (!name)
		return item->source != NAMES_STORED;
	item->is_over = item->source == NAMES_DOCKER && names_is_over(content);
	if (!strcmp(name, item->name))
		return true;
	free(item->name);
	item->name = xstrdup(name);
	emit(arg, &job, "name", name);
	if (names_is_cut("name", name))
		emit(arg, &job, "values_cut", "1");
	return true;
}

void names_watch_read(struct names_watch *w, names_emit *emit, void *arg)
{
	struct open_file f = { 0 };

	w->is_due = false;
	for (size_t i = w->count; i-- > 0;) {
		if (w->items[i].is_due && !read_again(&w->items[i], &f, emit, arg))
			forget(w, i);
	}
	free(f.path);
	json_object_put(f.content);
}
