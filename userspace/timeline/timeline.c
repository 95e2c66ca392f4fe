/* SPDX-License-Identifier: Apache-2.0 */
#include "timeline/timeline.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/record.h"
#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

/* The least that a record of a kind must hold. */
static size_t least_size(uint16_t kind)
{
	switch (kind) {
	case EVENT_FORK:
		return sizeof(struct event_fork);
	case EVENT_EXEC:
		return offsetof(struct event_exec, argv);
	case EVENT_EXIT:
		return sizeof(struct event_exit);
	case EVENT_RENAME:
		return sizeof(struct event_rename);
	case EVENT_CGROUP_MKDIR ... EVENT_CGROUP_FROZEN:
	case EVENT_SNAPSHOT_CGROUP:
		return offsetof(struct event_cgroup, path) + 1;
	case EVENT_OOM_VICTIM:
		return offsetof(struct event_oom, chain);
	case EVENT_FORK_REFUSED:
		return sizeof(struct event_fork_refused);
	case EVENT_SIGNAL:
		return sizeof(struct event_signal);
	case EVENT_SYSCALL_ENTER:
		return offsetof(struct event_syscall_enter, a);
	case EVENT_SYSCALL_EXIT:
		return offsetof(struct event_syscall_exit, on_cpu_ns);
	case EVENT_CGROUP_WRITE:
		return offsetof(struct event_cgroup_write, value) + 1;
	case EVENT_REQUEST:
	case EVENT_RESPONSE:
		return offsetof(struct event_request, data) + 1;
	case EVENT_SNAPSHOT_TASK:
		return offsetof(struct event_task, argv);
	case EVENT_LINK:
		return sizeof(struct event_link);
	case EVENT_NETNS:
		return sizeof(struct event_netns);
	case EVENT_LOST:
		return offsetof(struct event_lost, until_ns);
	case EVENT_ARMED:
		return sizeof(struct event_armed);
	case EVENT_META:
		return offsetof(struct event_meta, text) + 3;
	case EVENT_CGROUP_VALUE:
		return offsetof(struct event_cgroup_value, value) + 1;
	default:
		return sizeof(struct event);
	}
}

/* How far a record that is cut to its content must be filled with zeros, since what handles it may look for
 * fields that are not there. Of the other kinds only the string at the end is of variable length. */
static size_t filled_size(const struct event *event)
{
	size_t wanted = event->kind == EVENT_SYSCALL_ENTER ? offsetof(struct event_syscall_enter, d)
		: event->kind == EVENT_OOM_VICTIM ? sizeof(struct event_oom)
		: event->kind == EVENT_LOST ? sizeof(struct event_lost) : 0;

	return event->size > wanted ? event->size : wanted;
}

static bool known_kind(uint16_t kind)
{
	return (kind >= EVENT_FORK && kind <= EVENT_FORK_REFUSED) ||
		(kind >= EVENT_SYSCALL_ENTER && kind <= EVENT_RESPONSE) ||
		(kind >= EVENT_SNAPSHOT_TASK && kind <= EVENT_NETNS);
}

struct timeline *timeline_new(const struct timeline_config *config)
{
	struct timeline *tl = xcalloc(1, sizeof(*tl));

	tl->config = *config;
	return tl;
}

void timeline_free(struct timeline *tl)
{
	if (!tl)
		return;
	for (size_t i = 0; i < tl->ops.count; i++)
		open_op_free(tl->ops.entries[i].value);
	for (size_t i = 0; i < tl->requests.count; i++)
		open_op_free(tl->requests.entries[i].value);
	map_free(&tl->ops);
	map_free(&tl->requests);
	for (size_t i = 0; i < tl->container_count; i++)
		container_free(tl->containers[i]);
	free(tl->spare_steps.items);
	free(tl->containers);
	free(tl->active);
	map_free(&tl->by_serial);
	map_free(&tl->by_id);
	metas_free(tl);
	orphans_free(tl);
	links_free(tl);
	cgroups_free(tl);
	process_free_all(tl);
	free(tl);
}

void timeline_listen(struct timeline *tl, timeline_listener *listener, void *arg)
{
	tl->listener = listener;
	tl->listener_arg = arg;
}

bool timeline_loss_is_of_events(uint32_t reason)
{
	return reason != LOSS_UNWATCHED && reason != LOSS_UNNAMED && reason != LOSS_UNHEARD;
}

/* Loss records carry totals, one per kind and reason; what is new since the last one counts. */
static void take_loss(struct timeline *tl, const struct event_lost *e)
{
	size_t slot = (e->lost_kind < 48 ? e->lost_kind : 47) * 16 + (e->reason & 15);
	uint64_t more;

	more = e->count > tl->losses[slot] ? e->count - tl->losses[slot] : 0;
	tl->losses[slot] += more;
	if (!timeline_loss_is_of_events(e->reason)) {
		tl->stats.unwatched += more;
		return;
	}
	tl->stats.lost += more;
	if (e->lost_kind && e->lost_kind < EVENT_SYSCALL_ENTER)
		tl->stats.lost_lifecycle += more;
	if (!more)
		return;
	if (e->h.time_ns > tl->losing_until_ns)
		tl->losing = 0;
	if (e->until_ns > tl->losing_until_ns)
		tl->losing_until_ns = e->until_ns;
	tl->losing += more;
	for (size_t i = 0; i < tl->active_count; i++) /* an edge near a loss is not to be trusted blindly */
		tl->active[i]->unsettled = true;
}

static void dispatch(struct timeline *tl, const union record *r)
{
	switch (r->h.kind) {
	case EVENT_FORK:
		lifecycle_fork(tl, &r->fork);
		break;
	case EVENT_EXEC:
		lifecycle_exec(tl, &r->exec);
		break;
	case EVENT_EXIT:
		deaths_exit(tl, &r->exit);
		break;
	case EVENT_RENAME:
		lifecycle_rename(tl, &r->rename);
		break;
	case EVENT_CGROUP_MKDIR ... EVENT_CGROUP_FROZEN:
		cgroups_event(tl, &r->cgroup);
		break;
	case EVENT_OOM_VICTIM:
		deaths_oom(tl, &r->oom);
		break;
	case EVENT_FORK_REFUSED:
		deaths_fork_refused(tl, &r->refused);
		break;
	case EVENT_SIGNAL:
		deaths_signal(tl, &r->signal);
		break;
	case EVENT_SYSCALL_ENTER:
		steps_enter(tl, &r->enter);
		break;
	case EVENT_SYSCALL_EXIT:
		steps_exit(tl, &r->leave);
		break;
	case EVENT_CGROUP_WRITE:
		steps_cgroup_write(tl, &r->write);
		break;
	case EVENT_REQUEST:
		requests_write(tl, &r->request);
		break;
	case EVENT_RESPONSE:
		requests_response(tl, &r->request);
		break;
	case EVENT_SNAPSHOT_TASK:
		process_from_snapshot(tl, &r->task);
		break;
	case EVENT_SNAPSHOT_CGROUP:
		cgroups_snapshot(tl, &r->cgroup);
		break;
	case EVENT_SNAPSHOT_END:
		lifecycle_snapshot_end(tl);
		break;
	case EVENT_LINK:
		links_take(tl, &r->link);
		break;
	case EVENT_NETNS:
		links_take_netns(tl, &r->netns);
		break;
	case EVENT_LOST:
		take_loss(tl, &r->lost);
		break;
	case EVENT_META:
		metas_take(tl, &r->meta);
		break;
	case EVENT_ARMED:
		lifecycle_armed(tl, &r->armed);
		break;
	case EVENT_CGROUP_VALUE:
		throttling_take(tl, &r->value);
		break;
	default: /* ticks: time goes by */
		break;
	}
}

/* Strings in fixed fields end where the field ends, whatever the record says. */
static void terminate(union record *r)
{
	switch (r->h.kind) {
	case EVENT_EXEC:
		r->exec.filename[sizeof(r->exec.filename) - 1] = '\0';
		if (r->exec.argv_length > r->h.size - offsetof(struct event_exec, argv))
			r->exec.argv_length = (uint32_t)(r->h.size - offsetof(struct event_exec, argv));
		if (r->exec.argv_length > sizeof(r->exec.argv))
			r->exec.argv_length = sizeof(r->exec.argv);
		break;
	case EVENT_CGROUP_MKDIR ... EVENT_CGROUP_FROZEN:
	case EVENT_SNAPSHOT_CGROUP:
		r->cgroup.path[sizeof(r->cgroup.path) - 1] = '\0';
		break;
	case EVENT_REQUEST:
	case EVENT_RESPONSE:
		r->request.peer[sizeof(r->request.peer) - 1] = '\0';
		r->request.data[sizeof(r->request.data) - 1] = '\0';
		break;
	case EVENT_SNAPSHOT_TASK:
		if (r->task.argv_length > r->h.size - offsetof(struct event_task, argv))
			r->task.argv_length = (uint32_t)(r->h.size - offsetof(struct event_task, argv));
		if (r->task.argv_length > sizeof(r->task.argv))
			r->task.argv_length = sizeof(r->task.argv);
		break;
	case EVENT_RENAME:
		r->rename.new_comm[EVENT_COMM - 1] = '\0';
		break;
	case EVENT_LINK:
		r->link.kind[EVENT_COMM - 1] = '\0';
		r->link.name[EVENT_COMM - 1] = '\0';
		r->link.address[sizeof(r->link.address) - 1] = '\0';
		break;
	case EVENT_META:
		r->meta.id[sizeof(r->meta.id) - 1] = '\0';
		r->meta.text[sizeof(r->meta.text) - 1] = '\0';
		break;
	case EVENT_CGROUP_VALUE:
		r->value.file[sizeof(r->value.file) - 1] = '\0';
		r->value.value[sizeof(r->value.value) - 1] = '\0';
		break;
	default:
		break;
	}
	r->h.comm[EVENT_COMM - 1] = '\0';
}

int timeline_feed(struct timeline *tl, const struct event *event)
{
	union record r;
	size_t slot;

	if (event->size < sizeof(struct event) || event->size > RECORD_MAX || !known_kind(event->kind) ||
		event->size < least_size(event->kind)) {
		tl->stats.skipped++;
		return -EINVAL;
	}
	record_fill(&r, event, filled_size(event) + 1);
	terminate(&r);
	tl->stats.events++;
	slot = r.h.kind < 48 ? r.h.kind : (size_t)(r.h.kind - 256 + 48);
	if (slot < ARRAY_SIZE(tl->stats.events_by_kind))
		tl->stats.events_by_kind[slot]++;
	if (r.h.time_ns > tl->now_ns)
		tl->now_ns = r.h.time_ns;
	dispatch(tl, &r);
	container_sweep(tl, false);
	return 0;
}

void timeline_finish(struct timeline *tl)
{
	steps_finish(tl);
	requests_finish(tl);
	links_finish(tl);
	container_sweep(tl, true);
}

size_t timeline_count(const struct timeline *tl)
{
	return tl->container_count;
}

const struct container *timeline_get(struct timeline *tl, size_t index)
{
	if (index >= tl->container_count)
		return NULL;
	container_settle(tl->containers[index]);
	return &tl->containers[index]->c;
}

const struct container *timeline_find(struct timeline *tl, const char *id)
{
	struct cont *found = map_get(&tl->by_id, id, strlen(id));

	for (size_t i = tl->container_count; !found && i-- > 0;) {
		struct cont *c = tl->containers[i];

		if (c->c.name && !strcmp(c->c.name, id)) {
			found = c;
			break;
		}
	}
	for (size_t i = tl->container_count; !found && *id && i-- > 0;) {
		struct cont *c = tl->containers[i];

		if (strncmp(c->c.id, id, strlen(id)) != 0)
			continue;
		for (size_t j = i; j-- > 0;) { /* another id with this prefix? */
			if (!strncmp(tl->containers[j]->c.id, id, strlen(id)) &&
				strcmp(tl->containers[j]->c.id, c->c.id) != 0)
				return NULL;
		}
		found = c;
	}
	if (!found)
		return NULL;
	container_settle(found);
	return &found->c;
}

void timeline_get_stats(const struct timeline *tl, struct timeline_stats *ret_stats)
{
	*ret_stats = tl->stats;
}
