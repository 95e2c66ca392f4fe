/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SECCOMP_PROFILE_H
#define CTRACE_SECCOMP_PROFILE_H

#include <json-c/json.h>
#include <stdint.h>

#include "util/error.h"

/*
 * The default system call filter as linux.seccomp of a config.json (config-linux.md "Seccomp"): what docker
 * 20.10's profile allows, all else fails with EPERM. The runtime adds what runc adds to every such profile:
 * calls newer than any that is named fail with ENOSYS, so that programs fall back. capabilities: the
 * container's bounding set; some calls come with a capability.
 */
json_object *seccomp_profile(uint64_t capabilities);

/* docker's own profile format (default.json of moby): conditions on capabilities and architectures are
 * evaluated, the rest is passed on. Also takes a plain linux.seccomp object. */
int seccomp_profile_read(const char *path, uint64_t capabilities, json_object **ret,
	struct error *err);

#endif
