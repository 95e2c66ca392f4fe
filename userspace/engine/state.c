/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/state.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/strbuf.h"

static const char *const status_names[] = { "creating", "created", "running", "restarting", "exited",
	"removing" };

enum field_type { TEXT, LIST, NUMBER, FLAG };

#define FIELD(type, member) { #member, type, offsetof(struct state, member) }

static const struct field {
	const char *key;
	enum field_type type;
	size_t offset;
} fields[] = {
	FIELD(TEXT, name), FIELD(TEXT, image), FIELD(TEXT, image_id), FIELD(TEXT, store_root),
	FIELD(TEXT, storage), FIELD(TEXT, cgroup), FIELD(TEXT, address), FIELD(TEXT, gateway), FIELD(TEXT, mac_address),
	FIELD(NUMBER, prefix),
	FIELD(LIST, anonymous),
	FIELD(TEXT, bundle), FIELD(TEXT, rootfs), FIELD(TEXT, hostname), FIELD(TEXT, stop_signal),
	FIELD(TEXT, network), FIELD(TEXT, pid_mode), FIELD(TEXT, ipc_mode), FIELD(TEXT, uts_mode),
	FIELD(LIST, ports), FIELD(LIST, hosts), FIELD(NUMBER, shm_size), FIELD(NUMBER, stop_timeout), FIELD(NUMBER, user),
	FIELD(FLAG, remove), FIELD(FLAG, terminal), FIELD(FLAG, interactive), FIELD(FLAG, keeps_log), FIELD(FLAG, stdin_once),
	FIELD(NUMBER, restart_max), FIELD(LIST, exposed), FIELD(LIST, command), FIELD(LIST, labels),
	FIELD(LIST, annotations), FIELD(LIST, device_rules), FIELD(LIST, mounts), FIELD(NUMBER, entrypoint_count), FIELD(TEXT, user_name),
	FIELD(TEXT, host_config),
	FIELD(LIST, published), FIELD(NUMBER, created_ns), FIELD(NUMBER, started_ns),
	FIELD(NUMBER, finished_ns), FIELD(NUMBER, pid), FIELD(NUMBER, exit_code),
	FIELD(NUMBER, restart_count), FIELD(FLAG, oom_killed), FIELD(TEXT, error), FIELD(TEXT, traceparent),
};

static const char *const restart_names[] = { "no", "on-failure", "always", "unless-stopped" };

const char *state_status_name(enum state_status status)
{
	return status_names[status];
}

int64_t state_now(void)
{
	return clock_ns(CLOCK_REALTIME);
}

static json_object *list_to_json(const struct string_list *list)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(array, json_object_new_string(list->items[i]));
	return array;
}

static json_object *field_to_json(const struct state *s, const struct field *f)
{
	const char *at = (const char *)s + f->offset, *text;

	switch (f->type) {
	case TEXT:
		text = *(char *const *)at;
		return text && *text ? json_object_new_string(text) : NULL;
	case LIST:
		return ((const struct string_list *)at)->count
			? list_to_json((const struct string_list *)at) : NULL;
	case NUMBER:
		return *(const int64_t *)at ? json_object_new_int64(*(const int64_t *)at) : NULL;
	default:
		return *(const bool *)at ? json_object_new_boolean(true) : NULL;
	}
}

static json_object *to_json(const struct state *s)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "id", json_object_new_string(s->id));
	json_object_object_add(o, "status", json_object_new_string(status_names[s->status]));
	json_object_object_add(o, "restart", json_object_new_string(restart_names[s->restart]));
	/* what is not set is left out: most containers use little of this */
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		json_object *value = field_to_json(s, &fields[i]);

		if (value)
			json_object_object_add(o, fields[i].key, value);
	}
	return o;
}

int state_save(const struct state *s, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/state.json", s->directory);
	_cleanup_free_ char *temporary = xasprintf("%s.tmp", path);
	_cleanup_close_ int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	json_object *o = to_json(s);
	size_t length;
	const char *text = json_object_to_json_string_length(o,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	int r = 0;

	errno = fd < 0 ? errno : ENOSPC;
	if (fd < 0 || write(fd, text, length) != (ssize_t)length || rename(temporary, path) < 0)
		r = error_errno(err, errno, "cannot write %s", path);
	json_object_put(o);
	return r;
}

static void list_from_json(json_object *array, struct string_list *ret)
{
	size_t count = json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;

	for (size_t i = 0; i < count; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(array, i));

		string_list_add(ret, xstrdup(text ? text : ""));
	}
}

static void field_from_json(json_object *o, const struct field *f, struct state *s)
{
	json_object *value = json_object_object_get(o, f->key);
	char *at = (char *)s + f->offset;
	const char *text;

	switch (f->type) {
	case TEXT:
		text = json_object_get_string(value);
		*(char **)at = xstrdup(text ? text : "");
		break;
	case LIST:
		list_from_json(value, (struct string_list *)at);
		break;
	case NUMBER:
		*(int64_t *)at = json_object_get_int64(value);
		break;
	default:
		*(bool *)at = json_object_get_boolean(value);
	}
}

static int index_of(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; name && i < count; i++) {
		if (!strcmp(names[i], name))
			return (int)i;
	}
	return 0;
}

static const char *member(json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

int state_load(const char *directory, struct state *ret, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/state.json", directory);
	json_object *o;
	const char *id;

	*ret = (struct state){ 0 };
	if (access(path, F_OK) < 0)
		return error_errno(err, errno, "cannot read %s", path);
	o = json_object_from_file(path);
	id = member(o, "id");
	if (!id || strlen(id) != STATE_ID_LENGTH) {
		json_object_put(o);
		return error_set(err, EBADMSG, "%s is damaged", path);
	}
	strcpy(ret->id, id);
	ret->directory = xstrdup(directory);
	ret->status = (enum state_status)index_of(status_names, ARRAY_SIZE(status_names),
		member(o, "status"));
	ret->restart = (enum restart_policy)index_of(restart_names, ARRAY_SIZE(restart_names),
		member(o, "restart"));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		field_from_json(o, &fields[i], ret);
	json_object_put(o);
	return 0;
}

char *state_mount_text(const struct state_mount *m)
{
	return xasprintf("%s\t%s\t%s\t%s\t%s\t%s", m->type, m->name, m->source, m->destination, m->mode,
		m->propagation);
}

bool state_mount_split(char *text, struct state_mount *ret)
{
	const char **parts[] = { &ret->type, &ret->name, &ret->source, &ret->destination, &ret->mode,
		&ret->propagation };

	*ret = (struct state_mount){ .propagation = "rprivate" }; /* which earlier versions did not write down */
	for (size_t i = 0; i < ARRAY_SIZE(parts) && text; i++)
		*parts[i] = strsep(&text, "\t");
	return ret->mode != NULL;
}

bool state_has_volume(const struct state *s, const char *volume)
{
	_cleanup_free_ char *begin = xasprintf("volume\t%s\t", volume);

	for (size_t i = 0; i < s->mounts.count; i++) {
		if (str_starts(s->mounts.items[i], begin))
			return true;
	}
	return string_list_has(&s->anonymous, volume);
}

void state_free(struct state *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		char *at = (char *)s + fields[i].offset;

		if (fields[i].type == TEXT)
			free(*(char **)at);
		else if (fields[i].type == LIST)
			string_list_free((struct string_list *)at);
	}
	free(s->directory);
	*s = (struct state){ 0 };
}
