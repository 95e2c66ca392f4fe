/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PROMETHEUS_INTERNAL_H
#define CTRACE_PROMETHEUS_INTERNAL_H

#include "exporters/prometheus.h"
#include "exporters/span_id.h"
#include "util/map.h"

enum { RUNTIMES_MAX = 16, FILES_MAX = 128 };

/* Names that came first have an index of their own; later ones share the last one, "other". */
struct names {
	char *items[FILES_MAX];
	size_t count;
};

size_t names_index(struct names *names, size_t most, const char *name);
void names_free(struct names *names);

enum start_result { START_OK, START_FAILED, START_RESULTS };
enum exit_reason { EXIT_OK, EXIT_ERROR, EXIT_SIGNAL, EXIT_OOM, EXIT_UNKNOWN, EXIT_REASONS };
enum oom_scope { SCOPE_CONTAINER, SCOPE_PARENT, SCOPE_HOST, SCOPE_UNKNOWN, SCOPES };

/* A container that has series of its own. */
struct tracked {
	char *id, *name, *image, *engine, *runtime, *pod, *cgroup;
	uint32_t pid;
	uint64_t started_ns; /* 0 = not yet, or before ctrace */
	uint64_t begun_ns;   /* the same, or when its first process began; 0 = not known */
	uint64_t ended_ns;   /* 0 = it goes on */
	bool is_pending;     /* started, and its start is not in the histograms yet */
	bool runs;
	bool has_usage;
	uint64_t asked_ns; /* when its figures were last read, or could not be */
	struct prometheus_usage usage;
};

struct prometheus {
	const struct facts *facts;
	struct prometheus_options o;
	struct span_context spans;
	struct names runtimes, files;
	uint64_t starts[RUNTIMES_MAX][START_RESULTS], exits[RUNTIMES_MAX][EXIT_REASONS];
	struct histogram start_duration[RUNTIMES_MAX];
	struct histogram *phases[ACTOR_ROLE_COUNT][PHASE_COUNT]; /* NULL = none yet */
	uint64_t oom_kills[SCOPES], writes[FILES_MAX];
	uint64_t losses[16][64]; /* by reason and kind: totals, as the events tell them */
	struct map tracked;      /* id -> struct tracked */
	uint64_t untracked;      /* containers that found no room */
	uint64_t now_ns;
};

/* Index into runtimes. */
size_t prometheus_runtime(struct prometheus *p, const struct container *c);

/* prometheus_durations.c: takes what a container's start, or its end, tells of durations. */
void prometheus_observe_start(struct prometheus *p, const struct container *c);
void prometheus_observe_end(struct prometheus *p, const struct container *c);

/* prometheus_cadvisor.c */
void prometheus_write_cadvisor(const struct prometheus *p, struct metrics_writer *w);

uint64_t prometheus_wall_ns(const struct prometheus *p, uint64_t boot_ns);

#endif
