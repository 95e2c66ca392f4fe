/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_THROTTLE_WATCH_H
#define CTRACE_THROTTLE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_types.h"
#include "cgroup/cpu_stat.h"

/*
 * The cgroups that have a CPU quota: when the cpu.stat of each is to be read, and what of a reading is worth
 * telling. Pure. They are read more often than is told, since a cgroup goes without a word: where the race for its
 * last reading is lost, the one before is not old. A reading is told if it is the first, if it shows more
 * throttling than was told, once in a while, and if it may be the last. After a calm, the reading that ends it is
 * told too, so that what comes then is not spread over all of it.
 */
enum {
	THROTTLE_MAX_WATCHED = 512,
	THROTTLE_MAX_FOREIGN = 256 /* of them made by no engine or runtime: a payload can make them at will */
};
#define THROTTLE_TELL_NS 1000000000ULL
#define THROTTLE_CALM_NS 1500000000ULL
/* Twenty readings a second in all, as far as that is between so often and a second for each. */
#define THROTTLE_READ_NS 100000000ULL
#define THROTTLE_READ_SHARE_NS 50000000ULL
#define THROTTLE_READ_MOST_NS 1000000000ULL
/* And all told at once, from the quota on until the container's init has executed, but not for long. */
#define THROTTLE_START_READ_NS 10000000ULL
#define THROTTLE_START_NS 10000000000ULL

struct throttle_watch {
	uint64_t id; /* of the cgroup */
	uint32_t init; /* the container's first process, 0 = not known */
	int init_fd;   /* its pidfd, -1 = none; the caller's */
	bool foreign, starting;
	bool wanted;   /* the next reading is told if there is any news in it */
	bool lifted;   /* there is no quota any more */
	unsigned int failures; /* in a row */
	uint64_t since_ns, due_ns;
	uint64_t read_ns, told_ns; /* of the last reading, and of the last that was told; 0 = none yet */
	struct cpu_stat stat, told;
	char text[EVENT_STRING];
};

struct throttle_set {
	struct throttle_watch *items;
	size_t count, capacity, foreign;
	uint64_t unwatched; /* for want of room, or gone before they were read at all */
};

enum throttle_quota { QUOTA_NOT_IT /* another file */, QUOTA_SET, QUOTA_LIFTED };

/* What this value of this cgroup file says about a CPU quota: cpu.cfs_quota_us (v1), cpu.max (v2). */
enum throttle_quota throttle_quota(const char *file, const char *value);

struct throttle_watch *throttle_find(const struct throttle_set *set, uint64_t id);

/* The watch of that cgroup, new or not; NULL where there is no room, which is counted. */
struct throttle_watch *throttle_add(struct throttle_set *set, uint64_t id, bool foreign, bool starting,
	uint64_t now_ns);
/* The last one takes its place. One that was never read is counted. */
void throttle_remove(struct throttle_set *set, struct throttle_watch *w);

/* Told of a reading of read_ns; now_ns may be later. */
typedef void throttle_teller(void *arg, uint64_t id, const char *text, uint64_t read_ns, uint64_t now_ns);

/* Takes a reading and tells what is worth it. False where the text is no cpu.stat of a cgroup with a CPU
 * controller. */
bool throttle_take(struct throttle_set *set, struct throttle_watch *w, const char *text, uint64_t now_ns,
	throttle_teller *tell, void *arg);

/* There will be no more readings: tells the last one unless it was. */
void throttle_last_word(struct throttle_watch *w, uint64_t now_ns, throttle_teller *tell, void *arg);

/* Its init has executed: what is read from now on is the run's. */
void throttle_started(struct throttle_watch *w, uint32_t init, uint64_t now_ns);

void throttle_set_free(struct throttle_set *set);

#endif
