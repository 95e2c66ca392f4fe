/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/joins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/registry.h"
#include "engine/shared_memory.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static const char prefix[] = "container:";

static const struct join {
	const char *type, *file; /* of the configuration; below /proc/PID/ns */
	size_t offset;
} joins[] = {
	{ "network", "net", offsetof(struct state, network) },
	{ "pid", "pid", offsetof(struct state, pid_mode) },
	{ "ipc", "ipc", offsetof(struct state, ipc_mode) },
};

static char **mode_of(const struct state *s, const struct join *j)
{
	return (char **)((char *)s + j->offset);
}

static const char *joined(const struct state *s, const struct join *j)
{
	const char *mode = *mode_of(s, j);

	return mode && str_starts(mode, prefix) ? mode + strlen(prefix) : NULL;
}

bool joins_any(const struct state *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		if (joined(s, &joins[i]))
			return true;
	}
	return false;
}

const char *joins_ipc(const struct state *s)
{
	return joined(s, &joins[2]);
}

int joins_resolve(struct state *s, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		const char *name = joined(s, &joins[i]);
		_cleanup_(state_free) struct state other = { 0 };
		int r = name ? registry_find(name, &other, err) : 0;

		if (r < 0)
			return r;
		if (!name)
			continue;
		free(*mode_of(s, &joins[i]));
		*mode_of(s, &joins[i]) = xasprintf("%s%s", prefix, other.id);
	}
	return 0;
}

static int find_running(const char *id, const char *type, struct state *ret, struct error *err)
{
	int r = registry_find(id, ret, err);

	if (r < 0)
		return r;
	if (ret->status != STATE_RUNNING || !ret->pid)
		return error_set(err, ESRCH, "cannot join %s of a non running container: %s", type, ret->id);
	return 0;
}

int joins_network(const struct state *s, bool must_run, struct state *ret, struct error *err)
{
	const char *id = joined(s, &joins[0]);

	*ret = (struct state){ 0 };
	if (!id)
		return 0;
	return must_run ? find_running(id, "network", ret, err) : registry_find(id, ret, err);
}

static void set_path(json_object *config, const char *type, const char *path)
{
	json_object *list = json_object_object_get(json_object_object_get(config, "linux"), "namespaces");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		const char *of = json_object_get_string(json_object_object_get(o, "type"));

		if (of && !strcmp(of, type))
			json_object_object_add(o, "path", json_object_new_string(path));
	}
}

int joins_apply(const struct state *s, json_object *config, struct error *err)
{
	_cleanup_free_ char *shm = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		const char *id = joined(s, &joins[i]);
		_cleanup_(state_free) struct state other = { 0 };
		char path[64];
		int r = id ? find_running(id, joins[i].type, &other, err) : 0;

		if (r < 0)
			return r;
		if (!id)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)other.pid, joins[i].file);
		set_path(config, joins[i].type, path);
	}
	return shared_memory_find(s, true, &shm, err); /* it is still there */
}
