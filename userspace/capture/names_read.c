/* SPDX-License-Identifier: Apache-2.0 */
/* What engines keep on disk about a container. Everything here is somebody else's file: it may be missing, huge,
 * no file at all, or change while it is read. */
#include "capture/names_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/proc_stat.h"
#include "util/strbuf.h"

enum { JSON_DEPTH = 64, LABELS_MAX = 64, ANCESTORS_MAX = 5, ENVIRONMENT_MAX = 1 << 20 };

#define LAUNCHER_DIRECTORY "/run/ctrace"

void names_cleanup_json(json_object **o)
{
	json_object_put(*o);
}

/* Whether /proc/PID is still the process that was seen. */
static bool is_same(const struct names_job *job)
{
	uint64_t expected = job->start_ns / (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	uint64_t ticks = proc_start_ticks((pid_t)job->pid, NULL);

	return ticks && ticks + 1 >= expected && ticks <= expected + 1;
}

/* Where the process's files are for us: "" = where they are for it. NULL when that cannot be known any more. */
static char *root_of(const struct names_job *job)
{
	if (job->host_root)
		return xstrdup(job->host_root);
	return is_same(job) ? xasprintf("/proc/%u/root", job->pid) : NULL;
}

static char *bundle_of(const struct names_job *job, const char *root)
{
	if (job->bundle[0] == '/')
		return xasprintf("%s%s", root, job->bundle);
	return is_same(job) ? xasprintf("/proc/%u/cwd/%s", job->pid, job->bundle) : NULL;
}

json_object *names_parse(const char *text, size_t length)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	json_object *o = length ? json_tokener_parse_ex(tokener, text, (int)length) : NULL;

	json_tokener_free(tokener);
	return o;
}

/* NULL where there is nothing of that kind, or too much of it; errno then says what it was. */
static json_object *parse_file(const char *path)
{
	/* nonblocking: a FIFO with that name must not hold us */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	char block[16384];
	json_object *o;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	errno = EFBIG;
	if (!S_ISREG(st.st_mode) || st.st_size > NAMES_FILE_MAX)
		return NULL;
	while (text.length < NAMES_FILE_MAX && (n = read(fd, block, sizeof(block))) > 0)
		strbuf_add(&text, block, (size_t)n);
	o = names_parse(text.text, text.length);
	errno = EINVAL;
	return o;
}

json_object *names_json(const char *path, size_t *unread)
{
	json_object *o = parse_file(path);

	if (!o && unread && errno != ENOENT && errno != ENOTDIR && errno != ESRCH)
		++*unread;
	return o;
}

json_object *names_member(json_object *o, const char *key)
{
	json_object *value = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &value);
	return value;
}

const char *names_text(json_object *o, const char *key)
{
	json_object *value = names_member(o, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

bool names_is_cut(const char *key, const char *value)
{
	return strlen(key) + strlen(value) > NAMES_FACT_MAX;
}

static void tell(struct reading *r, const char *key, const char *value)
{
	r->values_cut += names_is_cut(key, value);
	r->is_named |= !strcmp(key, "name");
	r->emit(r->arg, r->job, key, value);
}

void names_tell(struct reading *r, const char *key, const char *value)
{
	if (value && *value)
		tell(r, key, value);
}

void names_tell_label(struct reading *r, const char *name, json_object *value)
{
	_cleanup_free_ char *key = xasprintf("label.%s", name);

	if (!*name || !json_object_is_type(value, json_type_string))
		return;
	if (!map_get(&r->labels, name, strlen(name))) { /* two files may have the same one */
		if (r->labels.count == LABELS_MAX || strlen(key) >= NAMES_FACT_MAX) {
			r->labels_cut++;
			return;
		}
		map_put(&r->labels, name, strlen(name), r);
	}
	tell(r, key, json_object_get_string(value));
}

/* Annotations that say what a container is called, by the engines that write them. */
static const struct {
	const char *annotation, *key, *engine;
} known_annotations[] = {
	{ "io.kubernetes.cri.container-name", "name", "containerd" },
	{ "io.kubernetes.cri.image-name", "image", "containerd" },
	{ "io.kubernetes.cri.sandbox-name", "pod", "containerd" },
	{ "io.kubernetes.cri.sandbox-namespace", "namespace", "containerd" },
	{ "io.kubernetes.container.name", "name", NULL },
	{ "io.kubernetes.pod.name", "pod", NULL },
	{ "io.kubernetes.pod.namespace", "namespace", NULL },
	{ "io.kubernetes.cri-o.ImageName", "image", "cri-o" },
	{ "nerdctl/name", "name", NULL },
	{ "ctrace.name", "name", "ctrace" },
	{ "ctrace.image", "image", "ctrace" },
};

/* Annotations that say whether it is a pod's sandbox, or one of the containers in it. */
static const char *const type_annotations[] = { "io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType" };

/* Annotations by which engines talk to themselves: no label of anybody's. */
static bool is_internal(const char *annotation)
{
	static const char *const prefixes[] = { "io.kubernetes.cri", "io.container.", "io.podman.", "io.containerd.",
		"io.cri-containerd.", "com.docker/", "org.systemd.", "run.oci.", "nerdctl/", "ctrace." };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (str_starts(annotation, prefixes[i]))
			return true;
	}
	return false;
}

void names_tell_labels(struct reading *r, json_object *annotations)
{
	if (!json_object_is_type(annotations, json_type_object))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(known_annotations); i++) {
		const char *value = names_text(annotations, known_annotations[i].annotation);

		names_tell(r, known_annotations[i].key, value);
		if (value)
			names_tell(r, "engine", known_annotations[i].engine);
	}
	for (size_t i = 0; i < ARRAY_SIZE(type_annotations); i++) {
		const char *type = names_text(annotations, type_annotations[i]);

		if (type && !strcmp(type, "sandbox"))
			names_tell(r, "sandbox", "true");
	}
	json_object_object_foreach(annotations, key, value)
	{
		if (!is_internal(key))
			names_tell_label(r, key, value);
	}
}

/* What containers-storage says of a container in its list. */
static json_object *find_stored_one(json_object *list, const char *id)
{
	size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < count; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		const char *found = names_text(o, "id");

		if (found && !strcmp(found, id))
			return o;
	}
	return NULL;
}

const char *names_find(json_object *content, enum names_source source, const char *id)
{
	json_object *list;
	const char *name;

	switch (source) {
	case NAMES_DOCKER:
		name = names_text(content, "Name");
		return name && *name == '/' ? name + 1 : name;
	case NAMES_STORED:
		list = names_member(find_stored_one(content, id), "names");
		return json_object_is_type(list, json_type_array) && json_object_array_length(list)
			? json_object_get_string(json_object_array_get_idx(list, 0)) : NULL;
	default:
		return names_text(content, "name");
	}
}

bool names_is_over(json_object *content)
{
	json_object *running = names_member(names_member(content, "State"), "Running");

	return running && !json_object_get_boolean(running);
}

/* Tells the name that a file has and, where that lasts, its path. */
static void tell_name(struct reading *r, json_object *content, enum names_source source, const char *path, bool lasts)
{
	const char *name = names_find(content, source, r->job->id);

	names_tell(r, "name", name);
	if (name && *name && lasts)
		r->follow(r->follow_arg, r->job, source, path, name);
}

void names_tell_docker(struct reading *r, json_object *container, const char *engine)
{
	json_object *config = names_member(container, "Config"), *labels = names_member(config, "Labels");

	names_tell(r, "image", names_text(config, "Image"));
	names_tell(r, "engine", engine);
	if (json_object_is_type(labels, json_type_object)) {
		json_object_object_foreach(labels, key, value)
			names_tell_label(r, key, value);
	}
}

/* docker: DATA/containers/ID/config.v2.json. */
static bool read_docker(struct reading *r, const char *data)
{
	_cleanup_free_ char *path = xasprintf("%s/containers/%s/config.v2.json", data, r->job->id);
	_cleanup_(names_cleanup_json) json_object *o = names_json(path, &r->unread);

	if (!o)
		return false;
	tell_name(r, o, NAMES_DOCKER, path, r->job->host_root);
	names_tell_docker(r, o, "docker");
	return true;
}

/* docker's data directory is above the root file system of its containers, whatever the storage driver. */
static void find_docker(struct reading *r, const char *root, const char *rootfs)
{
	_cleanup_free_ char *at = xasprintf("%s%s", root, rootfs);

	for (int i = 0; i < ANCESTORS_MAX && strrchr(at, '/') > at + strlen(root); i++) {
		*strrchr(at, '/') = '\0';
		if (read_docker(r, at))
			return;
	}
}

/* The engine's own words are JSON in a string. */
static bool read_stored(struct reading *r, json_object *list, const char *path)
{
	json_object *o = find_stored_one(list, r->job->id);
	const char *metadata = names_text(o, "metadata");
	_cleanup_(names_cleanup_json) json_object *more = metadata ? json_tokener_parse(metadata) : NULL;

	if (!o)
		return false;
	tell_name(r, list, NAMES_STORED, path, r->job->host_root && r->job->bundle[0] == '/');
	names_tell(r, "image", names_text(more, "image-name"));
	return true;
}

/* podman and CRI-O: the bundle is STORAGE/DRIVER-containers/ID/userdata. */
static void find_stored(struct reading *r, const char *bundle)
{
	static const char *const files[] = { "containers.json", "volatile-containers.json" };

	if (!str_ends(bundle, "/userdata"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *path = xasprintf("%s/../../%s", bundle, files[i]);
		_cleanup_(names_cleanup_json) json_object *list = names_json(path, &r->unread);

		if (read_stored(r, list, path))
			return;
	}
}

/* Where the launcher that pid is keeps what it knows (engine/registry.h), as we see it. */
static char *launcher_directory(const struct names_job *job)
{
	static const char key[] = "CTRACE_RUN=";
	const char *own = getenv("CTRACE_RUN");
	_cleanup_free_ char *path = xasprintf("/proc/%u/environ", job->pid), *environment = NULL;
	size_t length = 0;

	if (!job->pid || !is_same(job) || !(environment = file_read(path, ENVIRONMENT_MAX, &length)))
		return xstrdup(own && *own == '/' ? own : LAUNCHER_DIRECTORY);
	for (size_t at = 0; at < length; at += strlen(environment + at) + 1) {
		if (str_starts(environment + at, key) && environment[at + strlen(key)] == '/')
			return xasprintf("/proc/%u/root%s", job->pid, environment + at + strlen(key));
	}
	return xasprintf("/proc/%u/root" LAUNCHER_DIRECTORY, job->pid);
}

/* A path below /proc/PID/root as it is where the host's files are for us, if that is the same file; else itself. */
static char *lasting_path(const struct names_job *job, const char *path)
{
	_cleanup_free_ char *prefix = xasprintf("/proc/%u/root", job->pid);
	_cleanup_free_ char *host = str_starts(path, prefix) && job->host_root
		? xasprintf("%s%s", job->host_root, path + strlen(prefix)) : NULL;
	struct stat there, here;

	if (host && stat(path, &there) == 0 && stat(host, &here) == 0 && there.st_dev == here.st_dev &&
		there.st_ino == here.st_ino)
		return steal_ptr(host);
	return xstrdup(path);
}

/* The launcher's state.json. */
static void read_launcher(struct reading *r)
{
	_cleanup_free_ char *directory = launcher_directory(r->job);
	_cleanup_free_ char *path = xasprintf("%s/containers/%s/state.json", directory, r->job->id);
	_cleanup_free_ char *lasting = lasting_path(r->job, path);
	_cleanup_(names_cleanup_json) json_object *o = names_json(path, &r->unread);
	json_object *labels = names_member(o, "labels");
	size_t count = json_object_is_type(labels, json_type_array) ? json_object_array_length(labels) : 0;

	tell_name(r, o, NAMES_LAUNCHER, lasting, lasting[0]);
	names_tell(r, "image", names_text(o, "image"));
	names_tell(r, "session.traceparent", names_text(o, "traceparent"));
	for (size_t i = 0; i < count; i++) {
		const char *label = json_object_get_string(json_object_array_get_idx(labels, i));
		const char *equals = label ? strchr(label, '=') : NULL;
		_cleanup_free_ char *name = equals ? xstrndup(label, (size_t)(equals - label)) : NULL;
		json_object *value = equals ? json_object_new_string(equals + 1) : NULL;

		if (name)
			names_tell_label(r, name, value);
		json_object_put(value);
	}
}

static void read_bundle(struct reading *r)
{
	const struct names_job *job = r->job;
	_cleanup_free_ char *root = root_of(job), *bundle = root ? bundle_of(job, root) : NULL;
	_cleanup_free_ char *path = bundle ? xasprintf("%s/config.json", bundle) : NULL;
	_cleanup_(names_cleanup_json) json_object *config = path ? names_json(path, &r->unread) : NULL;
	const char *rootfs = names_text(names_member(config, "root"), "path");

	if (!config || strchr(job->id, '/'))
		return;
	names_tell_labels(r, names_member(config, "annotations"));
	if (rootfs && *rootfs == '/')
		find_docker(r, root, rootfs);
	find_stored(r, bundle);
	names_read_podman(r, bundle);
	names_read_containerd(r, root, bundle);
	if (!r->is_named && names_read_engine(r, root, bundle))
		r->unread = 0; /* what the files should have told is told */
}

static void tell_count(struct reading *r, const char *key, size_t count)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", count);
	if (count)
		names_tell(r, key, text);
}

size_t names_read(const struct names_job *job, names_emit *emit, void *arg, names_follow *follow, void *follow_arg)
{
	struct reading r = { .job = job, .emit = emit, .arg = arg, .follow = follow, .follow_arg = follow_arg };

	if (job->by_ctrace)
		read_launcher(&r);
	else
		read_bundle(&r);
	tell_count(&r, "labels_cut", r.labels_cut);
	tell_count(&r, "values_cut", r.values_cut);
	map_free(&r.labels);
	return r.unread;
}
