/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "capture/cgroup_mounts.h"
#include "capture/throttle_watch.h"
#include "util/array.h"
#include "util/cleanup.h"

enum {
	MAX_EXECS = 64,     /* inits that execute between two looks at them; more are found by the clock alone */
	MAX_FAILURES = 3,   /* readings that fail in a row: it is gone, and its removal was not told */
	HANDLE_KERNFS = 0xfe /* FILEID_KERNFS of linux/exportfs.h: the handle is the 64-bit id */
};

struct throttle {
	struct throttle_set set;
	uint32_t hierarchy; /* 0 = v2 */
	int mount_fd;       /* its root */
	int epoll_fd;       /* pidfds of inits */
	uint32_t execs[MAX_EXECS];
	size_t exec_count;
	throttle_sink *sink;
	void *arg;
};

/* A cgroup's directory by its id: no path that is too long, and no other that came to the same path. */
static int open_cgroup(const struct throttle *t, uint64_t id)
{
	char buffer[sizeof(struct file_handle) + sizeof(id)] __attribute__((aligned(8))) = { 0 };
	struct file_handle *handle = (struct file_handle *)buffer;

	handle->handle_bytes = sizeof(id);
	handle->handle_type = HANDLE_KERNFS;
	memcpy(handle->f_handle, &id, sizeof(id));
	return open_by_handle_at(t->mount_fd, handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool read_file(int directory_fd, const char *file, char *to, size_t size)
{
	_cleanup_close_ int fd = openat(directory_fd, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, to, size - 1);

	to[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void tell(void *arg, uint64_t id, const char *text, uint64_t read_ns, uint64_t now_ns)
{
	const struct throttle *t = arg;
	struct event_cgroup_value e;

	event_prepare(&e.h, EVENT_CGROUP_VALUE, sizeof(e), now_ns);
	e.hierarchy = t->hierarchy;
	e.age_ms = now_ns > read_ns ? (now_ns - read_ns) / 1000000 : 0;
	e.id = id;
	snprintf(e.file, sizeof(e.file), "cpu.stat");
	snprintf(e.value, sizeof(e.value), "%s", text);
	e.h.size = offsetof(struct event_cgroup_value, value) + strlen(e.value) + 1;
	t->sink(t->arg, &e.h);
}

static void forget_init(struct throttle_watch *w)
{
	if (w->init_fd >= 0)
		close(w->init_fd); /* leaves epoll by that */
	w->init_fd = -1;
}

static void forget(struct throttle *t, struct throttle_watch *w, uint64_t now_ns)
{
	throttle_last_word(w, now_ns, tell, t);
	forget_init(w);
	throttle_remove(&t->set, w);
}

/* Returns false when it is watched no more. */
static bool read_watch(struct throttle *t, struct throttle_watch *w, uint64_t now_ns)
{
	_cleanup_close_ int fd = open_cgroup(t, w->id);
	char text[EVENT_STRING];
	bool gone = w->lifted;

	w->wanted |= w->lifted;
	if (fd < 0 || !read_file(fd, "cpu.stat", text, sizeof(text)))
		text[0] = '\0';
	if (!throttle_take(&t->set, w, text, now_ns, tell, t))
		gone |= ++w->failures == MAX_FAILURES;
	if (gone)
		forget(t, w, now_ns);
	return !gone;
}

/* Where a process is in the hierarchy, below its root and without a leading slash (proc_pid_cgroup(5)). */
static bool read_path(const struct throttle *t, uint32_t tgid, char *to, size_t size)
{
	_cleanup_fclose_ FILE *f = NULL;
	char name[64], line[4352];

	snprintf(name, sizeof(name), "/proc/%u/cgroup", tgid);
	f = fopen(name, "re");
	while (f && fgets(line, sizeof(line), f)) {
		char *end, *path = strchr(line, '/');

		if (strtoul(line, &end, 10) != t->hierarchy || *end != ':' || !path)
			continue;
		path[strcspn(path, "\n")] = '\0';
		return (size_t)snprintf(to, size, "%s", path + 1) < size;
	}
	return false;
}

/* The nearest cgroup with a quota that a process is in. */
static struct throttle_watch *watch_of(const struct throttle *t, uint32_t tgid)
{
	char path[4352];
	struct stat st;

	if (!read_path(t, tgid, path, sizeof(path)))
		return NULL;
	while (*path) {
		struct throttle_watch *w = fstatat(t->mount_fd, path, &st, 0) == 0 ? throttle_find(&t->set, st.st_ino) : NULL;
		char *slash = strrchr(path, '/');

		if (w)
			return w;
		*(slash ? slash : path) = '\0';
	}
	return NULL;
}

/* A cgroup may hold several containers (a pod's): the first one's init will do, the clock sees the rest. */
static void take_init(struct throttle *t, uint32_t tgid, uint64_t now_ns)
{
	struct throttle_watch *w = watch_of(t, tgid);
	struct epoll_event event = { .events = EPOLLIN };

	if (!w || w->init)
		return;
	throttle_started(w, tgid, now_ns);
	event.data.u64 = w->id;
	w->init_fd = syscall(SYS_pidfd_open, tgid, 0);
	if (w->init_fd < 0 || epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, w->init_fd, &event) < 0)
		forget_init(w); /* gone already, or its exit will tell */
}

/* Not by an engine, a runtime or the host's systemd, which sets quotas for them. */
static bool is_foreign(const struct event *h)
{
	return h->role == ROLE_PAYLOAD || (h->role == ROLE_NONE && h->ns_level > 0);
}

static void take_write(struct throttle *t, const struct event_cgroup_write *e)
{
	bool foreign = is_foreign(&e->h);
	enum throttle_quota quota = QUOTA_NOT_IT;
	struct throttle_watch *w;

	if (e->h.size > offsetof(struct event_cgroup_write, value))
		quota = throttle_quota(e->file, e->value);
	if (quota == QUOTA_SET) {
		throttle_add(&t->set, e->id, foreign, !foreign, e->h.time_ns);
	} else if (quota == QUOTA_LIFTED && (w = throttle_find(&t->set, e->id))) {
		w->lifted = true;
		w->due_ns = 0;
	}
}

static void take_cgroup(struct throttle *t, const struct event_cgroup *e)
{
	struct throttle_watch *w = e->hierarchy == t->hierarchy ? throttle_find(&t->set, e->id) : NULL;

	if (!w || (e->h.kind == EVENT_CGROUP_POPULATED && e->value))
		return;
	if (e->h.kind != EVENT_CGROUP_POPULATED) {
		forget(t, w, e->h.time_ns); /* told just before its removal, while the timeline knows whose it is */
		return;
	}
	w->wanted = true;
	w->due_ns = 0;
}

static void take_exit(struct throttle *t, uint32_t tgid)
{
	for (size_t i = 0; i < t->set.count; i++) {
		if (t->set.items[i].init != tgid)
			continue;
		t->set.items[i].wanted = true;
		t->set.items[i].due_ns = 0;
	}
}

void throttle_observe(struct throttle *t, const struct event *event)
{
	switch (event->kind) {
	case EVENT_CGROUP_WRITE:
		take_write(t, (const struct event_cgroup_write *)event);
		break;
	case EVENT_CGROUP_POPULATED:
	case EVENT_CGROUP_RMDIR:
	case EVENT_CGROUP_RELEASE:
		take_cgroup(t, (const struct event_cgroup *)event);
		break;
	case EVENT_EXEC:
		if (event->ns_tgid == 1 && event->ns_level && t->exec_count < MAX_EXECS)
			t->execs[t->exec_count++] = event->tgid;
		break;
	case EVENT_EXIT:
		if (event->ns_tgid == 1 && event->ns_level)
			take_exit(t, event->tgid);
		break;
	}
}

void throttle_existing(struct throttle *t, uint32_t hierarchy, uint64_t id, int parent_fd, const char *name, uint64_t now_ns)
{
	const char *file = t->hierarchy ? "cpu.cfs_quota_us" : "cpu.max";
	char path[NAME_MAX + 32], text[64];

	if (hierarchy != t->hierarchy)
		return;
	snprintf(path, sizeof(path), "%s/%s", name, file);
	if (read_file(parent_fd, path, text, sizeof(text)) && throttle_quota(file, text) == QUOTA_SET)
		throttle_add(&t->set, id, false, false, now_ns);
}

void throttle_existing_init(struct throttle *t, uint32_t tgid, uint64_t now_ns)
{
	if (t->set.count)
		take_init(t, tgid, now_ns);
}

void throttle_read_ended(struct throttle *t, uint64_t now_ns)
{
	struct epoll_event events[16];
	int count = t->set.count ? epoll_wait(t->epoll_fd, events, ARRAY_SIZE(events), 0) : 0;

	for (int i = 0; i < count; i++) {
		struct throttle_watch *w = throttle_find(&t->set, events[i].data.u64);

		if (!w)
			continue;
		forget_init(w);
		w->wanted = true;
		read_watch(t, w, now_ns);
	}
}

void throttle_read(struct throttle *t, uint64_t now_ns)
{
	for (size_t i = 0; i < t->exec_count && t->set.count; i++)
		take_init(t, t->execs[i], now_ns);
	t->exec_count = 0;
	for (size_t i = t->set.count; i-- > 0;) {
		if (t->set.items[i].due_ns <= now_ns)
			read_watch(t, &t->set.items[i], now_ns);
	}
}

void throttle_finish(struct throttle *t, uint64_t now_ns)
{
	for (size_t i = t->set.count; i-- > 0;) {
		t->set.items[i].wanted = true;
		read_watch(t, &t->set.items[i], now_ns);
	}
}

uint64_t throttle_unwatched(const struct throttle *t)
{
	return t->set.unwatched;
}

int throttle_fd(const struct throttle *t)
{
	return t->epoll_fd;
}

/* The root tells whether ids can be opened: that takes CAP_DAC_READ_SEARCH. */
static int try_root(const struct throttle *t, struct error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (fstat(t->mount_fd, &st) < 0)
		return error_errno(err, errno, "cannot look at the root of the cgroup hierarchy");
	fd = open_cgroup(t, st.st_ino);
	if (fd < 0)
		return error_errno(err, errno, "cannot open a cgroup by its id");
	return 0;
}

int throttle_open(const struct timeline_config *config, throttle_sink *sink, void *arg, struct throttle **ret_throttle,
	struct error *err)
{
	struct throttle *t = xcalloc(1, sizeof(*t));
	int r;

	t->sink = sink;
	t->arg = arg;
	t->hierarchy = cgroup_mounts_find(config, "cpu");
	t->mount_fd = cgroup_mounts_open(config, t->hierarchy);
	t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (t->mount_fd < 0)
		r = error_errno(err, -t->mount_fd, "no hierarchy with a CPU controller is mounted");
	else if (t->epoll_fd < 0)
		r = error_errno(err, errno, "epoll");
	else
		r = try_root(t, err);
	if (r < 0) {
		throttle_close(t);
		return r;
	}
	*ret_throttle = t;
	return 0;
}

void throttle_close(struct throttle *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->set.count; i++)
		forget_init(&t->set.items[i]);
	throttle_set_free(&t->set);
	if (t->mount_fd >= 0)
		close(t->mount_fd);
	if (t->epoll_fd >= 0)
		close(t->epoll_fd);
	free(t);
}
