/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/arming.h"

#include <stdlib.h>
#include <string.h>

#include "util/array.h"

/* A process that a runtime is, or forked. All of one start have its number. */
struct arming_task {
	uint32_t tgid;
	uint64_t start;
	uint64_t since_ns;
};

static struct arming_task *find(struct arming *arming, uint32_t tgid)
{
	for (size_t i = 0; i < arming->count; i++) {
		if (arming->tasks[i].tgid == tgid)
			return &arming->tasks[i];
	}
	return NULL;
}

static void forget_index(struct arming *arming, size_t i)
{
	memmove(&arming->tasks[i], &arming->tasks[i + 1], (--arming->count - i) * sizeof(arming->tasks[0]));
}

static void forget(struct arming *arming, uint32_t tgid)
{
	struct arming_task *task = find(arming, tgid);

	if (task)
		forget_index(arming, task - arming->tasks);
}

static void forget_start(struct arming *arming, uint64_t start)
{
	for (size_t i = arming->count; i-- > 0;) {
		if (arming->tasks[i].start == start)
			forget_index(arming, i);
	}
}

static void add(struct arming *arming, uint32_t tgid, uint64_t start, uint64_t since_ns)
{
	forget(arming, tgid);
	if (arming->count == ARMING_MAX_TASKS)
		forget_index(arming, 0);
	array_grow(arming->tasks, arming->count, arming->capacity);
	arming->tasks[arming->count++] = (struct arming_task){ tgid, start, since_ns };
}

static void observe_fork(struct arming *arming, const struct event_fork *e)
{
	const struct arming_task *creator = find(arming, e->h.tgid);

	if (creator)
		add(arming, e->child_tgid, creator->start, creator->since_ns);
}

/* A payload inside a pid namespace is what the start was for; a hook on the host is not. */
static void observe_exec(struct arming *arming, const struct event *e)
{
	const struct arming_task *task = find(arming, e->tgid);

	if (e->role == ROLE_RUNTIME) {
		if (!task)
			add(arming, e->tgid, arming->started++, e->time_ns);
	} else if (task && e->role == ROLE_PAYLOAD && e->ns_level > 0) {
		forget_start(arming, task->start);
	} else if (task) {
		forget(arming, e->tgid);
	}
}

/* Who is there when tracing begins may be in the middle of a start. */
static void observe_task(struct arming *arming, const struct event_task *e)
{
	const struct arming_task *parent = find(arming, e->parent_tgid);

	if (e->h.role == ROLE_RUNTIME)
		add(arming, e->h.tgid, parent ? parent->start : arming->started++, e->h.start_ns);
	else if (e->h.role == ROLE_PAYLOAD && e->h.ns_level > 0 && parent)
		forget_start(arming, parent->start);
}

void arming_observe(struct arming *arming, const struct event *event)
{
	switch (event->kind) {
	case EVENT_SNAPSHOT_TASK:
		observe_task(arming, (const struct event_task *)event);
		break;
	case EVENT_FORK:
		observe_fork(arming, (const struct event_fork *)event);
		break;
	case EVENT_EXEC:
		observe_exec(arming, event);
		break;
	case EVENT_EXIT:
		forget(arming, event->tgid);
		break;
	}
}

bool arming_is_pending(const struct arming *arming, uint64_t now_ns)
{
	for (size_t i = 0; i < arming->count; i++) {
		if (now_ns < arming->tasks[i].since_ns + ARMING_PENDING_NS)
			return true;
	}
	return false;
}

bool arming_is_quiet(const struct arming *arming, uint64_t now_ns, uint64_t last_ns)
{
	return now_ns >= last_ns + ARMING_QUIET_NS && !arming_is_pending(arming, now_ns);
}

void arming_free(struct arming *arming)
{
	free(arming->tasks);
	memset(arming, 0, sizeof(*arming));
}
