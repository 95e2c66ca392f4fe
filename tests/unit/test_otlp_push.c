/* SPDX-License-Identifier: Apache-2.0 */
/* Pushing traces to collectors that misbehave: what gets there, and that every span is accounted for. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "exporters/otlp_push.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/strbuf.h"

#define RECEIVER "tests/lib/otlp_receiver.py"

/* Of tests/lib/otlp_receiver.py, which makes all collectors. */
static pid_t receivers;
static FILE *to_receivers, *from_receivers;

/* A collector, and what it reported at its end. */
struct receiver {
	int port;
	char report[65536];
};

static int start_receivers(void **state)
{
	char *argv[] = { "python3", "-I", "-S", "-B", RECEIVER, NULL };
	int to[2], from[2];

	(void)state;
	if (access(RECEIVER, R_OK) != 0 || access("/usr/bin/python3", X_OK) != 0)
		return 0;
	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
		return -1;
	receivers = fork();
	if (receivers == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execv("/usr/bin/python3", argv);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	to_receivers = fdopen(to[1], "w");
	from_receivers = fdopen(from[0], "r");
	return 0;
}

static int stop_receivers(void **state)
{
	(void)state;
	if (!to_receivers)
		return 0;
	fclose(to_receivers);
	fclose(from_receivers);
	waitpid(receivers, NULL, 0);
	return 0;
}

static void start(struct receiver *r, const char *const *actions)
{
	char line[32];

	if (!to_receivers) {
		print_message("no /usr/bin/python3, or no %s\n", RECEIVER);
		skip();
	}
	fputs("start", to_receivers);
	for (size_t i = 0; actions[i]; i++)
		fprintf(to_receivers, " %s", actions[i]);
	fputc('\n', to_receivers);
	fflush(to_receivers);
	assert_non_null(fgets(line, sizeof(line), from_receivers));
	r->port = atoi(line);
}

static void finish(struct receiver *r)
{
	fprintf(to_receivers, "finish %d\n", r->port);
	fflush(to_receivers);
	if (!fgets(r->report, sizeof(r->report), from_receivers))
		r->report[0] = '\0';
}

static void add_units(struct otlp_push *p, int from, int count)
{
	for (int i = from; i < from + count; i++) {
		struct strbuf unit = { 0 };

		strbuf_printf(&unit, "{\"u\":%d}", i);
		otlp_push_unit(p, &unit, 2);
		strbuf_free(&unit);
	}
}

/* "units": [from, ..., from + count - 1], each once and in order. */
static void expect_units(const struct receiver *r, int count)
{
	struct strbuf wanted = { 0 };

	strbuf_puts(&wanted, "\"units\": [");
	for (int i = 0; i < count; i++)
		strbuf_printf(&wanted, "%s%d", i ? ", " : "", i);
	strbuf_puts(&wanted, "]");
	if (!strstr(r->report, wanted.text))
		fail_msg("%s is not in %.2000s", wanted.text, r->report);
	strbuf_free(&wanted);
}

static void expect(const struct receiver *r, const char *part)
{
	if (!strstr(r->report, part))
		fail_msg("%s is not in %.2000s", part, r->report);
}

static struct otlp_settings settings_for(int port, enum otlp_encoding encoding)
{
	static char *headers[] = { "X-Token: se cret", NULL };

	return (struct otlp_settings){ .url = xasprintf("http://127.0.0.1:%d/v1/traces", port), .headers = headers,
		.encoding = encoding, .timeout_ms = 700 };
}

/* Pushes `count` units to a receiver with those actions, for at most twenty seconds, and returns what became of them. */
static struct otlp_push_stats push(struct receiver *r, const char *const *actions, int count)
{
	struct otlp_settings settings;
	struct otlp_push_stats stats;
	struct otlp_push *p = NULL;

	start(r, actions);
	settings = settings_for(r->port, OTLP_JSON);
	assert_int_equal(otlp_push_new(&settings, 1 << 20, &p, NULL), 0);
	add_units(p, 0, count);
	otlp_push_close(p, 20000);
	otlp_push_get_stats(p, &stats);
	otlp_push_free(p);
	free(settings.url);
	finish(r);
	assert_int_equal(stats.queued_spans, 0);
	assert_int_equal(stats.queued_bytes, 0);
	assert_int_equal(stats.sent + stats.rejected + stats.failed + stats.dropped, 2 * (uint64_t)count);
	return stats;
}

#define ACTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_taken(void **state)
{
	struct receiver r;
	struct otlp_push_stats s = push(&r, ACTIONS("ok"), 300);

	(void)state;
	assert_int_equal(s.sent, 600);
	assert_int_equal(s.requests, 2); /* 256 units, and the rest */
	assert_string_equal(s.last_error, "");
	expect_units(&r, 300);
	expect(&r, "\"path\": \"/v1/traces\"");
	expect(&r, "\"content-type\": \"application/json\"");
	expect(&r, "\"x-token\": \"se cret\"");
	expect(&r, "\"user-agent\": \"ctrace/");
}

static void test_asked_to_wait(void **state)
{
	struct receiver r;
	struct otlp_push_stats s = push(&r, ACTIONS("502", "504", "429/1", "503/d1"), 5);

	(void)state;
	assert_int_equal(s.sent, 10);
	assert_int_equal(s.retries, 4);
	assert_int_equal(s.requests, 5);
	expect(&r, "\"statuses\": [502, 504, 429, 503, 200]");
	expect_units(&r, 5);
}

static void test_lost_connections(void **state)
{
	struct receiver r;
	struct otlp_push_stats s = push(&r, ACTIONS("reset", "stall", "close"), 5);

	(void)state;
	assert_int_equal(s.sent, 10);
	assert_int_equal(s.retries, 3);
	assert_true(s.last_error[0] != '\0');
	expect(&r, "\"statuses\": [\"reset\", \"stall\", \"close\", 200]");
	expect_units(&r, 5);
}

static void test_too_large_at_once(void **state)
{
	struct receiver r;
	struct otlp_push_stats s = push(&r, ACTIONS("limit/200"), 60);

	(void)state;
	assert_int_equal(s.sent, 120);
	assert_int_equal(s.failed, 0);
	expect_units(&r, 60);
	expect(&r, "\"statuses\": [413, ");
}

static void test_too_large_at_all(void **state)
{
	struct receiver r;
	struct otlp_push_stats s = push(&r, ACTIONS("limit/10"), 3);

	(void)state;
	assert_int_equal(s.failed, 6);
	assert_string_equal(s.last_error, "the collector answers 413");
	expect_units(&r, 0);
}

/* What it took in part is not sent again. */
static void test_partial_success(void **state)
{
	struct receiver r;
	struct otlp_push_stats s = push(&r, ACTIONS("partial/3"), 5);

	(void)state;
	assert_int_equal(s.sent, 7);
	assert_int_equal(s.rejected, 3);
	assert_int_equal(s.requests, 1);
	assert_string_equal(s.last_error, "\\x1b[31mno"); /* its words are escaped */
	expect_units(&r, 5);
}

/* What a proxy, or a server in trouble, makes of requests and answers: nothing is sent twice that was taken, nothing is lost. */
static void test_odd_answers(void **state)
{
	static const struct {
		const char *action;
		uint64_t sent, rejected, requests;
	} rows[] = {
		{ "half", 10, 0, 2 },      /* cut off in the middle of the request: sent again */
		{ "noise", 10, 0, 2 },     /* nothing was said to be taken */
		{ "gzip/3", 7, 3, 1 },     /* its words are understood */
		{ "chunked/3", 7, 3, 1 },
		{ "badgzip", 10, 0, 1 },   /* 200: it was taken, whatever else it says */
		{ "cut", 10, 0, 1 },
		{ "continue", 10, 0, 1 },
		{ "bye", 10, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct receiver r;
		struct otlp_push_stats s = push(&r, ACTIONS(rows[i].action), 5);

		if (s.sent != rows[i].sent || s.rejected != rows[i].rejected || s.requests != rows[i].requests)
			fail_msg("%s: sent %d, rejected %d, in %d requests; %s", rows[i].action, (int)s.sent, (int)s.rejected,
				(int)s.requests, r.report);
		expect_units(&r, 5);
		assert_int_equal(s.in_trouble, s.rejected > 0);
	}
}

/* "Retry-After: 0", or a date that is past, is no leave to come back again and again at once. */
static void test_asked_not_to_wait(void **state)
{
	int64_t began_ms = clock_ms(CLOCK_MONOTONIC);
	struct receiver r;
	struct otlp_push_stats s = push(&r, ACTIONS("429/0", "503/d-100"), 5);

	(void)state;
	assert_int_equal(s.sent, 10);
	assert_int_equal(s.requests, 3);
	assert_in_range(clock_ms(CLOCK_MONOTONIC) - began_ms, 400 + 800, 20000); /* a fifth less than 0.5 s and 1 s */
}

/* Another collector takes over, of what waits and of what is on its way to one that does not answer. */
static void test_handed_over(void **state)
{
	struct receiver stalled, r;
	struct otlp_settings old_settings, settings;
	struct otlp_push *old = NULL, *p = NULL;
	struct pollfd fd = { .events = POLLIN };
	struct otlp_push_stats stats;

	(void)state;
	start(&stalled, ACTIONS("stall"));
	start(&r, ACTIONS("ok"));
	old_settings = settings_for(stalled.port, OTLP_JSON);
	settings = settings_for(r.port, OTLP_JSON);
	assert_int_equal(otlp_push_new(&old_settings, 1 << 20, &old, NULL), 0);
	assert_int_equal(otlp_push_new(&settings, 1 << 20, &p, NULL), 0);
	add_units(old, 0, 300);
	fd.fd = otlp_push_fd(old);
	do {
		assert_int_equal(poll(&fd, 1, 5000), 1);
		otlp_push_run(old);
		otlp_push_get_stats(old, &stats);
	} while (!stats.requests);
	otlp_push_hand_over(old, p);
	otlp_push_get_stats(old, &stats);
	assert_int_equal(stats.queued_spans + stats.queued_bytes + stats.dropped, 0);
	otlp_push_free(old);
	add_units(p, 300, 5);
	otlp_push_close(p, 20000);
	otlp_push_get_stats(p, &stats);
	assert_int_equal(stats.sent, 610);
	otlp_push_free(p);
	free(old_settings.url);
	free(settings.url);
	finish(&r);
	finish(&stalled);
	expect_units(&r, 305);
}

/* A collector is replaced, or the program ends, before there was anything to send. */
static void test_nothing_queued(void **state)
{
	struct otlp_settings settings = settings_for(1, OTLP_JSON);
	struct otlp_push *old = NULL, *p = NULL;
	struct otlp_push_stats stats;

	(void)state;
	assert_int_equal(otlp_push_new(&settings, 1 << 20, &old, NULL), 0);
	assert_int_equal(otlp_push_new(&settings, 1 << 20, &p, NULL), 0);
	otlp_push_hand_over(old, p);
	otlp_push_free(old);
	otlp_push_close(p, 0);
	otlp_push_get_stats(p, &stats);
	assert_int_equal(stats.requests + stats.queued_bytes + stats.dropped + stats.failed, 0);
	otlp_push_free(p);
	free(settings.url);
}

static void test_refused(void **state)
{
	struct receiver r;
	struct otlp_push_stats s = push(&r, ACTIONS("400"), 5);

	(void)state;
	assert_int_equal(s.failed, 10);
	assert_int_equal(s.retries, 0);
	assert_string_equal(s.last_error, "the collector answers 400");
	s = push(&r, ACTIONS("307", "ok"), 5); /* redirects are not followed: headers are secrets */
	assert_int_equal(s.failed, 10);
	s = push(&r, ACTIONS("garbage"), 5);
	assert_int_equal(s.sent, 10);
}

static void test_protobuf_and_gzip(void **state)
{
	struct receiver r;
	struct otlp_settings settings;
	struct otlp_push_stats stats;
	struct otlp_push *p = NULL;

	(void)state;
	start(&r, ACTIONS("ok"));
	settings = settings_for(r.port, OTLP_PROTOBUF);
	settings.gzip = true;
	assert_int_equal(otlp_push_new(&settings, 1 << 20, &p, NULL), 0);
	add_units(p, 10, 50);
	otlp_push_close(p, 5000);
	otlp_push_get_stats(p, &stats);
	otlp_push_free(p);
	free(settings.url);
	finish(&r);
	assert_int_equal(stats.sent, 100);
	expect(&r, "\"content-encoding\": \"gzip\"");
	expect(&r, "\"content-type\": \"application/x-protobuf\"");
	expect(&r, "\"units\": [500]"); /* bytes: 50 times tag, length and {"u":NN} */
}

/* Nobody listens: nothing waits, the queue is bounded, and what did not fit is counted. */
static void test_nobody_there(void **state)
{
	struct otlp_settings settings = settings_for(1, OTLP_JSON);
	struct otlp_push_stats stats;
	struct otlp_push *p = NULL;

	(void)state;
	assert_int_equal(otlp_push_new(&settings, 100, &p, NULL), 0);
	add_units(p, 10, 50); /* of 8 bytes each */
	otlp_push_get_stats(p, &stats);
	assert_int_equal(stats.dropped, 2 * (50 - 100 / 8));
	assert_int_equal(stats.queued_spans, 2 * (100 / 8));
	otlp_push_close(p, 200);
	otlp_push_get_stats(p, &stats);
	assert_int_equal(stats.dropped, 100);
	assert_int_equal(stats.sent, 0);
	assert_int_equal(stats.queued_bytes, 0);
	otlp_push_free(p);
	free(settings.url);
}

/* The caller's loop: the descriptor wakes it up, for the batch that is due and for each answer. */
static void test_loop(void **state)
{
	struct receiver r;
	struct otlp_settings settings;
	struct otlp_push_stats stats;
	struct otlp_push *p = NULL;
	struct pollfd fd = { .events = POLLIN };
	int turns = 0;

	(void)state;
	start(&r, ACTIONS("503/1"));
	settings = settings_for(r.port, OTLP_JSON);
	assert_int_equal(otlp_push_new(&settings, 1 << 20, &p, NULL), 0);
	fd.fd = otlp_push_fd(p);
	assert_int_equal(poll(&fd, 1, 0), 0); /* nothing to do */
	add_units(p, 0, 3);
	do {
		assert_int_equal(poll(&fd, 1, 5000), 1);
		otlp_push_run(p);
		otlp_push_get_stats(p, &stats);
	} while (stats.queued_spans && ++turns < 1000);
	assert_int_equal(stats.sent, 6);
	assert_true(turns < 200); /* it sleeps in between */
	assert_int_equal(poll(&fd, 1, 50), 0);
	otlp_push_free(p);
	free(settings.url);
	finish(&r);
	expect_units(&r, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken), cmocka_unit_test(test_asked_to_wait), cmocka_unit_test(test_lost_connections),
		cmocka_unit_test(test_too_large_at_once), cmocka_unit_test(test_too_large_at_all),
		cmocka_unit_test(test_partial_success), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_odd_answers), cmocka_unit_test(test_asked_not_to_wait), cmocka_unit_test(test_handed_over),
		cmocka_unit_test(test_nothing_queued),
		cmocka_unit_test(test_protobuf_and_gzip), cmocka_unit_test(test_nobody_there), cmocka_unit_test(test_loop),
	};

	return cmocka_run_group_tests_name("otlp_push", tests, start_receivers, stop_receivers);
}
