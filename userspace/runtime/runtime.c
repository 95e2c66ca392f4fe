/* SPDX-License-Identifier: Apache-2.0 */
/* A container in the caller's hands, and the verbs on it. create.c makes it. */
#include "runtime/runtime.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/proc_stat.h"

int runtime_last_exit_code = 125;

int runtime_exit_code(void)
{
	return runtime_last_exit_code;
}

const char *runtime_status_name(enum runtime_status status)
{
	static const char *const names[] = { "creating", "created", "running", "stopped", "paused" };

	return names[status];
}

int runtime_status_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void runtime_close(struct container *c)
{
	if (!c)
		return;
	for (int *fd = (int[]){ c->dir, c->pidfd, c->sync, c->console, c->ready, -2 }; *fd != -2; fd++) {
		if (*fd >= 0)
			close(*fd);
	}
	config_free(c->config);
	cgroup_close(c->cgroup);
	free(c->id);
	free(c->root);
	free(c->bundle);
	free(c->rootfs);
	free(c->cgroup_path);
	free(c->created);
	free(c->warning);
	free(c->ready_directory);
	free(c);
}

void runtime_close_ptr(struct container **c)
{
	runtime_close(*c);
}

pid_t runtime_pid(const struct container *c)
{
	return runtime_status(c) == RUNTIME_STOPPED ? 0 : c->pid;
}

int runtime_pidfd(const struct container *c)
{
	return c->pidfd;
}

int runtime_console(struct container *c)
{
	return steal_fd(&c->console);
}

struct cgroup *runtime_cgroup(const struct container *c)
{
	return c->cgroup;
}

size_t runtime_cgroup_others(const struct container *c)
{
	return c->others;
}

const char *runtime_bundle(const struct container *c)
{
	return c->bundle;
}

static void kill_init(struct container *c)
{
	if (c->own && !c->reaped && c->pid > 0) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
			;
		c->reaped = true;
	}
}

/* The processes that a container left, and its cgroup; of a shared one only what is empty. */
static int remove_cgroup(struct container *c, bool kill_all, struct error *err)
{
	if (!c->cgroup)
		return 0;
	if (c->others) {
		cgroup_remove_empty(c->cgroup);
		return 0;
	}
	if (kill_all)
		cgroup_kill(c->cgroup, SIGKILL, NULL);
	return cgroup_remove(c->cgroup, err);
}

const char *runtime_warning(const struct container *c)
{
	return c->warning;
}

/* runtime.md, step 13: the container is gone, whatever fails. */
static void run_poststop(struct container *c)
{
	_cleanup_free_ char *state = NULL;

	if (!c->config || !hooks_any(c->config->hooks, "poststop"))
		return;
	state = state_document(c, RUNTIME_STOPPED);
	free(c->warning);
	c->warning = hooks_run_all(c->config->hooks, "poststop", state);
}

void container_undo(struct container *c, struct error *err)
{
	kill_init(c);
	remove_cgroup(c, true, NULL);
	/* its hooks may have begun what these end */
	if (c->pid > 0)
		run_poststop(c);
	if (err && c->warning) {
		_cleanup_free_ char *why = xstrdup(err->text);

		error_set(err, err->code, "%s (then: %s)", why, c->warning);
	}
	if (c->dir >= 0) {
		state_remove_directory(c->root, c->id, c->dir, NULL);
		close(steal_fd(&c->dir));
	}
}

/* A pidfd of init, and never of another process that has got its number meanwhile; -ESRCH where it is gone. */
static int open_init(const struct container *c)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, c->pid, 0);

	if (fd < 0)
		return -errno;
	return proc_start_ticks(c->pid, NULL) == c->start_time ? steal_fd(&fd) : -ESRCH;
}

int container_signal(const struct container *c, int signal)
{
	_cleanup_close_ int fd = open_init(c);

	if (fd < 0)
		return fd;
	return syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0 ? -errno : 0;
}

int runtime_wait(struct container *c, int *ret_status, struct error *err)
{
	pid_t pid;

	if (!c->reaped) {
		do
			pid = waitpid(c->pid, &c->status, 0);
		while (pid < 0 && errno == EINTR);
		if (pid < 0)
			return error_errno(err, errno, "cannot wait for container %s", c->id);
		c->reaped = true;
	}
	*ret_status = c->status;
	return 0;
}

bool runtime_try_wait(struct container *c, int *ret_status)
{
	if (!c->reaped)
		c->reaped = waitpid(c->pid, &c->status, WNOHANG) == c->pid;
	if (c->reaped)
		*ret_status = c->status;
	return c->reaped;
}

enum runtime_status runtime_status(const struct container *c)
{
	char state = 0;

	if (c->pid == 0)
		return c->reaped || c->dir < 0 ? RUNTIME_STOPPED : RUNTIME_CREATING;
	if (c->reaped || proc_start_ticks(c->pid, &state) != c->start_time || state == 'Z' || state == 'X')
		return RUNTIME_STOPPED;
	if (c->own && !c->detached ? c->sync >= 0 : faccessat(c->dir, "exec.fifo", F_OK, 0) == 0)
		return RUNTIME_CREATED;
	return c->cgroup && cgroup_is_frozen(c->cgroup) ? RUNTIME_PAUSED : RUNTIME_RUNNING;
}

char *runtime_state(struct container *c)
{
	return state_document(c, runtime_status(c));
}

int runtime_kill(struct container *c, int signal, bool all, struct error *err)
{
	enum runtime_status status = runtime_status(c);
	int r = status == RUNTIME_STOPPED || c->pid <= 0 ? -ESRCH : 0;

	if (all && c->cgroup)
		return cgroup_kill(c->cgroup, signal, err);
	if (r == 0)
		r = container_signal(c, signal);
	if (r == -ESRCH)
		return error_set(err, ESRCH, "container %s is not running (container not running)", c->id);
	if (r < 0)
		return error_errno(err, -r, "cannot signal container %s", c->id);
	/* a frozen process does not see the signal that is to kill it */
	if (signal == SIGKILL && status == RUNTIME_PAUSED)
		return cgroup_freeze(c->cgroup, false, err);
	return 0;
}

static void wait_gone(struct container *c)
{
	_cleanup_close_ int fd = open_init(c);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || poll(&p, 1, 300) > 0)
		return;
	/* somebody may have put it into a frozen group of his own */
	if (c->cgroup)
		cgroup_take_back(c->cgroup, c->pid);
	poll(&p, 1, 10000);
}

int runtime_delete(struct container *c, bool force, struct error *err)
{
	enum runtime_status status = runtime_status(c);
	int r = 0;

	if (status != RUNTIME_STOPPED && status != RUNTIME_CREATING) {
		/* a container that never started has nothing to lose (runc deletes it, too) */
		if (!force && status != RUNTIME_CREATED)
			return error_set(err, EBUSY, "cannot delete container %s: it is %s", c->id,
				runtime_status_name(status));
		container_signal(c, SIGKILL);
		if (status == RUNTIME_PAUSED)
			cgroup_freeze(c->cgroup, false, NULL);
		if (c->own)
			kill_init(c);
		else
			wait_gone(c);
	}
	/* without a pid namespace of its own others may live on */
	r = remove_cgroup(c, !c->config || !(config_new_namespaces(c->config) & CLONE_NEWPID) || force, err);
	if (r == 0) {
		run_poststop(c);
		r = state_remove_directory(c->root, c->id, c->dir, err);
	}
	if (r == 0 && c->dir >= 0)
		close(steal_fd(&c->dir));
	return r;
}

static int need_running(struct container *c, enum runtime_status want, struct error *err)
{
	enum runtime_status status = runtime_status(c);

	if (status != want || !c->cgroup)
		return error_set(err, EINVAL, "container %s is %s, not %s", c->id,
			runtime_status_name(status), runtime_status_name(want));
	return 0;
}

int runtime_pause(struct container *c, struct error *err)
{
	int r = need_running(c, RUNTIME_RUNNING, err);

	return r < 0 ? r : cgroup_freeze(c->cgroup, true, err);
}

int runtime_resume(struct container *c, struct error *err)
{
	int r = need_running(c, RUNTIME_PAUSED, err);

	return r < 0 ? r : cgroup_freeze(c->cgroup, false, err);
}

int runtime_processes(struct container *c, pid_t **ret_pids, size_t *ret_count, struct error *err)
{
	if (!c->cgroup)
		return error_set(err, ENOENT, "container %s has no cgroup", c->id);
	return cgroup_processes(c->cgroup, ret_pids, ret_count, err);
}
