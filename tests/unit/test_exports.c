/* SPDX-License-Identifier: Apache-2.0 */
/* Exports of containers made by hand: steps of one actor that overlap, and names that try to get out. Exports of real
 * recordings are held against their timelines in tests/replay/exports.sh, and the page is used in html.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "exporters/docker_events.h"
#include "exporters/export.h"
#include "exporters/json.h"
#include "exporters/lineage.h"
#include "unit/model_builder.h"

static const struct facts facts = { .hostname = "h<b>", .kernel = "6.18", .boot_id = "6b1fb475" };
static const struct timeline_stats stats = { .events = 1 };

static void write_export(struct strbuf *sb, const struct export_format *format, const struct container *c)
{
	struct span_context spans;
	struct export e = { .facts = &facts, .spans = &spans };

	span_context_init(&spans, &facts);
	if (format->begin)
		format->begin(sb, &e);
	format->container(sb, &e, c);
	e.containers = 1;
	e.stats = &stats;
	if (format->end)
		format->end(sb, &e);
}

static char *temporary(const char *bytes, size_t length)
{
	char *path = xstrdup("/tmp/ctrace-test-exports-XXXXXX");
	FILE *f = fdopen(mkstemp(path), "w");

	assert_int_equal(fwrite(bytes, 1, length, f), length);
	fclose(f);
	return path;
}

/* tests/lib/export_check.py: nesting, names of lanes, arrows, nothing missing. */
static void check_export(const char *name, const struct export_format *format, const struct container *c)
{
	struct strbuf export = { 0 }, json = { 0 };
	struct span_context spans;
	char *export_path, *json_path, *command;
	int status;

	if (access("tests/lib/export_check.py", R_OK) != 0 || access("/usr/bin/python3", X_OK) != 0)
		skip();
	span_context_init(&spans, &facts);
	write_export(&export, format, c);
	json_write_timeline(&json, &spans, c, CHANGE_ENDED);
	export_path = temporary(export.text, export.length);
	json_path = temporary(json.text, json.length);
	command = xasprintf("/usr/bin/python3 -B tests/lib/export_check.py %s %s %s", name, export_path, json_path);
	status = system(command);
	unlink(export_path);
	unlink(json_path);
	free(export_path);
	free(json_path);
	free(command);
	strbuf_free(&export);
	strbuf_free(&json);
	assert_int_equal(status, 0);
}

/* Threads of a daemon: steps that overlap without nesting, that begin or end together, and points between. */
static void test_overlaps(void **state)
{
	static const struct { double start, length; } spans[] = { { 10, 100 }, { 50, 100 }, { 50, 20 }, { 60, 200 }, { 70, 0 },
		{ 110, 40 }, { 110, 40 }, { 150, 5 }, { 5, 300 }, { 305, 10 }, { 20, 285 } };
	struct container *c = mb_container("x");

	(void)state;
	mb_actor(c, ACTOR_CLI, 1, "docker", -1, 0, 400);
	mb_actor(c, ACTOR_ENGINE, 2, "dockerd", -1, 5, 0);
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		mb_step(c, STEP_MOUNT, PHASE_ROOTFS, 1, spans[i].start, spans[i].length, "target", "/x", NULL);
	mb_step(c, STEP_MOUNT, PHASE_ROOTFS, 1, 30, 10, NULL)->end_edge = EDGE_LOST;
	mb_step(c, STEP_REQUEST, PHASE_REQUEST, 0, 2, 10, NULL)->end_edge = EDGE_OPEN;
	mb_step(c, STEP_VETH, PHASE_NETWORK, -1, 3, 0, NULL);
	c->first_ns = MB_NS(0);
	c->last_ns = MB_NS(500);
	mb_settle(c);
	check_export("perfetto", &export_perfetto, c);
	check_export("mermaid", &export_mermaid, c);
	mb_free(c);
}

/* A daemon that was there, and of whom nothing was seen: its part begins with what it started, or with the container. */
static void test_unknown_starts(void **state)
{
	struct container *c = mb_container("x");

	(void)state;
	mb_actor(c, ACTOR_CLI, 1, "docker", -1, 10, 400);
	for (int i = 0; i < 3; i++) {
		mb_actor(c, ACTOR_ENGINE, 2 + i, "dockerd", i ? i : -1, 0, 0);
		c->actors[1 + i].start_ns = 0;
		c->actors[1 + i].start_edge = EDGE_INFERRED;
	}
	mb_actor(c, ACTOR_SHIM, 5, "shim", 2, 50, 60);
	mb_step(c, STEP_MOUNT, PHASE_ROOTFS, 1, 30, 10, NULL);
	c->first_ns = MB_NS(10);
	c->last_ns = MB_NS(500);
	mb_settle(c);
	assert_int_equal(lineage_life(c, 1).start_ns, MB_NS(30));
	assert_int_equal(lineage_life(c, 2).start_ns, MB_NS(50));
	assert_int_equal(lineage_life(c, 3).start_ns, MB_NS(10));
	assert_int_equal(lineage_life(c, 3).end_ns, MB_NS(500));
	check_export("perfetto", &export_perfetto, c);
	mb_free(c);
}

/* More at once than there are lanes: the rest become instants. */
static void test_more_than_lanes(void **state)
{
	struct container *c = mb_container("x");
	struct strbuf sb = { 0 };
	size_t instants = 0;

	(void)state;
	mb_actor(c, ACTOR_ENGINE, 2, "dockerd", -1, 0, 1000);
	for (int i = 0; i < 150; i++)
		mb_step(c, STEP_MOUNT, PHASE_ROOTFS, 0, i + 1, 500, NULL);
	c->first_ns = MB_NS(0);
	c->last_ns = MB_NS(1000);
	write_export(&sb, &export_perfetto, c);
	for (const char *at = sb.text; (at = strstr(at, "\"ph\":\"i\"")); at++)
		instants++;
	assert_int_equal(instants, 50);
	strbuf_free(&sb);
	mb_free(c);
}

static char *hostile_text(size_t length)
{
	static const char evil[] = "</script><img src=x onerror=alert(1)>\"'`\x1b[2J\x1b]0;x\x07\r\n\t\xff\xfe\xc3(:;#%%,\x7f\xc2\x9b"
		"\xe2\x80\xae{\\}";
	char *text = xmalloc(length + 1);

	for (size_t i = 0; i < length; i++)
		text[i] = evil[i % (sizeof(evil) - 1)];
	text[length] = '\0';
	return text;
}

static struct container *hostile(void)
{
	struct container *c = mb_oom();
	char **const fields[] = { &c->id, &c->name, &c->image, &c->engine, &c->runtime, &c->pod, &c->bundle };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		free(*fields[i]);
		*fields[i] = hostile_text(4096);
	}
	for (size_t i = 0; i < c->actor_count; i++) {
		char *comm = hostile_text(sizeof(c->actors[i].comm));

		memcpy(c->actors[i].comm, comm + i % 3, sizeof(c->actors[i].comm) - 3); /* not NUL-terminated */
		memset(c->actors[i].comm + sizeof(c->actors[i].comm) - 3, '<', 3);
		free(comm);
		free(c->actors[i].exe);
		c->actors[i].exe = hostile_text(4096);
		for (size_t k = 1; c->actors[i].argv && c->actors[i].argv[k]; k++) {
			free(c->actors[i].argv[k]);
			c->actors[i].argv[k] = hostile_text(4096);
		}
	}
	for (size_t i = 0; i < c->step_count; i++) {
		for (size_t k = 0; k < c->steps[i].details.count; k++) {
			if (!detail_text(&c->steps[i].details.items[k]))
				continue;
			free(c->steps[i].details.items[k].text);
			c->steps[i].details.items[k].text = hostile_text(300);
		}
	}
	for (size_t i = 0; i < c->limit_count; i++) {
		free(c->limits[i].value);
		c->limits[i].value = hostile_text(100);
	}
	return c;
}

static void expect_harmless(const char *name, const struct strbuf *sb)
{
	for (size_t i = 0, n; i < sb->length; i += n) {
		unsigned char b = (unsigned char)sb->text[i];

		n = utf8_sequence(sb->text + i, sb->length - i);
		if (!n || (b < 0x20 && b != '\n' && b != '\t') || b == 0x7f ||
			(n == 2 && b == 0xc2 && (unsigned char)sb->text[i + 1] < 0xa0))
			fail_msg("%s: byte %#x at %zu: %.40s", name, b, i, sb->text + i);
	}
}

static size_t occurrences(const struct strbuf *sb, const char *part)
{
	size_t n = 0;

	for (const char *at = sb->text; (at = strstr(at, part)); at++)
		n++;
	return n;
}

static void test_hostile_names(void **state)
{
	static const struct export_format *const formats[] = { &export_perfetto, &export_html, &export_mermaid, &export_otlp };
	struct container *c = hostile();
	struct docker_events *d = docker_events_new(&facts);
	struct strbuf sb = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		write_export(&sb, formats[i], c);
		expect_harmless(formats[i]->name, &sb);
		if (formats[i] == &export_html) {
			/* header, container, summary, program: no other element is begun or ended */
			assert_int_equal(occurrences(&sb, "<script"), 4);
			assert_int_equal(occurrences(&sb, "</script"), 4);
			assert_int_equal(occurrences(&sb, "<img"), 0);
			assert_int_equal(occurrences(&sb, "</noscript>"), 1);
		}
		if (formats[i] == &export_mermaid)
			assert_int_equal(occurrences(&sb, "<"), 0);
		strbuf_reset(&sb);
	}
	docker_events_update(d, &sb, c, UINT64_MAX);
	expect_harmless("docker-events", &sb);
	assert_int_equal(occurrences(&sb, "\"Action\":\"oom\""), 1);
	docker_events_free(d);
	strbuf_free(&sb);
	check_export("perfetto", &export_perfetto, c);
	check_export("mermaid", &export_mermaid, c);
	mb_free(c);
}

/* How long calls waited, and in what: as in the timeline, in every format that has places for it. */
static void test_waits(void **state)
{
	struct container *c = mb_docker_run(2000);
	struct step *s = mb_step(c, STEP_CGROUP_WRITE, PHASE_CGROUP, 1, 300000, 900, "file", "cgroup.procs", NULL);
	struct strbuf sb = { 0 };

	(void)state;
	s->times = xcalloc(1, sizeof(*s->times));
	*s->times = (struct step_times){ 100, 200, 899700, 800000, xstrdup("rcu_sync_enter\x1fpercpu_down_write") };
	write_export(&sb, &export_perfetto, c);
	assert_int_equal(occurrences(&sb, "\"run_queue_ns\":\"200\",\"blocked_ns\":\"899700\","
		"\"longest_block_ns\":\"800000\",\"blocked_in\":\"rcu_sync_enter ← percpu_down_write\""), 1);
	strbuf_reset(&sb);
	write_export(&sb, &export_otlp, c);
	assert_int_equal(occurrences(&sb, "\"name\":\"blocked\""), 1);
	assert_int_equal(occurrences(&sb, "rcu_sync_enter ← percpu_down_write"), 1);
	assert_int_equal(occurrences(&sb, "{\"key\":\"ctrace.blocked_ns\",\"value\":{\"intValue\":\"899700\"}}"), 1);
	strbuf_free(&sb);
	check_export("perfetto", &export_perfetto, c);
	mb_free(c);
}

/* A container of which next to nothing is known. */
static void test_empty(void **state)
{
	static const struct export_format *const formats[] = { &export_perfetto, &export_html, &export_mermaid, &export_otlp,
		&export_otlp_protobuf };
	struct container *c = mb_container("x");
	struct strbuf sb = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		write_export(&sb, formats[i], c);
	strbuf_free(&sb);
	mb_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlaps), cmocka_unit_test(test_unknown_starts), cmocka_unit_test(test_more_than_lanes),
		cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_waits), cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests_name("exports", tests, NULL, NULL);
}
