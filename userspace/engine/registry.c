/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/invent_name.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/proc_stat.h"
#include "util/strbuf.h"

enum { CLAIM_MAX = 4096, NAME_TRIES = 32 };

const char *registry_directory(void)
{
	const char *own = getenv("CTRACE_RUN");

	return own && *own == '/' ? own : "/run/ctrace";
}

char *registry_path(const char *kind, const char *id)
{
	return xasprintf("%s/%s/%s", registry_directory(), kind, id);
}

int registry_new_id(char ret[STATE_ID_LENGTH + 1], struct error *err)
{
	unsigned char bytes[STATE_ID_LENGTH / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return error_errno(err, errno, "cannot make a container id");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int make_directories(struct error *err)
{
	static const char *const names[] = { "", "/containers", "/names", "/live" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("%s%s", registry_directory(), names[i]);

		if (mkdir(path, i ? 0700 : 0755) < 0 && errno != EEXIST)
			return error_errno(err, errno, "cannot make directory %s", path);
	}
	return 0;
}

int registry_lock(struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/lock", registry_directory());

	return file_open_locked(path, err);
}

int registry_make_and_lock(struct error *err)
{
	int r = make_directories(err);

	return r < 0 ? r : registry_lock(err);
}

/* ---- claims ---- */

/* Start time in clock ticks since boot; 0 for who is gone or only waits to be reaped. */
static unsigned long long process_start(pid_t pid)
{
	char state = 'X';
	unsigned long long ticks = proc_start_ticks(pid, &state);

	return state == 'Z' || state == 'X' ? 0 : ticks;
}

/* Splits "PID START STORE"; the store's path may hold blanks. */
static pid_t read_claim(const char *id, char **ret_store_root)
{
	_cleanup_free_ char *path = registry_path("live", id);
	char text[CLAIM_MAX + 1];
	ssize_t n = readlink(path, text, CLAIM_MAX);
	unsigned long long start = 0;
	int pid = 0, store = 0;

	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%d %llu %n", &pid, &start, &store) < 2)
		return n < 0 ? 0 : -1;
	if (ret_store_root)
		*ret_store_root = xstrdup(store ? text + store : "");
	return start && process_start(pid) == start ? pid : -1;
}

pid_t registry_owner(const char *id)
{
	pid_t pid = read_claim(id, NULL);

	return pid > 0 ? pid : 0;
}

bool registry_claim_is_void(const char *id, char **ret_store_root)
{
	*ret_store_root = NULL;
	return read_claim(id, ret_store_root) < 0;
}

/* Replaces whatever claim there is, in one step: under the lock. */
int registry_take_over(const char *id, const char *store_root)
{
	_cleanup_free_ char *path = registry_path("live", id);
	_cleanup_free_ char *temporary = xasprintf("%s.tmp", path);
	_cleanup_free_ char *text = xasprintf("%d %llu %s", (int)getpid(),
		process_start(getpid()), store_root ? store_root : "");

	unlink(temporary);
	if (symlink(text, temporary) < 0)
		return -errno;
	if (rename(temporary, path) == 0)
		return 0;
	unlink(temporary);
	return -errno;
}

int registry_claim(const struct state *s, pid_t *ret_owner, struct error *err)
{
	_cleanup_close_ int lock = registry_lock(err);
	pid_t owner;
	int r;

	if (lock < 0)
		return lock;
	owner = registry_owner(s->id);
	if (ret_owner)
		*ret_owner = owner;
	if (owner && owner != getpid())
		return error_set(err, EBUSY, "container %s is in use by process %d", s->name, (int)owner);
	if (access(s->directory, F_OK) < 0)
		return error_set(err, ENOENT, "No such container: %s", s->name);
	r = registry_take_over(s->id, s->store_root);
	return r < 0 ? error_errno(err, -r, "cannot claim container %s", s->name) : 0;
}

void registry_release(const char *id)
{
	_cleanup_free_ char *path = registry_path("live", id);

	unlink(path);
}

/* ---- names ---- */

static int take_name(const char *name, const char *id, struct error *err)
{
	_cleanup_free_ char *path = registry_path("names", name);
	char owner[STATE_ID_LENGTH + 1] = "";

	if (symlink(id, path) == 0)
		return 0;
	if (errno != EEXIST)
		return error_errno(err, errno, "cannot register the name %s", path);
	if (readlink(path, owner, sizeof(owner) - 1) < 0)
		owner[0] = '\0';
	return error_set(err, EEXIST, "Conflict. The container name \"/%s\" is already in use by "
		"container \"%s\". You have to remove (or rename) that container to be able to reuse "
		"that name.", name, owner);
}

void registry_remove_name(const char *name, const char *id)
{
	_cleanup_free_ char *path = registry_path("names", name);
	char owner[STATE_ID_LENGTH + 1] = "";

	if (readlink(path, owner, sizeof(owner) - 1) == STATE_ID_LENGTH && !strcmp(owner, id))
		unlink(path);
}

static int choose_name(struct state *s, const char *name, struct error *err)
{
	int r = -EEXIST;

	if (name) {
		s->name = xstrdup(name);
		return take_name(name, s->id, err);
	}
	for (unsigned try = 0; r == -EEXIST && try < NAME_TRIES; try++) {
		free(s->name);
		s->name = invent_name(s->id, try);
		r = take_name(s->name, s->id, err);
	}
	return r;
}

int registry_rename(struct state *s, const char *name, struct error *err)
{
	_cleanup_close_ int lock = registry_lock(err);
	_cleanup_free_ char *old = xstrdup(s->name);
	int r;

	if (lock < 0)
		return lock;
	r = take_name(name, s->id, err);
	if (r < 0)
		return r;
	free(s->name);
	s->name = xstrdup(name);
	r = state_save(s, err);
	registry_remove_name(r < 0 ? name : old, s->id);
	return r;
}

/* ---- registration ---- */

static int make_kept_directory(struct state *s, const char *link, struct error *err)
{
	_cleanup_free_ char *containers = xasprintf("%s/containers", s->store_root);

	if (mkdir(containers, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "cannot make directory %s", containers);
	if (mkdir(s->storage, 0700) < 0)
		return error_errno(err, errno, "cannot make directory %s", s->storage);
	return symlink(s->storage, link) < 0 ? error_errno(err, errno, "cannot make %s", link) : 0;
}

static int make_directory(struct state *s, struct error *err)
{
	s->directory = registry_path("containers", s->id);
	if (state_has(s->storage) && !s->remove)
		return make_kept_directory(s, s->directory, err);
	return mkdir(s->directory, 0700) < 0
		? error_errno(err, errno, "cannot make directory %s", s->directory) : 0;
}

int registry_add(struct state *s, const char *name, struct error *err)
{
	_cleanup_close_ int lock = registry_make_and_lock(err);
	int r;

	if (lock < 0)
		return lock;
	r = registry_take_over(s->id, s->store_root);
	if (r < 0)
		return error_errno(err, -r, "cannot register container %s", s->id);
	r = choose_name(s, name, err);
	close(steal_fd(&lock));
	if (r == 0)
		r = make_directory(s, err);
	if (r == 0)
		r = state_save(s, err);
	if (r < 0)
		registry_remove(s, NULL);
	return r;
}

/* ---- finding ---- */

/* A supervisor that was killed wrote no last word. */
static void correct(struct state *s)
{
	if ((s->status == STATE_RUNNING || s->status == STATE_RESTARTING) && !registry_owner(s->id)) {
		s->status = STATE_EXITED;
		s->exit_code = 137;
		s->pid = 0;
	}
}

static int load(const char *id, struct state *ret, struct error *err)
{
	_cleanup_free_ char *directory = registry_path("containers", id);
	int r = state_load(directory, ret, err);

	if (r == 0)
		correct(ret);
	return r;
}

static int no_such(const char *what, struct error *err)
{
	return error_set(err, ENOENT, "No such container: %s", what);
}

static int find_prefix(const char *what, char ret[STATE_ID_LENGTH + 1], struct error *err)
{
	_cleanup_free_ char *path = registry_path("containers", "");
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;
	int found = 0;

	while (dir && (entry = readdir(dir))) {
		if (strlen(entry->d_name) != STATE_ID_LENGTH || !str_starts(entry->d_name, what))
			continue;
		strcpy(ret, entry->d_name);
		found++;
	}
	if (found > 1)
		return error_set(err, EEXIST, "Multiple IDs found with provided prefix: %s", what);
	return found ? 0 : no_such(what, err);
}

int registry_find(const char *what, struct state *ret, struct error *err)
{
	const char *name = *what == '/' ? what + 1 : what;
	_cleanup_free_ char *path = registry_path("names", name);
	char id[STATE_ID_LENGTH + 1] = "";
	ssize_t n = *name && !strchr(name, '/') ? readlink(path, id, STATE_ID_LENGTH) : -1;
	int r;

	if (n != STATE_ID_LENGTH) {
		if (!*what || strspn(what, "0123456789abcdef") != strlen(what))
			return no_such(what, err);
		r = find_prefix(what, id, err);
		if (r < 0)
			return r;
	}
	id[STATE_ID_LENGTH] = '\0';
	r = load(id, ret, err);
	return r == -ENOENT ? no_such(what, err) : r;
}

static int by_creation(const void *a, const void *b)
{
	const struct state *x = a, *y = b;

	return x->created_ns < y->created_ns ? 1 : x->created_ns > y->created_ns ? -1 : 0;
}

int registry_list(struct state **ret, size_t *ret_count, struct error *err)
{
	_cleanup_free_ char *path = registry_path("containers", "");
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct state *list = NULL;
	size_t count = 0, capacity = 0;
	struct dirent *entry;

	*ret = NULL;
	*ret_count = 0;
	if (!dir)
		return errno == ENOENT ? 0 : error_errno(err, errno, "cannot read %s", path);
	while ((entry = readdir(dir))) {
		struct state s;

		/* one that is only just being registered, or half removed, has no state */
		if (strlen(entry->d_name) != STATE_ID_LENGTH || load(entry->d_name, &s, NULL) < 0)
			continue;
		array_grow(list, count, capacity);
		list[count++] = s;
	}
	if (count)
		qsort(list, count, sizeof(*list), by_creation);
	*ret = list;
	*ret_count = count;
	return 0;
}

void registry_list_free(struct state *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		state_free(&list[i]);
	free(list);
}

/* ---- watching ---- */

int registry_watch_open(const struct state *s, struct registry_watch *ret, struct error *err)
{
	_cleanup_free_ char *claim = registry_path("live", s->id);

	ret->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (ret->fd < 0)
		return error_errno(err, errno, "cannot watch container %s", s->name);
	inotify_add_watch(ret->fd, s->directory, IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR);
	/* the claim itself, a link: its end is the end of whoever had it */
	inotify_add_watch(ret->fd, claim, IN_DELETE_SELF | IN_ATTRIB | IN_DONT_FOLLOW);
	return 0;
}

void registry_watch_wait(struct registry_watch *w, int timeout_ms)
{
	_Alignas(struct inotify_event) char events[4096];
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	if (poll(&p, 1, timeout_ms) > 0 && read(w->fd, events, sizeof(events)) < 0)
		return;
}

void registry_watch_close(struct registry_watch *w)
{
	cleanup_close(&w->fd);
	w->fd = -1;
}
