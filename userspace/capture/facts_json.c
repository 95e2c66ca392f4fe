/* SPDX-License-Identifier: Apache-2.0 */
/* Facts to JSON and back, as a recording keeps them. */
#include "capture/facts_internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LISTED = 1024 }; /* hooks or unseen facts in a file: it may be damaged or hostile */

static void put_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static void put_number(struct json_object *object, const char *key, int64_t value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

static struct json_object *timeline_to_json(const struct timeline_config *config)
{
	struct json_object *object = json_object_new_object(), *list = json_object_new_array();

	put_number(object, "cgroup_hierarchy", config->cgroup_hierarchy);
	put_number(object, "root_pid_ns", config->root_pid_ns);
	put_number(object, "root_mnt_ns", config->root_mnt_ns);
	put_number(object, "root_net_ns", config->root_net_ns);
	put_number(object, "page_size", config->page_size);
	put_number(object, "max_ended", config->max_ended);
	for (size_t i = 0; i < config->hierarchy_count; i++) {
		struct json_object *hierarchy = json_object_new_object();

		put_number(hierarchy, "id", config->hierarchies[i].id);
		put_string(hierarchy, "controllers", config->hierarchies[i].controllers);
		json_object_array_add(list, hierarchy);
	}
	json_object_object_add(object, "hierarchies", list);
	return object;
}

static struct json_object *hooks_to_json(const struct facts *facts)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < facts->hook_count; i++) {
		struct json_object *hook = json_object_new_object();

		put_string(hook, "job", facts->hooks[i].job);
		put_string(hook, "hook", facts->hooks[i].hook);
		put_string(hook, "state", hook_state_name(facts->hooks[i].state));
		put_string(hook, "reason", facts->hooks[i].reason);
		json_object_array_add(list, hook);
	}
	return list;
}

static struct json_object *unseen_to_json(const struct facts *facts)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < facts->unseen_count; i++) {
		struct json_object *unseen = json_object_new_object();

		put_string(unseen, "what", facts->unseen[i].what);
		put_string(unseen, "why", facts->unseen[i].why);
		json_object_array_add(list, unseen);
	}
	return list;
}

struct json_object *facts_to_json(const struct facts *facts)
{
	struct json_object *object = json_object_new_object();

	put_string(object, "ctrace_version", facts->ctrace_version);
	put_string(object, "hostname", facts->hostname);
	put_string(object, "kernel", facts->kernel);
	put_string(object, "machine", facts->machine);
	put_string(object, "boot_id", facts->boot_id);
	put_string(object, "lockdown", facts->lockdown);
	put_string(object, "cgroup_mode", facts->cgroup_mode);
	put_number(object, "cpus", facts->cpus);
	put_number(object, "wall_offset_ns", facts->wall_offset_ns);
	put_number(object, "start_ns", facts->start_ns);
	json_object_object_add(object, "always_armed", json_object_new_boolean(facts->always_armed));
	json_object_object_add(object, "timeline", timeline_to_json(&facts->timeline));
	json_object_object_add(object, "hooks", hooks_to_json(facts));
	json_object_object_add(object, "unseen", unseen_to_json(facts));
	return object;
}

static const char *get_string(struct json_object *object, const char *key)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, key, &member) || !json_object_is_type(member, json_type_string))
		return "";
	return json_object_get_string(member);
}

static int64_t get_number(struct json_object *object, const char *key)
{
	struct json_object *member;

	return json_object_object_get_ex(object, key, &member) ? json_object_get_int64(member) : 0;
}

/* The list of that name, and how many of it to take. */
static struct json_object *get_list(struct json_object *object, const char *key, size_t max, size_t *ret_count)
{
	struct json_object *list;

	*ret_count = 0;
	if (!json_object_object_get_ex(object, key, &list) || !json_object_is_type(list, json_type_array))
		return NULL;
	*ret_count = json_object_array_length(list);
	if (*ret_count > max)
		*ret_count = max;
	return list;
}

#define copy_string(to, object, key) snprintf((to), sizeof(to), "%s", get_string((object), (key)))

static void timeline_from_json(struct json_object *object, struct timeline_config *config)
{
	const size_t max = sizeof(config->hierarchies) / sizeof(config->hierarchies[0]);
	struct json_object *list;

	config->cgroup_hierarchy = get_number(object, "cgroup_hierarchy");
	config->root_pid_ns = get_number(object, "root_pid_ns");
	config->root_mnt_ns = get_number(object, "root_mnt_ns");
	config->root_net_ns = get_number(object, "root_net_ns");
	config->page_size = get_number(object, "page_size");
	config->max_ended = get_number(object, "max_ended");
	list = get_list(object, "hierarchies", max, &config->hierarchy_count);
	for (size_t i = 0; i < config->hierarchy_count; i++) {
		struct json_object *hierarchy = json_object_array_get_idx(list, i);

		config->hierarchies[i].id = get_number(hierarchy, "id");
		copy_string(config->hierarchies[i].controllers, hierarchy, "controllers");
	}
}

static void lists_from_json(struct json_object *object, struct facts *facts)
{
	struct json_object *list;
	size_t count;

	list = get_list(object, "hooks", MAX_LISTED, &count);
	for (size_t i = 0; i < count; i++) {
		struct json_object *hook = json_object_array_get_idx(list, i);
		enum hook_state state = HOOK_ABSENT;

		hook_state_parse(get_string(hook, "state"), &state);
		facts_add_hook(facts, get_string(hook, "job"), get_string(hook, "hook"), state,
			get_string(hook, "reason"));
	}
	list = get_list(object, "unseen", MAX_LISTED, &count);
	for (size_t i = 0; i < count; i++) {
		struct json_object *unseen = json_object_array_get_idx(list, i);

		facts_add_unseen(facts, get_string(unseen, "what"), get_string(unseen, "why"));
	}
}

int facts_from_json(struct json_object *json, struct facts *facts, struct error *err)
{
	struct json_object *config;

	if (!json_object_is_type(json, json_type_object))
		return error_set(err, EBADMSG, "the facts of the recording are no JSON object");
	copy_string(facts->ctrace_version, json, "ctrace_version");
	copy_string(facts->hostname, json, "hostname");
	copy_string(facts->kernel, json, "kernel");
	copy_string(facts->machine, json, "machine");
	copy_string(facts->boot_id, json, "boot_id");
	copy_string(facts->lockdown, json, "lockdown");
	copy_string(facts->cgroup_mode, json, "cgroup_mode");
	facts->cpus = get_number(json, "cpus");
	facts->wall_offset_ns = get_number(json, "wall_offset_ns");
	facts->start_ns = get_number(json, "start_ns");
	facts->always_armed = get_number(json, "always_armed");
	if (json_object_object_get_ex(json, "timeline", &config))
		timeline_from_json(config, &facts->timeline);
	lists_from_json(json, facts);
	return 0;
}
