/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/registry.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image/auth.h"
#include "engine/image/document.h"
#include "engine/image/image_settings.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum {
	ENDPOINTS_MAX = 80,
	BUSY_RETRIES = 5,     /* answers 429 and 5xx in a row */
	RETRY_AFTER_MAX = 60, /* seconds that a server may make us wait at once */
	BREAKS_IDLE_MAX = 4,  /* broken connections in a row that brought no byte */
	BREAKS_MAX = 64,      /* in one blob */
};

struct endpoint {
	char *base; /* URL without a slash at the end */
	bool quiet; /* https tried on a host that is likely to speak http: its failure is no news */
};

struct registry {
	const struct image_settings *settings;
	const struct reference *reference;
	struct endpoint endpoints[ENDPOINTS_MAX];
	size_t count;
	bool pinned;
	size_t chosen;
	pthread_mutex_t mutex; /* guards authorization */
	char *authorization;
};

static void add_endpoint(struct registry *r, const char *scheme, const char *host, bool quiet)
{
	if (r->count < ENDPOINTS_MAX)
		r->endpoints[r->count++] =
			(struct endpoint){ xasprintf("%s%s", scheme, host), quiet };
}

struct registry *registry_new(const struct image_settings *settings, const struct reference *reference)
{
	struct registry *r = xcalloc(1, sizeof(*r));

	r->settings = settings;
	r->reference = reference;
	pthread_mutex_init(&r->mutex, NULL);
	if (strcmp(reference->domain, "docker.io") != 0) {
		bool insecure = image_settings_insecure(settings, reference->domain);

		add_endpoint(r, "https://", reference->domain, insecure);
		if (insecure)
			add_endpoint(r, "http://", reference->domain, false);
		return r;
	}
	for (size_t i = 0; i < settings->mirror_count; i++)
		add_endpoint(r, "", settings->mirrors[i], false);
	if (!settings->mirror_count || !settings->no_fallback)
		add_endpoint(r, "https://", "registry-1.docker.io", false);
	return r;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		free(r->endpoints[i].base);
	pthread_mutex_destroy(&r->mutex);
	free(r->authorization);
	free(r);
}

void registry_document_free(struct registry_document *d)
{
	free(d->bytes);
	free(d->media_type);
	*d = (struct registry_document){ 0 };
}

static char *current_authorization(struct registry *r)
{
	char *copy;

	pthread_mutex_lock(&r->mutex);
	copy = r->authorization ? xstrdup(r->authorization) : NULL;
	pthread_mutex_unlock(&r->mutex);
	return copy;
}

/* Answers a challenge; used: what was sent and refused. Another thread may have been faster. */
static int authenticate(struct registry *r, struct http *http, const char *challenge,
	const char *used, struct error *err)
{
	char *fresh = NULL;
	int result = 0;

	pthread_mutex_lock(&r->mutex);
	if (!r->authorization || (used && !strcmp(used, r->authorization))) {
		result = auth_answer(http, challenge, r->reference->domain, r->reference->path, &fresh,
			err);
		if (result == 0) {
			free(r->authorization);
			r->authorization = fresh;
		}
	}
	pthread_mutex_unlock(&r->mutex);
	return result;
}

static bool is_busy(long status)
{
	return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

static int wait_for_server(struct http *http, const struct http_response *response, int attempt)
{
	long wait_ms = 500L << attempt;

	if (response->retry_after_s >= 0)
		wait_ms = 1000L * (response->retry_after_s < RETRY_AFTER_MAX ? response->retry_after_s :
									       RETRY_AFTER_MAX);
	return http_wait(http, wait_ms);
}

/* The registry's own words from its errors document (distribution-spec, error codes) or from the first line of a
 * plain text, or "". */
static char *server_message(const struct http_response *response)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	size_t line = response->body ? strcspn(response->body, "\r\n") : 0;
	struct json_object *first;
	const char *message;

	if (!response->body || document_parse(response->body, response->length, "", &object, NULL) < 0) {
		if (response->body && (!response->content_type || str_starts(response->content_type, "text/plain")))
			strbuf_escape(&text, response->body, line < 200 ? line : 200);
		return strbuf_steal(&text);
	}
	first = document_array(object, "errors");
	first = first ? json_object_array_get_idx(first, 0) : NULL;
	message = document_string(first, "message", document_string(first, "code", ""));
	strbuf_escape(&text, message, strlen(message) < 200 ? strlen(message) : 200);
	return strbuf_steal(&text);
}

static int status_error(const struct http_response *response, const char *base, const char *object,
	struct error *err)
{
	_cleanup_free_ char *message = server_message(response);
	const char *said = *message ? message : "no reason given";

	switch (response->status) {
	case 404:
		return error_set(err, ENOENT, "%s: %s at %s: no such image, tag or digest there", object,
			*message ? message : "not found", base);
	case 401:
	case 403:
		return error_set(err, EACCES, "%s denies access to %s (%s): it does not exist, or docker "
			"login is needed", base, object, said);
	case 429:
		return error_set(err, EBUSY, "%s limits requests for %s (%s): try later, or set a mirror "
			"(CTRACE_REGISTRY_MIRROR)", base, object, said);
	default:
		return error_set(err, EPROTO, "%s answers %s with status %ld (%s)", base, object,
			response->status, said);
	}
}

/* One request with whatever authentication and patience it takes. */
static int get(struct registry *r, struct http *http, const char *base, struct http_request *request,
	const char *object, struct http_response *ret, struct error *err)
{
	bool authenticated = false;

	for (int attempt = 0;;) {
		_cleanup_free_ char *authorization = current_authorization(r);
		int result;

		request->authorization = authorization;
		result = http_get(http, request, ret, err);
		request->authorization = NULL;
		if (result < 0)
			return result;
		if (ret->status == 200 || ret->status == 206)
			return 0;
		if (ret->status == 401 && ret->challenge && !authenticated) {
			authenticated = true;
			result = authenticate(r, http, ret->challenge, authorization, err);
			if (result < 0)
				return result;
			continue;
		}
		if (!is_busy(ret->status) || attempt == BUSY_RETRIES)
			return status_error(ret, base, object, err);
		if (wait_for_server(http, ret, attempt++) < 0)
			return error_set(err, ECANCELED, "cancelled while waiting for %s", base);
	}
}

static int fetch(struct registry *r, struct http *http, const char *base, const char *kind,
	const char *name, size_t limit, struct registry_document *ret, struct error *err)
{
	_cleanup_free_ char *url = xasprintf("%s/v2/%s/%s/%s", base, r->reference->path, kind, name);
	_cleanup_free_ char *object = xasprintf("%s/%s (%s)", r->reference->domain, r->reference->path,
		name);
	_cleanup_(http_response_free) struct http_response response = { 0 };
	struct http_request request = {
		.url = url,
		.accept = strcmp(kind, "manifests") ? NULL : manifest_media_types,
		.limit = limit,
	};
	int result = get(r, http, base, &request, object, &response, err);

	if (result < 0)
		return result;
	ret->bytes = steal_ptr(response.body);
	ret->length = response.length;
	ret->media_type = steal_ptr(response.content_type);
	return 0;
}

/* Adds one endpoint's failure to the story. */
static void tell(struct strbuf *story, const struct error *problem)
{
	strbuf_printf(story, "%s%s", story->length ? "; " : "", problem->text);
}

static int no_endpoint(const struct registry *r, int result, const struct strbuf *story,
	struct error *err)
{
	const char *hint = "";

	if (result == -EHOSTUNREACH)
		hint = strcmp(r->reference->domain, "docker.io") ?
			" (is the registry running, and its name right?)" :
			" (check the network, or set a mirror: CTRACE_REGISTRY_MIRROR=http://HOST:PORT or "
			"registry_mirrors in /etc/ctrace/config.json)";
	return error_set(err, -result, "%s%s", story->text ? story->text : "no registry to ask", hint);
}

static int manifest_anywhere(struct registry *r, struct http *http, const char *name,
	struct registry_document *ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf story = { 0 };
	int result = -ENOENT;

	for (size_t i = 0; i < r->count; i++) {
		struct error problem = { 0 };

		/* A token of one server means nothing to the next. */
		free(steal_ptr(r->authorization));
		result = fetch(r, http, r->endpoints[i].base, "manifests", name, MANIFEST_LIMIT, ret,
			&problem);
		if (result == 0) {
			r->pinned = true;
			r->chosen = i;
			return 0;
		}
		if (result == -ECANCELED)
			break;
		if (!r->endpoints[i].quiet || (result != -EHOSTUNREACH && result != -EPROTONOSUPPORT))
			tell(&story, &problem);
	}
	return no_endpoint(r, result, &story, err);
}

int registry_manifest(struct registry *r, struct http *http, const char *tag_or_digest,
	struct registry_document *ret, struct error *err)
{
	if (!r->pinned)
		return manifest_anywhere(r, http, tag_or_digest, ret, err);
	return fetch(r, http, r->endpoints[r->chosen].base, "manifests", tag_or_digest, MANIFEST_LIMIT,
		ret, err);
}

int registry_small_blob(struct registry *r, struct http *http, const struct descriptor *blob,
	size_t limit, struct registry_document *ret, struct error *err)
{
	return fetch(r, http, r->endpoints[r->chosen].base, "blobs", blob->digest, limit, ret, err);
}

/* What decides whether a broken transfer is taken up again. */
struct patience {
	int idle, total;
};

static bool take_up_again(struct patience *p, int result, uint64_t received)
{
	if (result != -EPIPE && result != -ETIMEDOUT)
		return false;
	/* A server that stalls before its first byte will stall again. */
	if (result == -ETIMEDOUT && !received)
		return false;
	p->idle = received ? 0 : p->idle + 1;
	return p->idle <= BREAKS_IDLE_MAX && ++p->total <= BREAKS_MAX;
}

int registry_blob(struct registry *r, struct http *http, const struct descriptor *blob,
	http_sink *sink, void *arg, struct error *err)
{
	const char *base = r->endpoints[r->chosen].base;
	_cleanup_free_ char *url = xasprintf("%s/v2/%s/blobs/%s", base, r->reference->path, blob->digest);
	struct http_request request = { .url = url, .sink = sink, .arg = arg };
	struct patience patience = { 0 };

	for (;;) {
		_cleanup_(http_response_free) struct http_response response = { 0 };
		struct error problem = { 0 };
		int result = get(r, http, base, &request, blob->digest, &response, &problem);

		request.offset += response.received;
		/* A connection that broke behind the last byte did no harm. */
		if (result == 0 || (blob->size >= 0 && request.offset == (uint64_t)blob->size &&
					   result == -EPIPE))
			return 0;
		if (take_up_again(&patience, result, response.received) &&
			http_wait(http, 200L << patience.idle) == 0)
			continue;
		if (err)
			*err = problem;
		error_prefix(err, "layer %s, %llu of %lld bytes", blob->digest,
			(unsigned long long)request.offset, (long long)blob->size);
		return result;
	}
}
