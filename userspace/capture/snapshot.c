/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/snapshot.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/names.h"
#include "capture/rtnl.h"
#include "capture/throttle.h"
#include "timeline/identify.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { TASKS_A_READ = 64 };

struct task {
	struct ctrace_snapshot_task t;
	bool wanted, base; /* base: wanted for itself, not for its kin */
	char *state, *bundle; /* the directory in which its runtime keeps the container's state; NULL = not known */
};

struct tasks {
	struct task *items; /* in order of tgid, as the iterator gives them */
	size_t count, capacity;
};

static bool add_task(struct tasks *tasks, const void *record, const struct timeline_config *config)
{
	struct ctrace_snapshot_task *t;
	struct task *task;

	if (tasks->count == SNAPSHOT_MAX_TASKS)
		return false;
	array_grow(tasks->items, tasks->count, tasks->capacity);
	task = &tasks->items[tasks->count++];
	*task = (struct task){ 0 };
	t = memcpy(&task->t, record, sizeof(task->t));
	task->base = t->h.role != ROLE_NONE || (t->ns.pid && t->ns.pid != config->root_pid_ns);
	task->wanted = task->base;
	return true;
}

/* Reads all that the iterator writes, a batch at a time; a record may be split between two reads. */
static void read_tasks(int fd, struct tasks *tasks, const struct timeline_config *config, uint64_t *lost)
{
	_cleanup_free_ char *batch = xmalloc(TASKS_A_READ * sizeof(struct ctrace_snapshot_task));
	size_t have = 0;

	for (;;) {
		ssize_t n = read(fd, batch + have, TASKS_A_READ * sizeof(struct ctrace_snapshot_task) - have);
		size_t at = 0;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			++*lost;
		if (n <= 0)
			return;
		for (have += n; have - at >= sizeof(struct ctrace_snapshot_task); at += sizeof(struct ctrace_snapshot_task)) {
			if (!add_task(tasks, batch + at, config))
				++*lost;
		}
		have -= at;
		memmove(batch, batch + at, have);
	}
}

static int compare_tgid(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return x->t.h.tgid < y->t.h.tgid ? -1 : x->t.h.tgid > y->t.h.tgid;
}

static struct task *find_task(struct tasks *tasks, uint32_t tgid)
{
	struct task key = { .t.h.tgid = tgid };

	return tasks->count ? bsearch(&key, tasks->items, tasks->count, sizeof(key), compare_tgid) : NULL;
}

struct states {
	struct capture *capture;
	struct tasks *tasks;
	uint64_t *lost;
};

/* An init in the host's pid namespace has no role by itself, and the hooks tell only of what has one. False: it is gone, or
 * there is no room for it, which is counted. */
static bool follow(const struct states *s, struct event *h)
{
	if (h->role != ROLE_NONE)
		return true;
	if (!hooks_follow_payload(&s->capture->hooks, h->tgid, h->start_ns)) {
		++*s->lost;
		return false;
	}
	if (kill((pid_t)h->tgid, 0) < 0 && errno == ESRCH)
		return false;
	h->role = ROLE_PAYLOAD;
	return true;
}

/* A pid that has been used again since is none of that container. */
static void take_state(void *arg, const struct state_found *found)
{
	const struct states *states = arg;
	uint64_t tick_ns = 1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK);
	struct task *task = find_task(states->tasks, found->pid);

	if (!task || task->state || task->t.h.start_ns / tick_ns != found->start_ticks ||
		!follow(states, &task->t.h))
		return;
	task->state = xasprintf("%s/%s", found->root, found->id);
	task->bundle = xstrdup(found->bundle);
	task->base = task->wanted = true;
}

/* Ancestors up to the first that is wanted already, and direct children. */
static void want_kin(struct tasks *tasks)
{
	for (size_t i = 0; i < tasks->count; i++) {
		struct task *task = &tasks->items[i];
		struct task *parent = find_task(tasks, task->t.parent_tgid);

		if (!task->base && parent && parent->base)
			task->wanted = true;
		if (!task->base)
			continue;
		for (int depth = 0; parent && !parent->wanted && depth < SNAPSHOT_MAX_DEPTH; depth++) {
			parent->wanted = true;
			parent = find_task(tasks, parent->t.parent_tgid);
		}
	}
}

/* Puts the last bytes of a long command line where BPF programs put them. Its beginning is in argv. */
static int read_tail(int fd, char argv[EVENT_ARGV])
{
	enum { HALF = 4096 };
	char window[2 * HALF]; /* what was read last, at least a tail of it */
	size_t filled = EVENT_ARGV;
	ssize_t n;

	memcpy(window, argv, EVENT_ARGV);
	while ((n = read(fd, window + filled, sizeof(window) - filled)) > 0) {
		filled += (size_t)n;
		if (filled <= HALF)
			continue;
		memmove(window, window + filled - EVENT_ARGV_TAIL, EVENT_ARGV_TAIL);
		filled = EVENT_ARGV_TAIL;
	}
	memcpy(argv + EVENT_ARGV_HEAD, EVENT_ARGV_CUT, strlen(EVENT_ARGV_CUT));
	memcpy(argv + EVENT_ARGV_HEAD + strlen(EVENT_ARGV_CUT), window + filled - EVENT_ARGV_TAIL, EVENT_ARGV_TAIL);
	return n < 0 ? -1 : EVENT_ARGV - 1;
}

/* Returns its length; EVENT_ARGV - 1 of one that was longer, too, which *cut tells. */
static ssize_t read_command_line(uint32_t tgid, char argv[EVENT_ARGV], bool *cut)
{
	_cleanup_close_ int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", tgid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, argv, EVENT_ARGV);
	*cut = n == EVENT_ARGV;
	return *cut ? read_tail(fd, argv) : n;
}

static void push_task(struct capture *c, const struct task *task, uint64_t *lost)
{
	struct event_task e;
	char path[64];
	ssize_t n;
	bool cut;

	event_prepare(&e.h, EVENT_SNAPSHOT_TASK, sizeof(e), c->facts.start_ns);
	memcpy(&e, &task->t, sizeof(task->t));
	e.h.time_ns = c->facts.start_ns;
	snprintf(path, sizeof(path), "/proc/%u/exe", e.h.tgid);
	n = readlink(path, e.exe, sizeof(e.exe) - 1);
	e.exe[n > 0 ? n : 0] = '\0';
	n = read_command_line(e.h.tgid, e.argv, &cut);
	if (n < 0) {
		++*lost;
		n = 0;
	}
	if (cut)
		e.h.flags |= EVENT_F_TRUNCATED;
	e.argv_length = n;
	e.h.size = offsetof(struct event_task, argv) + n;
	order_push(&c->order, &e.h);
	arming_observe(&c->arming, &e.h);
	if (c->rtnl)
		rtnl_observe(c->rtnl, &e.h);
	if (c->names)
		names_observe(c->names, &e.h);
}

/* What the container of which that is init is called, by its runtime. */
static void push_state(struct capture *c, const struct task *task, uint64_t *lost)
{
	static const char key[] = "state";
	const char *id = strrchr(task->state, '/') + 1;
	struct event_meta e;
	size_t length = strlen(task->state) + 1;

	if (strlen(id) >= sizeof(e.id)) { /* no record can say it */
		++*lost;
		return;
	}
	event_prepare(&e.h, EVENT_META, sizeof(e), c->facts.start_ns);
	e.h.tgid = e.h.tid = task->t.h.tgid;
	e.h.start_ns = task->t.h.start_ns;
	e.h.size = (uint16_t)(offsetof(struct event_meta, text) + sizeof(key) + length);
	memcpy(e.id, id, strlen(id));
	memcpy(e.text, key, sizeof(key));
	memcpy(e.text + sizeof(key), task->state, length);
	order_push(&c->order, &e.h);
	if (task->bundle[0] && !identify_is_hex_id(id, strlen(id))) /* an engine's: its shim says more */
		names_ask(c->names, &task->t.h, id, task->bundle);
}

static void push_tasks(struct capture *c, struct tasks *tasks, uint64_t *lost)
{
	_cleanup_close_ int fd = hooks_open_snapshot(&c->hooks);

	if (fd < 0) {
		++*lost;
		return;
	}
	read_tasks(fd, tasks, &c->facts.timeline, lost);
	if (tasks->count)
		qsort(tasks->items, tasks->count, sizeof(tasks->items[0]), compare_tgid);
	if (c->names)
		names_read_states(c->names, take_state, &(struct states){ c, tasks, lost });
	want_kin(tasks);
	for (size_t i = 0; i < tasks->count; i++) {
		if (tasks->items[i].wanted)
			push_task(c, &tasks->items[i], lost);
		if (tasks->items[i].state)
			push_state(c, &tasks->items[i], lost);
	}
}

/* Once the cgroups with a quota are known. */
static void find_throttled_inits(struct capture *c, const struct tasks *tasks)
{
	for (size_t i = 0; i < tasks->count && c->throttle; i++) {
		const struct event *h = &tasks->items[i].t.h;

		if (h->role == ROLE_PAYLOAD || (h->ns_tgid == 1 && h->ns_level))
			throttle_existing_init(c->throttle, h->tgid, c->facts.start_ns);
	}
}

void snapshot_push(struct capture *c, uint64_t *ret_lost)
{
	struct tasks tasks = { 0 };
	uint64_t lost = 0;
	struct event end;

	push_tasks(c, &tasks, &lost);
	snapshot_push_cgroups(c, &lost);
	find_throttled_inits(c, &tasks);
	for (size_t i = 0; i < tasks.count; i++) {
		free(tasks.items[i].state);
		free(tasks.items[i].bundle);
	}
	free(tasks.items);
	event_prepare(&end, EVENT_SNAPSHOT_END, sizeof(end), c->facts.start_ns);
	order_push(&c->order, &end);
	*ret_lost = lost;
}
