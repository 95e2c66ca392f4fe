/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RECORDING_H
#define CTRACE_RECORDING_H

#include "capture/facts.h"
#include "util/error.h"

/*
 * A recording file: everything the timeline needs. Layout (all integers little-endian):
 *
 *   8 bytes   magic "ctrace\x01\n"
 *   frames    u32 type, u32 raw_length, u32 stored_length, u32 crc32 of the stored bytes, then the
 *             stored bytes (deflated, zlib format, when stored_length < raw_length)
 *
 * Frame types: 1 facts (one JSON object, first frame), 2 events (struct event records end to end, in
 * order), 3 end (empty: the recording is complete), 8 sparse events (the same without most of their
 * zeros, recording_frame.c). Files have 8 where older ones have 2, which a tracer's stream still has.
 * A file without an end frame was cut short: what is there is read, and the reader says where it ends. Events are held half a second
 * of their time at most.
 * Files are created 0600.
 */
struct recording_writer;

/* path "-" is refused: a recording goes to a file. */
int recording_create(const char *path, const struct facts *facts, struct recording_writer **ret_writer,
	struct error *err);
/* Buffers; a write error (disk full) is returned once, by the call that met it or by close. */
int recording_add(struct recording_writer *writer, const struct event *event, struct error *err);
/* How many of the events that were added are not in the file, because it could not be written. Takes NULL. */
uint64_t recording_missing(const struct recording_writer *writer);
int recording_close(struct recording_writer *writer, struct error *err); /* takes NULL; frees */

struct recording_reader;

/* -EINVAL for a file that is no recording. The facts belong to the reader. */
int recording_open(const char *path, struct recording_reader **ret_reader, struct error *err);
const struct facts *recording_facts(const struct recording_reader *reader);
/* 1 and the next event (good until the next call), 0 at the end of a complete recording, or a negative
 * errno with the offset and what is wrong there (-EBADMSG damaged, -ENODATA cut short). */
int recording_next(struct recording_reader *reader, const struct event **ret_event, struct error *err);
void recording_free(struct recording_reader *reader); /* takes NULL */

#endif
