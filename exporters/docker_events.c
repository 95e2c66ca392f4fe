/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/docker_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/json_emit.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/map.h"

/* Labels come a moment after the start that they belong to, by way of files; docker tells of it with all of them. */
#define DESCRIBED_NS 300000000ULL
enum { FORKS_MAX = 8 };

/* What was told of a container. */
struct told {
	bool created, started, died, destroyed;
	size_t marks;      /* of the container's that there ever were, looked at */
	size_t actors;     /* the same, with those that are not kept any more */
	uint64_t signal_ns; /* of the newest signal told */
};

struct docker_events {
	const struct facts *facts;
	struct map told; /* "id\0generation" */
};

struct docker_events *docker_events_new(const struct facts *facts)
{
	struct docker_events *d = xcalloc(1, sizeof(*d));

	d->facts = facts;
	return d;
}

void docker_events_free(struct docker_events *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->told.count; i++)
		free(d->told.entries[i].value);
	map_free(&d->told);
	free(d);
}

static void make_key(struct strbuf *key, const struct container *c)
{
	strbuf_add(key, c->id, strlen(c->id) + 1);
	strbuf_printf(key, "%d", c->generation);
}

void docker_events_forget(struct docker_events *d, const struct container *c)
{
	_cleanup_(strbuf_free) struct strbuf key = { 0 };

	make_key(&key, c);
	free(map_remove(&d->told, key.text, key.length));
}

static struct told *find_told(struct docker_events *d, const struct container *c)
{
	_cleanup_(strbuf_free) struct strbuf key = { 0 };
	struct told *told;

	make_key(&key, c);
	told = map_get(&d->told, key.text, key.length);
	if (!told) {
		told = xcalloc(1, sizeof(*told));
		told->created = c->existed;
		told->started = c->existed && c->state != STATE_CREATED;
		map_put(&d->told, key.text, key.length, told);
	}
	return told;
}

/* ---- one line ---- */

struct line {
	const char *status;
	uint64_t at_ns;
	const char *key, *value; /* an attribute besides image and name; NULL = none */
	const char *exec;        /* execID; NULL = none */
};

/* What docker itself says under these names wins over a label of that name. */
static bool is_reserved(const char *label)
{
	static const char *const names[] = { "image", "name", "execID", "exitCode", "signal" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(label, names[i]))
			return true;
	}
	return false;
}

/* Its name may hold anything, other than the keys that we write. */
static void write_label(struct strbuf *sb, const struct label *label)
{
	_cleanup_(strbuf_free) struct strbuf name = { 0 };
	_cleanup_free_ char *key = NULL;

	json_text(&name, NULL, label->name);
	key = xstrndup(name.text + 1, name.length - 2); /* without its quotation marks */
	json_text(sb, key, label->value);
}

static void write_attributes(struct strbuf *sb, const struct container *c, const struct line *l)
{
	json_open(sb, "Attributes", '{');
	for (size_t i = 0; i < c->label_count; i++) {
		if (!is_reserved(c->labels[i].name))
			write_label(sb, &c->labels[i]);
	}
	if (l->exec)
		json_text(sb, "execID", l->exec);
	if (l->key)
		json_text(sb, l->key, l->value);
	json_text(sb, "image", c->image ? c->image : "");
	if (c->name)
		json_text(sb, "name", c->name);
	json_close(sb, '}');
}

/* What is told at one time: looked for by sorts, written by time. */
struct lines {
	struct strbuf text;
	struct written {
		uint64_t at_ns;
		size_t start, length;
	} *items;
	size_t count, capacity;
};

static void lines_free(struct lines *lines)
{
	strbuf_free(&lines->text);
	free(lines->items);
}

static int compare_written(const void *a, const void *b)
{
	const struct written *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->start < y->start ? -1 : 1;
}

static void lines_write(struct lines *lines, struct strbuf *sb)
{
	qsort(lines->items, lines->count, sizeof(*lines->items), compare_written);
	for (size_t i = 0; i < lines->count; i++)
		strbuf_add(sb, lines->text.text + lines->items[i].start, lines->items[i].length);
}

static void write_line(struct docker_events *d, struct lines *lines, const struct container *c, const struct line *l)
{
	uint64_t at = l->at_ns + (uint64_t)d->facts->wall_offset_ns;
	struct strbuf *sb = &lines->text;
	size_t start = sb->length;

	json_open(sb, NULL, '{');
	json_text(sb, "status", l->status);
	json_text(sb, "id", c->id);
	json_text(sb, "from", c->image ? c->image : "");
	json_text(sb, "Type", "container");
	json_text(sb, "Action", l->status);
	json_open(sb, "Actor", '{');
	json_text(sb, "ID", c->id);
	write_attributes(sb, c, l);
	json_close(sb, '}');
	json_text(sb, "scope", "local");
	json_number(sb, "time", (int64_t)(at / 1000000000));
	json_number(sb, "timeNano", (int64_t)at);
	json_close(sb, '}');
	strbuf_putc(sb, '\n');
	array_grow(lines->items, lines->count, lines->capacity);
	lines->items[lines->count++] = (struct written){ l->at_ns, start, sb->length - start };
}

/* ---- what there is to tell ---- */

/* A container exists for docker when the request that creates it is answered; where there was none, with the first
 * thing that a runtime does for it. 0 = not yet. */
static uint64_t created_at(const struct container *c)
{
	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];
		const char *path = s->kind == STEP_REQUEST ? details_text(&s->details, "path") : NULL;

		if (path && strstr(path, "/containers/create") && s->end_edge != EDGE_OPEN)
			return s->end_ns;
	}
	return c->created_ns ? c->created_ns : c->started_ns || c->state == STATE_EXITED ? c->first_ns : 0;
}

static bool asks_for_removal(const struct actor *a)
{
	for (size_t i = 0; a->argv && a->argv[i]; i++) {
		if (!strcmp(a->argv[i], "--rm") || !strcmp(a->argv[i], "--rm=true") || (i == 1 && !strcmp(a->argv[i], "rm")))
			return true;
	}
	return false;
}

/* Runtimes keep nothing of a container that was torn down. Engines keep those that nobody asked them to remove. */
static bool is_removed(const struct container *c)
{
	if (!c->ended)
		return false;
	if (!c->engine || !strcmp(c->engine, "ctrace"))
		return true;
	for (size_t i = 0; i < c->actor_count; i++) {
		if ((c->actors[i].role == ACTOR_CLI || c->actors[i].role == ACTOR_ENGINE) && asks_for_removal(&c->actors[i]))
			return true;
	}
	for (size_t i = 0; i < c->step_count; i++) {
		const char *method = c->steps[i].kind == STEP_REQUEST ? details_text(&c->steps[i].details, "method") : NULL;

		if (method && !strcmp(method, "DELETE"))
			return true;
	}
	return false;
}

static void tell_beginning(struct docker_events *d, struct lines *lines, const struct container *c, struct told *told)
{
	uint64_t created = told->created ? 0 : created_at(c);

	if (created) {
		write_line(d, lines, c, &(struct line){ .status = "create", .at_ns = created });
		told->created = true;
	}
	if (!told->started && c->started_ns) {
		write_line(d, lines, c, &(struct line){ .status = "start", .at_ns = c->started_ns });
		told->started = true;
	}
}

static bool is_session_id(const char *text, size_t length)
{
	return length == 64 && strspn(text, "0123456789abcdef") >= 64;
}

/* The process that was called with arguments; runtimes fork a few times until they are inside. */
static const struct actor *runtime_of(const struct container *c, const struct actor *a)
{
	for (size_t i = 0; i < FORKS_MAX && a->parent >= 0 && (size_t)a->parent < c->actor_count; i++) {
		a = &c->actors[a->parent];
		if (a->role != ACTOR_RUNTIME || a->argv)
			return a->role == ACTOR_RUNTIME ? a : NULL;
	}
	return NULL;
}

/* Engines put a session's pid into a file that is named by its id, ".../ID.pid" (containerd), or lies in a directory that
 * is, ".../ID/exec_pid" (podman); the container's own id is in that path, too. Writes "" where there is none. */
static void session_id(const struct container *c, const struct actor *a, char ret[65])
{
	const struct actor *runtime = runtime_of(c, a);
	const char *path = NULL;

	*ret = '\0';
	for (size_t i = 0; runtime && runtime->argv && runtime->argv[i] && !path; i++) {
		if (!strcmp(runtime->argv[i], "--pid-file"))
			path = runtime->argv[i + 1];
	}
	while (path && *path) {
		size_t length = strcspn(path, "/."), whole = strcspn(path, "/");

		if (is_session_id(path, length) && strncmp(path, c->id, length) != 0)
			snprintf(ret, 65, "%.64s", path);
		path += whole + (path[whole] != '\0');
	}
}

/* An exec session's first program: what a runtime's process became, and not what that started in turn. */
static bool begins_session(const struct container *c, const struct actor *a)
{
	return a->role == ACTOR_EXEC && a->argv &&
	       (a->parent < 0 || (size_t)a->parent >= c->actor_count || c->actors[a->parent].role == ACTOR_RUNTIME);
}

static void tell_sessions(struct docker_events *d, struct lines *lines, const struct container *c, struct told *told)
{
	size_t next = told->actors > c->actors_cut ? told->actors - c->actors_cut : 0;

	told->actors = c->actors_cut + c->actor_count;
	for (; next < c->actor_count; next++) {
		const struct actor *a = &c->actors[next];
		_cleanup_(strbuf_free) struct strbuf create = { 0 };
		_cleanup_(strbuf_free) struct strbuf begin = { 0 };
		char id[65];

		if (!begins_session(c, a))
			continue;
		strbuf_puts(&create, "exec_create:");
		strbuf_puts(&begin, "exec_start:");
		for (size_t i = 0; a->argv[i]; i++) {
			strbuf_printf(&create, " %s", a->argv[i]);
			strbuf_printf(&begin, " %s", a->argv[i]);
		}
		session_id(c, a, id);
		write_line(d, lines, c, &(struct line){ .status = create.text, .at_ns = a->start_ns, .exec = *id ? id : NULL });
		write_line(d, lines, c, &(struct line){ .status = begin.text, .at_ns = a->start_ns, .exec = *id ? id : NULL });
	}
}

/* The newest one that had that pid. */
static const struct actor *session_of(const struct container *c, uint32_t pid)
{
	for (size_t i = c->actor_count; i-- > 0;) {
		if (c->actors[i].pid == pid && begins_session(c, &c->actors[i]))
			return &c->actors[i];
	}
	return NULL;
}

static void tell_marks(struct docker_events *d, struct lines *lines, const struct container *c, struct told *told)
{
	for (size_t i = 0; i < c->mark_count; i++) {
		const struct mark *m = &c->marks[i];
		const struct detail *code = details_get(&m->details, "code"), *pid = details_get(&m->details, "pid");
		const struct actor *a = pid ? session_of(c, (uint32_t)pid->number) : NULL;
		char text[24], id[65] = "";

		if (m->order < told->marks)
			continue;
		if (m->kind == MARK_OOM_KILL)
			write_line(d, lines, c, &(struct line){ .status = "oom", .at_ns = m->at_ns });
		if (m->kind == MARK_FREEZE || m->kind == MARK_THAW)
			write_line(d, lines, c, &(struct line){ .status = m->kind == MARK_FREEZE ? "pause" : "unpause",
				.at_ns = m->at_ns });
		if (m->kind != MARK_EXEC_EXIT)
			continue;
		snprintf(text, sizeof(text), "%" PRId64, code ? code->number : 0);
		if (a)
			session_id(c, a, id);
		write_line(d, lines, c, &(struct line){ "exec_die", m->at_ns, code ? "exitCode" : NULL, text, *id ? id : NULL });
	}
	told->marks = c->marks_made;
}

/* Signals that a runtime was told to send: `docker kill`, `docker stop`. */
static void tell_signals(struct docker_events *d, struct lines *lines, const struct container *c, struct told *told)
{
	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];
		const struct detail *number = s->kind == STEP_SIGNAL ? details_get(&s->details, "signal") : NULL;
		char text[24];

		if (!number || s->start_ns <= told->signal_ns || s->phase != PHASE_STOP || s->actor < 0 ||
			c->actors[s->actor].role != ACTOR_RUNTIME)
			continue;
		snprintf(text, sizeof(text), "%" PRId64, number->number);
		write_line(d, lines, c, &(struct line){ "kill", s->start_ns, "signal", text, NULL });
		told->signal_ns = s->start_ns;
	}
}

static void tell_end(struct docker_events *d, struct lines *lines, const struct container *c, struct told *told)
{
	char code[16];

	if (!told->died && c->exit.known && (c->started_ns || c->existed)) {
		snprintf(code, sizeof(code), "%d", c->exit.code);
		write_line(d, lines, c, &(struct line){ "die", c->exit.at_ns, "exitCode", code, NULL });
		told->died = true;
	}
	if (!told->destroyed && is_removed(c)) {
		write_line(d, lines, c, &(struct line){ .status = "destroy", .at_ns = c->last_ns });
		told->destroyed = true;
	}
}

/* Until all is known that the first line says; the others wait for it. */
static bool is_described(const struct container *c, uint64_t now_ns)
{
	return c->ended || (c->started_ns && now_ns >= c->started_ns + DESCRIBED_NS) ||
	       (c->exit.known && now_ns >= c->exit.at_ns + DESCRIBED_NS);
}

void docker_events_update(struct docker_events *d, struct strbuf *sb, const struct container *c, uint64_t now_ns)
{
	_cleanup_(lines_free) struct lines lines = { 0 };
	struct told *told = find_told(d, c);

	if (sb && !told->created && !is_described(c, now_ns))
		return;
	tell_beginning(d, &lines, c, told);
	tell_sessions(d, &lines, c, told);
	tell_signals(d, &lines, c, told);
	tell_marks(d, &lines, c, told);
	tell_end(d, &lines, c, told);
	if (sb && lines.count)
		lines_write(&lines, sb);
}
