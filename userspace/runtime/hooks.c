/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: config.md "POSIX-platform Hooks". */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/strbuf.h"

struct hook {
	const char *path;
	char **args, **env;
	int64_t timeout; /* seconds; 0 = none */
};

static void hook_free(struct hook *h)
{
	free(h->args);
	free(h->env);
}

static int parse(const struct doc *o, struct hook *h, struct error *err)
{
	static const char *const required[] = { "path", NULL };

	if (doc_require(o, required, err) < 0 || doc_path(o, "path", &h->path, err) < 0 ||
		doc_strings(o, "args", &h->args, NULL, err) < 0 ||
		doc_strings(o, "env", &h->env, NULL, err) < 0 ||
		doc_integer(o, "timeout", 1, 86400, &h->timeout, err) < 0)
		return -EINVAL;
	if (h->path[0] != '/')
		return doc_error(o, "path", err, "\"%.64s\" is not absolute", h->path);
	return 0;
}

static void __attribute__((noreturn)) execute(const struct hook *h, int input, int output)
{
	char *only_path[] = { (char *)h->path, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(input, 0);
	dup2(output, 1);
	dup2(output, 2);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	/* as runc and crun: a hook that gives no environment has the runtime's */
	execve(h->path, h->args && h->args[0] ? h->args : only_path, h->env ? h->env : environ);
	dprintf(2, "%s", strerror(errno));
	_exit(127);
}

/* Reads what the hook prints (the first bytes are kept for the error) until it ends or is late. */
static bool wait_hook(int pidfd, int output, int64_t timeout, char *text, size_t size)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + timeout * 1000;
	size_t length = 0;

	for (;;) {
		struct pollfd p[2] = { { .fd = pidfd, .events = POLLIN },
			{ .fd = output, .events = POLLIN } };
		int64_t left = timeout ? end - clock_ms(CLOCK_MONOTONIC) : -1;
		char bytes[4096];
		ssize_t n;

		if (timeout && left <= 0)
			return false;
		if (poll(p, 2, (int)left) < 0 && errno != EINTR)
			return false;
		while ((n = read(output, bytes, sizeof(bytes))) > 0) {
			size_t keep = (size_t)n < size - 1 - length ? (size_t)n : size - 1 - length;

			memcpy(text + length, bytes, keep);
			length += keep;
		}
		text[length] = '\0';
		if (p[0].revents)
			return true;
		if (p[1].revents & POLLHUP && !(p[1].revents & POLLIN)) {
			/* it closed its output and lives on */
			struct pollfd alone = { .fd = pidfd, .events = POLLIN };

			return poll(&alone, 1, (int)left) > 0;
		}
	}
}

static int failed(const struct hook *h, const char *kind, int status, const char *text, struct error *err)
{
	_cleanup_free_ char *how = NULL;

	if (WIFSIGNALED(status)) {
		const char *name = sigdescr_np(WTERMSIG(status));

		how = xasprintf("signal %d (%s)", WTERMSIG(status), name ? name : "unknown");
		/* "bad system call", as runc has it */
		if (name)
			how[strcspn(how, "(") + 1] |= 0x20;
	} else {
		how = xasprintf("status %d", WEXITSTATUS(status));
	}
	return error_set(err, EIO, "error running hook: %s hook %s failed with %s%s%s", kind, h->path, how,
		text[0] ? ": " : "", text);
}

static int run(const struct hook *h, const char *kind, const char *state, struct error *err)
{
	_cleanup_close_ int input = memfd_create("state", MFD_CLOEXEC), pidfd = -1;
	int pipes[2];
	char text[512] = "";
	bool ended;
	int status = 0;
	pid_t pid;

	if (input < 0 || write(input, state, strlen(state)) < 0 || lseek(input, 0, SEEK_SET) < 0 ||
		pipe2(pipes, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot prepare hook %s", h->path);
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0)
		execute(h, input, pipes[1]);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return error_errno(err, errno, "cannot fork for hook %s", h->path);
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	ended = wait_hook(pidfd, pipes[0], h->timeout, text, sizeof(text));
	close(pipes[0]);
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!ended)
		return error_set(err, ETIMEDOUT, "error running hook: %s hook %s did not end within %lld s", kind, h->path,
			(long long)h->timeout);
	for (size_t n = strlen(text); n > 0 && text[n - 1] == '\n'; n--)
		text[n - 1] = '\0';
	if (status != 0)
		return failed(h, kind, status, text, err);
	return 0;
}

bool hooks_any(json_object *hooks, const char *kind)
{
	json_object *a;

	return hooks && json_object_object_get_ex(hooks, kind, &a) &&
	       json_object_is_type(a, json_type_array) && json_object_array_length(a) > 0;
}

int hooks_run(json_object *hooks, const char *kind, const char *state, struct error *err)
{
	const struct doc d = { .json = hooks, .key = "hooks" };
	struct doc a, e;
	int r;

	if (!hooks_any(hooks, kind))
		return 0;
	r = doc_array(&d, kind, &a, err);
	for (size_t i = 0; r >= 0 && i < doc_count(&a); i++) {
		_cleanup_(hook_free) struct hook h = { 0 };

		r = doc_element(&a, i, &e, err);
		if (r == 0)
			r = parse(&e, &h, err);
		if (r == 0)
			r = run(&h, kind, state, err);
	}
	return r < 0 ? r : 0;
}

char *hooks_run_all(json_object *hooks, const char *kind, const char *state)
{
	const struct doc d = { .json = hooks, .key = "hooks" };
	_cleanup_(strbuf_free) struct strbuf failures = { 0 };
	struct doc a, e;

	if (!hooks_any(hooks, kind) || doc_array(&d, kind, &a, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < doc_count(&a); i++) {
		_cleanup_(hook_free) struct hook h = { 0 };
		struct error err = { 0 };

		if (doc_element(&a, i, &e, &err) < 0 || parse(&e, &h, &err) < 0 || run(&h, kind, state, &err) < 0)
			strbuf_printf(&failures, "%s%s", failures.length ? "; " : "", err.text);
	}
	return failures.length ? strbuf_steal(&failures) : NULL;
}

int hooks_check(const struct doc *hooks, struct error *err)
{
	static const char *const kinds[] = { "prestart", "createRuntime", "createContainer",
		"startContainer", "poststart", "poststop" };
	struct doc a, e;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		int r = doc_array(hooks, kinds[k], &a, err);

		for (size_t i = 0; r >= 0 && i < doc_count(&a); i++) {
			_cleanup_(hook_free) struct hook h = { 0 };

			r = doc_element(&a, i, &e, err);
			if (r == 0)
				r = parse(&e, &h, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}
