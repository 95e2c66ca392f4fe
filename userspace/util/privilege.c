/* SPDX-License-Identifier: Apache-2.0 */
#include "util/privilege.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct sets {
	uint64_t effective, permitted;
};

/* glibc has no wrapper, and libcap is not worth a library for two calls. */
static int get_sets(struct sets *ret)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	ret->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	ret->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

/* Nothing is inheritable. */
static int set_sets(const struct sets *sets)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = (uint32_t)sets->effective, .permitted = (uint32_t)sets->permitted },
		{ .effective = sets->effective >> 32, .permitted = sets->permitted >> 32 },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* The last of the kernel's own is known by the refusal of the next. Without CAP_SETPCAP the bounding set stays, but
 * no_new_privs keeps it from mattering. */
static void reduce_bounding_set(uint64_t keep)
{
	for (unsigned int capability = 0; capability < 64; capability++) {
		if (keep & PRIVILEGE(capability))
			continue;
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return;
	}
}

int privilege_keep(uint64_t effective, uint64_t spare, struct error *err)
{
	struct sets sets;
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, errno, "cannot set no_new_privs");
	r = get_sets(&sets);
	if (r < 0)
		return error_errno(err, -r, "cannot read the capabilities");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	reduce_bounding_set(effective | spare);
	sets.permitted &= effective | spare;
	sets.effective &= effective;
	r = set_sets(&sets);
	return r < 0 ? error_errno(err, -r, "cannot give up capabilities") : 0;
}

uint64_t privilege_raise(uint64_t capabilities)
{
	struct sets sets;
	uint64_t raised;

	if (get_sets(&sets) < 0)
		return 0;
	raised = capabilities & sets.permitted & ~sets.effective;
	sets.effective |= raised;
	return raised && set_sets(&sets) == 0 ? raised : 0;
}

void privilege_lower(uint64_t capabilities)
{
	struct sets sets;

	if (!capabilities || get_sets(&sets) < 0)
		return;
	sets.effective &= ~capabilities;
	set_sets(&sets);
}
