/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks its engine for, and what the engine answers: a start that is refused has a timeline, with the engine's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/event_builder.h"

#define ID "9c7c3f0a1b2c9c7c3f0a1b2c9c7c3f0a1b2c9c7c3f0a1b2c9c7c3f0a1b2c9c7c"
#define ANSWER(status, body) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n\r\n" body

static void talk(const struct proc *p, uint16_t kind, uint32_t fd, const char *data)
{
	struct event_request e = { .fd = fd, .length = (uint32_t)strlen(data), .total = strlen(data) };

	snprintf(e.data, sizeof(e.data), "%s", data);
	e.h = header(p, kind, offsetof(struct event_request, data) + strlen(data) + 1);
	feed(&e);
}

static struct proc docker_run(void)
{
	struct proc cli = new_proc(500);

	exec_as(&cli, ROLE_CLI, "docker", "docker run -p 80:80 web");
	talk(&cli, EVENT_REQUEST, 3, "POST /v1.41/containers/create?name=web HTTP/1.1\r\n\r\n{\"Image\":\"nginx\"}");
	talk(&cli, EVENT_RESPONSE, 3, ANSWER("201 Created", "{\"Id\":\"" ID "\",\"Warnings\":[]}"));
	return cli;
}

static void ask_start(const struct proc *cli)
{
	talk(cli, EVENT_REQUEST, 6, "POST /v1.41/containers/" ID "/start HTTP/1.1\r\n\r\n");
}

static const struct step *start_of(const struct container *c)
{
	for (size_t i = 0; i < c->step_count; i++) {
		const char *path = details_text(&c->steps[i].details, "path");

		if (path && strstr(path, "/start"))
			return &c->steps[i];
	}
	return NULL;
}

/* A port in use: no shim and no runtime ever begins. */
static void refused_before_any_runtime(void **state)
{
	struct proc cli = docker_run();
	const struct container *c;

	(void)state;
	assert_int_equal(timeline_count(tl), 0); /* what was only created has no start to tell of */
	ask_start(&cli);
	talk(&cli, EVENT_RESPONSE, 6,
		ANSWER("500 Internal Server Error", "{\"message\":\"Bind for \\\"0.0.0.0:80\\\" \\u003cfailed\\u003e\\n: port in use\"}\n"));
	exits(&cli, 125 << 8);
	tick();
	assert_int_equal(timeline_count(tl), 1);
	c = timeline_get(tl, 0);
	assert_string_equal(c->id, ID);
	assert_string_equal(c->name, "web");
	assert_string_equal(c->image, "nginx");
	assert_string_equal(c->engine, "docker");
	assert_true(c->ended);
	assert_int_equal(c->started_ns, 0);
	assert_int_equal(details_get(&start_of(c)->details, "status")->number, 500);
	assert_string_equal(details_text(&start_of(c)->details, "message"), "Bind for \"0.0.0.0:80\" <failed> : port in use");
}

static const struct phase_span *phase_of(const struct container *c, enum phase phase)
{
	for (size_t i = 0; i < c->phase_count; i++) {
		if (c->phases[i].phase == phase)
			return &c->phases[i];
	}
	return NULL;
}

/* On a busy machine the answer to docker's start comes before the program's exec: the client waited all the same, for those who made
 * the container, and what they took is theirs. */
static void waiting_is_no_work(void **state)
{
	struct proc cli = docker_run(), runc, init, stage0;
	const struct container *c;
	const struct phase_span *request;

	(void)state;
	ask_start(&cli);
	runc = new_proc(600);
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc create " ID);
	now += 500 * MS;
	cgroup(&runc, EVENT_CGROUP_MKDIR, 50, "/docker/" ID, NULL);
	stage0 = fork_of(&runc, 601, 0, 0);
	cgroup(&runc, EVENT_CGROUP_ATTACH, 50, "/docker/" ID, &stage0);
	stage0.cgroup = 50;
	init = fork_of(&stage0, 602, 0x20000000, 1);
	enter(&init, OP_MOUNT, "proc", "/proc", 0);
	leave(&init, OP_MOUNT, 0);
	talk(&cli, EVENT_RESPONSE, 6, "HTTP/1.1 204 No Content\r\n\r\n");
	now += 100 * MS;
	init.mnt = 999;
	exec_as(&init, ROLE_PAYLOAD, "sh", "sh");
	exits(&init, 0);
	tick();
	c = timeline_find(tl, ID);
	assert_non_null(c);
	assert_true(c->started_ns > start_of(c)->end_ns);
	assert_true(start_of(c)->end_ns - start_of(c)->start_ns > 500 * MS);
	request = phase_of(c, PHASE_REQUEST);
	assert_true(request->end_ns < c->created_ns + 500 * MS);
	assert_true(request->busy_ns < 100 * MS);
}

/* An answer that is cut, or is none of the engine's. */
static void answers_of_all_sorts(void **state)
{
	static const struct {
		const char *answer, *message; /* NULL = none */
	} cases[] = {
		{ ANSWER("500 x", "{\"message\":\"cut of"), "cut of" },
		{ ANSWER("500 x", "{\"message\":\"cut \\"), "cut \\" },
		{ ANSWER("500 x", "{\"message\":\"cut \\u00"), "cut ?" },
		{ ANSWER("500 x", "{\"message\":\""), "" },
		{ ANSWER("500 x", "<html>"), NULL },
		{ "HTTP/1.1 500 x\r\n{\"message\":\"in no body\"}", NULL },
	};
	struct proc cli = docker_run();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct container *c;
		const char *message;

		ask_start(&cli);
		talk(&cli, EVENT_RESPONSE, 6, cases[i].answer);
		tick();
		assert_int_equal(timeline_count(tl), i + 1); /* each attempt is a start of its own */
		c = timeline_get(tl, i);
		message = details_text(&start_of(c)->details, "message");
		if (cases[i].message)
			assert_string_equal(message, cases[i].message);
		else
			assert_null(message);
	}
}

/* Nothing was made: the engine knows no such container, it runs already, or something else was asked for. */
static void no_container_of_other_answers(void **state)
{
	struct proc cli = docker_run();

	(void)state;
	ask_start(&cli);
	talk(&cli, EVENT_RESPONSE, 6, ANSWER("404 Not Found", "{\"message\":\"No such container\"}"));
	ask_start(&cli);
	talk(&cli, EVENT_RESPONSE, 6, ANSWER("304 Not Modified", ""));
	talk(&cli, EVENT_REQUEST, 6, "POST /v1.41/containers/" ID "/pause HTTP/1.1\r\n\r\n");
	talk(&cli, EVENT_RESPONSE, 6, ANSWER("409 Conflict", "{\"message\":\"not running\"}"));
	tick();
	assert_int_equal(timeline_count(tl), 0);
}

/* The runtime failed, all of it is gone, and the engine answers late: the container is not made a second time. */
static void late_answer(void **state)
{
	struct proc cli = docker_run(), runc = new_proc(100);

	(void)state;
	ask_start(&cli);
	exec_as(&runc, ROLE_RUNTIME, "runc", "runc create " ID);
	exits(&runc, 1 << 8);
	tick();
	assert_int_equal(timeline_count(tl), 1);
	assert_true(timeline_get(tl, 0)->ended);
	talk(&cli, EVENT_RESPONSE, 6, ANSWER("400 Bad Request", "{\"message\":\"runc create failed\"}"));
	tick();
	assert_int_equal(timeline_count(tl), 1);
}

/* docker commit names its container in the query; it is a client of that one. */
static void commit(void **state)
{
	struct proc cli = new_proc(900), runc = new_proc(600);

	(void)state;
	runc_run(&runc, ID, 50);
	exec_as(&cli, ROLE_CLI, "docker", "docker commit web snap");
	talk(&cli, EVENT_REQUEST, 3, "POST /v1.41/commit?author=me&container=" ID "&repo=snap HTTP/1.1\r\n\r\n");
	talk(&cli, EVENT_RESPONSE, 3, "HTTP/1.1 201 Created\r\n\r\n");
	assert_non_null(actor_of(timeline_find(tl, ID), ACTOR_CLI));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(refused_before_any_runtime), test(commit), test(waiting_is_no_work), test(answers_of_all_sorts), test(no_container_of_other_answers), test(late_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
