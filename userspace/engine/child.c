/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

enum { ARGUMENTS_MAX = 32, READY_TIMEOUT_MS = 15000, TERMINATE_MS = 5000 };

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return status;
}

static int spawn_puller(const char *program, const struct run_settings *s, pid_t *ret)
{
	const char *argv[8] = { "ctrace", "pull" };
	posix_spawn_file_actions_t actions;
	size_t n = 2;
	int r;

	if (s->quiet)
		argv[n++] = "--quiet";
	if (s->platform) {
		argv[n++] = "--platform";
		argv[n++] = s->platform;
	}
	argv[n++] = "--";
	argv[n++] = s->source;
	posix_spawn_file_actions_init(&actions);
	/* the image's name, which it prints at the end, is not for our stdout */
	if (s->quiet)
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	r = posix_spawn(ret, program, &actions, NULL, (char **)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Until the child has ended; a signal that asks us to end goes on to the child. */
static int wait_child(pid_t pid, struct signals *signals)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	struct pollfd fds[2] = { { .fd = pidfd, .events = POLLIN },
		{ .fd = signals->fd, .events = POLLIN } };
	int stop = 0;

	while (pidfd >= 0) {
		if (poll(fds, 2, stop ? TERMINATE_MS : -1) == 0)
			kill(pid, SIGKILL);
		if (fds[0].revents)
			break;
		if (fds[1].revents && !stop) {
			stop = signals_interrupted(signals);
			if (stop)
				kill(pid, SIGTERM);
		}
		fds[0].revents = fds[1].revents = 0;
	}
	return stop;
}

int child_pull(const char *program, const struct run_settings *s, struct signals *signals, int *ret_signal,
	struct error *err)
{
	pid_t pid;
	int status, r = spawn_puller(program, s, &pid);

	if (r < 0)
		return error_errno(err, -r, "cannot execute %s", program);
	*ret_signal = wait_child(pid, signals);
	status = reap(pid);
	if (*ret_signal)
		return error_set(err, EINTR, "interrupted while pulling %s", s->source);
	if (status < 0 || !WIFEXITED(status))
		return error_set(err, EIO, "pulling %s ended unexpectedly", s->source);
	return WEXITSTATUS(status) == 0 ? 0 : error_set(err, ENOENT, "Unable to find image '%s'",
		s->source);
}

/* What the kernel cannot tell the tracer: the container's name and image. */
static size_t tracer_meta(const char *key, const char *value, const char **argv)
{
	if (!value)
		return 0;
	argv[0] = "--meta";
	argv[1] = xasprintf("%s=%s", key, value);
	return 2;
}

static void free_meta(const char **argv)
{
	for (size_t i = 0; argv[i]; i++) {
		if (!strcmp(argv[i], "--meta"))
			free((void *)argv[++i]);
	}
}

static size_t tracer_arguments(const struct run_settings *s, const char *id, char *ready,
	char *done, const char **argv)
{
	size_t n = 0;

	argv[n++] = "ctrace";
	argv[n++] = "trace";
	argv[n++] = "--for-run";
	argv[n++] = id;
	argv[n++] = "--ready-fd";
	argv[n++] = ready;
	argv[n++] = "--done-fd";
	argv[n++] = done;
	argv[n++] = s->trace == TRACE_FULL ? "--trace=full" : s->trace == TRACE_NONE ? "--trace=none" : "--trace=summary";
	if (s->json) {
		argv[n++] = "--json";
		argv[n++] = s->json;
	}
	if (s->record) {
		argv[n++] = "--record";
		argv[n++] = s->record;
	}
	if (s->detach_trace)
		argv[n++] = "--detach-trace";
	n += tracer_meta("name", s->name, argv + n);
	n += tracer_meta("image", s->source_type == SOURCE_IMAGE ? s->source : NULL, argv + n);
	n += tracer_meta("runtime", "ctrace", argv + n);
	argv[n] = NULL;
	return n;
}

static int spawn_tracer(const char *program, const char *const *argv, int ready, int done,
	pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	/* onto itself: takes close-on-exec away */
	posix_spawn_file_actions_adddup2(&actions, ready, ready);
	posix_spawn_file_actions_adddup2(&actions, done, done);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	r = posix_spawn(ret, program, &actions, &attributes, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -r;
}

int tracer_start(const char *program, const char *id, const struct run_settings *s,
	struct tracer *ret, struct error *err)
{
	const char *argv[ARGUMENTS_MAX];
	int ready[2], done[2], r;
	char ready_text[16], done_text[16];

	if (pipe2(ready, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	if (pipe2(done, O_CLOEXEC) < 0) {
		r = error_errno(err, errno, "cannot make a pipe");
		close(ready[0]);
		close(ready[1]);
		return r;
	}
	snprintf(ready_text, sizeof(ready_text), "%d", ready[1]);
	snprintf(done_text, sizeof(done_text), "%d", done[0]);
	tracer_arguments(s, id, ready_text, done_text, argv);
	r = spawn_tracer(program, argv, ready[1], done[0], &ret->pid);
	free_meta(argv);
	close(ready[1]);
	close(done[0]);
	ret->ready = ready[0];
	ret->done = done[1];
	if (r < 0) {
		close(ready[0]);
		close(done[1]);
		*ret = (struct tracer){ .ready = -1, .done = -1 };
		return error_errno(err, -r, "cannot execute %s", program);
	}
	return 0;
}

int tracer_wait_ready(struct tracer *t, struct error *err)
{
	struct pollfd fd = { .fd = t->ready, .events = POLLIN };
	char text[512] = "";
	ssize_t n;
	int r;

	if (!t->pid)
		return 0;
	do {
		r = poll(&fd, 1, READY_TIMEOUT_MS);
	} while (r < 0 && errno == EINTR);
	n = r > 0 ? read(t->ready, text, sizeof(text) - 1) : 0;
	close(t->ready);
	t->ready = -1;
	if (n > 0 && text[0] == '1')
		return 0;
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (r == 0)
		return error_set(err, ETIMEDOUT, "the tracer is not ready after %d s",
			READY_TIMEOUT_MS / 1000);
	return error_set(err, EIO, "%s", text[0] == '0' && text[1] ? text + 1 : "the tracer ended");
}

void tracer_finish(struct tracer *t)
{
	cleanup_close(&t->ready);
	cleanup_close(&t->done);
	if (t->pid)
		reap(t->pid);
	*t = (struct tracer){ .ready = -1, .done = -1 };
}
