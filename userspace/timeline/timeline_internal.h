/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TIMELINE_INTERNAL_H
#define CTRACE_TIMELINE_INTERNAL_H

/* What the files of timeline/ share and nobody else sees. */

#include "cgroup/cpu_stat.h"
#include "timeline/timeline.h"
#include "util/arena.h"
#include "util/map.h"

/* ---- processes (process.c) ---- */

struct process_id {
	uint32_t tgid, unused; /* unused is 0: the struct is a map key */
	uint64_t start_ns;
};

/* Sums of what the records told. */
struct cpu_time {
	uint64_t on_cpu_ns, run_queue_ns;
	bool told;  /* by the record of its exit, or of the exec that ended its part */
	bool lacks; /* a stretch is missing */
};

struct process {
	struct process_id id;
	char *exe; /* these are together: what is looked at when it is forgotten, long after all else */
	char **argv;
	char *state; /* ROOT/ID of the container whose init it is, by its runtime; NULL = not told */
	struct process_id creator; /* who forked it, not its parent (runc uses CLONE_PARENT) */
	uint8_t role;              /* enum event_role */
	bool dead, snapshot, argv_cut;
	bool followed;             /* ROLE_FOLLOWED, or made by one that is */
	bool is_init, is_exec, is_hook; /* what a ROLE_PAYLOAD process turned out to be */
	bool runs_verb;            /* a runtime whose argv named a container command */
	uint16_t later_execs;      /* of an init or exec session, after the one that made it that */
	uint32_t ns_tgid, ns_level;
	uint64_t cgroup_id;
	uint64_t fork_ns, exec_ns, dead_ns;
	uint64_t container; /* serial of the one it acts for or is part of, 0 = none known */
	uint64_t acts_for;  /* of a runtime or client that is itself init or exec session of container */
	uint64_t actor_of;  /* serial of the one among whose actors it was put last */
	bool in_several;    /* it is an actor of others, too */
	struct event_namespaces ns;
	int32_t exit_status;
	struct cpu_time cpu; /* of its part so far: a process that becomes init begins anew */
	char comm[EVENT_COMM];
	uint64_t clone_flags;
};

/* ---- containers (container.c) ---- */

/* Whose ids they are: runtimes with state directories of their own, or in pid namespaces of their own (an
 * engine inside of a container), may use one id for different containers at the same time. */
struct maker {
	uint32_t pid_ns; /* 0 = not known */
	char *root;      /* a runtime's state directory, or MAKER_NAMESPACE and containerd's name for it; NULL = not known */
};
#define MAKER_NAMESPACE "namespace "

/* The model's container and what only the building of it needs. */
struct cont {
	struct container c; /* first: a struct container is a struct cont */
	uint64_t serial;
	struct arena details;    /* of its steps, and their times */
	struct map actors;       /* struct actor_key -> its index among c.actors */
	int recent_actor;        /* the index that was asked for last: steps come in runs */
	char **keys;             /* in tl->keys, to be taken out when it ends */
	size_t key_count, key_capacity;
	struct process_id init;  /* tgid 0 = none yet */
	struct maker maker;
	uint32_t runtime_mnt_ns; /* of the process that creates it: hooks run there */
	bool seen_create;        /* by a runtime */
	bool awaits_program;     /* existed: when tracing began its init had yet to execute a program, and has not since */
	bool unsettled;
	uint64_t quiet_since_ns; /* since when it looks finished; 0 = it does not */
	uint64_t lost_at_first;  /* tl->stats.lost when it began */
	struct {                 /* last fatal signal for init */
		int signal;
		uint64_t at_ns;
		uint32_t pid;
		char comm[EVENT_COMM];
		char *container;
		bool kernel;
	} fatal;
	uint64_t stop_ns; /* first fatal signal or stop request for init; 0 = none */
	uint64_t ignored_ns; /* first signal that asked it to end and that it ignored; 0 = none */
	bool stop_asked;     /* stop_ns is that of a signal that asks to end */
	bool init_oom;
	bool own_mounts; /* its runtime has entered the mount namespace that is to be its own */
	bool pivoted;
	bool has_network; /* a network namespace of its own */
	bool has_links;   /* steps of it */
	struct {                 /* the reading of cpu.stat before the next one; at_ns 0 = none */
		uint64_t cgroup, at_ns;
		struct cpu_stat stat;
	} cpu;
	struct {                 /* of how many bounds.c has found that they must stay, and some more; 0 = no more than usual */
		size_t steps, actors, marks;
	} full;
	uint64_t blind_from_ns, blind_to_ns; /* the detail tier was being armed; 0 = never while it began */
};

struct actor_key {
	struct process_id process;
	uint32_t role, unused;
};

/* ---- operations in flight and steps without a container (steps.c, claims.c) ---- */

struct open_op {
	uint32_t tid, op;
	uint32_t hierarchy, unused; /* of a cgroup write, with the cgroup's id */
	uint64_t cgroup;
	struct process_id process;
	struct step step;
};

enum { ORPHAN_KEYS = 8, ORPHAN_MAX = 8192, DEAD_MAX = 4096, CLI_MAX = 256, META_MAX = 4096, LABELS_MAX = 64,
	LINK_MAX = 512, NETNS_MAX = 8192, CANDIDATE_MAX = 64 };

struct orphan {
	uint64_t serial; /* 0 = free */
	struct process_id process;
	struct step step;
	char *keys[ORPHAN_KEYS];
	size_t key_count;
};

struct key_set {
	char *keys[ORPHAN_KEYS];
	size_t count;
};

/* A cgroup that exists or did. */
struct cgroup_ref {
	uint32_t hierarchy;
	uint64_t id;
	uint64_t container; /* serial, 0 = none */
	uint64_t forks_refused; /* by a limit of pids, in it, as told last */
	char path[];
};

/* A fact about a container that had not been seen when it was told. */
struct early_meta {
	bool is_applied; /* to a container that came */
	char value[];
};

struct timeline {
	struct timeline_config config;
	struct timeline_stats stats;
	timeline_listener *listener;
	void *listener_arg;
	uint64_t now_ns;
	bool live; /* the snapshot is over */
	uint64_t losses[48 * 16]; /* totals by kind and reason, as last told */
	uint64_t losing, losing_until_ns; /* what the last losses were that reach into the future, and how far */

	struct map processes; /* tgid -> struct process, the newest of that pid */
	struct process *recent; /* of processes, the one that was asked for last: events come in runs; NULL = none */
	struct map dead;      /* struct process_id -> struct process, for lookups of creators and senders */
	struct process **dead_queue;
	size_t dead_head, dead_count;
	struct process *clis[CLI_MAX]; /* live ones, for ids in their argv */
	size_t cli_count;

	struct cont **containers; /* order of first_ns */
	size_t container_count, container_capacity;
	struct cont **active; /* those that have not ended */
	size_t active_count, active_capacity;
	uint64_t swept_ns; /* when active was last looked through for ends */
	size_t ended_count;
	uint64_t next_serial;
	struct map by_serial;
	struct {                       /* of a container that ended, which had to grow to it: for the next one */
		struct step *items;
		size_t capacity;       /* 0 = none */
	} spare_steps;
	struct cont *recent_container; /* of by_serial, the one that was asked for last; NULL = none */
	struct map metas;   /* id and key -> struct early_meta, of containers that are yet to come */
	char *meta_keys[META_MAX]; /* of metas, a ring; NULL = free */
	size_t next_meta;
	struct map by_id;   /* the newest start of an id */
	struct map keys;    /* string -> struct cont: see claims.c */
	struct map cgroups; /* {hierarchy, id} -> struct cgroup_ref */
	struct map cgroup_paths; /* "hierarchy:path" -> struct cgroup_ref */
	struct map ops;     /* tid -> struct open_op */
	struct map requests; /* {tgid, fd} -> struct open_op */

	struct event_link *links; /* ring of LINK_MAX: not yet a container's, action 0 = free; NULL = none yet */
	size_t next_link;
	struct map netns; /* listener and id -> struct netns */

	struct orphan *orphans; /* ring of ORPHAN_MAX */
	uint64_t next_orphan;
	struct map orphan_index; /* key string -> struct orphan_list */
};

/* links.c */
void links_take(struct timeline *tl, const struct event_link *e);
void links_take_netns(struct timeline *tl, const struct event_netns *e);
/* Gives those that wait to their containers, where these are known by now: a network namespace was claimed. */
void links_settle(struct timeline *tl);
void links_finish(struct timeline *tl); /* there is no more to be told */
void links_free(struct timeline *tl);

/* process.c */
struct process *process_get(struct timeline *tl, const struct event *h); /* made when unknown */
struct process *process_find(struct timeline *tl, uint32_t tgid, uint64_t start_ns); /* dead ones too; start 0 = newest */
struct process *process_creator(struct timeline *tl, const struct process *p);
struct process *process_fork(struct timeline *tl, const struct event_fork *e);
void process_exec(struct timeline *tl, struct process *p, const struct event_exec *e);
void process_from_snapshot(struct timeline *tl, const struct event_task *e);
void process_exit(struct timeline *tl, struct process *p, uint64_t now_ns, int32_t status);
/* Adds what a record of p's exec or exit tells of its CPU time since the one before. */
void process_add_cpu(struct process *p, const struct event *h, uint64_t on_cpu_ns, uint64_t run_queue_ns);
void process_set_argv(struct process *p, const char *argv, size_t length, bool cut);
void process_free_all(struct timeline *tl);
/* Serves more than one container: dockerd, containerd, podman system service. */
bool process_is_daemon(const struct process *p);
/* The engine that makes, ends and removes containers in turn, and may be at another one by now: p itself, or whose helper p is.
 * NULL = p is, and helps, no such engine. */
struct process *process_engine_in_turn(struct timeline *tl, struct process *p);
/* The container that p acts for: its own, or that of the non-daemon processes which made it. */
struct cont *process_container(struct timeline *tl, struct process *p);
/* The container that p is part of, which is another one only for an engine's programs inside of a container. */
struct cont *process_home(struct timeline *tl, struct process *p);
/* Binds p to a container and makes it an actor of it, with those who made it. */
void process_claim(struct timeline *tl, struct process *p, struct cont *c);

/* argv.c */
char **argv_split(const char *bytes, size_t length); /* of NUL-separated strings; freed as one piece */
char **argv_copy(char *const *argv);                 /* NULL of NULL */
char *argv_join(char *const *argv, char separator);

/* container.c */
struct cont *container_new(struct timeline *tl, const char *id);
void container_free(struct cont *c);
void actor_free(struct actor *a); /* what it points to */
struct cont *container_by_serial(struct timeline *tl, uint64_t serial);
int container_actor(struct timeline *tl, struct cont *c, struct process *p);
/* Turns the part that p has as a runtime into the one that it has now, if it took no step before. */
bool container_recast(struct cont *c, const struct process *p);
void container_add_step(struct timeline *tl, struct cont *c, int actor, struct step *step); /* takes details */
/* mount(2) that changes how mounts propagate, and mounts nothing. */
bool step_sets_propagation(const struct step *step);
struct mark *container_add_mark(struct cont *c, enum mark_kind kind, uint64_t at_ns);
void container_touch(struct cont *c, uint64_t now_ns);
void container_notify(struct timeline *tl, struct cont *c, enum timeline_change change);
void container_set(char **field, const char *value); /* sets a name once it is known */
/* Ends containers of which nothing is left and nothing was heard for a while; all that are gone
 * when there will be no more events. */
void container_sweep(struct timeline *tl, bool last);
/* Starts of the same id: the one that is alive, or a new one if it has exited. maker NULL = anyone's. */
struct cont *container_for_id(struct timeline *tl, const char *id, const struct maker *maker, bool creates);
/* What p used in its part, which has ended. */
void container_actor_cpu(struct actor *a, const struct process *p);
void container_actor_gone(struct cont *c, const struct process *p, uint64_t now_ns, enum edge edge);
/* It lives on, and acts for another container from now on. */
void container_actor_leaves(struct cont *c, const struct process *p, uint64_t now_ns);
/* settle.c */
void container_settle(struct cont *c);
/* bounds.c: forgets the oldest of what came after the start, where there is much of it; indexes of actors change. */
void container_bound(struct timeline *tl, struct cont *c);

/* details */
void details_add_text(struct details *d, const char *key, const char *text);
void details_add_bytes(struct details *d, const char *key, const char *bytes, size_t length); /* none is NUL */
/* A text that lives as long as the timeline: it is not copied. */
void details_add_constant(struct details *d, const char *key, const char *text);
void details_take_text(struct details *d, const char *key, char *text);
void details_take_list(struct details *d, const char *key, char *items); /* separated by '\x1f' */
void details_add_number(struct details *d, const char *key, int64_t number);
void details_add_u64(struct details *d, const char *key, uint64_t number);
void details_add_bool(struct details *d, const char *key, bool value);
/* Moves them into the arena: nothing can be added afterwards, and they are not to be freed. */
void details_seal(struct details *d, struct arena *arena);
/* Moves sealed ones into another arena, where they take so many bytes. */
void details_move(struct details *d, struct arena *arena);
size_t details_size(const struct details *d);
void details_free(struct details *d);
void step_free(struct step *s); /* of one that is no container's: it is not sealed */

/* ---- waits.c ---- */

/* What the record says of where the call spent its time; nothing where it does not say. */
void waits_take(struct step *step, const struct event_syscall_exit *e);
void waits_free(struct step_times *times);
/* As details_seal, details_move and details_size. */
void waits_seal(struct step *step, struct arena *arena);
void waits_move(struct step *step, struct arena *arena);
size_t waits_size(const struct step *step);

/* ---- throttling.c ---- */

/* A reading of cpu.stat: what it shows more than the one before is a mark of the container whose cgroup it is. */
void throttling_take(struct timeline *tl, const struct event_cgroup_value *e);

/* claims.c: keys that lead to a container. A key is a letter and a value: I id, P path, N network
 * namespace inode, p process, m mount namespace, i pid namespace, n name. */
void claim_key(struct timeline *tl, struct cont *c, char kind, const char *value);
void claim_process_key(struct timeline *tl, struct cont *c, const struct process_id *id);
/* p turned out to work for c: a helper does so all its life, and so do those that it calls. */
void claim_helper(struct timeline *tl, struct cont *c, struct process *p);
void claim_inode_key(struct timeline *tl, struct cont *c, char kind, uint32_t inode);
void claim_drop_all(struct timeline *tl, struct cont *c);
void claim_drop_process(struct timeline *tl, const struct cont *c, const struct process_id *id);
void claim_tidy(struct timeline *tl, struct cont *c); /* gives back the memory of keys that were dropped */
struct cont *claim_find(struct timeline *tl, char kind, const char *value);
struct cont *claim_find_bytes(struct timeline *tl, char kind, const char *value, size_t length);
struct cont *claim_find_inode(struct timeline *tl, char kind, uint32_t inode);
void key_set_add(struct key_set *set, char kind, const char *value);
void key_set_add_inode(struct key_set *set, char kind, uint32_t inode);
void key_set_add_path(struct key_set *set, const char *path); /* the path, and ids among its components */
void key_set_free(struct key_set *set);
struct cont *claim_find_set(struct timeline *tl, const struct key_set *set);
/* Keeps a step of p until some container claims one of the keys, or p, or who made p for it. Takes the step and the keys. */
void orphan_add(struct timeline *tl, struct process *p, struct step *step, struct key_set *set);
void orphans_free(struct timeline *tl);

/* steps.c */
void steps_enter(struct timeline *tl, const struct event_syscall_enter *e);
void steps_exit(struct timeline *tl, const struct event_syscall_exit *e);
void steps_cgroup_write(struct timeline *tl, const struct event_cgroup_write *e);
void steps_exec_done(struct timeline *tl, struct process *p, const struct event_exec *e);
void steps_process_gone(struct timeline *tl, struct process *p, uint64_t now_ns);
void steps_finish(struct timeline *tl);
/* Gives the step to p's container, or keeps it until one is known. Takes the step. */
void steps_place(struct timeline *tl, struct process *p, struct step *step);
void open_op_free(struct open_op *op);
/* phase.c */
enum phase phase_of(const struct cont *c, const struct actor *actor, const struct step *step);

/* operation.c: what an entered system call is, as a step. Returns false where it is of no interest. */
bool operation_describe(const struct event_syscall_enter *e, struct step *step);

/* cgroups.c */
void cgroups_event(struct timeline *tl, const struct event_cgroup *e);
void cgroups_snapshot(struct timeline *tl, const struct event_cgroup *e);
struct cgroup_ref *cgroups_find(struct timeline *tl, uint32_t hierarchy, uint64_t id);
struct cgroup_ref *cgroups_find_path(struct timeline *tl, uint32_t hierarchy, const char *path);
/* The container of that cgroup in the identifying hierarchy, or NULL. */
struct cont *cgroups_container(struct timeline *tl, uint64_t cgroup_id);
void cgroups_adopt(struct timeline *tl, struct cont *c, struct cgroup_ref *ref);
/* True when c is the container that p itself runs in, while p acts for another one, own: nested engines. */
bool cgroups_is_around(struct timeline *tl, const struct cont *c, const struct process *p, const struct cont *own);
/* The container that has just this cgroup and has not ended, or NULL. */
const struct cont *cgroups_holder(struct timeline *tl, const struct cgroup_ref *ref);
bool cgroups_remain(const struct cont *c); /* one of its own is not removed */
void cgroups_free(struct timeline *tl);

/* requests.c */
void requests_write(struct timeline *tl, const struct event_request *e);
void requests_response(struct timeline *tl, const struct event_request *e);
void requests_process_gone(struct timeline *tl, struct process *p);
void requests_finish(struct timeline *tl);

/* deaths.c */
void deaths_signal(struct timeline *tl, const struct event_signal *e);
void deaths_oom(struct timeline *tl, const struct event_oom *e);
void deaths_fork_refused(struct timeline *tl, const struct event_fork_refused *e);
void deaths_exit(struct timeline *tl, const struct event_exit *e);
/* p is gone and its exit was lost: what hangs on it ends with a lost edge. */
void deaths_unseen(struct timeline *tl, struct process *p);

/* metas.c */
void metas_take(struct timeline *tl, const struct event_meta *e);
/* Gives a new container the names that came before it. */
void metas_apply(struct timeline *tl, struct cont *c);
void metas_free(struct timeline *tl);
void labels_free(struct container *c);

/* lifecycle.c */
void lifecycle_fork(struct timeline *tl, const struct event_fork *e);
void lifecycle_exec(struct timeline *tl, const struct event_exec *e);
void lifecycle_rename(struct timeline *tl, const struct event_rename *e);
void lifecycle_snapshot_end(struct timeline *tl);
void lifecycle_armed(struct timeline *tl, const struct event_armed *e);
/* The container of a task that is known by its cgroup or pid namespace only; NULL = the host. */
struct cont *lifecycle_container_of(struct timeline *tl, uint64_t cgroup_id, uint32_t pid_ns);

#endif
