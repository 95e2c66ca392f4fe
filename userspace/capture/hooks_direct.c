/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels that let no helper read their memory (lockdown=confidentiality). From 6.2 on the same programs run
 * there, compiled to read it by plain loads (bpf/read.h). libbpf must be kept from two things: from
 * relocating against types whose ids are not the kernel's, and from replacing the helpers that read the
 * memory of processes. It takes the refusal for a kernel before 5.5, and puts in their place what read
 * either memory then, which is refused, too.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event_types.h"
#include "bpf/shared.h"
#include "bpf/ctrace.skel.h"
#include "bpf/ctrace_direct.skel.h"
#include "capture/hooks_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* The one skeleton serves both objects. */
_Static_assert(offsetof(struct ctrace_bpf__rodata, config) == offsetof(struct ctrace_direct_bpf__rodata, config),
	"both objects have their configuration in the same place");
_Static_assert(sizeof(struct ctrace_bpf__bss) == sizeof(struct ctrace_direct_bpf__bss),
	"both objects have the same counters");

/* Whether a helper that reads the kernel's memory is refused to us, and not everything else with it. */
bool hooks_need_direct_reads(void)
{
	const struct bpf_insn read_nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd;

	if (getenv("CTRACE_DIRECT_READS")) /* for tests on kernels that are not locked down */
		return true;
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "ct_probe", "Dual BSD/GPL", read_nothing,
		ARRAY_SIZE(read_nothing), NULL);
	if (fd < 0)
		return errno == EINVAL || errno == EACCES;
	close(fd);
	return false;
}

bool hooks_can_read_directly(const struct kernel_types *types)
{
	return kernel_types_find(types, "bpf_rdonly_cast", BTF_KIND_FUNC) >= 0;
}

/* ---- keeping the helpers ---- */

int hooks_keep_helpers(struct bpf_program *program)
{
	size_t count = bpf_program__insn_cnt(program);
	_cleanup_free_ struct bpf_insn *instructions = xcalloc(count, sizeof(*instructions));

	memcpy(instructions, bpf_program__insns(program), count * sizeof(*instructions));
	for (size_t i = 0; i < count; i++) {
		struct bpf_insn *in = &instructions[i];

		if (in->code != (BPF_JMP | BPF_CALL) || in->src_reg)
			continue;
		if (in->imm == BPF_FUNC_probe_read)
			in->imm = BPF_FUNC_probe_read_user;
		else if (in->imm == BPF_FUNC_probe_read_str)
			in->imm = BPF_FUNC_probe_read_user_str;
	}
	return bpf_program__set_insns(program, instructions, count);
}

/* ---- opening ---- */

struct ctrace_bpf *hooks_open_direct(void)
{
	struct ctrace_bpf *skeleton = calloc(1, sizeof(*skeleton)); /* the skeleton's own destroy frees it */
	int r = skeleton ? ctrace_bpf__create_skeleton(skeleton) : -ENOMEM;
	if (r == 0) {
		skeleton->skeleton->data = (void *)ctrace_direct_bpf__elf_bytes(&skeleton->skeleton->data_sz);
		r = bpf_object__open_skeleton(skeleton->skeleton, NULL);
	}
	if (r == 0)
		return skeleton;
	ctrace_bpf__destroy(skeleton);
	errno = -r;
	return NULL;
}
