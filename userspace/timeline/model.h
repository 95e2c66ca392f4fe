/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_MODEL_H
#define CTRACE_MODEL_H

/*
 * What the timeline knows, as the views read it: containers with their actors, phases, steps
 * and marks. Written by timeline/ alone; views get const pointers. All strings are bytes as the
 * kernel gave them, NUL-terminated and NOT escaped: every view escapes them at its own edge.
 * Times are CLOCK_BOOTTIME nanoseconds; 0 = unknown or not yet.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_types.h"

/* An edge is a step's start or end. */
enum edge { EDGE_OBSERVED, EDGE_INFERRED, EDGE_LOST, EDGE_OPEN /* not yet ended */ };

enum actor_role {
	ACTOR_CLI, ACTOR_ENGINE, ACTOR_CONTAINERD, ACTOR_SHIM, ACTOR_RUNTIME, ACTOR_INIT,
	ACTOR_EXEC, ACTOR_HOOK, ACTOR_KERNEL, ACTOR_HELPER, ACTOR_ROLE_COUNT
};

enum phase {
	PHASE_REQUEST, PHASE_IMAGE, PHASE_ROOTFS, PHASE_NETWORK, PHASE_CGROUP, PHASE_NAMESPACES,
	PHASE_MOUNTS, PHASE_HOOKS, PHASE_PIVOT, PHASE_HARDEN, PHASE_EXEC, PHASE_RUN, PHASE_STOP,
	PHASE_TEARDOWN, PHASE_COUNT
};

/* The step kinds of the JSON timeline (interfaces.md). */
enum step_kind {
	STEP_REQUEST, STEP_IMAGE, STEP_LAYER, STEP_MOUNT, STEP_UMOUNT, STEP_VETH, STEP_ADDRESS,
	STEP_ROUTE, STEP_CGROUP_MKDIR, STEP_CGROUP_ATTACH, STEP_CGROUP_WRITE, STEP_CGROUP_RMDIR,
	STEP_CLONE, STEP_UNSHARE, STEP_SETNS, STEP_PIVOT_ROOT, STEP_CHROOT, STEP_SETHOSTNAME,
	STEP_SECCOMP, STEP_CAPSET, STEP_NO_NEW_PRIVS, STEP_HOOK, STEP_EXEC, STEP_SIGNAL, STEP_MKNOD,
	STEP_SETUID, STEP_SETGID, STEP_SETGROUPS, STEP_BPF_DEVICE, STEP_FREEZE, STEP_EXIT,
	STEP_KIND_COUNT
};

enum mark_kind { MARK_OOM_KILL, MARK_THROTTLE, MARK_SIGNAL, MARK_LIMIT_CHANGE, MARK_FREEZE,
	MARK_THAW, MARK_STAGE, MARK_STARTED, MARK_EXEC_EXIT, MARK_FORK_REFUSED, MARK_KIND_COUNT };

enum container_state { STATE_CREATED, STATE_RUNNING, STATE_PAUSED, STATE_EXITED };

/* One named fact of a step, a mark or an exit. */
enum detail_type { DETAIL_TEXT, DETAIL_NUMBER /* JSON number */, DETAIL_U64 /* decimal string */,
	DETAIL_LIST /* text = items separated by '\x1f': JSON array of strings */, DETAIL_BOOL };

struct detail { /* there are many */
	const char *key; /* static string, snake_case */
	union {
		char *text;     /* DETAIL_TEXT, DETAIL_LIST */
		int64_t number; /* the others; DETAIL_U64: cast to uint64_t */
	};
	enum detail_type type;
	bool borrowed; /* text is not a piece of memory of its own: a constant, or beside its details */
};

struct details {
	struct detail *items;
	uint32_t count, capacity; /* of items; once they are sealed, the bytes of them and their texts */
};

struct actor {
	enum actor_role role;
	uint32_t pid, ns_pid;
	uint64_t process_start_ns; /* (pid, process_start_ns) is the process */
	char comm[EVENT_COMM];
	char *exe;   /* NULL = unknown */
	char **argv; /* NULL-terminated; NULL = unknown */
	bool argv_cut;
	uint64_t start_ns, end_ns; /* of its part in this container: end 0 = still alive or long-lived */
	enum edge start_edge, end_edge;
	int parent;  /* index of the actor that created it, -1 = none known */
	bool exited;
	int32_t exit_status; /* wait(2) status, when exited */
	/* Of all its threads, added up, over its whole part; known once that has ended, and only if the
	 * scheduler's hook was attached all the time. The rest of the time it slept. */
	bool has_cpu;
	uint64_t on_cpu_ns, run_queue_ns;
	bool is_shared; /* dockerd, containerd: lives for more than this container */
};

/* Where a call's time went: on a CPU, waiting for one, and blocked, which is the rest. */
struct step_times {
	uint64_t on_cpu_ns, run_queue_ns, blocked_ns;
	uint64_t longest_block_ns; /* at a stretch; 0 = less than EVENT_LONG_BLOCK_NS */
	char *blocked_in;          /* the kernel's functions in that stretch, innermost first, split by '\x1f'; NULL = unknown */
};

struct step { /* there are many: small fields share a word */
	enum step_kind kind : 8;
	enum phase phase : 8;
	enum edge start_edge : 4, end_edge : 4;
	bool has_result : 1;
	int actor; /* index into actors, -1 = not attributed */
	uint64_t start_ns, end_ns; /* equal for a point */
	int64_t result; /* 0 (or a positive return value) or a negative errno; valid if has_result */
	uint32_t tid;
	uint32_t order; /* among steps that start at the same time: as they came */
	struct step_times *times; /* NULL = unknown */
	struct details details;
};

/* Phases of one container, at most one per (phase, exec session); start = first step's start,
 * end = last step's end, except RUN, which spans from init's exec to init's exit. */
struct phase_span {
	enum phase phase;
	uint64_t start_ns, end_ns;
	uint64_t busy_ns; /* covered by steps; the rest of the span is untraced */
	enum edge start_edge, end_edge;
	size_t steps, failed;
	bool has_times; /* of its calls of which it is known, added up over threads */
	uint64_t on_cpu_ns, run_queue_ns, blocked_ns;
};

/* A time in which no step of any actor was seen between creation and exec. */
struct gap {
	uint64_t start_ns, end_ns;
	int before_actor; /* actor of the step that ended the gap, -1 = none */
};

struct mark {
	enum mark_kind kind;
	uint64_t at_ns;
	uint32_t order; /* as they came, from 0 */
	struct details details;
};

struct container_cgroup {
	const char *controller; /* "memory", "cpu,cpuacct", "" for v2, "name=systemd"; lives as long as the timeline */
	char *path;       /* from the hierarchy's root */
	uint32_t hierarchy;
	uint64_t id;
	bool removed;
};

/* A limit in force: the last successful write to a limit file of the container's cgroups. */
struct limit {
	char *file;  /* memory.limit_in_bytes, cpu.max */
	char *value; /* as written */
	uint64_t at_ns;
};

/* What its CPU limit did to it, as cpu.stat of its cgroup told last: since the cgroup was made, and in
 * time added up over CPUs. */
struct throttling {
	bool known; /* it has a limit and was watched */
	uint64_t periods, throttled; /* enforcement periods in which it wanted to run, and ran out of quota */
	uint64_t throttled_ns;
};

struct exit_info {
	bool known;
	int code;        /* as docker says: the exit code, or 128 + signal */
	int signal;      /* 0 = none */
	bool core, oom;
	uint64_t at_ns;
	bool has_sender; /* of the fatal signal */
	uint32_t sender_pid;
	char sender_comm[EVENT_COMM];
	char *sender_container; /* id, NULL = the host */
	bool sender_kernel;
};

struct label {
	char *name, *value;
};

struct container {
	char *id;
	char *name, *image, *engine, *runtime, *pod, *bundle; /* NULL = unknown */
	char *pod_namespace;
	struct label *labels; /* in the order in which they became known */
	size_t label_count, label_capacity;
	enum container_state state;
	bool existed;    /* already there when tracing began */
	bool is_sandbox; /* a pod's pause container */
	bool ended;      /* torn down and quiet: nothing more will come */
	bool followed;   /* an actor of it descends from the followed command (trace -- COMMAND) */
	uint32_t pid;    /* init, initial pid namespace; 0 = none */
	uint64_t init_start_ns;
	struct event_namespaces namespaces; /* init's, as of its exec */
	int generation;  /* 0, 1, ...: starts of the same id, oldest first */
	uint64_t first_ns, last_ns; /* of anything known about it */
	uint64_t created_ns, started_ns; /* first runtime or cgroup step; init's exec */

	struct container_cgroup *cgroups;
	size_t cgroup_count, cgroup_capacity;
	struct actor *actors;
	size_t actor_count, actor_capacity;
	struct step *steps; /* in order of start_ns */
	size_t step_count, step_capacity;
	struct phase_span *phases; /* in order of start_ns; rebuilt by timeline_settle */
	size_t phase_count, phase_capacity;
	struct gap *gaps;
	size_t gap_count, gap_capacity;
	struct mark *marks;
	size_t mark_count, mark_capacity;
	struct limit *limits;
	size_t limit_count, limit_capacity;
	struct throttling throttling;
	struct exit_info exit;
	uint64_t forks_refused; /* by a limit of pids, as was seen */
	uint64_t lost;         /* events lost while it lived that may have been its own */
	/* Beyond the bounds of a timeline, counted and not kept: the oldest of what came after the start. */
	uint64_t steps_cut, actors_cut, marks_cut;
	uint64_t labels_cut; /* those that came last, or that the reader of engines' files left out */
	uint64_t values_cut; /* names and labels of which only the beginning fits into a record */
	uint32_t marks_made;   /* marks that there ever were, for mark.order */
	uint64_t inferred_front; /* phases whose first steps the arming may have missed */
};

/* Names as the JSON uses them; static strings. */
const char *edge_name(enum edge edge);             /* "observed" */
const char *actor_role_name(enum actor_role role); /* "cli" */
const char *phase_name(enum phase phase);          /* "request" */
const char *step_kind_name(enum step_kind kind);   /* "cgroup_write" */
const char *mark_kind_name(enum mark_kind kind);   /* "oom_kill" */
const char *container_state_name(enum container_state state);

/* The detail of that key, or NULL. */
const struct detail *details_get(const struct details *details, const char *key);
/* Its text, or NULL where it is absent or not text. A list is text, too. */
const char *detail_text(const struct detail *detail);
const char *details_text(const struct details *details, const char *key);

#endif
