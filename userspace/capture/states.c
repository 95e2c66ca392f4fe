/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/states.h"

#include <dirent.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>

#include "capture/names_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/strbuf.h"

enum { STATES_MAX = 10000 }; /* in one directory; the rest counts as unread */

/* ROOT/ID/FILE. runc: libcontainer's State and BaseState; crun: libcrun_write_container_status. */
static const struct place {
	const char *root, *file, *pid, *start;
} places[] = {
	{ "/run/runc", "state.json", "init_process_pid", "init_process_start" },
	{ "/run/crun", "status", "pid", "process-start-time" },
};

/* runc keeps it as a label of its own: "bundle=/path". */
static const char *find_bundle(json_object *state)
{
	static const char key[] = "bundle=";
	json_object *labels = names_member(names_member(state, "config"), "labels");
	size_t count = json_object_is_type(labels, json_type_array) ? json_object_array_length(labels) : 0;
	const char *bundle = names_text(state, "bundle");

	for (size_t i = 0; !bundle && i < count; i++) {
		const char *label = json_object_get_string(json_object_array_get_idx(labels, i));

		if (label && str_starts(label, key))
			bundle = label + strlen(key);
	}
	return bundle ? bundle : "";
}

static void read_state(const struct place *place, const char *directory, const char *id, size_t *unread, states_emit *emit, void *arg)
{
	_cleanup_free_ char *path = xasprintf("%s/%s/%s", directory, id, place->file);
	_cleanup_(names_cleanup_json) json_object *state = names_json(path, unread);
	int64_t pid = json_object_get_int64(names_member(state, place->pid));
	int64_t start = json_object_get_int64(names_member(state, place->start));

	if (pid > 0 && pid <= INT32_MAX && start > 0)
		emit(arg, &(struct state_found){ .id = id, .root = place->root, .bundle = find_bundle(state),
			.pid = (uint32_t)pid, .start_ticks = (uint64_t)start });
}

static void read_place(const struct place *place, const char *host_root, size_t *unread, states_emit *emit, void *arg)
{
	_cleanup_free_ char *directory = xasprintf("%s%s", host_root, place->root);
	_cleanup_closedir_ DIR *dir = file_open_directory(AT_FDCWD, directory, 0);
	struct dirent *entry;
	size_t count = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' && (!entry->d_name[1] || !strcmp(entry->d_name, "..")))
			continue;
		if (count++ < STATES_MAX)
			read_state(place, directory, entry->d_name, unread, emit, arg);
		else
			++*unread;
	}
}

size_t states_read(const char *host_root, states_emit *emit, void *arg)
{
	size_t unread = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		read_place(&places[i], host_root, &unread, emit, arg);
	return unread;
}
