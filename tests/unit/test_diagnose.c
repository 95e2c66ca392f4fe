/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences about containers: diagnoses, and comparisons of two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "exporters/diagnose.h"
#include "exporters/diff.h"
#include "unit/model_builder.h"

static void expect(const struct strbuf *sb, const char *part, bool wanted)
{
	if ((strstr(sb->text, part) != NULL) != wanted)
		fail_msg("\"%s\" is %sin:\n%s", part, wanted ? "not " : "", sb->text);
}

static void test_oom(void **state)
{
	struct container *c = mb_oom();
	struct strbuf sb = { 0 };

	(void)state;
	diagnose_print(&sb, c, NULL, true);
	expect(&sb, "why it ended\n  killed by SIGKILL (OOM: 256 MiB limit", true);
	expect(&sb, "the limit is the container's own: memory.limit_in_bytes was set to 268435456 234 ms after", true);
	expect(&sb, "that was 541 ms after its program began", true);
	expect(&sb, "what its start took\n  409 ms in all\n", true);
	expect(&sb, "405 ms  request", true);
	expect(&sb, "others' median", false);
	expect(&sb, "in 104 ms of it nothing was seen; the longest such time is 75.0 ms, before runc start 8870", true);
	expect(&sb, "what may be missing", false);
	strbuf_reset(&sb);
	c->lost = 3;
	mb_detail(&c->marks[1].details, "limit_of", DETAIL_TEXT, "parent", 0);
	free(c->limits[1].value);
	c->limits[1].value = xstrdup("1");
	diagnose_print(&sb, c, NULL, true);
	expect(&sb, "not the container's but that of a cgroup above it", true);
	expect(&sb, "3 events were lost while it lived", true);
	strbuf_free(&sb);
	mb_free(c);
}

static void test_sender(void **state)
{
	struct container *c = mb_docker_run(5000);
	struct mark *asked;
	struct strbuf sb = { 0 };

	(void)state;
	c->exit.signal = 9;
	c->exit.code = 137;
	c->exit.has_sender = true;
	c->exit.sender_pid = 8890; /* the second runc, a child of the shim */
	memcpy(c->exit.sender_comm, "runc", 5);
	mb_step(c, STEP_REQUEST, PHASE_RUN, 0, 409000, 100, "method", "POST", "path", "/v1.41/containers/web/kill", NULL);
	diagnose_print(&sb, c, NULL, true);
	expect(&sb, "killed by SIGKILL from runc (pid 8890), exit code 137\n", true);
	expect(&sb, "  the signal came from runc delete 8890:  runc --root /run/r delete", true);
	expect(&sb, "    started by containerd-shim-runc-v2 8840\n", true);
	expect(&sb, "somebody asked for it: POST /v1.41/containers/web/kill by docker 8801", true);
	expect(&sb, "asked to end", false);
	expect(&sb, "its shim was killed", false);
	expect(&sb, "start no.", false);
	strbuf_reset(&sb);
	asked = mb_mark(c, MARK_SIGNAL, 410000);
	asked->at_ns = c->exit.at_ns - 1000000000;
	mb_detail(&asked->details, "signal", DETAIL_NUMBER, NULL, 15);
	mb_detail(&asked->details, "sender", DETAIL_TEXT, "runc", 0);
	mb_detail(&asked->details, "sender_pid", DETAIL_NUMBER, NULL, 8889);
	c->generation = 2;
	for (size_t i = 0; i < c->actor_count; i++) {
		if (c->actors[i].role != ACTOR_SHIM)
			continue;
		c->actors[i].exited = true;
		c->actors[i].exit_status = 9;
		c->actors[i].end_ns = c->exit.at_ns - 2000000000;
	}
	diagnose_print(&sb, c, NULL, true);
	expect(&sb, "  it was asked to end 1.00 s before: SIGTERM from runc (pid 8889); its first process did not end by it\n", true);
	expect(&sb, "  2.00 s before, its shim was killed by SIGKILL: containerd-shim-runc-v2 8840\n", true);
	expect(&sb, "  start no. 3\n", true);
	strbuf_reset(&sb);
	mb_detail(&asked->details, "ignored", DETAIL_BOOL, NULL, 1);
	diagnose_print(&sb, c, NULL, true);
	expect(&sb, "SIGTERM from runc (pid 8889), ignored: its first process has no handler for that signal\n", true);
	strbuf_free(&sb);
	mb_free(c);
}

/* A daemon that was killed in the middle of a start is why there is no container. */
static void test_killed_daemon(void **state)
{
	struct container *c = mb_docker_run(5000);
	struct strbuf sb = { 0 };

	(void)state;
	c->exit = (struct exit_info){ 0 };
	c->state = STATE_RUNNING;
	for (size_t i = 0; i < c->actor_count; i++) {
		if (c->actors[i].role != ACTOR_ENGINE)
			continue;
		c->actors[i].exited = true;
		c->actors[i].exit_status = 9;
		c->actors[i].end_ns = c->last_ns - 3000000;
	}
	diagnose_print(&sb, c, NULL, true);
	expect(&sb, "how it is\n  running\n", true);
	expect(&sb, "why it ended", false);
	expect(&sb, "was killed", false);
	strbuf_reset(&sb);
	c->started_ns = 0;
	c->state = STATE_CREATED;
	diagnose_print(&sb, c, NULL, true);
	expect(&sb, "  3.00 ms before the last sign of it, its engine was killed by SIGKILL: dockerd", true);
	strbuf_free(&sb);
	mb_free(c);
}

static void test_failed_start(void **state)
{
	struct container *c = mb_failed_start();
	struct strbuf sb = { 0 };

	(void)state;
	diagnose_print(&sb, c, NULL, false);
	expect(&sb, "did not start: exec /nosuch: ENOENT (No such file or directory)", true);
	expect(&sb, "calls that failed\n  ENOENT  exec /nosuch, in exec\n", true);
	expect(&sb, "did no harm", false);
	strbuf_free(&sb);
	mb_free(c);
}

/* Three others start in half the time. */
static void test_others(void **state)
{
	struct container *c = mb_docker_run(1000), *others[3];
	const struct container *list[3];
	struct strbuf sb = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		others[i] = mb_docker_run(1000);
		others[i]->started_ns -= 204000000 + i;
		list[i] = others[i];
	}
	diagnose_print(&sb, c, &(struct diagnose_others){ list, 3 }, true);
	expect(&sb, "409 ms in all, the others' median is 204 ms: 1.9 times as long", true);
	strbuf_reset(&sb);
	diagnose_print(&sb, c, &(struct diagnose_others){ list, 2 }, true);
	expect(&sb, "others' median", false);
	strbuf_free(&sb);
	for (size_t i = 0; i < 3; i++)
		mb_free(others[i]);
	mb_free(c);
}

static void test_labels(void **state)
{
	static const struct { enum step_kind kind; const char *key, *text, *label; } cases[] = {
		{ STEP_CGROUP_RMDIR, "path", "/docker/" MB_ID, "cgroup rmdir /docker/ID…" },
		{ STEP_CHROOT, "path", "/run/runc.j0qLJI/rootfs", "chroot /run/runc.X/rootfs" },
		{ STEP_CHROOT, "path", "/etc/resolv.conf", "chroot /etc/resolv.conf" },
		{ STEP_CHROOT, "path", "/proc/12345/ns", "chroot /proc/N/ns" },
		{ STEP_CHROOT, "path", "/l/EXYK7QIPLXUE75JMQKTMYA2LYU", "chroot /l/ID" },
		{ STEP_CHROOT, "path", "/deadbeef/faced1234", "chroot /deadbeef/ID" },
		{ STEP_VETH, "name", "vethf4b8f3d", "veth X" },
	};
	struct container *c = mb_docker_run(10);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf sb = { 0 };

		diff_label(&sb, c, mb_step(c, cases[i].kind, PHASE_RUN, -1, 0, 0, cases[i].key, cases[i].text, NULL), true);
		assert_string_equal(sb.text, cases[i].label);
		strbuf_free(&sb);
	}
	mb_free(c);
}

static void test_diff(void **state)
{
	struct container *a = mb_docker_run(2000), *b = mb_docker_run(2000);
	struct strbuf sb = { 0 };

	(void)state;
	diff_print(&sb, &(struct diff_side){ a, "one" }, &(struct diff_side){ b, "two" }, true);
	expect(&sb, "steps", false); /* nothing differs */
	expect(&sb, "limits", false);
	expect(&sb, "  start               409 ms      409 ms           =\n", true);
	strbuf_reset(&sb);
	b->steps[1].end_ns += 50000000; /* the overlay mount */
	mb_step(b, STEP_CHROOT, PHASE_PIVOT, 6, 280000, 5, "path", "/x", NULL);
	mb_step(b, STEP_CHROOT, PHASE_PIVOT, 6, 280000, 5, "path", "/x", NULL);
	a->steps[a->step_count - 1].result = -16;
	free(b->limits[1].value);
	b->limits[1].value = xstrdup("\x1b[2J");
	mb_limit(b, "pids.max", "7", 1);
	diff_print(&sb, &(struct diff_side){ a, "one" }, &(struct diff_side){ b, "two" }, true);
	expect(&sb, "steps that took longer or shorter\n        420 µs →     50.4 ms  mount overlay", true);
	expect(&sb, "steps only in B, or more often there\n  chroot /x ×2\n", true);
	expect(&sb, "steps only in A", false);
	expect(&sb, "steps that failed on one side only\n  in A  umount", true);
	expect(&sb, "\\x1b[2J", true);
	expect(&sb, "\x1b", false);
	strbuf_free(&sb);
	mb_free(a);
	mb_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oom), cmocka_unit_test(test_sender), cmocka_unit_test(test_killed_daemon),
		cmocka_unit_test(test_failed_start),
		cmocka_unit_test(test_others), cmocka_unit_test(test_labels), cmocka_unit_test(test_diff),
	};

	return cmocka_run_group_tests_name("diagnose", tests, NULL, NULL);
}
