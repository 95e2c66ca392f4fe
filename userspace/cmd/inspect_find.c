/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/inspect_find.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/inspect_facts.h"
#include "timeline/identify.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/map.h"
#include "util/strbuf.h"

/* Files of /proc that are read here are small; engine state may be larger. */
enum { PROC_FILE_MAX = 64 * 1024, CONFIG_MAX = 4 * 1024 * 1024, NAMED_MAX = 12 };

static const char *const ns_names[FOUND_NS_COUNT] = { "mnt", "pid", "net", "uts", "ipc", "cgroup", "user",
	"time" };

const char *found_ns_name(enum found_ns ns)
{
	return ns_names[ns];
}

static char *read_proc(pid_t pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return file_read(path, PROC_FILE_MAX, NULL);
}

static void read_namespaces(pid_t pid, uint64_t *ns)
{
	struct stat st;
	char path[64];

	for (int i = 0; i < FOUND_NS_COUNT; i++) {
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, ns_names[i]);
		ns[i] = stat(path, &st) == 0 ? (uint64_t)st.st_ino : 0;
	}
}

/* Field 22 of /proc/PID/stat; comm may hold anything, so it is counted from the last ')'. */
static uint64_t start_ticks(pid_t pid)
{
	_cleanup_free_ char *stat = read_proc(pid, "stat");
	const char *p = stat ? strrchr(stat, ')') : NULL;

	for (int field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p ? strtoull(p, NULL, 10) : 0;
}

/* NSpid of /proc/PID/status: "NSpid:\t8857\t1". True for pid 1 of a nested namespace. */
static bool is_nested_init(pid_t pid)
{
	_cleanup_free_ char *status = read_proc(pid, "status");
	const char *p = status ? strstr(status, "\nNSpid:") : NULL;
	int levels = 0;
	long last = 0;

	if (!p)
		return false;
	p += strlen("\nNSpid:");
	while (*p == '\t' || *p == ' ') {
		last = strtol(p, (char **)&p, 10);
		levels++;
	}
	return levels > 1 && last == 1;
}

/* The deepest path that any hierarchy has for the process, for runtimes with ids of their own. */
static char *deepest_path(const char *cgroups)
{
	const char *best = "", *line = cgroups;
	size_t length = 0;

	while (line && *line) {
		size_t n = strcspn(line, "\n");
		const char *path = memchr(line, ':', n);

		path = path ? memchr(path + 1, ':', n - (size_t)(path + 1 - line)) : NULL;
		if (path && n - (size_t)(path + 1 - line) > length) {
			best = path + 1;
			length = n - (size_t)(best - line);
		}
		line += n + (line[n] == '\n');
	}
	return xstrndup(best, length);
}

/* Fills id, engine and pod from /proc/PID/cgroup; false where no engine's pattern matches. */
static bool identify(struct found *f, const char *cgroups)
{
	const char *line = cgroups;

	while (line && *line) {
		_cleanup_free_ char *copy = xstrndup(line, strcspn(line, "\n"));
		const char *path = strchr(copy, ':');
		struct cgroup_identity identity = { 0 };

		path = path ? strchr(path + 1, ':') : NULL;
		if (path && identify_cgroup(path + 1, &identity)) {
			f->id = xstrndup(identity.id, identity.id_length);
			f->engine = identity.engine;
			f->pod = identity.pod ? xstrndup(identity.pod, identity.pod_length) : NULL;
			return true;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}

static void name_by_path(struct found *f, const char *cgroups)
{
	_cleanup_free_ char *path = deepest_path(cgroups);
	const char *leaf = strrchr(path, '/');

	if (leaf && leaf[1])
		f->id = xstrdup(leaf + 1);
	else
		f->id = xasprintf("pid-%d", (int)f->pid);
}

static void found_free(struct found *f)
{
	free(f->id);
	free(f->name);
	free(f->image);
	free(f->pod);
}

void found_list_free(struct found_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		found_free(&list->items[i]);
	free(list->items);
	*list = (struct found_list){ 0 };
}

/* Keeps the process that stands for its container: pid 1 of a namespace rather than any, the oldest of
 * equals. by_id: id -> index + 1. */
static void keep(struct found_list *list, struct map *by_id, struct found *f)
{
	uintptr_t at = (uintptr_t)map_get(by_id, f->id, strlen(f->id));
	struct found *old = at ? &list->items[at - 1] : NULL;

	/* Two namespaces under one id: a container that makes namespaces of its own. The outer was first. */
	if (old && (old->has_pid_ns > f->has_pid_ns ||
			   (old->has_pid_ns == f->has_pid_ns && old->start_ticks <= f->start_ticks))) {
		found_free(f);
		return;
	}
	if (old) {
		found_free(old);
		*old = *f;
		return;
	}
	array_grow(list->items, list->count, list->capacity);
	list->items[list->count++] = *f;
	map_put(by_id, f->id, strlen(f->id), (void *)(uintptr_t)list->count);
}

static void look_at(struct found_list *list, struct map *by_id, pid_t pid)
{
	_cleanup_free_ char *cgroups = read_proc(pid, "cgroup");
	struct found f = { .pid = pid };

	if (!cgroups)
		return;
	f.has_pid_ns = is_nested_init(pid);
	if (!identify(&f, cgroups)) {
		if (!f.has_pid_ns)
			return;
		name_by_path(&f, cgroups);
	}
	f.start_ticks = start_ticks(pid);
	read_namespaces(pid, f.ns);
	/* Neither namespaces nor a cgroup of an engine: gone, or the engine's own helper. */
	if (!f.start_ticks || (!f.has_pid_ns && f.ns[FOUND_MNT] == list->host_ns[FOUND_MNT])) {
		found_free(&f);
		return;
	}
	keep(list, by_id, &f);
}

static const char *json_string(struct json_object *o, const char *key)
{
	struct json_object *value;

	return o && json_object_object_get_ex(o, key, &value) ? json_object_get_string(value) : NULL;
}

static void names_from_docker(struct found *f, const char *root)
{
	_cleanup_free_ char *path = xasprintf("%s/containers/%s/config.v2.json", root, f->id);
	_cleanup_free_ char *text = file_read(path, CONFIG_MAX, NULL);
	struct json_object *o = text ? json_tokener_parse(text) : NULL, *config;
	const char *name = json_string(o, "Name");

	if (name)
		f->name = xstrdup(name[0] == '/' ? name + 1 : name);
	if (o && json_object_object_get_ex(o, "Config", &config) && json_string(config, "Image"))
		f->image = xstrdup(json_string(config, "Image"));
	json_object_put(o);
}

static void names_from_podman(struct found *f, const char *root)
{
	_cleanup_free_ char *path = xasprintf("%s/overlay-containers/containers.json", root);
	_cleanup_free_ char *text = file_read(path, CONFIG_MAX, NULL);
	struct json_object *all = text ? json_tokener_parse(text) : NULL, *names;
	size_t count = json_object_is_type(all, json_type_array) ? json_object_array_length(all) : 0;

	for (size_t i = 0; i < count && !f->name; i++) {
		struct json_object *o = json_object_array_get_idx(all, i);
		const char *id = json_string(o, "id");

		if (id && !strcmp(id, f->id) && json_object_object_get_ex(o, "names", &names) &&
			json_object_is_type(names, json_type_array) && json_object_array_length(names))
			f->name = xstrdup(json_object_get_string(json_object_array_get_idx(names, 0)));
	}
	json_object_put(all);
}

static void names_from_ctrace(struct found *f)
{
	const char *run = getenv("CTRACE_RUN");
	_cleanup_free_ char *path = xasprintf("%s/containers/%s/state.json",
		run && *run == '/' ? run : "/run/ctrace", f->id);
	_cleanup_free_ char *text = file_read(path, CONFIG_MAX, NULL);
	struct json_object *o = text ? json_tokener_parse(text) : NULL;

	if (json_string(o, "name"))
		f->name = xstrdup(json_string(o, "name"));
	if (json_string(o, "image"))
		f->image = xstrdup(json_string(o, "image"));
	json_object_put(o);
}

/* The engine's directory, out of where the container's changes go: ROOT/overlay2/LAYER/diff is docker's,
 * ROOT/overlay/LAYER/diff podman's. NULL for other places. The caller frees. */
static char *storage_root(pid_t pid, const char *driver)
{
	struct root_facts root;
	const char *at;
	char *path = NULL;

	if (root_read(pid, &root, NULL) < 0)
		return NULL;
	at = root.upper ? strstr(root.upper, driver) : NULL;
	if (at)
		path = xstrndup(root.upper, (size_t)(at - root.upper));
	root_free(&root);
	return path;
}

/* Only ids that are plain hex go into a path. */
static void find_names(struct found *f)
{
	_cleanup_free_ char *docker = NULL, *podman = NULL;

	if (!identify_is_hex_id(f->id, strlen(f->id)))
		return;
	if (f->engine && !strcmp(f->engine, "ctrace")) {
		names_from_ctrace(f);
		return;
	}
	docker = storage_root(f->pid, "/overlay2/");
	podman = storage_root(f->pid, "/overlay/");
	if (!f->engine || !strcmp(f->engine, "docker"))
		names_from_docker(f, docker ? docker : "/var/lib/docker");
	if (!f->name && (!f->engine || !strcmp(f->engine, "podman")))
		names_from_podman(f, podman ? podman : "/var/lib/containers/storage");
}

static int compare_start(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->start_ticks < y->start_ticks ? -1 : x->start_ticks > y->start_ticks;
}

int found_scan(struct found_list *ret_list, struct error *err)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	struct map by_id = { 0 };
	uint64_t own[FOUND_NS_COUNT];
	struct dirent *entry;

	*ret_list = (struct found_list){ 0 };
	if (!proc)
		return error_errno(err, errno, "cannot read /proc");
	read_namespaces(1, ret_list->host_ns);
	/* Process 1 may have a capability that we lack, and is then closed to us: ours stand for the host's. */
	read_namespaces(getpid(), own);
	for (int i = 0; i < FOUND_NS_COUNT; i++) {
		if (!ret_list->host_ns[i])
			ret_list->host_ns[i] = own[i];
	}
	while ((entry = readdir(proc))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at(ret_list, &by_id, (pid_t)atoi(entry->d_name));
	}
	map_free(&by_id);
	for (size_t i = 0; i < ret_list->count; i++)
		find_names(&ret_list->items[i]);
	if (ret_list->count)
		qsort(ret_list->items, ret_list->count, sizeof(ret_list->items[0]), compare_start);
	return 0;
}

static bool is_in_pid_namespace(const struct found *f, pid_t pid)
{
	uint64_t ns[FOUND_NS_COUNT];
	struct found other = { 0 };
	_cleanup_free_ char *cgroups = read_proc(pid, "cgroup");
	bool same;

	read_namespaces(pid, ns);
	if (f->has_pid_ns)
		return ns[FOUND_PID] && ns[FOUND_PID] == f->ns[FOUND_PID];
	same = cgroups && identify(&other, cgroups) && !strcmp(other.id, f->id);
	found_free(&other);
	return same;
}

/* The names of those that matched (or of all), for an error. */
static char *list_names(const struct found_list *list, const bool *matched)
{
	struct strbuf text = { 0 };
	size_t shown = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct found *f = &list->items[i];

		if (matched && !matched[i])
			continue;
		if (shown++ == NAMED_MAX) {
			strbuf_puts(&text, ", ...");
			break;
		}
		strbuf_printf(&text, "%s%.*s", shown > 1 ? ", " : "",
			identify_is_hex_id(f->id, strlen(f->id)) ? 12 : 64, f->id);
		if (f->name)
			strbuf_printf(&text, " (%s)", f->name);
	}
	return strbuf_steal(&text);
}

static bool matches(const struct found *f, const char *what, bool prefix)
{
	if (!prefix)
		return !strcmp(f->id, what) || (f->name && !strcmp(f->name, what));
	return str_starts(f->id, what) || (f->name && str_starts(f->name, what));
}

static size_t match_all(const struct found_list *list, const char *what, bool prefix, bool *matched)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		matched[i] = matches(&list->items[i], what, prefix);
		count += matched[i];
	}
	return count;
}

static size_t match_pid(const struct found_list *list, const char *what, bool *matched)
{
	size_t count = 0;
	char *end;
	long pid = strtol(what, &end, 10);

	if (end == what || *end || pid <= 1)
		return 0;
	for (size_t i = 0; i < list->count; i++) {
		matched[i] = list->items[i].pid == pid || is_in_pid_namespace(&list->items[i], (pid_t)pid);
		count += matched[i];
	}
	return count;
}

int found_choose(const struct found_list *list, const char *what, const struct found **ret_found,
	struct error *err)
{
	_cleanup_free_ bool *matched = xcalloc(list->count, sizeof(*matched));
	_cleanup_free_ char *names = NULL;
	size_t count = match_all(list, what, false, matched);

	if (!count)
		count = match_pid(list, what, matched);
	if (!count)
		count = match_all(list, what, true, matched);
	if (!count) {
		names = list_names(list, NULL);
		return error_set(err, ENOENT, "no running container %s%s%s", what,
			list->count ? "; there are: " : "; none runs", names);
	}
	if (count > 1) {
		names = list_names(list, matched);
		return error_set(err, EEXIST, "%s could be any of %zu containers: %s", what, count, names);
	}
	for (size_t i = 0; i < list->count; i++) {
		if (matched[i])
			*ret_found = &list->items[i];
	}
	return 0;
}
