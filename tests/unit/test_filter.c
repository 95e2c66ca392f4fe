/* SPDX-License-Identifier: Apache-2.0 */
/* The filter language: what it accepts, what it says of mistakes, what passes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "exporters/filter.h"
#include "unit/model_builder.h"

static struct filter *parse(const char *text)
{
	struct filter *f = NULL;
	struct error err = { 0 };

	if (filter_parse(text, &f, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return f;
}

static void expect_container(const struct container *c, const char *text, bool wanted)
{
	struct filter *f = parse(text);

	if (filter_container(f, c) != wanted)
		fail_msg("%s: %s", text, wanted ? "does not pass" : "passes");
	filter_free(f);
}

static void test_mistakes_and_their_columns(void **state)
{
	static const struct { const char *text; size_t column; const char *says; } cases[] = {
		{ "conti~web", 1, "there is no field \"conti\"; there are cont, id" },
		{ "cont~web foo=1", 10, "there is no field \"foo\"" },
		{ "web", 1, "cont~web" },
		{ "name=\xc3\xa4 foo=1", 8, "there is no field \"foo\"" }, /* characters, not bytes */
		{ "cont", 5, "an operator must stand here" },
		{ "cont ~web", 5, "an operator must stand here" },
		{ "cont~", 6, "a value is missing" },
		{ "cont~ web", 6, "a value is missing" },
		{ "type=oom,", 10, "a value is missing" },
		{ "type=,oom", 6, "a value is missing" },
		{ "type=omo", 6, "\"omo\" is no type" },
		{ "state=created,runing", 15, "\"runing\" is no state; there are created, running" },
		{ "phase=mount", 7, "\"mount\" is no phase; there are request" },
		{ "dur>50", 5, "\"50\" needs a unit" },
		{ "dur>50 ms", 5, "\"50\" needs a unit" },
		{ "dur>fast", 5, "is not a time such as 50ms" },
		{ "dur>1.2.3ms", 5, "is not a time" },
		{ "dur>infs", 5, "is not a time" },
		{ "dur>99999999999h", 5, "too long" },
		{ "dur>1ms,2ms", 8, "take one value" },
		{ "dur~5ms", 4, "is a number" },
		{ "exit=x", 6, "not a whole number" },
		{ "exit=1x", 6, "not a whole number" },
		{ "exit=99999999999999999999", 6, "not a whole number" },
		{ "oom=maybe", 5, "neither yes nor no" },
		{ "oom>yes", 4, "yes or no" },
		{ "signal=KILLED", 8, "is not a signal" },
		{ "name>x", 5, "is a text" },
		{ "name!x", 5, "an operator must stand here" },
		{ "name=\"a b", 6, "the quote \" is not closed" },
		{ "name=x'", 7, "the quote ' is not closed" },
		{ "=x", 1, "the name of a field must stand here" },
		{ "name=\"a\x01\" na\x1b=1", 11, "there is no field \"na\\x1b\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter *f = NULL;
		struct error err = { 0 };
		size_t column = 0;
		char begins[32];

		assert_int_equal(filter_parse(cases[i].text, &f, &column, &err), -EINVAL);
		assert_null(f);
		snprintf(begins, sizeof(begins), "column %zu: ", cases[i].column);
		if (column != cases[i].column || strncmp(err.text, begins, strlen(begins)) != 0 ||
			!strstr(err.text, cases[i].says))
			fail_msg("%s: column %zu: %s", cases[i].text, column, err.text);
	}
}

static void test_too_long(void **state)
{
	char text[FILTER_MAX + 2];
	struct filter *f = NULL;
	struct error err = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "name=", 5);
	text[FILTER_MAX + 1] = '\0';
	assert_int_equal(filter_parse(text, &f, NULL, &err), -EINVAL);
	text[FILTER_MAX] = '\0';
	assert_int_equal(filter_parse(text, &f, NULL, &err), 0);
	filter_free(f);
}

static void test_containers(void **state)
{
	static const struct { const char *text; bool passes; } cases[] = {
		{ "", true }, { "  ", true },
		{ "cont~we", true }, { "cont~WEB", true }, { "cont=web", true }, { "cont=we", false },
		{ "cont~9c7c3f", true }, { "cont=" MB_ID, true }, { "cont~nothing", false },
		{ "cont!~web", false }, { "cont!~nothing", true }, { "cont!=web", false },
		{ "id=9c7c", true }, { "id=7c", false }, { "id~7c", true }, { "id=\"\"", false },
		{ "name=web,db", true }, { "name=db,other", false }, { "name!=db,other", true },
		{ "NAME=web", true },
		{ "image=busybox:latest", true }, { "image~busybox name=web", true },
		{ "image~busybox name=db", false },
		{ "engine=docker runtime=runc", true }, { "engine!=docker", false },
		{ "state=exited", true }, { "state=running,created", false }, { "state~exi", true },
		{ "pod=-", true }, { "pod!=-", false }, { "name=-", false }, { "name!=-", true }, { "pod!=x", true },
		{ "pod~x", false }, { "pod=\"-\"", false },
		{ "exit=137", true }, { "exit!=0", true }, { "exit>100", true }, { "exit>=137 exit<=137", true },
		{ "exit>137", false }, { "exit=1,137", true },
		{ "signal=SIGKILL", true }, { "signal=TERM,9", true }, { "signal!=KILL", false },
		{ "oom=yes", true }, { "oom=no", false }, { "oom!=false", true },
		{ "lost=0", true }, { "start>400ms", true }, { "start>409ms", false }, { "start<0.5s", true },
		/* items: one must pass */
		{ "type=oom", true }, { "type=oom,exit", true }, { "kind=oom_kill", true }, { "type=pivot_root", true },
		{ "type=throttle", false }, { "type=cgroup", true }, { "type~cgroup_wr", true },
		{ "dur>50ms", true }, { "dur>1s", false }, { "type=mount dur>50ms", false },
		{ "type=mount dur>0.2ms", true }, { "type=mount dur>200us dur<300\xc2\xb5s", true },
		{ "type=request dur>50ms", true }, { "dur=230000ns", true },
		{ "phase=mounts", true }, { "phase=hooks", false }, { "phase=pivot dur>1ms", false },
		{ "phase=request dur>400ms", true /* the phase, not one of its steps */ },
		{ "actor=cli", true }, { "actor=dockerd type=mount", true }, { "actor=hook", false },
		{ "actor=runtime,shim dur>400ms", true /* the shim's whole part */ },
		{ "comm=runc pid=8850", true }, { "comm=runc pid=1", false },
		{ "detail~memory.limit", true }, { "detail=MS_SLAVE", true }, { "detail=MS_SLA", false },
		{ "detail=268435456 type=cgroup_write", true }, { "type=mount detail~overlay2", true },
		{ "error=ENOENT", false }, { "error!=-", false }, { "result<0", false }, { "result=0", true },
		{ "at<1ms", false }, { "at>=3ms", true },
		{ "type=oom name=web", true }, { "type=oom name=db", false },
	};
	struct container *c = mb_oom();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_container(c, cases[i].text, cases[i].passes);
	mb_free(c);
}

static void test_failed_steps(void **state)
{
	struct container *c = mb_failed_start();

	(void)state;
	expect_container(c, "error!=-", true);
	expect_container(c, "error=ENOENT,EPERM", true);
	expect_container(c, "error=EPERM", false);
	expect_container(c, "result=-2", true);
	expect_container(c, "result<0 type=exec actor=init", true);
	expect_container(c, "exit=-", true); /* it never ran */
	expect_container(c, "exit!=0", true);
	expect_container(c, "exit>0", false);
	expect_container(c, "signal=-", true);
	mb_free(c);
}

static void test_unknown_duration_is_no_duration(void **state)
{
	struct container *c = mb_container("x");
	struct step *s;

	(void)state;
	mb_actor(c, ACTOR_RUNTIME, 1, "runc", -1, 0, 10);
	s = mb_step(c, STEP_MOUNT, PHASE_MOUNTS, 0, 1, 1000000, NULL);
	expect_container(c, "dur>1ms", true);
	s->end_edge = EDGE_LOST;
	expect_container(c, "dur>1ms", false);
	expect_container(c, "dur<10s", false);
	expect_container(c, "dur=-", true);
	s->end_edge = EDGE_OPEN;
	expect_container(c, "dur>1ms", false);
	mb_free(c);
}

static void test_items(void **state)
{
	struct container *c = mb_oom();
	struct filter *f = parse("cont=web type=oom");
	size_t steps = 0;

	(void)state;
	assert_true(filter_has_items(f));
	for (size_t i = 0; i < c->step_count; i++)
		steps += filter_step(f, c, &c->steps[i]);
	assert_int_equal(steps, 0);
	assert_true(filter_container(f, c)); /* by a mark */
	filter_free(f);
	expect_container(c, "cont=db type=oom", false);
	expect_container(c, "actor=runc", true);
	expect_container(c, "actor=nosuch", false);
	expect_container(c, "phase=mounts", true);
	expect_container(c, "phase=image", false);
	mb_free(c);
}

static void test_events(void **state)
{
	struct event_syscall_exit e = { .h = { .size = sizeof(e), .kind = EVENT_SYSCALL_EXIT, .tgid = 7,
		.role = ROLE_RUNTIME, .comm = "runc" }, .op = OP_MOUNT, .result = -13 };
	static const struct { const char *text; bool passes; } cases[] = {
		{ "", true }, { "type=mount", true }, { "type=syscall_exit", true }, { "type=umount2", false },
		{ "error=EACCES", true }, { "result<0 comm=runc pid=7", true }, { "actor=runtime", true },
		{ "actor=shim", false }, { "cont=web", false }, { "cont!=web", true }, { "exit=0", false },
		{ "dur>1ns", false },
	};
	struct filter *f, *items;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = parse(cases[i].text);
		if (filter_event(f, NULL, &e.h) != cases[i].passes)
			fail_msg("%s", cases[i].text);
		filter_free(f);
	}
	f = parse("type=mount");
	e.h.size = offsetof(struct event_syscall_exit, op); /* cut short: what it lacks is unknown */
	assert_false(filter_event(f, NULL, &e.h));
	filter_free(f);
	e.h.size = sizeof(e);
	f = parse("cont=web type=mount");
	items = filter_items_only(f);
	assert_false(filter_event(f, NULL, &e.h));
	assert_true(filter_event(items, NULL, &e.h));
	filter_free(items);
	filter_free(f);
	f = parse("cont=web");
	assert_null(filter_items_only(f));
	filter_free(f);
}

/* Values of every kind of quoting, seen through a name. */
static void test_quoting(void **state)
{
	static const struct { const char *text, *name; } cases[] = {
		{ "name=\"a b\"", "a b" }, { "name='a, b'", "a, b" }, { "name=a\\ b", "a b" },
		{ "name=\"a\\\"b\"", "a\"b" }, { "name='a\\b'", "a\\b" }, { "name=a\"b c\"d", "ab cd" },
		{ "name=a=b", "a=b" }, { "name=a~b>c", "a~b>c" }, { "name=x,'y,z'", "y,z" }, { "name=''", "" },
		{ "name=\xff\xfe", "\xff\xfe" }, { "\tname=a\n", "a" },
	};
	struct container *c = mb_container("x");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		free(c->name);
		c->name = xstrdup(cases[i].name);
		expect_container(c, cases[i].text, true);
	}
	mb_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes_and_their_columns),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_failed_steps),
		cmocka_unit_test(test_unknown_duration_is_no_duration),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_quoting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
