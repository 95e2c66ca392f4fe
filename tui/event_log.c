/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/event_log.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/record.h"
#include "util/array.h"

void event_log_init(struct event_log *log)
{
	*log = (struct event_log){ .entries = xcalloc(LOG_EVENTS, sizeof(*log->entries)) };
}

static struct log_entry *entry_at(const struct event_log *log, uint64_t number)
{
	return &log->entries[number % LOG_EVENTS];
}

static void drop_oldest(struct event_log *log)
{
	struct log_entry *e = entry_at(log, log->first++);

	log->bytes -= e->event->size;
	free(e->event);
	e->event = NULL;
}

void event_log_free(struct event_log *log)
{
	while (log->first < log->next)
		drop_oldest(log);
	free(log->entries);
	map_free(&log->calls);
	*log = (struct event_log){ 0 };
}

const struct log_entry *event_log_get(const struct event_log *log, uint64_t number)
{
	return number >= log->first && number < log->next ? entry_at(log, number) : NULL;
}

static bool is_noise(const struct event *event)
{
	return event->kind == EVENT_TICK || event->kind == EVENT_SNAPSHOT_TASK ||
	       event->kind == EVENT_SNAPSHOT_CGROUP || event->kind == EVENT_SNAPSHOT_END ||
	       event->kind == EVENT_CGROUP_VALUE;
}

static bool is_call(const struct event *event)
{
	return event->kind == EVENT_SYSCALL_ENTER || event->kind == EVENT_CGROUP_WRITE;
}

/* True if the end found its start. */
static bool finish_call(struct event_log *log, const struct event *event)
{
	const struct event_syscall_exit *e = (const struct event_syscall_exit *)event;
	bool whole = event->size >= offsetof(struct event_syscall_exit, result) + sizeof(e->result);
	void *number = whole ? map_remove_key(&log->calls, &event->tid) : NULL;
	struct log_entry *start;

	if (!number || (uintptr_t)number - 1 < log->first)
		return false;
	start = entry_at(log, (uintptr_t)number - 1);
	if (start->event->tid != event->tid || event->time_ns < start->event->time_ns)
		return false;
	start->has_result = true;
	start->result = e->result;
	start->duration_ns = event->time_ns - start->event->time_ns;
	return true;
}

/* Calls that never end (exec) must not pile up. Those that have left the log are no loss. */
static void forget_calls(struct event_log *log)
{
	for (size_t i = 0; i < log->calls.count; i++)
		log->ends_forgotten += (uintptr_t)log->calls.entries[i].value - 1 >= log->first;
	map_free(&log->calls);
}

void event_log_add(struct event_log *log, const struct event *event)
{
	if (event->size < sizeof(*event) || event->size > RECORD_MAX || is_noise(event))
		return;
	if (event->kind == EVENT_SYSCALL_EXIT && finish_call(log, event))
		return;
	while (log->next - log->first >= LOG_EVENTS || (log->first < log->next && log->bytes > LOG_BYTES))
		drop_oldest(log);
	if (event->kind == EVENT_EXIT) /* it may have been killed in one */
		map_remove_key(&log->calls, &event->tid);
	if (is_call(event)) {
		if (log->calls.count >= LOG_CALLS && !map_get_key(&log->calls, &event->tid))
			forget_calls(log);
		map_put_key(&log->calls, &event->tid, (void *)(uintptr_t)(log->next + 1));
	}
	*entry_at(log, log->next) = (struct log_entry){ .event = xmalloc(event->size) };
	memcpy(entry_at(log, log->next)->event, event, event->size);
	log->bytes += event->size;
	log->next++;
}
