/* SPDX-License-Identifier: Apache-2.0 */
/* One more process in a running container. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

/* The namespaces to join, in an order in which each still may be: the user namespace last. */
static const struct {
	const char *name;
	int flag;
} joins[] = { { "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS },
	{ "net", CLONE_NEWNET }, { "pid", CLONE_NEWPID }, { "mnt", CLONE_NEWNS },
	{ "time", CLONE_NEWTIME }, { "user", CLONE_NEWUSER } };

struct joiner {
	struct init init;
	struct cgroup *cgroup;   /* the container's, or one below it */
	struct cgroup *fallback; /* where that takes no process; NULL = none */
	int namespaces[ARRAY_SIZE(joins)]; /* -1 = the one that we are in */
};

static void close_namespaces(struct joiner *j)
{
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		if (j->namespaces[i] >= 0)
			close(j->namespaces[i]);
	}
}

static int open_namespaces(struct container *c, struct joiner *j, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		char path[64], own[64];
		struct stat theirs, ours;

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", c->pid, joins[i].name);
		snprintf(own, sizeof(own), "/proc/self/ns/%s", joins[i].name);
		if (stat(path, &theirs) < 0 || stat(own, &ours) < 0) {
			/* a kernel without namespaces of this type (time: before 5.6) */
			if (errno == ENOENT && access("/proc/self/ns", F_OK) == 0 &&
				access(own, F_OK) < 0)
				continue;
			return error_errno(err, errno, "cannot look at %s", path);
		}
		if (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)
			continue;
		j->namespaces[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (j->namespaces[i] < 0)
			return error_errno(err, errno, "cannot open %s", path);
	}
	return 0;
}

static int join(struct joiner *j, struct error *err)
{
	int r = cgroup_enter(j->cgroup, true, err);

	/* v2 takes no process into a group that shares its controllers out to groups below */
	if (r == -EBUSY && j->fallback)
		r = cgroup_enter(j->fallback, true, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(joins); i++) {
		if (j->namespaces[i] >= 0 && setns(j->namespaces[i], joins[i].flag) < 0)
			r = error_errno(err, errno, "cannot join the container's %s namespace",
				joins[i].name);
	}
	if (r == 0 && j->namespaces[ARRAY_SIZE(joins) - 1] >= 0 &&
		(setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		r = error_errno(err, errno, "cannot become root of the user namespace");
	return r;
}

static int prepare_stdio(struct init *init, struct error *err)
{
	_cleanup_close_ int master = -1, slave = -1,
			    root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (!init->process->terminal) {
		process_reopen_null(init->proc, root);
		return 0;
	}
	r = console_open(root, &master, &slave, err);
	if (r == 0)
		r = console_attach(slave, init->process, false, err);
	if (r == 0 && message_send(init->sync, MESSAGE_CONSOLE, 0, master) < 0)
		r = error_errno(err, errno, "cannot hand over the terminal");
	return r;
}

/*
 * Joins everything, but stays outside of the pid namespace, where no process of the container sees it; drops its
 * privileges and becomes the stub, which makes the process that is inside. CLONE_PARENT makes that the caller's
 * child.
 */
static void __attribute__((noreturn)) middle(struct joiner *j)
{
	struct init *init = &j->init;
	struct error err = { 0 };
	char *program = NULL;
	int r = init_begin(init, &err);

	init->exit_code = 125;
	if (r == 0)
		r = join(j, &err);
	if (r == 0)
		r = prepare_stdio(init, &err);
	if (r == 0)
		r = init_harden(init, &program, &err);
	if (r == 0)
		init_execute(init, program, &err);
	init_fail(init, &err);
}

static int accompany(struct joiner *j, int sync, const struct runtime_exec_options *o, pid_t *ret_pid,
	struct error *err)
{
	for (;;) {
		struct message m;
		int fd = -1, r = 0;
		ssize_t n = message_receive(sync, &m, &fd);

		if (n == 0 && *ret_pid)
			return 0;
		/* from here on the other side is in the container's hands */
		if (*ret_pid && n != sizeof(int))
			return error_set(err, EPROTO, "the process said what it should not");
		if (n <= 0)
			return error_set(err, ECHILD, "the process ended before its program ran");
		if (n == sizeof(int)) {
			runtime_last_exit_code = m.kind == ENOENT ? 127 : 126;
			return error_set(err, m.kind, "exec: \"%s\": %s", j->init.process->args[0],
				m.kind == ENOENT ? "no such file or directory" : strerror(m.kind));
		}
		switch (m.kind) {
		case MESSAGE_CONSOLE:
			if (o->console_socket) {
				r = console_send(o->console_socket, fd, err);
				close(fd);
			} else if (o->ret_console) {
				*o->ret_console = fd;
			} else {
				close(fd);
			}
			break;
		case MESSAGE_SECCOMP:
			if (fd < 0)
				return error_set(err, EPROTO, "a seccomp listener is missing");
			r = notify_send(j->init.container, j->init.container->pid, j->init.seccomp, fd,
				err);
			close(fd);
			break;
		case MESSAGE_READY:
			*ret_pid = m.code;
			break;
		default:
			runtime_last_exit_code = m.exit_code ? m.exit_code : 125;
			return error_set(err, m.code, "%s", m.text);
		}
		if (r < 0)
			return r;
	}
}

static int launch(struct joiner *j, const struct runtime_exec_options *o, pid_t *ret_pid,
	struct error *err)
{
	int pair[2], r, status;
	pid_t helper, pid = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(err, errno, "cannot make a socket pair");
	j->init.sync = pair[1];
	helper = fork();
	if (helper == 0) {
		close(pair[0]);
		middle(j);
	}
	close(pair[1]);
	if (helper < 0) {
		close(pair[0]);
		return error_errno(err, errno, "cannot fork");
	}
	r = accompany(j, pair[0], o, &pid, err);
	close(pair[0]);
	while (waitpid(helper, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0 && pid > 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (r == 0)
		*ret_pid = pid;
	return r;
}

static int write_pid(const char *path, pid_t pid, struct error *err)
{
	_cleanup_free_ char *temporary = xasprintf("%s.%d", path, getpid());
	_cleanup_close_ int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 || dprintf(fd, "%d", pid) < 0 || rename(temporary, path) < 0)
		return error_errno(err, errno, "cannot write pid file %s", path);
	return 0;
}

/* Only what lies below the container's own group: its limits hold there, too. */
static int check_below(const char *path, struct error *err)
{
	for (const char *p = path; *p; p += strcspn(p, "/"), p += strspn(p, "/")) {
		if (!strncmp(p, "..", 2) && (p[2] == '/' || !p[2]))
			return error_set(err, EINVAL, "%s is not a sub cgroup path: it leads out of the "
				"container's", path);
	}
	return 0;
}

/* "PATH", or "CONTROLLER[,CONTROLLER...]:PATH". */
static int descend(struct cgroup *cg, const char *argument, bool alone, struct error *err)
{
	const char *colon = strchr(argument, ':'), *path = colon ? colon + 1 : argument;
	_cleanup_free_ char *names = xasprintf("%.*s", colon ? (int)(colon - argument) : 0, argument);
	char *save = NULL;
	int r = check_below(path, err);

	if (!colon && !alone)
		return error_set(err, EINVAL, "invalid --cgroup argument: %s (missing <controller>: prefix)",
			argument);
	if (strchr(path, ':'))
		return error_set(err, EINVAL, "invalid --cgroup argument: %s", argument);
	if (r == 0 && !*names)
		return cgroup_descend(cg, "", path, err);
	for (char *n = strtok_r(names, ",", &save); r == 0 && n; n = strtok_r(NULL, ",", &save))
		r = cgroup_descend(cg, n, path, err);
	return r;
}

static int open_subgroups(struct container *c, const struct runtime_exec_options *o, struct cgroup **ret,
	struct error *err)
{
	_cleanup_(cgroup_close_ptr) struct cgroup *cg = NULL;
	int r = 0;

	if (o->cgroup_count == 0)
		return 0;
	r = cgroup_open(c->cgroup_path, &cg, err);
	for (size_t i = 0; r == 0 && i < o->cgroup_count; i++)
		r = descend(cg, o->cgroups[i], o->cgroup_count == 1, err);
	if (r == 0)
		*ret = steal_ptr(cg);
	return r;
}

/* Where init is, if that is below the container's own group; NULL else. */
static struct cgroup *open_group_of_init(struct container *c)
{
	_cleanup_(cgroup_close_ptr) struct cgroup *cg = NULL;
	const char *own = cgroup_directory(c->cgroup, ""), *of_init;
	size_t length = own ? strlen(own) : 0;

	if (!own || !cgroup_is_v2(c->cgroup) || cgroup_open_pid(c->pid, &cg, NULL) < 0)
		return NULL;
	of_init = cgroup_directory(cg, "");
	return of_init && !strncmp(of_init, own, length) && of_init[length] == '/' ? steal_ptr(cg) : NULL;
}

static int run(struct container *c, const struct process_plan *p,
	const struct runtime_exec_options *o, pid_t *ret_pid, struct error *err)
{
	_cleanup_(seccomp_free) struct seccomp_program seccomp = { 0 };
	_cleanup_(cgroup_close_ptr) struct cgroup *subgroup = NULL, *of_init = NULL;
	_cleanup_close_ int stub = -1;
	_cleanup_(close_namespaces) struct joiner j = { .init = { .container = c, .process = p,
		.seccomp = &seccomp, .stdio = o->stdio, .preserve_fds = o->preserve_fds, .fifo = -1,
		.keyring = true } };
	int r;

	memset(j.namespaces, 0xff, sizeof(j.namespaces));
	r = open_subgroups(c, o, &subgroup, err);
	j.cgroup = subgroup ? subgroup : c->cgroup;
	j.fallback = of_init = subgroup ? NULL : open_group_of_init(c);
	if (r == 0)
		r = seccomp_prepare(c->config->seccomp, &seccomp, err);
	if (r == 0)
		r = j.init.stub = stub = stub_open(3 + (int)o->preserve_fds, -1,
			p->terminal ? STUB_FORKS_WITH_TERMINAL : STUB_FORKS, err);
	if (r >= 0)
		r = open_namespaces(c, &j, err);
	if (r >= 0)
		r = launch(&j, o, ret_pid, err);
	if (r >= 0 && o->pid_file)
		r = write_pid(o->pid_file, *ret_pid, err);
	return r < 0 ? r : 0;
}

int runtime_exec(struct container *c, const struct runtime_exec_options *o, pid_t *ret_pid,
	struct error *err)
{
	_cleanup_(doc_put) json_object *json = NULL;
	_cleanup_(config_free_process) struct process_plan p = { 0 };
	enum runtime_status status = runtime_status(c);
	int r;

	runtime_last_exit_code = 125;
	if (status == RUNTIME_PAUSED && !o->ignore_paused)
		return error_set(err, EINVAL, "cannot exec in a paused container (--ignore-paused overrides)");
	if (status == RUNTIME_PAUSED)
		status = RUNTIME_RUNNING;
	/* a created one has its namespaces, and in them but the stub; or the runtime, where it has hooks to run */
	if (status == RUNTIME_CREATED && c->config && !hooks_any(c->config->hooks, "startContainer"))
		status = RUNTIME_RUNNING;
	r = state_need_config(c, err);
	if (r < 0)
		return r;
	if (status != RUNTIME_RUNNING || !c->cgroup)
		return error_set(err, EINVAL, "cannot exec in container %s: it is %s", c->id,
			runtime_status_name(status));
	r = doc_parse(o->process, strlen(o->process), &json, err);
	if (r == 0)
		r = config_parse_process(&(struct doc){ .json = json, .key = "process" }, &p, err);
	return r < 0 ? r : run(c, &p, o, ret_pid, err);
}

/* "uid" or "uid:gid", digits only and within 32 bits: anything else must not become root
 * (CVE-2026-30892). */
static int parse_user(const char *text, json_object *user, struct error *err)
{
	uint64_t ids[2] = { 0, 0 };
	const char *p = text;

	for (int i = 0; i < 2; i++) {
		size_t digits = strspn(p, "0123456789");

		if (digits == 0 || digits > 10)
			break;
		for (size_t k = 0; k < digits; k++)
			ids[i] = ids[i] * 10 + (uint64_t)(p[k] - '0');
		p += digits;
		if (ids[i] >= UINT32_MAX)
			break;
		if (!*p) {
			json_object_object_add(user, "uid", json_object_new_int64((int64_t)ids[0]));
			json_object_object_add(user, "gid", json_object_new_int64((int64_t)ids[1]));
			return 0;
		}
		if (*p != ':' || i == 1)
			break;
		p++;
	}
	return error_set(err, EINVAL, "invalid user \"%s\": wanted uid or uid:gid", text);
}

char *runtime_exec_process(struct container *c, char *const *argv, const char *user,
	const char *cwd, bool terminal, struct error *err)
{
	_cleanup_(doc_put) json_object *copy = NULL;
	json_object *process = NULL, *args = json_object_new_array();

	if (state_need_config(c, err) < 0 || json_object_deep_copy(c->config->json, &copy, NULL) < 0 ||
		!json_object_object_get_ex(copy, "process", &process)) {
		json_object_put(args);
		return NULL;
	}
	for (; *argv; argv++)
		json_object_array_add(args, json_object_new_string(*argv));
	json_object_object_add(process, "args", args);
	json_object_object_add(process, "terminal", json_object_new_boolean(terminal));
	if (cwd)
		json_object_object_add(process, "cwd", json_object_new_string(cwd));
	if (user) {
		json_object *u = json_object_new_object();

		json_object_object_add(process, "user", u);
		if (parse_user(user, u, err) < 0)
			return NULL;
	}
	return xstrdup(json_object_to_json_string_ext(process, JSON_C_TO_STRING_PLAIN));
}
