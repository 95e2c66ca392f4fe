/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/names.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "capture/names_read.h"
#include "capture/names_watch.h"
#include "timeline/identify.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parallel.h"
#include "util/privilege.h"

/* At the bounds the newest is not looked up, or what was found is not told: names are the only loss. */
enum { JOBS_MAX = 1024, FOUND_MAX = 16384, WORDS_MAX = 128, STOP_MS = 200 };
#define REPEAT_NS 500000000ULL

struct names {
	uint32_t root_mnt_ns;
	const char *host_root;
	struct {
		char id[EVENT_NAME];
		uint64_t time_ns;
	} recent[32]; /* of the launcher's containers, a ring */
	size_t next;
	int event_fd, wake_fd; /* for the main thread; for that which reads */
	struct names_watch *watch; /* the thread's */
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t changed; /* is not busy any more */
	struct names_job *jobs[JOBS_MAX]; /* a ring; the one at first is being read while is_busy */
	size_t first, count;
	bool is_busy, stop, abandoned;
	struct event_meta *found[FOUND_MAX];
	size_t found_count;
	uint64_t dropped; /* of both, for want of room; files that could not be read; ids that are too long */
};

static void free_job(struct names_job *job)
{
	free(job->id);
	free(job->bundle);
	free(job);
}

static void free_names(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free_job(n->jobs[(n->first + i) % JOBS_MAX]);
	for (size_t i = 0; i < n->found_count; i++)
		free(n->found[i]);
	names_watch_free(n->watch);
	close(n->event_fd);
	close(n->wake_fd);
	pthread_mutex_destroy(&n->mutex);
	pthread_cond_destroy(&n->changed);
	free(n);
}

/* ---- the thread ---- */

static void found(void *arg, const struct names_job *job, const char *key, const char *value)
{
	struct names *n = arg;
	struct event_meta *e = xcalloc(1, sizeof(*e));
	size_t key_length = strlen(key) + 1, length = strlen(value), room = sizeof(e->text) - 1;

	if (key_length >= room) { /* no reader tells of one */
		free(e);
		return;
	}
	if (length > room - key_length)
		length = room - key_length;
	event_prepare(&e->h, EVENT_META, sizeof(*e), 0);
	e->h.size = (uint16_t)(offsetof(struct event_meta, text) + key_length + length + 1);
	memcpy(e->id, job->id, strlen(job->id)); /* its length was checked */
	memcpy(e->text, key, key_length);
	memcpy(e->text + key_length, value, length);
	pthread_mutex_lock(&n->mutex);
	if (n->found_count < FOUND_MAX)
		n->found[n->found_count++] = steal_ptr(e);
	n->dropped += e != NULL;
	pthread_mutex_unlock(&n->mutex);
	free(e);
}

/* Nothing to read but what changes: the mutex is held, and is not while it waits. */
static void rest(struct names *n)
{
	eventfd_t value;
	bool is_due;

	pthread_mutex_unlock(&n->mutex);
	is_due = names_watch_wait(n->watch, n->wake_fd);
	eventfd_read(n->wake_fd, &value);
	pthread_mutex_lock(&n->mutex);
	if (!is_due || n->stop)
		return;
	n->is_busy = true;
	pthread_mutex_unlock(&n->mutex);
	names_watch_read(n->watch, found, n);
	pthread_mutex_lock(&n->mutex);
}

static void read_next(struct names *n)
{
	struct names_job *job = n->jobs[n->first];
	size_t unread;

	n->first = (n->first + 1) % JOBS_MAX;
	n->count--;
	n->is_busy = true;
	pthread_mutex_unlock(&n->mutex);
	unread = names_read(job, found, n, names_watch_follow, n->watch);
	free_job(job);
	pthread_mutex_lock(&n->mutex);
	n->dropped += unread;
}

static void *work(void *arg)
{
	struct names *n = arg;
	bool abandoned;

	/* Files of other users, and those below /proc/PID; nothing that this process may still have to open. */
	privilege_keep(PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH), 0, NULL);
	pthread_mutex_lock(&n->mutex);
	while (!n->stop) {
		if (n->count)
			read_next(n);
		else
			rest(n);
		n->is_busy = false;
		if (n->found_count)
			eventfd_write(n->event_fd, 1);
		pthread_cond_broadcast(&n->changed);
	}
	abandoned = n->abandoned;
	n->is_busy = false;
	pthread_mutex_unlock(&n->mutex);
	if (abandoned)
		free_names(n);
	return NULL;
}

/* A service or a container with a mount namespace of its own does not. */
static bool sees_host(uint32_t root_mnt_ns)
{
	struct stat st;

	return stat("/proc/self/ns/mnt", &st) < 0 || st.st_ino == root_mnt_ns;
}

int names_open(uint32_t root_mnt_ns, struct names **ret_names, struct error *err)
{
	struct names *n = xcalloc(1, sizeof(*n));
	int r;

	n->root_mnt_ns = root_mnt_ns;
	n->host_root = sees_host(root_mnt_ns) ? "" : "/proc/1/root";
	n->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	n->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	n->watch = names_watch_new();
	pthread_mutex_init(&n->mutex, NULL);
	pthread_cond_init(&n->changed, NULL);
	r = n->event_fd < 0 || n->wake_fd < 0 ? errno : parallel_start(&n->thread, work, n);
	if (r != 0) {
		free_names(n);
		return error_errno(err, r, "cannot start the thread that reads names");
	}
	*ret_names = n;
	return 0;
}

/* A thread that hangs in a file is left behind, with what it uses. */
void names_close(struct names *n)
{
	struct timespec until = clock_deadline(STOP_MS);
	int r = 0;

	if (!n)
		return;
	pthread_mutex_lock(&n->mutex);
	n->stop = true;
	eventfd_write(n->wake_fd, 1);
	while (n->is_busy && r == 0)
		r = pthread_cond_clockwait(&n->changed, &n->mutex, CLOCK_MONOTONIC, &until);
	n->abandoned = n->is_busy;
	pthread_mutex_unlock(&n->mutex);
	if (n->abandoned) {
		pthread_detach(n->thread);
		return;
	}
	pthread_join(n->thread, NULL);
	free_names(n);
}

/* ---- the main thread ---- */

int names_fd(const struct names *n)
{
	return n->event_fd;
}

static void count_dropped(struct names *n)
{
	pthread_mutex_lock(&n->mutex);
	n->dropped++;
	pthread_mutex_unlock(&n->mutex);
}

void names_read_states(struct names *n, states_emit *emit, void *arg)
{
	size_t unread = states_read(n->host_root, emit, arg);

	pthread_mutex_lock(&n->mutex);
	n->dropped += unread;
	pthread_mutex_unlock(&n->mutex);
}

static void queue_job(struct names *n, struct names_job what)
{
	struct names_job *job = xcalloc(1, sizeof(*job));

	*job = what;
	pthread_mutex_lock(&n->mutex);
	if (n->count < JOBS_MAX) {
		n->jobs[(n->first + n->count++) % JOBS_MAX] = job;
		job = NULL;
	}
	n->dropped += job != NULL;
	eventfd_write(n->wake_fd, 1);
	pthread_mutex_unlock(&n->mutex);
	if (job)
		free_job(job);
}

static void add_job(struct names *n, const struct event *h, const struct identity *who, const char *host_root)
{
	bool cut = h->flags & EVENT_F_TRUNCATED && strstr(who->bundle, EVENT_ARGV_CUT);

	if (!cut && strlen(who->id) < sizeof(((struct event_meta *)NULL)->id))
		queue_job(n, (struct names_job){ .id = xstrdup(who->id), .bundle = xstrdup(who->bundle), .pid = h->tgid,
			.start_ns = h->start_ns, .host_root = host_root });
	else
		count_dropped(n); /* nobody knows where it is, or no record can say whose */
}

void names_ask(struct names *n, const struct event *init, const char *id, const char *bundle)
{
	struct names_job job = { .id = xstrdup(id), .bundle = xstrdup(bundle), .pid = init->tgid, .start_ns = init->start_ns,
		.host_root = n->host_root };

	found(n, &job, "bundle", bundle);
	queue_job(n, job);
}

/* The launcher names no container in its arguments, and is told by the first cgroup that it makes for one; there is one in
 * each hierarchy. */
static bool is_repeated(struct names *n, const struct event *h, const char id[EVENT_NAME])
{
	for (size_t i = 0; i < ARRAY_SIZE(n->recent); i++) {
		if (!strcmp(n->recent[i].id, id) && h->time_ns < n->recent[i].time_ns + REPEAT_NS)
			return true;
	}
	memcpy(n->recent[n->next].id, id, EVENT_NAME);
	n->recent[n->next].time_ns = h->time_ns;
	n->next = (n->next + 1) % ARRAY_SIZE(n->recent);
	return false;
}

static void observe_cgroup(struct names *n, const struct event_cgroup *e)
{
	_cleanup_free_ char *path = xstrndup(e->path, e->h.size - offsetof(struct event_cgroup, path));
	bool was_there = e->h.kind == EVENT_SNAPSHOT_CGROUP;
	struct cgroup_identity found;
	char id[EVENT_NAME] = "";

	if (!identify_cgroup(path, &found) || !found.engine || strcmp(found.engine, "ctrace") != 0 ||
		path[found.end] || found.id_length >= sizeof(id))
		return;
	memcpy(id, found.id, found.id_length);
	if (!is_repeated(n, &e->h, id))
		queue_job(n, (struct names_job){ .id = xstrdup(id), .bundle = xstrdup(""),
			.pid = was_there ? 0 : e->h.tgid, .start_ns = e->h.start_ns, .host_root = n->host_root, .by_ctrace = true });
}

/* argv of a record, which is cut at its size, as a vector; the strings are in text. */
static void split(char *text, size_t length, char *words[WORDS_MAX])
{
	size_t count = 0;

	for (size_t at = 0; at < length && count < WORDS_MAX - 1; at += strlen(text + at) + 1)
		words[count++] = text + at;
	words[count] = NULL;
}

static bool identify(const struct event *h, const char *argv, size_t length, struct identity *ret)
{
	char text[EVENT_ARGV + 1], *words[WORDS_MAX];
	bool conmon = !strncmp(h->comm, "conmon", sizeof(h->comm));

	if (length > EVENT_ARGV)
		length = EVENT_ARGV;
	memcpy(text, argv, length);
	text[length] = '\0';
	split(text, length, words);
	switch (h->role) {
	case ROLE_RUNTIME:
		return identify_runtime(words, h->flags & EVENT_F_TRUNCATED, ret) && ret->verb == VERB_CREATE;
	case ROLE_SHIM:
		if (conmon)
			return identify_conmon(words, ret) && ret->verb == VERB_CREATE;
		/* a running shim is in its bundle; one that starts has a runtime that is told it */
		return identify_shim(words, ret) && (ret->bundle[0] || h->kind == EVENT_SNAPSHOT_TASK);
	default:
		return false;
	}
}

static void observe(struct names *n, const struct event *h, const char *argv, size_t length, uint32_t mnt_ns)
{
	struct identity who;

	if ((h->role == ROLE_RUNTIME || h->role == ROLE_SHIM) && identify(h, argv, length, &who))
		add_job(n, h, &who, mnt_ns == n->root_mnt_ns ? n->host_root : NULL);
}

void names_observe(struct names *n, const struct event *event)
{
	const struct event_exec *exec = (const struct event_exec *)event;
	const struct event_task *task = (const struct event_task *)event;

	if (event->kind == EVENT_EXEC && event->size >= offsetof(struct event_exec, argv) + exec->argv_length)
		observe(n, event, exec->argv, exec->argv_length, exec->ns.mnt);
	else if (event->kind == EVENT_SNAPSHOT_TASK &&
		event->size >= offsetof(struct event_task, argv) + task->argv_length)
		observe(n, event, task->argv, task->argv_length, task->ns.mnt);
	else if ((event->kind == EVENT_CGROUP_MKDIR || event->kind == EVENT_SNAPSHOT_CGROUP) &&
		event->size > offsetof(struct event_cgroup, path) && event->size <= sizeof(struct event_cgroup))
		observe_cgroup(n, (const struct event_cgroup *)event);
}

void names_take(struct names *n, uint64_t now_ns, names_sink *sink, void *arg)
{
	eventfd_t value;

	eventfd_read(n->event_fd, &value);
	pthread_mutex_lock(&n->mutex);
	for (size_t i = 0; i < n->found_count; i++) {
		n->found[i]->h.time_ns = now_ns;
		sink(arg, &n->found[i]->h);
		free(n->found[i]);
	}
	n->found_count = 0;
	pthread_mutex_unlock(&n->mutex);
}

void names_wait(struct names *n, int milliseconds)
{
	struct timespec until = clock_deadline(milliseconds);
	int r = 0;

	pthread_mutex_lock(&n->mutex);
	while ((n->count || n->is_busy) && r == 0)
		r = pthread_cond_clockwait(&n->changed, &n->mutex, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&n->mutex);
}

uint64_t names_unwatched(struct names *n)
{
	uint64_t dropped;

	pthread_mutex_lock(&n->mutex);
	dropped = n->dropped;
	pthread_mutex_unlock(&n->mutex);
	return dropped + names_watch_missed(n->watch);
}
