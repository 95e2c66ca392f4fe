/* SPDX-License-Identifier: Apache-2.0 */
/* Which hooks there are, and which of them this kernel can have at all. */
#include "capture/hooks_internal.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* A tracepoint has a type of its own, which tells whether the kernel has it. */
#define TRACEPOINT(name) "tp_btf/" #name, "btf_trace_" #name

const struct hook hook_table[] = {
	{ "forks", "ct_task_newtask", TRACEPOINT(task_newtask), TIER_ALWAYS, GROUP_NONE },
	{ "executions", "ct_sched_process_exec", TRACEPOINT(sched_process_exec), TIER_ALWAYS, GROUP_NONE },
	{ "exits", "ct_sched_process_exit", TRACEPOINT(sched_process_exit), TIER_ALWAYS, GROUP_NONE },
	{ "runtime stages", "ct_task_rename", TRACEPOINT(task_rename), TIER_ALWAYS, GROUP_NONE },
	{ "signals", "ct_signal_generate", TRACEPOINT(signal_generate), TIER_ALWAYS, GROUP_NONE },
	{ "OOM kills", "ct_mark_victim", TRACEPOINT(mark_victim), TIER_ALWAYS, GROUP_NONE },
	{ "cgroups made", "ct_cgroup_mkdir", TRACEPOINT(cgroup_mkdir), TIER_ALWAYS, GROUP_NONE },
	{ "cgroups removed", "ct_cgroup_rmdir", TRACEPOINT(cgroup_rmdir), TIER_ALWAYS, GROUP_NONE },
	{ "cgroups released", "ct_cgroup_release", TRACEPOINT(cgroup_release), TIER_ALWAYS, GROUP_NONE },
	{ "cgroups renamed", "ct_cgroup_rename", TRACEPOINT(cgroup_rename), TIER_ALWAYS, GROUP_NONE },
	{ "cgroups entered", "ct_cgroup_attach", TRACEPOINT(cgroup_attach_task), TIER_ALWAYS, GROUP_NONE },
	{ "cgroups populated", "ct_cgroup_populated", TRACEPOINT(cgroup_notify_populated), TIER_ALWAYS, GROUP_NONE },
	{ "freezing (v2)", "ct_cgroup_freeze", TRACEPOINT(cgroup_freeze), TIER_ALWAYS, GROUP_NONE },
	{ "thawing (v2)", "ct_cgroup_unfreeze", TRACEPOINT(cgroup_unfreeze), TIER_ALWAYS, GROUP_NONE },
	{ "frozen (v2)", "ct_cgroup_frozen", TRACEPOINT(cgroup_notify_frozen), TIER_ALWAYS, GROUP_NONE },
	{ "mounts, namespaces, hardening, kills", "ct_call", "kprobe.multi/syscalls", NULL, TIER_ALWAYS, GROUP_CALLS_KPROBE },
	{ "their results and durations", "ct_called", "kretprobe.multi/syscalls", NULL, TIER_ALWAYS, GROUP_CALLS_KPROBE },
	{ "requests to daemons", "ct_stream", "kprobe.multi/unix_stream", NULL, TIER_ALWAYS, GROUP_CALLS_KPROBE },
	{ "their answers", "ct_streamed", "kretprobe.multi/unix_stream", NULL, TIER_ALWAYS, GROUP_CALLS_KPROBE },
	{ "mounts, namespaces, cgroup writes, requests", "ct_sys_enter", TRACEPOINT(sys_enter), TIER_DETAIL, GROUP_CALLS_PAIR },
	{ "their results and durations", "ct_sys_exit", TRACEPOINT(sys_exit), TIER_DETAIL, GROUP_CALLS_PAIR },
	{ "time on a CPU, in its queue, blocked", "ct_sched_switch", TRACEPOINT(sched_switch), TIER_SCHED, GROUP_NONE },
	{ "cgroup writes, by whatever call", "ct_cgroup_file_write", "fentry/cgroup_file_write", "cgroup_file_write", TIER_ALWAYS, GROUP_WRITE_FENTRY },
	{ "their results", "ct_cgroup_file_written", "fexit/cgroup_file_write", "cgroup_file_write", TIER_ALWAYS, GROUP_WRITE_FENTRY },
	{ "cgroup writes, by whatever call", "ct_probe_file_write", "kprobe/cgroup_file_write", "cgroup_file_write", TIER_ALWAYS, GROUP_WRITE_KPROBE },
	{ "their results", "ct_probe_file_written", "kretprobe/cgroup_file_write", "cgroup_file_write", TIER_ALWAYS, GROUP_WRITE_KPROBE },
	{ "the limit behind an OOM kill", "ct_oom_kill_process", "fentry/oom_kill_process", "oom_kill_process", TIER_ALWAYS, GROUP_OOM_FENTRY },
	{ "the limit behind an OOM kill", "ct_probe_oom_kill", "kprobe/oom_kill_process", "oom_kill_process", TIER_ALWAYS, GROUP_OOM_KPROBE },
	{ "processes at the start", "ct_snapshot", "iter/task", "bpf_iter_task", TIER_ON_DEMAND, GROUP_NONE },
};
const size_t hook_count = ARRAY_SIZE(hook_table);

int hooks_row_of_program(const char *name)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (strcmp(hook_table[i].program, name) == 0)
			return i;
	}
	return -1;
}

static const struct {
	enum hook_group better, other;
	bool needs_writes; /* the better one does not look for writes to cgroups; the other does */
} alternatives[] = {
	{ GROUP_WRITE_FENTRY, GROUP_WRITE_KPROBE, false },
	{ GROUP_OOM_FENTRY, GROUP_OOM_KPROBE, false },
	{ GROUP_CALLS_KPROBE, GROUP_CALLS_PAIR, true },
};

#ifdef __x86_64__
#define CALL(name) "__x64_sys_" #name
#else
#define CALL(name) "__arm64_sys_" #name
#endif

/* As is_control_call in bpf/dispatch.h. */
const char *const hook_call_functions[] = {
	CALL(mount), CALL(umount), CALL(fsopen), CALL(fsconfig), CALL(fsmount), CALL(open_tree), CALL(move_mount),
	CALL(mount_setattr), CALL(pivot_root), CALL(chroot), CALL(unshare), CALL(setns), CALL(sethostname),
	CALL(seccomp), CALL(prctl), CALL(capset), CALL(execve), CALL(execveat), CALL(clone), CALL(clone3), CALL(kill),
	CALL(tgkill), CALL(pidfd_send_signal), CALL(mknodat), CALL(mknod), CALL(setuid), CALL(setresuid), CALL(setgid),
	CALL(setresgid), CALL(setgroups), CALL(bpf), NULL
};

#define STREAM_SEND "unix_stream_sendmsg"
const char *const hook_stream_functions[] = { STREAM_SEND, "unix_stream_recvmsg", NULL };

void outcome_set(struct outcome *outcome, enum hook_state state, const char *reason)
{
	outcome->state = state;
	snprintf(outcome->reason, sizeof(outcome->reason), "%s", reason);
}

const char *hooks_refusal(int code)
{
	switch (code) {
	case EPERM:
	case EACCES:
		return "the kernel refuses it (not permitted)";
	case EINVAL:
		return "the kernel's verifier refuses it";
	case 524: /* ENOTSUPP, the kernel's own */
	case EOPNOTSUPP:
		return "not supported on this architecture";
	default:
		return strerror(code);
	}
}

const char **hooks_names(void)
{
	static const char *const further[] = { "cgroup_subsys_id", "bpf_kprobe_multi_link", "bpf_rdonly_cast", STREAM_SEND };
	size_t calls = ARRAY_SIZE(hook_call_functions) - 1, n = 0;
	const char **names = xcalloc(hook_count + calls + ARRAY_SIZE(further) + 1, sizeof(*names));

	for (size_t i = 0; i < hook_count; i++) {
		if (hook_table[i].target)
			names[n++] = hook_table[i].target;
	}
	for (size_t i = 0; i < calls; i++)
		names[n++] = hook_call_functions[i];
	for (size_t i = 0; i < ARRAY_SIZE(further); i++)
		names[n++] = further[i];
	return names;
}

/* Whether the kernel takes an empty program on that function; 0 or a positive errno. Cheap, and spares a
 * failed attempt at loading everything. */
static int probe_function(int btf_id, enum bpf_attach_type type)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type, .attach_btf_id = btf_id);
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "ct_probe", "Dual BSD/GPL", nothing, ARRAY_SIZE(nothing), &options);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void check_trampoline(const struct kernel_types *types, const char *function, enum bpf_attach_type type,
	struct outcome *outcome)
{
	int id = kernel_types_find(types, function, BTF_KIND_FUNC), code;

	if (id < 0) {
		outcome_set(outcome, HOOK_ABSENT, "this kernel has no such function");
		return;
	}
	code = probe_function(id, type);
	if (code)
		outcome_set(outcome, HOOK_REFUSED, code == EPERM ? "the kernel refuses hooks on functions" : hooks_refusal(code));
}

static bool has_kprobes(void)
{
	return access("/sys/bus/event_source/devices/kprobe/type", F_OK) == 0;
}

static void check_kprobe(const struct kernel_types *types, const char *function, struct outcome *outcome)
{
	if (!has_kprobes())
		outcome_set(outcome, HOOK_ABSENT, "this kernel has no kprobes");
	else if (kernel_types_find(types, function, BTF_KIND_FUNC) < 0)
		outcome_set(outcome, HOOK_ABSENT, "this kernel has no such function");
}

/* One by one, kprobes on so many functions take seconds to detach: then the pair is better. */
static void check_kprobe_multi(const struct kernel_types *types, struct outcome *outcome)
{
	if (!has_kprobes())
		outcome_set(outcome, HOOK_ABSENT, "this kernel has no kprobes");
	else if (kernel_types_find(types, "bpf_kprobe_multi_link", BTF_KIND_STRUCT) < 0)
		outcome_set(outcome, HOOK_ABSENT, "this kernel cannot attach to many functions at once");
	else if (kernel_types_find(types, CALL(mount), BTF_KIND_FUNC) < 0 ||
		kernel_types_find(types, STREAM_SEND, BTF_KIND_FUNC) < 0)
		outcome_set(outcome, HOOK_ABSENT, "this kernel does not name the functions of its system calls");
}

static void check_tracepoint(const struct kernel_types *types, const char *type, struct outcome *outcome)
{
	if (kernel_types_find(types, type, BTF_KIND_TYPEDEF) < 0)
		outcome_set(outcome, HOOK_ABSENT, "this kernel has no such tracepoint");
}

/* NULL = nothing is against it. A guest with 5.10 locked up once, both CPUs, while the scheduler's hooks of that time were
 * attached and detached; why is not known. A figure is not worth a host: kernels before 5.14 (2f064a59a11f renamed
 * task_struct.state) do without. */
static const char *against_scheduler(const struct kernel_types *types)
{
	if (!kernel_types_has_member(types, "task_struct", "__state"))
		return "not attached to kernels before 5.14: a 5.10 once locked up";
	if (!kernel_types_has_member(types, "sched_info", "run_delay"))
		return "this kernel does not count how long tasks wait for a CPU (CONFIG_SCHED_INFO)";
	return NULL;
}

static void check_scheduler(const struct kernel_types *types, struct outcome *outcome)
{
	const char *reason = against_scheduler(types);

	if (reason)
		outcome_set(outcome, HOOK_REFUSED, reason);
}

void hooks_find_absent(const struct kernel_types *types, struct outcome *outcomes)
{
	for (size_t i = 0; i < hook_count; i++) {
		const char *section = hook_table[i].section, *target = hook_table[i].target;

		if (str_starts(section, "fentry/"))
			check_trampoline(types, target, BPF_TRACE_FENTRY, &outcomes[i]);
		else if (str_starts(section, "fexit/"))
			check_trampoline(types, target, BPF_TRACE_FEXIT, &outcomes[i]);
		else if (strstr(section, "probe.multi/"))
			check_kprobe_multi(types, &outcomes[i]);
		else if (str_starts(section, "kprobe/") || str_starts(section, "kretprobe/"))
			check_kprobe(types, target, &outcomes[i]);
		else if (str_starts(section, "tp_btf/"))
			check_tracepoint(types, target, &outcomes[i]);
		if (hook_table[i].tier == TIER_SCHED)
			check_scheduler(types, &outcomes[i]);
	}
}

static bool is_whole(const struct outcome *outcomes, enum hook_group group)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (hook_table[i].group == group && outcomes[i].state != HOOK_ATTACHED)
			return false;
	}
	return true;
}

/* What is left of a group that is not whole goes, too. */
static void strike(struct outcome *outcomes, enum hook_group group, const char *reason)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (hook_table[i].group == group && outcomes[i].state == HOOK_ATTACHED)
			outcome_set(&outcomes[i], HOOK_REFUSED, reason);
	}
}

static void set_needed(struct outcome *outcomes, enum hook_group group, bool needed)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (hook_table[i].group != group)
			continue;
		if (needed && outcomes[i].state == HOOK_FALLBACK)
			outcome_set(&outcomes[i], HOOK_ATTACHED, "");
		if (!needed && outcomes[i].state == HOOK_ATTACHED)
			outcome_set(&outcomes[i], HOOK_FALLBACK, "");
	}
}

void hooks_choose(struct outcome *outcomes)
{
	for (enum hook_group group = GROUP_NONE + 1; group < GROUP_COUNT; group++) {
		if (!is_whole(outcomes, group))
			strike(outcomes, group, "another hook that it needs cannot be had");
	}
	for (size_t i = 0; i < ARRAY_SIZE(alternatives); i++) {
		enum hook_group better = alternatives[i].better;

		if (alternatives[i].needs_writes && !is_whole(outcomes, GROUP_WRITE_FENTRY) &&
			!is_whole(outcomes, GROUP_WRITE_KPROBE))
			strike(outcomes, better, "without a hook on cgroup_file_write it would see less");
		set_needed(outcomes, alternatives[i].other, !is_whole(outcomes, better));
	}
}
