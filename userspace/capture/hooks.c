/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/hooks.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "bpf/event_types.h"
#include "bpf/shared.h"
#include "bpf/ctrace.skel.h"
#include "capture/facts_internal.h"
#include "capture/roles.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum hook_tier {
	TIER_ALWAYS,
	TIER_DETAIL,
	TIER_SCHED,    /* with the detail tier, which does without where it does not attach */
	TIER_ON_DEMAND /* an iterator: attached when it is read */
};

#define SNAPSHOT_PROGRAM "ct_snapshot"
#define FUNCTION_WRITE "ct_cgroup_file_write"
#define FUNCTION_WRITTEN "ct_cgroup_file_written"

struct hook {
	const char *job, *program, *section;
	enum hook_tier tier;
};

static const struct hook hooks_table[] = {
	{ "forks", "ct_task_newtask", "tp_btf/task_newtask", TIER_ALWAYS },
	{ "executions", "ct_sched_process_exec", "tp_btf/sched_process_exec", TIER_ALWAYS },
	{ "exits", "ct_sched_process_exit", "tp_btf/sched_process_exit", TIER_ALWAYS },
	{ "runtime stages", "ct_task_rename", "tp_btf/task_rename", TIER_ALWAYS },
	{ "signals", "ct_signal_generate", "tp_btf/signal_generate", TIER_ALWAYS },
	{ "OOM kills", "ct_mark_victim", "tp_btf/mark_victim", TIER_ALWAYS },
	{ "cgroups made", "ct_cgroup_mkdir", "tp_btf/cgroup_mkdir", TIER_ALWAYS },
	{ "cgroups removed", "ct_cgroup_rmdir", "tp_btf/cgroup_rmdir", TIER_ALWAYS },
	{ "cgroups released", "ct_cgroup_release", "tp_btf/cgroup_release", TIER_ALWAYS },
	{ "cgroups renamed", "ct_cgroup_rename", "tp_btf/cgroup_rename", TIER_ALWAYS },
	{ "cgroups entered", "ct_cgroup_attach", "tp_btf/cgroup_attach_task", TIER_ALWAYS },
	{ "cgroups populated", "ct_cgroup_populated", "tp_btf/cgroup_notify_populated", TIER_ALWAYS },
	{ "freezing (v2)", "ct_cgroup_freeze", "tp_btf/cgroup_freeze", TIER_ALWAYS },
	{ "thawing (v2)", "ct_cgroup_unfreeze", "tp_btf/cgroup_unfreeze", TIER_ALWAYS },
	{ "frozen (v2)", "ct_cgroup_frozen", "tp_btf/cgroup_notify_frozen", TIER_ALWAYS },
	{ "mounts, namespaces, cgroup writes, requests", "ct_sys_enter", "tp_btf/sys_enter", TIER_DETAIL },
	{ "their results and durations", "ct_sys_exit", "tp_btf/sys_exit", TIER_DETAIL },
	{ "time on a CPU", "ct_sched_switch", "tp_btf/sched_switch", TIER_SCHED },
	{ "time in a CPU's queue", "ct_sched_wakeup", "tp_btf/sched_wakeup", TIER_SCHED },
	{ "the same of new processes", "ct_sched_wakeup_new", "tp_btf/sched_wakeup_new", TIER_SCHED },
	{ "cgroup writes, by whatever call", FUNCTION_WRITE, "fentry/cgroup_file_write", TIER_ALWAYS },
	{ "their results", FUNCTION_WRITTEN, "fexit/cgroup_file_write", TIER_ALWAYS },
	{ "the limit behind an OOM kill", "ct_oom_kill_process", "fentry/oom_kill_process", TIER_ALWAYS },
	{ "processes at the start", SNAPSHOT_PROGRAM, "iter/task", TIER_ON_DEMAND },
};

/* The last complaint of libbpf about a program: it tells there, and nowhere else, which one failed. */
static char failed_program[64];

static int watch_libbpf(enum libbpf_print_level level, const char *format, va_list ap)
{
	char text[512], *start, *end;

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(text, sizeof(text), format, ap);
	start = strstr(text, "prog '");
	end = start ? strchr(start + 6, '\'') : NULL;
	if (end && strstr(end, "failed to load")) {
		*end = '\0';
		snprintf(failed_program, sizeof(failed_program), "%s", start + 6);
	}
	return 0;
}

static const char *refusal(int code)
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

/* The index of a controller in css_set.subsys depends on the kernel's configuration. */
static uint32_t subsys_index(const struct btf *btf, const char *controller)
{
	int id = btf__find_by_name_kind(btf, "cgroup_subsys_id", BTF_KIND_ENUM);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "%s_cgrp_id", controller);
	for (int i = 0; type && i < btf_vlen(type); i++) {
		if (strcmp(btf__name_by_offset(btf, btf_enum(type)[i].name_off), wanted) == 0)
			return btf_enum(type)[i].val;
	}
	return CTRACE_IDENTITY_V2;
}

static uint32_t identity_subsys(const struct btf *btf, const struct timeline_config *config)
{
	char first[64];

	if (!config->cgroup_hierarchy)
		return CTRACE_IDENTITY_V2;
	for (size_t i = 0; i < config->hierarchy_count; i++) {
		if (config->hierarchies[i].id != config->cgroup_hierarchy)
			continue;
		/* Controllers that are mounted together share the hierarchy: any of them will do. */
		snprintf(first, sizeof(first), "%.*s", (int)strcspn(config->hierarchies[i].controllers, ","),
			config->hierarchies[i].controllers);
		return subsys_index(btf, first);
	}
	return CTRACE_IDENTITY_V2;
}

static void configure(struct ctrace_bpf *skeleton, const struct capture_options *options, const struct btf *btf,
	const struct facts *facts)
{
	skeleton->rodata->config.self_tgid = getpid();
	skeleton->rodata->config.follow_tgid = (__u32)options->follow;
	skeleton->rodata->config.identity_subsys = identity_subsys(btf, &facts->timeline);
	skeleton->rodata->config.memory_subsys = subsys_index(btf, "memory");
	skeleton->rodata->config.page_size = facts->timeline.page_size;
	if (options->lifecycle_ring_bytes)
		bpf_map__set_max_entries(skeleton->maps.lifecycle_ring, options->lifecycle_ring_bytes);
	if (options->bulk_ring_bytes)
		bpf_map__set_max_entries(skeleton->maps.bulk_ring, options->bulk_ring_bytes);
}

/* Outcome of each row so far: HOOK_ATTACHED stands for "not known to fail". */
struct outcome {
	enum hook_state state;
	char reason[160];
};

static void set_outcome(struct outcome *outcome, enum hook_state state, const char *reason)
{
	outcome->state = state;
	snprintf(outcome->reason, sizeof(outcome->reason), "%s", reason);
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

static void check_function(const struct btf *btf, const char *function, enum bpf_attach_type type,
	struct outcome *outcome)
{
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC), code;

	if (id < 0) {
		set_outcome(outcome, HOOK_ABSENT, "this kernel has no such function");
		return;
	}
	code = probe_function(id, type);
	if (code)
		set_outcome(outcome, HOOK_REFUSED, code == EPERM ? "the kernel refuses hooks on functions" : refusal(code));
}

static bool has_member(const struct btf *btf, const char *structure, const char *member)
{
	int id = btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++) {
		if (strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), member) == 0)
			return true;
	}
	return false;
}

/* A guest with 5.10 locked up once, both CPUs, while these were attached and detached; why is not known.
 * A figure is not worth a host: kernels before 5.14 (2f064a59a11f renamed task_struct.state) do without. */
static void spare_old_scheduler(const struct btf *btf, struct outcome *outcomes)
{
	if (has_member(btf, "task_struct", "__state"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++) {
		if (hooks_table[i].tier == TIER_SCHED)
			set_outcome(&outcomes[i], HOOK_REFUSED, "not attached to kernels before 5.14: a 5.10 once locked up");
	}
}

/* What can be told without loading the programs themselves. */
static void find_absent(const struct btf *btf, struct outcome *outcomes)
{
	char name[96];

	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++) {
		const char *section = hooks_table[i].section, *target = strchr(section, '/') + 1;

		if (str_starts(section, "fentry/"))
			check_function(btf, target, BPF_TRACE_FENTRY, &outcomes[i]);
		if (str_starts(section, "fexit/"))
			check_function(btf, target, BPF_TRACE_FEXIT, &outcomes[i]);
		if (!str_starts(section, "tp_btf/"))
			continue;
		snprintf(name, sizeof(name), "btf_trace_%s", target);
		if (btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF) < 0)
			set_outcome(&outcomes[i], HOOK_ABSENT, "this kernel has no such tracepoint");
	}
	spare_old_scheduler(btf, outcomes);
}

static struct bpf_program *program_of(const struct hooks *hooks, size_t i)
{
	return bpf_object__find_program_by_name(hooks->skeleton->obj, hooks_table[i].program);
}

static int row_of_program(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++) {
		if (strcmp(hooks_table[i].program, name) == 0)
			return i;
	}
	return -1;
}

static int load_failed(int code, struct error *err)
{
	if (code == EPERM || code == EACCES)
		return error_set(err, EPERM, "the kernel does not let this process load tracing programs: "
			"run ctrace as root (or with CAP_BPF, CAP_PERFMON and CAP_SYS_RESOURCE)");
	return error_errno(err, code, "cannot load the tracing programs");
}

/* One attempt with what is not known to fail. Returns 0, -EAGAIN when a program was struck off and another
 * attempt makes sense, or the error. */
static int try_load(struct hooks *hooks, const struct capture_options *options, const struct btf *btf,
	const struct facts *facts, struct outcome *outcomes, struct error *err)
{
	int r, row;

	hooks->skeleton = ctrace_bpf__open();
	if (!hooks->skeleton)
		return error_errno(err, errno, "cannot open the tracing programs");
	configure(hooks->skeleton, options, btf, facts);
	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++)
		bpf_program__set_autoload(program_of(hooks, i), outcomes[i].state == HOOK_ATTACHED);
	failed_program[0] = '\0';
	r = ctrace_bpf__load(hooks->skeleton);
	if (r == 0)
		return 0;
	ctrace_bpf__destroy(steal_ptr(hooks->skeleton));
	row = failed_program[0] ? row_of_program(failed_program) : -1;
	if (row < 0)
		return load_failed(-r, err);
	set_outcome(&outcomes[row], HOOK_REFUSED, refusal(-r));
	return -EAGAIN;
}

static int load(struct hooks *hooks, const struct capture_options *options, const struct btf *btf,
	const struct facts *facts, struct outcome *outcomes, struct error *err)
{
	libbpf_print_fn_t previous = libbpf_set_print(watch_libbpf);
	int r = -EAGAIN;

	for (size_t i = 0; i <= ARRAY_SIZE(hooks_table) && r == -EAGAIN; i++)
		r = try_load(hooks, options, btf, facts, outcomes, err);
	libbpf_set_print(previous);
	return r;
}

static void attach_row(struct hooks *hooks, size_t i, struct outcome *outcome)
{
	libbpf_print_fn_t previous = libbpf_set_print(watch_libbpf);

	hooks->links[i] = bpf_program__attach(program_of(hooks, i));
	if (!hooks->links[i])
		set_outcome(outcome, HOOK_REFUSED, refusal(errno));
	libbpf_set_print(previous);
}

static void attach_always(struct hooks *hooks, struct outcome *outcomes)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++) {
		if (outcomes[i].state != HOOK_ATTACHED)
			continue;
		if (hooks_table[i].tier == TIER_ALWAYS)
			attach_row(hooks, i, &outcomes[i]);
		else if (hooks_table[i].tier != TIER_ON_DEMAND)
			set_outcome(&outcomes[i], HOOK_ARMABLE, "");
	}
}

/* The two hooks of cgroup_file_write work together or not at all. */
static void settle_writes(struct hooks *hooks, struct outcome *outcomes)
{
	int rows[] = { row_of_program(FUNCTION_WRITE), row_of_program(FUNCTION_WRITTEN) };

	if (hooks->links[rows[0]] && hooks->links[rows[1]]) {
		hooks_counters(hooks)->function_writes = 1;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!hooks->links[rows[i]])
			continue;
		bpf_link__destroy(steal_ptr(hooks->links[rows[i]]));
		set_outcome(&outcomes[rows[i]], HOOK_REFUSED, "its other half does not attach");
	}
}

/* The scheduler's hooks, too: all of them or none. */
static void settle_sched(struct outcome *outcomes)
{
	bool whole = true;

	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++)
		whole &= hooks_table[i].tier != TIER_SCHED || outcomes[i].state == HOOK_ARMABLE;
	for (size_t i = 0; i < ARRAY_SIZE(hooks_table) && !whole; i++) {
		if (hooks_table[i].tier == TIER_SCHED && outcomes[i].state == HOOK_ARMABLE)
			set_outcome(&outcomes[i], HOOK_REFUSED, "another hook that it needs does not load");
	}
}

static void report(struct facts *facts, const struct outcome *outcomes)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++)
		facts_add_hook(facts, hooks_table[i].job, hooks_table[i].section, outcomes[i].state,
			outcomes[i].reason);
}

/* Without these there is no timeline at all. */
static int check_essential(const struct outcome *outcomes, const struct facts *facts, struct error *err)
{
	static const char *const essential[] = { "ct_task_newtask", "ct_sched_process_exec", "ct_sched_process_exit" };

	for (size_t i = 0; i < ARRAY_SIZE(essential); i++) {
		int row = row_of_program(essential[i]);

		if (outcomes[row].state == HOOK_REFUSED && geteuid() != 0)
			return load_failed(EPERM, err);
		if (outcomes[row].state == HOOK_REFUSED && strcmp(facts->lockdown, "confidentiality") == 0)
			return error_set(err, EPERM, "the kernel is locked down (lockdown=confidentiality): it lets no "
				"tracing program read its memory; lockdown=integrity does");
		if (outcomes[row].state != HOOK_ATTACHED)
			return error_set(err, ENOSYS, "cannot follow processes: %s: %s", hooks_table[row].section,
				outcomes[row].reason);
	}
	return 0;
}

int hooks_load(struct hooks *hooks, const struct capture_options *options, struct facts *facts, struct error *err)
{
	struct outcome outcomes[ARRAY_SIZE(hooks_table)] = { 0 };
	struct btf *btf = btf__load_vmlinux_btf();
	int r;

	if (!btf)
		return error_errno(err, errno, "the kernel's type information cannot be read "
			"(/sys/kernel/btf/vmlinux; CONFIG_DEBUG_INFO_BTF makes it)");
	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++)
		outcomes[i].state = HOOK_ATTACHED;
	hooks->links = xcalloc(ARRAY_SIZE(hooks_table), sizeof(hooks->links[0]));
	find_absent(btf, outcomes);
	r = load(hooks, options, btf, facts, outcomes, err);
	btf__free(btf);
	if (r == 0) {
		roles_fill_names(bpf_map__fd(hooks->skeleton->maps.role_of_name), options->runtimes);
		attach_always(hooks, outcomes);
		settle_writes(hooks, outcomes);
		settle_sched(outcomes);
		report(facts, outcomes);
		r = check_essential(outcomes, facts, err);
	}
	if (r < 0)
		hooks_unload(hooks);
	return r;
}

bool hooks_can_arm(const struct hooks *hooks)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++) {
		if (hooks_table[i].tier == TIER_DETAIL && bpf_program__fd(program_of(hooks, i)) < 0)
			return false;
	}
	return true;
}

static void detach_tier(struct hooks *hooks, enum hook_tier tier)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++) {
		if (hooks_table[i].tier == tier && hooks->links[i])
			bpf_link__destroy(steal_ptr(hooks->links[i]));
	}
}

/* All of them or none: a figure that lacks something is no figure. The epoch turns odd when all are there. */
static void attach_sched(struct hooks *hooks)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks_table); i++) {
		if (hooks_table[i].tier != TIER_SCHED)
			continue;
		if (bpf_program__fd(program_of(hooks, i)) >= 0)
			hooks->links[i] = bpf_program__attach(program_of(hooks, i));
		if (!hooks->links[i]) {
			detach_tier(hooks, TIER_SCHED);
			return;
		}
	}
	hooks_counters(hooks)->sched_epoch++;
}

static void detach_sched(struct hooks *hooks)
{
	int fd = bpf_map__fd(hooks->skeleton->maps.queued_since);
	uint32_t tid;

	if (hooks_counters(hooks)->sched_epoch & 1)
		hooks_counters(hooks)->sched_epoch++;
	detach_tier(hooks, TIER_SCHED);
	for (int i = 0; i < CTRACE_MAX_QUEUED && bpf_map_get_next_key(fd, NULL, &tid) == 0; i++)
		bpf_map_delete_elem(fd, &tid);
}

int hooks_arm(struct hooks *hooks, struct error *err)
{
	if (hooks->armed)
		return 0;
	/* Last row first: an exit without its entry is nothing, an entry without its exit is half a step. */
	for (size_t i = ARRAY_SIZE(hooks_table); i-- > 0;) {
		if (hooks_table[i].tier != TIER_DETAIL)
			continue;
		hooks->links[i] = bpf_program__attach(program_of(hooks, i));
		if (!hooks->links[i]) {
			int code = errno;

			hooks_disarm(hooks);
			return error_errno(err, code, "cannot attach %s", hooks_table[i].section);
		}
	}
	hooks->armed = true;
	attach_sched(hooks);
	return 0;
}

/* Calls that were in progress will never be seen to end: their tid must not pair with a later one. */
static void forget_inflight(struct hooks *hooks)
{
	int fd = bpf_map__fd(hooks->skeleton->maps.inflight);
	uint32_t tid;

	for (int i = 0; i < CTRACE_MAX_INFLIGHT && bpf_map_get_next_key(fd, NULL, &tid) == 0; i++)
		bpf_map_delete_elem(fd, &tid);
}

void hooks_disarm(struct hooks *hooks)
{
	detach_tier(hooks, TIER_DETAIL);
	if (hooks->armed) {
		detach_sched(hooks);
		forget_inflight(hooks);
	}
	hooks->armed = false;
}

int hooks_open_snapshot(const struct hooks *hooks)
{
	struct bpf_program *program = bpf_object__find_program_by_name(hooks->skeleton->obj, SNAPSHOT_PROGRAM);
	struct bpf_link *link = bpf_program__fd(program) < 0 ? NULL : bpf_program__attach_iter(program, NULL);
	int fd;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	bpf_link__destroy(link);
	return fd;
}

volatile struct ctrace_counters *hooks_counters(const struct hooks *hooks)
{
	return &hooks->skeleton->bss->counters;
}

void hooks_unload(struct hooks *hooks)
{
	for (size_t i = 0; hooks->links && i < ARRAY_SIZE(hooks_table); i++)
		bpf_link__destroy(hooks->links[i]);
	free(steal_ptr(hooks->links));
	ctrace_bpf__destroy(steal_ptr(hooks->skeleton));
}
