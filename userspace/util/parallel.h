/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PARALLEL_H
#define CTRACE_PARALLEL_H

#include <pthread.h>

/* One of two pieces of work that do not depend on each other: 0 or a negative errno. */
typedef int parallel_work(void *arg);

/* Runs `here` in this thread and `there` in another one, which gets no signals; one after the other where no thread can
 * be made. Returns when both have ended: with what `here` returned, or else what `there` did. */
int parallel_run(parallel_work *here, parallel_work *there, void *arg);

/* As pthread_create, for threads that are to get no signals: those are the main thread's. A positive errno or 0. */
int parallel_start(pthread_t *ret_thread, void *(*work)(void *), void *arg);

#endif
