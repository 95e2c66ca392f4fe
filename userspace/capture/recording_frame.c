/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/recording_format.h"

#include <endian.h>
#include <libdeflate.h>
#include <string.h>

#include "util/array.h"

/* Both are kept as long as their thread: each is made of tables that take longer to set up than a small frame to pack. */
static struct libdeflate_compressor *compressor(void)
{
	static _Thread_local struct libdeflate_compressor *c;

	if (!c)
		c = or_die(libdeflate_alloc_compressor(RECORDING_LEVEL));
	return c;
}

static struct libdeflate_decompressor *decompressor(void)
{
	static _Thread_local struct libdeflate_decompressor *d;

	if (!d)
		d = or_die(libdeflate_alloc_decompressor());
	return d;
}

size_t frame_bound(size_t length)
{
	return sizeof(struct recording_frame) + libdeflate_zlib_compress_bound(NULL, length);
}

size_t frame_encode(void *to, enum recording_frame_type type, const void *raw, size_t length, bool pack)
{
	unsigned char *stored = (unsigned char *)to + sizeof(struct recording_frame);
	size_t stored_length = 0;
	struct recording_frame frame;

	if (pack && length > 1) /* 0: it would not become shorter */
		stored_length = libdeflate_zlib_compress(compressor(), raw, length, stored, length - 1);
	if (!stored_length) {
		if (length)
			memcpy(stored, raw, length);
		stored_length = length;
	}
	frame.type = htole32(type);
	frame.raw_length = htole32(length);
	frame.stored_length = htole32(stored_length);
	frame.crc32 = htole32(libdeflate_crc32(0, stored_length ? stored : NULL, stored_length));
	memcpy(to, &frame, sizeof(frame));
	return sizeof(frame) + stored_length;
}

const char *frame_decode_head(const void *bytes, struct recording_frame *ret_frame)
{
	struct recording_frame frame;

	memcpy(&frame, bytes, sizeof(frame));
	frame.type = le32toh(frame.type);
	frame.raw_length = le32toh(frame.raw_length);
	frame.stored_length = le32toh(frame.stored_length);
	frame.crc32 = le32toh(frame.crc32);
	if (frame.type < FRAME_FACTS || frame.type > FRAME_MARK)
		return "a frame of unknown type";
	if (frame.raw_length > RECORDING_MAX_RAW || frame.stored_length > frame.raw_length)
		return "a frame of impossible length";
	*ret_frame = frame;
	return NULL;
}

const char *frame_decode(const struct recording_frame *frame, const void *stored, void *raw)
{
	/* Without a place for the length that came out, another than that of raw is an error, too. */
	if (libdeflate_crc32(0, frame->stored_length ? stored : NULL, frame->stored_length) != frame->crc32)
		return "a checksum does not match";
	if (frame->stored_length == frame->raw_length)
		memcpy(raw, stored, frame->raw_length);
	else if (libdeflate_zlib_decompress(decompressor(), stored, frame->stored_length, raw, frame->raw_length, NULL) !=
		LIBDEFLATE_SUCCESS)
		return "a frame does not decompress";
	return NULL;
}

const char *frame_next_event(const void *raw, size_t length, size_t *at, union frame_event *ret_event)
{
	const unsigned char *from = (const unsigned char *)raw + *at;
	size_t left = length - *at;
	uint16_t size;

	if (left < sizeof(struct event))
		return "a record is cut off";
	memcpy(&size, from, sizeof(size));
	if (size < sizeof(struct event) || size > left)
		return "a record has an impossible size";
	memcpy(ret_event->bytes, from, size);
	*at += size;
	return NULL;
}
