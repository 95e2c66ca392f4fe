/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile that refuses what it does not name with EPERM breaks programs when the kernel and the C library
 * learn a new call: the library falls back on ENOSYS only. runc therefore answers ENOSYS to every call whose
 * number is above all that the profile names; profiles are written with that in mind (docker's is), so the same
 * is done here. Calls have one numbering per architecture, and x32's has a bit of its own. 32-bit ARM has a few calls of
 * its own far above all others (cacheflush), which are not what a newer kernel's would be.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>

#include "runtime/seccomp_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

#define X32_BIT 0x40000000U
#define ARM_OWN_CALLS 0x0f0000U /* __ARM_NR_BASE of asm/unistd.h */

enum { ARCHITECTURES_MAX = 16, PER_ARCHITECTURE = 7, PROGRAM_MAX = BPF_MAXINSNS };

struct numbering {
	uint32_t arch;       /* of libseccomp */
	uint32_t audit;      /* of the kernel */
	uint32_t base, last; /* lowest possible number, highest that the profile names */
	uint32_t end;        /* all numbers are below it */
};

bool seccomp_wants_enosys(uint32_t default_action)
{
	return default_action != SCMP_ACT_ALLOW && default_action != SCMP_ACT_LOG &&
	       (default_action & 0xffff0000U) != SCMP_ACT_TRACE(0) &&
	       default_action != SCMP_ACT_ERRNO(ENOSYS);
}

static void add_numbering(struct numbering *list, size_t *count, uint32_t arch)
{
	for (size_t i = 0; i < *count; i++) {
		if (list[i].arch == arch)
			return;
	}
	if (*count < ARCHITECTURES_MAX)
		list[(*count)++] = (struct numbering){ .arch = arch,
			.audit = arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch,
			.base = arch == SCMP_ARCH_X32 ? X32_BIT : 0,
			.end = arch == SCMP_ARCH_X32 ? 2 * X32_BIT : arch == SCMP_ARCH_ARM ? ARM_OWN_CALLS : X32_BIT };
}

static void note_names(struct numbering *n, char **names)
{
	for (size_t i = 0; names && names[i]; i++) {
		int nr = seccomp_syscall_resolve_name_arch(n->arch, names[i]);

		/* negative: the architecture does not have it */
		if (nr >= 0 && (uint32_t)nr > n->last && (uint32_t)nr < n->end)
			n->last = (uint32_t)nr;
	}
}

static int find_last(const struct doc *seccomp, struct numbering *list, size_t count,
	struct error *err)
{
	struct doc rules, e;

	if (doc_array(seccomp, "syscalls", &rules, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < doc_count(&rules); i++) {
		_cleanup_free_ char **names = NULL;

		if (doc_element(&rules, i, &e, err) < 0 ||
			doc_strings(&e, "names", &names, NULL, err) < 0)
			return -EINVAL;
		for (size_t j = 0; j < count; j++)
			note_names(&list[j], names);
	}
	return 0;
}

/* Falls through to the next instruction after these where the call is not one of n's, or named. */
static void emit(struct sock_filter *f, const struct numbering *n)
{
	const struct sock_filter code[PER_ARCHITECTURE] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n->audit, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, n->base, 0, 3),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, n->end, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, n->last, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};

	memcpy(f, code, sizeof(code));
}

int seccomp_prepend_enosys(const struct doc *seccomp, struct seccomp_program *p, struct error *err)
{
	_cleanup_free_ char **names = NULL;
	struct numbering list[ARCHITECTURES_MAX];
	struct sock_filter *all;
	size_t count = 0, before;

	add_numbering(list, &count, seccomp_arch_native());
	if (doc_strings(seccomp, "architectures", &names, NULL, err) < 0)
		return -EINVAL;
	for (size_t i = 0; names && names[i]; i++)
		add_numbering(list, &count, seccomp_architecture(names[i]));
	if (find_last(seccomp, list, count, err) < 0)
		return -EINVAL;
	before = count * PER_ARCHITECTURE;
	if (before + p->count > PROGRAM_MAX)
		return 0;
	all = xcalloc(before + p->count, sizeof(*all));
	for (size_t i = 0; i < count; i++)
		emit(all + i * PER_ARCHITECTURE, &list[i]);
	memcpy(all + before, p->filter, p->count * sizeof(*all));
	free(p->filter);
	p->filter = all;
	p->count = (unsigned short)(before + p->count);
	return 0;
}
