/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_make.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/capability.h"
#include "engine/etc_files.h"
#include "engine/host_config.h"
#include "engine/init_program.h"
#include "engine/joins.h"
#include "engine/leftovers.h"
#include "engine/registry.h"
#include "engine/root_mount.h"
#include "engine/rooted.h"
#include "engine/shared_memory.h"
#include "engine/spec.h"
#include "engine/user.h"
#include "engine/volumes.h"
#include "engine/volumes_from.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { STOP_TIMEOUT = 10 };

/* ---- the record ---- */

static void copy_list(struct string_list *to, const struct string_list *from)
{
	for (size_t i = 0; i < from->count; i++)
		string_list_add(to, xstrdup(from->items[i]));
}

static void copy_labels(struct state *state, const struct make_input *in)
{
	for (size_t i = 0; in->image && i < in->image->config.label_count; i++)
		string_list_add(&state->labels, xasprintf("%s=%s", in->image->config.labels[i].key,
			in->image->config.labels[i].value));
	for (size_t i = 0; i < in->settings->labels.count; i++) {
		const char *label = in->settings->labels.items[i];
		size_t name = strcspn(label, "=") + 1;

		/* ours replaces the image's */
		for (size_t j = 0; j < state->labels.count; j++) {
			if (!strncmp(state->labels.items[j], label, name)) {
				free(state->labels.items[j]);
				state->labels.items[j] = state->labels.items[--state->labels.count];
				break;
			}
		}
		string_list_add(&state->labels, xstrdup(label));
	}
}

/* The image's ports and those of --expose; -P publishes each unless it is published already. */
static int add_exposed_ports(struct state *state, const struct make_input *in, struct error *err)
{
	int r = 0;

	copy_list(&state->exposed, &in->settings->exposed);
	for (char **p = in->image ? in->image->config.exposed_ports : NULL; r == 0 && p && *p; p++)
		r = ports_parse_exposed(*p, &state->exposed, err);
	for (size_t i = 0; r == 0 && in->settings->publish_all && i < state->exposed.count; i++) {
		_cleanup_free_ char *end = xasprintf(":%s", state->exposed.items[i]);
		bool known = false;

		for (size_t j = 0; j < state->ports.count; j++)
			known |= str_ends(state->ports.items[j], end);
		if (!known)
			r = ports_parse(state->exposed.items[i], &state->ports, err);
	}
	return r;
}

static char *network_name(const struct run_settings *s)
{
	static const char *const names[] = { "bridge", "none", "host" };

	if (s->network == NETWORK_CONTAINER)
		return xasprintf("container:%s", s->network_container);
	return xstrdup(names[s->network]);
}

static void fill_names(struct state *state, const struct make_input *in)
{
	const struct run_settings *s = in->settings;
	const char *parent = s->cgroup_parent ? s->cgroup_parent : "/ctrace";

	state->store_root = xstrdup(store_root(in->store));
	state->storage = xasprintf("%s/containers/%s", state->store_root, state->id);
	state->image_id = xstrdup(in->image ? in->image->id : "");
	state->cgroup = xasprintf("%s%s%s%s", *parent == '/' ? "" : "/", parent,
		str_ends(parent, "/") ? "" : "/", state->id);
	state->network = network_name(s);
	state->pid_mode = xstrdup(s->pid_mode ? s->pid_mode : "");
	state->ipc_mode = xstrdup(s->ipc_mode ? s->ipc_mode : "");
	state->uts_mode = xstrdup(s->uts_mode ? s->uts_mode : "");
	state->stop_signal = xstrdup(s->stop_signal ? s->stop_signal
				     : in->image && *in->image->config.stop_signal
					     ? in->image->config.stop_signal : "SIGTERM");
}

static int fill_state(struct launch *l, const struct make_input *in, struct error *err)
{
	const struct run_settings *s = in->settings;
	struct state *state = &l->state;
	char path[4096];
	int r;

	state->image = xstrdup(s->source);
	state->remove = s->remove || s->source_type == SOURCE_BUNDLE;
	state->terminal = s->terminal;
	state->interactive = s->interactive;
	/* what goes straight to our own terminal or file is not kept as well */
	state->keeps_log = run_settings_supervised(s) || in->start_later || !state->remove;
	state->stdin_once = s->interactive && !s->detach && (!s->attach || s->attach & ATTACH_STDIN);
	state->restart = s->restart;
	state->restart_max = s->restart_max;
	state->shm_size = s->shm_size;
	state->stop_timeout = s->stop_timeout == SETTING_UNSET ? STOP_TIMEOUT : s->stop_timeout;
	state->created_ns = state_now();
	if (s->source_type == SOURCE_BUNDLE) {
		state->bundle = xstrdup(s->source);
		state->network = xstrdup("");
		return 0;
	}
	if (s->source_type == SOURCE_ROOTFS) {
		if (!realpath(s->source, path))
			return error_errno(err, errno, "cannot open %s", s->source);
		state->rootfs = xstrdup(path);
	}
	fill_names(state, in);
	copy_labels(state, in);
	if (getenv("TRACEPARENT")) /* whoever traces this host reads it there */
		state->traceparent = xstrdup(getenv("TRACEPARENT"));
	copy_list(&state->ports, &s->ports);
	copy_list(&state->hosts, &s->hosts);
	copy_list(&state->annotations, &s->annotations);
	copy_list(&state->device_rules, &s->device_rules);
	state->user_name = xstrdup(spec_user(s, in->image ? &in->image->config : NULL));
	state->host_config = host_config_text(s);
	state->entrypoint_count = (int64_t)spec_entrypoint_count(s, in->image ? &in->image->config : NULL);
	r = spec_args(s, in->image ? &in->image->config : NULL, &state->command, err);
	if (r == 0)
		r = add_exposed_ports(state, in, err);
	if (r == 0 && state->ports.count && s->network != NETWORK_BRIDGE)
		string_list_free(&state->ports); /* docker, too, has no use for them there */
	return r == 0 && joins_any(state) ? joins_resolve(state, err) : r;
}

/* ---- storage and volumes ---- */

static int make_storage(const struct state *s, struct error *err)
{
	static const char *const names[] = { "", "/upper", "/work", "/root" };
	_cleanup_free_ char *containers = xasprintf("%s/containers", s->store_root);
	int r;

	if (mkdir(containers, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "cannot make directory %s", containers);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("%s%s", s->storage, names[i]);

		/* upper becomes the container's "/", which everyone in it may pass; the first may be the
		 * container's directory already */
		if (mkdir(path, i ? 0755 : 0700) < 0 && !(i == 0 && errno == EEXIST))
			return error_errno(err, errno, "cannot make directory %s", path);
	}
	r = leftovers_mark(s->storage);
	return r < 0 ? error_errno(err, -r, "cannot write to %s", s->storage) : 0;
}

static int prepare_root(struct launch *l, const struct make_input *in, struct error *err)
{
	int r = 0;

	if (in->image)
		r = store_hold(in->store, in->image->id, l->state.id, err);
	if (r == 0)
		r = make_storage(&l->state, err);
	if (r == 0)
		r = root_mount(&l->state, in->image, err);
	return r == 0 ? shared_memory_mount(&l->state, err) : r;
}

static int make_source(const char *source, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(source);

	if (access(source, F_OK) == 0)
		return 0;
	for (char *p = strchr(copy + 1, '/');; p = strchr(p + 1, '/')) {
		if (p)
			*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return error_errno(err, errno, "error while creating mount source path '%s'", source);
		if (!p)
			return 0;
		*p = '/';
	}
}

/* A named volume's directory becomes the source of a bind mount. */
static int open_volume(struct launch *l, struct volume *v, struct error *err)
{
	_cleanup_(volume_free) struct named_volume volume = { 0 };
	bool made;
	int r = volume_make(l->state.store_root, v->name, NULL, &volume, &made, err);

	if (r < 0)
		return r;
	if (!v->name) {
		string_list_add(&l->state.anonymous, xstrdup(volume.name));
		r = state_save(&l->state, err); /* so that it is removed whatever comes */
		v->name = xstrdup(volume.name);
	}
	v->source = xstrdup(volume.data);
	return r;
}

/* The image's own VOLUMEs, where nothing else is mounted. */
static void add_image_volumes(struct run_settings *s, const struct store_image *image)
{
	for (char **path = image ? image->config.volumes : NULL; path && *path; path++) {
		if ((*path)[0] != '/' || !(*path)[1] || run_settings_mount_on(s, *path))
			continue;
		array_grow(s->volumes, s->volume_count, s->volume_capacity);
		s->volumes[s->volume_count++] = (struct volume){ .destination = xstrdup(*path),
			.propagation = xstrdup("rprivate") };
	}
}

static void describe_mount(struct state *state, const struct volume *v)
{
	const struct state_mount m = { v->name ? "volume" : "bind", v->name ? v->name : "", v->source,
		v->destination, v->read_only ? "ro" : "rw", v->propagation };

	string_list_add(&state->mounts, state_mount_text(&m));
}

static bool has_named_volumes(const struct run_settings *s, const struct store_image *image)
{
	for (size_t i = 0; i < s->volume_count; i++) {
		if (!s->volumes[i].source)
			return true;
	}
	return s->volumes_from.count > 0 || (image && image->config.volumes && image->config.volumes[0]);
}

/* Volumes are made, or found, and noted in the state under the lock: who removes one sees that we have it, or we that it is
 * gone. */
static int choose_volumes(struct launch *l, struct run_settings *s, const struct store_image *image, struct error *err)
{
	bool named = has_named_volumes(s, image);
	_cleanup_close_ int lock = named ? registry_lock(err) : -1;
	int r = named && lock < 0 ? lock : volumes_from_add(s, &l->state, err);

	if (r == 0)
		add_image_volumes(s, image);
	for (size_t i = 0; r == 0 && i < s->volume_count; i++) {
		struct volume *v = &s->volumes[i];

		if (!v->source)
			r = open_volume(l, v, err);
		if (r == 0)
			describe_mount(&l->state, v);
	}
	return r == 0 && named ? state_save(&l->state, err) : r;
}

static int fill_volume(const struct launch *l, const struct volume *v, int root, struct error *err)
{
	_cleanup_(volume_free) struct named_volume volume = { 0 };
	int r = v->no_copy ? 0 : volume_find(l->state.store_root, v->name, &volume, err);

	return r < 0 || v->no_copy ? r : volume_fill(&volume, root, v->destination, err);
}

static int prepare_volumes(struct launch *l, struct run_settings *s, const struct store_image *image,
	int root, struct error *err)
{
	int r = choose_volumes(l, s, image, err);

	for (size_t i = 0; r == 0 && i < s->volume_count; i++) {
		const struct volume *v = &s->volumes[i];

		if (v->name)
			r = fill_volume(l, v, root, err);
		else if (!v->must_exist)
			r = make_source(v->source, err);
	}
	return r;
}

/* ---- the bundle ---- */

static void warn_capabilities(const struct launch *l, const struct run_settings *s, uint64_t held)
{
	uint64_t missing = capability_wanted(s) & ~held;
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	if (!missing || !l->warn)
		return;
	strbuf_puts(&text, "the container lacks what ctrace itself does not have:");
	for (int i = 0; i < CAPABILITY_COUNT; i++) {
		if (missing & (1ULL << i))
			strbuf_printf(&text, " %s", capability_name(i));
	}
	l->warn(text.text);
}

static int write_config(struct launch *l, const struct make_input *make,
	const struct user_identity *user, const char *root, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/config.json", l->state.directory), *shm = NULL;
	char init[4096];
	struct spec_input in = {
		.settings = make->settings,
		.image = make->image ? &make->image->config : NULL,
		.user = user,
		.id = l->state.id,
		.name = l->state.name,
		.hostname = l->state.hostname,
		.rootfs = root,
		.directory = l->state.directory,
		.held = capability_held(),
		.cgroup2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0,
	};
	json_object *config;
	int r = 0;

	warn_capabilities(l, make->settings, in.held);
	if (make->settings->init) {
		r = init_program_find(init, sizeof(init), err);
		in.init = init;
	}
	if (r == 0)
		r = shared_memory_find(&l->state, !make->start_later, &shm, err);
	in.shm = shm;
	if (r == 0)
		r = spec_build(&in, &config, err);
	if (r < 0)
		return r;
	if (joins_any(&l->state) && !make->start_later)
		r = joins_apply(&l->state, config, err);
	if (r == 0 && json_object_to_file_ext(path, config, JSON_C_TO_STRING_PLAIN) < 0)
		r = error_errno(err, errno, "cannot write %s", path);
	json_object_put(config);
	return r;
}

static int write_etc_files(struct launch *l, const struct make_input *in, struct error *err)
{
	const struct run_settings *s = in->settings;
	_cleanup_(state_free) struct state joined = { 0 };
	char text[INET_ADDRSTRLEN];
	struct etc_files files = { .directory = l->state.directory, .hostname = l->state.hostname,
		.address = l->state.address, .gateway = network_format(l->bridge.gateway, text),
		.host_network = s->network == NETWORK_HOST, .hosts = &s->hosts, .dns = &s->dns,
		.dns_search = &s->dns_search, .dns_options = &s->dns_options };
	int r = joins_network(&l->state, !in->start_later, &joined, err);

	if (r < 0)
		return r;
	if (joined.id[0])
		files.joined = joined.directory;
	return etc_files_write(&files, err);
}

static int choose_hostname(struct launch *l, const struct make_input *in, struct error *err)
{
	const struct run_settings *s = in->settings;
	_cleanup_(state_free) struct state joined = { 0 };
	char own[65] = "";
	int r = joins_network(&l->state, !in->start_later, &joined, err);

	if (r < 0)
		return r;
	if (s->network == NETWORK_HOST || s->uts_mode)
		gethostname(own, sizeof(own) - 1);
	if (joined.id[0])
		l->state.hostname = xstrdup(joined.hostname);
	else if (own[0])
		l->state.hostname = xstrdup(own);
	else
		l->state.hostname = s->hostname ? xstrdup(s->hostname) : xstrndup(l->state.id, 12);
	return 0;
}

static int make_bundle(struct launch *l, const struct make_input *in, struct error *err)
{
	struct run_settings *s = in->settings;
	const struct store_config *image = in->image ? &in->image->config : NULL;
	_cleanup_free_ char *root = xasprintf("%s/root", l->state.storage);
	_cleanup_close_ int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(user_free) struct user_identity user = { 0 };
	int r;

	if (fd < 0)
		return error_errno(err, errno, "cannot open %s", root);
	r = user_resolve(fd, spec_user(s, image), &s->groups, &user, err);
	l->state.user = user.uid;
	if (r == 0)
		r = rooted_make_directory(fd, spec_workdir(s, image), err);
	if (r == 0)
		r = prepare_volumes(l, s, in->image, fd, err);
	if (r == 0)
		r = choose_hostname(l, in, err);
	if (r == 0 && !in->start_later)
		r = launch_prepare_network(l, err);
	if (r == 0)
		r = write_etc_files(l, in, err);
	return r == 0 ? write_config(l, in, &user, root, err) : r;
}

int container_make(struct launch *l, const struct make_input *in, struct error *err)
{
	int r = fill_state(l, in, err);

	if (r == 0)
		r = registry_add(&l->state, in->settings->name, err);
	if (r < 0 || in->settings->source_type == SOURCE_BUNDLE)
		return r;
	r = prepare_root(l, in, err);
	return r == 0 ? make_bundle(l, in, err) : r;
}
