/* SPDX-License-Identifier: Apache-2.0 */
/* The path from events to output: order of lines, filters, and that a recording gives the same bytes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cmd/session.h"
#include "util/array.h"
#include "util/strbuf.h"

#define MS 1000000ULL

static const struct facts facts = { .kernel = "6.18", .hostname = "here", .timeline = { .root_pid_ns = 1,
	.root_mnt_ns = 1 } };

/* Events of `runc run NAME` of a container that lives for a moment, into events. */
struct events {
	struct strbuf bytes;
	uint64_t now;
};

static void add(struct events *list, void *event, uint16_t kind, uint16_t size, uint32_t pid, uint8_t role)
{
	struct event *h = event;

	list->now += MS;
	h->kind = kind;
	h->size = size;
	h->role = role;
	h->time_ns = list->now;
	h->tgid = h->tid = h->ns_tgid = pid;
	h->start_ns = pid;
	strbuf_add(&list->bytes, event, (size + 7U) & ~7U);
}

static void add_container(struct events *list, uint32_t pid, const char *name)
{
	struct event_exec runtime = { .ns = { .pid = 1, .mnt = 1 } };
	struct event_fork fork = { .child_tgid = pid + 1, .child_ns_tgid = 1, .child_ns_level = 1,
		.child_start_ns = pid + 1, .clone_flags = 0x20000000, .parent_tgid = pid };
	struct event_exec init = { .ns = { .pid = pid, .mnt = pid } };
	struct event_exit gone = { .exit_code = 0 };
	int length = snprintf(runtime.argv, sizeof(runtime.argv), "runc%crun%c%s", 0, 0, name) + 1;

	runtime.argv_length = runtime.argv_total = (uint32_t)length;
	snprintf(runtime.filename, sizeof(runtime.filename), "/usr/bin/runc");
	snprintf(runtime.h.comm, sizeof(runtime.h.comm), "runc");
	add(list, &runtime, EVENT_EXEC, (uint16_t)(offsetof(struct event_exec, argv) + (size_t)length), pid,
		ROLE_RUNTIME);
	snprintf(fork.h.comm, sizeof(fork.h.comm), "runc");
	fork.ns.pid = fork.ns.mnt = pid;
	add(list, &fork, EVENT_FORK, sizeof(fork), pid, ROLE_RUNTIME);
	snprintf(init.filename, sizeof(init.filename), "/bin/true");
	snprintf(init.argv, sizeof(init.argv), "true");
	init.argv_length = init.argv_total = 5;
	init.h.ns_level = 1;
	add(list, &init, EVENT_EXEC, offsetof(struct event_exec, argv) + 5, pid + 1, ROLE_PAYLOAD);
	/* add() wrote the pid of the host: inside it is 1 */
	((struct event *)(list->bytes.text + list->bytes.length - ((offsetof(struct event_exec, argv) + 5 + 7) & ~7ULL)))
		->ns_tgid = 1;
	gone.h.ns_level = 1;
	add(list, &gone, EVENT_EXIT, sizeof(gone), pid + 1, ROLE_PAYLOAD);
	add(list, &gone, EVENT_EXIT, sizeof(gone), pid, ROLE_RUNTIME);
	list->now += 10000 * MS;
}

/* What a session with those options writes; JSON, or text where text is asked for. */
static char *run(const struct events *list, struct session_options o, bool text)
{
	struct session *s = NULL;
	struct error err = { 0 };
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	o.json = text ? NULL : f;
	o.text = text ? f : NULL;
	o.waterfall.width = 120;
	assert_int_equal(session_begin(&facts, &o, &s, &err), 0);
	for (size_t at = 0; at < list->bytes.length;) {
		const struct event *e = (const struct event *)(list->bytes.text + at);

		assert_int_equal(session_event(s, e, &err), 0);
		at += (e->size + 7U) & ~7U;
	}
	assert_int_equal(session_end(s, NULL, &err), 0);
	session_free(s);
	fclose(f);
	return out;
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

static void two_containers(struct events *list)
{
	*list = (struct events){ .now = 1000 * MS };
	add_container(list, 100, "first");
	add_container(list, 200, "second");
}

static void test_order_of_lines(void **state)
{
	struct events list;
	char *out;

	(void)state;
	two_containers(&list);
	out = run(&list, (struct session_options){ .events = true }, false);
	assert_memory_equal(out, "{\"type\":\"header\",", 17);
	assert_int_equal(count(out, "{\"type\":\"event\","), 10);
	assert_int_equal(count(out, "{\"type\":\"summary\","), 1);
	assert_true(strstr(out, "\"change\":\"ended\"") != NULL);
	assert_int_equal(count(out, "\"change\":\"ended\""), 2);
	assert_non_null(strstr(out, "\"complete\":true,\"error\":null}\n"));
	/* the event that starts it comes before the timeline that says so */
	assert_true(strstr(out, "/bin/true") < strstr(out, "\"change\":\"started\""));
	free(out);
	out = run(&list, (struct session_options){ 0 }, false);
	assert_int_equal(count(out, "{\"type\":\"event\","), 0);
	free(out);
	strbuf_free(&list.bytes);
}

static void test_filter(void **state)
{
	struct events list;
	char *out;

	(void)state;
	two_containers(&list);
	out = run(&list, (struct session_options){ .id = "sec" }, false);
	assert_int_equal(count(out, "\"id\":\"second\""), count(out, "{\"type\":\"timeline\","));
	assert_true(count(out, "\"id\":\"second\"") > 0);
	assert_non_null(strstr(out, "{\"type\":\"summary\",\"containers\":1,"));
	free(out);
	out = run(&list, (struct session_options){ .followed = true }, false);
	assert_int_equal(count(out, "{\"type\":\"timeline\","), 0);
	free(out);
	strbuf_free(&list.bytes);
}

static void test_filter_language(void **state)
{
	struct session_options wrong = { .filter = "conti=x" };
	struct session *s = NULL;
	struct error err = { 0 };
	struct events list;
	char *out;

	(void)state;
	two_containers(&list);
	out = run(&list, (struct session_options){ .filter = "cont=second exit=0" }, false);
	assert_non_null(strstr(out, "{\"type\":\"summary\",\"containers\":1,"));
	assert_int_equal(count(out, "\"id\":\"first\""), 0);
	free(out);
	out = run(&list, (struct session_options){ .filter = "type=exit pid=101", .events = true }, false);
	assert_int_equal(count(out, "{\"type\":\"event\","), 1);
	free(out);
	out = run(&list, (struct session_options){ .filter = "cont=second", .events = true }, false);
	assert_int_equal(count(out, "{\"type\":\"event\","), 10); /* single events know no container */
	free(out);
	assert_int_equal(session_begin(&facts, &wrong, &s, &err), -22);
	assert_memory_equal(err.text, "column 1: ", 10);
	strbuf_free(&list.bytes);
}

static void test_traceparent(void **state)
{
	static const char child[] = "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"span_id\":";
	struct events list;
	char *out;

	(void)state;
	two_containers(&list);
	out = run(&list, (struct session_options){ .at_end = true, .traceparent_of = "second",
		.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" }, false);
	assert_int_equal(count(out, child), 1);
	assert_int_equal(count(out, "\"parent_span_id\":\"00f067aa0ba902b7\""), 1);
	assert_true(strstr(out, child) > strstr(out, "\"id\":\"second\""));
	free(out);
	strbuf_free(&list.bytes);
}

static void test_at_end(void **state)
{
	struct events list;
	char *out;

	(void)state;
	two_containers(&list);
	out = run(&list, (struct session_options){ .at_end = true }, false);
	assert_int_equal(count(out, "{\"type\":\"timeline\","), 2);
	assert_true(strstr(out, "\"id\":\"first\"") < strstr(out, "\"id\":\"second\""));
	free(out);
	strbuf_free(&list.bytes);
}

static void test_text(void **state)
{
	struct events list;
	char *out;

	(void)state;
	two_containers(&list);
	out = run(&list, (struct session_options){ 0 }, true);
	assert_int_equal(count(out, "\nexit 0\n"), 2);
	assert_non_null(strstr(out, "2 containers, 10 events, none lost\n"));
	free(out);
	out = run(&list, (struct session_options){ .only_if_any = true }, true);
	assert_non_null(strstr(out, "2 containers, 10 events, none lost\n"));
	free(out);
	strbuf_free(&list.bytes);
}

static void test_text_of_nothing(void **state)
{
	struct events list = { 0 };
	char *out = run(&list, (struct session_options){ 0 }, true);

	(void)state;
	assert_string_equal(out, "0 containers, 0 events, none lost\n");
	free(out);
	out = run(&list, (struct session_options){ .only_if_any = true }, true);
	assert_string_equal(out, "");
	free(out);
}

/* live -> recording -> replay: the same bytes, whatever the live session showed. */
static void same_bytes(struct session_options o)
{
	char path[] = "/tmp/ctrace-test-session-XXXXXX";
	struct recording_writer *writer = NULL;
	struct recording_reader *reader = NULL;
	struct error err = { 0 };
	const struct event *event;
	struct session *s = NULL;
	struct events list;
	char *live, *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	close(mkstemp(path));
	two_containers(&list);
	assert_int_equal(recording_create(path, &facts, &writer, &err), 0);
	o.record = writer;
	live = run(&list, o, false);
	assert_int_equal(recording_close(writer, &err), 0);
	assert_int_equal(recording_open(path, &reader, &err), 0);
	o = (struct session_options){ .json = f, .events = o.events, .as_recorded = true };
	assert_int_equal(session_begin(recording_facts(reader), &o, &s, &err), 0);
	while (recording_next(reader, &event, &err) > 0)
		assert_int_equal(session_event(s, event, &err), 0);
	assert_int_equal(session_end(s, NULL, &err), 0);
	fclose(f);
	assert_string_equal(live, out);
	session_free(s);
	recording_free(reader);
	unlink(path);
	free(live);
	free(out);
	strbuf_free(&list.bytes);
}

static void test_recording_gives_the_same_bytes(void **state)
{
	(void)state;
	same_bytes((struct session_options){ 0 });
	same_bytes((struct session_options){ .events = true });
	same_bytes((struct session_options){ .events = true, .id = "second" });
	same_bytes((struct session_options){ .id = "sec" });
	same_bytes((struct session_options){ .events = true, .followed = true });
	same_bytes((struct session_options){ .id = "none", .followed = true });
	same_bytes((struct session_options){ .filter = "cont=second" });
	same_bytes((struct session_options){ .events = true, .traceparent_of = "second",
		.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" });
	same_bytes((struct session_options){ .events = true, .traceparent = "no such thing" });
	same_bytes((struct session_options){ .events = true, .filter = "type=exec,fork pid=200 cont!=x" });
}

/* A full disk is told, not ignored. */
static void test_write_error(void **state)
{
	struct session_options o = { .json = fopen("/dev/full", "w") };
	struct session *s = NULL;
	struct error err = { 0 };

	(void)state;
	assert_non_null(o.json);
	assert_int_equal(session_begin(&facts, &o, &s, &err), -28);
	assert_non_null(strstr(err.text, "No space left"));
	fclose(o.json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_lines), cmocka_unit_test(test_filter),
		cmocka_unit_test(test_filter_language), cmocka_unit_test(test_traceparent), cmocka_unit_test(test_at_end),
		cmocka_unit_test(test_text), cmocka_unit_test(test_text_of_nothing),
		cmocka_unit_test(test_recording_gives_the_same_bytes),
		cmocka_unit_test(test_write_error),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
