/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PROMETHEUS_H
#define CTRACE_PROMETHEUS_H

/*
 * What a serving tracer counts, and how Prometheus reads it. Pure: it is told of events, of changes of
 * containers and of what the host says of itself, and writes metrics.
 *
 * Totals never fall and outlive their containers. Series of one container are there while it lives and for a grace
 * after, for so many containers at most; of those beyond, the host's totals still tell, and how many they are is a
 * metric. No label has more than a bounded number of values: the rest are "other".
 */

#include "capture/facts.h"
#include "cgroup/cgroup.h"
#include "exporters/metrics.h"
#include "timeline/timeline.h"

struct prometheus;

struct prometheus_options {
	size_t max_containers; /* with series of their own */
	uint64_t grace_ns;     /* how long the series of one that has ended stay */
	bool cadvisor;         /* container_* as cAdvisor writes them, besides */
};

/* facts must outlive it. */
struct prometheus *prometheus_new(const struct facts *facts, const struct prometheus_options *options);
void prometheus_free(struct prometheus *p); /* takes NULL */
/* A lower max_containers takes effect at once for those that have ended; those that live keep their series. */
void prometheus_set_options(struct prometheus *p, const struct prometheus_options *options);

/* A timeline_listener; arg is the struct prometheus. */
void prometheus_changed(void *arg, const struct container *c, enum timeline_change change);
/* Every event. */
void prometheus_event(struct prometheus *p, const struct event *event);
/* Time goes by; about once a second. now_ns is of the events' clock. */
void prometheus_step(struct prometheus *p, struct timeline *tl, uint64_t now_ns);

/* What the container's cgroups said last, for --compat=cadvisor. */
struct prometheus_usage {
	struct cgroup_stats stats;
	struct cgroup_memory memory;
	/* Pressure, in microseconds: some, full; CGROUP_UNSET where the host does not tell. */
	int64_t cpu_some_us, cpu_full_us, memory_some_us, memory_full_us, io_some_us, io_full_us;
	uint64_t wall_ns; /* when it was read */
};

/* Whose figures are the oldest, of those that run: its id and init, 0 if there is none with figures older than
 * max_age_ns. now_ns is of the events' clock, which nobody sets. The id is good until the next call of any function here. */
uint32_t prometheus_next_usage(struct prometheus *p, uint64_t now_ns, uint64_t max_age_ns, const char **ret_id,
	const char **ret_cgroup);
/* usage NULL: it could not be read; it is asked for again after max_age. */
void prometheus_set_usage(struct prometheus *p, const char *id, const struct prometheus_usage *usage, uint64_t now_ns);

/* What only the process itself can tell. */
struct prometheus_host {
	uint64_t process_cpu_ns, process_start_wall_ns;
	uint64_t resident_bytes, virtual_bytes, open_fds, max_fds;
	struct {
		const char *name;
		uint64_t run_ns;
	} programs[64];       /* of the kernel side; none unless kernel.bpf_stats_enabled is on */
	size_t program_count;
	struct {
		const char *name;
		uint64_t sent, failed, dropped;
	} exporters[4];
	size_t exporter_count;
	bool has_stream;
	size_t stream_clients, history_bytes;
	uint64_t stream_lost, stream_refused, stream_left, history_dropped;
	uint64_t scrapes, scrapes_refused; /* by the metrics endpoint itself */
	uint64_t connections_delayed;      /* to it, while it had as many as it takes */
	uint64_t connects_dropped;         /* by the kernel, while as many waited as may */
	uint64_t reloads, reloads_refused; /* of the configuration, on SIGHUP */
	bool last_reload_refused;
};

void prometheus_write(struct prometheus *p, struct timeline *tl, const struct prometheus_host *host,
	enum metrics_format format, struct strbuf *sb);

#endif
