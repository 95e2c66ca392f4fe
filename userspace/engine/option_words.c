/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/option_words.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

#define RESOURCES "linux.resources."

/* member: its beginning. A member that ends in '.' is followed by a name, which is kept. */
static const struct {
	const char *member, *option;
} words[] = {
	{ "linux.sysctl.", "--sysctl " },
	{ "process.rlimits[", "--ulimit" },
	{ "process.oomScoreAdj", "--oom-score-adj" },
	{ "process.cwd", "--workdir" },
	{ "process.noNewPrivileges", "--security-opt no-new-privileges" },
	{ "process.capabilities", "--cap-add, --cap-drop" },
	{ "process.user.additionalGids", "--group-add" },
	{ "process.user.", "--user, " },
	{ "hostname", "--hostname" },
	{ "domainname", "--domainname" },
	{ "linux.devices[", "--device" },
	{ "linux.seccomp", "--security-opt seccomp" },
	{ "linux.cgroupsPath", "--cgroup-parent" },
	{ RESOURCES "memory.limit", "--memory" },
	{ RESOURCES "memory.swappiness", "--memory-swappiness" },
	{ RESOURCES "memory.swap", "--memory-swap" },
	{ RESOURCES "memory.reservation", "--memory-reservation" },
	{ RESOURCES "memory.disableOOMKiller", "--oom-kill-disable" },
	{ RESOURCES "cpu.shares", "--cpu-shares" },
	{ RESOURCES "cpu.quota", "--cpus or --cpu-quota" },
	{ RESOURCES "cpu.period", "--cpu-period" },
	{ RESOURCES "cpu.cpus", "--cpuset-cpus" },
	{ RESOURCES "cpu.mems", "--cpuset-mems" },
	{ RESOURCES "pids.limit", "--pids-limit" },
	{ RESOURCES "blockIO.weight", "--blkio-weight" },
	{ RESOURCES "devices", "--device, --device-cgroup-rule" },
};

static const struct {
	const char *member;
	int code;
	const char *advice;
} advices[] = {
	{ "linux.sysctl.", ENOENT, "this kernel has no such sysctl; sysctl -a lists those it has" },
	{ "linux.sysctl.", EINVAL, "the kernel does not take this value" },
	{ "linux.sysctl.", ERANGE, "the kernel does not take this value" },
	{ "linux.sysctl.", EACCES, "the kernel lets nobody change it in a container's namespace" },
	{ "linux.sysctl.", EPERM, "the kernel lets nobody change it in a container's namespace" },
	{ "process.oomScoreAdj", EACCES, "lowering it needs CAP_SYS_RESOURCE" },
	{ RESOURCES "pids.limit", EINVAL, "the kernel takes at most 4194304; -1 is no limit" },
};

static const char *advice(const char *text, int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		if (advices[i].code == code && str_starts(text, advices[i].member))
			return advices[i].advice;
	}
	return NULL;
}

static bool is_asked_for(const struct state *s, const char *destination)
{
	for (size_t i = 0; i < s->mounts.count; i++) {
		_cleanup_free_ char *text = xstrdup(s->mounts.items[i]);
		struct state_mount m;

		if (state_mount_split(text, &m) && !strcmp(m.destination, destination))
			return true;
	}
	return false;
}

/* Every container has mounts that no option stands behind: "". */
static const char *option_of_mount(const struct state *s, size_t index)
{
	_cleanup_free_ char *path = xasprintf("%s/config.json", s->directory);
	json_object *config = json_object_from_file(path);
	json_object *m = json_object_array_get_idx(json_object_object_get(config, "mounts"), index);
	const char *type = json_object_get_string(json_object_object_get(m, "type"));
	const char *destination = json_object_get_string(json_object_object_get(m, "destination"));
	const char *option = "";

	if (type && destination && is_asked_for(s, destination))
		option = "--volume or --mount: ";
	else if (type && destination && !strcmp(type, "tmpfs") && strcmp(destination, "/dev") != 0 &&
		 strcmp(destination, "/dev/shm") != 0)
		option = "--tmpfs or --mount: ";
	json_object_put(config);
	return option;
}

static void mount_words(const struct state *s, size_t index, struct error *err)
{
	const char *rest = strstr(err->text, ": ");
	_cleanup_free_ char *said = rest ? xasprintf("%s%s", option_of_mount(s, index), rest + 2) : NULL;

	if (said)
		error_set(err, err->code, "%s", said);
}

void option_words(const struct state *s, struct error *err)
{
	char *text = err->text;
	size_t index;

	if (sscanf(text, "mounts[%zu]", &index) == 1) {
		mount_words(s, index, err);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *member = words[i].member, *rest, *more = advice(text, err->code);
		_cleanup_free_ char *said = NULL;

		if (!str_starts(text, member))
			continue;
		rest = member[strlen(member) - 1] == '.' ? text + strlen(member) : strstr(text, ": ");
		said = xasprintf("%s%s%s%s%s", words[i].option, rest ? rest : "", more ? " (" : "", more ? more : "", more ? ")" : "");
		error_set(err, err->code, "%s", said);
		return;
	}
}
