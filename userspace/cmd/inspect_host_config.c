/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/inspect_host_config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/listing.h"
#include "engine/ports.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Of a container that nothing was asked for, in docker's order. */
static const char defaults[] =
	"{\"Binds\":null,\"ContainerIDFile\":\"\",\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{}},\"NetworkMode\":\"\",\"PortBindings\":{},"
	"\"RestartPolicy\":{},\"AutoRemove\":false,\"VolumeDriver\":\"\",\"VolumesFrom\":null,\"CapAdd\":null,\"CapDrop\":null,"
	"\"CgroupnsMode\":\"private\",\"Dns\":[],\"DnsOptions\":[],\"DnsSearch\":[],\"ExtraHosts\":null,\"GroupAdd\":null,\"IpcMode\":\"private\","
	"\"Cgroup\":\"\",\"Links\":null,\"OomScoreAdj\":0,\"PidMode\":\"\",\"Privileged\":false,\"PublishAllPorts\":false,\"ReadonlyRootfs\":false,"
	"\"SecurityOpt\":null,\"UTSMode\":\"\",\"UsernsMode\":\"\",\"ShmSize\":67108864,\"Runtime\":\"ctrace\",\"ConsoleSize\":[0,0],\"Isolation\":\"\","
	"\"CpuShares\":0,\"Memory\":0,\"NanoCpus\":0,\"CgroupParent\":\"\",\"BlkioWeight\":0,\"BlkioWeightDevice\":[],\"BlkioDeviceReadBps\":null,"
	"\"BlkioDeviceWriteBps\":null,\"BlkioDeviceReadIOps\":null,\"BlkioDeviceWriteIOps\":null,\"CpuPeriod\":0,\"CpuQuota\":0,"
	"\"CpuRealtimePeriod\":0,\"CpuRealtimeRuntime\":0,\"CpusetCpus\":\"\",\"CpusetMems\":\"\",\"Devices\":[],\"DeviceCgroupRules\":null,"
	"\"DeviceRequests\":null,\"KernelMemory\":0,\"KernelMemoryTCP\":0,\"MemoryReservation\":0,\"MemorySwap\":0,\"MemorySwappiness\":null,"
	"\"OomKillDisable\":false,\"PidsLimit\":null,\"Ulimits\":null,\"CpuCount\":0,\"CpuPercent\":0,\"IOMaximumIOps\":0,\"IOMaximumBandwidth\":0,"
	"\"MaskedPaths\":null,\"ReadonlyPaths\":null}";

static void put_text(json_object *o, const char *key, const char *text)
{
	if (text && *text)
		json_object_object_add(o, key, json_object_new_string(text));
}

static void put_flag(json_object *o, const char *key, bool flag)
{
	json_object_object_add(o, key, json_object_new_boolean(flag));
}

static void put_list(json_object *o, const char *key, const struct string_list *list)
{
	json_object *array = list->count ? json_object_new_array() : NULL;

	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(array, json_object_new_string(list->items[i]));
	if (array)
		json_object_object_add(o, key, array);
}

json_object *inspect_ports(const struct string_list *list, const struct string_list *exposed)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < list->count; i++) {
		json_object *binding = json_object_new_object(), *bindings = NULL;
		_cleanup_free_ char *key = NULL;
		struct port_text t;

		if (!port_text_split(list->items[i], &t)) {
			json_object_put(binding);
			continue;
		}
		key = xasprintf("%u/%s", t.container, t.protocol);
		if (!json_object_object_get_ex(o, key, &bindings)) {
			bindings = json_object_new_array();
			json_object_object_add(o, key, bindings);
		}
		/* of what was asked for, all addresses are none in particular */
		json_object_object_add(binding, "HostIp", json_object_new_string(exposed || strcmp(t.address, "0.0.0.0") ? t.address : ""));
		listing_add(binding, "HostPort", t.host ? xasprintf("%u", t.host) : xstrdup(""));
		json_object_array_add(bindings, binding);
	}
	for (size_t i = 0; exposed && i < exposed->count; i++) {
		if (!json_object_object_get_ex(o, exposed->items[i], NULL))
			json_object_object_add(o, exposed->items[i], NULL);
	}
	return o;
}

static json_object *restart_policy(const struct state *s)
{
	static const char *const names[] = { "no", "on-failure", "always", "unless-stopped" };
	json_object *o = json_object_new_object();

	put_text(o, "Name", names[s->restart]);
	json_object_object_add(o, "MaximumRetryCount", json_object_new_int64(s->restart_max));
	return o;
}

/* The limits that the runtime was given; none is null in docker, or 0. */
static void put_limits(json_object *o, json_object *resources)
{
	static const struct {
		const char *key, *controller, *what;
	} limits[] = { { "Memory", "memory", "limit" }, { "MemorySwap", "memory", "swap" },
		{ "MemoryReservation", "memory", "reservation" }, { "CpuShares", "cpu", "shares" },
		{ "CpuQuota", "cpu", "quota" }, { "CpuPeriod", "cpu", "period" }, { "PidsLimit", "pids", "limit" } };
	json_object *cpu = json_object_object_get(resources, "cpu");

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		json_object *value = json_object_object_get(json_object_object_get(resources, limits[i].controller), limits[i].what);

		if (json_object_get_int64(value))
			json_object_object_add(o, limits[i].key, json_object_get(value));
	}
	put_text(o, "CpusetCpus", json_object_get_string(json_object_object_get(cpu, "cpus")));
	put_text(o, "CpusetMems", json_object_get_string(json_object_object_get(cpu, "mems")));
}

/* What the engine kept of the options. --cpus is a quota to the runtime, but not to who asked. */
static void put_kept(json_object *o, const char *text)
{
	json_object *kept = state_has(text) ? json_tokener_parse(text) : NULL;

	if (!json_object_is_type(kept, json_type_object)) {
		json_object_put(kept);
		return;
	}
	json_object_object_foreach(kept, key, value) {
		json_object_object_add(o, key, json_object_get(value));
	}
	if (json_object_object_get_ex(kept, "NanoCpus", NULL)) {
		json_object_object_add(o, "CpuQuota", json_object_new_int64(0));
		json_object_object_add(o, "CpuPeriod", json_object_new_int64(0));
	}
	json_object_put(kept);
}

json_object *inspect_host_config(const struct state *s, json_object *config)
{
	json_object *o = json_tokener_parse(defaults), *linux_part = json_object_object_get(config, "linux");
	json_object *root = json_object_object_get(config, "root");

	put_text(o, "NetworkMode", s->network);
	json_object_object_add(o, "PortBindings", inspect_ports(&s->ports, NULL));
	json_object_object_add(o, "RestartPolicy", restart_policy(s));
	put_flag(o, "AutoRemove", s->remove);
	put_limits(o, json_object_object_get(linux_part, "resources"));
	put_text(o, "PidMode", s->pid_mode);
	put_text(o, "IpcMode", s->ipc_mode);
	put_text(o, "UTSMode", s->uts_mode);
	put_flag(o, "ReadonlyRootfs", json_object_get_boolean(json_object_object_get(root, "readonly")));
	json_object_object_add(o, "MaskedPaths", json_object_get(json_object_object_get(linux_part, "maskedPaths")));
	json_object_object_add(o, "ReadonlyPaths", json_object_get(json_object_object_get(linux_part, "readonlyPaths")));
	if (s->annotations.count) /* docker leaves it out, too */
		json_object_object_add(o, "Annotations", listing_pairs(&s->annotations));
	put_list(o, "DeviceCgroupRules", &s->device_rules);
	put_list(o, "ExtraHosts", &s->hosts);
	put_kept(o, s->host_config);
	return o;
}
