/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_HOOKS_H
#define CTRACE_HOOKS_H

#include "capture/capture.h"

/* The BPF programs: which of them this kernel takes is found by trying. */
struct ctrace_bpf;
struct ctrace_counters;
struct bpf_link;
struct bpf_map;

struct hooks {
	struct ctrace_bpf *skeleton; /* the maps, and one half of the programs */
	struct ctrace_bpf *second;   /* the other half, on the same maps */
	struct bpf_link **links; /* one per row of the hook table, NULL where it is not attached */
	bool armed;
	bool calls_always; /* hooks on functions see the system calls that matter, all the time: no pair to arm */
};

/* Loads and attaches all but the detail tier, and adds what became of each hook to facts. */
int hooks_load(struct hooks *hooks, const struct capture_options *options, struct facts *facts, struct error *err);

/* Attaches or detaches the detail tier. Arming twice is no error. */
int hooks_arm(struct hooks *hooks, struct error *err);
void hooks_disarm(struct hooks *hooks);

/* Whether there is anything to arm. */
bool hooks_can_arm(const struct hooks *hooks);

/* A descriptor that gives a struct ctrace_snapshot_task for every process, or a negative errno. */
int hooks_open_snapshot(const struct hooks *hooks);

/* From now on a process is told of as a container's; false: there is no room. One that is told of already stays what it is. */
bool hooks_follow_payload(const struct hooks *hooks, uint32_t tgid, uint64_t start_ns);

/* Counters that the kernel side keeps, mapped. */
volatile struct ctrace_counters *hooks_counters(const struct hooks *hooks);

/* How often the kernel passed a hook and did not run its program, since it ran already on that CPU. */
uint64_t hooks_missed(const struct hooks *hooks);

void hooks_unload(struct hooks *hooks);

#endif
