/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_FRAME_H
#define CTRACE_FRAME_H

/*
 * What a supervisor and who is attached to it tell each other, on a stream socket (DIRECTORY/attach): eight
 * bytes (kind, three zeros, length in network order) and that many bytes, as docker's multiplexed streams.
 */

#include <stddef.h>
#include <stdint.h>

enum frame_kind {
	FRAME_INPUT = 0,  /* to the supervisor: what was typed */
	FRAME_OUTPUT = 1, /* from it */
	FRAME_ERROR = 2,
	FRAME_RESIZE = 4, /* to it: rows and columns, two bytes each, network order */
	FRAME_SIGNAL = 5, /* to it: one byte */
	FRAME_EXIT = 6,   /* from it: the exit code, one byte */
	FRAME_INPUT_END = 7,    /* to it: no more FRAME_INPUT will come */
	FRAME_INPUT_TAKEN = 8,  /* from it: the container, which has no terminal, has read all that had come */
};

enum { FRAME_HEADER = 8, FRAME_MAX = 65536 };

struct frame {
	enum frame_kind kind;
	uint32_t length;
};

static inline void frame_put_header(unsigned char *to, enum frame_kind kind, uint32_t length)
{
	to[0] = (unsigned char)kind;
	to[1] = to[2] = to[3] = 0;
	to[4] = (unsigned char)(length >> 24);
	to[5] = (unsigned char)(length >> 16);
	to[6] = (unsigned char)(length >> 8);
	to[7] = (unsigned char)length;
}

static inline struct frame frame_get_header(const unsigned char *from)
{
	return (struct frame){ (enum frame_kind)from[0],
		(uint32_t)from[4] << 24 | (uint32_t)from[5] << 16 | (uint32_t)from[6] << 8 | from[7] };
}

#endif
