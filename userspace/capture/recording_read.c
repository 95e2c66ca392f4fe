/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/recording.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <zlib.h>

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
	z_stream inflater;
	size_t raw_length, raw_at;
	uint64_t offset; /* of the frame that raw came from */
	bool ended;
	int failed; /* negative errno: it is told again and again */
	union {
		struct event event;
		uint64_t align;
		unsigned char bytes[UINT16_MAX];
	} current;
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

/* RFC 1950: two bytes in front, without a preset dictionary, and four of a checksum behind. */
enum { ZLIB_HEADER = 2, ZLIB_TRAILER = 4 };

static bool has_zlib_header(const unsigned char *stored, size_t length)
{
	return length > ZLIB_HEADER + ZLIB_TRAILER && (stored[0] & 0x0f) == Z_DEFLATED &&
		(stored[0] << 8 | stored[1]) % 31 == 0 && !(stored[1] & 0x20);
}

/* zlib's checksum of what comes out is left alone, for it takes as long as decompressing does: that of the
 * frame has shown that what goes in is right. */
static int inflate_frame(struct recording_reader *r, const struct recording_frame *frame, struct error *err)
{
	if (frame->stored_length == frame->raw_length) {
		memcpy(r->raw, r->stored, frame->raw_length);
		return 0;
	}
	if (!has_zlib_header(r->stored, frame->stored_length))
		return damaged(r, err, "a frame does not decompress");
	r->inflater.next_in = r->stored + ZLIB_HEADER;
	r->inflater.avail_in = frame->stored_length - ZLIB_HEADER - ZLIB_TRAILER;
	r->inflater.next_out = r->raw;
	r->inflater.avail_out = frame->raw_length;
	if (inflateReset(&r->inflater) != Z_OK || inflate(&r->inflater, Z_FINISH) != Z_STREAM_END ||
		r->inflater.avail_out)
		return damaged(r, err, "a frame does not decompress");
	return 0;
}

/* Reads the next frame into raw. */
static int read_frame(struct recording_reader *r, uint32_t *ret_type, struct error *err)
{
	struct recording_frame frame;
	int result;

	r->offset = ftello(r->file);
	r->raw_length = 0;
	r->raw_at = 0;
	if (fread(&frame, sizeof(frame), 1, r->file) != 1)
		return cut_short(r, err);
	frame.type = le32toh(frame.type);
	frame.raw_length = le32toh(frame.raw_length);
	frame.stored_length = le32toh(frame.stored_length);
	frame.crc32 = le32toh(frame.crc32);
	if (frame.type < FRAME_FACTS || frame.type > FRAME_END)
		return damaged(r, err, "a frame of unknown type");
	if (frame.raw_length > RECORDING_MAX_RAW || frame.stored_length > frame.raw_length)
		return damaged(r, err, "a frame of impossible length");
	r->raw = xrealloc(r->raw, frame.raw_length + 1);
	r->stored = xrealloc(r->stored, frame.stored_length + 1);
	if (frame.stored_length && fread(r->stored, frame.stored_length, 1, r->file) != 1)
		return cut_short(r, err);
	if (crc32(0, frame.stored_length ? r->stored : NULL, frame.stored_length) != frame.crc32)
		return damaged(r, err, "a checksum does not match");
	result = inflate_frame(r, &frame, err);
	if (result < 0)
		return result;
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

	r->path = xstrdup(path);
	if (inflateInit2(&r->inflater, -MAX_WBITS) != Z_OK) /* negative: without header and trailer */
		return error_set(err, ENOMEM, "zlib cannot be used");
	r->file = fopen(path, "re");
	if (!r->file)
		return error_errno(err, errno, "cannot open the recording %s", path);
	if (fread(magic, sizeof(magic), 1, r->file) != 1 || memcmp(magic, recording_magic, strlen("ctrace")) != 0)
		return error_set(err, EINVAL, "%s is no recording of ctrace", path);
	if (memcmp(magic, recording_magic, sizeof(magic)) != 0)
		return error_set(err, EINVAL, "recording %s has a format that this ctrace does not know", path);
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
	r->ended = type == FRAME_END;
	return 0;
}

static int next_event(struct recording_reader *r, struct error *err)
{
	size_t left = r->raw_length - r->raw_at;
	uint16_t size;

	if (left < sizeof(struct event))
		return damaged(r, err, "a record is cut off");
	memcpy(&size, r->raw + r->raw_at, sizeof(size));
	if (size < sizeof(struct event) || size > left)
		return damaged(r, err, "a record has an impossible size");
	memcpy(r->current.bytes, r->raw + r->raw_at, size);
	r->raw_at += size;
	return 1;
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
	inflateEnd(&r->inflater);
	facts_free(&r->facts);
	free(r->path);
	free(r->raw);
	free(r->stored);
	free(r);
}
