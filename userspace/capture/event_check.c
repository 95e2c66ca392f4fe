/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of bpf/event.h, asserted: recordings outlive the compiler that built ctrace. */
#include <stddef.h>

#include "bpf/event_types.h"

#define CHECK_SIZE(type, size) _Static_assert(sizeof(struct type) == (size), "size of " #type)
#define CHECK_OFFSET(type, member, offset) \
	_Static_assert(offsetof(struct type, member) == (offset), "offset of " #member " in " #type)

CHECK_SIZE(event, 64);
CHECK_OFFSET(event, time_ns, 8);
CHECK_OFFSET(event, tgid, 16);
CHECK_OFFSET(event, start_ns, 32);
CHECK_OFFSET(event, cgroup_id, 40);
CHECK_OFFSET(event, comm, 48);
CHECK_SIZE(event_namespaces, 32);
CHECK_SIZE(event_fork, 136);
CHECK_OFFSET(event_fork, ns, 104);
CHECK_OFFSET(event_exec, on_cpu_ns, 136);
CHECK_OFFSET(event_exec, filename, 152);
CHECK_OFFSET(event_exec, argv, 408);
CHECK_SIZE(event_exit, 88);
CHECK_OFFSET(event_exit, on_cpu_ns, 72);
CHECK_SIZE(event_rename, 80);
CHECK_OFFSET(event_cgroup, id, 72);
CHECK_OFFSET(event_cgroup, target_start_ns, 96);
CHECK_OFFSET(event_cgroup, path, 104);
CHECK_SIZE(event_memcg, 136);
CHECK_OFFSET(event_oom, chain, 152);
CHECK_SIZE(event_fork_refused, 64 + 48 + 96);
CHECK_SIZE(event_signal, 136);
CHECK_OFFSET(event_syscall_enter, args, 72);
CHECK_OFFSET(event_syscall_enter, a, 128);
CHECK_OFFSET(event_syscall_enter, path, 704);
CHECK_OFFSET(event_syscall_enter, d, 1856);
CHECK_SIZE(event_syscall_exit, 488);
CHECK_OFFSET(event_cgroup_write, file, 88);
CHECK_OFFSET(event_cgroup_write, value, 1336);
CHECK_OFFSET(event_request, data, 192);
CHECK_OFFSET(event_task, exe, 104);
CHECK_OFFSET(event_task, argv, 360);
CHECK_SIZE(event_link, 184);
CHECK_SIZE(event_netns, 72);
CHECK_OFFSET(event_lost, until_ns, 80);
CHECK_SIZE(event_armed, 80);
CHECK_OFFSET(event_cgroup_value, file, 80);
CHECK_SIZE(event_meta, 64 + 96 + 1024);
