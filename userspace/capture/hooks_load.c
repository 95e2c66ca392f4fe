/* SPDX-License-Identifier: Apache-2.0 */
/* Loading and attaching: what the kernel refuses is struck off, and the rest tried again. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/event_types.h"
#include "bpf/shared.h"
#include "bpf/ctrace.skel.h"
#include "capture/facts_internal.h"
#include "capture/hooks.h"
#include "capture/hooks_internal.h"
#include "capture/roles.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

struct loading {
	struct hooks *hooks;
	const struct capture_options *options;
	const struct facts *facts;
	struct kernel_types *types;
	int types_fd;             /* memory file with the reduced types */
	bool direct;              /* the kernel refuses the helpers that read its memory */
	struct outcome *outcomes; /* one per row */
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

/* The index of a controller in css_set.subsys depends on the kernel's configuration. */
static uint32_t subsys_index(const struct kernel_types *types, const char *controller)
{
	char name[80];

	snprintf(name, sizeof(name), "%s_cgrp_id", controller);
	return kernel_types_enumerator(types, "cgroup_subsys_id", name, CTRACE_IDENTITY_V2);
}

static uint32_t identity_subsys(const struct kernel_types *types, const struct timeline_config *config)
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
		return subsys_index(types, first);
	}
	return CTRACE_IDENTITY_V2;
}

/* A table that is filled in advance costs time at each start and its whole size in memory. Since 6.1 the kernel has an
 * allocator of its own for programs (kernel/bpf/memalloc.c), with which that is needless; before, it was forbidden to do
 * without. queued_since stays filled: it is updated in wakeups, with interrupts off, where the allocator cannot refill. */
static void allocate_on_demand(const struct loading *l, struct bpf_map *map)
{
	if (kernel_types_find(l->types, "bpf_mem_alloc", BTF_KIND_STRUCT) >= 0)
		bpf_map__set_map_flags(map, bpf_map__map_flags(map) | BPF_F_NO_PREALLOC);
}

static void configure(const struct loading *l)
{
	const struct capture_options *options = l->options;
	struct ctrace_bpf *skeleton = l->hooks->skeleton;
	const char *entries = getenv("CTRACE_MAP_ENTRIES"); /* for tests of what happens when maps are full */

	skeleton->rodata->config.self_tgid = getpid();
	skeleton->rodata->config.follow_tgid = (__u32)options->follow;
	skeleton->rodata->config.identity_subsys = identity_subsys(l->types, &l->facts->timeline);
	skeleton->rodata->config.memory_subsys = subsys_index(l->types, "memory");
	skeleton->rodata->config.page_size = l->facts->timeline.page_size;
	if (options->lifecycle_ring_bytes)
		bpf_map__set_max_entries(skeleton->maps.lifecycle_ring, options->lifecycle_ring_bytes);
	if (options->bulk_ring_bytes)
		bpf_map__set_max_entries(skeleton->maps.bulk_ring, options->bulk_ring_bytes);
	allocate_on_demand(l, skeleton->maps.role_of);
	allocate_on_demand(l, skeleton->maps.inflight);
	allocate_on_demand(l, skeleton->maps.blocked_in);
	if (entries && atoi(entries) > 0) {
		bpf_map__set_max_entries(skeleton->maps.role_of, atoi(entries));
		bpf_map__set_max_entries(skeleton->maps.inflight, atoi(entries));
	}
}

static int row_of_program(const char *name)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (strcmp(hook_table[i].program, name) == 0)
			return i;
	}
	return -1;
}

static int load_failed(int code, struct error *err)
{
	if (code == EPERM || code == EACCES)
		return error_set(err, EPERM, "the kernel does not let this process load tracing programs: "
			"run ctrace as root of the host (or with CAP_BPF and CAP_PERFMON there)");
	return error_errno(err, code, "cannot load the tracing programs");
}

/* ---- loading ---- */

/* The kernel's types are known only when the programs' own are: the file is filled after the first open. */
static int learn_types(struct loading *l, struct error *err)
{
	_cleanup_free_ const char **names = NULL;
	int r;

	if (l->types)
		return 0;
	names = hooks_names();
	r = kernel_types_load(bpf_object__btf(l->hooks->skeleton->obj), names, &l->types, err);
	if (r == 0)
		r = kernel_types_reduce(l->types, l->types_fd, err);
	if (r == 0)
		hooks_find_absent(l->types, l->outcomes);
	return r;
}

static int open_programs(struct loading *l, struct error *err)
{
	char path[32];
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = path);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", l->types_fd);
	l->hooks->skeleton = l->direct ? hooks_open_direct() : ctrace_bpf__open_opts(&options);
	return l->hooks->skeleton ? 0 : error_errno(err, errno, "cannot open the tracing programs");
}

static void forget_programs(struct loading *l)
{
	ctrace_bpf__destroy(steal_ptr(l->hooks->skeleton));
}

/* One attempt with what is not known to fail. Returns 0, -EAGAIN when a program was struck off and another
 * attempt makes sense, or the error. */
static int try_load(struct loading *l, struct error *err)
{
	int r = open_programs(l, err), row;

	if (r == 0)
		r = learn_types(l, err);
	if (r < 0)
		return r;
	if (l->direct && !hooks_can_read_directly(l->types)) {
		l->direct = false; /* which shows what is refused */
		return -EAGAIN;
	}
	hooks_prepare_targets(l->types, l->direct);
	hooks_choose(l->outcomes);
	configure(l);
	for (size_t i = 0; i < hook_count; i++)
		bpf_program__set_autoload(hooks_program(l->hooks, i), l->outcomes[i].state == HOOK_ATTACHED);
	failed_program[0] = '\0';
	r = ctrace_bpf__load(l->hooks->skeleton);
	if (r == 0)
		return 0;
	row = failed_program[0] ? row_of_program(failed_program) : -1;
	if (row < 0)
		return load_failed(-r, err);
	outcome_set(&l->outcomes[row], HOOK_REFUSED, hooks_refusal(-r));
	return -EAGAIN;
}

/* ---- attaching ---- */

/* The functions of that list which this kernel has; all of them where it does not tell. */
static struct bpf_link *attach_multi(const struct loading *l, size_t row, const char *const *functions)
{
	LIBBPF_OPTS(bpf_kprobe_multi_opts, options, .retprobe = str_starts(hook_table[row].section, "kret"));
	_cleanup_free_ const char **there = NULL;
	size_t n = 0;

	while (functions[n])
		n++;
	there = xcalloc(n, sizeof(*there));
	for (size_t i = 0; i < n; i++) {
		if (kernel_types_find(l->types, functions[i], BTF_KIND_FUNC) >= 0)
			there[options.cnt++] = functions[i];
	}
	options.syms = there;
	return bpf_program__attach_kprobe_multi_opts(hooks_program(l->hooks, row), NULL, &options);
}

static void attach_row(struct loading *l, size_t i)
{
	const char *section = hook_table[i].section;
	struct bpf_link *link;

	if (str_ends(section, ".multi/syscalls"))
		link = attach_multi(l, i, hook_call_functions);
	else if (str_ends(section, ".multi/unix_stream"))
		link = attach_multi(l, i, hook_stream_functions);
	else
		link = hooks_attach(l->hooks, i);
	l->hooks->links[i] = link;
	if (!link)
		outcome_set(&l->outcomes[i], HOOK_REFUSED, hooks_refusal(errno));
}

static bool is_always_on(const struct loading *l, size_t row)
{
	return hook_table[row].tier == TIER_ALWAYS && l->outcomes[row].state == HOOK_ATTACHED;
}

/* Returns -EAGAIN when a group fell apart: then another one may have to be loaded in its place. */
static int attach_always(struct loading *l)
{
	int r = 0;

	for (size_t i = 0; i < hook_count; i++) {
		if (!is_always_on(l, i))
			continue;
		attach_row(l, i);
		if (l->outcomes[i].state != HOOK_ATTACHED && hook_table[i].group != GROUP_NONE)
			r = -EAGAIN;
	}
	return r;
}

static int load_and_attach(struct loading *l, struct error *err)
{
	libbpf_print_fn_t previous = libbpf_set_print(watch_libbpf);
	int r = -EAGAIN;

	for (size_t attempt = 0; attempt <= hook_count && r == -EAGAIN; attempt++) {
		hooks_detach(l->hooks);
		forget_programs(l);
		r = try_load(l, err);
		if (r == 0)
			r = attach_always(l);
	}
	libbpf_set_print(previous);
	return r;
}

/* ---- what became of it ---- */

static bool is_attached(const struct loading *l, enum hook_group group)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (hook_table[i].group == group && !l->hooks->links[i])
			return false;
	}
	return true;
}

static void settle(struct loading *l)
{
	for (size_t i = 0; i < hook_count; i++) {
		bool waits = hook_table[i].tier == TIER_DETAIL || hook_table[i].tier == TIER_SCHED;

		if (waits && l->outcomes[i].state == HOOK_ATTACHED)
			outcome_set(&l->outcomes[i], HOOK_ARMABLE, "");
	}
	l->hooks->calls_always = is_attached(l, GROUP_CALLS_KPROBE);
	if (is_attached(l, GROUP_WRITE_FENTRY) || is_attached(l, GROUP_WRITE_KPROBE))
		hooks_counters(l->hooks)->function_writes = 1;
}

static void report(const struct loading *l, struct facts *facts)
{
	for (size_t i = 0; i < hook_count; i++)
		facts_add_hook(facts, hook_table[i].job, hook_table[i].section, l->outcomes[i].state,
			l->outcomes[i].reason);
}

/* Without these there is no timeline at all. */
static int check_essential(const struct loading *l, struct error *err)
{
	static const char *const essential[] = { "ct_task_newtask", "ct_sched_process_exec", "ct_sched_process_exit" };

	for (size_t i = 0; i < ARRAY_SIZE(essential); i++) {
		int row = row_of_program(essential[i]);

		if (l->outcomes[row].state == HOOK_REFUSED && geteuid() != 0)
			return load_failed(EPERM, err);
		if (l->outcomes[row].state == HOOK_REFUSED && strcmp(l->facts->lockdown, "confidentiality") == 0)
			return error_set(err, EPERM, "the kernel is locked down (lockdown=confidentiality): before Linux "
				"6.2 it then lets no tracing program read its memory; lockdown=integrity does");
		if (l->outcomes[row].state != HOOK_ATTACHED)
			return error_set(err, ENOSYS, "cannot follow processes: %s: %s", hook_table[row].section,
				l->outcomes[row].reason);
	}
	return 0;
}

int hooks_load(struct hooks *hooks, const struct capture_options *options, struct facts *facts, struct error *err)
{
	_cleanup_free_ struct outcome *outcomes = xcalloc(hook_count, sizeof(*outcomes));
	_cleanup_close_ int fd = memfd_create("ctrace-btf", MFD_CLOEXEC);
	struct loading l = { .hooks = hooks, .options = options, .facts = facts, .types_fd = fd, .outcomes = outcomes,
		.direct = hooks_need_direct_reads() };
	int r = hooks_register_handlers();

	if (fd < 0)
		return error_errno(err, errno, "cannot make a memory file");
	if (r < 0)
		return error_errno(err, -r, "cannot open the tracing programs");
	for (size_t i = 0; i < hook_count; i++)
		outcomes[i].state = HOOK_ATTACHED;
	hooks->links = xcalloc(hook_count, sizeof(hooks->links[0]));
	r = load_and_attach(&l, err);
	if (r == 0) {
		roles_fill_names(bpf_map__fd(hooks->skeleton->maps.role_of_name), options->runtimes);
		settle(&l);
		report(&l, facts);
		r = check_essential(&l, err);
	}
	hooks_prepare_targets(NULL, false);
	kernel_types_free(l.types);
	if (r < 0)
		hooks_unload(hooks);
	return r;
}
