/* SPDX-License-Identifier: Apache-2.0 */
#include "timeline/flags.h"

#include <inttypes.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"

#define F(flag) { flag, #flag }

static const struct flag_name clone_flags[] = {
	F(CLONE_VM), F(CLONE_FS), F(CLONE_FILES), F(CLONE_SIGHAND), F(CLONE_PIDFD), F(CLONE_PTRACE),
	F(CLONE_VFORK), F(CLONE_PARENT), F(CLONE_THREAD), F(CLONE_NEWNS), F(CLONE_SYSVSEM),
	F(CLONE_SETTLS), F(CLONE_PARENT_SETTID), F(CLONE_CHILD_CLEARTID), F(CLONE_UNTRACED),
	F(CLONE_CHILD_SETTID), F(CLONE_NEWCGROUP), F(CLONE_NEWUTS), F(CLONE_NEWIPC),
	F(CLONE_NEWUSER), F(CLONE_NEWPID), F(CLONE_NEWNET), F(CLONE_IO), F(CLONE_NEWTIME),
	{ 0x100000000ULL, "CLONE_CLEAR_SIGHAND" }, { 0x200000000ULL, "CLONE_INTO_CGROUP" },
};

static char *put_name(char *at, const char *text, const char *name)
{
	if (at != text)
		*at++ = '\x1f';
	return stpcpy(at, name);
}

char *flags_text(uint64_t flags, const struct flag_name *names, size_t count)
{
	char number[20] = "";
	size_t size = 1;
	uint64_t found = 0; /* a bit for each of the names */
	char *text, *at;

	for (size_t i = 0; flags && i < count; i++) {
		if ((flags & names[i].bit) != names[i].bit)
			continue;
		size += 1 + strlen(names[i].name);
		found |= UINT64_C(1) << i;
		flags &= ~names[i].bit;
	}
	if (flags)
		size += 1 + (size_t)snprintf(number, sizeof(number), "0x%" PRIx64, flags);
	at = text = xmalloc(size);
	*text = '\0';
	for (; found; found &= found - 1)
		at = put_name(at, text, names[__builtin_ctzll(found)].name);
	if (flags)
		put_name(at, text, number);
	return text;
}

char *flags_clone(uint64_t flags)
{
	/* The low byte is the signal for the parent (clone) unless the bits are namespaces'. */
	return flags_text(flags & ~(uint64_t)(CSIGNAL & ~CLONE_NEWTIME), clone_flags,
		ARRAY_SIZE(clone_flags));
}
