/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_NAMES_WATCH_H
#define CTRACE_NAMES_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/names_read.h"

/*
 * The files that containers got their names from, watched for another name: `docker rename` and its likes. What cannot be
 * watched, for want of room here or in the kernel, is counted. For one thread, but for the count.
 */
struct names_watch;

struct names_watch *names_watch_new(void);
void names_watch_free(struct names_watch *w); /* takes NULL */

/* A names_follow: what names_read says of a container's file. arg: the names_watch. */
void names_watch_follow(void *arg, const struct names_job *job, enum names_source source, const char *path,
	const char *name);

/* Until wake_fd is readable, or files have changed and it is time to read them: then true. */
bool names_watch_wait(struct names_watch *w, int wake_fd);

/* Reads what has changed and tells the names that are new. */
void names_watch_read(struct names_watch *w, names_emit *emit, void *arg);

uint64_t names_watch_missed(const struct names_watch *w);

#endif
