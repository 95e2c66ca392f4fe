/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks its engine for: HTTP/1.1 over a unix socket (Docker Engine API). */
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/identify.h"
#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

struct request_key {
	uint32_t tgid, fd;
};

/* The value of "KEY":"..." in JSON text that may be cut anywhere. Strings with escapes are not
 * taken. The caller frees; NULL = not there. */
static char *json_string(const char *text, const char *key)
{
	_cleanup_free_ char *quoted = xasprintf("\"%s\":\"", key);
	const char *at = strstr(text, quoted);
	size_t length;

	if (!at)
		return NULL;
	at += strlen(quoted);
	length = strcspn(at, "\"\\");
	return at[length] == '"' ? xstrndup(at, length) : NULL;
}

/* The character that an escape of JSON stands for; what would break a line, or is not ASCII, is a blank or '?'. Moves *at on. */
static char unescape(const char **at)
{
	unsigned int code;
	char c = *(*at)++;

	if (strchr("\"\\/", c))
		return c;
	if (c != 'u' || sscanf(*at, "%4x", &code) != 1)
		return ' ';
	*at += strnlen(*at, 4);
	return code >= ' ' && code < 0x7f ? (char)code : '?';
}

/* What the engine says where it refuses: {"message":"..."}, which may be cut at its end. The caller frees; NULL = nothing. */
static char *refusal_text(const char *answer)
{
	static const char begin[] = "{\"message\":\"";
	const char *at = strstr(answer, "\r\n\r\n");
	char *text, *to;

	if (!at || strncmp(at + 4, begin, strlen(begin)) != 0)
		return NULL;
	at += 4 + strlen(begin);
	to = text = xmalloc(strlen(at) + 1);
	while (*at && *at != '"') {
		char c = *at++;

		*to++ = c == '\\' && *at ? unescape(&at) : c;
	}
	*to = '\0';
	return text;
}

/* The value of name in a query string, NULL = not there. The caller frees. */
static char *query_value(const char *query, const char *name)
{
	size_t length = strlen(name);

	while (query && *query) {
		if (!strncmp(query, name, length) && query[length] == '=')
			return xstrndup(query + length + 1, strcspn(query + length + 1, "& "));
		query = strchr(query, '&');
		query += query != NULL;
	}
	return NULL;
}

/* /v1.41/containers/ID/start -> ID, and /v1.41/commit?container=ID; NULL where the path names no container. The caller frees. */
static char *path_container(const char *path)
{
	const char *at = strstr(path, "/containers/");
	size_t length;

	if (!at)
		return (at = strstr(path, "/commit?")) ? query_value(at + strlen("/commit?"), "container") : NULL;
	at += strlen("/containers/");
	length = strcspn(at, "/? ");
	if (!length || (length == 6 && !strncmp(at, "create", 6)) || (length == 4 && !strncmp(at, "json", 4)) ||
		(length == 5 && !strncmp(at, "prune", 5)))
		return NULL;
	return xstrndup(at, length);
}

static void offer_container(struct timeline *tl, struct step *step, const char *path)
{
	_cleanup_free_ char *id = path_container(path);
	const struct container *c;

	if (!id)
		return;
	if (!identify_is_hex_id(id, strlen(id))) { /* a name or a prefix of an id */
		c = timeline_find(tl, id);
		if (!c)
			return;
		free(id);
		id = xstrdup(c->id);
	}
	details_add_text(&step->details, "container", id);
}

/* A start that the engine refused before any runtime began (a port that is in use): it has a timeline all the same. Not where it
 * was of a container that has ended since: the answer may be late. */
static struct cont *refused_start(struct timeline *tl, const struct step *step, const char *id)
{
	const char *path = details_text(&step->details, "path");
	const struct detail *status = details_get(&step->details, "status");
	size_t length = path ? strcspn(path, "?") : 0;
	const struct cont *newest;
	struct cont *c;

	if (!id || !status || status->number < 400 || status->number == 404 || length < 6 || memcmp(path + length - 6, "/start", 6))
		return NULL;
	newest = map_get(&tl->by_id, id, strlen(id));
	if (newest && newest->c.last_ns >= step->start_ns)
		return NULL;
	c = container_for_id(tl, id, NULL, true);
	if (!c->c.engine)
		container_set(&c->c.engine, "docker"); /* whose API it is */
	return c;
}

/* A request is placed when it is answered: only then is the id of a new container known. */
static void place_request(struct timeline *tl, struct process *p, struct step *step)
{
	const char *id = details_text(&step->details, "container");
	struct key_set set = { 0 };
	/* a client that is part of a container asks on behalf of another one */
	bool inside = (p->is_init || p->is_exec) && !p->acts_for;
	struct cont *c = id ? claim_find(tl, 'I', id) : inside ? NULL : process_container(tl, p);

	if (!c)
		c = refused_start(tl, step, id);
	if (c) {
		container_add_step(tl, c, container_actor(tl, c, p), step);
		return;
	}
	key_set_add(&set, 'I', id);
	orphan_add(tl, p, step, &set);
	key_set_free(&set);
}

/* The body of a request may be written by itself: it names the image. */
static void take_body(struct timeline *tl, const struct event_request *e)
{
	struct request_key key = { .tgid = e->h.tgid, .fd = e->fd };
	struct open_op *op = map_get_key(&tl->requests, &key);
	const char *path = op ? details_text(&op->step.details, "path") : NULL;
	_cleanup_free_ char *image = json_string(e->data, "Image");

	if (path && strstr(path, "/containers/create") && image && *image &&
		!details_get(&op->step.details, "image"))
		details_add_text(&op->step.details, "image", image);
}

void requests_write(struct timeline *tl, const struct event_request *e)
{
	struct process *p = process_get(tl, &e->h);
	struct request_key key = { .tgid = e->h.tgid, .fd = e->fd };
	struct open_op *op, *old;
	char method[16], path[512];
	_cleanup_free_ char *name = NULL, *image = NULL;

	if (e->data[0] == '{') {
		take_body(tl, e);
		return;
	}
	if (sscanf(e->data, "%15[A-Z] %511s", method, path) != 2 || path[0] != '/')
		return;
	op = xcalloc(1, sizeof(*op));
	op->process = p->id;
	op->tid = e->h.tid;
	op->step = (struct step){ .kind = STEP_REQUEST, .start_ns = e->h.time_ns, .end_ns = e->h.time_ns,
		.tid = e->h.tid };
	details_add_text(&op->step.details, "method", method);
	details_add_text(&op->step.details, "path", path);
	if (e->peer[0])
		details_add_text(&op->step.details, "socket", e->peer);
	offer_container(tl, &op->step, path);
	if (strstr(path, "/containers/create")) {
		name = query_value(strchr(path, '?') ? strchr(path, '?') + 1 : NULL, "name");
		image = json_string(e->data, "Image");
		if (name && *name)
			details_add_text(&op->step.details, "name", name);
		if (image && *image)
			details_add_text(&op->step.details, "image", image);
	}
	old = map_put_key(&tl->requests, &key, op);
	if (!old)
		return;
	old->step.end_edge = EDGE_LOST;
	place_request(tl, p, &old->step);
	open_op_free(old);
}

void requests_response(struct timeline *tl, const struct event_request *e)
{
	struct request_key key = { .tgid = e->h.tgid, .fd = e->fd };
	struct open_op *op = map_get_key(&tl->requests, &key);
	struct process *p = process_get(tl, &e->h);
	const char *path;
	char *refusal;
	int status;

	if (!op || sscanf(e->data, "HTTP/%*d.%*d %d", &status) != 1)
		return;
	map_remove_key(&tl->requests, &key);
	path = details_text(&op->step.details, "path");
	op->step.end_ns = e->h.time_ns;
	details_add_number(&op->step.details, "status", status);
	refusal = status >= 400 ? refusal_text(e->data) : NULL;
	if (refusal)
		details_take_text(&op->step.details, "message", refusal);
	if (path && strstr(path, "/containers/create") && status == 201) {
		_cleanup_free_ char *id = json_string(e->data, "Id");

		if (id)
			details_add_text(&op->step.details, "container", id);
	}
	place_request(tl, p, &op->step);
	open_op_free(op);
}

/* Those that it still waited for are over, without an answer. */
void requests_process_gone(struct timeline *tl, struct process *p)
{
	for (size_t i = tl->requests.count; i-- > 0;) {
		struct open_op *op = tl->requests.entries[i].value;
		struct request_key key;

		if (op->process.tgid != p->id.tgid || op->process.start_ns != p->id.start_ns)
			continue;
		memcpy(&key, tl->requests.entries[i].key.bytes, sizeof(key));
		map_remove_key(&tl->requests, &key);
		op->step.end_edge = EDGE_LOST;
		place_request(tl, p, &op->step);
		open_op_free(op);
	}
}

void requests_finish(struct timeline *tl)
{
	for (size_t i = 0; i < tl->requests.count; i++) {
		struct open_op *op = tl->requests.entries[i].value;
		struct process *p = process_find(tl, op->process.tgid, op->process.start_ns);

		op->step.end_edge = EDGE_LOST;
		if (p)
			place_request(tl, p, &op->step);
		open_op_free(op);
	}
	map_free(&tl->requests);
}
