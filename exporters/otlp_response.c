/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp_response.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_WAIT_S = 3600 };

enum otlp_verdict otlp_verdict_of(long status)
{
	if (status >= 200 && status < 300)
		return OTLP_TAKEN;
	if (status == 429 || status == 502 || status == 503 || status == 504)
		return OTLP_RETRY;
	return status == 413 ? OTLP_TOO_LARGE : OTLP_REFUSED;
}

/* ---- protobuf: ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1, error_message = 2 } } ---- */

struct reader {
	const uint8_t *at, *end;
};

static bool get_varint(struct reader *r, uint64_t *ret)
{
	*ret = 0;
	for (unsigned int shift = 0; r->at < r->end && shift < 64; shift += 7) {
		*ret |= (uint64_t)(*r->at & 0x7f) << shift;
		if (!(*r->at++ & 0x80))
			return true;
	}
	return false;
}

/* The next field; content is what a length in front delimits. False at the end, or where it makes no sense. */
static bool get_field(struct reader *r, uint64_t *field, uint64_t *value, struct reader *content)
{
	uint64_t tag;

	if (!get_varint(r, &tag))
		return false;
	*field = tag >> 3;
	*value = 0;
	*content = (struct reader){ NULL, NULL };
	switch (tag & 7) {
	case 0:
		return get_varint(r, value);
	case 1:
	case 5:
		if ((size_t)(r->end - r->at) < ((tag & 7) == 1 ? 8U : 4U))
			return false;
		r->at += (tag & 7) == 1 ? 8 : 4;
		return true;
	case 2:
		if (!get_varint(r, value) || *value > (uint64_t)(r->end - r->at))
			return false;
		*content = (struct reader){ r->at, r->at + *value };
		r->at += *value;
		return true;
	default:
		return false;
	}
}

static uint64_t rejected_protobuf(const char *body, size_t length, struct strbuf *message)
{
	struct reader r = { (const uint8_t *)body, (const uint8_t *)body + length }, partial, text;
	uint64_t field, value, rejected = 0;

	while (get_field(&r, &field, &value, &partial)) {
		if (field != 1 || !partial.at)
			continue;
		while (get_field(&partial, &field, &value, &text)) {
			if (field == 1 && !text.at)
				rejected = (int64_t)value > 0 ? value : 0;
			if (field == 2 && text.at && message)
				strbuf_add(message, text.at, (size_t)(text.end - text.at));
		}
	}
	return rejected;
}

static uint64_t rejected_json(const char *body, size_t length, struct strbuf *message)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root, *partial = NULL, *value = NULL;
	int64_t rejected = 0;

	root = tokener && length < INT32_MAX ? json_tokener_parse_ex(tokener, body, (int)length) : NULL;
	if (root && json_object_is_type(root, json_type_object) &&
		json_object_object_get_ex(root, "partialSuccess", &partial) &&
		json_object_is_type(partial, json_type_object)) {
		if (json_object_object_get_ex(partial, "rejectedSpans", &value)) /* a string, or as some do a number */
			rejected = json_object_get_int64(value);
		if (message && json_object_object_get_ex(partial, "errorMessage", &value) && value)
			strbuf_puts(message, json_object_get_string(value));
	}
	json_object_put(root);
	json_tokener_free(tokener);
	return rejected > 0 ? (uint64_t)rejected : 0;
}

uint64_t otlp_rejected(enum otlp_encoding encoding, const char *body, size_t length, struct strbuf *ret_message)
{
	if (!length)
		return 0;
	return encoding == OTLP_JSON ? rejected_json(body, length, ret_message) : rejected_protobuf(body, length, ret_message);
}

long otlp_retry_after(const char *value, long long now)
{
	struct tm date = { 0 };
	long long wait;
	char *end;

	while (*value == ' ' || *value == '\t')
		value++;
	if (*value >= '0' && *value <= '9') {
		wait = strtoll(value, &end, 10);
	} else {
		end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &date);
		if (!end)
			return -1;
		wait = (long long)timegm(&date) - now;
	}
	end += strspn(end, " \t\r\n");
	if (*end)
		return -1;
	return wait < 0 ? 0 : wait > MAX_WAIT_S ? MAX_WAIT_S : (long)wait;
}
