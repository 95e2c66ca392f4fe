/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RUNTIME_H
#define CTRACE_RUNTIME_H

/*
 * An OCI bundle on disk (config.json and a root filesystem) becomes a running container:
 * runtime-spec, runtime.md "Lifecycle". The engine and `ctrace oci` are its two callers.
 *
 *	struct runtime_options o = { .id = "web", .bundle = dir, .created = configure_network };
 *	struct container *c;
 *
 *	runtime_create(&o, &c, err);    namespaces, cgroups, mounts; init waits before its exec
 *	runtime_start(c, err);          returns when the program runs, or says why it does not
 *	runtime_wait(c, &status, err);  or poll runtime_pidfd(c)
 *	runtime_delete(c, false, err);  poststop hooks, cgroups, state directory
 *	runtime_close(c);               memory and descriptors only
 *
 * Whatever fails takes back all that was made so far. Nothing is printed. The calls fork, so the
 * caller must be single-threaded until runtime_create has returned.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

#define RUNTIME_ROOT "/run/ctrace/oci"

struct container;
struct cgroup;

/* What the `created` callback is told. The descriptors belong to the runtime: duplicate to keep. */
struct runtime_created {
	pid_t pid;         /* of init, in the caller's pid namespace */
	int pidfd;
	int netns;         /* init's network namespace (the host's, too, where none is made) */
	const char *state; /* the OCI state document, status "creating" */
};

struct runtime_options {
	const char *id;     /* [a-zA-Z0-9_+-][a-zA-Z0-9_+.-]*, at most 255 bytes */
	const char *bundle; /* directory that holds config.json */
	const char *config; /* another name than config.json, relative to the bundle; may be NULL */
	const char *root;   /* state directory; NULL = RUNTIME_ROOT */
	const char *pid_file;       /* written before runtime_create returns; may be NULL */
	const char *console_socket; /* process.terminal: send the pty's master there; NULL = keep it
				       for runtime_console */
	const int *stdio;      /* three descriptors for init's 0, 1, 2; NULL = the caller's own. Not
				  used with process.terminal. The caller keeps its copies. */
	unsigned preserve_fds; /* init also gets the caller's descriptors 3 .. 3+preserve_fds-1, which must be open;
				  what is FD_CLOEXEC among them only holds its number, and init has it not */
	unsigned listen_fds;   /* so many of them are sd_listen_fds(3)'s: LISTEN_FDS and LISTEN_PID are set */
	const char *notify_socket; /* sd_notify(3)'s, of the caller: the container gets one of its own; NULL = none */
	bool no_pivot;         /* MS_MOVE and chroot, for a root that pivot_root(2) refuses (ramfs) */
	bool no_new_keyring;
	bool detached; /* runtime_start comes from another process (`ctrace oci create`): init waits at
			  a fifo. Else init dies with the caller for as long as it is not started. */
	bool may_reexec; /* the process may execute itself anew, from a sealed copy, where the container joins a
			    pid namespace with other processes in it: they could overwrite the binary else */
	/* Called between "the namespaces and cgroups exist" and "init goes on to its mounts", where the
	 * prestart and createRuntime hooks run too (before them). A negative return undoes everything. */
	int (*created)(const struct runtime_created *created, void *data, struct error *err);
	void *data;
};

/* Makes the container. Errors are negative errno; runtime_exit_code tells what docker run would exit
 * with: a program that is missing or not executable is already found here. */
int runtime_create(const struct runtime_options *options, struct container **ret,
	struct error *err);

/* Executes the calling program anew, with its own arguments, from a sealed copy of its binary, unless it runs from one
 * already: for those who make containers that join a pid namespace and cannot have runtime_create do it (may_reexec), as
 * they have begun something by then. Returns 0 in the copy. The copy's environment has RUNTIME_SEALED_FROM: the path of
 * the binary. */
#define RUNTIME_SEALED_FROM "CTRACE_SEALED_FROM"
int runtime_seal(struct error *err);

/* What of a verb failed although it succeeded (a poststop hook); NULL: nothing. Owned by c. */
const char *runtime_warning(const struct container *c);

/* Where a container that was made with notify_socket, and started by the caller, says that it is ready: a datagram socket, owned by
 * c. -1: there is none. */
int runtime_ready_socket(const struct container *c);

/* Opens a container that exists on disk: for start, kill, delete, state from another process.
 * -ENOENT: no such container; -EUCLEAN: its state.json is no such document, or another version's. */
int runtime_open(const char *root, const char *id, struct container **ret, struct error *err);

/* Deletes a container of which runtime_open says -EUCLEAN: its directory, its cgroup and the processes in it. -EBUSY where
 * there are some and the cgroup is not the container's alone, by its name. */
int runtime_discard(const char *root, const char *id, struct error *err);

/* Runs startContainer hooks (in the container), the program, then poststart hooks. For a container that
 * this process made it returns after execve(2) succeeded, or with its failure, the container deleted. */
int runtime_start(struct container *c, struct error *err);

/* 127 if the error of the last create, start or exec says that the program was not found, 126 if it was
 * found and could not be executed, else 125: docker run's exit code. */
int runtime_exit_code(void);

/* Waits for the init of a container that this process made. ret_status is wait(2)'s status word.
 * runtime_kill forwards signals meanwhile (from a signalfd, or a handler by kill(2) on runtime_pid). */
int runtime_wait(struct container *c, int *ret_status, struct error *err);
/* The same without waiting: false while init lives. */
bool runtime_try_wait(struct container *c, int *ret_status);
/* The exit code a shell shows for a status word: 0-255, 128 + n for signal n. */
int runtime_status_code(int status);

pid_t runtime_pid(const struct container *c); /* of init; 0 = stopped */
int runtime_pidfd(const struct container *c); /* readable when init has ended; owned by c */
/* Takes the pty's master (process.terminal without console_socket): the caller owns it; -1 = none. */
int runtime_console(struct container *c);
/* The container's cgroups, for readings and events; owned by c. */
struct cgroup *runtime_cgroup(const struct container *c);

/* How many processes of others were in the container's cgroup when it was made; a later delete leaves them alone. */
size_t runtime_cgroup_others(const struct container *c);

/* -ESRCH: not running. all: every process of the container, for those without a pid namespace. */
int runtime_kill(struct container *c, int signal, bool all, struct error *err);

/* Removes a stopped container (-EBUSY while it runs); force kills it first. */
int runtime_delete(struct container *c, bool force, struct error *err);

/* The OCI state document (runtime-spec, runtime.md "State"), to be freed by the caller. */
char *runtime_state(struct container *c);
enum runtime_status {
	RUNTIME_CREATING,
	RUNTIME_CREATED,
	RUNTIME_RUNNING,
	RUNTIME_STOPPED,
	RUNTIME_PAUSED
};
enum runtime_status runtime_status(const struct container *c);
const char *runtime_status_name(enum runtime_status status);
const char *runtime_bundle(const struct container *c);

int runtime_pause(struct container *c, struct error *err);
int runtime_resume(struct container *c, struct error *err);
/* resources: a LinuxResources document (config-linux.md) as text. */
int runtime_update(struct container *c, const char *resources, struct error *err);
/* Pids of all processes, caller's namespace; the array is the caller's. */
int runtime_processes(struct container *c, pid_t **ret_pids, size_t *ret_count, struct error *err);

struct runtime_exec_options {
	const char *process; /* an OCI process document (config.md "Process") as text. Members that it
				lacks are not taken from the container's own process. */
	const char *pid_file;
	const char *console_socket;
	const int *stdio;
	unsigned preserve_fds;
	/* Cgroups below the container's, which must exist: one "PATH" for all hierarchies, or any number of
	 * "CONTROLLER[,CONTROLLER...]:PATH". On v2 without any, init's own is good enough where the container has moved
	 * it down and its group takes no process any more. */
	const char *const *cgroups;
	size_t cgroup_count;
	bool ignore_paused; /* else a paused container is an error */
	int *ret_console; /* process.terminal without console_socket: the pty's master */
};
/* Runs one more process in a running container, returns after its execve(2) succeeded. It is the
 * caller's child: wait for it. */
int runtime_exec(struct container *c, const struct runtime_exec_options *options, pid_t *ret_pid,
	struct error *err);
/* A process document with the container's own process as template and these arguments: what `exec`
 * needs. To be freed by the caller. user may be NULL, "uid" or "uid:gid". */
char *runtime_exec_process(struct container *c, char *const *argv, const char *user,
	const char *cwd, bool terminal, struct error *err);

/* What `features` tells, by index; NULL after the last. */
const char *runtime_mount_option(size_t i);
const char *runtime_capability(size_t i); /* CAP_CHOWN... */

/* Frees memory and descriptors; takes NULL; kills nothing. Also fit for _cleanup_(). */
void runtime_close(struct container *c);
void runtime_close_ptr(struct container **c);

#endif
