/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_at N COMMAND [ARG...]: runs the command and kills, with SIGKILL, whichever of its processes is about to
 * make the N-th system call of them all. What it was before that (and its other processes) goes on untraced.
 * Exits with 0 when it killed, 1 when the command and its processes made fewer calls or ended before.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS_MAX = 256 };

struct task {
	pid_t pid;
	int inside; /* of a system call */
};

static struct task tasks[TASKS_MAX];
static size_t task_count;

static struct task *find(pid_t pid)
{
	for (size_t i = 0; i < task_count; i++) {
		if (tasks[i].pid == pid)
			return &tasks[i];
	}
	if (task_count == TASKS_MAX)
		exit(2);
	tasks[task_count] = (struct task){ .pid = pid };
	return &tasks[task_count++];
}

static void forget(pid_t pid)
{
	struct task *t = find(pid);

	*t = tasks[--task_count];
}

/* The tracer's end detaches the rest. */
static void kill_it(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	exit(0);
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	long wanted = argc > 2 ? atol(argv[1]) : 0, count = 0;
	int status;
	pid_t pid;

	if (wanted < 1)
		return 2;
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	find(pid);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, options);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		struct task *t;
		int number = 0;

		if (pid <= 0)
			continue;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			forget(pid);
			if (!task_count)
				break;
			continue;
		}
		t = find(pid);
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			t->inside = !t->inside;
			if (t->inside && ++count == wanted)
				kill_it(pid);
		} else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
			number = WSTOPSIG(status); /* a signal of its own */
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)number);
	}
	return 1;
}
