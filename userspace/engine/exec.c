/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/capability.h"
#include "engine/control.h"
#include "engine/detach_keys.h"
#include "engine/exec_output.h"
#include "engine/signals.h"
#include "engine/terminal.h"
#include "engine/user.h"
#include "runtime/runtime.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { BUFFER = 16384 };

/* ---- the process document ---- */

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

static void put_variable(json_object *env, const char *variable, bool replace)
{
	size_t count = json_object_array_length(env), length = name_length(variable);

	for (size_t i = 0; i < count; i++) {
		const char *old = json_object_get_string(json_object_array_get_idx(env, i));

		if (name_length(old) != length || memcmp(old, variable, length) != 0)
			continue;
		if (replace)
			json_object_array_put_idx(env, i, json_object_new_string(variable));
		return;
	}
	json_object_array_add(env, json_object_new_string(variable));
}

/* Who is not root keeps the bounding set only; --privileged gives all that ctrace itself holds. */
static void set_capabilities(json_object *process, bool privileged, uid_t uid)
{
	json_object *capabilities = json_object_object_get(process, "capabilities");
	static const char *const effective[] = { "effective", "permitted" };

	if (!capabilities)
		return;
	if (privileged)
		json_object_object_add(capabilities, "bounding", capability_list(capability_held()));
	for (size_t i = 0; i < ARRAY_SIZE(effective); i++) {
		json_object *bounding = json_object_object_get(capabilities, "bounding");

		json_object_object_add(capabilities, effective[i],
			uid == 0 ? json_object_get(bounding) : json_object_new_array());
	}
}

/* Names are looked up in the container's own files, as it sees them now. */
static int set_user(json_object *process, pid_t pid, const struct exec_request *request, uid_t *ret_uid,
	struct error *err)
{
	static const struct string_list none;
	_cleanup_(user_free) struct user_identity user = { 0 };
	_cleanup_free_ char *path = xasprintf("/proc/%d/root", (int)pid);
	_cleanup_close_ int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *home = NULL;
	json_object *o, *groups;
	int r;

	if (root < 0)
		return error_errno(err, errno, "cannot open %s", path);
	r = user_resolve(root, request->user, &none, &user, err);
	if (r < 0)
		return r;
	o = json_object_new_object();
	groups = json_object_new_array();
	json_object_object_add(o, "uid", json_object_new_int64(user.uid));
	json_object_object_add(o, "gid", json_object_new_int64(user.gid));
	/* the primary group, too, as the container's own program has it (CVE-2022-36109) */
	json_object_array_add(groups, json_object_new_int64(user.gid));
	for (size_t i = 0; i < user.group_count; i++) {
		if (user.groups[i] != user.gid)
			json_object_array_add(groups, json_object_new_int64(user.groups[i]));
	}
	json_object_object_add(o, "additionalGids", groups);
	json_object_object_add(process, "user", o);
	home = xasprintf("HOME=%s", user.home);
	put_variable(json_object_object_get(process, "env"), home, true);
	*ret_uid = user.uid;
	return 0;
}

static int make_process(struct container *c, const struct exec_request *request, json_object **ret, uid_t *ret_uid,
	struct error *err)
{
	_cleanup_free_ char *text = NULL;
	json_object *process, *env;
	uid_t uid;
	int r = 0;

	if (request->workdir && request->workdir[0] != '/')
		return error_set(err, EINVAL, "the working directory '%s' is invalid, it needs to be an "
			"absolute path", request->workdir);
	text = runtime_exec_process(c, request->argv, NULL, request->workdir, request->terminal, err);
	if (!text)
		return -EINVAL;
	process = json_tokener_parse(text);
	env = json_object_object_get(process, "env");
	if (!env) {
		env = json_object_new_array();
		json_object_object_add(process, "env", env);
	}
	uid = (uid_t)json_object_get_int64(
		json_object_object_get(json_object_object_get(process, "user"), "uid"));
	if (request->user)
		r = set_user(process, runtime_pid(c), request, &uid, err);
	if (request->terminal)
		put_variable(env, "TERM=xterm", false);
	for (size_t i = 0; i < request->env.count; i++)
		put_variable(env, request->env.items[i], true);
	if (request->user || request->privileged)
		set_capabilities(process, request->privileged, uid);
	if (r < 0)
		json_object_put(process);
	else
		*ret = process;
	*ret_uid = uid;
	return r;
}

/* ---- its terminal ---- */

/* Whoever typed the detach keys leaves, or never came; the program keeps its terminal until it ends. The keeper is of our
 * session until its setsid: where we lead that, our end sends it SIGHUP, which it must outlive. */
static void keep_terminal(int console)
{
	char buffer[BUFFER];
	int null;
	pid_t pid;

	signal(SIGHUP, SIG_IGN);
	pid = fork();
	if (pid < 0)
		fprintf(stderr, "ctrace: nobody keeps the terminal of the program, which ends with it: fork: %s\n",
			strerror(errno));
	if (pid != 0)
		return;
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	fcntl(console, F_SETFL, fcntl(console, F_GETFL) & ~O_NONBLOCK);
	while (read(console, buffer, sizeof(buffer)) > 0)
		;
	_exit(0);
}

static bool copy_out(int console)
{
	char buffer[BUFFER];
	ssize_t n = read(console, buffer, sizeof(buffer));

	if (n > 0)
		terminal_write(STDOUT_FILENO, buffer, (size_t)n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool copy_in(int console, struct detach_keys *keys)
{
	char buffer[BUFFER], out[BUFFER + DETACH_KEYS_MAX];
	ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	terminal_write(console, out, detach_keys_filter(keys, buffer, (size_t)n, out));
	return true;
}

static void take_signals(struct signals *signals, int console)
{
	int number;

	while ((number = signals_next(signals))) {
		if (number == SIGWINCH)
			terminal_copy_size(console);
	}
}

/* Until the program's terminal is closed for good; true: left by the detach keys. */
static bool serve_terminal(int console, bool input, struct detach_keys *keys, struct signals *signals)
{
	struct terminal terminal = { 0 };
	bool open = true;

	terminal_copy_size(console);
	if (input)
		terminal_raw(&terminal);
	while (open && !detach_keys_complete(keys)) {
		struct pollfd fds[] = { { .fd = console, .events = POLLIN },
			{ .fd = input ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = signals->fd, .events = POLLIN } };

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[2].revents)
			take_signals(signals, console);
		if (fds[0].revents)
			open = copy_out(console);
		if (fds[1].revents)
			input = copy_in(console, keys);
	}
	terminal_restore(&terminal);
	return detach_keys_complete(keys);
}

/* ---- the program ---- */

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 125;
	}
	return runtime_status_code(status);
}

static int follow(const struct exec_request *request, pid_t pid, int console, struct exec_output *output, struct detach_keys *keys)
{
	struct signals signals;

	if (request->detach && console >= 0)
		keep_terminal(console);
	if (request->detach)
		return 0;
	if (console < 0) {
		exec_output_relay(output, pid);
		return wait_for(pid);
	}
	if (signals_open(&signals, NULL) == 0) {
		bool left = serve_terminal(console, request->interactive, keys, &signals);

		signals_close(&signals);
		if (left) {
			keep_terminal(console);
			return 0;
		}
	}
	return wait_for(pid);
}

static int run(struct container *c, const struct exec_request *request, struct detach_keys *keys, int *ret_code, struct error *err)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC), console = -1;
	_cleanup_(exec_output_close) struct exec_output output = { { -1, -1 }, { -1, -1 } };
	bool ours = !request->detach && !request->terminal;
	struct runtime_exec_options options = { .ret_console = &console };
	json_object *process = NULL;
	uid_t uid = 0;
	pid_t pid;
	int stdio[3], r = make_process(c, request, &process, &uid, err);

	if (r == 0 && ours)
		r = exec_output_open(&output, uid, err);
	if (r == 0) {
		stdio[0] = request->interactive && !request->detach ? STDIN_FILENO : null;
		stdio[1] = ours ? output.fds[0] : null;
		stdio[2] = ours ? output.fds[1] : null;
		options.stdio = stdio;
		options.process = json_object_to_json_string_ext(process, JSON_C_TO_STRING_PLAIN);
		r = runtime_exec(c, &options, &pid, err);
		if (r < 0 && runtime_exit_code() != 125)
			*ret_code = runtime_exit_code();
	}
	json_object_put(process);
	if (r == 0)
		*ret_code = follow(request, pid, console, &output, keys);
	return r;
}

int exec_in_container(const struct state *s, const struct exec_request *request, int *ret_code,
	struct error *err)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct detach_keys keys;
	int r = detach_keys_parse(request->detach_keys, &keys, err);

	*ret_code = 1; /* docker's, for what the daemon refuses */
	if (r == 0)
		r = control_open(s, &c, err);
	if (r < 0)
		return r;
	if (runtime_status(c) == RUNTIME_PAUSED)
		return error_set(err, EINVAL, "Container %s is paused, unpause the container before exec", s->name);
	*ret_code = 126; /* docker's, for what is asked of a container that runs and cannot be done in it */
	return run(c, request, &keys, ret_code, err);
}
