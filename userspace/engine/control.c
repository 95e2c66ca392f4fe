/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/launch.h"
#include "engine/lifetime.h"
#include "engine/registry.h"
#include "engine/signals.h"
#include "engine/supervisor.h"
#include "engine/values.h"
#include "runtime/runtime.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"

enum { KILL_WAIT_MS = 10000, USE_WAIT_MS = 10000 };

int control_open(const struct state *s, struct container **ret, struct error *err)
{
	_cleanup_free_ char *root = xasprintf("%s/oci", registry_directory());

	if (s->status != STATE_RUNNING || runtime_open(root, s->id, ret, NULL) < 0)
		return error_set(err, ESRCH, "Container %s is not running", s->id);
	return 0;
}

static bool is_paused(const struct state *s)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;

	return control_open(s, &c, NULL) == 0 && runtime_status(c) == RUNTIME_PAUSED;
}

const char *control_status(const struct state *s)
{
	if (s->status == STATE_CREATING)
		return "created";
	return is_paused(s) ? "paused" : state_status_name(s->status);
}

bool control_is_running(const struct state *s)
{
	return s->status == STATE_RUNNING;
}

/* ---- waiting ---- */

/* What may have become of the container that was looked up before. */
typedef bool condition(const struct state *before, const struct state *now);

static bool is_put_away(const struct state *before, const struct state *now)
{
	(void)now;
	return !registry_owner(before->id);
}

static bool runs_anew(const struct state *before, const struct state *now)
{
	return is_put_away(before, now) || (now->status == STATE_RUNNING && now->pid != before->pid);
}

/* Nobody has it, or somebody runs it. */
static bool is_left_alone(const struct state *before, const struct state *now)
{
	return is_put_away(before, now) || !state_rests(now);
}

/* Also true once init has ended and the supervisor goes on to restart it. */
static bool has_ended(const struct state *before, const struct state *now)
{
	return is_put_away(before, now) || now->status != STATE_RUNNING || now->pid != before->pid;
}

/* -ETIMEDOUT after timeout_ms (-1: never). last: the state as it was then, empty when it is gone. */
static int wait_until(const struct state *s, condition *is_met, int64_t timeout_ms, struct state *last)
{
	struct registry_watch watch;
	int64_t end = clock_ms(CLOCK_MONOTONIC) + timeout_ms;
	int r = registry_watch_open(s, &watch, NULL);

	while (r == 0) {
		int64_t left = timeout_ms < 0 ? -1 : end - clock_ms(CLOCK_MONOTONIC);

		state_free(last);
		if (state_load(s->directory, last, NULL) < 0)
			state_free(last);
		if (is_met(s, last))
			break;
		if (timeout_ms >= 0 && left <= 0)
			r = -ETIMEDOUT;
		else
			registry_watch_wait(&watch, left > 1000000 ? 1000000 : (int)left);
	}
	registry_watch_close(&watch);
	return r;
}

/* ---- start ---- */

static _Noreturn void be_supervisor(const struct state *s, struct supervisor *supervisor)
{
	struct launch l;
	struct signals signals;
	struct lifetime t = { .launch = &l, .signals = &signals, .client = supervisor->client };
	struct error err = { 0 };
	pid_t owner = 0;
	int code = 0, r = registry_claim(s, &owner, &err);

	launch_init(&l, NULL);
	if (r == 0)
		r = state_load(s->directory, &l.state, &err);
	if (r == 0)
		r = signals_open(&signals, &err);
	if (r == 0) {
		l.state.restart_count = 0;
		free(l.state.error);
		l.state.error = NULL;
		r = launch_again(&l, &err);
		if (r < 0)
			lifetime_abort(&l, &err);
	}
	supervisor_tell(supervisor, r, l.exit_code, &err);
	if (r == 0)
		lifetime_run(&t, &code, NULL);
	launch_free(&l);
	_exit(0);
}

int control_start(const struct state *s, bool attach, int *ret_client, struct error *err)
{
	struct supervisor supervisor;
	int code, r;

	if (ret_client)
		*ret_client = -1;
	if (registry_owner(s->id) && !state_rests(s))
		return 0; /* docker start of one that runs is no error */
	/* others in that pid namespace could reach the binary by /proc/PID/exe */
	if (s->pid_mode && str_starts(s->pid_mode, "container:")) {
		r = runtime_seal(err);
		if (r < 0)
			return r;
	}
	r = supervisor_fork(attach, &supervisor, err);
	if (r == 1)
		be_supervisor(s, &supervisor);
	if (r == 0)
		r = supervisor_await(&supervisor, &code, err);
	if (r == 0 && ret_client)
		*ret_client = steal_fd(&supervisor.client);
	else if (attach)
		cleanup_close(&supervisor.client);
	return r;
}

/* ---- ends ---- */

static int stop_signal(const struct state *s)
{
	int number;

	return state_has(s->stop_signal) && value_signal(s->stop_signal, &number, NULL) == 0 ? number : SIGTERM;
}

/* A frozen program hears nothing. A later run than the one that was looked up is not meant: what ended by itself in the
 * meantime may have been restarted. */
static int send_signal(const struct state *s, int number, bool thaw, struct error *err)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	int r = control_open(s, &c, err);

	if (r == -ENOENT) /* between two runs */
		return 0;
	if (r < 0)
		return r;
	if (s->pid && runtime_pid(c) != s->pid)
		return 0;
	r = runtime_kill(c, number, false, err);
	if (r == 0 && thaw && runtime_status(c) == RUNTIME_PAUSED)
		r = runtime_resume(c, err);
	return r == -ESRCH ? 0 : r; /* it has just ended */
}

/* Signals it to end, waits for the condition, kills it when that takes too long. */
static int end(const struct state *s, enum lifetime_request request, int64_t timeout_s, condition *is_met,
	struct error *err)
{
	_cleanup_(state_free) struct state last = { 0 };
	int r = lifetime_ask(s, request, err);

	if (r == 0 && s->status == STATE_RUNNING)
		r = send_signal(s, stop_signal(s), true, err);
	if (r < 0 && r != -ESRCH) /* it has just ended */
		return r;
	r = wait_until(s, is_met, timeout_s < 0 ? -1 : timeout_s * 1000, &last);
	if (r != -ETIMEDOUT)
		return r;
	/* it may be in a later run by now */
	r = last.id[0] ? send_signal(&last, SIGKILL, true, NULL) : 0;
	if (r == 0 || r == -ESRCH)
		r = wait_until(s, is_met, KILL_WAIT_MS, &last);
	return r < 0 ? error_set(err, ETIMEDOUT, "container %s does not end", s->name) : 0;
}

int control_stop(const struct state *s, int64_t timeout_s, struct error *err)
{
	if (!registry_owner(s->id))
		return 0;
	return end(s, REQUEST_STOP, timeout_s, is_put_away, err);
}

int control_restart(const struct state *s, int64_t timeout_s, struct error *err)
{
	_cleanup_(state_free) struct state now = { 0 };
	int r;

	if (!registry_owner(s->id))
		return control_start(s, false, NULL, err);
	r = end(s, REQUEST_RESTART, timeout_s, runs_anew, err);
	if (r == 0 && registry_owner(s->id))
		return 0;
	if (r == 0)
		r = registry_find(s->id, &now, err);
	return r == 0 ? error_set(err, EIO, "container %s did not start again: %s", s->name,
				state_has(now.error) ? now.error : "it ended")
		      : r;
}

int control_kill(const struct state *s, int number, struct error *err)
{
	int r;

	if (s->status != STATE_RUNNING)
		return error_set(err, ESRCH, "Cannot kill container: %s: Container %s is not running", s->name,
			s->id);
	r = number == SIGKILL || number == stop_signal(s) ? lifetime_ask(s, REQUEST_STOP, err) : 0;
	return r == 0 ? send_signal(s, number, number == SIGKILL, err) : r;
}

int control_wait(const struct state *s, int *ret_code, struct error *err)
{
	_cleanup_(state_free) struct state last = { 0 };

	if (!registry_owner(s->id)) {
		*ret_code = (int)s->exit_code;
		return 0;
	}
	if (wait_until(s, has_ended, -1, &last) < 0)
		return error_set(err, EIO, "cannot wait for container %s", s->name);
	*ret_code = (int)last.exit_code;
	return 0;
}

/* ---- pause ---- */

int control_pause(const struct state *s, struct error *err)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	int r = control_open(s, &c, err);

	if (r < 0)
		return r;
	if (runtime_status(c) == RUNTIME_PAUSED)
		return error_set(err, EINVAL, "Container %s is already paused", s->id);
	return runtime_pause(c, err);
}

int control_unpause(const struct state *s, struct error *err)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	int r = control_open(s, &c, err);

	if (r < 0)
		return r;
	if (runtime_status(c) != RUNTIME_PAUSED)
		return error_set(err, EINVAL, "Container %s is not paused", s->id);
	return runtime_resume(c, err);
}

/* ---- removal ---- */

/* Its program and command: "ctrace cp". */
static char *describe_process(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/cmdline", (int)pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[4096] = "";
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 2); /* two strings at least, if empty ones */
	const char *slash = strrchr(text, '/');

	return n <= 0 ? xstrdup("?") : xasprintf("%s %s", slash ? slash + 1 : text, text + strlen(text) + 1);
}

/* Until nobody is at one that rests: who starts it, copies from it or looks at its files. now: as it is then. */
static int wait_unused(const struct state *s, struct state *now, struct error *err)
{
	_cleanup_free_ char *who = NULL;
	pid_t owner;
	int r = wait_until(s, is_left_alone, USE_WAIT_MS, now);

	if (r != -ETIMEDOUT)
		return 0;
	owner = registry_owner(s->id);
	who = describe_process(owner);
	return error_set(err, EBUSY, "cannot remove container %s: process %d (%s) is using it. Try again when that has ended",
		s->name, (int)owner, who);
}

static int end_by_force(const struct state *s, bool force, struct error *err)
{
	if (!registry_owner(s->id))
		return 0;
	if (!force)
		return error_set(err, EBUSY, "You cannot remove a %s container %s. %s the container before "
			"attempting removal or force remove", control_status(s), s->id,
			strcmp(control_status(s), "paused") ? "Stop" : "Unpause and then stop");
	if (s->status == STATE_RUNNING && lifetime_ask(s, REQUEST_STOP, NULL) == 0)
		send_signal(s, SIGKILL, true, NULL);
	return end(s, REQUEST_STOP, 0, is_put_away, err);
}

int control_remove(const struct state *s, bool force, bool volumes, struct error *err)
{
	_cleanup_(state_free) struct state own = { 0 }, now = { 0 };
	int r = state_rests(s) && registry_owner(s->id) ? wait_unused(s, &now, err) : 0;

	if (r == 0)
		r = end_by_force(now.id[0] ? &now : s, force, err);

	if (r < 0)
		return r;
	if (access(s->directory, F_OK) < 0) /* --rm: it went by itself */
		return 0;
	r = registry_claim(s, NULL, err);
	if (r == -EBUSY)
		return error_set(err, EBUSY, "removal of container %s is already in progress", s->name);
	if (r == 0)
		r = state_load(s->directory, &own, err);
	if (r < 0)
		return r;
	own.status = STATE_REMOVING;
	if (!volumes)
		string_list_free(&own.anonymous);
	state_save(&own, NULL); /* on a full disk it goes all the same */
	return registry_remove(&own, err);
}
