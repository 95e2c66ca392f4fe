/* SPDX-License-Identifier: Apache-2.0 */
/* Counting; prometheus_write.c writes. */
#include "exporters/prometheus_internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

/* A start is taken when all that belongs to it has come in. */
#define SETTLED_NS 1000000000ULL

struct prometheus *prometheus_new(const struct facts *facts, const struct prometheus_options *options)
{
	struct prometheus *p = xcalloc(1, sizeof(*p));

	p->facts = facts;
	p->o = *options;
	p->now_ns = facts->start_ns;
	span_context_init(&p->spans, facts);
	return p;
}

static void tracked_free(struct tracked *t)
{
	free(t->id);
	free(t->name);
	free(t->image);
	free(t->engine);
	free(t->runtime);
	free(t->pod);
	free(t->cgroup);
	free(t);
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	names->count = 0;
}

void prometheus_free(struct prometheus *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->tracked.count; i++)
		tracked_free(p->tracked.entries[i].value);
	map_free(&p->tracked);
	names_free(&p->runtimes);
	names_free(&p->files);
	for (size_t role = 0; role < ACTOR_ROLE_COUNT; role++) {
		for (size_t phase = 0; phase < PHASE_COUNT; phase++)
			free(p->phases[role][phase]);
	}
	free(p);
}

size_t names_index(struct names *names, size_t most, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!strcmp(names->items[i], name))
			return i;
	}
	if (names->count + 1 >= most)
		name = "other";
	if (names->count < most)
		names->items[names->count++] = xstrdup(name);
	return names->count - 1;
}

uint64_t prometheus_wall_ns(const struct prometheus *p, uint64_t boot_ns)
{
	return boot_ns + (uint64_t)p->facts->wall_offset_ns;
}

/* ---- containers with series of their own ---- */

/* The launcher's own containers are made by nobody else. */
static const char *runtime_of(const struct container *c)
{
	return c->runtime || !c->engine || strcmp(c->engine, "ctrace") != 0 ? c->runtime : "ctrace";
}

size_t prometheus_runtime(struct prometheus *p, const struct container *c)
{
	const char *runtime = runtime_of(c);

	return names_index(&p->runtimes, RUNTIMES_MAX, runtime ? runtime : "unknown");
}

static void set_text(char **to, const char *text)
{
	if (*to ? text && !strcmp(*to, text) : !text)
		return;
	free(*to);
	*to = text ? xstrdup(text) : NULL;
}

/* A digest would make a label value of every build; the name in front of it says what it is. */
static void set_image(char **to, const char *image)
{
	char *digest;

	if (image && (str_starts(image, "sha256:") || strspn(image, "0123456789abcdef") >= 64))
		image = NULL;
	set_text(to, image);
	digest = *to ? strstr(*to, "@sha256:") : NULL;
	if (digest)
		*digest = '\0';
}

/* The path by which cAdvisor calls it: of the hierarchy that accounts memory. */
static const char *cgroup_of(const struct container *c)
{
	const char *path = NULL;

	for (size_t i = 0; i < c->cgroup_count; i++) {
		const struct container_cgroup *g = &c->cgroups[i];

		if (!path || !strcmp(g->controller, "memory"))
			path = g->path;
	}
	return path;
}

static struct tracked *first_ended(const struct prometheus *p)
{
	struct tracked *oldest = NULL;

	for (size_t i = 0; i < p->tracked.count; i++) {
		struct tracked *t = p->tracked.entries[i].value;

		if (t->ended_ns && (!oldest || t->ended_ns < oldest->ended_ns))
			oldest = t;
	}
	return oldest;
}

/* Until no more than `most` have series, of those that ended those that did so first lose theirs. */
static bool shrink_to(struct prometheus *p, size_t most)
{
	struct tracked *t;

	while (p->tracked.count > most && (t = first_ended(p))) {
		map_remove(&p->tracked, t->id, strlen(t->id));
		tracked_free(t);
	}
	return p->tracked.count <= most;
}

void prometheus_set_options(struct prometheus *p, const struct prometheus_options *options)
{
	p->o = *options;
	shrink_to(p, options->max_containers);
}

static struct tracked *find_tracked(struct prometheus *p, const char *id)
{
	return map_get(&p->tracked, id, strlen(id));
}

static struct tracked *track(struct prometheus *p, const struct container *c, enum timeline_change change)
{
	struct tracked *t = find_tracked(p, c->id);

	if (!t && change == CHANGE_CREATED) {
		if (!p->o.max_containers || !shrink_to(p, p->o.max_containers - 1)) {
			p->untracked++;
			return NULL;
		}
		t = xcalloc(1, sizeof(*t));
		t->id = xstrdup(c->id);
		map_put(&p->tracked, c->id, strlen(c->id), t);
	}
	if (!t)
		return NULL;
	set_text(&t->name, c->name);
	set_image(&t->image, c->image);
	set_text(&t->engine, c->engine);
	set_text(&t->runtime, runtime_of(c));
	set_text(&t->pod, c->pod);
	if (!t->cgroup || change == CHANGE_STARTED)
		set_text(&t->cgroup, cgroup_of(c));
	t->pid = c->pid;
	t->started_ns = c->started_ns;
	t->begun_ns = c->started_ns ? c->started_ns : c->init_start_ns;
	t->runs = c->state == STATE_RUNNING || c->state == STATE_PAUSED;
	t->ended_ns = c->ended ? p->now_ns : 0;
	return t;
}

/* ---- counting ---- */

static enum exit_reason exit_reason(const struct exit_info *e)
{
	if (!e->known)
		return EXIT_UNKNOWN;
	if (e->oom)
		return EXIT_OOM;
	if (e->signal)
		return EXIT_SIGNAL;
	return e->code ? EXIT_ERROR : EXIT_OK;
}

static void count_end(struct prometheus *p, const struct container *c)
{
	if (!c->existed && !c->started_ns)
		p->starts[prometheus_runtime(p, c)][START_FAILED]++;
	else if (!c->exit.known)
		p->exits[prometheus_runtime(p, c)][EXIT_UNKNOWN]++;
}

void prometheus_changed(void *arg, const struct container *c, enum timeline_change change)
{
	struct prometheus *p = arg;
	struct tracked *t = track(p, c, change);

	switch (change) {
	case CHANGE_STARTED:
		p->starts[prometheus_runtime(p, c)][START_OK]++;
		if (t)
			t->is_pending = true;
		else
			prometheus_observe_start(p, c);
		break;
	case CHANGE_EXITED:
		if (c->exit.known)
			p->exits[prometheus_runtime(p, c)][exit_reason(&c->exit)]++;
		break;
	case CHANGE_ENDED:
		count_end(p, c);
		if (t && t->is_pending)
			prometheus_observe_start(p, c);
		if (t)
			t->is_pending = false;
		prometheus_observe_end(p, c);
		break;
	default:
		break;
	}
}

/* The level whose limit was hit: as the kernel told, or the nearest that is full (timeline/deaths.c); -1 = none. */
static int limit_level(const struct event_oom *e, size_t levels)
{
	int full = -1;

	for (size_t i = 0; i < levels; i++) {
		const struct event_memcg *m = &e->chain[i];

		if (e->limit_id && m->id == e->limit_id)
			return (int)i;
		if (full < 0 && m->limit_pages != EVENT_NO_LIMIT && m->usage_pages + 1024 >= m->limit_pages)
			full = (int)i;
	}
	return e->limit_id ? -1 : full;
}

/* Whose limit it was: that of the victim's cgroup, of one above it, or all of the machine's memory. */
static void count_oom(struct prometheus *p, const struct event_oom *e)
{
	size_t levels;
	int level;

	if (e->h.size < offsetof(struct event_oom, chain))
		return;
	levels = (e->h.size - offsetof(struct event_oom, chain)) / sizeof(e->chain[0]);
	level = limit_level(e, levels < e->levels ? levels : e->levels);
	if (level >= 0)
		p->oom_kills[level == 0 ? SCOPE_CONTAINER : SCOPE_PARENT]++;
	else
		p->oom_kills[e->limit_id == ~UINT64_C(0) ? SCOPE_HOST : SCOPE_UNKNOWN]++;
}

static void count_write(struct prometheus *p, const struct event_cgroup_write *e)
{
	char file[EVENT_NAME];

	if (e->h.size < offsetof(struct event_cgroup_write, path))
		return;
	memcpy(file, e->file, sizeof(file));
	file[sizeof(file) - 1] = '\0';
	p->writes[names_index(&p->files, FILES_MAX, file)]++;
}

static void count_loss(struct prometheus *p, const struct event_lost *e)
{
	uint64_t *total;

	if (e->h.size < sizeof(*e))
		return;
	total = &p->losses[e->reason & 15][e->lost_kind & 63];
	if (e->count > *total)
		*total = e->count;
}

void prometheus_event(struct prometheus *p, const struct event *event)
{
	if (event->time_ns > p->now_ns)
		p->now_ns = event->time_ns;
	span_context_take(&p->spans, event);
	switch (event->kind) {
	case EVENT_OOM_VICTIM:
		count_oom(p, (const struct event_oom *)event);
		break;
	case EVENT_CGROUP_WRITE:
		count_write(p, (const struct event_cgroup_write *)event);
		break;
	case EVENT_LOST:
		count_loss(p, (const struct event_lost *)event);
		break;
	}
}

static void observe_pending(struct prometheus *p, struct timeline *tl, struct tracked *t)
{
	const struct container *c;

	if (!t->is_pending || p->now_ns < t->started_ns + SETTLED_NS)
		return;
	t->is_pending = false;
	c = timeline_find(tl, t->id);
	if (c && c->started_ns == t->started_ns)
		prometheus_observe_start(p, c);
}

void prometheus_step(struct prometheus *p, struct timeline *tl, uint64_t now_ns)
{
	if (now_ns > p->now_ns)
		p->now_ns = now_ns;
	for (size_t i = p->tracked.count; i-- > 0;) {
		struct tracked *t = p->tracked.entries[i].value;

		observe_pending(p, tl, t);
		if (!t->ended_ns || p->now_ns < t->ended_ns + p->o.grace_ns)
			continue;
		map_remove(&p->tracked, t->id, strlen(t->id));
		tracked_free(t);
	}
}

/* ---- figures of cgroups ---- */

uint32_t prometheus_next_usage(struct prometheus *p, uint64_t now_ns, uint64_t max_age_ns, const char **ret_id,
	const char **ret_cgroup)
{
	struct tracked *oldest = NULL;

	for (size_t i = 0; i < p->tracked.count; i++) {
		struct tracked *t = p->tracked.entries[i].value;

		if (t->runs && t->pid && now_ns >= t->asked_ns + max_age_ns &&
			(!oldest || t->asked_ns < oldest->asked_ns))
			oldest = t;
	}
	if (!oldest)
		return 0;
	*ret_id = oldest->id;
	*ret_cgroup = oldest->cgroup;
	return oldest->pid;
}

void prometheus_set_usage(struct prometheus *p, const char *id, const struct prometheus_usage *usage, uint64_t now_ns)
{
	struct tracked *t = find_tracked(p, id);

	if (!t)
		return;
	t->asked_ns = now_ns;
	if (!usage)
		return;
	t->usage = *usage;
	t->has_usage = true;
}
