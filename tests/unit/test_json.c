/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Lines: bytes, order of keys, the schema, determinism. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "exporters/json.h"
#include "exporters/json_emit.h"
#include "exporters/json_repair.h"
#include "exporters/json_steps.h"
#include "unit/model_builder.h"

static const struct span_context spans = { .boot_id = "6b1fb475-d2bd-49d4-a3de-a692f86e58d6" };

static void test_strings_keep_every_byte(void **state)
{
	static const struct { const char *bytes; size_t length; const char *json; } cases[] = {
		{ "plain", 5, "\"plain\"" },
		{ "a\"b\\c\n\t\x01\x7f", 9, "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"" },
		{ "gr\xc3\xbc\xc3\x9f", 6, "\"gr\xc3\xbc\xc3\x9f\"" },
		{ "\xff", 1, "\"\xee\xbf\xbf\"" },
		{ "\x80", 1, "\"\xee\xbe\x80\"" },
		{ "\xc3", 1, "\"\xee\xbf\x83\"" },                     /* cut short */
		{ "\xed\xa0\x80", 3, "\"\xee\xbf\xad\xee\xbe\xa0\xee\xbe\x80\"" }, /* surrogate */
		{ "\xee\xbe\x80", 3, "\"\xee\xbf\xae\xee\xbe\xbe\xee\xbe\x80\"" }, /* U+EF80 itself */
		{ "\xc2\x9b", 2, "\"\\u009b\"" },                      /* C1 control */
		{ "a\0b", 3, "\"a\\u0000b\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf sb = { 0 };

		json_bytes(&sb, NULL, cases[i].bytes, cases[i].length);
		assert_string_equal(sb.text, cases[i].json);
		strbuf_free(&sb);
	}
}

static void test_numbers(void **state)
{
	struct strbuf sb = { 0 };

	(void)state;
	json_open(&sb, NULL, '[');
	json_number(&sb, NULL, INT64_MIN);
	json_u64(&sb, NULL, UINT64_MAX);
	json_i64(&sb, NULL, -1);
	json_time(&sb, NULL, 0);
	json_bool(&sb, NULL, true);
	json_close(&sb, ']');
	assert_string_equal(sb.text, "[-9223372036854775808,\"18446744073709551615\",\"-1\",null,true]");
	strbuf_free(&sb);
}

static void test_numbers_of_all_lengths(void **state)
{
	struct strbuf sb = { 0 };
	char expected[32];

	(void)state;
	for (uint64_t power = 1, i = 0; i < 20; power *= 10, i++) {
		const uint64_t near[] = { power - 1, power, power + 1, power * 3, power * 9 };

		for (size_t k = 0; k < sizeof(near) / sizeof(near[0]); k++) {
			snprintf(expected, sizeof(expected), "\"%llu\"", (unsigned long long)near[k]);
			strbuf_reset(&sb);
			json_u64(&sb, NULL, near[k]);
			assert_string_equal(sb.text, expected);
		}
	}
	strbuf_free(&sb);
}

static void test_timeline_begins_as_promised(void **state)
{
	static const char begins[] = "{\"type\":\"timeline\",\"id\":\"" MB_ID "\",\"name\":\"web\",\"image\":"
		"\"busybox:latest\",\"engine\":\"docker\",\"runtime\":\"runc\",\"state\":\"exited\",\"pid\":8857,"
		"\"pod\":null,\"namespaces\":{\"mnt\":4026532180,\"pid\":4026532183,";
	static const char write[] = "{\"kind\":\"cgroup_write\",\"phase\":\"cgroup\",\"actor\":4,\"start_ns\":"
		"\"1000234400000\",\"end_ns\":\"1000234520000\",\"result\":0,\"detail\":{\"file\":"
		"\"memory.limit_in_bytes\",\"value\":\"268435456\",";
	static const char unshare[] = "\"detail\":{\"flags\":[\"CLONE_NEWNS\",\"CLONE_NEWUTS\",\"CLONE_NEWIPC\","
		"\"CLONE_NEWPID\",\"CLONE_NEWNET\"]}";
	struct container *c = mb_docker_run(2000);
	struct strbuf sb = { 0 }, again = { 0 };

	(void)state;
	json_write_timeline(&sb, &spans, c, CHANGE_ENDED);
	assert_memory_equal(sb.text, begins, strlen(begins));
	assert_non_null(strstr(sb.text, write));
	assert_non_null(strstr(sb.text, unshare));
	assert_non_null(strstr(sb.text, "\"exit\":{\"code\":0,\"signal\":null,\"oom\":false,"));
	assert_non_null(strstr(sb.text, "],\"throttling\":null,\"steps_cut\":"));
	assert_ptr_equal(strchr(sb.text, '\n'), sb.text + sb.length - 1);
	json_write_timeline(&again, &spans, c, CHANGE_ENDED);
	assert_string_equal(sb.text, again.text);
	c->throttling = (struct throttling){ true, 50, 34, 1200000000 };
	strbuf_reset(&sb);
	json_write_timeline(&sb, &spans, c, CHANGE_ENDED);
	assert_non_null(strstr(sb.text,
		"\"throttling\":{\"periods\":\"50\",\"throttled\":\"34\",\"throttled_ns\":\"1200000000\"}"));
	strbuf_free(&sb);
	strbuf_free(&again);
	mb_free(c);
}

static size_t steps_written;

static void write_start(struct strbuf *sb, const struct step *step)
{
	steps_written++;
	json_open(sb, NULL, '{');
	json_time(sb, "start_ns", step->start_ns);
	json_number(sb, "actor", step->actor);
	json_close(sb, '}');
}

/* How many steps had to be written; all are as if none had been remembered. */
static size_t write_steps(struct json_steps *steps, const struct container *c)
{
	struct strbuf sb = { 0 }, anew = { 0 };
	size_t count;

	json_open(&sb, NULL, '[');
	json_open(&anew, NULL, '[');
	json_steps_write(NULL, &anew, c, write_start);
	steps_written = 0;
	json_steps_write(steps, &sb, c, write_start);
	count = steps_written;
	assert_string_equal(sb.text, anew.text);
	strbuf_free(&sb);
	strbuf_free(&anew);
	return count;
}

static void test_steps_are_remembered(void **state)
{
	struct json_steps *steps = json_steps_new();
	struct step first[600] = { 0 }, other = { .start_ns = 7 };
	struct container c = { .steps = first, .step_count = 100 }, others[16];

	(void)state;
	for (uint32_t i = 0; i < 600; i++)
		first[i] = (struct step){ .start_ns = 1000 + i, .order = i };
	assert_int_equal(write_steps(steps, &c), 100);
	assert_int_equal(write_steps(steps, &c), 0);
	c.step_count = 101;
	other = first[0]; /* a late one moves others up */
	first[0] = first[100];
	first[100] = other;
	first[50].actor = 3;
	assert_int_equal(write_steps(steps, &c), 2);
	c.step_count = 600; /* more than are remembered */
	assert_int_equal(write_steps(steps, &c), 600 - 101);
	assert_int_equal(write_steps(steps, &c), 600 - 512);

	c.step_count = 10;
	json_steps_forget(steps, &c);
	assert_int_equal(write_steps(steps, &c), 10);
	for (size_t i = 0; i < 16; i++) {
		others[i] = (struct container){ .steps = &other, .step_count = 1 };
		assert_int_equal(write_steps(steps, &others[i]), 1);
	}
	assert_int_equal(write_steps(steps, &others[15]), 0);
	assert_int_equal(write_steps(steps, &c), 10); /* 16 have been new since */
	json_steps_free(steps);
}

static void test_failed_and_lost(void **state)
{
	struct container *c = mb_failed_start();
	struct strbuf sb = { 0 };
	const char *at;

	(void)state;
	c->steps[c->step_count - 1].end_edge = EDGE_LOST;
	json_write_timeline(&sb, &spans, c, CHANGE_ENDED);
	assert_non_null(strstr(sb.text, "\"result\":-2,\"error\":\"ENOENT\",\"detail\":{\"path\":\"/nosuch\"}"));
	assert_non_null(strstr(sb.text, "\"exit\":null,\"lost\":0"));
	at = strstr(sb.text, "\"end_edge\":\"lost\"");
	assert_non_null(at);
	assert_non_null(strstr(at - 60, "\"duration_ns\":null,\"start_edge\":\"observed\",\"end_edge\":\"lost\""));
	strbuf_free(&sb);
	mb_free(c);
}

static void fill_facts(struct facts *f)
{
	*f = (struct facts){ .cpus = 2, .start_ns = 5, .wall_offset_ns = -7 };
	snprintf(f->hostname, sizeof(f->hostname), "h\xff");
	snprintf(f->kernel, sizeof(f->kernel), "6.18");
	f->timeline.hierarchy_count = 1;
	f->timeline.hierarchies[0].id = 5;
	array_grow(f->hooks, f->hook_count, f->hook_capacity);
	f->hooks[f->hook_count++] = (struct hook_fact){ .job = "exec", .hook = "tp_btf/x", .state = HOOK_REFUSED,
		.reason = "no" };
	array_grow(f->unseen, f->unseen_count, f->unseen_capacity);
	f->unseen[f->unseen_count++] = (struct unseen_fact){ .what = "w", .why = "y" };
}

/* Every event kind, whole and cut at every size: never outside the record, always a line of JSON. */
static void add_events(struct strbuf *sb)
{
	size_t biggest = sizeof(struct event_syscall_enter);
	static const uint16_t kinds[] = { 1, 2, 3, 4, 5, 9, 14, 15, 32, 33, 34, 35, 36, 256, 257, 258, 259, 260, 261,
		262, 263, 9999 };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (size_t size = sizeof(struct event); size <= biggest; size += size < 400 ? 4 : 333) {
			/* exactly as long as it says, so that sanitizers see a read beyond it */
			struct event *e = xmalloc(size);

			memset(e, 'A' + (int)i, size);
			e->size = (uint16_t)size;
			e->kind = kinds[i];
			e->role = 3;
			json_write_event(sb, e);
			free(e);
		}
	}
}

static void write_everything(struct strbuf *sb)
{
	struct container *all[] = { mb_docker_run(2000), mb_oom(), mb_failed_start(), mb_container("x\xffy") };
	struct timeline_stats stats = { .events = 7, .lost = 3 };
	struct loss_list losses = { .items = { { EVENT_EXEC, LOSS_RING_FULL, 3 } }, .count = 1, .left_out = 1 };
	struct facts facts;

	fill_facts(&facts);
	json_write_header(sb, &facts);
	add_events(sb);
	for (size_t i = 0; i < 4; i++) {
		json_write_timeline(sb, &spans, all[i], CHANGE_ENDED);
		mb_free(all[i]);
	}
	stats.events_by_kind[EVENT_EXEC] = 4;
	stats.events_by_kind[EVENT_META - 256 + 48] = 3;
	json_write_summary(sb, &(struct json_summary){ .stats = &stats, .losses = &losses,
		.containers = 4, .error = "cut short" });
	free(facts.hooks);
	free(facts.unseen);
}

static const char checker[] =
	"import sys, json\n"
	"try:\n"
	"    import jsonschema\n"
	"except ImportError:\n"
	"    sys.exit(77)\n"
	"lines = open(sys.argv[1], encoding='utf-8').read().split('\\n')\n"
	"schema = json.load(open(sys.argv[2]))\n"
	"v = jsonschema.Draft202012Validator(schema)\n"
	"v.check_schema(schema)\n"
	"docs = [json.loads(l) for l in lines if l]\n"
	"assert docs[0]['type'] == 'header' and docs[-1]['type'] == 'summary'\n"
	"bytes_of = lambda t: b''.join(bytes([ord(c) - 0xEF00]) if 0xEF80 <= ord(c) <= 0xEFFF else c.encode() for c in t)\n"
	"assert bytes_of(docs[-2]['id']) == b'x\\xffy', docs[-2]['id']\n"
	"seen = set()\n"
	"for d in docs:\n"
	"    if d['type'] == 'event':\n"
	"        if d['event'] in seen: continue\n"
	"        seen.add(d['event'])\n"
	"    one = {'$ref': '#/$defs/' + d['type'], '$defs': schema['$defs']}\n"
	"    jsonschema.Draft202012Validator(one).validate(d)\n"
	"    v.validate(d)\n"
	"bad = [d for d in docs if d['type'] == 'timeline'][0]\n"
	"bad['steps'][0]['error'] = 'ENOENT'\n"
	"assert not v.is_valid(bad)\n";

static char *temporary(const char *text)
{
	char *path = xstrdup("/tmp/ctrace-test-json-XXXXXX");
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static void test_schema(void **state)
{
	struct strbuf sb = { 0 };
	char *lines, *schema, *program, *command;
	int status;

	(void)state;
	write_everything(&sb);
	lines = temporary(sb.text);
	schema = temporary(json_schema);
	program = temporary(checker);
	command = xasprintf("/usr/bin/python3 %s %s %s", program, lines, schema);
	status = system(command);
	unlink(lines);
	unlink(schema);
	unlink(program);
	free(lines);
	free(schema);
	free(program);
	free(command);
	strbuf_free(&sb);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* What json-c writes of bytes that are no UTF-8: the same as of our own strings. */
static void what_others_wrote_is_repaired(void **state)
{
	static const char json[] = "{\"a\\u001b\":\"\xff\xc3(\x7f\xc2\x9b\xc3\xa9\xee\xbf\xbf\"}";
	struct strbuf sb = { 0 };

	(void)state;
	json_add_repaired(&sb, json, sizeof(json) - 1);
	assert_string_equal(sb.text, "{\"a\\u001b\":\"\xee\xbf\xbf\xee\xbf\x83(\\u007f\\u009b\xc3\xa9\xee\xbf\xae\xee\xbe\xbf\xee\xbe\xbf\"}");
	strbuf_free(&sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_wrote_is_repaired),
		cmocka_unit_test(test_strings_keep_every_byte),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_numbers_of_all_lengths),
		cmocka_unit_test(test_timeline_begins_as_promised),
		cmocka_unit_test(test_failed_and_lost),
		cmocka_unit_test(test_steps_are_remembered),
		cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
