/* SPDX-License-Identifier: Apache-2.0 */
/* The creator's side: clone3, the cgroup, the hooks, until the program runs. */
#include "runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/proc_stat.h"

static char *timestamp(void)
{
	struct timespec now;
	struct tm tm;
	char text[64];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return xasprintf("%s.%09ldZ", text, now.tv_nsec);
}

/* Not by memcmp: there is padding. */
static bool same_device(const struct cgroup_device *a, const struct cgroup_device *b)
{
	return a->allow == b->allow && a->type == b->type && a->major == b->major && a->minor == b->minor &&
	       !strncmp(a->access, b->access, sizeof(a->access));
}

/* The devices that every container has (config-linux.md "Default Devices") must be usable, and nodes be
 * makeable, whatever the rules before say. Without rules there is nothing to add to. */
static void allow_default_devices(struct cgroup_resources *r)
{
	static const struct cgroup_device defaults[] = {
		{ true, 'c', -1, -1, "m" }, { true, 'b', -1, -1, "m" }, { true, 'c', 1, 3, "rwm" },
		{ true, 'c', 1, 5, "rwm" }, { true, 'c', 1, 7, "rwm" }, { true, 'c', 1, 8, "rwm" },
		{ true, 'c', 1, 9, "rwm" }, { true, 'c', 5, 0, "rwm" }, { true, 'c', 5, 2, "rwm" },
		{ true, 'c', 136, -1, "rwm" },
	};

	for (size_t i = 0; r->device_count && i < ARRAY_SIZE(defaults); i++) {
		bool known = false;

		for (size_t j = 0; j < r->device_count; j++)
			known |= same_device(&r->devices[j], &defaults[i]);
		if (known)
			continue;
		array_grow(r->devices, r->device_count, r->device_capacity);
		r->devices[r->device_count++] = defaults[i];
	}
}

static int absolute(const char *path, char **ret, struct error *err)
{
	char resolved[PATH_MAX];

	if (!realpath(path, resolved))
		return error_errno(err, errno, "cannot find %s", path);
	*ret = xstrdup(resolved);
	return 0;
}

static int prepare_paths(struct container *c, const char *bundle, const char *name, struct error *err)
{
	_cleanup_close_ int dir = -1;
	_cleanup_free_ char *root = NULL;
	int r = absolute(bundle, &c->bundle, err);

	if (r < 0)
		return error_prefix(err, "bundle");
	dir = open(c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, errno, "cannot open bundle %s", c->bundle);
	r = config_read(dir, name, &c->config, err);
	if (r < 0)
		return error_prefix(err, "%s/%s", c->bundle, name);
	root = c->config->root[0] == '/' ? xstrdup(c->config->root)
					 : xasprintf("%s/%s", c->bundle, c->config->root);
	r = absolute(root, &c->rootfs, err);
	return r < 0 ? error_prefix(err, "root.path") : 0;
}

/* The document as it was at create, for start, exec and delete: the bundle may change meanwhile. */
static int keep_config(struct container *c, struct error *err)
{
	_cleanup_close_ int fd =
		openat(c->dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const char *text = json_object_to_json_string_ext(c->config->json,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return error_errno(err, errno, "cannot keep config.json in the state directory");
	return 0;
}

static int check_preserved(unsigned count, struct error *err)
{
	for (unsigned i = 3; i < 3 + count; i++) {
		if (fcntl((int)i, F_GETFD) < 0)
			return error_set(err, EBADF, "preserve-fds: descriptor %u is not open", i);
	}
	return 0;
}

/* clone3 puts a child into a pid namespace only through its parent's setns, so we go there and back. */
static int join_pid_namespace(const struct config *c, int *ret_own, struct error *err)
{
	const struct namespace_plan *n = config_namespace(c, CLONE_NEWPID);
	_cleanup_close_ int fd = -1;

	*ret_own = -1;
	if (!n || !n->path)
		return 0;
	fd = open(n->path, O_RDONLY | O_CLOEXEC);
	*ret_own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || *ret_own < 0 || setns(fd, CLONE_NEWPID) < 0)
		return error_errno(err, errno, "linux.namespaces[%zu].path: cannot join pid namespace %s",
			(size_t)(n - c->namespaces), n->path);
	return 0;
}

static pid_t clone_init(struct init *init, int *ret_pidfd)
{
	struct container *c = init->container;
	struct clone_args args = { .exit_signal = SIGCHLD, .pidfd = (__u64)(uintptr_t)ret_pidfd };
	int v2 = cgroup_v2_fd(c->cgroup);
	long pid;

	args.flags = (__u64)(config_new_namespaces(c->config) & ~(CLONE_NEWCGROUP | CLONE_NEWTIME)) | CLONE_PIDFD;
	init->v2_entered = v2 >= 0;
	if (v2 >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = v2;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && v2 >= 0 && errno != EAGAIN && errno != ENOMEM) {
		/* before 5.7, or a v2 group that does not take us: init tries it by itself and says why */
		args.flags &= ~(__u64)CLONE_INTO_CGROUP;
		args.cgroup = 0;
		init->v2_entered = false;
		pid = syscall(SYS_clone3, &args, sizeof(args));
	}
	return pid < 0 ? -errno : (pid_t)pid;
}

static int tell_created(struct container *c, const struct runtime_options *o, struct error *err)
{
	static const char *const kinds[] = { "prestart", "createRuntime" };
	_cleanup_free_ char *state = state_document(c, RUNTIME_CREATING);
	struct runtime_created created = { .pid = c->pid, .pidfd = c->pidfd, .state = state };
	int r = 0;

	if (o->created) {
		char path[64];
		_cleanup_close_ int netns = -1;

		snprintf(path, sizeof(path), "/proc/%d/ns/net", c->pid);
		created.netns = netns = open(path, O_RDONLY | O_CLOEXEC);
		if (netns < 0)
			return error_errno(err, errno, "cannot open %s", path);
		r = o->created(&created, o->data, err);
	}
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(kinds); i++)
		r = hooks_run(c->config->hooks, kinds[i], state, err);
	return r < 0 ? r : 0;
}

static int on_namespaces(struct container *c, const struct runtime_options *o, struct error *err)
{
	int r = 0;

	if (config_new_namespaces(c->config) & CLONE_NEWUSER)
		r = idmap_write_both(c->pid, &c->config->uids, &c->config->gids, "linux", err);
	if (r == 0)
		r = tell_created(c, o, err);
	if (r == 0 && message_send(c->sync, MESSAGE_GO, c->pid, -1) < 0)
		r = error_errno(err, errno, "init is gone");
	return r;
}

static bool was_oom_killed(const struct container *c, int status)
{
	struct cgroup_stats stats;

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || c->config->resources.memory_limit <= 0 || !c->cgroup)
		return false;
	cgroup_read_stats(c->cgroup, &stats);
	return stats.oom_kills > 0;
}

/* Its end of the socket is closed some time before it can be waited for: do_exit() in kernel/exit.c. */
static bool wait_for_end(const struct container *c, int *status)
{
	enum { WAIT_MS = 5000 };
	struct pollfd fd = { .fd = c->pidfd, .events = POLLIN };

	return poll(&fd, 1, WAIT_MS) == 1 && waitpid(c->pid, status, WNOHANG) == c->pid;
}

static int init_is_gone(struct container *c, struct error *err)
{
	int status = 0;

	if (wait_for_end(c, &status)) {
		c->reaped = true;
		c->status = status;
		if (was_oom_killed(c, status))
			return error_set(err, ECHILD, "linux.resources.memory.limit: %" PRId64 " is too low to start a "
				"container: its init was killed when it had used that up",
				c->config->resources.memory_limit);
		if (WIFSIGNALED(status))
			return error_set(err, ECHILD, "the container's init was killed by signal %d "
				"before its program ran%s", WTERMSIG(status),
				WTERMSIG(status) == SIGKILL ? " (a memory limit too low?)" : "");
	}
	return error_set(err, ECHILD, "the container's init ended before its program ran");
}

/* Serves init until it waits for its start. */
static int accompany(struct container *c, const struct runtime_options *o,
	const struct seccomp_program *seccomp, struct error *err)
{
	for (;;) {
		struct message m;
		int fd = -1, r = 0;
		ssize_t n = message_receive(c->sync, &m, &fd);

		if (n <= 0)
			return init_is_gone(c, err);
		switch (m.kind) {
		case MESSAGE_NAMESPACES:
			r = on_namespaces(c, o, err);
			break;
		case MESSAGE_CONSOLE:
			if (o->console_socket) {
				r = console_send(o->console_socket, fd, err);
				close(fd);
			} else {
				c->console = fd;
			}
			break;
		case MESSAGE_SECCOMP:
			if (fd < 0)
				return error_set(err, EPROTO, "a seccomp listener is missing");
			r = notify_send(c, c->pid, seccomp, fd, err);
			close(fd);
			break;
		case MESSAGE_READY:
			return 0;
		case MESSAGE_ERROR:
			runtime_last_exit_code = m.exit_code;
			return error_set(err, m.code, "%s", m.text);
		default:
			return error_set(err, EPROTO, "unexpected message %d from init", m.kind);
		}
		if (r < 0)
			return r;
	}
}

static int write_pid_file(const char *path, pid_t pid, struct error *err)
{
	_cleanup_free_ char *temporary = NULL;
	const char *slash = strrchr(path, '/');
	int fd, r = 0;

	/* readers must never see it empty */
	temporary = xasprintf("%.*s.%s.%d", slash ? (int)(slash - path + 1) : 0, path,
		slash ? slash + 1 : path, getpid());
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_errno(err, errno, "cannot write pid file %s", path);
	if (dprintf(fd, "%d", pid) < 0 || rename(temporary, path) < 0) {
		r = error_errno(err, errno, "cannot write pid file %s", path);
		unlink(temporary);
	}
	close(fd);
	return r;
}

static int make_fifo(struct container *c, struct error *err)
{
	int fd;

	if (mkfifoat(c->dir, "exec.fifo", 0600) < 0)
		return error_errno(err, errno, "cannot make exec.fifo");
	fd = openat(c->dir, "exec.fifo", O_RDWR | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "cannot open exec.fifo") : fd;
}

static bool wants_handshake(const struct container *c, const struct runtime_options *o)
{
	const struct config *f = c->config;

	return o->created || (config_new_namespaces(f) & CLONE_NEWUSER) ||
	       (f->hooks && json_object_object_length(f->hooks) > 0);
}

static int launch(struct container *c, const struct runtime_options *o, struct init *init,
	struct error *err)
{
	int pair[2], own_pidns, r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(err, errno, "cannot make a socket pair");
	c->sync = pair[0];
	init->sync = pair[1];
	r = join_pid_namespace(c->config, &own_pidns, err);
	pid = r < 0 ? r : clone_init(init, &c->pidfd);
	if (pid == 0) {
		close(pair[0]);
		if (own_pidns >= 0)
			close(own_pidns);
		c->sync = -1;
		init_main(init);
	}
	close(pair[1]);
	if (own_pidns >= 0) {
		setns(own_pidns, CLONE_NEWPID);
		close(own_pidns);
	}
	if (r < 0)
		return r;
	if (pid < 0)
		return error_errno(err, -pid, "%scannot make the container's namespaces (clone3)",
			pid == -EAGAIN || pid == -ENOMEM ? "" : "linux.namespaces: ");
	c->pid = pid;
	c->own = true;
	c->start_time = proc_start_ticks(pid, NULL);
	return accompany(c, o, init->seccomp, err);
}

/* init itself waits only where it has hooks to run after that. */
static int open_stub(const struct container *c, const struct runtime_options *o, struct init *init,
	struct error *err)
{
	int errors = 3 + (int)o->preserve_fds;

	init->stub_waits = !hooks_any(c->config->hooks, "startContainer");
	return stub_open(errors, !init->stub_waits ? -1 : init->fifo >= 0 ? errors + 1 : errors, STUB_STAYS,
		err);
}

static int make_cgroup(struct container *c, struct error *err)
{
	int r = cgroup_create(c->cgroup_path, &c->cgroup, err);

	return r < 0 && c->config->cgroups_path ? error_prefix(err, "linux.cgroupsPath") : r;
}

static int create(struct container *c, const struct runtime_options *o, struct error *err)
{
	_cleanup_(seccomp_free) struct seccomp_program seccomp = { 0 };
	_cleanup_close_ int fifo = -1, stub = -1;
	struct init init = { .options = o, .container = c, .process = &c->config->process,
		.seccomp = &seccomp, .stdio = o->stdio, .preserve_fds = o->preserve_fds, .fifo = -1,
		.handshake = wants_handshake(c, o), .keyring = !o->no_new_keyring };
	int *idmapped = NULL, *nodes = NULL, r;

	allow_default_devices(&c->config->resources);
	c->cgroup_path = state_choose_cgroup(c->config, c->id);
	c->created = timestamp();
	r = state_write(c, err);
	if (r == 0)
		r = keep_config(c, err);
	if (r == 0 && o->notify_socket)
		r = ready_prepare(c, o->notify_socket, err);
	if (r == 0)
		r = make_cgroup(c, err);
	/* one that was there before: init would stand still in it for good. It is another's: undo must not see it */
	if (r == 0 && cgroup_is_frozen(c->cgroup)) {
		cgroup_remove_made(c->cgroup);
		cgroup_close(c->cgroup);
		c->cgroup = NULL;
		r = error_set(err, EBUSY, "container's cgroup unexpectedly frozen: %s", c->cgroup_path);
	}
	if (r == 0)
		c->others = cgroup_others(c->cgroup);
	if (r == 0)
		r = cgroup_apply(c->cgroup, &c->config->resources, err);
	if (r == 0)
		r = seccomp_prepare(c->config->seccomp, &seccomp, err);
	if (r == 0 && o->detached)
		r = init.fifo = fifo = make_fifo(c, err);
	if (r >= 0)
		r = init.stub = stub = open_stub(c, o, &init, err);
	if (r >= 0)
		r = idmap_open_sources(c->config, c->bundle, &idmapped, err);
	if (r >= 0)
		r = device_open_nodes(c->config, &nodes, err);
	init.idmapped = idmapped;
	init.nodes = nodes;
	if (r >= 0)
		r = launch(c, o, &init, err);
	idmap_close_sources(c->config, idmapped);
	device_close_nodes(c->config, nodes);
	if (r >= 0)
		r = state_write(c, err);
	if (r >= 0 && o->pid_file)
		r = write_pid_file(o->pid_file, c->pid, err);
	return r;
}

int runtime_create(const struct runtime_options *o, struct container **ret, struct error *err)
{
	_cleanup_(runtime_close_ptr) struct container *c = xcalloc(1, sizeof(*c));
	const struct namespace_plan *pid;
	int r = state_check_id(o->id, err);

	c->dir = c->pidfd = c->sync = c->console = c->ready = -1;
	runtime_last_exit_code = 125;
	if (r == 0)
		r = check_preserved(o->preserve_fds, err);
	if (r == 0)
		r = prepare_paths(c, o->bundle, o->config ? o->config : "config.json", err);
	if (r < 0)
		return r;
	if (o->console_socket && !c->config->process.terminal)
		return error_set(err, EINVAL, "a console socket is given and process.terminal is not set");
	if (c->config->process.terminal && o->detached && !o->console_socket)
		return doc_error(&(struct doc){ .key = "process" }, "terminal", err, "it needs a console socket where "
			"nobody waits for the container");
	/* in a pid namespace that others are in they see init as long as it is the runtime */
	pid = config_namespace(c->config, CLONE_NEWPID);
	if (pid && pid->path && o->may_reexec) {
		r = runtime_seal(err);
		if (r < 0)
			return r;
	}
	c->root = xstrdup(o->root ? o->root : RUNTIME_ROOT);
	c->id = xstrdup(o->id);
	c->detached = o->detached;
	c->dir = state_make_directory(c->root, c->id, err);
	if (c->dir < 0)
		return c->dir;
	r = create(c, o, err);
	if (r < 0) {
		container_undo(c, err);
		return r;
	}
	*ret = steal_ptr(c);
	return 0;
}

static int start_fifo(struct container *c, struct error *err)
{
	_cleanup_close_ int fd = openat(c->dir, "exec.fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	/* whoever removes the fifo is the one that starts the container */
	if (fd < 0 || unlinkat(c->dir, "exec.fifo", 0) < 0)
		return error_set(err, EINVAL, "container %s is not waiting for its start", c->id);
	if (write(fd, "0", 1) != 1)
		return error_errno(err, errno, "cannot start container %s", c->id);
	return 0;
}

/* The packet that says how it went: none when the program runs. */
static int start_direct(struct container *c, struct error *err)
{
	struct message m;
	ssize_t n;

	if (message_send(c->sync, MESSAGE_START, 0, -1) < 0)
		return init_is_gone(c, err);
	n = message_receive(c->sync, &m, NULL);
	close(steal_fd(&c->sync));
	if (n == 0)
		return 0;
	if (n == sizeof(int)) { /* the stub's errno */
		const char *name = c->config->process.args[0];
		int code = m.kind;

		runtime_last_exit_code = code == ENOENT ? 127 : 126;
		return error_set(err, code, "exec: \"%s\": %s%s", name,
			code == ENOENT ? "no such file or directory" : strerror(code),
			code == ENOENT ? " (its interpreter or loader is missing)" : "");
	}
	runtime_last_exit_code = m.exit_code ? m.exit_code : 125;
	return error_set(err, m.code, "%s", m.text);
}

int runtime_start(struct container *c, struct error *err)
{
	_cleanup_free_ char *state = NULL;
	enum runtime_status status = runtime_status(c);
	int r;

	runtime_last_exit_code = 125;
	r = state_need_config(c, err);
	if (r < 0)
		return r;
	if (status != RUNTIME_CREATED)
		return error_set(err, EINVAL, "cannot start container %s: it is %s", c->id,
			runtime_status_name(status));
	r = ready_listen(c, err);
	if (r == 0)
		r = c->own && !c->detached ? start_direct(c, err) : start_fifo(c, err);
	if (r < 0) {
		if (c->own)
			container_undo(c, err);
		return r;
	}
	if (!hooks_any(c->config->hooks, "poststart"))
		return 0;
	state = state_document(c, RUNTIME_RUNNING);
	r = hooks_run(c->config->hooks, "poststart", state, err);
	if (r < 0) { /* runtime.md, lifecycle step 10: stopped and deleted */
		container_signal(c, SIGKILL);
		container_undo(c, err);
	}
	return r;
}
