/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/refusal.h"

#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/file.h"
#include "util/privilege.h"

/* A number of /proc/self/status, in that base. */
static uint64_t read_status(const char *field, int base)
{
	_cleanup_free_ char *text = file_read("/proc/self/status", 16384, NULL);
	const char *at = text ? strstr(text, field) : NULL;

	return at ? strtoull(at + strlen(field), NULL, base) : 0;
}

static bool in_user_namespace(void)
{
	enum { INITIAL_USER_NS = 0xeffffffd }; /* linux/proc_ns.h */
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != INITIAL_USER_NS;
}

enum refusal refusal_of_privilege(void)
{
	uint64_t capabilities = read_status("\nCapEff:", 16);

	if (in_user_namespace())
		return REFUSAL_USER_NAMESPACE;
	if (capabilities & PRIVILEGE(CAP_SYS_ADMIN))
		return REFUSAL_NONE;
	if (!(capabilities & PRIVILEGE(CAP_BPF)))
		return REFUSAL_CAP_BPF;
	return capabilities & PRIVILEGE(CAP_PERFMON) ? REFUSAL_NONE : REFUSAL_CAP_PERFMON;
}

bool refusal_by_filter(void)
{
	return read_status("\nSeccomp:", 10) == 2;
}

const char *refusal_words(void)
{
	switch (refusal_of_privilege()) {
	case REFUSAL_USER_NAMESPACE: return "it is root of a user namespace only: run ctrace as root of the host";
	case REFUSAL_CAP_BPF: return "CAP_BPF is missing: run ctrace as root of the host (or with CAP_BPF and CAP_PERFMON there)";
	case REFUSAL_CAP_PERFMON:
		return "CAP_PERFMON is missing: run ctrace as root of the host (or with CAP_BPF and CAP_PERFMON there)";
	case REFUSAL_NONE: break;
	}
	if (refusal_by_filter())
		return "a seccomp filter is active: it has to allow bpf and perf_event_open (as docker run --security-opt "
			"seccomp=unconfined does)";
	return "run ctrace as root of the host (or with CAP_BPF and CAP_PERFMON there)";
}
