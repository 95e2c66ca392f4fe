/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_EVENT_SOURCE_H
#define CTRACE_EVENT_SOURCE_H

#include <stdbool.h>

#include "capture/capture.h"

/*
 * Where events come from, one interface for all: programs that this process loads, a recording, or the stream of a
 * tracer that serves this host (stream.h). The reader need not know which it is.
 */
struct event_source;

int source_open_live(const struct capture_options *options, struct event_source **ret_source, struct error *err);
int source_open_recording(const char *path, struct event_source **ret_source, struct error *err);

/* The stream of the tracer that serves this host; options NULL = everything that it still has. Errors as of stream_open:
 * then there is none for us, and source_open_live is the way. */
struct stream_options;
int source_open_socket(const struct stream_options *options, struct event_source **ret_source, struct error *err);

/* They belong to the source. */
const struct facts *source_facts(const struct event_source *source);

/* For poll: readable when source_read has something to do. -1 for a recording, which always has. */
int source_fd(const struct event_source *source);

/* Whether events happen now, as opposed to having been recorded. */
bool source_is_live(const struct event_source *source);

/* Of a stream: whether the past was given, and what comes now happens now. Others have no past. */
bool source_is_current(const struct event_source *source);
/* Reads until it is; 0, or -ENOTCONN if the tracer ends meanwhile. */
int source_catch_up(struct event_source *source, capture_sink *sink, void *arg, struct error *err);

/* Gives the events that are there, in order of time_ns, the snapshot first; of a recording at most
 * SOURCE_BATCH. A sink that returns negative stops it for good, and the call returns that; of a recording a
 * sink that returns positive has had enough for now. Returns 0 when more may come, 1 at the end (the recording
 * has been read, the tracer has gone), or a negative errno; what came before an error was given. */
enum { SOURCE_BATCH = 4096 };
int source_read(struct event_source *source, capture_sink *sink, void *arg, struct error *err);

/* Everything that has happened by now; nothing may be read afterwards. Of a recording, what is left of it.
 * Returns 0 or a negative errno. */
int source_drain(struct event_source *source, capture_sink *sink, void *arg, struct error *err);

/* The programs that this process has loaded; NULL of a stream and of a recording. */
const struct capture *source_capture(const struct event_source *source);

void source_close(struct event_source *source); /* takes NULL */

#endif
