/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of traces and spans: the hash against its reference vectors, what they depend on, traceparent headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "exporters/span_id.h"
#include "unit/model_builder.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static const struct facts facts = { .boot_id = "6b1fb475-d2bd-49d4-a3de-a692f86e58d6" };

/* vectors.h of the reference implementation: key and message are 0, 1, 2, ... */
static void test_hash(void **state)
{
	static const struct { size_t length; const char *hash; } vectors[] = {
		{ 0, "a3817f04ba25a8e66df67214c7550293" },
		{ 1, "da87c1d86b99af44347659119b22fc45" },
		{ 2, "8177228da4a45dc7fca38bdef60affe4" },
		{ 7, "a1f1ebbed8dbc153c0b84aa61ff08239" },
		{ 8, "3b62a9ba6258f5610f83e264f31497b4" },
		{ 15, "5493e99933b0a8117e08ec0f97cfc3d9" },
	};
	uint8_t message[64], key[16], hash[16];
	char hex[33];

	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	memcpy(key, message, sizeof(key));
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		span_siphash128(key, message, vectors[i].length, hash);
		assert_string_equal(span_hex(hex, hash, 16), vectors[i].hash);
	}
}

static void trace_hex(const struct span_context *ctx, const struct container *c, char hex[33])
{
	uint8_t id[16];

	span_trace_id(ctx, c, id);
	span_hex(hex, id, 16);
}

static void span_hex_of(const struct span_context *ctx, const struct container *c, const char *path, char hex[17])
{
	uint8_t id[8];

	span_id(ctx, c, path, id);
	span_hex(hex, id, 8);
}

static void test_what_ids_depend_on(void **state)
{
	struct container *c = mb_docker_run(2000);
	struct span_context ctx, other;
	char first[33], again[33], span[17], span2[17];

	(void)state;
	span_context_init(&ctx, &facts);
	trace_hex(&ctx, c, first);
	span_hex_of(&ctx, c, "", span);
	/* what becomes known later changes nothing */
	free(c->name);
	c->name = xstrdup("other");
	c->first_ns -= 5;
	c->last_ns += 5;
	c->generation++;
	trace_hex(&ctx, c, again);
	assert_string_equal(first, again);
	span_hex_of(&ctx, c, "", span2);
	assert_string_equal(span, span2);
	span_hex_of(&ctx, c, "actor/1", span2);
	assert_string_not_equal(span, span2);
	/* another boot, another start, another container */
	other = ctx;
	other.boot_id[0]++;
	trace_hex(&other, c, again);
	assert_string_not_equal(first, again);
	c->started_ns++;
	trace_hex(&ctx, c, again);
	assert_string_not_equal(first, again);
	c->started_ns--;
	c->id[0]++;
	trace_hex(&ctx, c, again);
	assert_string_not_equal(first, again);
	mb_free(c);
}

static void test_known(void **state)
{
	struct container *c = mb_docker_start();

	(void)state;
	assert_false(span_is_known(c));
	c->state = STATE_EXITED;
	assert_true(span_is_known(c));
	c->state = STATE_RUNNING;
	c->started_ns = MB_NS(5);
	assert_true(span_is_known(c));
	mb_free(c);
}

static void test_traceparent(void **state)
{
	static const struct { const char *text; bool valid; } cases[] = {
		{ "00-" TRACE "-" SPAN "-01", true },
		{ "00-" TRACE "-" SPAN "-00", true },
		{ "cc-" TRACE "-" SPAN "-01", true },
		{ "cc-" TRACE "-" SPAN "-01-more", true },
		{ "00-" TRACE "-" SPAN "-01-more", false },
		{ "cc-" TRACE "-" SPAN "-01more", false },
		{ "ff-" TRACE "-" SPAN "-01", false },
		{ "00-" TRACE "-" SPAN "-0", false },
		{ "00-" TRACE "-" SPAN "-0x", false },
		{ "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", false },
		{ "00-00000000000000000000000000000000-" SPAN "-01", false },
		{ "00-" TRACE "-0000000000000000-01", false },
		{ "00_" TRACE "-" SPAN "-01", false },
		{ "0x-" TRACE "-" SPAN "-01", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span_context ctx;

		span_context_init(&ctx, &facts);
		if (span_context_set_parent(&ctx, cases[i].text, "") != cases[i].valid ||
			ctx.has_parent != cases[i].valid)
			fail_msg("%s", cases[i].text);
	}
}

static void test_parent(void **state)
{
	struct container *c = mb_docker_run(2000);
	struct span_context ctx;
	uint8_t parent[8];
	char hex[33];

	(void)state;
	span_context_init(&ctx, &facts);
	assert_true(span_context_set_parent(&ctx, "00-" TRACE "-" SPAN "-01", ""));
	assert_false(span_parent(&ctx, c, parent)); /* the command did not cause it */
	c->followed = true;
	assert_true(span_parent(&ctx, c, parent));
	assert_string_equal(span_hex(hex, parent, 8), SPAN);
	trace_hex(&ctx, c, hex);
	assert_string_equal(hex, TRACE);
	span_context_init(&ctx, &facts);
	assert_true(span_context_set_parent(&ctx, "00-" TRACE "-" SPAN "-01", "another"));
	assert_false(span_parent(&ctx, c, parent));
	assert_true(span_context_set_parent(&ctx, "00-" TRACE "-" SPAN "-01", MB_ID));
	assert_true(span_parent(&ctx, c, parent));
	for (int i = 0; i < SPAN_PARENTS - 1; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		assert_true(span_context_set_parent(&ctx, "00-" TRACE "-" SPAN "-01", id));
	}
	assert_true(span_parent(&ctx, c, parent)); /* among many others */
	assert_int_equal(span_context_forgotten(&ctx), 1); /* "another" */
	assert_true(span_context_set_parent(&ctx, "00-" TRACE "-" SPAN "-00", "7")); /* again: takes no room */
	assert_int_equal(span_context_forgotten(&ctx), 1);
	assert_true(span_context_set_parent(&ctx, "00-" TRACE "-" SPAN "-01", "one more"));
	assert_false(span_parent(&ctx, c, parent)); /* the bound */
	assert_int_equal(span_context_forgotten(&ctx), 2);
	mb_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash), cmocka_unit_test(test_what_ids_depend_on), cmocka_unit_test(test_known),
		cmocka_unit_test(test_traceparent), cmocka_unit_test(test_parent),
	};

	return cmocka_run_group_tests_name("span_id", tests, NULL, NULL);
}
