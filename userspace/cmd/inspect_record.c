/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/inspect_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/inspect_host_config.h"
#include "cmd/listing.h"
#include "cmd/ps_row.h"
#include "cmd/words.h"
#include "engine/container_log.h"
#include "engine/control.h"
#include "engine/store.h"
#include "exporters/format.h"
#include "util/array.h"
#include "util/cleanup.h"

static void add_text(json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value ? value : ""));
}

static void add_number(json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

static void add_flag(json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

static json_object *texts(char *const *items, size_t count)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, json_object_new_string(items[i]));
	return list;
}

static json_object *texts_or_null(char *const *items, size_t count)
{
	return count ? texts(items, count) : NULL;
}

/* A member of a member; NULL where one is missing. */
static json_object *get(json_object *o, const char *first, const char *second)
{
	o = json_object_object_get(o, first);
	return second ? json_object_object_get(o, second) : o;
}

static json_object *state(const struct state *s)
{
	json_object *o = json_object_new_object();
	const char *status = control_status(s);
	bool paused = !strcmp(status, "paused");

	add_text(o, "Status", status);
	add_flag(o, "Running", control_is_running(s));
	add_flag(o, "Paused", paused);
	add_flag(o, "Restarting", s->status == STATE_RESTARTING);
	add_flag(o, "OOMKilled", s->oom_killed);
	add_flag(o, "Dead", false);
	add_number(o, "Pid", control_is_running(s) ? s->pid : 0);
	add_number(o, "ExitCode", s->exit_code);
	add_text(o, "Error", s->error);
	listing_add(o, "StartedAt", words_time(s->started_ns));
	listing_add(o, "FinishedAt", words_time(s->finished_ns));
	return o;
}

static json_object *settings(const struct state *s, json_object *config)
{
	json_object *o = json_object_new_object(), *process = get(config, "process", NULL);
	json_object *exposed = json_object_new_object();
	const char *cwd = json_object_get_string(get(process, "cwd", NULL));
	size_t entrypoint = (size_t)s->entrypoint_count <= s->command.count ? (size_t)s->entrypoint_count : 0;
	_cleanup_free_ char *user = xasprintf("%lld:%lld",
		(long long)json_object_get_int64(get(process, "user", "uid")),
		(long long)json_object_get_int64(get(process, "user", "gid")));

	for (size_t i = 0; i < s->exposed.count; i++)
		json_object_object_add(exposed, s->exposed.items[i], json_object_new_object());
	add_text(o, "Hostname", s->hostname);
	add_text(o, "Domainname", json_object_get_string(get(config, "domainname", NULL)));
	add_text(o, "User", state_has(s->user_name) ? s->user_name : strcmp(user, "0:0") ? user : "");
	json_object_object_add(o, "ExposedPorts", exposed);
	add_flag(o, "AttachStdin", s->stdin_once);
	add_flag(o, "Tty", s->terminal);
	add_flag(o, "OpenStdin", s->interactive);
	add_flag(o, "StdinOnce", s->stdin_once);
	json_object_object_add(o, "Env", json_object_get(get(process, "env", NULL)));
	json_object_object_add(o, "Cmd", texts_or_null(s->command.items + entrypoint, s->command.count - entrypoint));
	json_object_object_add(o, "Entrypoint", texts_or_null(s->command.items, entrypoint));
	add_text(o, "Image", s->image);
	add_text(o, "WorkingDir", cwd && strcmp(cwd, "/") != 0 ? cwd : ""); /* of who asked for none */
	json_object_object_add(o, "Labels", listing_pairs(&s->labels));
	add_text(o, "StopSignal", s->stop_signal);
	add_number(o, "StopTimeout", s->stop_timeout);
	return o;
}

static json_object *mounts(const struct state *s)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->mounts.count; i++) {
		_cleanup_free_ char *copy = xstrdup(s->mounts.items[i]);
		struct state_mount m;
		json_object *o;

		if (!state_mount_split(copy, &m))
			continue;
		o = json_object_new_object();
		add_text(o, "Type", m.type);
		if (*m.name)
			add_text(o, "Name", m.name);
		add_text(o, "Source", m.source);
		add_text(o, "Destination", m.destination);
		if (*m.name)
			add_text(o, "Driver", "local");
		add_text(o, "Mode", !strcmp(m.mode, "ro") ? "ro" : "");
		add_flag(o, "RW", strcmp(m.mode, "ro") != 0);
		add_text(o, "Propagation", *m.name ? "" : m.propagation);
		json_object_array_add(list, o);
	}
	return list;
}

static void put_lower(struct strbuf *sb, const struct state *s)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct store_image image;

	if (state_has(s->rootfs))
		strbuf_puts(sb, s->rootfs);
	if (!state_has(s->image_id) || store_open(s->store_root, &store, NULL) < 0 ||
		store_find(store, s->image_id, NULL, &image, NULL) < 0)
		return;
	for (size_t i = image.layer_count; i-- > 0;)
		strbuf_printf(sb, "%s%s", image.layers[i], i ? ":" : "");
	store_image_free(&image);
}

static json_object *graph(const struct state *s)
{
	static const char *const names[][2] = { { "MergedDir", "root" }, { "UpperDir", "upper" },
		{ "WorkDir", "work" } };
	json_object *o = json_object_new_object(), *data = json_object_new_object();
	_cleanup_(strbuf_free) struct strbuf lower = { 0 };

	put_lower(&lower, s);
	add_text(data, "LowerDir", lower.text);
	for (size_t i = 0; i < ARRAY_SIZE(names) && state_has(s->storage); i++)
		listing_add(data, names[i][0], xasprintf("%s/%s", s->storage, names[i][1]));
	json_object_object_add(o, "Data", data);
	add_text(o, "Name", state_has(s->storage) ? "overlay" : "");
	return o;
}

/* Where it is reached, as long as it runs. */
static void add_address(json_object *o, const struct state *s)
{
	bool has = state_has(s->address);

	add_text(o, "Gateway", has ? s->gateway : "");
	add_text(o, "IPAddress", s->address);
	add_number(o, "IPPrefixLen", has ? s->prefix : 0);
	add_text(o, "IPv6Gateway", "");
	add_text(o, "GlobalIPv6Address", "");
	add_number(o, "GlobalIPv6PrefixLen", 0);
	add_text(o, "MacAddress", has ? s->mac_address : "");
}

static json_object *network(const struct state *s)
{
	json_object *o = json_object_new_object(), *all = json_object_new_object();
	json_object *one = json_object_new_object();

	add_text(o, "Bridge", "");
	listing_add(o, "SandboxKey", control_is_running(s) ? xasprintf("/proc/%lld/ns/net", (long long)s->pid) : xstrdup(""));
	json_object_object_add(o, "Ports", control_is_running(s) ? inspect_ports(&s->published, &s->exposed)
								 : json_object_new_object());
	add_address(o, s);
	json_object_object_add(one, "Links", NULL);
	json_object_object_add(one, "Aliases", NULL);
	add_address(one, s);
	if (state_has(s->network))
		json_object_object_add(all, s->network, one);
	else
		json_object_put(one);
	json_object_object_add(o, "Networks", all);
	return o;
}

static void add_file(json_object *o, const char *key, const struct state *s, const char *file)
{
	listing_add(o, key, state_has(s->bundle) ? xstrdup("") : xasprintf("%s/%s", s->directory, file));
}

json_object *inspect_record_json(const struct state *s)
{
	_cleanup_free_ char *path = xasprintf("%s/config.json",
		state_has(s->bundle) ? s->bundle : s->directory);
	_cleanup_free_ char *log = container_log_path(s);
	json_object *o = json_object_new_object(), *config = json_object_from_file(path);

	add_text(o, "Id", s->id);
	listing_add(o, "Created", words_time(s->created_ns));
	add_text(o, "Path", s->command.count ? s->command.items[0] : "");
	json_object_object_add(o, "Args", s->command.count
		? texts(s->command.items + 1, s->command.count - 1) : json_object_new_array());
	json_object_object_add(o, "State", state(s));
	add_text(o, "Image", s->image_id);
	add_file(o, "ResolvConfPath", s, "resolv.conf");
	add_file(o, "HostnamePath", s, "hostname");
	add_file(o, "HostsPath", s, "hosts");
	add_text(o, "LogPath", s->keeps_log ? log : "");
	listing_add(o, "Name", xasprintf("/%s", s->name));
	add_number(o, "RestartCount", s->restart_count);
	add_text(o, "Driver", "overlay");
	add_text(o, "Platform", "linux");
	add_text(o, "AppArmorProfile", "");
	json_object_object_add(o, "ExecIDs", NULL);
	json_object_object_add(o, "HostConfig", inspect_host_config(s, config));
	json_object_object_add(o, "GraphDriver", graph(s));
	json_object_object_add(o, "Mounts", mounts(s));
	json_object_object_add(o, "Config", settings(s, config));
	json_object_object_add(o, "NetworkSettings", network(s));
	json_object_put(config);
	return o;
}

/* ---- text ---- */

static void line(struct strbuf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	strbuf_printf(out, "%-12s", name);
	format_text(out, value, strlen(value), true);
	strbuf_putc(out, '\n');
}

void inspect_record_text(const struct state *s, struct strbuf *out)
{
	_cleanup_free_ char *status = ps_status(s), *created = words_local_time(s->created_ns);
	_cleanup_free_ char *log = container_log_path(s);
	_cleanup_(strbuf_free) struct strbuf command = { 0 };

	for (size_t i = 0; i < s->command.count; i++)
		strbuf_printf(&command, "%s%s", i ? " " : "", s->command.items[i]);
	line(out, "container", s->id);
	line(out, "name", s->name);
	line(out, "image", s->image);
	line(out, "command", command.text);
	line(out, "state", status);
	line(out, "error", s->error);
	line(out, "created", created);
	line(out, "network", s->network);
	for (size_t i = 0; i < s->ports.count; i++)
		line(out, "port", s->ports.items[i]);
	for (size_t i = 0; i < s->mounts.count; i++)
		line(out, "mount", s->mounts.items[i]);
	line(out, "storage", s->storage);
	line(out, "log", s->keeps_log ? log : "");
}
