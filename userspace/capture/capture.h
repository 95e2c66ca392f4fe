/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CAPTURE_H
#define CTRACE_CAPTURE_H

#include <sys/types.h>

#include "capture/facts.h"
#include "util/error.h"

/* The live source of events: chooses hooks by trying, loads them, attaches them, arms and disarms the
 * detail tier, drains both rings and rtnetlink, puts events in order and counts what is lost. */
struct capture;

struct capture_options {
	bool always_armed;   /* keep the detail tier attached */
	bool start_armed;    /* arm at once: a container is about to be made (run, trace -- CMD) */
	size_t lifecycle_ring_bytes, bulk_ring_bytes; /* powers of two; 0 = default (2 MiB each) */
	pid_t follow;        /* this process gets ROLE_FOLLOWED at its next exec; 0 = none */
};

/* Loads and attaches, then takes the snapshot. -EPERM without the needed privilege, with what to do. */
int capture_open(const struct capture_options *options, struct capture **ret_capture, struct error *err);

const struct facts *capture_facts(const struct capture *capture);

/* Readable when capture_read has something to do; it wakes by itself every 10 ms while
 * events flow, since kernel-side wakeups are adaptive, so that poll needs no timeout. */
int capture_fd(const struct capture *capture);

/* How long an event waits for older ones: capture_read gives what is older than this, at least. */
#define CAPTURE_WINDOW_NS 5000000ULL

/* Gives every event that is ready, in order of time_ns, the snapshot first; then returns. A sink that
 * returns negative stops it. */
typedef int capture_sink(void *arg, const struct event *event);
int capture_read(struct capture *capture, capture_sink *sink, void *arg, struct error *err);

/* Arms the detail tier as a sentinel would, or keeps it armed for as long: a container is about to be made. */
int capture_arm(struct capture *capture, struct error *err);

/* Everything that is still in the rings and in the ordering queue, then the loss counters. */
int capture_drain(struct capture *capture, capture_sink *sink, void *arg, struct error *err);

void capture_close(struct capture *capture); /* takes NULL; detaches */

#endif
