/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/source.h"

#include <stdlib.h>

#include "capture/recording.h"
#include "capture/stream.h"
#include "util/array.h"

/* Exactly one of them is there. */
struct event_source {
	struct capture *capture;
	struct recording_reader *recording;
	struct stream *stream;
};

static struct event_source *source_new(struct event_source source)
{
	struct event_source *s = xmalloc(sizeof(*s));

	*s = source;
	return s;
}

int source_open_live(const struct capture_options *options, struct event_source **ret_source, struct error *err)
{
	struct event_source source = { 0 };
	int r = capture_open(options, &source.capture, err);

	if (r < 0)
		return r;
	*ret_source = source_new(source);
	return 0;
}

int source_open_recording(const char *path, struct event_source **ret_source, struct error *err)
{
	struct event_source source = { 0 };
	int r = recording_open(path, &source.recording, err);

	if (r < 0)
		return r;
	*ret_source = source_new(source);
	return 0;
}

int source_open_socket(const struct stream_options *options, struct event_source **ret_source, struct error *err)
{
	static const struct stream_options everything = { .since_ns = STREAM_EVERYTHING };
	struct event_source source = { 0 };
	int r = stream_open(options ? options : &everything, &source.stream, err);

	if (r < 0)
		return r;
	*ret_source = source_new(source);
	return 0;
}

const struct facts *source_facts(const struct event_source *source)
{
	if (source->stream)
		return stream_facts(source->stream);
	return source->capture ? capture_facts(source->capture) : recording_facts(source->recording);
}

int source_fd(const struct event_source *source)
{
	if (source->stream)
		return stream_fd(source->stream);
	return source->capture ? capture_fd(source->capture) : -1;
}

bool source_is_current(const struct event_source *source)
{
	return !source->stream || stream_is_current(source->stream);
}

int source_catch_up(struct event_source *source, capture_sink *sink, void *arg, struct error *err)
{
	return source->stream ? stream_catch_up(source->stream, sink, arg, err) : 0;
}

bool source_is_live(const struct event_source *source)
{
	return !source->recording;
}

/* At most `most` events, fewer where the sink has enough. */
static int read_recording(struct event_source *source, size_t most, capture_sink *sink, void *arg, struct error *err)
{
	const struct event *event;

	for (size_t i = 0; i < most; i++) {
		int r = recording_next(source->recording, &event, err);

		if (r <= 0)
			return r < 0 ? r : 1;
		r = sink(arg, event);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return 0;
}

int source_read(struct event_source *source, capture_sink *sink, void *arg, struct error *err)
{
	if (source->stream)
		return stream_read(source->stream, sink, arg, err);
	if (source->capture)
		return capture_read(source->capture, sink, arg, err);
	return read_recording(source, SOURCE_BATCH, sink, arg, err);
}

int source_drain(struct event_source *source, capture_sink *sink, void *arg, struct error *err)
{
	int r;

	if (source->stream)
		return stream_drain(source->stream, sink, arg, err);
	if (source->capture)
		return capture_drain(source->capture, sink, arg, err);
	do {
		r = read_recording(source, SOURCE_BATCH, sink, arg, err);
	} while (r == 0);
	return r < 0 ? r : 0;
}

const struct capture *source_capture(const struct event_source *source)
{
	return source->capture;
}

void source_close(struct event_source *source)
{
	if (!source)
		return;
	capture_close(source->capture);
	recording_free(source->recording);
	stream_close(source->stream);
	free(source);
}
