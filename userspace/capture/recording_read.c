/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "capture/facts_internal.h"
#include "capture/recording_format.h"
#include "util/array.h"
#include "util/cleanup.h"

/* A recording may be damaged or hostile: every length is checked before it is believed. */
struct recording_reader {
	FILE *file;
	char *path;
	struct facts facts;
	unsigned char *raw, *stored;
	size_t capacity; /* of raw and of stored */
	size_t raw_length, raw_at;
	uint64_t offset, next_offset; /* of the frame that raw came from, and of the one behind it */
	uint32_t type; /* of that frame */
	bool ended;
	int failed; /* negative errno: it is told again and again */
	union frame_event current;
};

static void recording_freep(struct recording_reader **r)
{
	recording_free(*r);
}

static int cut_short(const struct recording_reader *r, struct error *err)
{
	return error_set(err, ENODATA, "recording %s ends early, at offset %" PRIu64
		": the recorder was killed or the disk was full; all before it is good", r->path, r->offset);
}

static int damaged(const struct recording_reader *r, struct error *err, const char *what)
{
	return error_set(err, EBADMSG, "recording %s is damaged at offset %" PRIu64 ": %s", r->path, r->offset, what);
}

/* Makes room for a frame of so many bytes, and for a NUL behind it. What was there before is lost. */
static void reserve(struct recording_reader *r, size_t length)
{
	if (length < r->capacity)
		return;
	free(r->raw);
	free(r->stored);
	r->capacity = length + 1;
	r->raw = xmalloc(r->capacity);
	r->stored = xmalloc(r->capacity);
}

/* Reads the next frame into raw. */
static int read_frame(struct recording_reader *r, uint32_t *ret_type, struct error *err)
{
	unsigned char head[sizeof(struct recording_frame)];
	struct recording_frame frame;
	const char *wrong;

	r->offset = r->next_offset;
	r->raw_length = 0;
	r->raw_at = 0;
	if (fread(head, sizeof(head), 1, r->file) != 1)
		return cut_short(r, err);
	wrong = frame_decode_head(head, &frame);
	if (wrong)
		return damaged(r, err, wrong);
	reserve(r, frame.raw_length); /* nothing is stored that is longer */
	if (frame.stored_length && fread(r->stored, frame.stored_length, 1, r->file) != 1)
		return cut_short(r, err);
	wrong = frame_decode(&frame, r->stored, r->raw);
	if (wrong)
		return damaged(r, err, wrong);
	r->next_offset = r->offset + sizeof(head) + frame.stored_length;
	r->raw_length = frame.raw_length;
	*ret_type = frame.type;
	return 0;
}

static int read_facts(struct recording_reader *r, struct error *err)
{
	struct json_object *json;
	uint32_t type;
	int result;

	result = read_frame(r, &type, err);
	if (result < 0)
		return result;
	if (type != FRAME_FACTS)
		return damaged(r, err, "the facts are missing");
	r->raw[r->raw_length] = '\0';
	json = json_tokener_parse((const char *)r->raw);
	if (!json)
		return damaged(r, err, "the facts are no JSON");
	result = facts_from_json(json, &r->facts, err);
	json_object_put(json);
	r->raw_length = 0;
	return result;
}

int recording_open(const char *path, struct recording_reader **ret_reader, struct error *err)
{
	_cleanup_(recording_freep) struct recording_reader *r = xcalloc(1, sizeof(*r));
	char magic[sizeof(recording_magic)];
	int result;

	reserve(r, RECORDING_FRAME_BYTES + UINT16_MAX); /* the most that ours have */
	r->path = xstrdup(path);
	r->file = fopen(path, "re");
	if (!r->file)
		return error_errno(err, errno, "cannot open the recording %s", path);
	if (fread(magic, sizeof(magic), 1, r->file) != 1 || memcmp(magic, recording_magic, strlen("ctrace")) != 0)
		return error_set(err, EINVAL, "%s is no recording of ctrace", path);
	if (memcmp(magic, recording_magic, sizeof(magic)) != 0)
		return error_set(err, EINVAL, "recording %s has a format that this ctrace does not know", path);
	r->next_offset = sizeof(magic);
	result = read_facts(r, err);
	if (result < 0)
		return result;
	*ret_reader = steal_ptr(r);
	return 0;
}

const struct facts *recording_facts(const struct recording_reader *r)
{
	return &r->facts;
}

static int next_frame(struct recording_reader *r, struct error *err)
{
	uint32_t type;
	int result = read_frame(r, &type, err);

	if (result < 0)
		return result;
	if (type == FRAME_FACTS)
		return damaged(r, err, "facts in the middle");
	if (type == FRAME_END && (r->raw_length || fgetc(r->file) != EOF))
		return damaged(r, err, "an end that is not the end");
	r->type = type;
	r->ended = type == FRAME_END;
	return 0;
}

static int next_event(struct recording_reader *r, struct error *err)
{
	const char *wrong = frame_next_event(r->type, r->raw, r->raw_length, &r->raw_at, &r->current);

	return wrong ? damaged(r, err, wrong) : 1;
}

int recording_next(struct recording_reader *r, const struct event **ret_event, struct error *err)
{
	int result = 0;

	if (r->failed)
		return error_set(err, -r->failed, "recording %s cannot be read beyond offset %" PRIu64, r->path, r->offset);
	while (result == 0 && r->raw_at == r->raw_length && !r->ended)
		result = next_frame(r, err);
	if (result == 0 && r->ended)
		return 0;
	if (result == 0)
		result = next_event(r, err);
	if (result < 0) {
		r->failed = result;
		return result;
	}
	*ret_event = &r->current.event;
	return 1;
}

void recording_free(struct recording_reader *r)
{
	if (!r)
		return;
	if (r->file)
		fclose(r->file);
	facts_free(&r->facts);
	free(r->path);
	free(r->raw);
	free(r->stored);
	free(r);
}
