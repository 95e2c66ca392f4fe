/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp_encode.h"

#include <stdlib.h>
#include <string.h>

#include "exporters/json_emit.h"
#include "exporters/span_id.h"
#include "util/cleanup.h"

/* Wire types of protobuf. */
enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

static size_t varint(uint64_t value, uint8_t bytes[10])
{
	size_t n = 0;

	do {
		bytes[n++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
	return n;
}

static void add_varint(struct strbuf *sb, uint64_t value)
{
	uint8_t bytes[10];

	strbuf_add(sb, bytes, varint(value, bytes));
}

static void add_tag(struct strbuf *sb, unsigned int field, unsigned int wire)
{
	add_varint(sb, field << 3 | wire);
}

static void add_bytes(struct strbuf *sb, unsigned int field, const void *bytes, size_t length)
{
	add_tag(sb, field, WIRE_BYTES);
	add_varint(sb, length);
	strbuf_add(sb, bytes, length);
}

void otlp_open(struct otlp_writer *w, unsigned int field, const char *name)
{
	if (w->depth == OTLP_DEPTH)
		abort(); /* a mistake of the caller's: the schema is not that deep */
	if (w->encoding == OTLP_JSON)
		json_open(w->sb, name, '{');
	w->starts[w->depth] = w->sb->length;
	w->fields[w->depth++] = field;
}

/* Tag and length are put in front of what is there: the length was not known before. */
void otlp_close(struct otlp_writer *w)
{
	size_t start = w->starts[--w->depth], length = w->sb->length - start;
	unsigned int field = w->fields[w->depth];
	uint8_t head[20];
	size_t n;

	if (w->encoding == OTLP_JSON) {
		json_close(w->sb, '}');
		return;
	}
	if (!field)
		return;
	n = varint(field << 3 | WIRE_BYTES, head);
	n += varint(length, head + n);
	strbuf_add(w->sb, head, n); /* makes room */
	memmove(w->sb->text + start + n, w->sb->text + start, length);
	memcpy(w->sb->text + start, head, n);
}

void otlp_list(struct otlp_writer *w, const char *name)
{
	if (w->encoding == OTLP_JSON)
		json_open(w->sb, name, '[');
}

void otlp_list_end(struct otlp_writer *w)
{
	if (w->encoding == OTLP_JSON)
		json_close(w->sb, ']');
}

void otlp_text(struct otlp_writer *w, unsigned int field, const char *name, const char *text)
{
	_cleanup_(strbuf_free) struct strbuf valid = { 0 };

	if (w->encoding == OTLP_JSON) {
		json_text(w->sb, name, text ? text : "");
		return;
	}
	json_utf8(&valid, text ? text : "", text ? strlen(text) : 0); /* protobuf's strings are UTF-8 */
	add_bytes(w->sb, field, valid.text ? valid.text : "", valid.length);
}

void otlp_id(struct otlp_writer *w, unsigned int field, const char *name, const uint8_t *bytes, size_t length)
{
	char hex[SPAN_TRACE_HEX];

	if (w->encoding == OTLP_JSON)
		json_text(w->sb, name, span_hex(hex, bytes, length));
	else
		add_bytes(w->sb, field, bytes, length);
}

void otlp_time(struct otlp_writer *w, unsigned int field, const char *name, uint64_t ns)
{
	uint8_t bytes[8];

	if (w->encoding == OTLP_JSON) {
		json_u64(w->sb, name, ns);
		return;
	}
	add_tag(w->sb, field, WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(ns >> 8 * i);
	strbuf_add(w->sb, bytes, sizeof(bytes));
}

void otlp_enum(struct otlp_writer *w, unsigned int field, const char *name, unsigned int value)
{
	if (w->encoding == OTLP_JSON) {
		json_number(w->sb, name, value);
		return;
	}
	add_tag(w->sb, field, WIRE_VARINT);
	add_varint(w->sb, value);
}

/* ---- attributes: KeyValue { key = 1, value = 2: AnyValue } ---- */

enum { ANY_TEXT = 1, ANY_BOOL = 2, ANY_INT = 3, ANY_ARRAY = 5 };

static void open_attribute(struct otlp_writer *w, unsigned int field, const char *key)
{
	otlp_open(w, field, NULL);
	otlp_text(w, 1, "key", key);
	otlp_open(w, 2, "value");
}

static void close_attribute(struct otlp_writer *w)
{
	otlp_close(w);
	otlp_close(w);
}

void otlp_attribute_text(struct otlp_writer *w, unsigned int field, const char *key, const char *text)
{
	if (!text)
		return;
	open_attribute(w, field, key);
	otlp_text(w, ANY_TEXT, "stringValue", text);
	close_attribute(w);
}

void otlp_attribute_int(struct otlp_writer *w, unsigned int field, const char *key, int64_t value)
{
	open_attribute(w, field, key);
	if (w->encoding == OTLP_JSON) {
		json_i64(w->sb, "intValue", value);
	} else {
		add_tag(w->sb, ANY_INT, WIRE_VARINT);
		add_varint(w->sb, (uint64_t)value);
	}
	close_attribute(w);
}

void otlp_attribute_bool(struct otlp_writer *w, unsigned int field, const char *key, bool value)
{
	open_attribute(w, field, key);
	if (w->encoding == OTLP_JSON) {
		json_bool(w->sb, "boolValue", value);
	} else {
		add_tag(w->sb, ANY_BOOL, WIRE_VARINT);
		add_varint(w->sb, value);
	}
	close_attribute(w);
}

void otlp_attribute_list(struct otlp_writer *w, unsigned int field, const char *key, char *const *texts)
{
	if (!texts)
		return;
	open_attribute(w, field, key);
	otlp_open(w, ANY_ARRAY, "arrayValue");
	otlp_list(w, "values");
	for (size_t i = 0; texts[i]; i++) {
		otlp_open(w, 1, NULL);
		otlp_text(w, ANY_TEXT, "stringValue", texts[i]);
		otlp_close(w);
	}
	otlp_list_end(w);
	otlp_close(w);
	close_attribute(w);
}
