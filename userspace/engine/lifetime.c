/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/lifetime.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "engine/attach_server.h"
#include "engine/registry.h"
#include "engine/supervise.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* docker's: 100 ms, doubled each time, a minute at most; from the beginning after 10 s of running. */
enum { BACKOFF_MS = 100, BACKOFF_MAX_MS = 60000, FLUSH_MS = 2000 };
static const int64_t settled_ns = 10000000000LL;

/* ---- requests ---- */

static const char *const request_names[] = { "", "stop", "restart" };

/* Renamed into place: whoever waits by inotify(7) sees it whole. */
int lifetime_ask(const struct state *s, enum lifetime_request request, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/request", s->directory);
	_cleanup_free_ char *temporary = xasprintf("%s.%d", path, (int)getpid());

	unlink(temporary);
	if (symlink(request_names[request], temporary) == 0 && rename(temporary, path) == 0)
		return 0;
	return error_errno(err, errno, "cannot write %s", path);
}

static enum lifetime_request read_request(const struct state *s)
{
	_cleanup_free_ char *path = xasprintf("%s/request", s->directory);
	char text[16] = "";

	if (readlink(path, text, sizeof(text) - 1) < 0)
		return REQUEST_NONE;
	return !strcmp(text, "restart") ? REQUEST_RESTART : REQUEST_STOP;
}

static void forget_request(const struct state *s)
{
	_cleanup_free_ char *path = xasprintf("%s/request", s->directory);

	unlink(path);
}

/* ---- ends ---- */

static void note_end(struct launch *l, int status)
{
	struct state *s = &l->state;
	struct cgroup_stats stats;

	s->exit_code = runtime_status_code(status);
	s->finished_ns = state_now();
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && runtime_cgroup(l->container)) {
		cgroup_read_stats(runtime_cgroup(l->container), &stats);
		s->oom_killed = stats.oom_kills > 0;
	}
}

static bool policy_says_restart(const struct state *s)
{
	switch (s->restart) {
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	case RESTART_ON_FAILURE:
		return s->exit_code != 0 && (s->restart_max == 0 || s->restart_count < s->restart_max);
	default:
		return false;
	}
}

static void warn(const struct launch *l, const struct error *err)
{
	if (l->warn)
		l->warn(err->text);
}

/* One that never ran stays as created. */
static int rest(struct launch *l, struct error *err)
{
	int r;

	forget_request(&l->state);
	l->state.status = l->state.started_ns ? STATE_EXITED : STATE_CREATED;
	r = state_save(&l->state, err);
	if (r == 0)
		registry_release(l->state.id);
	return r;
}

int lifetime_rest(struct launch *l, struct error *err)
{
	int r = launch_stop(l, err);

	return r == 0 ? rest(l, err) : r;
}

/* The last step of every container: what fails here is a warning, the program's exit code is what counts. */
static void put_away(struct launch *l)
{
	struct error err = { 0 };
	int r = launch_stop(l, &err);

	if (r < 0)
		warn(l, &err);
	if (l->state.remove) {
		/* what is still mounted must not be emptied: the next command finds our claim void, and tries again */
		if (r == 0 && registry_remove(&l->state, &err) < 0)
			warn(l, &err);
		return;
	}
	if (rest(l, &err) < 0)
		warn(l, &err);
}

void lifetime_abort(struct launch *l, const struct error *why)
{
	if (!l->state.directory)
		return;
	if (l->state.status == STATE_CREATING)
		l->state.remove = true;
	free(l->state.error);
	l->state.error = xstrdup(why->text);
	l->state.exit_code = l->exit_code;
	l->warn = NULL;
	put_away(l);
}

/* ---- restarts ---- */

/* Returns whether it is still wanted when the time is over. */
static bool wait_to_restart(struct lifetime *t, int wait_ms)
{
	const struct state *s = &t->launch->state;
	struct registry_watch watch;
	int64_t end = clock_ms(CLOCK_MONOTONIC) + wait_ms, left;
	enum lifetime_request request = REQUEST_NONE;

	if (registry_watch_open(s, &watch, NULL) < 0)
		return false;
	while ((left = end - clock_ms(CLOCK_MONOTONIC)) > 0) {
		request = read_request(s);
		if (request != REQUEST_NONE || signals_interrupted(t->signals))
			break;
		registry_watch_wait(&watch, (int)left);
	}
	registry_watch_close(&watch);
	return left <= 0 || request == REQUEST_RESTART;
}

static int start_again(struct lifetime *t, struct error *err)
{
	struct launch *l = t->launch;

	forget_request(&l->state);
	return launch_again(l, err);
}

/* 1: go on with another run of it, after waiting as long as that has to wait; 0: do not. */
static int prepare_restart(struct lifetime *t, bool told_to_end, int *backoff_ms, struct error *err)
{
	struct launch *l = t->launch;
	struct state *s = &l->state;
	enum lifetime_request request = read_request(s);
	int wait_ms = 0, r;

	if (request == REQUEST_STOP || (request == REQUEST_NONE && (told_to_end || !policy_says_restart(s))))
		return 0;
	if (request == REQUEST_NONE) {
		bool settled = s->finished_ns - s->started_ns >= settled_ns;

		*backoff_ms = settled || !*backoff_ms ? BACKOFF_MS : *backoff_ms * 2;
		wait_ms = *backoff_ms = *backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : *backoff_ms;
		s->restart_count++;
	}
	r = launch_stop(l, err);
	if (r < 0)
		return r;
	s->status = STATE_RESTARTING;
	r = state_save(s, err);
	if (r < 0)
		return r;
	return wait_ms == 0 || wait_to_restart(t, wait_ms);
}

/* One run, from its start to its end: those who are attached are told. */
static int run_once(struct lifetime *t, struct attach_server *server, bool *ret_told, struct error *err)
{
	struct supervision s = { t->launch, t->signals, server->listener >= 0 ? server : NULL, t->local,
		.told_to_end = false };
	unsigned char code;
	int status, r = supervise(&s, &status, err);

	if (r < 0)
		return r;
	*ret_told = s.told_to_end;
	note_end(t->launch, status);
	code = (unsigned char)t->launch->state.exit_code;
	attach_server_send(server, FRAME_EXIT, &code, 1);
	attach_server_flush(server, FLUSH_MS);
	return 0;
}

static void open_server(struct lifetime *t, struct attach_server *server)
{
	struct error err = { 0 };

	*server = (struct attach_server){ .listener = -1 };
	if (!t->launch->state.keeps_log)
		return;
	if (attach_server_open(&t->launch->state, server, &err) < 0)
		warn(t->launch, &err);
	if (t->client >= 0)
		attach_server_add(server, steal_fd(&t->client));
	t->client = -1;
}

int lifetime_run(struct lifetime *t, int *ret_code, struct error *err)
{
	struct state *s = &t->launch->state;
	struct attach_server server;
	struct error failure = { 0 };
	int backoff_ms = 0, r;
	bool told = false, again;

	if (!t->local) /* it will be here for long */
		malloc_trim(0);
	do {
		open_server(t, &server);
		r = run_once(t, &server, &told, &failure);
		*ret_code = (int)t->launch->state.exit_code;
		if (r == 0)
			r = prepare_restart(t, told, &backoff_ms, &failure);
		again = r > 0;
		if (again) {
			attach_server_close(&server);
			r = start_again(t, &failure);
			again = r == 0;
		}
	} while (again);
	if (r < 0) { /* why it goes on no more is kept with it */
		free(s->error);
		s->error = xstrdup(failure.text);
		if (err)
			*err = failure;
	}
	put_away(t->launch);
	attach_server_close(&server); /* the sign for who is attached that all is put away */
	return r;
}
