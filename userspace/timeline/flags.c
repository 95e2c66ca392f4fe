/* SPDX-License-Identifier: Apache-2.0 */
#include "timeline/flags.h"

#include <inttypes.h>
#include <linux/sched.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/strbuf.h"

#define F(flag) { flag, #flag }

static const struct flag_name clone_flags[] = {
	F(CLONE_VM), F(CLONE_FS), F(CLONE_FILES), F(CLONE_SIGHAND), F(CLONE_PIDFD), F(CLONE_PTRACE),
	F(CLONE_VFORK), F(CLONE_PARENT), F(CLONE_THREAD), F(CLONE_NEWNS), F(CLONE_SYSVSEM),
	F(CLONE_SETTLS), F(CLONE_PARENT_SETTID), F(CLONE_CHILD_CLEARTID), F(CLONE_UNTRACED),
	F(CLONE_CHILD_SETTID), F(CLONE_NEWCGROUP), F(CLONE_NEWUTS), F(CLONE_NEWIPC),
	F(CLONE_NEWUSER), F(CLONE_NEWPID), F(CLONE_NEWNET), F(CLONE_IO), F(CLONE_NEWTIME),
	{ 0x100000000ULL, "CLONE_CLEAR_SIGHAND" }, { 0x200000000ULL, "CLONE_INTO_CGROUP" },
};

char *flags_text(uint64_t flags, const struct flag_name *names, size_t count)
{
	struct strbuf text = { 0 };

	for (size_t i = 0; i < count; i++) {
		if ((flags & names[i].bit) != names[i].bit)
			continue;
		if (text.length)
			strbuf_putc(&text, '\x1f');
		strbuf_puts(&text, names[i].name);
		flags &= ~names[i].bit;
	}
	if (flags) {
		if (text.length)
			strbuf_putc(&text, '\x1f');
		strbuf_printf(&text, "0x%" PRIx64, flags);
	}
	return strbuf_steal(&text);
}

char *flags_clone(uint64_t flags)
{
	/* The low byte is the signal for the parent (clone) unless the bits are namespaces'. */
	return flags_text(flags & ~(uint64_t)(CSIGNAL & ~CLONE_NEWTIME), clone_flags,
		ARRAY_SIZE(clone_flags));
}

const char *errno_name(int number)
{
	return strerrorname_np(number);
}
