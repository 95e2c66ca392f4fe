/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/roles.h"

#include <bpf/bpf.h>
#include <errno.h>
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

int roles_fill_names(int map_fd, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char key[EVENT_COMM] = { 0 };
		uint8_t value = names[i].role;

		memcpy(key, names[i].comm, strnlen(names[i].comm, sizeof(key) - 1));
		if (bpf_map_update_elem(map_fd, key, &value, BPF_ANY) < 0)
			return error_errno(err, errno, "cannot tell the programs the names of engines and runtimes");
	}
	return 0;
}
