/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RUNTIME_INTERNAL_H
#define CTRACE_RUNTIME_INTERNAL_H

/* What the files of runtime/ share: the container in the parent's hands, and init's side. */

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/config.h"
#include "runtime/runtime.h"

struct container {
	char *id, *root, *bundle, *cgroup_path, *created;
	char *rootfs;        /* absolute */
	int dir;             /* state directory; -1 = gone */
	pid_t pid;           /* of init; 0 = none */
	uint64_t start_time; /* field 22 of /proc/PID/stat, tells a recycled pid */
	int pidfd;
	int sync;            /* to init, until the program runs; -1 = another process made it */
	int console;
	int ready;             /* where it says that it is ready; -1 = nobody listens */
	char *ready_directory; /* of that socket; NULL = none */
	size_t others;       /* processes that were in the cgroup before: it is shared, and they are not ours to kill */
	bool own, detached, reaped;
	int status;          /* wait status when reaped */
	struct config *config;
	char *warning;       /* what failed and did not matter; NULL = nothing */
	struct error config_error; /* why config is NULL in a container from disk */
	struct cgroup *cgroup;
};

/* Takes back everything; err is what led here. */
void container_undo(struct container *c, struct error *err);
/* To init, and never to another process that has its number. Returns 0 or -errno; -ESRCH where it is gone. */
int container_signal(const struct container *c, int signal);

/* A packet between init and its creator. The stub that executes the program sends four bytes. */
enum message_kind {
	MESSAGE_NAMESPACES = 1, /* init: namespaces and cgroups are there */
	MESSAGE_GO,             /* creator: go on; code = init's pid as the creator sees it */
	MESSAGE_CONSOLE,        /* init: with the pty's master */
	MESSAGE_SECCOMP,        /* init: with the listener of SCMP_ACT_NOTIFY */
	MESSAGE_READY,          /* init: all is done but the exec */
	MESSAGE_START,          /* creator */
	MESSAGE_ERROR           /* init: code, exit_code, text */
};
struct message {
	int kind, code, exit_code;
	char text[1024];
};
int message_send(int fd, int kind, int code, int passed_fd);
/* Returns the packet's length, 0 = the other side is gone. */
ssize_t message_receive(int fd, struct message *ret, int *ret_fd);

struct seccomp_program {
	struct sock_filter *filter; /* NULL = none */
	unsigned short count;
	unsigned flags;
	const char *listener, *metadata; /* of the document; NULL = no SCMP_ACT_NOTIFY */
};
/* Compiles linux.seccomp, or takes the result of an earlier compilation of the same text. */
int seccomp_prepare(json_object *seccomp, struct seccomp_program *ret, struct error *err);
/* Returns the listener's descriptor where there is one, else 0. */
int seccomp_load_program(const struct seccomp_program *p, struct error *err);
void seccomp_free(struct seccomp_program *p);

/* Init's side. All functions below run in the child, which is alone in its process. */
struct init {
	const struct runtime_options *options; /* of create; NULL for exec */
	struct container *container;
	const struct process_plan *process;
	const struct seccomp_program *seccomp;
	const int *stdio;
	unsigned preserve_fds;
	int sync;      /* to the creator */
	int fifo;      /* of a detached container; else -1 */
	bool stub_waits; /* for the start */
	int stub;      /* memfd, then a descriptor above what the program keeps, of the program that executes the program */
	int proc;      /* the host's /proc */
	bool handshake; /* wait for MESSAGE_GO */
	bool v2_entered; /* clone3 put us into the v2 cgroup */
	bool keyring;
	const int *idmapped; /* of idmap_open_sources */
	const int *nodes;    /* of device_open_nodes */
	char **env;    /* of the program */
	int exit_code; /* of docker run, for an error */
};
int init_main(struct init *init) __attribute__((noreturn));
/* Resets signals, standard descriptors and the like. */
int init_begin(struct init *init, struct error *err);
/* The last steps: user, capabilities, seccomp, working directory; finds the program. */
int init_harden(struct init *init, char **ret_program, struct error *err);
/* Becomes the stub. Only returns on failure. */
int init_execute(struct init *init, const char *program, struct error *err);
void init_fail(struct init *init, const struct error *err) __attribute__((noreturn));

/* rootfs.c, mount.c */
struct rootfs {
	const struct config *config;
	const char *bundle;
	struct cgroup *cgroup;
	int fd;             /* of the mounted root */
	const int *idmapped; /* of idmap_open_sources */
	const int *nodes;    /* of device_open_nodes */
	int *sources;       /* detached trees of bind mounts, by index of config->mounts */
	int *late_readonly; /* tmpfs mounts that become read-only when all is in them */
	size_t late_count;
	int console, master; /* the pty; -1 = none */
	const char *member; /* of the element of "mounts" that is being made: what an error is about; NULL = all of it */
};
int rootfs_make(struct rootfs *fs, const char *path, struct error *err);
int rootfs_finish(struct rootfs *fs, struct error *err);
int rootfs_enter(struct rootfs *fs, bool no_pivot, struct error *err);
void rootfs_close(struct rootfs *fs);
/* Opens path as a process whose root is the directory `root` would; nothing outside is reached. */
int rootfs_open(int root, const char *path, int flags);
/* Opens (O_PATH) a place to mount at, making what is missing: directories, and a file at the end
 * where !directory. */
int rootfs_open_target(int root, const char *path, bool directory, struct error *err);
int rootfs_mount_all(struct rootfs *fs, struct error *err);
int rootfs_make_devices(struct rootfs *fs, struct error *err);
int rootfs_mask(struct rootfs *fs, struct error *err);

/* device.c: where the container has a user namespace of its own it can make no device that works. Makes them outside
 * of it, each as a detached mount, by index of config->devices; NULL where there is no need. */
int device_open_nodes(const struct config *c, int **ret, struct error *err);
void device_close_nodes(const struct config *c, int *nodes);

/* console.c: a pty of the devpts instance in root; the slave is opened without its name. */
int console_open(int root, int *ret_master, int *ret_slave, struct error *err);
/* control: make it the caller's controlling terminal, too. */
int console_attach(int slave, const struct process_plan *process, bool control, struct error *err);
int console_send(const char *socket_path, int master, struct error *err);
/* Connects to a socket and sends text with a descriptor; what: "the terminal". */
int console_send_fd(const char *socket_path, const char *text, int fd, const char *what,
	struct error *err);

/* notify.c: hands a seccomp listener to the agent at p->listener. */
int notify_send(const struct container *c, pid_t pid, const struct seccomp_program *p, int listener,
	struct error *err);

/* ready.c: adds the mount of the directory for the container's own notification socket, whose name its environment then has
 * (a string to free). notify_socket: the caller's. */
#define READY_DIRECTORY "notify"
int ready_prepare(struct container *c, const char *notify_socket, struct error *err);
char *ready_environment(const char *notify_socket);
/* Nothing happens where the state directory has no such directory. */
void ready_remove(int state_directory);
int ready_listen(struct container *c, struct error *err);

/* idmap.c: what a user namespace's uid_map and gid_map say. field: whose uidMappings and gidMappings they are ("linux"). */
int idmap_write_both(pid_t pid, const struct id_maps *uids, const struct id_maps *gids, const char *field, struct error *err);
/* The sources of idmapped mounts, and with a user namespace of all binds, by index of config->mounts, else -1; NULL: none. Opened
 * before init enters a user namespace, where the kernel refuses it. */
int idmap_open_sources(const struct config *c, const char *bundle, int **ret, struct error *err);
void idmap_close_sources(const struct config *c, int *sources);

/* copyup.c: copies the content of a directory, both given by descriptors. */
int copy_up(int from, int to, struct error *err);

/* process.c */
int process_set_limits(int proc, const struct process_plan *p, struct error *err);
int process_set_labels(int proc, const struct process_plan *p, struct error *err);
/* The user, and what of capabilities can go before the filter comes. */
int process_become_user(const struct process_plan *p, uint64_t *ret_held, struct error *err);
/* The filter and the capabilities, at last: what follows must do with the calls that the filter allows. held: of
 * process_become_user; ret_listener: the descriptor that SCMP_ACT_NOTIFY made, else -1. */
int process_confine(const struct process_plan *p, const struct seccomp_program *seccomp, uint64_t held,
	int *ret_listener, struct error *err);
int process_set_scheduling(const struct process_plan *p, struct error *err);
int process_find(const struct process_plan *p, char **ret, int *ret_exit_code, struct error *err);
/* Of 0-2 those that are a null device become the container's own (root: its root directory): the caller's is a node of the
 * host's, whose mode and owner a container's root could change. Where the container has none it can open, they stay. */
void process_reopen_null(int proc, int root);
/* Pipes at 0-2 become the user's, or a program could not open /dev/stdout (runc and crun do so, too). */
int process_give_pipes(const struct process_plan *p, struct error *err);
/* done: the directory has been entered already, and is only to be looked at. */
int process_change_directory(const char *cwd, bool done, struct error *err);
int process_write_proc(int proc, const char *path, const char *value, struct error *err);

/* stub.c: the program that executes the program. wait_fd: read from it first, -1 = no. A new process is the leader of a
 * session, with its stdin as controlling terminal where that is asked for; MESSAGE_READY tells its pid. */
#define STUB_READY 5
enum stub_fork {
	STUB_STAYS,
	STUB_FORKS,
	STUB_FORKS_WITH_TERMINAL
};
int stub_open(int error_fd, int wait_fd, enum stub_fork fork, struct error *err);

/* hooks.c: kind is "prestart", ...; state is given on stdin. -errno of the first that fails. */
int hooks_run(json_object *hooks, const char *kind, const char *state, struct error *err);
/* Those after one that fails, too. Returns what failed (a string to free), or NULL. */
char *hooks_run_all(json_object *hooks, const char *kind, const char *state);
bool hooks_any(json_object *hooks, const char *kind);

/* state.c */
int state_check_id(const char *id, struct error *err);
int state_make_directory(const char *root, const char *id, struct error *err);
int state_remove_directory(const char *root, const char *id, int dir, struct error *err);
int state_write(const struct container *c, struct error *err);
char *state_document(const struct container *c, enum runtime_status status);
/* "/a/b" as it is; systemd's "slice:prefix:name" as the directories that systemd would make. c may be NULL. */
char *state_choose_cgroup(const struct config *c, const char *id);
/* -EUCLEAN where a container from disk has no usable config.json. */
int state_need_config(const struct container *c, struct error *err);

/* runtime.c */
extern int runtime_last_exit_code;

#endif
