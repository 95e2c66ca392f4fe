/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SECCOMP_PROFILE_H
#define CTRACE_SECCOMP_PROFILE_H

#include <json-c/json.h>
#include <stdint.h>

#include "util/error.h"

/*
 * The default system call filter as linux.seccomp of a config.json (config-linux.md "Seccomp"). What
 * is not named fails with ENOSYS, so that programs fall back; what is refused for good reason fails
 * with EPERM. capabilities: the container's bounding set; some calls come with a capability.
 */
json_object *seccomp_profile(uint64_t capabilities);

/* docker's own profile format (default.json of moby): conditions on capabilities and architectures are
 * evaluated, the rest is passed on. Also takes a plain linux.seccomp object. */
int seccomp_profile_read(const char *path, uint64_t capabilities, json_object **ret,
	struct error *err);

#endif
