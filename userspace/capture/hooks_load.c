/* SPDX-License-Identifier: Apache-2.0 */
/* Loading and attaching: what the kernel refuses is struck off, and the rest tried again. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/event_types.h"
#include "bpf/shared.h"
#include "bpf/ctrace.skel.h"
#include "capture/facts_internal.h"
#include "capture/hooks.h"
#include "capture/hooks_internal.h"
#include "capture/refusal.h"
#include "capture/roles.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/parallel.h"
#include "util/strbuf.h"

struct loading {
	struct hooks *hooks;
	const struct capture_options *options;
	const struct facts *facts;
	struct kernel_types *types;
	bool types_known;         /* looked through, and reduced */
	int types_fd;             /* memory file with the reduced types */
	int maps[HOOKS_MAX_MAPS]; /* -1 = none */
	bool direct;              /* the kernel refuses the helpers that read its memory */
	struct outcome *outcomes; /* one per row */
	struct error here, there; /* of what runs side by side */
};

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
 * without. */
static void allocate_on_demand(struct ctrace_bpf *half)
{
	struct bpf_map *const maps[] = { half->maps.role_of, half->maps.inflight, half->maps.blocked_in };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		bpf_map__set_map_flags(maps[i], bpf_map__map_flags(maps[i]) | BPF_F_NO_PREALLOC);
}

static void set_sizes(const struct loading *l)
{
	const struct capture_options *options = l->options;
	struct ctrace_bpf *half = l->hooks->skeleton;
	const char *entries = getenv("CTRACE_MAP_ENTRIES"); /* for tests of what happens when maps are full */

	if (options->lifecycle_ring_bytes)
		bpf_map__set_max_entries(half->maps.lifecycle_ring, options->lifecycle_ring_bytes);
	if (options->bulk_ring_bytes)
		bpf_map__set_max_entries(half->maps.bulk_ring, options->bulk_ring_bytes);
	if (kernel_types_has_name(l->types, "bpf_mem_alloc"))
		allocate_on_demand(half);
	if (entries && atoi(entries) > 0) {
		bpf_map__set_max_entries(half->maps.role_of, atoi(entries));
		bpf_map__set_max_entries(half->maps.inflight, atoi(entries));
	}
}

static void configure(const struct loading *l)
{
	struct ctrace_config config = {
		.self_tgid = getpid(),
		.follow_tgid = (__u32)l->options->follow,
		.identity_subsys = identity_subsys(l->types, &l->facts->timeline),
		.memory_subsys = subsys_index(l->types, "memory"),
		.pids_subsys = subsys_index(l->types, "pids"),
		.page_size = l->facts->timeline.page_size,
	};

	l->hooks->skeleton->rodata->config = config;
	l->hooks->second->rodata->config = config;
	for (size_t i = 0; i < hook_count; i++)
		hooks_set_wanted(l->hooks, i, l->outcomes[i].state == HOOK_ATTACHED);
}

static int load_failed(int code, struct error *err)
{
	/* Filters answer as if there were no such call, too. */
	if (code == EPERM || code == EACCES || (code == ENOSYS && refusal_by_filter()))
		return error_set(err, EPERM, "the kernel does not let this process load tracing programs: %s", refusal_words());
	return error_errno(err, code, "cannot load the tracing programs");
}

/* ---- opening ---- */

static int open_half(const struct loading *l, struct ctrace_bpf **ret_half, struct error *err)
{
	int r = hooks_open_half(l->direct, l->types_fd, ret_half);

	return r < 0 ? error_errno(err, -r, "cannot open the tracing programs") : 0;
}

static int open_first(void *arg)
{
	struct loading *l = arg;

	return open_half(l, &l->hooks->skeleton, &l->here);
}

static int open_second(void *arg)
{
	struct loading *l = arg;
	int r = l->types ? 0 : kernel_types_open(&l->types, &l->there);

	return r < 0 ? r : open_half(l, &l->hooks->second, &l->there);
}

/* The kernel's types are known only when the programs' own are: the file is filled after the first open. */
static int look_through_types(void *arg)
{
	struct loading *l = arg;
	_cleanup_free_ const char **names = NULL;
	int r;

	if (l->types_known)
		return 0;
	names = hooks_names();
	r = kernel_types_index(l->types, bpf_object__btf(l->hooks->skeleton->obj), names, &l->here);
	if (r == 0)
		r = kernel_types_reduce(l->types, l->types_fd, &l->here);
	if (r < 0)
		return r;
	hooks_find_absent(l->types, l->outcomes);
	l->types_known = true;
	return 0;
}

static int make_maps(void *arg)
{
	struct loading *l = arg;
	int r;

	set_sizes(l);
	r = hooks_make_maps(l->hooks->skeleton, l->maps);
	return r < 0 ? load_failed(-r, &l->there) : 0;
}

static void forget_maps(struct loading *l)
{
	for (size_t i = 0; i < HOOKS_MAX_MAPS; i++) {
		cleanup_close(&l->maps[i]);
		l->maps[i] = -1;
	}
}

static int open_programs(struct loading *l, struct error *err)
{
	const struct error *failure;
	int r = parallel_run(open_first, open_second, l);

	if (r == 0)
		r = parallel_run(look_through_types, make_maps, l);
	if (r == 0)
		r = hooks_use_maps(l->hooks->skeleton, l->maps);
	if (r == 0)
		r = hooks_use_maps(l->hooks->second, l->maps);
	forget_maps(l);
	if (r == 0)
		return 0;
	failure = l->here.text[0] ? &l->here : &l->there;
	if (!failure->text[0])
		return load_failed(-r, err);
	if (err)
		*err = *failure;
	return r;
}

/* ---- loading ---- */

/* One attempt with what is not known to fail. Returns 0, -EAGAIN when a program was struck off and another
 * attempt makes sense, or the error. */
static int try_load(struct loading *l, struct error *err)
{
	int r = open_programs(l, err), row;

	if (r < 0)
		return r;
	if (l->direct && !hooks_can_read_directly(l->types)) {
		l->direct = false; /* which shows what is refused */
		return -EAGAIN;
	}
	hooks_prepare_targets(l->types, l->direct);
	hooks_choose(l->outcomes);
	configure(l);
	r = hooks_load_halves(l->hooks, &row);
	if (r == 0)
		return 0;
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
	libbpf_print_fn_t previous = libbpf_set_print(hooks_watch_libbpf);
	int r = -EAGAIN;

	for (size_t attempt = 0; attempt <= hook_count && r == -EAGAIN; attempt++) {
		hooks_detach(l->hooks);
		hooks_close(l->hooks);
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
		int row = hooks_row_of_program(essential[i]);

		if (l->outcomes[row].state == HOOK_REFUSED && refusal_of_privilege() != REFUSAL_NONE)
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

	memset(l.maps, -1, sizeof(l.maps));
	if (fd < 0)
		return error_errno(err, errno, "cannot make a memory file");
	if (r < 0)
		return error_errno(err, -r, "cannot open the tracing programs");
	for (size_t i = 0; i < hook_count; i++)
		outcomes[i].state = HOOK_ATTACHED;
	hooks->links = xcalloc(hook_count, sizeof(hooks->links[0]));
	r = load_and_attach(&l, err);
	if (r == 0)
		r = roles_fill_names(bpf_map__fd(hooks->skeleton->maps.role_of_name), err);
	if (r == 0) {
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
