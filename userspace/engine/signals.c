/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "util/cleanup.h"

static const int caught[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT,
	SIGWINCH };
static int pipe_end = -1; /* written by the handler, the only global that it may use */

static void note_signal(int number)
{
	unsigned char byte = (unsigned char)number;
	int saved = errno;

	/* A full pipe has enough of them. */
	if (write(pipe_end, &byte, 1) < 0)
		errno = saved;
	errno = saved;
}

static void ignore_signal(int number)
{
	(void)number;
}

int signals_open(struct signals *ret, struct error *err)
{
	struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	ret->fd = ends[0];
	pipe_end = ends[1];
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++) {
		struct sigaction old;

		/* what the caller ignores (nohup) stays ignored */
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(caught[i], &action, NULL);
	}
	action.sa_handler = ignore_signal;
	sigaction(SIGPIPE, &action, NULL);
	return 0;
}

int signals_next(struct signals *s)
{
	unsigned char byte;

	return read(s->fd, &byte, 1) == 1 ? byte : 0;
}

int signals_interrupted(struct signals *s)
{
	int number;

	while ((number = signals_next(s))) {
		if (number == SIGHUP || number == SIGINT || number == SIGQUIT || number == SIGTERM)
			return number;
	}
	return 0;
}

void signals_close(struct signals *s)
{
	struct sigaction action = { .sa_handler = SIG_DFL }, old;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++) {
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler == note_signal)
			sigaction(caught[i], &action, NULL);
	}
	cleanup_close(&s->fd);
	cleanup_close(&pipe_end);
	s->fd = pipe_end = -1;
}
