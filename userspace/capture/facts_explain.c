/* SPDX-License-Identifier: Apache-2.0 */
/* What cannot be seen, and why: an answer that is missing must not look like "nothing happened". */
#include <string.h>

#include "capture/facts_internal.h"
#include "util/cleanup.h"

static const struct hook_fact *find_hook(const struct facts *facts, const char *hook)
{
	for (size_t i = 0; i < facts->hook_count; i++) {
		if (strcmp(facts->hooks[i].hook, hook) == 0)
			return &facts->hooks[i];
	}
	return NULL;
}

static bool works(const struct facts *facts, const char *hook)
{
	const struct hook_fact *fact = find_hook(facts, hook);

	return fact && (fact->state == HOOK_ATTACHED || fact->state == HOOK_ARMABLE);
}

static bool either_works(const struct facts *facts, const char *hook, const char *other)
{
	return works(facts, hook) || (other && works(facts, other));
}

/* What is blind without one tracepoint. */
static const struct {
	const char *hook, *what;
	const char *better; /* a hook that does the same; NULL = none */
} depends[] = {
	{ "tp_btf/task_rename", "the stages of runc (runc:[1:CHILD] and so on)" },
	{ "tp_btf/signal_generate", "signals and who sent them" },
	{ "tp_btf/mark_victim", "OOM kills" },
	{ "tp_btf/cgroup_mkdir", "cgroups that are made" },
	{ "tp_btf/cgroup_rmdir", "cgroups that are removed" },
	{ "tp_btf/cgroup_attach_task", "processes that are moved between cgroups" },
	{ "tp_btf/cgroup_notify_populated", "cgroups that become empty" },
	{ "tp_btf/cgroup_freeze", "pause and resume on cgroup v2" },
	{ "tp_btf/sys_enter", "mounts, namespaces, cgroup writes, hardening, requests to daemons",
		"kprobe.multi/syscalls" },
	{ "tp_btf/sys_exit", "results and durations of system calls", "kretprobe.multi/syscalls" },
	{ "tp_btf/sched_switch", "how long processes were on a CPU and waited for one" },
	{ "iter/task", "processes that existed before tracing began" },
	{ "rtnetlink", "network interfaces, addresses and routes" },
	{ "cpu.stat", "throttling by the CPU controller" },
};

static void explain_writes(struct facts *facts)
{
	const struct hook_fact *fexit = find_hook(facts, "fexit/cgroup_file_write");
	char why[256];

	if (either_works(facts, "fexit/cgroup_file_write", "kretprobe/cgroup_file_write"))
		return;
	snprintf(why, sizeof(why), "%s; system calls show write, pwrite64 and writev only",
		fexit && fexit->reason[0] ? fexit->reason : "no hook on the kernel's cgroup_file_write");
	facts_add_unseen(facts, "cgroup writes by splice, sendfile, pwritev or io_uring", why);
}

static void explain_oom(struct facts *facts)
{
	if (either_works(facts, "fentry/oom_kill_process", "kprobe/oom_kill_process"))
		return;
	facts_add_unseen(facts, "whose memory limit caused an OOM kill, as the kernel knows it",
		"no hook on oom_kill_process; it is read off usage and limit of each ancestor at the kill");
}

void facts_explain(struct facts *facts)
{
	for (size_t i = 0; i < ARRAY_SIZE(depends); i++) {
		const struct hook_fact *fact = find_hook(facts, depends[i].hook);

		if (!either_works(facts, depends[i].hook, depends[i].better))
			facts_add_unseen(facts, depends[i].what,
				fact && fact->reason[0] ? fact->reason : "the hook is missing");
	}
	explain_writes(facts);
	explain_oom(facts);
	if (!facts->always_armed && works(facts, "tp_btf/sys_enter"))
		facts_add_unseen(facts, "system calls in the first instant of a start (a fraction of a millisecond)",
			"the detail hooks are attached when a start is noticed, so that idle costs nothing; "
			"--always-armed keeps them attached");
	if (!facts->always_armed && works(facts, "tp_btf/sched_switch"))
		facts_add_unseen(facts, "CPU time of processes that began before the detail hooks were attached, or outlive them",
			"the scheduler's hook is attached only while containers are made, changed or torn down");
	if (works(facts, "cpu.stat"))
		facts_add_unseen(facts, "the very moment at which the CPU controller throttles",
			"the kernel has no tracepoint for it; cpu.stat of the cgroups with a quota is read once to ten "
			"times a second, every 10 ms during a start, and at the end");
	facts_add_unseen(facts, "which process changed a network interface", "rtnetlink does not say");
	facts_add_unseen(facts, "what 32-bit programs do in detail", "their system calls are numbered differently");
}
