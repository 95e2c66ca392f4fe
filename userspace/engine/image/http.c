/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "engine/image/certificates.h"
#include "engine/image/image_settings.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"
#include "version.h"

enum { REDIRECTS_MAX = 10, HEADER_BYTES_MAX = 64 << 10, ERROR_BODY_MAX = 64 << 10 };

struct http {
	CURL *curl;
	const struct image_settings *settings;
	const atomic_bool *cancel;
};

/* One request and its answer, for curl's callbacks. */
struct exchange {
	struct http *http;
	const struct http_request *request;
	struct http_response *response;
	struct strbuf body;
	size_t header_bytes;
	uint64_t skip; /* of a 200 that should have been a 206 */
	bool body_started, sink_stopped, too_big, stalled, bad_range;
	uint64_t range_start;
	bool has_range;
	struct timespec last_byte;
	char reason[CURL_ERROR_SIZE]; /* curl's own words, "" = none */
};

struct http *http_new(const struct image_settings *settings, const atomic_bool *cancel)
{
	struct http *http = xcalloc(1, sizeof(*http));

	http->curl = curl_easy_init();
	if (!http->curl) {
		fputs("ctrace: libcurl cannot be used\n", stderr);
		_Exit(125);
	}
	http->settings = settings;
	http->cancel = cancel;
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	free(http);
}

void http_response_free(struct http_response *r)
{
	free(r->content_type);
	free(r->challenge);
	free(r->body);
	*r = (struct http_response){ 0 };
}

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

int http_wait(struct http *http, long milliseconds)
{
	while (milliseconds > 0) {
		long step = milliseconds < 100 ? milliseconds : 100;
		struct timespec pause = { 0, step * 1000000 };

		if (http->cancel && atomic_load(http->cancel))
			return -ECANCELED;
		nanosleep(&pause, NULL);
		milliseconds -= step;
	}
	return 0;
}

char *http_origin(const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *origin = NULL;

	if (!curl_url_set(u, CURLUPART_URL, url, 0) &&
		!curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
		!curl_url_get(u, CURLUPART_HOST, &host, 0) &&
		!curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
		(!strcmp(scheme, "http") || !strcmp(scheme, "https"))) {
		origin = xasprintf("%s://%s:%s", scheme, host, port);
		for (char *p = origin; *p; p++)
			*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return origin;
}

/* ---- callbacks ---- */

static bool header_value(const char *line, size_t length, const char *name, char **ret)
{
	size_t n = strlen(name);

	if (length <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return false;
	line += n + 1;
	length -= n + 1;
	while (length && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	while (length && strchr("\r\n \t", line[length - 1]))
		length--;
	free(*ret);
	*ret = xstrndup(line, length);
	return true;
}

/* Several challenges may come, a line each; Bearer is the one that registries mean. */
static void note_challenge(struct exchange *x, char *value)
{
	if (x->response->challenge && str_starts(x->response->challenge, "Bearer")) {
		free(value);
		return;
	}
	free(x->response->challenge);
	x->response->challenge = value;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t length = size * count;
	char *value = NULL, *end;

	x->header_bytes += length;
	if (x->header_bytes > HEADER_BYTES_MAX) {
		x->too_big = true;
		return 0;
	}
	if (header_value(line, length, "Content-Type", &x->response->content_type))
		return length;
	if (header_value(line, length, "WWW-Authenticate", &value)) {
		note_challenge(x, value);
		return length;
	}
	if (header_value(line, length, "Retry-After", &value)) {
		long seconds = strtol(value, &end, 10);

		/* The other form is a date: treated as "soon". */
		x->response->retry_after_s = end > value && !*end && seconds >= 0 ? seconds : -1;
	} else if (header_value(line, length, "Content-Range", &value) && str_starts(value, "bytes ")) {
		x->range_start = strtoull(value + 6, NULL, 10);
		x->has_range = true;
	}
	free(value);
	return length;
}

static int start_body(struct exchange *x)
{
	x->body_started = true;
	curl_easy_getinfo(x->http->curl, CURLINFO_RESPONSE_CODE, &x->response->status);
	if (x->response->status == 200)
		x->skip = x->request->offset;
	if (x->response->status == 206 && (!x->has_range || x->range_start != x->request->offset)) {
		x->bad_range = true;
		return -1;
	}
	return 0;
}

static int collect(struct exchange *x, const char *bytes, size_t length, size_t limit)
{
	if (x->body.length + length > limit) {
		x->too_big = true;
		return -1;
	}
	strbuf_add(&x->body, bytes, length);
	return 0;
}

static int pass_body(struct exchange *x, const char *bytes, size_t length)
{
	size_t skip = x->skip < length ? (size_t)x->skip : length;
	int r;

	x->skip -= skip;
	if (length == skip)
		return 0;
	r = x->request->sink(x->request->arg, bytes + skip, length - skip);
	if (r < 0)
		x->sink_stopped = true;
	else
		x->response->received += length - skip;
	return r;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t length = size * count;
	bool good;
	int r;

	if (!x->body_started && start_body(x) < 0)
		return 0;
	good = x->response->status == 200 || x->response->status == 206;
	if (good && x->request->sink)
		r = pass_body(x, bytes, length);
	else
		r = collect(x, bytes, length, good ? x->request->limit : ERROR_BODY_MAX);
	/* The clock starts after the sink: a slow disk is no slow network. */
	clock_gettime(CLOCK_MONOTONIC, &x->last_byte);
	return r < 0 ? 0 : length;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total,
	curl_off_t up_now)
{
	struct exchange *x = arg;

	(void)total, (void)now, (void)up_total, (void)up_now;
	if (x->http->cancel && atomic_load(x->http->cancel))
		return 1;
	x->stalled = seconds_since(&x->last_byte) > (double)x->http->settings->stall_s;
	return x->stalled;
}

/* ---- one request ---- */

static struct curl_slist *make_headers(const struct http_request *request, bool authorize)
{
	struct curl_slist *headers = NULL;

	for (size_t i = 0; request->accept && request->accept[i]; i++) {
		_cleanup_free_ char *line = xasprintf("Accept: %s", request->accept[i]);

		headers = curl_slist_append(headers, line);
	}
	if (request->authorization && authorize) {
		_cleanup_free_ char *line = xasprintf("Authorization: %s", request->authorization);

		headers = curl_slist_append(headers, line);
	}
	return headers;
}

static void set_options(struct exchange *x, const char *url, bool insecure)
{
	CURL *c = x->http->curl;
	char range[32];

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "ctrace/" CTRACE_VERSION);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, x->http->settings->stall_s);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 256L << 10);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->reason);
	if (insecure) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (x->request->offset) {
		snprintf(range, sizeof(range), "%llu-", (unsigned long long)x->request->offset);
		curl_easy_setopt(c, CURLOPT_RANGE, range);
	}
}

/* What a TLS connection is verified with: the host's own certificates, then those that SSL_CERT_FILE and
 * SSL_CERT_DIR name, then the system's. */
static int set_certificates(struct exchange *x, const char *host, struct error *err)
{
	const char *file = getenv("SSL_CERT_FILE"), *directory = getenv("SSL_CERT_DIR");
	_cleanup_(certificates_free) struct certificates own = { 0 };
	CURL *c = x->http->curl;
	int r = certificates_find(x->http->settings->certificate_dirs, host, &own, err);

	if (r < 0)
		return r;
	if (file && *file)
		curl_easy_setopt(c, CURLOPT_CAINFO, file);
	if (directory && *directory)
		curl_easy_setopt(c, CURLOPT_CAPATH, directory);
	if (own.authorities) {
		struct curl_blob blob = { own.authorities, strlen(own.authorities), CURL_BLOB_COPY };

		curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
	}
	if (own.client && own.key) {
		curl_easy_setopt(c, CURLOPT_SSLCERT, own.client);
		curl_easy_setopt(c, CURLOPT_SSLKEY, own.key);
	}
	return 0;
}

static int explain(struct exchange *x, CURLcode code, const char *origin, struct error *err)
{
	const char *reason = x->reason[0] ? x->reason : curl_easy_strerror(code);
	const char *host = strstr(origin, "://") + 3;

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return error_set(err, EHOSTUNREACH, "cannot reach %s: %s", origin, curl_easy_strerror(code));
	case CURLE_SSL_CONNECT_ERROR:
		return error_set(err, strstr(reason, "wrong version number") ? EPROTONOSUPPORT : EHOSTUNREACH,
			"cannot reach %s: %s%s", origin, reason, strstr(reason, "wrong version number")
				? " (it seems to speak plain http: list it in insecure_registries to allow that)" : "");
	case CURLE_PEER_FAILED_VERIFICATION:
		return error_set(err, EKEYREJECTED, "the certificate of %s is not accepted: %s (a CA of its own "
			"goes to %s/%s/ca.crt)", origin, reason, x->http->settings->certificate_dirs[0], host);
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		return error_set(err, EKEYREJECTED, "cannot reach %s: %s", origin, reason);
	case CURLE_OPERATION_TIMEDOUT:
		return error_set(err, EHOSTUNREACH, "cannot reach %s: no connection within %ld s",
			origin, x->http->settings->stall_s);
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return error_set(err, EPIPE, "the connection to %s broke: %s", origin,
			curl_easy_strerror(code));
	default:
		return error_set(err, EPROTO, "%s: %s", origin, curl_easy_strerror(code));
	}
}

static int judge(struct exchange *x, CURLcode code, const char *origin, struct error *err)
{
	if (x->sink_stopped || (x->http->cancel && atomic_load(x->http->cancel)))
		return error_set(err, ECANCELED, "the transfer from %s was cancelled", origin);
	if (x->too_big)
		return error_set(err, EFBIG, "%s sends more than is allowed (%zu bytes)", origin,
			x->body_started ? x->request->limit : (size_t)HEADER_BYTES_MAX);
	if (x->bad_range)
		return error_set(err, EPROTO, "%s answers a range request with another range", origin);
	if (x->stalled)
		return error_set(err, ETIMEDOUT, "%s stalls: no byte for %ld s", origin,
			x->http->settings->stall_s);
	return code == CURLE_OK ? 0 : explain(x, code, origin, err);
}

/* One hop. *ret_next: where a redirect leads, or NULL; the caller frees. */
static int perform(struct http *http, const struct http_request *request, const char *url,
	bool authorize, struct http_response *response, char **ret_next, struct error *err)
{
	struct exchange x = { .http = http, .request = request, .response = response };
	_cleanup_free_ char *origin = http_origin(url);
	struct curl_slist *headers = make_headers(request, authorize);
	bool insecure;
	char *next = NULL;
	CURLcode code;
	int r;

	if (!origin) {
		curl_slist_free_all(headers);
		return error_set(err, EPROTO, "\"%s\" is no http or https address", url);
	}
	insecure = image_settings_insecure(http->settings, strstr(origin, "://") + 3);
	if (!insecure && str_starts(origin, "http://")) {
		curl_slist_free_all(headers);
		return error_set(err, EPROTO, "plain http to %s is refused: list it in "
			"insecure_registries of /etc/ctrace/config.json to allow it", origin);
	}
	response->retry_after_s = -1;
	clock_gettime(CLOCK_MONOTONIC, &x.last_byte);
	set_options(&x, url, insecure);
	r = str_starts(origin, "https://") ? set_certificates(&x, strstr(origin, "://") + 3, err) : 0;
	if (r < 0) {
		curl_slist_free_all(headers);
		return r;
	}
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(http->curl);
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &response->status);
	r = judge(&x, code, origin, err);
	if (r == 0 && response->status / 100 == 3 &&
		curl_easy_getinfo(http->curl, CURLINFO_REDIRECT_URL, &next) == CURLE_OK && next)
		*ret_next = xstrdup(next);
	curl_slist_free_all(headers);
	response->length = x.body.length;
	response->body = strbuf_steal(&x.body);
	return r;
}

/* A server that was verified may not lead to one that cannot be, not even on this machine. */
static int check_redirect(const struct http *http, const char *origin, const char *next, struct error *err)
{
	_cleanup_free_ char *to = http_origin(next);

	if (!origin || !to || !str_starts(origin, "https://") || !str_starts(to, "http://") ||
		image_settings_insecure(http->settings, strstr(origin, "://") + 3))
		return 0;
	return error_set(err, EPROTO, "%s redirects to plain http, %s: refused", origin, to);
}

int http_get(struct http *http, const struct http_request *request, struct http_response *ret,
	struct error *err)
{
	_cleanup_free_ char *url = xstrdup(request->url), *home = http_origin(url);

	for (int hop = 0; hop <= REDIRECTS_MAX; hop++) {
		_cleanup_free_ char *origin = http_origin(url), *next = NULL;
		int r;

		http_response_free(ret);
		r = perform(http, request, url, home && origin && !strcmp(home, origin), ret, &next,
			err);
		if (r == 0 && next)
			r = check_redirect(http, origin, next, err);
		if (r < 0 || !next)
			return r;
		free(url);
		url = steal_ptr(next);
	}
	return error_set(err, EPROTO, "%s redirects more than %d times", request->url, REDIRECTS_MAX);
}
