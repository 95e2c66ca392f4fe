/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/stream.h"

#include <endian.h>
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "capture/facts_internal.h"
#include "capture/recording_format.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* A server answers at once unless the machine is very busy. A frame must fit into the buffer. */
enum { ANSWER_MS = 5000, READ_BYTES = 256 << 10, READS_A_CALL = 16 };

struct stream {
	int fd;
	struct facts facts;
	bool has_magic, has_facts;
	unsigned int asked, marks; /* requests sent, and answered */
	unsigned char *buffer; /* received and not taken apart yet: from `at` to `length` */
	size_t at, length, capacity;
	unsigned char *raw;
	int failed; /* negative errno */
	union frame_event current;
};

int stream_path(char ret_path[STREAM_PATH_MAX], struct error *err)
{
	const char *own = getenv("CTRACE_RUN");
	int n = snprintf(ret_path, STREAM_PATH_MAX, "%s/trace.sock", own && *own == '/' ? own : "/run/ctrace");

	if (n >= STREAM_PATH_MAX)
		return error_set(err, ENAMETOOLONG, "the path of the tracer's socket is too long (CTRACE_RUN)");
	return 0;
}

static int wrong(struct stream *s, struct error *err, const char *what)
{
	s->failed = -EPROTO;
	return error_set(err, EPROTO, "the serving tracer's stream is damaged: %s", what);
}

/* ---- taking apart what has come ---- */

static int take_facts(struct stream *s, size_t length, struct error *err)
{
	struct json_object *json;
	int r;

	if (s->has_facts)
		return wrong(s, err, "facts in the middle");
	s->raw[length] = '\0';
	json = json_tokener_parse((const char *)s->raw);
	if (!json)
		return wrong(s, err, "the facts are no JSON");
	r = facts_from_json(json, &s->facts, err);
	json_object_put(json);
	s->has_facts = r == 0;
	return r;
}

static int give_events(struct stream *s, uint32_t type, size_t length, capture_sink *sink, void *arg, struct error *err)
{
	size_t at = 0;

	while (at < length) {
		const char *what = frame_next_event(type, s->raw, length, &at, &s->current);
		int r = what ? wrong(s, err, what) : sink(arg, &s->current.event);

		if (r < 0) {
			s->failed = r;
			return r;
		}
	}
	return 0;
}

static int take_frame(struct stream *s, const struct recording_frame *frame, const void *stored, capture_sink *sink,
	void *arg, struct error *err)
{
	const char *what;

	s->raw = xrealloc(s->raw, frame->raw_length + 1);
	what = frame_decode(frame, stored, s->raw);
	if (what)
		return wrong(s, err, what);
	if (frame->type == FRAME_FACTS)
		return take_facts(s, frame->raw_length, err);
	if (!s->has_facts)
		return wrong(s, err, "the facts are missing");
	if (frame->type == FRAME_MARK)
		s->marks++;
	return give_events(s, frame->type, frame->raw_length, sink, arg, err);
}

/* Takes one whole frame, or the magic. 1: taken, 0: more must come first. */
static int take_next(struct stream *s, capture_sink *sink, void *arg, struct error *err)
{
	const unsigned char *from = s->buffer + s->at;
	size_t left = s->length - s->at;
	struct recording_frame frame;
	const char *what;
	int r;

	if (!s->has_magic) {
		if (left < sizeof(recording_magic))
			return 0;
		if (memcmp(from, recording_magic, sizeof(recording_magic)) != 0)
			return wrong(s, err, "it is no stream that this ctrace knows");
		s->has_magic = true;
		s->at += sizeof(recording_magic);
		return 1;
	}
	if (left < sizeof(frame))
		return 0;
	what = frame_decode_head(from, &frame);
	if (what)
		return wrong(s, err, what);
	if (left - sizeof(frame) < frame.stored_length)
		return 0;
	s->at += sizeof(frame) + frame.stored_length;
	r = take_frame(s, &frame, from + sizeof(frame), sink, arg, err);
	return r < 0 ? r : 1;
}

/* ---- receiving ---- */

static int has_ended(struct error *err)
{
	return error_set(err, ENOTCONN, "the tracer that serves this host has ended");
}

static void make_room(struct stream *s)
{
	if (s->at) {
		memmove(s->buffer, s->buffer + s->at, s->length - s->at);
		s->length -= s->at;
		s->at = 0;
	}
	if (s->capacity - s->length < READ_BYTES) {
		s->capacity += READ_BYTES;
		s->buffer = xrealloc(s->buffer, s->capacity);
	}
}

/* Bytes received; 0: none are there; -ENOTCONN: the server has gone. */
static ssize_t receive(struct stream *s, struct error *err)
{
	ssize_t n;

	make_room(s);
	do {
		n = recv(s->fd, s->buffer + s->length, READ_BYTES, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		s->length += n;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n <= 0)
		return has_ended(err);
	return n;
}

/* Whole frames that have been received. Without a sink only up to the facts. */
static int take_received(struct stream *s, capture_sink *sink, void *arg, struct error *err)
{
	int r = 1;

	while (r > 0 && (sink || !s->has_facts))
		r = take_next(s, sink, arg, err);
	return r < 0 ? r : 0;
}

/* All that is there, or enough for now. *ret_gone: nothing more will come. */
static int read_available(struct stream *s, capture_sink *sink, void *arg, bool *ret_gone, struct error *err)
{
	int r;

	*ret_gone = false;
	if (s->failed)
		return error_errno(err, -s->failed, "the serving tracer's stream cannot be read further");
	r = take_received(s, sink, arg, err);
	for (int i = 0; r == 0 && i < READS_A_CALL && (sink || !s->has_facts); i++) {
		ssize_t n = receive(s, err);

		*ret_gone = n < 0;
		if (n <= 0)
			return 0;
		r = take_received(s, sink, arg, err);
	}
	return r;
}

int stream_read(struct stream *s, capture_sink *sink, void *arg, struct error *err)
{
	bool gone;
	int r = read_available(s, sink, arg, &gone, err);

	return r < 0 ? r : gone;
}

static bool is_answered(const struct stream *s)
{
	return s->has_facts && s->marks >= s->asked;
}

static bool has_facts(const struct stream *s)
{
	return s->has_facts;
}

/* The time that a server may take counts from its last byte: a long past takes a while. */
static int read_until(struct stream *s, bool (*is_done)(const struct stream *), capture_sink *sink, void *arg,
	struct error *err)
{
	struct pollfd fd = { .fd = s->fd, .events = POLLIN };
	uint64_t until_ms = clock_ms(CLOCK_MONOTONIC) + ANSWER_MS;
	bool gone;

	for (;;) {
		uint64_t now_ms;
		int r = read_available(s, sink, arg, &gone, err);

		if (r < 0 || is_done(s))
			return r;
		if (gone)
			return -ENOTCONN; /* receive has said why */
		now_ms = clock_ms(CLOCK_MONOTONIC);
		if (now_ms >= until_ms)
			return error_set(err, ETIMEDOUT, "the serving tracer does not answer");
		r = poll(&fd, 1, until_ms - now_ms);
		if (r < 0 && errno != EINTR)
			return error_errno(err, errno, "poll");
		if (r > 0)
			until_ms = clock_ms(CLOCK_MONOTONIC) + ANSWER_MS;
	}
}

/* ---- asking ---- */

static int ask(struct stream *s, enum stream_verb verb, unsigned int flags, uint64_t since_ns, struct error *err)
{
	struct stream_request request = { .verb = htole16(verb), .flags = htole16(flags), .since_ns = htole64(since_ns) };

	memcpy(request.magic, stream_magic, sizeof(request.magic));
	if (send(s->fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
		return errno == EPIPE || errno == ECONNRESET ? has_ended(err) : error_errno(err, errno, "cannot ask the serving tracer");
	s->asked++;
	return 0;
}

/* Only root's tracer, or our own, is believed. */
static int check_server(const struct stream *s, const char *path, struct error *err)
{
	struct ucred peer = { .uid = -1 };
	socklen_t length = sizeof(peer);

	if (getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return error_errno(err, errno, "cannot tell who serves %s", path);
	if (peer.uid != 0 && peer.uid != geteuid())
		return error_set(err, EACCES, "%s is served by user %u, not by root", path, peer.uid);
	return 0;
}

static int connect_to(struct stream *s, const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(err, ENAMETOOLONG, "the path of a socket cannot be as long as %s", path);
	strcpy(address.sun_path, path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return error_errno(err, errno, "cannot make a socket");
	if (connect(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, errno, "cannot reach a tracer at %s", path);
	return check_server(s, path, err);
}

static void stream_freep(struct stream **s)
{
	stream_close(*s);
}

/* The facts come first, and with them perhaps the first events: those stay in the buffer. */
static int read_facts(struct stream *s, struct error *err)
{
	int r = read_until(s, has_facts, NULL, NULL, err);

	if (r == -ENOTCONN)
		return error_set(err, EACCES, "the tracer that serves this host has hung up: it takes root and group ctrace, and "
			"not more than so many at once");
	return r;
}

int stream_open(const struct stream_options *options, struct stream **ret_stream, struct error *err)
{
	_cleanup_(stream_freep) struct stream *s = xcalloc(1, sizeof(*s));
	char path[STREAM_PATH_MAX];
	int r;

	s->fd = -1;
	r = options->path ? 0 : stream_path(path, err);
	if (r == 0)
		r = connect_to(s, options->path ? options->path : path, err);
	if (r == 0)
		r = ask(s, STREAM_OPEN, options->arm ? STREAM_ARM : 0, options->since_ns, err);
	if (r == 0)
		r = read_facts(s, err);
	if (r < 0)
		return r;
	*ret_stream = steal_ptr(s);
	return 0;
}

const struct facts *stream_facts(const struct stream *s)
{
	return &s->facts;
}

int stream_fd(const struct stream *s)
{
	return s->fd;
}

bool stream_is_current(const struct stream *s)
{
	return s->marks > 0;
}

int stream_catch_up(struct stream *s, capture_sink *sink, void *arg, struct error *err)
{
	return read_until(s, stream_is_current, sink, arg, err);
}

int stream_drain(struct stream *s, capture_sink *sink, void *arg, struct error *err)
{
	int r = s->failed ? s->failed : ask(s, STREAM_SYNC, 0, 0, err);

	return r < 0 ? r : read_until(s, is_answered, sink, arg, err);
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	cleanup_close(&s->fd);
	facts_free(&s->facts);
	free(s->buffer);
	free(s->raw);
	free(s);
}
