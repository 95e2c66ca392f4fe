/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TEST_WORLD_H
#define CTRACE_TEST_WORLD_H

/*
 * A small machine that bytes drive: processes that fork, execute runtimes and payloads, exit and reuse pids; cgroups in
 * two hierarchies that are made, joined, frozen and removed; signals, OOM kills, system calls, requests. What it does
 * is told as the events that the kernel would send, so the timeline sees plausible stories rather than noise; and the
 * way to it can be made bad: records are lost, doubled, come in another order.
 *
 * An operation is four bytes, struct world_step. Any bytes are a story.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "bpf/event.h"

enum { WORLD_PROCESSES = 16, WORLD_CGROUPS = 12, WORLD_PIDS = 24, WORLD_FLOOD_MAX = 6000,
	WORLD_FLOOD_KEY = 0xa5 /* it takes long: not by chance */, WORLD_STEPS_MAX = 512 };

enum world_op {
	WORLD_FORK, WORLD_EXEC, WORLD_EXIT, WORLD_MKDIR, WORLD_RMDIR, WORLD_ATTACH, WORLD_FREEZE, WORLD_SIGNAL, WORLD_OOM,
	WORLD_CALL, WORLD_WRITE, WORLD_REQUEST, WORLD_RENAME, WORLD_LOSS, WORLD_ARMED, WORLD_META, WORLD_LINK, WORLD_VALUE,
	WORLD_SNAPSHOT, WORLD_TICK, WORLD_FLOOD, WORLD_FAULT, WORLD_MOVE, WORLD_OPS
};

struct world_step {
	uint8_t op; /* of world_op, modulo WORLD_OPS */
	uint8_t a;  /* mostly the process that acts */
	uint8_t b, c;
};

struct world_process {
	bool alive;
	uint32_t tgid, parent, ns_tgid, ns_level;
	uint64_t start_ns, cgroup;
	uint8_t role;
	struct event_namespaces ns;
	char comm[EVENT_COMM];
};

struct world_cgroup {
	bool exists;
	uint32_t hierarchy;
	uint64_t id;
	char path[EVENT_PATH];
};

typedef void world_sink(void *arg, const struct event *event);

struct world {
	world_sink *sink;
	void *arg;
	uint64_t now_ns, next_id, losses;
	uint32_t flooded;
	bool is_faulty; /* something was lost, doubled or moved: what is told is not what happened */
	uint8_t fault;  /* of the next record */
	size_t held_size; /* the record that comes behind the next one */
	uint64_t held[512];
	struct world_process processes[WORLD_PROCESSES];
	struct world_cgroup cgroups[WORLD_CGROUPS];
};

void world_init(struct world *w, world_sink *sink, void *arg);
/* Plays a story; WORLD_STEPS_MAX operations at most. */
void world_play(struct world *w, const uint8_t *story, size_t size);
/* Everyone exits, every cgroup is removed, and time goes by; all of it is told. */
void world_end(struct world *w);

/* docker-like start, run and end of a container, and one that is killed for memory. */
extern const struct world_step world_story[];
extern const size_t world_story_size; /* bytes */

#endif
