/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP: both encodings, settings from the environment, what collectors answer. Whole payloads are held against
 * OpenTelemetry's own classes in tests/replay/exports.sh. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "exporters/otlp.h"
#include "exporters/otlp_response.h"
#include "exporters/otlp_settings.h"
#include "unit/model_builder.h"

/* ---- encoding ---- */

static void write_sample(struct otlp_writer *w, const char *text)
{
	static char *const words[] = { "a", "b", NULL };

	otlp_open(w, 0, NULL);
	otlp_text(w, 1, "text", text);
	otlp_time(w, 2, "time", 0x0102030405060708ULL);
	otlp_enum(w, 3, "kind", 300);
	otlp_id(w, 4, "id", (const uint8_t *)"\x00\xab", 2);
	otlp_list(w, "attributes");
	otlp_attribute_int(w, 5, "n", -1);
	otlp_attribute_bool(w, 5, "b", true);
	otlp_attribute_list(w, 5, "l", words);
	otlp_attribute_text(w, 5, "none", NULL);
	otlp_list_end(w);
	otlp_close(w);
}

static void test_json(void **state)
{
	struct strbuf sb = { 0 };
	struct otlp_writer w = { .sb = &sb, .encoding = OTLP_JSON };

	(void)state;
	write_sample(&w, "\"\xff<");
	assert_string_equal(sb.text, "{\"text\":\"\\\"\xee\xbf\xbf<\",\"time\":\"72623859790382856\",\"kind\":300,\"id\":\"00ab\","
		"\"attributes\":[{\"key\":\"n\",\"value\":{\"intValue\":\"-1\"}},{\"key\":\"b\",\"value\":{\"boolValue\":true}},"
		"{\"key\":\"l\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"a\"},{\"stringValue\":\"b\"}]}}}]}");
	strbuf_free(&sb);
}

static void test_protobuf(void **state)
{
	static const char wanted[] = "\x0a\x05\"\xee\xbf\xbf<" "\x11\x08\x07\x06\x05\x04\x03\x02\x01" "\x18\xac\x02"
		"\x22\x02\x00\xab"
		"\x2a\x10\x0a\x01n\x12\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
		"\x2a\x07\x0a\x01" "b\x12\x02\x10\x01"
		"\x2a\x11\x0a\x01l\x12\x0c\x2a\x0a\x0a\x03\x0a\x01" "a\x0a\x03\x0a\x01" "b";
	struct strbuf sb = { 0 };
	struct otlp_writer w = { .sb = &sb, .encoding = OTLP_PROTOBUF };

	(void)state;
	write_sample(&w, "\"\xff<");
	assert_int_equal(sb.length, sizeof(wanted) - 1);
	assert_memory_equal(sb.text, wanted, sb.length);
	strbuf_free(&sb);
}

/* Lengths of two and three bytes are put in front as well. */
static void test_long_messages(void **state)
{
	(void)state;
	for (size_t length = 100; length < 20000; length = length * 3 / 2) {
		struct strbuf sb = { 0 };
		struct otlp_writer w = { .sb = &sb, .encoding = OTLP_PROTOBUF };
		char *text = xcalloc(1, length + 1);
		size_t inner = length + 2 + (length > 127) + (length > 16383);

		memset(text, 'x', length);
		otlp_open(&w, 0, NULL);
		otlp_open(&w, 7, "outer");
		otlp_text(&w, 1, "text", text);
		otlp_close(&w);
		otlp_close(&w);
		assert_int_equal(sb.length, inner + 2 + (inner > 127) + (inner > 16383));
		assert_int_equal((unsigned char)sb.text[0], 7 << 3 | 2);
		assert_memory_equal(sb.text + sb.length - length, text, length);
		free(text);
		strbuf_free(&sb);
	}
}

/* ---- traces ---- */

struct counted {
	size_t units, spans;
	struct strbuf all;
};

static void count_unit(void *arg, const struct strbuf *unit, size_t spans)
{
	struct counted *n = arg;

	n->units++;
	n->spans += spans;
	strbuf_add(&n->all, unit->text, unit->length);
}

static size_t occurrences(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

static void test_parts(void **state)
{
	static const struct facts facts = { .hostname = "here", .machine = "aarch64", .wall_offset_ns = 1000 };
	struct span_context spans;
	struct counted start = { 0 }, rest = { 0 };
	struct otlp o = { &facts, &spans, OTLP_JSON, count_unit, &start };
	struct container *c = mb_oom();

	(void)state;
	span_context_init(&spans, &facts);
	otlp_container(&o, c, OTLP_START);
	o.arg = &rest;
	otlp_container(&o, c, OTLP_REST);
	assert_int_equal(occurrences(start.all.text, "\"spanId\":"), start.spans);
	assert_int_equal(occurrences(start.all.text, "\"name\":\"container start\""), 1);
	assert_non_null(strstr(start.all.text, "{\"key\":\"host.arch\",\"value\":{\"stringValue\":\"arm64\"}}"));
	assert_null(strstr(start.all.text, "oom_kill"));
	assert_non_null(strstr(rest.all.text, "\"name\":\"oom_kill\""));
	assert_non_null(strstr(rest.all.text, "\"name\":\"container run\""));
	assert_non_null(strstr(rest.all.text, "\"name\":\"container teardown\""));
	assert_int_equal(occurrences(rest.all.text, "\"code\":2"), 1); /* the run failed, its teardown did not */
	assert_non_null(strstr(rest.all.text, "\"message\":\"killed by SIGKILL (OOM"));
	/* wall clock, and no end before its start: 1000000000000 is the first sign */
	assert_non_null(strstr(start.all.text, "\"startTimeUnixNano\":\"1000000001000\",\"endTimeUnixNano\":\"1000408501000\""));
	strbuf_free(&start.all);
	strbuf_free(&rest.all);
	mb_free(c);
}

static void test_failed_start(void **state)
{
	static const struct facts facts = { .hostname = "here" };
	struct span_context spans;
	struct counted start = { 0 }, rest = { 0 };
	struct otlp o = { &facts, &spans, OTLP_JSON, count_unit, &start };
	struct container *c = mb_failed_start();

	(void)state;
	span_context_init(&spans, &facts);
	otlp_container(&o, c, OTLP_START);
	assert_non_null(strstr(start.all.text, "\"message\":\"did not start: exec /nosuch: ENOENT"));
	assert_non_null(strstr(start.all.text, "{\"key\":\"error.type\",\"value\":{\"stringValue\":\"ENOENT\"}}"));
	o.arg = &rest;
	otlp_container(&o, c, OTLP_REST);
	assert_int_equal(rest.units, 0);
	strbuf_free(&start.all);
	mb_free(c);
}

/* More failed steps of a phase, and more marks, than a span may have events: the rest is counted, as the format has it. */
static void test_many_events(void **state)
{
	static const struct facts facts = { .hostname = "here" };
	struct span_context spans;
	struct counted start = { 0 };
	struct otlp o = { &facts, &spans, OTLP_JSON, count_unit, &start };
	struct container *c = mb_failed_start();
	size_t before;

	(void)state;
	span_context_init(&spans, &facts);
	otlp_container(&o, c, OTLP_START);
	assert_null(strstr(start.all.text, "droppedEventsCount"));
	before = occurrences(start.all.text, "\"error.type\"");
	strbuf_reset(&start.all);
	for (int i = 0; i < 100; i++) {
		struct step *s = mb_step(c, STEP_SETNS, PHASE_NETWORK, 0, 1 + i * 0.01, 0.005, NULL);

		s->has_result = true;
		s->result = -EPERM;
	}
	mb_settle(c);
	otlp_container(&o, c, OTLP_START);
	assert_int_equal(occurrences(start.all.text, "\"error.type\""), before + 64);
	assert_int_equal(occurrences(start.all.text, "\"droppedEventsCount\":36"), 1);
	assert_int_equal(occurrences(start.all.text, "droppedEventsCount"), 1);
	strbuf_free(&start.all);
	mb_free(c);
}

/* ---- settings ---- */

static const char *const *environment;

static char *look_up(const char *name)
{
	for (size_t i = 0; environment[i]; i += 2) {
		if (!strcmp(environment[i], name))
			return (char *)environment[i + 1];
	}
	return NULL;
}

#define ENVIRONMENT(...) (environment = (const char *const[]){ __VA_ARGS__, NULL })

static void test_settings(void **state)
{
	struct otlp_settings s;

	(void)state;
	environment = (const char *const[]){ NULL };
	assert_int_equal(otlp_settings_read(&s, NULL, look_up, NULL), 0);
	assert_null(s.url);
	otlp_settings_free(&s);

	ENVIRONMENT("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/", "OTEL_EXPORTER_OTLP_HEADERS", "a=b, c-d = e%20f%2C ,",
		"OTEL_EXPORTER_OTLP_TIMEOUT", "250", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json",
		"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
	assert_int_equal(otlp_settings_read(&s, NULL, look_up, NULL), 0);
	assert_string_equal(s.url, "http://c:4318/v1/traces");
	assert_string_equal(s.headers[0], "a: b");
	assert_string_equal(s.headers[1], "c-d: e f,");
	assert_null(s.headers[2]);
	assert_int_equal(s.timeout_ms, 250);
	assert_int_equal(s.encoding, OTLP_JSON);
	assert_true(s.gzip);
	otlp_settings_free(&s);

	/* for traces comes before the general one, and is used as it is */
	ENVIRONMENT("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/x",
		"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none",
		"OTEL_EXPORTER_OTLP_PROTOCOL", "");
	assert_int_equal(otlp_settings_read(&s, NULL, look_up, NULL), 0);
	assert_string_equal(s.url, "https://t/x");
	assert_int_equal(s.timeout_ms, 10000);
	assert_int_equal(s.encoding, OTLP_PROTOBUF);
	assert_false(s.gzip);
	otlp_settings_free(&s);

	assert_int_equal(otlp_settings_read(&s, "http://[::1]:4318", look_up, NULL), 0);
	assert_string_equal(s.url, "http://[::1]:4318/v1/traces");
	otlp_settings_free(&s);
	assert_int_equal(otlp_settings_read(&s, "http://h/my/path", look_up, NULL), 0);
	assert_string_equal(s.url, "http://h/my/path");
	otlp_settings_free(&s);
}

static void test_wrong_settings(void **state)
{
	static const struct { const char *name, *value, *says; } cases[] = {
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317", "OTEL_EXPORTER_OTLP_ENDPOINT is \"localhost:4317\"" },
		{ "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://x", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "must be a URL" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "http://a b", "blank" },
		{ "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "which ctrace does not speak" },
		{ "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "x", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is \"x\"" },
		{ "OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds" },
		{ "OTEL_EXPORTER_OTLP_TIMEOUT", "0", "milliseconds" },
		{ "OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "gzip or none" },
		{ "OTEL_EXPORTER_OTLP_HEADERS", "a=b,secret", "header no. 2 has no =" },
		{ "OTEL_EXPORTER_OTLP_HEADERS", "a=secret%0d%0aX: y", "header no. 1 has a character" },
		{ "OTEL_EXPORTER_OTLP_HEADERS", "a b=secret", "header no. 1 has a character" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct otlp_settings s;
		struct error err = { 0 };

		ENVIRONMENT(cases[i].name, cases[i].value);
		assert_int_equal(otlp_settings_read(&s, NULL, look_up, &err), -22);
		if (!strstr(err.text, cases[i].says) || strstr(err.text, "secret"))
			fail_msg("%s=%s: %s", cases[i].name, cases[i].value, err.text);
	}
}

/* ---- answers ---- */

static void test_verdicts(void **state)
{
	static const struct { long status; enum otlp_verdict verdict; } cases[] = { { 200, OTLP_TAKEN }, { 202, OTLP_TAKEN },
		{ 429, OTLP_RETRY }, { 502, OTLP_RETRY }, { 503, OTLP_RETRY }, { 504, OTLP_RETRY }, { 413, OTLP_TOO_LARGE },
		{ 400, OTLP_REFUSED }, { 401, OTLP_REFUSED }, { 404, OTLP_REFUSED }, { 500, OTLP_REFUSED }, { 501, OTLP_REFUSED },
		{ 301, OTLP_REFUSED }, { 0, OTLP_REFUSED } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(otlp_verdict_of(cases[i].status), cases[i].verdict);
}

static void test_rejected(void **state)
{
	static const struct { enum otlp_encoding encoding; const char *body; size_t length; uint64_t rejected; } cases[] = {
		{ OTLP_JSON, "{}", 2, 0 }, { OTLP_JSON, "", 0, 0 }, { OTLP_JSON, "{\"partialSuccess\":{}}", 21, 0 },
		{ OTLP_JSON, "{\"partialSuccess\":{\"rejectedSpans\":\"7\"}}", 40, 7 },
		{ OTLP_JSON, "{\"partialSuccess\":{\"rejectedSpans\":7}}", 38, 7 },
		{ OTLP_JSON, "{\"partialSuccess\":{\"rejectedSpans\":-7}}", 39, 0 },
		{ OTLP_JSON, "{\"partialSuccess\":3}", 20, 0 }, { OTLP_JSON, "[1]", 3, 0 }, { OTLP_JSON, "\xff\xfe", 2, 0 },
		{ OTLP_JSON, "{\"partialSuccess\":{\"rejectedSp", 29, 0 },
		{ OTLP_PROTOBUF, "\x0a\x02\x08\x07", 4, 7 }, { OTLP_PROTOBUF, "\x0a\x07\x08\xac\x02\x12\x02no", 9, 300 },
		{ OTLP_PROTOBUF, "\x0a\x00", 2, 0 }, { OTLP_PROTOBUF, "\x0a\x05\x08", 3, 0 }, { OTLP_PROTOBUF, "\xff\xff", 2, 0 },
		{ OTLP_PROTOBUF, "\x12\x01x\x0a\x02\x08\x07", 7, 7 }, { OTLP_PROTOBUF, "\x0b", 1, 0 },
		{ OTLP_PROTOBUF, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x08\x07", 13, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf message = { 0 };

		if (otlp_rejected(cases[i].encoding, cases[i].body, cases[i].length, &message) != cases[i].rejected)
			fail_msg("case %zu", i);
		strbuf_free(&message);
	}
}

static void test_retry_after(void **state)
{
	static const struct { const char *value; long seconds; } cases[] = { { "3", 3 }, { " 0\r\n", 0 }, { "99999999", 3600 },
		{ "", -1 }, { "soon", -1 }, { "3x", -1 }, { "-3", -1 },
		{ "Thu, 01 Jan 1970 00:16:45 GMT", 5 }, { "Thu, 01 Jan 1970 00:00:01 GMT\r\n", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (otlp_retry_after(cases[i].value, 1000) != cases[i].seconds)
			fail_msg("%s: %ld", cases[i].value, otlp_retry_after(cases[i].value, 1000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json), cmocka_unit_test(test_protobuf), cmocka_unit_test(test_long_messages),
		cmocka_unit_test(test_parts), cmocka_unit_test(test_many_events), cmocka_unit_test(test_failed_start), cmocka_unit_test(test_settings),
		cmocka_unit_test(test_wrong_settings), cmocka_unit_test(test_verdicts), cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests_name("otlp", tests, NULL, NULL);
}
