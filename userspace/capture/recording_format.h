/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RECORDING_FORMAT_H
#define CTRACE_RECORDING_FORMAT_H

#include <stdint.h>

/* The layout that recording.h describes. */
static const char recording_magic[8] = { 'c', 't', 'r', 'a', 'c', 'e', 1, '\n' };

enum recording_frame_type { FRAME_FACTS = 1, FRAME_EVENTS = 2, FRAME_END = 3 };

enum {
	RECORDING_FRAME_BYTES = 256 << 10,     /* a frame of events is written when it holds this much */
	RECORDING_MAX_RAW = 4 << 20,           /* more than a writer makes: a reader refuses it */
	RECORDING_LEVEL = 1                    /* zlib: the writer runs beside what it records */
};

struct recording_frame {
	uint32_t type, raw_length, stored_length, crc32;
};

#endif
