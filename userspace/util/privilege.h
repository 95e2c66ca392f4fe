/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PRIVILEGE_H
#define CTRACE_PRIVILEGE_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/*
 * Capabilities are the calling thread's (capabilities(7)); threads and processes that it makes later inherit them.
 * docs/privilege.md has what each command keeps.
 */
#define PRIVILEGE(capability) (UINT64_C(1) << (capability))

/* What a tracer needs while it traces: to attach the detail tier anew, to read /proc of others, and to open cgroups by
 * their ids (open_by_handle_at(2)), whose throttling it reads. */
#define PRIVILEGE_TRACING \
	(PRIVILEGE(CAP_BPF) | PRIVILEGE(CAP_PERFMON) | PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH))

/* Spare: raised to listen in network namespaces of engines. */
#define PRIVILEGE_LISTENING (PRIVILEGE(CAP_SYS_ADMIN) | PRIVILEGE(CAP_NET_BROADCAST))

/* Gives up for good every capability but effective, which stay in force, and spare, which can be raised. Neither can an
 * executed program give more. What was not there is not made. */
int privilege_keep(uint64_t effective, uint64_t spare, struct error *err);

/* Puts spare capabilities in force. Returns those that were not before and now are: for privilege_lower. */
uint64_t privilege_raise(uint64_t capabilities);
void privilege_lower(uint64_t capabilities);

#endif
