/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tracing program attaches to is looked up in our own copy of the kernel's types. Left to itself, libbpf reads all
 * of them once more for every object that has a program of that type, which takes longer than to load the programs. So
 * it meets them under another type, and each gets its own at the moment it is loaded.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "capture/hooks_internal.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* libbpf's handlers are global, and so is what they need. */
static const struct kernel_types *types_of_kernel;
static bool is_direct;

static const struct hook *hook_of(const struct bpf_program *program)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (strcmp(hook_table[i].program, bpf_program__name(program)) == 0)
			return &hook_table[i];
	}
	return NULL;
}

static bool is_tracing(const char *section)
{
	return str_starts(section, "tp_btf/") || str_starts(section, "fentry/") || str_starts(section, "fexit/");
}

static int prepare_tracing(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	const struct hook *hook = hook_of(program);
	__u32 kind = bpf_program__expected_attach_type(program) == BPF_TRACE_RAW_TP ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC;
	int id = hook ? kernel_types_find(types_of_kernel, hook->target, kind) : -1;
	int r = is_direct ? hooks_keep_helpers(program) : 0;

	(void)cookie;
	if (id < 0)
		return -ESRCH;
	options->attach_btf_id = id;
	return r < 0 ? r : bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

static int prepare_multi(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	(void)options;
	(void)cookie;
	return is_direct ? hooks_keep_helpers(program) : 0;
}

/* For good: a program points to its handler as long as it lives. kprobe.multi is attached by its own function. */
int hooks_register_handlers(void)
{
	static const struct {
		const char *section;
		enum bpf_prog_type type;
		enum bpf_attach_type attach;
		libbpf_prog_prepare_load_fn_t prepare;
	} handled[] = {
		{ "tp_btf+", BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_TRACE_RAW_TP, prepare_tracing },
		{ "fentry+", BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_TRACE_FENTRY, prepare_tracing },
		{ "fexit+", BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_TRACE_FEXIT, prepare_tracing },
		{ "iter+", BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_TRACE_ITER, prepare_tracing },
		{ "kprobe.multi+", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, prepare_multi },
		{ "kretprobe.multi+", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, prepare_multi },
	};
	static size_t registered;

	for (; registered < ARRAY_SIZE(handled); registered++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = handled[registered].prepare);
		int r = libbpf_register_prog_handler(handled[registered].section, handled[registered].type,
			handled[registered].attach, &options);

		if (r < 0)
			return r;
	}
	return 0;
}

void hooks_prepare_targets(const struct kernel_types *types, bool direct)
{
	types_of_kernel = types;
	is_direct = direct;
}

struct bpf_link *hooks_attach(const struct hooks *hooks, size_t row)
{
	struct bpf_program *program = hooks_program(hooks, row);

	return is_tracing(hook_table[row].section) ? bpf_program__attach_trace(program) : bpf_program__attach(program);
}
