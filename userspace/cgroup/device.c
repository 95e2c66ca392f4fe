/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules on v2: a BPF_PROG_TYPE_CGROUP_DEVICE program, built here instruction by instruction. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroup/cgroup_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { RULES_MAX = 4096 };

struct code {
	struct bpf_insn *items;
	size_t count, capacity;
};

static void emit(struct code *c, __u8 op, __u8 dst, __u8 src, __s16 off, __s32 imm)
{
	array_grow(c->items, c->count, c->capacity);
	c->items[c->count++] = (struct bpf_insn){ op, dst, src, off, imm };
}

/* r2 = type, r3 = access, r4 = major, r5 = minor (linux/bpf.h, struct bpf_cgroup_dev_ctx). */
static void emit_prologue(struct code *c)
{
	emit(c, BPF_LDX | BPF_MEM | BPF_W, 2, 1, 0, 0);
	emit(c, BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, 0xffff);
	emit(c, BPF_LDX | BPF_MEM | BPF_W, 3, 1, 0, 0);
	emit(c, BPF_ALU | BPF_RSH | BPF_K, 3, 0, 0, 16);
	emit(c, BPF_LDX | BPF_MEM | BPF_W, 4, 1, 4, 0);
	emit(c, BPF_LDX | BPF_MEM | BPF_W, 5, 1, 8, 0);
}

static void emit_return(struct code *c, bool allow)
{
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, allow);
	emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int access_bits(const char *access)
{
	int bits = 0;

	for (; *access; access++)
		bits |= *access == 'r'	? BPF_DEVCG_ACC_READ
			: *access == 'w' ? BPF_DEVCG_ACC_WRITE
					 : BPF_DEVCG_ACC_MKNOD;
	return bits;
}

/* One rule: jump over its return when any part differs. False: nothing can differ, so that no instruction
 * may follow (the verifier refuses unreachable ones). */
static bool emit_rule(struct code *c, const struct cgroup_device *d)
{
	enum { JNE = BPF_JMP | BPF_JNE | BPF_K };
	int bits = access_bits(d->access);
	size_t jumps[4], n = 0, count;

	if (d->type != 'a') {
		jumps[n++] = c->count;
		emit(c, JNE, 2, 0, 0, d->type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
	}
	if (bits && bits != 7) {
		/* an allowing rule must cover all that is asked; a denying one, any of it */
		emit(c, BPF_ALU64 | BPF_MOV | BPF_X, 1, 3, 0, 0);
		emit(c, BPF_ALU | BPF_AND | BPF_K, 1, 0, 0, d->allow ? ~bits & 7 : bits);
		jumps[n++] = c->count;
		emit(c, d->allow ? JNE : BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0, 0);
	}
	if (d->major >= 0) {
		jumps[n++] = c->count;
		emit(c, JNE, 4, 0, 0, (int)d->major);
	}
	if (d->minor >= 0) {
		jumps[n++] = c->count;
		emit(c, JNE, 5, 0, 0, (int)d->minor);
	}
	emit_return(c, d->allow);
	for (count = n; n > 0; n--)
		c->items[jumps[n - 1]].off = c->count - jumps[n - 1] - 1;
	return count > 0;
}

int cgroup_device_attach(int dir, const struct cgroup_resources *r, struct error *err)
{
	struct code code = { 0 };
	bool more = true;
	_cleanup_free_ struct bpf_insn *owner = NULL;
	_cleanup_close_ int program = -1, group = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union bpf_attr load = { 0 }, attach = { 0 };
	static char log[4096];

	if (r->device_count > RULES_MAX)
		return error_set(err, E2BIG, "more than %d device rules", RULES_MAX);
	emit_prologue(&code);
	for (size_t i = r->device_count; more && i-- > 0;) /* the last rule that matches decides */
		more = emit_rule(&code, &r->devices[i]);
	if (more)
		emit_return(&code, false);
	owner = code.items;
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (__u64)(uintptr_t)code.items;
	load.insn_cnt = code.count;
	load.license = (__u64)(uintptr_t) "GPL";
	load.log_buf = (__u64)(uintptr_t)log;
	load.log_size = sizeof(log);
	load.log_level = 1;
	program = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (program < 0 && errno == ENOSPC) { /* only the log was too long */
		load.log_level = load.log_size = 0;
		load.log_buf = 0;
		program = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	}
	if (program < 0)
		return error_errno(err, errno, "cannot load the device rules (BPF): %.500s", log);
	attach.target_fd = group;
	attach.attach_bpf_fd = program;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0)
		return error_errno(err, errno, "cannot attach the device rules (BPF) to the cgroup");
	return 0;
}
