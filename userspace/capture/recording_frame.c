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
	if ((frame.type < FRAME_FACTS || frame.type > FRAME_MARK) && frame.type != FRAME_SPARSE_EVENTS)
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

static const char *next_whole_event(const void *raw, size_t length, size_t *at, union frame_event *ret_event)
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

/*
 * A sparse event: its size, then runs: a byte that counts words of zero, a byte that counts the words that follow them, and those.
 * Most of a record is the unused rest of its texts; what is left out here is neither packed nor unpacked.
 */
enum {
	WORD = sizeof(uint64_t),
	RUN_MAX = UINT8_MAX,
	GAP_MIN = 3 /* fewer words of zero are not worth a run */
};

static size_t words_of(size_t size)
{
	return (size + WORD - 1) / WORD;
}

/* How many words from `at` on are zero, RUN_MAX at most. The last one may be cut. */
static size_t zero_words(const unsigned char *bytes, size_t size, size_t at)
{
	size_t count = 0;

	for (size_t from = at * WORD; from < size && count < RUN_MAX; from += WORD, count++) {
		uint64_t word = 0;

		memcpy(&word, bytes + from, size - from < WORD ? size - from : WORD);
		if (word)
			break;
	}
	return count;
}

/* How many words from `at` on, which may be 0, are to be kept. */
static size_t kept_words(const unsigned char *bytes, size_t size, size_t at)
{
	size_t words = words_of(size), count = 0;

	while (at + count < words && count < RUN_MAX) {
		size_t gap = zero_words(bytes, size, at + count);

		if (gap >= GAP_MIN || at + count + gap == words)
			break;
		count += gap + 1;
	}
	return count < RUN_MAX ? count : RUN_MAX;
}

/* The bytes of so many words from `at` on: the last word may be cut. */
static size_t bytes_of(size_t size, size_t at, size_t words)
{
	size_t begin = at * WORD, end = begin + words * WORD;

	return words ? (end < size ? end : size) - begin : 0;
}

size_t frame_put_sparse_event(unsigned char *to, const struct event *event)
{
	const unsigned char *bytes = (const unsigned char *)event;
	size_t size = event->size, words = words_of(size), zero, kept;
	unsigned char *start = to;

	to = mempcpy(to, &event->size, sizeof(event->size));
	for (size_t at = 0; at < words; at += kept) {
		zero = zero_words(bytes, size, at);
		at += zero;
		kept = kept_words(bytes, size, at);
		*to++ = (unsigned char)zero;
		*to++ = (unsigned char)kept;
		to = mempcpy(to, bytes + at * WORD, bytes_of(size, at, kept));
	}
	return (size_t)(to - start);
}

/* Returns the bytes that were read, 0 if they do not make an event of that size. */
static size_t get_runs(unsigned char *to, size_t size, const unsigned char *from, size_t left)
{
	const unsigned char *start = from, *end = from + left;
	size_t words = words_of(size), zero, kept, length;

	for (size_t at = 0; at < words; at += kept) {
		if (end - from < 2)
			return 0;
		zero = *from++;
		kept = *from++;
		if (zero + kept == 0 || zero + kept > words - at)
			return 0;
		memset(to + at * WORD, 0, zero * WORD);
		at += zero;
		length = bytes_of(size, at, kept);
		if (length > (size_t)(end - from))
			return 0;
		memcpy(to + at * WORD, from, length);
		from += length;
	}
	return (size_t)(from - start);
}

static const char *next_sparse_event(const void *raw, size_t length, size_t *at, union frame_event *ret_event)
{
	const unsigned char *from = (const unsigned char *)raw + *at;
	size_t left = length - *at, got;
	uint16_t size;

	if (left < sizeof(size))
		return "a record is cut off";
	memcpy(&size, from, sizeof(size));
	if (size < sizeof(struct event))
		return "a record has an impossible size";
	got = get_runs(ret_event->bytes, size, from + sizeof(size), left - sizeof(size));
	if (!got || ret_event->event.size != size)
		return "a record's runs do not make its size";
	*at += sizeof(size) + got;
	return NULL;
}

const char *frame_next_event(uint32_t type, const void *raw, size_t length, size_t *at, union frame_event *ret_event)
{
	if (type == FRAME_EVENTS)
		return next_whole_event(raw, length, at, ret_event);
	if (type == FRAME_SPARSE_EVENTS)
		return next_sparse_event(raw, length, at, ret_event);
	return "bytes where none should be";
}
