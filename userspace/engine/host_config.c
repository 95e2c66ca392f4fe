/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/host_config.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { SHM_DEFAULT = 64 << 20 };

static void add_text(json_object *o, const char *key, const char *text)
{
	if (text && *text)
		json_object_object_add(o, key, json_object_new_string(text));
}

static void add_number(json_object *o, const char *key, int64_t number)
{
	if (number != SETTING_UNSET && number)
		json_object_object_add(o, key, json_object_new_int64(number));
}

static void add_flag(json_object *o, const char *key, bool flag)
{
	if (flag)
		json_object_object_add(o, key, json_object_new_boolean(true));
}

/* The member of that name, which is made when something comes into it. */
static json_object *member(json_object *o, const char *key, json_object *(*make)(void))
{
	json_object *value;

	if (!json_object_object_get_ex(o, key, &value)) {
		value = make();
		json_object_object_add(o, key, value);
	}
	return value;
}

static void add_item(json_object *o, const char *key, const char *text)
{
	json_object_array_add(member(o, key, json_object_new_array), json_object_new_string(text));
}

static void add_list(json_object *o, const char *key, const struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		add_item(o, key, list->items[i]);
}

/* What -v and --mount type=volume ask for; a bound path of --mount stands in Mounts. */
static void add_volume(json_object *o, const struct volume *v)
{
	const char *source = v->source ? v->source : v->name;
	_cleanup_free_ char *bind = xasprintf("%s:%s%s", source ? source : "", v->destination, v->read_only ? ":ro" : "");
	json_object *mount;

	if (!source) /* it has no name yet */
		return;
	if (!v->must_exist) {
		add_item(o, "Binds", bind);
		return;
	}
	mount = json_object_new_object();
	add_text(mount, "Type", "bind");
	add_text(mount, "Source", source);
	add_text(mount, "Target", v->destination);
	add_flag(mount, "ReadOnly", v->read_only);
	json_object_array_add(member(o, "Mounts", json_object_new_array), mount);
}

static void add_mounts(json_object *o, const struct run_settings *s)
{
	for (size_t i = 0; i < s->volume_count; i++)
		add_volume(o, &s->volumes[i]);
	for (size_t i = 0; i < s->tmpfs_count; i++)
		json_object_object_add(member(o, "Tmpfs", json_object_new_object), s->tmpfs[i].destination, json_object_new_string(s->tmpfs[i].options));
	add_list(o, "VolumesFrom", &s->volumes_from);
}

static void add_devices(json_object *o, const struct run_settings *s)
{
	for (size_t i = 0; i < s->device_count; i++) {
		json_object *device = json_object_new_object();

		add_text(device, "PathOnHost", s->devices[i].host);
		add_text(device, "PathInContainer", s->devices[i].container);
		add_text(device, "CgroupPermissions", s->devices[i].access);
		json_object_array_add(member(o, "Devices", json_object_new_array), device);
	}
}

/* "RLIMIT_NOFILE" is nofile; no limit is -1. */
static void add_ulimits(json_object *o, const struct run_settings *s)
{
	for (size_t i = 0; i < s->ulimit_count; i++) {
		const struct ulimit *u = &s->ulimits[i];
		json_object *limit = json_object_new_object();
		_cleanup_free_ char *name = xstrdup(u->name + strlen("RLIMIT_"));

		for (char *c = name; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		add_text(limit, "Name", name);
		json_object_object_add(limit, "Hard", json_object_new_int64((int64_t)u->hard));
		json_object_object_add(limit, "Soft", json_object_new_int64((int64_t)u->soft));
		json_object_array_add(member(o, "Ulimits", json_object_new_array), limit);
	}
}

static void add_sysctls(json_object *o, const struct run_settings *s)
{
	for (size_t i = 0; i < s->sysctls.count; i++) {
		const char *pair = s->sysctls.items[i];
		_cleanup_free_ char *name = xstrndup(pair, strcspn(pair, "="));

		json_object_object_add(member(o, "Sysctls", json_object_new_object), name, json_object_new_string(pair + strlen(name) + 1));
	}
}

static void add_security(json_object *o, const struct run_settings *s)
{
	_cleanup_free_ char *seccomp = xasprintf("seccomp=%s", s->seccomp_unconfined ? "unconfined" : s->seccomp_file ? s->seccomp_file : "");

	add_flag(o, "Privileged", s->privileged);
	add_list(o, "CapAdd", &s->cap_add);
	add_list(o, "CapDrop", &s->cap_drop);
	add_list(o, "GroupAdd", &s->groups);
	if (s->no_new_privs)
		add_item(o, "SecurityOpt", "no-new-privileges");
	if (!str_ends(seccomp, "="))
		add_item(o, "SecurityOpt", seccomp);
}

char *host_config_text(const struct run_settings *s)
{
	json_object *o = json_object_new_object();
	char *text;

	add_mounts(o, s);
	add_security(o, s);
	add_devices(o, s);
	add_ulimits(o, s);
	add_sysctls(o, s);
	add_text(o, "ContainerIDFile", s->cidfile);
	add_text(o, "CgroupParent", s->cgroup_parent);
	add_text(o, "CgroupnsMode", s->host_cgroups ? "host" : NULL);
	add_list(o, "Dns", &s->dns);
	add_list(o, "DnsOptions", &s->dns_options);
	add_list(o, "DnsSearch", &s->dns_search);
	add_number(o, "OomScoreAdj", s->oom_score_adj);
	add_number(o, "NanoCpus", s->nano_cpus);
	add_number(o, "BlkioWeight", s->blkio_weight);
	add_number(o, "ShmSize", s->shm_size == SHM_DEFAULT ? 0 : s->shm_size);
	if (s->swappiness != SETTING_UNSET)
		json_object_object_add(o, "MemorySwappiness", json_object_new_int64(s->swappiness));
	add_flag(o, "OomKillDisable", s->oom_kill_disable);
	add_flag(o, "PublishAllPorts", s->publish_all);
	add_flag(o, "Init", s->init);
	text = xstrdup(json_object_object_length(o) ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : "");
	json_object_put(o);
	return text;
}
