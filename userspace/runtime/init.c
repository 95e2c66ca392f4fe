/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Init's side of a start: from clone3 to execve (runtime-spec, runtime.md "Lifecycle", steps 2 to 9). It
 * runs in a copy of the creator's memory and reports over a socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

int message_send(int fd, int kind, int code, int passed_fd)
{
	struct message m = { .kind = kind, .code = code };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec v = { .iov_base = &m, .iov_len = offsetof(struct message, text) };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };

	if (passed_fd >= 0) {
		struct cmsghdr *c;

		h.msg_control = control.bytes;
		h.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed_fd, sizeof(int));
	}
	return sendmsg(fd, &h, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

ssize_t message_receive(int fd, struct message *ret, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec v = { .iov_base = ret, .iov_len = sizeof(*ret) };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c;
	ssize_t n;

	memset(ret, 0, sizeof(*ret));
	do
		n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	c = CMSG_FIRSTHDR(&h);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		int passed;

		memcpy(&passed, CMSG_DATA(c), sizeof(passed));
		if (ret_fd)
			*ret_fd = passed;
		else
			close(passed);
	}
	ret->text[sizeof(ret->text) - 1] = '\0';
	return n;
}

void init_fail(struct init *init, const struct error *err)
{
	struct message m = { .kind = MESSAGE_ERROR, .code = err->code, .exit_code = init->exit_code };

	snprintf(m.text, sizeof(m.text), "%s", err->text);
	send(init->sync, &m, sizeof(m), MSG_NOSIGNAL);
	_exit(init->exit_code ? init->exit_code : 125);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++) {
		if (s != SIGKILL && s != SIGSTOP)
			signal(s, SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The three may name each other's places: all are copied out of the way first. */
static int connect_stdio(const int *stdio, struct error *err)
{
	int copies[3];

	for (int i = 0; i < 3; i++) {
		copies[i] = fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
		if (copies[i] < 0)
			return error_errno(err, errno, "cannot pass on descriptor %d", stdio[i]);
	}
	for (int i = 0; i < 3; i++) {
		if (dup2(copies[i], i) < 0)
			return error_errno(err, errno, "cannot connect descriptor %d", i);
		close(copies[i]);
	}
	return 0;
}

int init_begin(struct init *init, struct error *err)
{
	reset_signals();
	/* killed with the creator until the container is complete; nobody reads our memory or opens our
	 * descriptors or binary by /proc meanwhile (CVE-2016-9962) */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	umask(0);
	setsid();
	init->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (init->proc < 0)
		return error_errno(err, errno, "cannot open /proc");
	if (init->stdio && !init->process->terminal)
		return connect_stdio(init->stdio, err);
	return 0;
}

static int join_namespaces(const struct config *c, struct error *err)
{
	for (int user = 0; user < 2; user++) {
		/* the user namespace last: it takes away what the others may need */
		for (size_t i = 0; i < c->namespace_count; i++) {
			const struct namespace_plan *n = &c->namespaces[i];
			_cleanup_close_ int fd = -1;

			if (!n->path || n->flag == CLONE_NEWPID || (n->flag == CLONE_NEWUSER) != user)
				continue;
			fd = open(n->path, O_RDONLY | O_CLOEXEC);
			if (fd < 0 || setns(fd, n->flag) < 0)
				return error_errno(err, errno, "linux.namespaces[%zu].path: cannot join namespace %s", i,
					n->path);
		}
	}
	return 0;
}

static int handshake(struct init *init, struct error *err)
{
	struct message m;

	if (message_send(init->sync, MESSAGE_NAMESPACES, 0, -1) < 0 ||
		message_receive(init->sync, &m, NULL) <= 0 || m.kind != MESSAGE_GO)
		return error_set(err, ECANCELED, "the container's creator is gone");
	init->container->pid = m.code;
	return 0;
}

static int become_root_of_userns(const struct config *c, struct error *err)
{
	if (!config_namespace(c, CLONE_NEWUSER))
		return 0;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_errno(err, errno, "cannot become root of the user namespace (id mappings)");
	setgroups(0, NULL); /* refused where setgroups is denied, and then there is none to drop */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return 0;
}

/* unshare makes one for children only, whose clocks can be set as long as nobody is in it. */
static int enter_time_namespace(const struct init *init, struct error *err)
{
	const char *offsets = init->container->config->time_offsets;
	_cleanup_close_ int fd = -1;

	if (unshare(CLONE_NEWTIME) < 0)
		return error_errno(err, errno, "linux.namespaces: cannot make a time namespace");
	if (offsets && process_write_proc(init->proc, "self/timens_offsets", offsets, err) < 0)
		return error_prefix(err, "linux.timeOffsets");
	fd = openat(init->proc, "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
		return error_errno(err, errno, "linux.namespaces: cannot enter the time namespace");
	return 0;
}

static int enter_namespaces(struct init *init, struct error *err)
{
	const struct config *c = init->container->config;
	int r = cgroup_enter(init->container->cgroup, !init->v2_entered, err);

	if (r == 0)
		r = join_namespaces(c, err);
	/* after the cgroup was entered: it becomes the namespace's root */
	if (r == 0 && config_new_namespaces(c) & CLONE_NEWCGROUP && unshare(CLONE_NEWCGROUP) < 0)
		r = error_errno(err, errno, "linux.namespaces: cannot make a cgroup namespace");
	if (r == 0 && config_new_namespaces(c) & CLONE_NEWTIME)
		r = enter_time_namespace(init, err);
	if (r == 0 && init->handshake)
		r = handshake(init, err);
	if (r == 0)
		r = become_root_of_userns(c, err);
	return r;
}

static void join_keyring(const char *id)
{
	_cleanup_free_ char *name = xasprintf("_ses.%s", id);

	/* a kernel without keyrings, or a filter of our own: the container then has its creator's, which the
	 * default seccomp profile keeps out of reach */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
}

static int set_names(const struct config *c, struct error *err)
{
	if (c->hostname && sethostname(c->hostname, strlen(c->hostname)) < 0)
		return error_errno(err, errno, "hostname: cannot set it to %s", c->hostname);
	if (c->domainname && setdomainname(c->domainname, strlen(c->domainname)) < 0)
		return error_errno(err, errno, "domainname: cannot set it to %s", c->domainname);
	return 0;
}

/* "net.ipv4.ip_forward" is sys/net/ipv4/ip_forward. A name that holds '/' has its dots meant as dots
 * (net/ipv4/conf/eth0.1/...), sysctl(8). */
static int set_sysctls(const struct init *init, struct error *err)
{
	const struct config *c = init->container->config;

	if (!c->sysctl)
		return 0;
	json_object_object_foreach(c->sysctl, key, value) {
		_cleanup_free_ char *path = xasprintf("sys/%s", key);
		bool slashes = strchr(key, '/');
		int r;

		for (char *p = path; *p && !slashes; p++)
			*p = *p == '.' ? '/' : *p;
		r = process_write_proc(init->proc, path, json_object_get_string(value), err);
		if (r < 0)
			return error_prefix(err, "linux.sysctl.%s", key);
	}
	return 0;
}

static int run_hooks(struct init *init, const char *kind, struct error *err)
{
	json_object *hooks = init->container->config->hooks;
	_cleanup_free_ char *state = NULL;

	if (!hooks_any(hooks, kind))
		return 0;
	state = state_document(init->container,
		strcmp(kind, "startContainer") ? RUNTIME_CREATING : RUNTIME_CREATED);
	return hooks_run(hooks, kind, state, err);
}

/* A working directory that is missing is made, as docker does, while the root can be written. */
static int make_working_directory(const struct rootfs *fs, const char *cwd, struct error *err)
{
	_cleanup_close_ int fd = rootfs_open(fs->fd, cwd, O_PATH);

	if (fd == -ENOENT)
		fd = rootfs_open_target(fs->fd, cwd, true, err);
	else if (fd < 0)
		return 0; /* the program's user will see it, and be told */
	return fd < 0 ? error_prefix(err, "process.cwd") : 0;
}

static int build_root(struct init *init, struct error *err)
{
	struct container *c = init->container;
	_cleanup_(rootfs_close) struct rootfs fs = { .config = c->config, .bundle = c->bundle,
		.cgroup = c->cgroup, .idmapped = init->idmapped, .nodes = init->nodes, .fd = -1, .console = -1, .master = -1 };
	int r = rootfs_make(&fs, c->rootfs, err);

	if (r == 0 && fs.console >= 0) {
		r = console_attach(fs.console, init->process, true, err);
		if (r == 0 && message_send(init->sync, MESSAGE_CONSOLE, 0, fs.master) < 0)
			r = error_errno(err, errno, "cannot hand over the terminal");
		close(fs.console);
		close(fs.master);
	}
	/* as runc: their working directory is the root to be */
	if (r == 0 && fchdir(fs.fd) < 0)
		r = error_errno(err, errno, "cannot enter the root filesystem");
	if (r == 0)
		r = run_hooks(init, "createContainer", err);
	/* while /proc/sys can still be written: it may be made read-only below */
	if (r == 0)
		r = set_sysctls(init, err);
	if (r == 0)
		r = make_working_directory(&fs, init->process->cwd, err);
	if (r == 0)
		r = rootfs_finish(&fs, err);
	if (r == 0)
		r = rootfs_enter(&fs, init->options->no_pivot, err);
	if (r == 0)
		process_reopen_null(init->proc, fs.fd);
	return r;
}

/* $HOME from the container's /etc/passwd, which may be anything: no FIFO blocks us, no file fills us. */
static char *home_of(uid_t uid)
{
	_cleanup_close_ int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char text[65536], *save = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return NULL;
	text[n] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long id;
		char home[256];

		if (sscanf(line, "%*[^:]:%*[^:]:%lu:%*[^:]:%*[^:]:%255[^:\n]", &id, home) == 2 &&
			id == uid)
			return xstrdup(home);
		if (sscanf(line, "%*[^:]:%*[^:]:%lu:%*[^:]::%255[^:\n]", &id, home) == 2 && id == uid)
			return xstrdup(home);
	}
	return NULL;
}

/* Sets HOME where config.json does not: programs expect it and images rarely give it. */
static char **complete_env(const struct process_plan *p, const struct runtime_options *o)
{
	char **env = xcalloc(p->env_count + 5, sizeof(*env));
	size_t n = 0, count;
	char *home;

	for (size_t i = 0; i < p->env_count; i++) {
		if (!o || !o->notify_socket || !str_starts(p->env[i], "NOTIFY_SOCKET="))
			env[n++] = p->env[i];
	}
	count = n;
	if (o && o->listen_fds) {
		env[n++] = xasprintf("LISTEN_FDS=%u", o->listen_fds);
		env[n++] = xstrdup("LISTEN_PID=1");
	}
	if (o && o->notify_socket)
		env[n++] = ready_environment(o->notify_socket);
	for (size_t i = 0; i < count; i++) {
		if (str_starts(env[i], "HOME="))
			return env;
	}
	home = home_of(p->uid);
	env[n] = xasprintf("HOME=%s", home && *home ? home : "/");
	free(home);
	return env;
}

/* What the stub needs lies just above what the program may keep (the caller's preserved descriptors, which are not marked
 * to be closed; what only holds a number is), all else is marked to be closed. */
static int arrange_descriptors(struct init *init, struct error *err)
{
	int errors = 3 + (int)init->preserve_fds, start = errors + 1;
	int sync = fcntl(init->sync, F_DUPFD_CLOEXEC, start + 1);
	int stub = fcntl(init->stub, F_DUPFD_CLOEXEC, start + 1);
	int fifo = init->fifo >= 0 ? fcntl(init->fifo, F_DUPFD_CLOEXEC, start + 1) : sync;

	if (sync < 0 || stub < 0 || fifo < 0)
		return error_errno(err, errno, "cannot arrange descriptors");
	if (close_range(errors, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot mark descriptors to be closed");
	/* the stub closes them on its exec */
	if (dup2(sync, errors) < 0 || (init->fifo >= 0 && init->stub_waits && dup2(fifo, start) < 0))
		return error_errno(err, errno, "cannot arrange descriptors");
	init->sync = errors;
	init->stub = stub;
	init->fifo = init->fifo >= 0 ? fifo : -1;
	return 0;
}

int init_harden(struct init *init, char **ret_program, struct error *err)
{
	const struct process_plan *p = init->process;
	uint64_t held = 0;
	int listener = -1, r = process_set_limits(init->proc, p, err);
	bool entered;

	if (r == 0)
		r = process_set_scheduling(p, err);
	if (r == 0)
		r = process_set_labels(init->proc, p, err);
	if (r < 0)
		return r;
	close(steal_fd(&init->proc));
	if (init->keyring)
		join_keyring(init->container->id);
	/* as root, who may enter what the user may not (runc does it so); else as the user that the program will
	 * be: NFS and FUSE may show root less */
	entered = chdir(p->cwd) == 0;
	r = process_give_pipes(p, err);
	if (r == 0)
		r = process_become_user(p, &held, err);
	if (r == 0)
		r = process_change_directory(p->cwd, entered, err);
	if (r == 0)
		r = process_find(p, ret_program, &init->exit_code, err);
	umask(p->umask >= 0 ? (mode_t)p->umask : 022);
	init->env = complete_env(p, init->options);
	if (r == 0)
		r = arrange_descriptors(init, err);
	if (r == 0)
		r = process_confine(p, init->seccomp, held, &listener, err);
	if (r == 0 && listener >= 0) {
		if (message_send(init->sync, MESSAGE_SECCOMP, 0, listener) < 0)
			r = error_errno(err, errno, "cannot hand over the seccomp listener");
		close(listener);
	}
	return r;
}

static int wait_start(struct init *init)
{
	struct message m;
	char byte;
	ssize_t n;

	if (init->fifo < 0)
		return message_receive(init->sync, &m, NULL) > 0 && m.kind == MESSAGE_START ? 0 : -1;
	do /* we hold it open for writing, too: it never ends, it only gets its byte */
		n = read(init->fifo, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -1;
}

int init_execute(struct init *init, const char *program, struct error *err)
{
	const struct process_plan *p = init->process;
	_cleanup_free_ char **argv = xcalloc(p->arg_count + 2, sizeof(*argv));

	argv[0] = (char *)program;
	memcpy(argv + 1, p->args, p->arg_count * sizeof(*argv));
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	execveat(init->stub, "", argv, init->env, AT_EMPTY_PATH);
	return error_errno(err, errno, "cannot execute \"%s\"", program);
}

int init_main(struct init *init)
{
	struct container *c = init->container;
	struct error err = { 0 };
	char *program = NULL;
	int r = init_begin(init, &err);

	init->exit_code = 125;
	if (r == 0)
		r = enter_namespaces(init, &err);
	if (r == 0)
		r = set_names(c->config, &err);
	if (r == 0)
		r = build_root(init, &err);
	if (r == 0 && c->config->personality_given && personality(c->config->personality) < 0)
		r = error_errno(&err, errno, "linux.personality: cannot set it");
	if (r == 0)
		r = init_harden(init, &program, &err);
	if (r == 0) {
		if (init->fifo >= 0)
			prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
		if (message_send(init->sync, MESSAGE_READY, 0, -1) < 0 ||
			(!init->stub_waits && wait_start(init) < 0))
			_exit(125);
		if (!init->stub_waits)
			r = run_hooks(init, "startContainer", &err);
	}
	if (r == 0)
		init_execute(init, program, &err);
	init_fail(init, &err);
}
