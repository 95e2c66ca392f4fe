/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/roles.h"

#include <bpf/bpf.h>
#include <string.h>

#include "bpf/shared.h"
#include "util/cleanup.h"

/* A comm is cut at 15 bytes, as these names are: "containerd-shim" stands for containerd-shim-runc-v2 and
 * all its kin. ctrace's own tracer is nobody, whoever started it. */
static const struct name {
	char comm[EVENT_COMM];
	enum event_role role;
} names[] = {
	{ "docker", ROLE_CLI },
	{ "ctr", ROLE_CLI },
	{ "nerdctl", ROLE_CLI },
	{ "crictl", ROLE_CLI },
	{ "dockerd", ROLE_ENGINE },
	{ "podman", ROLE_ENGINE },
	{ "buildah", ROLE_ENGINE },
	{ "buildkitd", ROLE_ENGINE },
	{ "crio", ROLE_ENGINE },
	{ "kubelet", ROLE_ENGINE },
	{ "containerd", ROLE_CONTAINERD },
	{ "containerd-shim", ROLE_SHIM },
	{ "conmon", ROLE_SHIM },
	{ "runc", ROLE_RUNTIME },
	{ "crun", ROLE_RUNTIME },
	{ "youki", ROLE_RUNTIME },
	{ "runsc", ROLE_RUNTIME },
	{ "kata-runtime", ROLE_RUNTIME },
	{ "ctrace", ROLE_RUNTIME },
	{ "ctrace-oci", ROLE_RUNTIME },
	{ "ctrace-image", ROLE_HELPER },
	{ "ctrace-trace", ROLE_NONE },
	{ "ctrace-serve", ROLE_NONE },
};

bool roles_by_name(const char comm[EVENT_COMM], enum event_role *ret_role)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strncmp(names[i].comm, comm, EVENT_COMM) == 0) {
			*ret_role = names[i].role;
			return true;
		}
	}
	return false;
}

static void put_name(int map_fd, const char *name, enum event_role role)
{
	char key[EVENT_COMM] = { 0 };
	uint8_t value = role;

	memcpy(key, name, strnlen(name, sizeof(key) - 1));
	bpf_map_update_elem(map_fd, key, &value, BPF_ANY);
}

void roles_fill_names(int map_fd, const char *const *runtimes)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put_name(map_fd, names[i].comm, names[i].role);
	for (size_t i = 0; runtimes && runtimes[i] && i < CTRACE_MAX_NAMES - ARRAY_SIZE(names); i++) {
		const char *slash = strrchr(runtimes[i], '/');

		put_name(map_fd, slash ? slash + 1 : runtimes[i], ROLE_RUNTIME);
	}
}
