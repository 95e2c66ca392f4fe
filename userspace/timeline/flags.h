/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_FLAGS_H
#define CTRACE_FLAGS_H

#include <stdint.h>
#include <stddef.h>

/* Flags of system calls as the kernel names them, for details of type list. */

struct flag_name {
	uint64_t bit;
	const char *name;
};

/* The names of the bits that are set, separated by '\x1f'; unknown bits as one hex number; count is at most 64. The caller
 * frees. */
char *flags_text(uint64_t flags, const struct flag_name *names, size_t count);
char *flags_clone(uint64_t flags); /* CLONE_* of clone(2), clone3(2), unshare(2), setns(2) */

#endif
