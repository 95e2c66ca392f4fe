/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_STREAM_H
#define CTRACE_STREAM_H

/*
 * A serving tracer's events, over a unix socket: the client's side, and what both sides agree on.
 *
 *   server -> client   a recording (recording.h) that never ends: magic, facts, frames of events; the past first, as
 *                      far as it was asked for, then what happens. A FRAME_MARK answers each request.
 *   client -> server   struct stream_request, little-endian; the first is STREAM_OPEN, and nothing is sent before it
 *
 * A client that reads too slowly loses events: an EVENT_LOST with LOSS_STREAM in its stream says how many so far. A
 * client that comes late may miss what the server no longer keeps (history.h); that is told in the same way.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"

enum stream_verb {
	STREAM_OPEN = 1, /* the mark comes when the past was sent, and with STREAM_ARM the detail tier is armed */
	STREAM_SYNC = 2  /* the mark comes when all was sent that had happened by then */
};

enum stream_flag { STREAM_ARM = 1 << 0 };

#define STREAM_EVERYTHING 0
#define STREAM_NOTHING UINT64_MAX

struct stream_request {
	char magic[4]; /* stream_magic */
	uint16_t verb, flags;
	uint64_t since_ns; /* STREAM_OPEN: of the past, events of this boot time or later, and some before */
};

static const char stream_magic[4] = { 'c', 't', 'r', 'q' };

enum { STREAM_PATH_MAX = 108 };

/* $CTRACE_RUN/trace.sock, or /run/ctrace/trace.sock. -ENAMETOOLONG when it is no path for a socket. */
int stream_path(char ret_path[STREAM_PATH_MAX], struct error *err);

struct stream;

struct stream_options {
	const char *path;  /* NULL = stream_path */
	uint64_t since_ns; /* STREAM_EVERYTHING, STREAM_NOTHING or a boot time */
	bool arm;
};

/* -ENOENT, -ECONNREFUSED, -EACCES, -EPROTO, -ETIMEDOUT...: there is no tracer that answers, or not to us. */
int stream_open(const struct stream_options *options, struct stream **ret_stream, struct error *err);
const struct facts *stream_facts(const struct stream *stream);
int stream_fd(const struct stream *stream);

/* As source_read. */
int stream_read(struct stream *stream, capture_sink *sink, void *arg, struct error *err);

/* Whether the past has been given: what comes now happens now. */
bool stream_is_current(const struct stream *stream);

/* Reads until the past has been given; 0, or -ENOTCONN when the tracer ends meanwhile. */
int stream_catch_up(struct stream *stream, capture_sink *sink, void *arg, struct error *err);

/* Reads until all has been given that has happened by now. */
int stream_drain(struct stream *stream, capture_sink *sink, void *arg, struct error *err);

void stream_close(struct stream *stream); /* takes NULL */

#endif
