/* SPDX-License-Identifier: Apache-2.0 */
/* The waterfall: what is said, that lines fit, that hostile bytes stay harmless. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exporters/diagnose.h"
#include "exporters/format.h"
#include "exporters/waterfall.h"
#include "exporters/waterfall_ruler.h"
#include "exporters/waterfall_text.h"
#include "unit/model_builder.h"

static char *draw(struct container *c, enum waterfall_detail detail, size_t width, bool utf8)
{
	struct waterfall_options o = { .detail = detail, .width = width, .utf8 = utf8 };
	struct strbuf sb = { 0 };

	waterfall_print(&sb, c, &o);
	return strbuf_steal(&sb);
}

/* The line that begins with those bytes, as a string of its own. */
static char *line_of(const char *text, const char *begins)
{
	while (text && strncmp(text, begins, strlen(begins)) != 0) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text ? xstrndup(text, strcspn(text, "\n")) : xstrdup("");
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void expect_not_in(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in:\n%s", part, text);
}

static void test_values(void **state)
{
	static const struct { uint64_t ns; const char *text; } durations[] = {
		{ 0, "0 ns" }, { 999, "999 ns" }, { 1000, "1.00 us" }, { 12345, "12.3 us" }, { 9995, "10.0 us" },
		{ 999499, "999 us" }, { 999500, "1.00 ms" }, { 99950000, "100 ms" }, { 1234567890, "1.23 s" },
		{ 99999999999, "100 s" }, { 125000000000, "2m 05s" }, { 7500000000000, "2h 05m" },
		{ 273600000000000, "3d 04h" },
	};
	static const struct { uint64_t bytes; const char *text; } sizes[] = {
		{ 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1 KiB" }, { 268435456, "256 MiB" },
		{ 1610612736, "1.5 GiB" }, { UINT64_MAX, "15.9 EiB" },
	};
	char buffer[FORMAT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
		assert_string_equal(format_duration(buffer, durations[i].ns, false), durations[i].text);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_string_equal(format_bytes(buffer, sizes[i].bytes), sizes[i].text);
	assert_string_equal(format_signal(buffer, 9), "SIGKILL");
	assert_string_equal(format_signal(buffer, 99), "signal 99");
	assert_string_equal(format_errno(buffer, 2), "ENOENT");
	assert_string_equal(format_errno(buffer, 4711), "errno 4711");
}

static void test_fit(void **state)
{
	static const struct { const char *text; size_t columns; bool utf8; const char *fitted; } cases[] = {
		{ "abc", 5, true, "abc  " }, { "abcdef", 5, true, "abcd…" }, { "abcdef", 5, false, "abc.." },
		{ "日本語", 6, true, "日本語" }, { "日本語", 5, true, "日本…" }, { "日本語", 4, true, "日… " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf sb = { 0 };

		format_fit(&sb, cases[i].text, cases[i].columns, cases[i].utf8);
		assert_string_equal(sb.text, cases[i].fitted);
		strbuf_free(&sb);
	}
}

/* conmon's forty arguments: as many as a line bears, and how many are left. */
static void test_many_arguments(void **state)
{
	struct container *c = mb_container("x");
	struct strbuf sb = { 0 };
	char list[4000] = "conmon";

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(list, "\x1f--exit-command-arg");
	mb_step(c, STEP_EXEC, PHASE_EXEC, -1, 0, 1, "path", "/usr/bin/conmon", "*argv", list, NULL);
	text_step(&sb, &c->steps[0], false);
	assert_true(sb.length > 300 && sb.length < 500);
	expect_in(sb.text, "exec /usr/bin/conmon: conmon --exit-command-arg --exit");
	assert_string_equal(strrchr(sb.text, '.') + 1, " and 79 more");
	strbuf_reset(&sb);
	mb_step(c, STEP_EXEC, PHASE_EXEC, -1, 0, 1, "path", "/bin/sh", "*argv", "sh\x1f\x1f-c\x1ftrue", NULL);
	text_step(&sb, &c->steps[1], false);
	assert_string_equal(sb.text, "exec /bin/sh: sh  -c true");
	strbuf_free(&sb);
	mb_free(c);
}

static void test_lines_fit(void **state)
{
	static const size_t widths[] = { 60, 80, 120, 200, 400 };
	struct container *all[] = { mb_docker_run(2100), mb_docker_run(3600e6), mb_oom(), mb_failed_start() };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]) * 4; w++) {
			char *text = draw(all[i], w & 1 ? WATERFALL_FULL : WATERFALL_SUMMARY, widths[w / 4], w & 2);

			for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
				/* One word may be longer than a line: a path is never broken. */
				if (format_width(line) > widths[w / 4] && strchr(line, ' '))
					fail_msg("%zu columns of %zu: %s", format_width(line), widths[w / 4], line);
				for (const char *b = line; !(w & 2) && *b; b++)
					assert_in_range((unsigned char)*b, 0x20, 0x7e);
			}
			free(text);
		}
		mb_free(all[i]);
	}
}

static void test_summary_tells(void **state)
{
	struct container *c = mb_docker_run(2100);
	char *text = draw(c, WATERFALL_SUMMARY, 120, true), *line;
	size_t lines = 0;

	(void)state;
	expect_in(text, "web  9c7c3f0a1b2c  image busybox:latest  by docker  with runc\n");
	expect_in(text, "$ docker run --rm --memory 256m busybox true\n");
	expect_in(text, "\nexit 0\n");
	expect_in(text, "start 409 ms · run 2.10 ms · teardown 200 ms");
	expect_in(text, "memory 256 MiB, memory+swap 512 MiB, cpu 0.5 (50 of every 100 ms), pids 100");
	expect_in(text, "mount ×13");
	expect_in(text, "  ├ runc create 8850 ");
	expect_in(text, "░");
	expect_in(text, "\nnothing lost\n");
	line = line_of(text, "mounts");
	expect_in(line, "13.4 ms   2%");
	free(line);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_in_range(lines, 20, 35);
	free(text);
	mb_free(c);
}

static void test_deaths(void **state)
{
	struct container *c = mb_oom();
	char *text = draw(c, WATERFALL_SUMMARY, 200, true);

	(void)state;
	expect_in(text, "killed by SIGKILL (OOM: 256 MiB limit of /docker/9c7c3f0a1b2c… hit, usage 255 MiB), exit code 137");
	free(text);
	c->exit.oom = false;
	c->exit.signal = 15;
	c->exit.has_sender = true;
	c->exit.sender_pid = 812;
	strcpy(c->exit.sender_comm, "dockerd");
	text = draw(c, WATERFALL_SUMMARY, 200, true);
	expect_in(text, "killed by SIGTERM from dockerd (pid 812), exit code 137");
	free(text);
	mb_free(c);

	c = mb_failed_start();
	text = draw(c, WATERFALL_FULL, 120, true);
	expect_in(text, "did not start: exec /nosuch: ENOENT (No such file or directory)\n");
	expect_in(text, " └ ENOENT exec /nosuch ");
	free(text);
	/* what the runtime still does after the exec failed does not hide why */
	mb_step(c, STEP_CAPSET, PHASE_HARDEN, 4, 409000, 1, NULL);
	text = draw(c, WATERFALL_SUMMARY, 120, true);
	expect_in(text, "did not start: exec /nosuch: ENOENT");
	free(text);
	mb_free(c);
}

static void test_throttled(void **state)
{
	struct container *c = mb_docker_run(2000000);
	struct mark *m = mb_mark(c, MARK_THROTTLE, 500000);
	char *text, *line;

	(void)state;
	mb_detail(&m->details, "periods", DETAIL_U64, NULL, 12);
	mb_detail(&m->details, "throttled", DETAIL_U64, NULL, 9);
	mb_detail(&m->details, "throttled_ns", DETAIL_U64, NULL, 400000000);
	mb_detail(&m->details, "until_ns", DETAIL_U64, NULL, (int64_t)MB_NS(1700000));
	text = draw(c, WATERFALL_SUMMARY, 120, false);
	expect_not_in(text, "by its limit");
	free(text);
	c->throttling = (struct throttling){ true, 50, 0, 0 };
	text = draw(c, WATERFALL_SUMMARY, 120, false);
	expect_not_in(text, "by its limit");
	free(text);
	c->throttling = (struct throttling){ true, 50, 34, 1200000000 };
	text = draw(c, WATERFALL_SUMMARY, 120, false);
	expect_in(text, "\nthrottled 34 of 50 periods, 1.20 s, by its limit of 0.5 CPUs\n");
	line = line_of(text, "^ throttled 9 of 12 periods");
	assert_non_null(strstr(line, "####")); /* as long as it lasted */
	assert_non_null(strstr(line, "400 ms"));
	free(line);
	free(text);
	for (size_t i = 0; i < c->limit_count; i++) /* not seen */
		c->limits[i].file[0] = '-';
	text = draw(c, WATERFALL_SUMMARY, 120, false);
	expect_in(text, "\nthrottled 34 of 50 periods, 1.20 s, by its CPU limit\n");
	free(text);
	mb_free(c);
}

/* A failure that work went on after is not why a start failed. */
static void test_harmless_failures(void **state)
{
	struct container *c = mb_failed_start();
	char *text;

	(void)state;
	c->steps[c->step_count - 1].result = 0;
	for (size_t i = 0; i < c->step_count; i++) {
		if (c->steps[i].kind == STEP_MOUNT && c->steps[i].actor == 6)
			c->steps[i].result = -2;
		if (c->steps[i].kind == STEP_EXEC && c->steps[i].phase == PHASE_EXEC)
			c->steps[i] = (struct step){ .kind = STEP_CAPSET, .phase = PHASE_HARDEN, .actor = 6,
				.start_ns = c->steps[i].start_ns, .end_ns = c->steps[i].end_ns, .has_result = true,
				.details = c->steps[i].details };
	}
	text = draw(c, WATERFALL_SUMMARY, 200, true);
	expect_in(text, "did not start: given up after capset");
	expect_not_in(text, "No such file");
	expect_in(text, "the runtime's own message says why");
	free(text);
	mb_step(c, STEP_REQUEST, PHASE_REQUEST, 0, 1, 1, "method", "POST", "path", "/v1.41/containers/x/start", "message",
		"runc create failed: no \"/nosuch\"", NULL);
	text = draw(c, WATERFALL_SUMMARY, 200, true);
	expect_in(text, "; the engine's answer: runc create failed: no \"/nosuch\"\n");
	expect_not_in(text, "the runtime's own message");
	free(text);
	mb_actor(c, ACTOR_HOOK, 77, "hook", 0, 1, 2);
	c->actors[c->actor_count - 1].exited = true;
	c->actors[c->actor_count - 1].exit_status = 3 << 8;
	mb_step(c, STEP_EXEC, PHASE_HOOKS, (int)c->actor_count - 1, 1e9, 1, "path", "/etc/hook", NULL);
	text = draw(c, WATERFALL_SUMMARY, 200, true);
	expect_in(text, "did not start: its hook failed with exit code 3: exec /etc/hook\n");
	free(text);
	c->state = STATE_CREATED;
	text = draw(c, WATERFALL_SUMMARY, 200, true);
	expect_in(text, "\ncreated, not started\n");
	free(text);
	mb_free(c);
}

static void test_edges_are_honest(void **state)
{
	struct container *c = mb_docker_run(2100);
	char *text, *line;

	(void)state;
	for (size_t i = 0; i < c->phase_count; i++) {
		if (c->phases[i].phase == PHASE_NETWORK)
			c->phases[i].start_edge = EDGE_INFERRED;
		if (c->phases[i].phase == PHASE_MOUNTS)
			c->phases[i].end_edge = EDGE_LOST;
		if (c->phases[i].phase == PHASE_RUN)
			c->phases[i].end_edge = EDGE_OPEN;
	}
	c->lost = 3;
	text = draw(c, WATERFALL_SUMMARY, 120, true);
	line = line_of(text, "network");
	expect_in(line, " ~26.0 ms ");
	free(line);
	line = line_of(text, "mounts");
	expect_in(line, " ? ");
	expect_not_in(line, "ms");
	expect_not_in(line, "%");
	free(line);
	line = line_of(text, "run ");
	expect_in(line, "+");
	free(line);
	expect_in(text, "LOST 3 events");
	expect_not_in(text, "nothing lost");
	free(text);
	mb_free(c);
}

static void test_hostile_bytes(void **state)
{
	struct container *c = mb_docker_run(2100);
	char *text;

	(void)state;
	free(c->name);
	c->name = xstrdup("\x1b[2J\n\xff\xe2\x80\xae" "evil");
	strcpy(c->actors[8].comm, "\x1b]0;x\a");
	free(c->actors[8].argv[3]);
	c->actors[8].argv[3] = xstrdup("x");
	mb_detail(&c->steps[0].details, "more", DETAIL_TEXT, "\x9b\r\n", 0);
	text = draw(c, WATERFALL_FULL, 200, true);
	expect_in(text, "\\x1b[2J\\n\\xff\\u{202e}evil");
	for (const char *p = text; *p; p++)
		assert_true(*p == '\n' || (unsigned char)*p >= 0x20);
	expect_not_in(text, "\xe2\x80\xae");
	free(text);
	mb_free(c);
}

static void test_color(void **state)
{
	struct container *c = mb_failed_start();
	struct waterfall_options o = { .detail = WATERFALL_FULL, .width = 120, .utf8 = true, .color = true };
	struct strbuf sb = { 0 };
	size_t on = 0, off = 0;

	(void)state;
	waterfall_print(&sb, c, &o);
	expect_in(sb.text, "\033[31m └ ENOENT exec /nosuch");
	for (const char *p = sb.text; (p = strstr(p, "\033[")); p++)
		*(strncmp(p, "\033[0m", 4) ? &on : &off) += 1;
	assert_int_equal(on, off);
	strbuf_free(&sb);
	mb_free(c);
}

static void test_ruler(void **state)
{
	struct container *c = mb_docker_run(3600e6);
	struct ruler r;
	size_t last = 0;

	(void)state;
	ruler_init(&r, c, 100);
	assert_int_equal(r.cut_count, 1);
	assert_true(r.cuts[0].start_ns >= c->started_ns && r.cuts[0].end_ns <= c->exit.at_ns);
	/* The start has room, and time never runs backwards. */
	assert_true(ruler_at(&r, c->started_ns) > 80);
	for (uint64_t t = r.start_ns; t < r.end_ns; t += (r.end_ns - r.start_ns) / 1000) {
		assert_true(ruler_at(&r, t) >= last);
		last = ruler_at(&r, t);
	}
	assert_int_equal(ruler_at(&r, r.end_ns), 200);
	assert_int_equal(ruler_at(&r, UINT64_MAX), 200);
	assert_int_equal(ruler_at(&r, 0), 0);
	mb_free(c);
	/* A slow start is not cut: it is what one looks for. */
	c = mb_docker_run(100);
	for (size_t i = 30; i < c->step_count; i++) {
		c->steps[i].start_ns += 20000000000;
		c->steps[i].end_ns += 20000000000;
	}
	c->started_ns += 20000000000;
	c->exit.at_ns += 20000000000;
	c->last_ns += 20000000000;
	ruler_init(&r, c, 100);
	assert_int_equal(r.cut_count, 0);
	mb_free(c);
}

/* A container with a thousand exec sessions still has a summary. */
static void test_summary_is_bounded(void **state)
{
	struct container *c = mb_docker_run(3600e6);
	size_t lines = 0;
	char *text;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		mb_actor(c, ACTOR_EXEC, 10000 + (uint32_t)i, "sh", 3, 500000 + i * 1000, 500500 + i * 1000);
		mb_mark(c, MARK_EXEC_EXIT, 500500 + i * 1000);
	}
	text = draw(c, WATERFALL_SUMMARY, 100, true);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	assert_in_range(lines, 40, 70);
	expect_in(text, "and 985 more actors; ");
	expect_in(text, "and 990 more marks; ");
	free(text);
	mb_free(c);
}

static void test_longest_waits(void **state)
{
	struct container *c = mb_docker_run(2100);
	struct step *mounts = c->steps;
	char *text = draw(c, WATERFALL_FULL, 200, true);

	(void)state;
	expect_not_in(text, "longest waits"); /* nothing is known of them */
	free(text);
	while (mounts->kind != STEP_MOUNT || mounts->phase != PHASE_MOUNTS)
		mounts++;
	mb_times(&mounts[0], 10, 0, 999, "short_of_a_millisecond");
	text = draw(c, WATERFALL_FULL, 200, true);
	expect_not_in(text, "longest waits");
	free(text);
	mb_times(&mounts[1], 10, 3000, 400, "not_the_longer_of_both");
	mb_times(&mounts[2], 10, 0, 2000, NULL);
	mb_times(&mounts[3], 10, 0, 9000, "io\x1f" "read\x1f" "sync\x1f" "outermost");
	mb_times(&mounts[4], 10, 0, 2000, "later_of_two");
	mb_times(&mounts[5], 10, 1000, 1000, "least");
	text = draw(c, WATERFALL_FULL, 200, true);
	expect_in(text, "longest waits\n  9.00 ms blocked in ");
	expect_in(text, ": io ← read ← sync\n  3.00 ms waiting for a CPU in ");
	expect_in(text, "\n  2.00 ms blocked in ");
	expect_in(text, "\n  and 2 more of at least 1 ms\n");
	expect_not_in(text, "outermost");
	expect_not_in(text, "not_the_longer_of_both");
	expect_not_in(text, "later_of_two");
	free(text);
	mb_free(c);
}

/* One is one, and what was missed is said in the same words wherever it is said. */
static void test_singular(void **state)
{
	struct timeline_stats stats = { .forgotten = 1, .names_forgotten = 1, .clients_ignored = 1, .callers_forgotten = 1 };
	struct container *c = mb_docker_run(2100);
	struct strbuf sb = { 0 };
	char *text;

	(void)state;
	text_forgotten(&sb, &stats);
	assert_string_equal(sb.text, ", 1 ended container forgotten, 1 name told too early forgotten, 1 client not asked for ids, "
		"1 caller's span forgotten");
	strbuf_reset(&sb);
	c->lost = 1;
	c->inferred_front = 1;
	text = draw(c, WATERFALL_SUMMARY, 120, true);
	expect_in(text, "LOST 1 event while it lived");
	expect_in(text, "the first steps of 1 phase may have been missed before the detail hooks were armed");
	free(text);
	diagnose_print(&sb, c, NULL, true);
	expect_in(sb.text, "  1 event was lost while it lived");
	expect_in(sb.text, "  the first steps of 1 phase may have been missed before the detail hooks were armed\n");
	strbuf_free(&sb);
	c->inferred_front = 2;
	text = draw(c, WATERFALL_SUMMARY, 120, true);
	expect_in(text, "the first steps of 2 phases may have been missed");
	free(text);
	mb_free(c);
}

/* Numbers from outside that make no sense draw something and break nothing. */
static void test_nonsense(void **state)
{
	struct container *c = mb_docker_run(2100);

	(void)state;
	c->actors[0].parent = 4;
	c->actors[4].parent = 0; /* a circle */
	c->steps[3].actor = 999;
	c->steps[4].start_ns = 0;
	c->steps[5].end_ns = UINT64_MAX;
	c->steps[6].start_ns = UINT64_MAX;
	c->gaps[0].before_actor = 999;
	free(draw(c, WATERFALL_FULL, 80, true));
	c->last_ns = 0;
	free(draw(c, WATERFALL_FULL, 80, true));
	c->first_ns = UINT64_MAX;
	free(draw(c, WATERFALL_SUMMARY, 80, true));
	mb_free(c);
	c = mb_container("");
	free(draw(c, WATERFALL_SUMMARY, 0, false));
	mb_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_fit), cmocka_unit_test(test_many_arguments), cmocka_unit_test(test_lines_fit),
		cmocka_unit_test(test_summary_tells), cmocka_unit_test(test_deaths),
		cmocka_unit_test(test_throttled), cmocka_unit_test(test_harmless_failures),
		cmocka_unit_test(test_edges_are_honest), cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_color), cmocka_unit_test(test_ruler), cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_summary_is_bounded), cmocka_unit_test(test_longest_waits), cmocka_unit_test(test_singular),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("waterfall", tests, NULL, NULL);
}
