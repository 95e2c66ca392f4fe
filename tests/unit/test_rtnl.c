/* SPDX-License-Identifier: Apache-2.0 */
/* Engines in network namespaces of their own: as many as there is room for are listened to, those beyond are counted. */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "capture/capture_internal.h"
#include "capture/rtnl.h"

enum { BEYOND = 3, ENGINES = RTNL_MAX_NAMESPACES + BEYOND };

/* A process in a network namespace of its own; 0 = not allowed to. */
static pid_t start_engine(void)
{
	int ready[2];
	char ok = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* also where a check fails before it is stopped */
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "y", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &ok, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(ready[0]);
	return pid;
}

static void stop_engine(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct event_exec exec_of(pid_t pid)
{
	struct event_exec e;
	char path[64];
	struct stat st;

	event_prepare(&e.h, EVENT_EXEC, sizeof(e), 0);
	e.h.tgid = e.h.tid = (uint32_t)pid;
	e.h.start_ns = (uint64_t)pid;
	e.h.role = ROLE_ENGINE;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	assert_int_equal(stat(path, &st), 0);
	e.ns.net = (uint32_t)st.st_ino;
	return e;
}

static void drop(void *arg, const struct event *event)
{
	(void)arg;
	(void)event;
}

static void engines_beyond_are_counted(void **state)
{
	struct event_exec engines[ENGINES], again;
	struct event gone;
	struct rtnl *rtnl = NULL;
	struct error err = { 0 };
	pid_t pids[ENGINES];

	(void)state;
	pids[0] = start_engine();
	if (!pids[0] || rtnl_open(&rtnl, &err) < 0) {
		print_message("no network namespaces, or no rtnetlink, for this user: %s\n", err.text);
		skip();
	}
	for (size_t i = 1; i < ENGINES; i++)
		assert_true((pids[i] = start_engine()) > 0);
	for (size_t i = 0; i < ENGINES; i++) {
		engines[i] = exec_of(pids[i]);
		rtnl_observe(rtnl, &engines[i].h);
		assert_int_equal(rtnl_unheard(rtnl), i < RTNL_MAX_NAMESPACES ? 0 : i + 1 - RTNL_MAX_NAMESPACES);
	}
	rtnl_observe(rtnl, &engines[0].h); /* one that is listened to */
	assert_int_equal(rtnl_unheard(rtnl), BEYOND);
	event_prepare(&gone, EVENT_EXIT, sizeof(gone), 0);
	gone.tgid = engines[0].h.tgid;
	gone.start_ns = engines[0].h.start_ns;
	rtnl_observe(rtnl, &gone);
	rtnl_read(rtnl, 1, drop, NULL); /* makes room */
	again = engines[ENGINES - 1];
	rtnl_observe(rtnl, &again.h);
	assert_int_equal(rtnl_unheard(rtnl), BEYOND);
	rtnl_close(rtnl);
	for (size_t i = 0; i < ENGINES; i++)
		stop_engine(pids[i]);
}

/* An engine that is gone makes no network. */
static void an_engine_that_is_gone_is_no_loss(void **state)
{
	struct rtnl *rtnl = NULL;
	struct error err = { 0 };
	pid_t pid = start_engine();
	struct event_exec e;

	(void)state;
	if (!pid || rtnl_open(&rtnl, &err) < 0) {
		print_message("no network namespaces, or no rtnetlink, for this user: %s\n", err.text);
		skip();
	}
	e = exec_of(pid);
	stop_engine(pid);
	rtnl_observe(rtnl, &e.h);
	assert_int_equal(rtnl_unheard(rtnl), 0);
	rtnl_close(rtnl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engines_beyond_are_counted), cmocka_unit_test(an_engine_that_is_gone_is_no_loss),
	};

	return cmocka_run_group_tests_name("rtnl", tests, NULL, NULL);
}
