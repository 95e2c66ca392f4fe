/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stories of containers (world.h) through the timeline. The first byte chooses whether ended ones are forgotten early and
 * whether it is played only once.
 * What must hold: no step, phase or gap ends before it begins, and each phase lies within its container; a container
 * that ended stays as it was, and is told of once; when all processes are gone and all cgroups removed, every
 * container ends (unless the way was made bad: what was not told cannot be known); losses only grow; every table is
 * bounded by what lives and by its limit; the JSON of it all parses; the same bytes give the same JSON.
 */
#include "fuzz/fuzz.h"

#include <json-c/json.h>

#include "exporters/json.h"
#include "fuzz/world.h"
#include "timeline/timeline_internal.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { FEW_ENDED = 2, ENDS_MAX = 4096 };

/* A container as it was when it ended. */
struct ended {
	const struct container *c; /* good as long as nothing is forgotten */
	size_t steps, marks, actors;
	uint64_t last_ns;
};

struct run {
	struct world world;
	struct timeline *timeline;
	uint64_t fed, lost;
	bool forgets;
	struct ended ends[ENDS_MAX];
	size_t end_count;
};

static const struct span_context spans;

static void check_spans(const struct container *c, uint64_t now_ns)
{
	for (size_t i = 0; i < c->step_count; i++) {
		require(c->steps[i].start_ns <= c->steps[i].end_ns && c->steps[i].end_ns <= now_ns);
		require(c->steps[i].actor >= -1 && c->steps[i].actor < (int)c->actor_count);
	}
	for (size_t i = 0; i < c->phase_count; i++) {
		const struct phase_span *p = &c->phases[i];

		require(p->start_ns <= p->end_ns && p->busy_ns <= p->end_ns - p->start_ns);
		require(p->start_ns >= c->first_ns && p->end_ns <= (c->ended ? c->last_ns : now_ns));
	}
	for (size_t i = 0; i < c->gap_count; i++)
		require(c->gaps[i].start_ns < c->gaps[i].end_ns);
	for (size_t i = 0; i < c->actor_count; i++) {
		require(c->actors[i].parent >= -1 && c->actors[i].parent < (int)c->actor_count);
		require(!c->actors[i].end_ns || c->actors[i].start_ns <= c->actors[i].end_ns);
	}
}

static void check_container(const struct container *c, const struct timeline *tl)
{
	require(c->first_ns <= c->last_ns && c->last_ns <= tl->now_ns);
	require(c->step_count <= TIMELINE_MAX_STEPS && c->lost <= tl->stats.lost);
	require(!c->ended || c->state == STATE_EXITED);
	require(!c->exit.known || c->exit.at_ns);
	check_spans(c, tl->now_ns);
}

static void note_change(void *arg, const struct container *c, enum timeline_change change)
{
	struct run *run = arg;

	check_container(c, run->timeline);
	require(c->ended == (change == CHANGE_ENDED));
	if (change != CHANGE_ENDED || run->forgets)
		return;
	for (size_t i = 0; i < run->end_count; i++)
		require(run->ends[i].c != c);
	require(run->end_count < ENDS_MAX);
	run->ends[run->end_count++] = (struct ended){ c, c->step_count, c->mark_count, c->actor_count, c->last_ns };
}

static void check_ends(const struct run *run)
{
	for (size_t i = 0; i < run->end_count; i++) {
		const struct ended *e = &run->ends[i];

		require(e->c->ended && e->c->last_ns == e->last_ns);
		require(e->c->step_count == e->steps && e->c->mark_count == e->marks && e->c->actor_count == e->actors);
	}
}

/* Nothing grows beyond what there is and was. */
static void check_tables(const struct run *run)
{
	const struct timeline *tl = run->timeline;

	require(tl->processes.count <= WORLD_PIDS + 1 + run->world.flooded && tl->dead_count <= DEAD_MAX);
	require(tl->dead.count <= tl->dead_count && tl->cli_count <= CLI_MAX && tl->cli_count <= tl->processes.count);
	require(tl->ops.count <= tl->processes.count && tl->requests.count <= tl->processes.count);
	require(tl->metas.count <= META_MAX && tl->active_count + tl->ended_count == tl->container_count);
	require(tl->by_serial.count == tl->container_count && tl->by_id.count <= tl->container_count);
	if (run->forgets)
		require(tl->ended_count <= FEW_ENDED + FEW_ENDED / 4 || tl->swept_ns < tl->now_ns);
}

static void feed(void *arg, const struct event *event)
{
	struct run *run = arg;
	struct timeline_stats stats;

	require(timeline_feed(run->timeline, event) == 0);
	timeline_get_stats(run->timeline, &stats);
	run->fed++;
	require(stats.events == run->fed);
	require(stats.lost >= run->lost && stats.lost_lifecycle <= stats.lost);
	run->lost = stats.lost;
	if (run->fed % 16 == 0) {
		check_ends(run);
		check_tables(run);
	}
}

static void require_ended(const struct run *run)
{
	for (size_t i = 0; i < timeline_count(run->timeline); i++)
		require(timeline_get(run->timeline, i)->ended);
}

/* Every line is a document. */
static void check_json(const struct strbuf *sb)
{
	for (const char *line = sb->text, *end; line && *line; line = end + 1) {
		struct json_tokener *t = json_tokener_new_ex(64);
		json_object *o;

		end = strchr(line, '\n');
		require(end != NULL);
		json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		o = json_tokener_parse_ex(t, line, (int)(end - line));
		require(json_object_is_type(o, json_type_object));
		require(json_tokener_get_parse_end(t) == (size_t)(end - line));
		json_object_put(o);
		json_tokener_free(t);
	}
}

/* The whole way; what the timeline made of it goes to sb. */
static void replay(const uint8_t *data, size_t size, struct strbuf *sb)
{
	struct timeline_config config = { .cgroup_hierarchy = 1, .root_pid_ns = 1, .root_mnt_ns = 1, .root_net_ns = 1,
		.page_size = 4096, .hierarchy_count = 2, .hierarchies = { { 1, "memory" }, { 2, "pids" } },
		.max_ended = data[0] & 1 ? FEW_ENDED : 0 };
	struct run *run = calloc(1, sizeof(*run));

	run->forgets = config.max_ended;
	run->timeline = timeline_new(&config);
	timeline_listen(run->timeline, note_change, run);
	world_init(&run->world, feed, run);
	world_play(&run->world, data + 1, size - 1);
	world_end(&run->world);
	if (!run->world.is_faulty)
		require_ended(run);
	timeline_finish(run->timeline);
	check_ends(run);
	check_tables(run);
	for (size_t i = 0; i < timeline_count(run->timeline); i++) {
		const struct container *c = timeline_get(run->timeline, i);

		check_container(c, run->timeline);
		json_write_timeline(sb, &spans, c, CHANGE_ENDED);
	}
	timeline_free(run->timeline);
	free(run);
}

void fuzz_lifecycle(const uint8_t *data, size_t size)
{
	_cleanup_(strbuf_free) struct strbuf first = { 0 }, again = { 0 };

	if (!size)
		return;
	replay(data, size, &first);
	check_json(&first);
	if (data[0] & 2)
		return;
	replay(data, size, &again);
	require(first.length == again.length && (!first.length || !memcmp(first.text, again.text, first.length)));
}

FUZZ_TARGET(fuzz_lifecycle)
