/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TIMELINE_RECORD_H
#define CTRACE_TIMELINE_RECORD_H

/* A record of any kind, copied to where it can be followed by zeros: every string in it ends, and what a short
 * record lacks reads as zero. */

#include <stddef.h>

#include "bpf/event_types.h"

enum { RECORD_MAX = 4096 };

union record {
	struct event h;
	struct event_fork fork;
	struct event_exec exec;
	struct event_exit exit;
	struct event_rename rename;
	struct event_cgroup cgroup;
	struct event_oom oom;
	struct event_fork_refused refused;
	struct event_signal signal;
	struct event_syscall_enter enter;
	struct event_syscall_exit leave;
	struct event_cgroup_write write;
	struct event_request request;
	struct event_task task;
	struct event_link link;
	struct event_netns netns;
	struct event_lost lost;
	struct event_meta meta;
	struct event_armed armed;
	struct event_cgroup_value value;
	char bytes[RECORD_MAX + 1];
};

/* The event's size must be at most RECORD_MAX; the first filled bytes (at most RECORD_MAX + 1) of the record are set. */
void record_fill(union record *r, const struct event *event, size_t filled);

#endif
