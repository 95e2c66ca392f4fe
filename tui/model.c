/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"

static struct timeline *new_timeline(const struct model *m)
{
	struct timeline_config config = m->facts->timeline;

	config.max_ended = m->playback.is_recording ? MODEL_ENDED_RECORDED : MODEL_ENDED_LIVE;
	return timeline_new(&config);
}

void model_init(struct model *m, const struct facts *facts, bool is_recording)
{
	*m = (struct model){ .facts = facts, .now_ns = facts->start_ns };
	m->playback = (struct playback){ .is_recording = is_recording, .speed = 1, .start_ns = facts->start_ns,
		.at_ns = facts->start_ns };
	m->timeline = new_timeline(m);
	m->resources = is_recording ? NULL : resources_new();
	event_log_init(&m->log);
	host_init(&m->host);
	span_context_init(&m->spans, facts);
}

static void drop_fed(struct model *m)
{
	timeline_free(m->timeline);
	event_log_free(&m->log);
	map_free(&m->owners);
	m->owners_events = 0;
	m->losses = (struct loss_list){ 0 };
	m->problem[0] = '\0';
}

void model_free(struct model *m)
{
	drop_fed(m);
	resources_free(m->resources);
}

void model_reset(struct model *m)
{
	drop_fed(m);
	m->timeline = new_timeline(m);
	event_log_init(&m->log);
	m->now_ns = m->playback.at_ns = m->playback.start_ns;
}

/* Notes of the session that made a recording (cmd/session.c) are no facts about containers. */
static bool take_note(struct model *m, const struct event *event)
{
	const struct event_meta *e = (const struct event_meta *)event;
	size_t offset = offsetof(struct event_meta, text), room, key;
	char value[EVENT_NAME];

	if (event->kind != EVENT_META || event->size <= offset || event->size > sizeof(*e) ||
		event->size - offset < strlen("session.") || strncmp(e->text, "session.", strlen("session.")) != 0)
		return false;
	room = event->size - offset;
	key = strnlen(e->text, room);
	if (key + 1 >= room)
		return true;
	snprintf(value, sizeof(value), "%.*s", (int)(room - key - 1), e->text + key + 1);
	span_context_take(&m->spans, event);
	if (!strcmp(e->text, "session.followed"))
		m->only_followed = true;
	else if (!strcmp(e->text, "session.id"))
		snprintf(m->only_id, sizeof(m->only_id), "%s", value);
	return true;
}

bool model_was_shown(const struct model *m, const struct container *c)
{
	if (m->only_followed && !c->followed)
		return false;
	return !m->only_id[0] || str_starts(c->id, m->only_id) || (c->name && !strcmp(c->name, m->only_id));
}

void model_feed(struct model *m, const struct event *event)
{
	if (take_note(m, event))
		return;
	loss_list_note(&m->losses, event);
	timeline_feed(m->timeline, event); /* counts what it refuses */
	event_log_add(&m->log, event);
	if (event->time_ns > m->now_ns && m->playback.is_recording)
		m->now_ns = event->time_ns;
}

uint64_t model_events(const struct model *m)
{
	struct timeline_stats stats;

	timeline_get_stats(m->timeline, &stats);
	return stats.events;
}

uint64_t model_lost(const struct model *m)
{
	struct timeline_stats stats;

	timeline_get_stats(m->timeline, &stats);
	return stats.lost;
}

/* ---- who did it ---- */

/* A process (pid and when it began), or a control group (0 and its id). */
struct owner_key {
	uint64_t pid, number;
};

static void add_owner(struct model *m, uint64_t pid, uint64_t number, const struct container *c)
{
	struct owner_key key = { pid, number };

	if (number)
		map_put_key(&m->owners, &key, (void *)(uintptr_t)c);
}

static void find_owners(struct model *m)
{
	size_t count = timeline_count(m->timeline);

	map_free(&m->owners);
	for (size_t i = 0; i < count; i++) {
		const struct container *c = timeline_get(m->timeline, i);

		for (size_t k = 0; k < c->actor_count; k++) {
			if (!c->actors[k].is_shared)
				add_owner(m, c->actors[k].pid, c->actors[k].process_start_ns, c);
		}
		for (size_t k = 0; k < c->cgroup_count; k++) {
			if (c->cgroups[k].hierarchy == m->facts->timeline.cgroup_hierarchy)
				add_owner(m, 0, c->cgroups[k].id, c);
		}
	}
}

const struct container *model_owner(struct model *m, const struct event *event)
{
	uint64_t events = model_events(m);
	struct owner_key process = { event->tgid, event->start_ns }, group = { 0, event->cgroup_id };
	const struct container *c;

	if (m->owners_events != events) { /* pointers are good until the next event */
		find_owners(m);
		m->owners_events = events;
	}
	c = map_get_key(&m->owners, &process);
	return c ? c : map_get_key(&m->owners, &group);
}

int64_t model_wall(const struct model *m, uint64_t at_ns, uint32_t *ret_ns)
{
	int64_t wall = (int64_t)at_ns + m->facts->wall_offset_ns;

	if (ret_ns)
		*ret_ns = wall > 0 ? (uint32_t)(wall % 1000000000) : 0;
	return wall > 0 ? wall / 1000000000 : 0;
}

/* ---- containers ---- */

const struct container *model_container(const struct model *m, const char *id)
{
	for (size_t i = timeline_count(m->timeline); id && i-- > 0;) {
		const struct container *c = timeline_get(m->timeline, i);

		if (!strcmp(c->id, id))
			return c;
	}
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* How alike two starts are; 0 = not comparable. */
static int likeness(const struct container *a, const struct container *b)
{
	if (!a->started_ns || a->existed)
		return 0;
	if (!strcmp(a->id, b->id))
		return 4;
	if (same_text(a->name, b->name))
		return 3;
	if (same_text(a->image, b->image))
		return 2;
	return same_text(a->runtime, b->runtime) && (same_text(a->engine, b->engine) || (!a->engine && !b->engine));
}

const struct container *model_earlier(const struct model *m, const struct container *c)
{
	const struct container *best = NULL;
	int most = 0;

	for (size_t i = 0; i < timeline_count(m->timeline); i++) {
		const struct container *other = timeline_get(m->timeline, i);
		int alike = other == c || other->first_ns >= c->first_ns ? 0 : likeness(other, c);

		/* of those that are as alike, the newest */
		if (alike && alike >= most) {
			most = alike;
			best = other;
		}
	}
	return best;
}

uint64_t container_start_ns(const struct container *c)
{
	return !c->existed && c->started_ns > c->first_ns ? c->started_ns - c->first_ns : 0;
}

uint64_t container_born_ns(const struct container *c)
{
	if (c->existed && c->init_start_ns)
		return c->init_start_ns;
	return c->created_ns ? c->created_ns : c->first_ns;
}

uint64_t container_age_ns(const struct model *m, const struct container *c)
{
	uint64_t born = container_born_ns(c);
	uint64_t end = c->state == STATE_EXITED ? c->exit.at_ns ? c->exit.at_ns : c->last_ns : m->now_ns;

	return born && end > born ? end - born : 0;
}

size_t container_ooms(const struct container *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->mark_count; i++)
		count += c->marks[i].kind == MARK_OOM_KILL;
	return count;
}

int64_t container_oom_kills(const struct container *c, const struct resource *r)
{
	int64_t seen = (int64_t)container_ooms(c);

	return r && r->stats.oom_kills > seen ? r->stats.oom_kills : seen;
}

struct container container_now(const struct model *m, const struct container *c)
{
	struct container now = *c;

	if (c->state != STATE_EXITED && !c->ended && m->now_ns > c->last_ns)
		now.last_ns = m->now_ns;
	return now;
}

uint64_t container_end_of(const struct container *c, uint64_t end_ns, enum edge edge)
{
	return edge == EDGE_OPEN || !end_ns ? c->last_ns : end_ns;
}

const struct phase_span *container_slowest(const struct container *c)
{
	const struct phase_span *slowest = NULL;
	uint64_t longest = 0;

	for (size_t i = 0; i < c->phase_count; i++) {
		const struct phase_span *p = &c->phases[i];
		uint64_t end = container_end_of(c, p->end_ns, p->end_edge);

		if (p->phase > PHASE_EXEC || p->start_edge == EDGE_LOST || p->end_edge == EDGE_LOST || end < p->start_ns)
			continue;
		if (end - p->start_ns > longest || !slowest) {
			longest = end - p->start_ns;
			slowest = p;
		}
	}
	return slowest;
}

bool phase_is_inferred(const struct phase_span *p)
{
	return p->start_edge == EDGE_INFERRED || p->end_edge == EDGE_INFERRED;
}
