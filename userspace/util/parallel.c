/* SPDX-License-Identifier: Apache-2.0 */
#include "util/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

struct piece {
	parallel_work *work;
	void *arg;
	int result;
};

static void *do_piece(void *arg)
{
	struct piece *piece = arg;

	piece->result = piece->work(piece->arg);
	return NULL;
}

int parallel_start(pthread_t *ret_thread, void *(*work)(void *), void *arg)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(ret_thread, NULL, work, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

int parallel_run(parallel_work *here, parallel_work *there, void *arg)
{
	struct piece piece = { there, arg, 0 };
	pthread_t thread;
	int started = parallel_start(&thread, do_piece, &piece), r;

	r = here(arg);
	if (started == 0)
		pthread_join(thread, NULL);
	else
		do_piece(&piece);
	return r < 0 ? r : piece.result;
}
