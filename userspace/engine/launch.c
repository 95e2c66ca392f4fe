/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/launch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/address_pool.h"
#include "engine/etc_files.h"
#include "engine/joins.h"
#include "engine/leftovers.h"
#include "engine/option_words.h"
#include "engine/registry.h"
#include "engine/root_mount.h"
#include "engine/shared_memory.h"
#include "engine/terminal.h"
#include "util/array.h"
#include "util/cleanup.h"

void launch_init(struct launch *l, void (*warn)(const char *text))
{
	*l = (struct launch){ .warn = warn, .console = -1, .output = { -1, -1 }, .input = -1,
		.log = { .fd = -1 }, .exit_code = 125 };
	l->oci_root = xasprintf("%s/oci", registry_directory());
}

static void close_streams(struct launch *l)
{
	int *fds[] = { &l->console, &l->output[0], &l->output[1], &l->input };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		cleanup_close(fds[i]);
		*fds[i] = -1;
	}
}

void launch_free(struct launch *l)
{
	runtime_close(l->container);
	close_streams(l);
	container_log_close(&l->log);
	port_sockets_close(&l->sockets);
	state_free(&l->state);
	free(l->oci_root);
}

/* ---- network ---- */

static void warn(const struct launch *l, const char *text)
{
	if (l->warn && *text)
		l->warn(text);
}

static bool on_bridge(const struct launch *l)
{
	return l->state.network && !strcmp(l->state.network, "bridge");
}

int launch_prepare_network(struct launch *l, struct error *err)
{
	char text[INET_ADDRSTRLEN], mac[NETWORK_MAC_TEXT];
	int r;

	if (!on_bridge(l))
		return 0;
	r = network_open_bridge(&l->bridge, err);
	if (r < 0)
		return r;
	warn(l, l->bridge.warning);
	r = address_pool_take(registry_directory(), l->bridge.network, l->bridge.prefix, l->state.id,
		&l->address, err);
	if (r < 0)
		return r;
	free(l->state.address);
	l->state.address = xstrdup(network_format(l->address, text));
	free(l->state.mac_address);
	l->state.mac_address = xstrdup(network_format_mac(l->address, mac));
	free(l->state.gateway);
	l->state.gateway = xstrdup(network_format(l->bridge.gateway, text));
	l->state.prefix = l->bridge.prefix;
	r = state_save(&l->state, err);
	if (r == 0)
		r = ports_publish(&l->bridge, l->state.id, l->state.name, l->state.address,
			&l->state.ports, &l->sockets, &l->state.published, err);
	return r;
}

/* The runtime's callback: the namespaces exist, init waits. */
static int configure_network(const struct runtime_created *created, void *data, struct error *err)
{
	struct launch *l = data;

	if (on_bridge(l)) {
		int r = network_setup_bridge(&l->bridge, created->netns, l->state.id, l->address, err);

		return r == 0 && l->state.published.count ? network_allow_hairpin(l->state.id, err) : r;
	}
	return !strcmp(l->state.network, "none") ? network_setup_loopback(created->netns, err) : 0;
}

/* ---- what it reads and prints ---- */

struct ends {
	int fds[3]; /* the container's 0, 1, 2 */
};

static void close_ends(struct ends *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(e->fds); i++)
		cleanup_close(&e->fds[i]);
}

static int make_pipe(int *ret_read, int *ret_write, struct error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

/* Our own output for the program's. A program of another user could not open a terminal or a file of ours as /dev/stdout; a pipe
 * the runtime gives to it. */
static bool lends_output(const struct launch *l)
{
	return l->direct && !l->state.keeps_log && (!l->state.user || output_is_piped());
}

static int open_streams(struct launch *l, struct ends *e, struct error *err)
{
	bool own_input = l->direct || !l->state.interactive;
	int r = 0;

	if (own_input)
		e->fds[0] = l->state.interactive ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
						 : open("/dev/null", O_RDONLY | O_CLOEXEC);
	else if (!l->state.terminal)
		r = make_pipe(&e->fds[0], &l->input, err);
	if (l->state.terminal || r < 0)
		return r;
	if (lends_output(l)) {
		e->fds[1] = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		e->fds[2] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
		return 0;
	}
	r = make_pipe(&l->output[0], &e->fds[1], err);
	return r == 0 ? make_pipe(&l->output[1], &e->fds[2], err) : r;
}

/* ---- the container ---- */

static int create(struct launch *l, struct ends *ends, struct error *err)
{
	bool bundle = state_has(l->state.bundle);
	struct runtime_options options = {
		.id = l->state.id,
		.bundle = bundle ? l->state.bundle : l->state.directory,
		.root = l->oci_root,
		.stdio = ends->fds,
		.created = bundle ? NULL : configure_network,
		.data = l,
	};
	int r = runtime_create(&options, &l->container, err);

	if (r < 0)
		l->exit_code = runtime_exit_code();
	if (r < 0 && !bundle && err)
		option_words(&l->state, err);
	return r;
}

int launch_start(struct launch *l, struct error *err)
{
	_cleanup_(close_ends) struct ends ends = { { -1, -1, -1 } };
	struct state *s = &l->state;
	int r = container_log_open(s, &l->log, err);

	if (r == 0)
		r = open_streams(l, &ends, err);
	if (r == 0)
		r = create(l, &ends, err);
	if (r < 0)
		return r;
	l->console = runtime_console(l->container);
	if (l->console >= 0) /* before the program looks */
		terminal_copy_size(l->console);
	r = runtime_start(l->container, err);
	if (r < 0) {
		l->exit_code = runtime_exit_code();
		return r;
	}
	s->status = STATE_RUNNING;
	s->pid = runtime_pid(l->container);
	s->started_ns = state_now();
	s->exit_code = 0;
	s->oom_killed = false;
	return state_save(s, err);
}

/* Its own address is another now, or that of the container whose network it joins. */
static int rewrite_hosts(struct launch *l, struct error *err)
{
	_cleanup_(state_free) struct state joined = { 0 };
	struct in_addr gateway = { htonl(l->bridge.gateway) };
	char text[INET_ADDRSTRLEN];
	struct etc_files files = { .directory = l->state.directory, .hostname = l->state.hostname,
		.address = l->state.address, .gateway = inet_ntop(AF_INET, &gateway, text, sizeof(text)),
		.hosts = &l->state.hosts };
	int r = joins_network(&l->state, true, &joined, err);

	if (r == 0 && joined.id[0]) {
		files.joined = joined.directory;
		return etc_files_write(&files, err);
	}
	return r == 0 && on_bridge(l) ? etc_files_write_hosts(&files, err) : r;
}

/* The other containers may have been started again, too. */
static int rewrite_joins(struct launch *l, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/config.json", l->state.directory);
	json_object *config;
	int r;

	if (!joins_any(&l->state))
		return 0;
	config = json_object_from_file(path);
	if (!config)
		return error_set(err, EBADMSG, "cannot read %s", path);
	r = joins_apply(&l->state, config, err);
	if (r == 0 && json_object_to_file_ext(path, config, JSON_C_TO_STRING_PLAIN) < 0)
		r = error_errno(err, errno, "cannot write %s", path);
	json_object_put(config);
	return r;
}

int launch_again(struct launch *l, struct error *err)
{
	int r = 0;

	if (!state_has(l->state.bundle)) {
		r = root_mount(&l->state, NULL, err);
		if (r == 0)
			r = shared_memory_mount(&l->state, err);
		if (r == 0)
			r = launch_prepare_network(l, err);
		if (r == 0)
			r = rewrite_hosts(l, err);
		if (r == 0)
			r = rewrite_joins(l, err);
	}
	return r == 0 ? launch_start(l, err) : r;
}

int launch_stop(struct launch *l, struct error *err)
{
	int r = 0, stopped;

	if (l->container)
		r = runtime_delete(l->container, true, err);
	if (l->container && l->warn && runtime_warning(l->container))
		l->warn(runtime_warning(l->container));
	runtime_close(l->container);
	l->container = NULL;
	close_streams(l);
	container_log_close(&l->log);
	stopped = registry_stop(&l->state, r < 0 ? NULL : err);
	port_sockets_close(&l->sockets);
	free(l->state.address);
	l->state.address = NULL;
	string_list_free(&l->state.published);
	l->state.pid = 0;
	return r < 0 ? r : stopped;
}
