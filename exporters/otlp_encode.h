/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_OTLP_ENCODE_H
#define CTRACE_OTLP_ENCODE_H

/*
 * One writer for both encodings of OTLP: every field has its number (protobuf) and its name (JSON), and the calls are
 * the same. What protobuf needs of a library is twenty lines here: varints, fixed64, and lengths put in front of
 * messages when they end.
 *
 * OTLP's JSON differs from protobuf's own mapping: ids are hexadecimal and enums are numbers; 64-bit integers are
 * decimal strings in both.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/strbuf.h"

enum otlp_encoding { OTLP_JSON, OTLP_PROTOBUF };

enum { OTLP_DEPTH = 12 };

struct otlp_writer {
	struct strbuf *sb;
	enum otlp_encoding encoding;
	size_t starts[OTLP_DEPTH]; /* of the messages that are open: where their content begins */
	unsigned int fields[OTLP_DEPTH];
	size_t depth;
};

/* A message: a field of another one, or an element of a list that is open (name NULL), or field 0: not framed. */
void otlp_open(struct otlp_writer *w, unsigned int field, const char *name);
void otlp_close(struct otlp_writer *w);
/* A repeated field: its elements follow, each with the field's number and no name. Nothing in protobuf. */
void otlp_list(struct otlp_writer *w, const char *name);
void otlp_list_end(struct otlp_writer *w);

void otlp_text(struct otlp_writer *w, unsigned int field, const char *name, const char *text);
void otlp_id(struct otlp_writer *w, unsigned int field, const char *name, const uint8_t *bytes, size_t length);
void otlp_time(struct otlp_writer *w, unsigned int field, const char *name, uint64_t ns); /* fixed64 */
void otlp_enum(struct otlp_writer *w, unsigned int field, const char *name, unsigned int value);

/* Attributes: elements of a list of KeyValue, whose field number is given. A NULL text writes nothing. */
void otlp_attribute_text(struct otlp_writer *w, unsigned int field, const char *key, const char *text);
void otlp_attribute_int(struct otlp_writer *w, unsigned int field, const char *key, int64_t value);
void otlp_attribute_bool(struct otlp_writer *w, unsigned int field, const char *key, bool value);
void otlp_attribute_list(struct otlp_writer *w, unsigned int field, const char *key, char *const *texts); /* ends with NULL */

#endif
