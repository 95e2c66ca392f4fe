/* SPDX-License-Identifier: Apache-2.0 */
/* The names that the JSON timeline, and so every view, uses. */
#include <string.h>

#include "timeline/model.h"
#include "util/cleanup.h"

static const char *const edge_names[] = { "observed", "inferred", "lost", "open" };
static const char *const role_names[] = { "cli", "engine", "containerd", "shim", "runtime", "init",
	"exec", "hook", "kernel", "helper" };
static const char *const phase_names[] = { "request", "image", "rootfs", "network", "cgroup",
	"namespaces", "mounts", "hooks", "pivot", "harden", "exec", "run", "stop", "teardown" };
static const char *const step_names[] = { "request", "image", "layer", "mount", "umount", "veth",
	"address", "route", "cgroup_mkdir", "cgroup_attach", "cgroup_write", "cgroup_rmdir", "clone",
	"unshare", "setns", "pivot_root", "chroot", "sethostname", "seccomp", "capset",
	"no_new_privs", "hook", "exec", "signal", "mknod", "setuid", "setgid", "setgroups",
	"bpf_device", "freeze", "exit" };
static const char *const mark_names[] = { "oom_kill", "throttle", "signal", "limit_change", "freeze",
	"thaw", "stage", "started", "exec_exit", "fork_refused" };
static const char *const state_names[] = { "created", "running", "paused", "exited" };

_Static_assert(ARRAY_SIZE(role_names) == ACTOR_ROLE_COUNT, "one name per actor role");
_Static_assert(ARRAY_SIZE(phase_names) == PHASE_COUNT, "one name per phase");
_Static_assert(ARRAY_SIZE(step_names) == STEP_KIND_COUNT, "one name per step kind");
_Static_assert(ARRAY_SIZE(mark_names) == MARK_KIND_COUNT, "one name per mark kind");

const char *edge_name(enum edge edge)
{
	return edge_names[edge];
}

const char *actor_role_name(enum actor_role role)
{
	return role_names[role];
}

const char *phase_name(enum phase phase)
{
	return phase_names[phase];
}

const char *step_kind_name(enum step_kind kind)
{
	return step_names[kind];
}

const char *mark_kind_name(enum mark_kind kind)
{
	return mark_names[kind];
}

const char *container_state_name(enum container_state state)
{
	return state_names[state];
}

const struct detail *details_get(const struct details *details, const char *key)
{
	for (size_t i = 0; i < details->count; i++) {
		if (details->items[i].key[0] == key[0] && !strcmp(details->items[i].key, key))
			return &details->items[i];
	}
	return NULL;
}

const char *detail_text(const struct detail *d)
{
	return d && (d->type == DETAIL_TEXT || d->type == DETAIL_LIST) ? d->text : NULL;
}

const char *details_text(const struct details *details, const char *key)
{
	return detail_text(details_get(details, key));
}
