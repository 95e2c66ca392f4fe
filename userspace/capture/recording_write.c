/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>

#include "capture/facts_internal.h"
#include "capture/recording_format.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Write errors are kept until they have been told once; after the first nothing more is written. */
struct recording_writer {
	int fd;
	char *path;
	unsigned char *raw, *frame;
	size_t raw_length;
	bool failed;
	uint64_t added, written; /* events */
	uint64_t first_ns;       /* of those that are held */
};

static int write_all(struct recording_writer *w, const void *bytes, size_t length, struct error *err)
{
	const char *p = bytes;

	while (length) {
		ssize_t n = write(w->fd, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			w->failed = true;
			return error_errno(err, errno, "cannot write the recording %s", w->path);
		}
		p += n;
		length -= n;
	}
	return 0;
}

static int write_frame(struct recording_writer *w, uint32_t type, const void *raw, size_t length, struct error *err)
{
	return write_all(w, w->frame, frame_encode(w->frame, type, raw, length, true), err);
}

static int write_events(struct recording_writer *w, struct error *err)
{
	size_t length = w->raw_length;
	int r = length ? write_frame(w, FRAME_SPARSE_EVENTS, w->raw, length, err) : 0;

	w->raw_length = 0;
	if (r == 0)
		w->written = w->added;
	return r;
}

static void writer_free(struct recording_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->path);
	free(w->raw);
	free(w->frame);
	free(w);
}

int recording_create(const char *path, const struct facts *facts, struct recording_writer **ret_writer,
	struct error *err)
{
	struct recording_writer *w;
	struct json_object *json;
	const char *text;
	int fd, r;

	if (strcmp(path, "-") == 0)
		return error_set(err, EINVAL, "a recording goes to a file, not to standard output: give its name");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_errno(err, errno, "cannot create the recording %s", path);
	w = xcalloc(1, sizeof(*w));
	w->fd = fd;
	w->path = xstrdup(path);
	w->raw = xmalloc(RECORDING_SPARSE_BYTES + SPARSE_EVENT_MAX);
	json = facts_to_json(facts);
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	w->frame = xmalloc(frame_bound(strlen(text) > RECORDING_SPARSE_BYTES ? strlen(text) :
		(size_t)RECORDING_SPARSE_BYTES + SPARSE_EVENT_MAX));
	r = write_all(w, recording_magic, sizeof(recording_magic), err);
	if (r == 0)
		r = write_frame(w, FRAME_FACTS, text, strlen(text), err);
	json_object_put(json);
	if (r < 0) {
		writer_free(w);
		return r;
	}
	*ret_writer = w;
	return 0;
}

int recording_add(struct recording_writer *w, const struct event *event, struct error *err)
{
	w->added++;
	if (w->failed)
		return 0;
	if (!w->raw_length)
		w->first_ns = event->time_ns;
	w->raw_length += frame_put_sparse_event(w->raw + w->raw_length, event);
	if (w->raw_length < RECORDING_SPARSE_BYTES && event->time_ns < w->first_ns + RECORDING_HELD_MS * UINT64_C(1000000))
		return 0;
	return write_events(w, err);
}

uint64_t recording_missing(const struct recording_writer *w)
{
	return w && w->failed ? w->added - w->written : 0;
}

int recording_close(struct recording_writer *w, struct error *err)
{
	int r = 0;

	if (!w)
		return 0;
	if (!w->failed)
		r = write_events(w, err);
	if (r == 0 && !w->failed)
		r = write_frame(w, FRAME_END, NULL, 0, err);
	if (close(steal_fd(&w->fd)) < 0 && r == 0)
		r = error_errno(err, errno, "cannot write the recording %s", w->path);
	writer_free(w);
	return r;
}
