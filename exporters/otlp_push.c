/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp_push.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "exporters/otlp.h"
#include "exporters/otlp_response.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "version.h"

/* A request holds so much at most. Units wait a little for others to go with them, unless there are many already. */
enum { BATCH_UNITS = 256, BATCH_BYTES = 1 << 20, BATCH_MS = 1000, BATCH_FULL_BYTES = 256 << 10,
	BACKOFF_FIRST_MS = 500, BACKOFF_MAX_MS = 30000, RESPONSE_MAX = 64 << 10, EVENTS_AT_ONCE = 16 };

struct unit {
	char *bytes;
	size_t length, spans;
};

struct otlp_push {
	const struct otlp_settings *settings;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	int epoll, timer; /* epoll holds curl's sockets and the timer: one descriptor for the caller */

	struct unit *units; /* oldest first; the first in_flight of them are on their way */
	size_t count, capacity, in_flight, max_bytes;
	size_t limit; /* units of the next request: less after a 413 */

	struct strbuf body, response;
	long retry_after_s; /* of the answer that is coming in; -1 = none */
	unsigned int attempts; /* in vain, one after the other */
	uint64_t curl_ms;   /* when curl wants to be called; 0 = no time */
	uint64_t due_ms, not_before_ms;
	bool closing;
	struct otlp_push_stats stats;
};

static void note_error(struct otlp_push *p, const char *text)
{
	struct strbuf sb = { 0 };

	p->stats.in_trouble = true;
	strbuf_escape(&sb, text, strnlen(text, sizeof(p->stats.last_error) / 4)); /* an escaped byte has four */
	snprintf(p->stats.last_error, sizeof(p->stats.last_error), "%s", sb.text ? sb.text : "");
	strbuf_free(&sb);
}

/* ---- the queue ---- */

void otlp_push_unit(void *push, const struct strbuf *unit, size_t spans)
{
	struct otlp_push *p = push;

	if (p->stats.queued_bytes + unit->length > p->max_bytes) {
		p->stats.dropped += spans;
		note_error(p, "the queue is full");
		return;
	}
	if (p->count == p->in_flight)
		p->due_ms = clock_ms(CLOCK_MONOTONIC) + BATCH_MS;
	array_grow(p->units, p->count, p->capacity);
	p->units[p->count] = (struct unit){ xmalloc(unit->length + 1), unit->length, spans };
	memcpy(p->units[p->count++].bytes, unit->text, unit->length);
	p->stats.queued_bytes += unit->length;
	p->stats.queued_spans += spans;
	if (p->stats.queued_bytes > BATCH_FULL_BYTES)
		p->due_ms = 0;
	otlp_push_run(p);
}

/* Takes the first n units out; returns their spans. */
static uint64_t pop(struct otlp_push *p, size_t n)
{
	uint64_t spans = 0;

	for (size_t i = 0; i < n; i++) {
		spans += p->units[i].spans;
		p->stats.queued_bytes -= p->units[i].length;
		free(p->units[i].bytes);
	}
	p->stats.queued_spans -= spans;
	p->count -= n;
	if (p->count)
		memmove(p->units, p->units + n, p->count * sizeof(*p->units));
	return spans;
}

/* ---- one request ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct otlp_push *p = arg;
	size_t length = size * count;

	if (p->response.length + length <= RESPONSE_MAX) /* the rest is of no interest, but must be read */
		strbuf_add(&p->response, bytes, length);
	return length;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
	static const char name[] = "Retry-After:";
	struct otlp_push *p = arg;
	size_t length = size * count;
	char value[64];

	if (length >= sizeof(name) && !strncasecmp(bytes, name, sizeof(name) - 1)) {
		snprintf(value, sizeof(value), "%.*s", (int)(length - sizeof(name) + 1), bytes + sizeof(name) - 1);
		p->retry_after_s = otlp_retry_after(value, (long long)time(NULL));
	}
	return length;
}

/* The body as it is, or as gzip. */
static void compress_body(struct strbuf *body)
{
	z_stream z = { 0 };
	struct strbuf out = { 0 };
	char block[16384];
	int r;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* only for lack of memory or wrong arguments */
	z.next_in = (Bytef *)body->text;
	z.avail_in = (uInt)body->length;
	do {
		z.next_out = (Bytef *)block;
		z.avail_out = sizeof(block);
		r = deflate(&z, Z_FINISH);
		strbuf_add(&out, block, sizeof(block) - z.avail_out);
	} while (r == Z_OK);
	deflateEnd(&z);
	strbuf_free(body);
	*body = out;
}

static void fill_body(struct otlp_push *p)
{
	enum otlp_encoding encoding = p->settings->encoding;

	strbuf_reset(&p->body);
	otlp_payload_begin(&p->body, encoding);
	for (p->in_flight = 0; p->in_flight < p->count && p->in_flight < p->limit; p->in_flight++) {
		const struct unit *u = &p->units[p->in_flight];

		if (p->in_flight && p->body.length + u->length > BATCH_BYTES)
			break;
		otlp_payload_add(&p->body, encoding, p->in_flight == 0, u->bytes, u->length);
	}
	otlp_payload_end(&p->body, encoding);
	if (p->settings->gzip)
		compress_body(&p->body);
}

static void send_request(struct otlp_push *p)
{
	fill_body(p);
	strbuf_reset(&p->response);
	p->retry_after_s = -1;
	p->stats.requests++;
	p->stats.retries += p->attempts > 0;
	curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS, p->body.text);
	curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->body.length);
	curl_multi_add_handle(p->multi, p->easy);
}

/* ---- the answer ---- */

/* Later: when the collector says, or after a time that doubles, with some chance so that a fleet does not come back
 * all at once. */
static void back_off(struct otlp_push *p)
{
	unsigned int shift = p->attempts < 8 ? p->attempts : 8;
	uint64_t wait = (uint64_t)BACKOFF_FIRST_MS << shift;

	wait = wait > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : wait;
	wait = wait * 4 / 5 + (uint64_t)random() % (wait * 2 / 5 + 1);
	if (p->retry_after_s > 0) /* 0 is no leave to come back without end */
		wait = (uint64_t)p->retry_after_s * 1000;
	p->attempts++;
	p->not_before_ms = clock_ms(CLOCK_MONOTONIC) + wait;
}

static void was_taken(struct otlp_push *p)
{
	struct strbuf message = { 0 };
	uint64_t spans = pop(p, p->in_flight);
	uint64_t rejected = otlp_rejected(p->settings->encoding, p->response.text ? p->response.text : "",
		p->response.length, &message);

	rejected = rejected > spans ? spans : rejected;
	p->stats.in_trouble = false;
	p->stats.sent += spans - rejected;
	p->stats.rejected += rejected;
	if (rejected || message.length)
		note_error(p, message.length ? message.text : "the collector rejected some spans");
	strbuf_free(&message);
	p->attempts = 0;
	p->limit = p->limit * 2 < BATCH_UNITS ? p->limit * 2 : BATCH_UNITS;
}

static void was_answered(struct otlp_push *p, long status)
{
	enum otlp_verdict verdict = otlp_verdict_of(status);
	char text[64];

	if (verdict == OTLP_TAKEN) {
		was_taken(p);
		return;
	}
	snprintf(text, sizeof(text), "the collector answers %ld", status);
	note_error(p, text);
	if (verdict == OTLP_RETRY) {
		back_off(p);
	} else if (verdict == OTLP_TOO_LARGE && p->in_flight > 1) {
		p->limit = p->in_flight / 2; /* at once, in halves */
	} else {
		p->stats.failed += pop(p, p->in_flight);
		p->attempts = 0;
	}
}

static void take_answers(struct otlp_push *p)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(p->multi, &left))) {
		CURLcode result = message->data.result;
		long status = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
		curl_multi_remove_handle(p->multi, p->easy);
		if (result == CURLE_OK || otlp_verdict_of(status) == OTLP_TAKEN) { /* taken, though its words are cut or garbled */
			was_answered(p, status);
		} else {
			note_error(p, curl_easy_strerror(result));
			back_off(p);
		}
		p->in_flight = 0;
	}
}

/* ---- the loop ---- */

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct otlp_push *p = arg;
	struct epoll_event e = { .events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U),
		.data.fd = fd };

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL);
	} else if (epoll_ctl(p->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) == 0) {
		curl_multi_assign(p->multi, fd, p);
	}
	return 0;
}

static int watch_time(CURLM *multi, long timeout_ms, void *arg)
{
	struct otlp_push *p = arg;

	(void)multi;
	p->curl_ms = timeout_ms < 0 ? 0 : clock_ms(CLOCK_MONOTONIC) + (uint64_t)timeout_ms;
	return 0;
}

static uint64_t send_at(const struct otlp_push *p)
{
	uint64_t due = p->closing || p->attempts ? 0 : p->due_ms;

	return due > p->not_before_ms ? due : p->not_before_ms;
}

/* The next time at which there is something to do, in whole milliseconds and not in the past; none: off. */
static void arm_timer(const struct otlp_push *p)
{
	uint64_t at = p->curl_ms ? p->curl_ms : UINT64_MAX;
	struct itimerspec t = { 0 };

	if (!p->in_flight && p->count && send_at(p) < at)
		at = send_at(p) ? send_at(p) : 1;
	if (at != UINT64_MAX) {
		t.it_value.tv_sec = (time_t)(at / 1000);
		t.it_value.tv_nsec = (long)(at % 1000) * 1000000 + 1;
	}
	timerfd_settime(p->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static void serve_sockets(struct otlp_push *p)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n = epoll_wait(p->epoll, events, EVENTS_AT_ONCE, 0), running;
	uint64_t expirations;

	for (int i = 0; i < n; i++) {
		int mask = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
			(events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			(events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

		if (events[i].data.fd != p->timer)
			curl_multi_socket_action(p->multi, events[i].data.fd, mask, &running);
		else if (read(p->timer, &expirations, sizeof(expirations)) < 0)
			continue; /* was set anew meanwhile */
	}
	if (p->curl_ms && p->curl_ms <= (uint64_t)clock_ms(CLOCK_MONOTONIC)) {
		p->curl_ms = 0;
		curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

void otlp_push_run(struct otlp_push *p)
{
	serve_sockets(p);
	take_answers(p);
	if (!p->in_flight && p->count && send_at(p) <= (uint64_t)clock_ms(CLOCK_MONOTONIC))
		send_request(p);
	arm_timer(p);
}

int otlp_push_fd(const struct otlp_push *p)
{
	return p->epoll;
}

/* ---- beginning and end ---- */

static void set_up_request(struct otlp_push *p)
{
	const struct otlp_settings *s = p->settings;

	p->headers = curl_slist_append(NULL, s->encoding == OTLP_JSON ? "Content-Type: application/json" :
		"Content-Type: application/x-protobuf");
	p->headers = curl_slist_append(p->headers, "Expect:"); /* no waiting for 100 Continue */
	if (s->gzip)
		p->headers = curl_slist_append(p->headers, "Content-Encoding: gzip");
	for (size_t i = 0; s->headers && s->headers[i]; i++)
		p->headers = curl_slist_append(p->headers, s->headers[i]);
	curl_easy_setopt(p->easy, CURLOPT_URL, s->url);
	curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(p->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
	curl_easy_setopt(p->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(p->easy, CURLOPT_USERAGENT, "ctrace/" CTRACE_VERSION);
	curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, s->timeout_ms);
	curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
	curl_easy_setopt(p->easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(p->easy, CURLOPT_HEADERDATA, p);
}

int otlp_push_new(const struct otlp_settings *settings, size_t queue_bytes, struct otlp_push **ret_push, struct error *err)
{
	struct otlp_push *p = xcalloc(1, sizeof(*p));
	struct epoll_event e = { .events = EPOLLIN };

	p->settings = settings;
	p->max_bytes = queue_bytes;
	p->limit = BATCH_UNITS;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	p->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
	p->easy = p->multi ? curl_easy_init() : NULL;
	e.data.fd = p->timer;
	if (p->epoll < 0 || p->timer < 0 || !p->easy || epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->timer, &e) < 0) {
		otlp_push_free(p);
		return error_set(err, EMFILE, "cannot set up the pushing of traces");
	}
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, watch_time);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
	set_up_request(p);
	*ret_push = p;
	return 0;
}

void otlp_push_free(struct otlp_push *p)
{
	if (!p)
		return;
	if (p->in_flight)
		curl_multi_remove_handle(p->multi, p->easy);
	curl_easy_cleanup(p->easy);
	curl_multi_cleanup(p->multi);
	curl_slist_free_all(p->headers);
	pop(p, p->count);
	free(p->units);
	strbuf_free(&p->body);
	strbuf_free(&p->response);
	if (p->timer >= 0)
		close(p->timer);
	if (p->epoll >= 0)
		close(p->epoll);
	free(p);
}

void otlp_push_close(struct otlp_push *p, int timeout_ms)
{
	uint64_t end = clock_ms(CLOCK_MONOTONIC) + (uint64_t)timeout_ms, now;
	struct pollfd fd = { .fd = p->epoll, .events = POLLIN };

	p->closing = true;
	otlp_push_run(p);
	while (p->count && (now = clock_ms(CLOCK_MONOTONIC)) < end) {
		if (poll(&fd, 1, (int)(end - now)) < 0 && errno != EINTR)
			break;
		otlp_push_run(p);
	}
	if (p->in_flight)
		curl_multi_remove_handle(p->multi, p->easy);
	p->in_flight = 0;
	p->stats.dropped += pop(p, p->count);
}

void otlp_push_hand_over(struct otlp_push *from, struct otlp_push *to)
{
	if (from->in_flight)
		curl_multi_remove_handle(from->multi, from->easy);
	from->in_flight = 0;
	for (size_t i = 0; i < from->count; i++) {
		struct strbuf unit = { .text = from->units[i].bytes, .length = from->units[i].length };

		otlp_push_unit(to, &unit, from->units[i].spans);
	}
	pop(from, from->count);
}

void otlp_push_get_stats(const struct otlp_push *p, struct otlp_push_stats *ret_stats)
{
	*ret_stats = p->stats;
}
