/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/address_pool.h"
#include "engine/capability.h"
#include "engine/child.h"
#include "engine/etc_files.h"
#include "engine/init_program.h"
#include "engine/network.h"
#include "engine/overlay.h"
#include "engine/rooted.h"
#include "engine/signals.h"
#include "engine/spec.h"
#include "engine/state.h"
#include "engine/store.h"
#include "engine/supervise.h"
#include "engine/user.h"
#include "runtime/runtime.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { CODE_FAILED = 125, CODE_SIGNAL = 128 };

/* One run, from its first step to its last. */
struct run {
	const struct run_request *request;
	const struct run_settings *settings;
	struct state state;
	struct signals signals;
	struct tracer tracer;
	struct store *store;
	struct store_image image;
	bool has_image;
	struct network_bridge bridge;
	uint32_t address; /* host byte order; 0 = none */
	char hostname[65];
	char *oci_root; /* of the runtime's state */
	struct container *container;
	int console;
	int signal; /* that interrupted the making */
	int code;
};

static void warn(const struct run *run, const char *text)
{
	if (run->request->warn && *text)
		run->request->warn(text);
}

static bool is_interrupted(struct run *run)
{
	if (!run->signal)
		run->signal = signals_interrupted(&run->signals);
	return run->signal != 0;
}

/* ---- the image ---- */

static int pull(struct run *run, struct error *err)
{
	if (!run->request->image_program)
		return error_set(err, ENOENT, "cannot pull %s: program ctrace-image is missing beside "
			"ctrace", run->settings->source);
	return child_pull(run->request->image_program, run->settings->source, run->settings->platform,
		&run->signals, &run->signal, err);
}

static int find_image(struct run *run, struct error *err)
{
	const struct run_settings *s = run->settings;
	int r = s->pull == PULL_ALWAYS ? -ENOENT
				       : store_find(run->store, s->source, s->platform, &run->image, err);

	if (r == -ENOENT && s->pull == PULL_NEVER)
		return error_set(err, ENOENT, "No such image: %s", s->source);
	if (r == -ENOENT) {
		r = pull(run, err);
		if (r == 0)
			r = store_find(run->store, s->source, s->platform, &run->image, err);
	}
	run->has_image = r == 0;
	return r;
}

static int open_source(struct run *run, struct error *err)
{
	char path[4096];
	struct stat st;
	int r;

	if (run->settings->source_type != SOURCE_IMAGE) {
		if (!realpath(run->settings->source, path) || stat(path, &st) < 0)
			return error_errno(err, errno, "cannot open %s", run->settings->source);
		if (!S_ISDIR(st.st_mode))
			return error_errno(err, ENOTDIR, "cannot use %s", run->settings->source);
	}
	if (run->settings->source_type == SOURCE_BUNDLE)
		return 0;
	r = store_open(NULL, &run->store, err);
	if (r == 0)
		state_clean_storage(store_root(run->store));
	if (r == 0 && run->settings->source_type == SOURCE_IMAGE)
		r = find_image(run, err);
	return r;
}

/* ---- registration and root file system ---- */

static int register_container(struct run *run, struct error *err)
{
	const struct run_settings *s = run->settings;
	struct state *state = &run->state;
	const char *parent = s->cgroup_parent ? s->cgroup_parent : "/ctrace";

	state->image = xstrdup(s->source);
	if (s->source_type != SOURCE_BUNDLE) {
		state->store_root = xstrdup(store_root(run->store));
		state->storage = xasprintf("%s/containers/%s", state->store_root, state->id);
		state->image_id = xstrdup(run->has_image ? run->image.id : "");
		state->cgroup = xasprintf("%s%s%s%s", *parent == '/' ? "" : "/", parent,
			str_ends(parent, "/") ? "" : "/", state->id);
	}
	return state_register(state, s->name, err);
}

static int make_storage(struct run *run, struct error *err)
{
	static const char *const names[] = { "", "/upper", "/work", "/root" };
	_cleanup_free_ char *containers = xasprintf("%s/containers", run->state.store_root);
	int r;

	if (mkdir(containers, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "cannot make directory %s", containers);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("%s%s", run->state.storage, names[i]);

		/* upper becomes the container's "/", which everyone in it may pass */
		if (mkdir(path, i ? 0755 : 0700) < 0)
			return error_errno(err, errno, "cannot make directory %s", path);
	}
	r = state_mark_storage(run->state.storage);
	return r < 0 ? error_errno(err, -r, "cannot write to %s", run->state.storage) : 0;
}

/* --rootfs is a lower layer, too: many containers can use it at once, and none changes it. */
static int mount_root(struct run *run, struct error *err)
{
	_cleanup_free_ char *upper = xasprintf("%s/upper", run->state.storage);
	_cleanup_free_ char *work = xasprintf("%s/work", run->state.storage);
	_cleanup_free_ char *root = xasprintf("%s/root", run->state.storage);
	char directory[4096], *single[] = { directory, NULL };
	struct overlay o = { .upper = upper, .work = work, .target = root, .is_volatile = true };

	if (!run->has_image) {
		if (!realpath(run->settings->source, directory))
			return error_errno(err, errno, "cannot open %s", run->settings->source);
		o.layers = single;
		o.layer_count = 1;
	} else {
		o.layers = run->image.layers;
		o.layer_count = run->image.layer_count;
	}
	if (o.layer_count == 0)
		return error_set(err, EINVAL, "image %s has no layers", run->settings->source);
	return overlay_mount(&o, err);
}

static int prepare_root(struct run *run, struct error *err)
{
	int r = 0;

	if (run->has_image)
		r = store_hold(run->store, run->image.id, run->state.id, err);
	if (r == 0)
		r = make_storage(run, err);
	return r == 0 ? mount_root(run, err) : r;
}

/* ---- network ---- */

static void choose_hostname(struct run *run)
{
	const char *given = run->settings->hostname;

	if (run->settings->network == NETWORK_HOST)
		gethostname(run->hostname, sizeof(run->hostname) - 1);
	else
		snprintf(run->hostname, sizeof(run->hostname), given ? "%s" : "%.12s",
			given ? given : run->state.id);
}

static int prepare_network(struct run *run, struct error *err)
{
	char text[INET_ADDRSTRLEN];
	int r;

	choose_hostname(run);
	if (run->settings->network != NETWORK_BRIDGE)
		return 0;
	r = network_open_bridge(&run->bridge, err);
	if (r < 0)
		return r;
	warn(run, run->bridge.warning);
	r = address_pool_take(state_run_directory(), run->bridge.network, run->bridge.prefix,
		run->state.id, &run->address, err);
	if (r < 0)
		return r;
	run->state.address = xstrdup(network_format(run->address, text));
	return state_save(&run->state, err);
}

/* The runtime's callback: the namespaces exist, init waits. */
static int configure_network(const struct runtime_created *created, void *data, struct error *err)
{
	struct run *run = data;

	switch (run->settings->network) {
	case NETWORK_HOST:
		return 0;
	case NETWORK_NONE:
		return network_setup_loopback(created->netns, err);
	default:
		return network_setup_bridge(&run->bridge, created->netns, run->state.id, run->address,
			err);
	}
}

/* ---- the bundle ---- */

static void warn_capabilities(struct run *run, uint64_t held)
{
	uint64_t missing = capability_wanted(run->settings) & ~held;
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	if (!missing)
		return;
	strbuf_puts(&text, "the container lacks what ctrace itself does not have:");
	for (int i = 0; i < CAPABILITY_COUNT; i++) {
		if (missing & (1ULL << i))
			strbuf_printf(&text, " %s", capability_name(i));
	}
	warn(run, text.text);
}

static int make_volume_sources(const struct run_settings *s, struct error *err)
{
	for (size_t i = 0; i < s->volume_count; i++) {
		const char *source = s->volumes[i].source;
		_cleanup_free_ char *copy = xstrdup(source);

		if (access(source, F_OK) == 0)
			continue;
		for (char *p = strchr(copy + 1, '/');; p = strchr(p + 1, '/')) {
			if (p)
				*p = '\0';
			if (mkdir(copy, 0755) < 0 && errno != EEXIST)
				return error_errno(err, errno, "error while creating mount source path '%s'",
					source);
			if (!p)
				break;
			*p = '/';
		}
	}
	return 0;
}

static int write_config(struct run *run, const struct user_identity *user, const char *root,
	struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/config.json", run->state.directory);
	char init[4096];
	struct spec_input in = {
		.settings = run->settings,
		.image = run->has_image ? &run->image.config : NULL,
		.user = user,
		.id = run->state.id,
		.hostname = run->hostname,
		.rootfs = root,
		.directory = run->state.directory,
		.held = capability_held(),
		.cgroup2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0,
	};
	json_object *config;
	int r = 0;

	warn_capabilities(run, in.held);
	if (run->settings->init) {
		r = init_program_find(init, sizeof(init), err);
		in.init = init;
	}
	if (r == 0)
		r = spec_build(&in, &config, err);
	if (r < 0)
		return r;
	if (json_object_to_file_ext(path, config, JSON_C_TO_STRING_PLAIN) < 0)
		r = error_errno(err, errno, "cannot write %s", path);
	json_object_put(config);
	return r;
}

static int make_bundle(struct run *run, struct error *err)
{
	const struct run_settings *s = run->settings;
	const struct store_config *image = run->has_image ? &run->image.config : NULL;
	_cleanup_free_ char *root = xasprintf("%s/root", run->state.storage);
	_cleanup_close_ int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(user_free) struct user_identity user = { 0 };
	int r;

	if (fd < 0)
		return error_errno(err, errno, "cannot open %s", root);
	r = user_resolve(fd, spec_user(s, image), &s->groups, &user, err);
	if (r == 0)
		r = rooted_make_directory(fd, spec_workdir(s, image), err);
	if (r == 0)
		r = make_volume_sources(s, err);
	if (r == 0)
		r = prepare_network(run, err);
	if (r == 0)
		r = etc_files_write(run->state.directory, run->hostname, run->state.address, s->network,
			err);
	return r == 0 ? write_config(run, &user, root, err) : r;
}

static int prepare_bundle(struct run *run, struct error *err)
{
	int r = register_container(run, err);

	if (r < 0 || run->settings->source_type == SOURCE_BUNDLE)
		return r;
	r = prepare_root(run, err);
	return r == 0 ? make_bundle(run, err) : r;
}

/* ---- the container ---- */

static int create_and_start(struct run *run, struct error *err)
{
	bool bundle = run->settings->source_type == SOURCE_BUNDLE;
	_cleanup_close_ int null = run->settings->interactive ? dup(STDIN_FILENO)
							      : open("/dev/null", O_RDONLY);
	const int stdio[] = { null, STDOUT_FILENO, STDERR_FILENO };
	struct runtime_options options = {
		.id = run->state.id,
		.bundle = bundle ? run->settings->source : run->state.directory,
		.root = run->oci_root,
		.stdio = stdio,
		.created = bundle ? NULL : configure_network,
		.data = run,
	};
	int r;

	if (null >= 0)
		fcntl(null, F_SETFD, FD_CLOEXEC);
	r = runtime_create(&options, &run->container, err);
	if (r < 0) {
		run->code = runtime_exit_code();
		return r;
	}
	run->console = runtime_console(run->container);
	if (run->console >= 0)
		supervise_resize(run->console);
	r = runtime_start(run->container, err);
	if (r < 0)
		run->code = runtime_exit_code();
	return r;
}

/* The container goes on under a child of ours, so that the shell gets its prompt back. Returns in
 * both: 1 in the process that has only to exit, 0 in the one that supervises from now on. */
static int detach(struct run *run, struct supervision *s)
{
	int ready[2], null;
	pid_t pid;
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return -errno;
	if (pid > 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) < 0)
			return -errno;
		return 1;
	}
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	state_save(&run->state, NULL);
	close(ready[0]);
	close(ready[1]);
	supervise_detached(s);
	return 0;
}

static int supervise_container(struct run *run, bool *ret_leave, struct error *err)
{
	struct supervision s = { run->container, &run->signals, run->console,
		run->settings->interactive };
	int status, r = supervise(&s, &status, err);

	if (r == 1) {
		run->code = 0;
		*ret_leave = detach(run, &s) == 1;
		return 0;
	}
	if (r == 0)
		run->code = runtime_status_code(status);
	return r;
}

/* ---- from start to end ---- */

static void start_tracer(struct run *run)
{
	struct error err = { 0 };

	/* no picture does not mean no file */
	if (run->settings->trace == TRACE_NONE && !run->settings->json && !run->settings->record)
		return;
	if (!run->request->tracer)
		warn(run, "program ctrace-trace is missing beside ctrace: the run is not traced");
	else if (tracer_start(run->request->tracer, run->state.id, run->settings, &run->tracer, &err) < 0)
		warn(run, err.text);
}

static void await_tracer(struct run *run)
{
	struct error err = { 0 };

	if (tracer_wait_ready(&run->tracer, &err) < 0) {
		error_prefix(&err, "the run is not traced");
		warn(run, err.text);
	}
}

static int make(struct run *run, struct error *err)
{
	int r;

	state_clean_leftovers();
	r = open_source(run, err);
	await_tracer(run);
	if (r == 0 && is_interrupted(run))
		r = error_set(err, EINTR, "interrupted");
	if (r == 0)
		r = prepare_bundle(run, err);
	if (r == 0 && is_interrupted(run))
		r = error_set(err, EINTR, "interrupted");
	return r == 0 ? create_and_start(run, err) : r;
}

/* In the order in which things depend on each other: processes and cgroups, mounts, files. What fails
 * here is a warning: the program's exit code is what counts. */
static void tear_down(struct run *run)
{
	struct error err = { 0 };

	if (run->container && runtime_delete(run->container, true, &err) < 0)
		warn(run, err.text);
	if (state_remove(&run->state, &err) < 0)
		warn(run, err.text);
	tracer_finish(&run->tracer);
}

static void release(struct run *run)
{
	runtime_close(run->container);
	cleanup_close(&run->console);
	if (run->has_image)
		store_image_free(&run->image);
	store_close(run->store);
	signals_close(&run->signals);
	state_free(&run->state);
	free(run->oci_root);
}

int run_container(const struct run_request *request, int *ret_code, struct error *err)
{
	struct run run = { .request = request, .settings = request->settings, .console = -1,
		.tracer = { .ready = -1, .done = -1 }, .code = CODE_FAILED };
	bool leave = false;
	int r;

	*ret_code = CODE_FAILED;
	if (geteuid() != 0)
		return error_set(err, EPERM, "ctrace run needs root: try sudo ctrace run");
	run.oci_root = xasprintf("%s/oci", state_run_directory());
	r = state_new_id(run.state.id, err);
	if (r == 0)
		r = signals_open(&run.signals, err);
	if (r < 0)
		return r;
	start_tracer(&run);
	r = make(&run, err);
	if (r == 0)
		r = supervise_container(&run, &leave, err);
	if (!leave)
		tear_down(&run);
	*ret_code = run.signal ? CODE_SIGNAL + run.signal : run.code;
	release(&run);
	return r;
}
