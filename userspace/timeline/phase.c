/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "timeline/identify.h"
#include "timeline/timeline_internal.h"
#include "util/cleanup.h"

static bool has_word(const struct actor *actor, const char *word)
{
	for (char **a = actor && actor->argv ? actor->argv : NULL; a && *a; a++) {
		if (!strcmp(*a, word))
			return true;
	}
	return false;
}

/* What a runtime was called for: an exec session is no part of the start, however early it comes. */
static enum phase phase_of_verb(const struct actor *actor)
{
	struct identity who;

	if (!actor->argv || !identify_runtime(actor->argv, actor->argv_cut, &who))
		return PHASE_REQUEST;
	return who.verb == VERB_START ? PHASE_EXEC : who.verb == VERB_EXEC ? PHASE_RUN : PHASE_REQUEST;
}

/* The chain of command down to the runtime is the request; `runc start` only lets init execute. */
static enum phase phase_of_exec(const struct cont *c, const struct actor *actor, const struct step *step)
{
	static const char *const network_tools[] = { "/netns", "iptables", "ip6tables", "nft", "docker-proxy",
		"netavark", "slirp4netns", "pasta", "aardvark-dns", "/cni/" };
	const char *argv = details_text(&step->details, "argv"), *path = details_text(&step->details, "path");
	bool in_init = actor && c->init.tgid && actor->pid == c->init.tgid;
	bool refused = !c->init.tgid && c->pivoted && step->result < 0; /* what would have been it */

	switch (actor ? actor->role : ACTOR_HELPER) {
	case ACTOR_INIT:
		return PHASE_EXEC;
	case ACTOR_EXEC:
		return PHASE_RUN;
	case ACTOR_HOOK:
		return PHASE_HOOKS;
	case ACTOR_RUNTIME:
		return in_init || refused ? PHASE_EXEC : phase_of_verb(actor);
	default:
		for (size_t i = 0; actor && actor->role == ACTOR_HELPER && i < ARRAY_SIZE(network_tools); i++) {
			if ((argv && strstr(argv, network_tools[i])) || (path && strstr(path, network_tools[i])))
				return PHASE_NETWORK;
		}
		return PHASE_REQUEST;
	}
}

static bool mentions(const struct step *step, const char *key, const char *part)
{
	const char *text = details_text(&step->details, key);

	return text && strstr(text, part);
}

/* Whether the runtime is past what it prepares on the host: there is a pid 1 to be or, where the pid namespace is another's,
 * there are mounts of the container's own. */
static bool is_inside(const struct cont *c)
{
	return c->init.tgid || c->own_mounts;
}

static enum phase phase_of_mount(const struct cont *c, const struct actor *actor, const struct step *step)
{
	const char *target = details_text(&step->details, "target");

	if (actor && (actor->role == ACTOR_HOOK || actor->role == ACTOR_EXEC))
		return PHASE_HOOKS;
	if (mentions(step, "source", "/ns/net") || mentions(step, "target", "/netns"))
		return PHASE_NETWORK;
	if (mentions(step, "fstype", "overlay") || !actor || actor->role != ACTOR_RUNTIME)
		return PHASE_ROOTFS;
	if (!is_inside(c)) /* still on the host: the runtime prepares itself and the bundle */
		return PHASE_ROOTFS;
	if (!c->pivoted)
		return PHASE_MOUNTS;
	/* after pivot_root(".", ".") "." is the old root; what comes later masks and protects paths */
	return target && !strcmp(target, ".") ? PHASE_PIVOT : PHASE_HARDEN;
}

static bool by_runtime(const struct actor *actor)
{
	return actor && (actor->role == ACTOR_RUNTIME || actor->role == ACTOR_INIT);
}

enum phase phase_of(const struct cont *c, const struct actor *actor, const struct step *step)
{
	uint64_t exited = c->c.exit.at_ns;
	/* one that was there before was started before everything that was seen of it */
	uint64_t started = c->c.started_ns ? c->c.started_ns : c->c.existed && c->c.state != STATE_CREATED;
	bool is_kill = step->kind == STEP_SIGNAL;

	if (exited && step->start_ns >= exited)
		return PHASE_TEARDOWN;
	if (started && step->start_ns >= started && step->kind != STEP_EXEC)
		return is_kill ? PHASE_STOP : PHASE_RUN;
	if (started && step->start_ns > started)
		return actor && actor->role == ACTOR_HOOK ? PHASE_HOOKS
			: has_word(actor, "kill") ? PHASE_STOP : PHASE_RUN;
	switch (step->kind) {
	case STEP_REQUEST:
		return PHASE_REQUEST;
	case STEP_IMAGE:
	case STEP_LAYER:
		return PHASE_IMAGE;
	case STEP_MOUNT:
	case STEP_UMOUNT:
		return phase_of_mount(c, actor, step);
	case STEP_VETH:
	case STEP_ADDRESS:
	case STEP_ROUTE:
		return PHASE_NETWORK;
	case STEP_CGROUP_MKDIR:
	case STEP_CGROUP_ATTACH:
	case STEP_CGROUP_WRITE:
	case STEP_CGROUP_RMDIR:
	case STEP_BPF_DEVICE:
	case STEP_FREEZE:
		return PHASE_CGROUP;
	case STEP_CLONE:
	case STEP_UNSHARE:
	case STEP_SETNS:
		return by_runtime(actor) ? PHASE_NAMESPACES
			: actor && actor->role == ACTOR_HOOK ? PHASE_HOOKS : PHASE_NETWORK;
	case STEP_PIVOT_ROOT:
	case STEP_CHROOT:
		return actor && actor->role == ACTOR_RUNTIME ? PHASE_PIVOT : PHASE_ROOTFS;
	case STEP_HOOK:
		return PHASE_HOOKS;
	case STEP_EXEC:
		return phase_of_exec(c, actor, step);
	case STEP_MKNOD: /* before that: runc's exec.fifo */
		return is_inside(c) ? PHASE_MOUNTS : PHASE_REQUEST;
	case STEP_SETHOSTNAME:
	case STEP_SETUID: /* a stage becomes root of its namespaces before it mounts */
	case STEP_SETGID:
	case STEP_SETGROUPS:
		if (by_runtime(actor) && !c->pivoted)
			return PHASE_NAMESPACES;
		return by_runtime(actor) ? PHASE_HARDEN : PHASE_HOOKS;
	case STEP_SIGNAL:
	case STEP_EXIT:
		return PHASE_TEARDOWN;
	default:
		return by_runtime(actor) ? PHASE_HARDEN : PHASE_HOOKS;
	}
}
