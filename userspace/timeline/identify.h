/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_IDENTIFY_H
#define CTRACE_IDENTIFY_H

#include <stdbool.h>
#include <stddef.h>

/* Who is who, from what a process was called with and where its cgroup lies. Pure functions. */

enum verb {
	VERB_NONE,   /* no container command: --version, list, features, ... */
	VERB_CREATE, /* makes the container: create, run, restore */
	VERB_START,
	VERB_EXEC,
	VERB_KILL,
	VERB_DELETE,
	VERB_OTHER   /* state, ps, pause, resume, update, events: about one that exists */
};

enum { IDENTITY_ID = 1024 };

/* What an argv says. Empty strings = not said. */
struct identity {
	enum verb verb;
	char id[IDENTITY_ID];
	char name[256];
	char namespace_[128]; /* containerd's: moby, k8s.io, default */
	char bundle[2048];    /* as long as the argv that is kept */
	char root[512];       /* a runtime's state directory */
};

/* argv of an OCI runtime (runc, crun, youki, `ctrace oci`; the CLI of runtime-tools
 * command-line-interface.md). cut: its middle is left out, with EVENT_ARGV_CUT in its place; what is behind is read
 * where no verb was before it, else only for the id of a container that is made. Returns true when it names a container. */
bool identify_runtime(char *const argv[], bool cut, struct identity *ret);
/* containerd-shim*: -namespace NS -id ID [-bundle B] [start|delete]. */
bool identify_shim(char *const argv[], struct identity *ret);
/* conmon: -c/--cid ID -n/--name NAME -b/--bundle B; its exec sessions (--exec-attach, -e) are VERB_EXEC. */
bool identify_conmon(char *const argv[], struct identity *ret);

/* The container that a cgroup path belongs to by the names that engines give: the innermost match
 * wins. engine is a static string. Returns false for paths that no known engine makes, and for cgroups that
 * are an engine's own (libpod-conmon-*, crio-conmon-*). id points into path. */
struct cgroup_identity {
	const char *id;
	size_t id_length;
	const char *engine; /* docker, containerd, podman, cri-o, ctrace, lxc, systemd-nspawn, buildkit; NULL = not told */
	const char *pod;    /* pod uid in path, NULL = none */
	size_t pod_length;
	size_t end;         /* length of path up to and with the component that matched */
};
bool identify_cgroup(const char *path, struct cgroup_identity *ret);

/* True for exactly 64 lower-case hex digits. */
bool identify_is_hex_id(const char *s, size_t length);

#endif
