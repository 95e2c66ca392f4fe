/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations: the right one for the arguments, each once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exporters/explain.h"
#include "exporters/explain_rules.h"
#include "unit/model_builder.h"

/* What is said to a step of one detail, in a timeline of its own; "" for nothing. */
static char *say(enum step_kind kind, const char *key, const char *value)
{
	struct container *c = mb_container("x");
	struct step *s = mb_step(c, kind, PHASE_CGROUP, -1, 0, 1, key, value, NULL);
	struct explain *e = explain_new(c);
	struct strbuf sb = { 0 };

	explain_step(e, s, &sb);
	explain_free(e);
	mb_free(c);
	return strbuf_steal(&sb);
}

static void expect(enum step_kind kind, const char *key, const char *value, const char *part)
{
	char *text = say(kind, key, value);

	if (!strstr(text, part))
		fail_msg("%s %s: \"%s\" is not in \"%s\"", key, value, part, text);
	free(text);
}

static void test_specific(void **state)
{
	(void)state;
	expect(STEP_CGROUP_WRITE, "file", "memory.limit_in_bytes", "v1 (memory.max on v2)");
	expect(STEP_CGROUP_WRITE, "file", "memory.max", "v2 (memory.limit_in_bytes on v1)");
	expect(STEP_CGROUP_WRITE, "file", "cpu.max", "quota and period");
	expect(STEP_CGROUP_WRITE, "file", "pids.max", "EAGAIN");
	expect(STEP_CGROUP_WRITE, "file", "unheard.of", "writing to the files");
	expect(STEP_UNSHARE, "*flags", "CLONE_NEWNS\x1f" "CLONE_NEWPID", "NEWPID: process numbers");
	expect(STEP_CLONE, "*flags", "CLONE_NEWUSER", "NEWUSER: user and group");
	expect(STEP_PIVOT_ROOT, "new_root", ".", "stacked on one place");
	expect(STEP_PIVOT_ROOT, "new_root", "/rootfs", "chroot only");
	expect(STEP_CLONE, "*flags", "CLONE_VM\x1f" "CLONE_VFORK", "Starts another program");
	expect(STEP_MKNOD, "path", "/run/x/exec.fifo", "named pipe");
	expect(STEP_EXEC, "path", "/proc/self/fd/6", "CVE-2019-5736");
	expect(STEP_MOUNT, "fstype", "proc", "pid namespace");
	expect(STEP_MOUNT, "*flags", "MS_NOSUID\x1fMS_NODEV", "nodev: device files");
	expect(STEP_MOUNT, "source", "/dev/null", "masked path");
	expect(STEP_MOUNT, "target", "/var/lib/x/merged/dev", "becomes /dev");
	expect(STEP_MOUNT, "target", "/dev/shm", "shared memory");
}

static void test_resolved_target(void **state)
{
	struct container *c = mb_container("x");
	struct step *s = mb_step(c, STEP_MOUNT, PHASE_MOUNTS, -1, 0, 1, "target", "/proc/self/fd/7", "resolved",
		"/merged/dev/shm", NULL);
	struct explain *e = explain_new(c);
	struct strbuf sb = { 0 };

	(void)state;
	assert_int_equal(explain_step(e, s, &sb), EXPLAINED);
	assert_non_null(strstr(sb.text, "shared memory"));
	strbuf_free(&sb);
	explain_free(e);
	mb_free(c);
}

/* Init's first exec starts the container, its later ones do not, and that is said once. */
static void test_later_programs(void **state)
{
	struct container *c = mb_container("x");
	int init = mb_actor(c, ACTOR_INIT, 8, "sh", -1, 0, 1);
	struct explain *e;
	struct strbuf first = { 0 }, later = { 0 };

	(void)state;
	c->started_ns = c->actors[init].start_ns;
	mb_step(c, STEP_EXEC, PHASE_EXEC, init, 0, 0, "path", "/bin/sh", NULL);
	for (int i = 1; i < 3; i++)
		mb_step(c, STEP_EXEC, PHASE_RUN, init, i, 0, "path", "/usr/sbin/nginx", NULL);
	e = explain_new(c);
	assert_int_equal(explain_step(e, &c->steps[0], &first), EXPLAINED);
	assert_non_null(strstr(first.text, "the container starts"));
	assert_int_equal(explain_step(e, &c->steps[1], &later), EXPLAINED);
	assert_non_null(strstr(later.text, "the pid stays"));
	assert_int_equal(explain_step(e, &c->steps[2], &later), EXPLAINED_ABOVE);
	strbuf_free(&first);
	strbuf_free(&later);
	explain_free(e);
	mb_free(c);
}

static void test_only_the_flags_that_are_there(void **state)
{
	char *text = say(STEP_UNSHARE, "*flags", "CLONE_NEWUTS");

	(void)state;
	assert_non_null(strstr(text, "NEWUTS:"));
	assert_null(strstr(text, "NEWPID:"));
	assert_null(strstr(text, "NEWNET:"));
	free(text);
}

static void test_once(void **state)
{
	struct container *c = mb_docker_run(2100);
	struct explain *e = explain_new(c);
	struct strbuf all = { 0 }, one = { 0 };
	size_t repeated = 0;

	(void)state;
	for (size_t i = 0; i < c->step_count; i++) {
		strbuf_reset(&one);
		if (explain_step(e, &c->steps[i], &one) != EXPLAINED) {
			assert_int_equal(one.length, 0);
			repeated++;
			continue;
		}
		assert_true(!all.text || !strstr(all.text, one.text));
		strbuf_puts(&all, one.text);
		strbuf_putc(&all, '\n');
	}
	for (size_t i = 0; i < explain_rule_count; i++) {
		const char *first = strstr(all.text, explain_rules[i].text);

		assert_true(!first || !strstr(first + 1, explain_rules[i].text));
	}
	assert_true(repeated > 5);
	assert_non_null(strstr(all.text, "This is the moment the container starts"));
	strbuf_free(&all);
	strbuf_free(&one);
	explain_free(e);
	mb_free(c);
}

/* Every kind has a sentence that needs no detail, except where what to say depends on them. */
static void test_every_kind(void **state)
{
	(void)state;
	for (int kind = 0; kind < STEP_KIND_COUNT; kind++) {
		char *text = say((enum step_kind)kind, "nothing", "nothing");

		if (!text[0])
			fail_msg("nothing is said about %s", step_kind_name((enum step_kind)kind));
		free(text);
	}
}

/* Prose that fits: a sentence or two, ended, ASCII so that every terminal shows it. */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < explain_rule_count; i++) {
		const struct explain_rule *r = &explain_rules[i];
		size_t length = strlen(r->text);

		assert_in_range(length, 20, 400);
		if (r->text[length - 1] != '.')
			fail_msg("not a sentence: %s", r->text);
		for (size_t k = 0; k < length; k++)
			assert_in_range((unsigned char)r->text[k], 0x20, 0x7e);
		assert_true((r->match == EXPLAIN_ANY) == (r->value == NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_specific), cmocka_unit_test(test_resolved_target),
		cmocka_unit_test(test_later_programs),
		cmocka_unit_test(test_only_the_flags_that_are_there), cmocka_unit_test(test_once),
		cmocka_unit_test(test_every_kind), cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
