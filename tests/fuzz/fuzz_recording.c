/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording of any bytes. Checksums are put right first, or nothing behind the first frame would ever be read.
 * What must hold: records are at least a header, an error comes with a text and stays, the end stays the end.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "capture/recording.h"
#include "capture/recording_format.h"
#include "util/array.h"

static void mend_checksums(uint8_t *bytes, size_t size)
{
	size_t at = sizeof(recording_magic);

	while (at + sizeof(struct recording_frame) <= size) {
		struct recording_frame frame;

		memcpy(&frame, bytes + at, sizeof(frame));
		if (frame.stored_length > size - at - sizeof(frame))
			return;
		frame.crc32 = (uint32_t)crc32(0, frame.stored_length ? bytes + at + sizeof(frame) : NULL, frame.stored_length);
		memcpy(bytes + at, &frame, sizeof(frame));
		at += sizeof(frame) + frame.stored_length;
	}
}

static void read_all(struct recording_reader *reader)
{
	const struct event *event;
	struct error err = { 0 }, again = { 0 };
	volatile unsigned char seen; /* every byte of a record can be read */
	int r;

	while ((r = recording_next(reader, &event, &err)) > 0) {
		require(event->size >= sizeof(*event));
		for (size_t i = 0; i < event->size; i++)
			seen = ((const unsigned char *)event)[i];
	}
	require((r == 0) == !err.text[0]);
	require(recording_next(reader, &event, &again) == r);
	(void)seen;
}

void fuzz_recording(const uint8_t *data, size_t size)
{
	struct recording_reader *reader = NULL;
	uint8_t *bytes = memcpy(xmalloc(size), data, size);
	struct error err = { 0 };
	int fd = memfd_create("recording", MFD_CLOEXEC);
	char path[32];

	require(fd >= 0);
	mend_checksums(bytes, size);
	require(write(fd, bytes, size) == (ssize_t)size);
	free(bytes);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (recording_open(path, &reader, &err) == 0)
		read_all(reader);
	else
		require(err.text[0] != '\0');
	recording_free(reader);
	close(fd);
}

FUZZ_TARGET(fuzz_recording)
