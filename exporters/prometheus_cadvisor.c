/* SPDX-License-Identifier: Apache-2.0 */
/* container_* with cAdvisor's names and labels, so that its dashboards and alerts go on working. */
#include <stddef.h>
#include <stdlib.h>

#include "exporters/prometheus_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

enum unit { PLAIN, NANOSECONDS, MICROSECONDS };

#define STAT(member) offsetof(struct prometheus_usage, stats.member)
#define MEMORY(member) offsetof(struct prometheus_usage, memory.member)
#define USAGE(member) offsetof(struct prometheus_usage, member)

static const struct family {
	const char *name, *help;
	enum metric_type type;
	enum unit unit;
	size_t offset; /* of an int64_t in struct prometheus_usage */
	bool has_cpu;  /* the label cpu="total" */
} families[] = {
	{ "container_cpu_usage_seconds", "Cumulative cpu time consumed in seconds.", METRIC_COUNTER, NANOSECONDS,
		STAT(cpu_usage_ns), true },
	{ "container_cpu_user_seconds", "Cumulative user cpu time consumed in seconds.", METRIC_COUNTER, NANOSECONDS,
		STAT(cpu_user_ns), false },
	{ "container_cpu_system_seconds", "Cumulative system cpu time consumed in seconds.", METRIC_COUNTER, NANOSECONDS,
		STAT(cpu_system_ns), false },
	{ "container_cpu_cfs_periods", "Number of elapsed enforcement period intervals.", METRIC_COUNTER, PLAIN,
		STAT(cpu_periods), false },
	{ "container_cpu_cfs_throttled_periods", "Number of throttled period intervals.", METRIC_COUNTER, PLAIN,
		STAT(cpu_throttled), false },
	{ "container_cpu_cfs_throttled_seconds", "Total time duration the container has been throttled.", METRIC_COUNTER,
		NANOSECONDS, STAT(cpu_throttled_ns), false },
	{ "container_spec_cpu_quota", "CPU quota of the container.", METRIC_GAUGE, PLAIN, STAT(cpu_quota_us), false },
	{ "container_spec_cpu_period", "CPU period of the container.", METRIC_GAUGE, PLAIN, STAT(cpu_period_us), false },
	{ "container_memory_usage_bytes", "Current memory usage in bytes, including all memory.", METRIC_GAUGE, PLAIN,
		STAT(memory_usage), false },
	{ "container_memory_max_usage_bytes", "Maximum memory usage recorded in bytes.", METRIC_GAUGE, PLAIN,
		STAT(memory_peak), false },
	{ "container_memory_working_set_bytes", "Current working set in bytes.", METRIC_GAUGE, PLAIN, MEMORY(working_set), false },
	{ "container_memory_rss", "Size of RSS in bytes.", METRIC_GAUGE, PLAIN, MEMORY(anonymous), false },
	{ "container_memory_cache", "Number of bytes of page cache memory.", METRIC_GAUGE, PLAIN, MEMORY(cache), false },
	{ "container_memory_swap", "Container swap usage in bytes.", METRIC_GAUGE, PLAIN, STAT(memory_swap_usage), false },
	{ "container_memory_failcnt", "Number of memory usage hits limits.", METRIC_COUNTER, PLAIN, STAT(memory_reclaims),
		false },
	{ "container_spec_memory_limit_bytes", "Memory limit for the container.", METRIC_GAUGE, PLAIN, STAT(memory_limit),
		false },
	{ "container_oom_events", "Count of out of memory events observed for the container.", METRIC_COUNTER, PLAIN,
		STAT(oom_kills), false },
	{ "container_threads", "Number of threads running inside the container.", METRIC_GAUGE, PLAIN, STAT(pids), false },
	{ "container_threads_max", "Maximum number of threads allowed inside the container, infinity if value is zero.",
		METRIC_GAUGE, PLAIN, STAT(pids_limit), false },
	{ "container_fs_reads_bytes", "Cumulative count of bytes read.", METRIC_COUNTER, PLAIN, STAT(io_read_bytes), false },
	{ "container_fs_writes_bytes", "Cumulative count of bytes written.", METRIC_COUNTER, PLAIN, STAT(io_write_bytes), false },
	{ "container_pressure_cpu_waiting_seconds", "Total time tasks waited for cpu.", METRIC_COUNTER, MICROSECONDS,
		USAGE(cpu_some_us), false },
	{ "container_pressure_cpu_stalled_seconds", "Total time all tasks were stalled on cpu.", METRIC_COUNTER,
		MICROSECONDS, USAGE(cpu_full_us), false },
	{ "container_pressure_memory_waiting_seconds", "Total time tasks waited for memory.", METRIC_COUNTER, MICROSECONDS,
		USAGE(memory_some_us), false },
	{ "container_pressure_memory_stalled_seconds", "Total time all tasks were stalled on memory.", METRIC_COUNTER,
		MICROSECONDS, USAGE(memory_full_us), false },
	{ "container_pressure_io_waiting_seconds", "Total time tasks waited for io.", METRIC_COUNTER, MICROSECONDS,
		USAGE(io_some_us), false },
	{ "container_pressure_io_stalled_seconds", "Total time all tasks were stalled on io.", METRIC_COUNTER, MICROSECONDS,
		USAGE(io_full_us), false },
};

/* The samples of a container differ in their names and values alone. */
struct labels {
	struct strbuf text;
	size_t *ends; /* of each container's */
};

/* id is the cgroup's path, name the container's, or its id where it has none. */
static void make_labels(struct labels *l, const struct prometheus *p)
{
	l->ends = xcalloc(p->tracked.count + 1, sizeof(*l->ends));
	for (size_t i = 0; i < p->tracked.count; i++) {
		const struct tracked *t = p->tracked.entries[i].value;
		struct metrics_writer w = { .sb = &l->text };

		metrics_label(&w, "id", t->cgroup ? t->cgroup : t->id);
		metrics_label(&w, "image", t->image ? t->image : "");
		metrics_label(&w, "name", t->name ? t->name : t->id);
		l->ends[i] = l->text.length;
	}
}

static void add_labels(struct metrics_writer *w, const struct labels *l, size_t i)
{
	size_t start = (i ? l->ends[i - 1] : 0) + 1;

	metrics_labels(w, l->text.text + start, l->ends[i] - start);
}

static int64_t value_of(const struct tracked *t, const struct family *f)
{
	return *(const int64_t *)((const char *)&t->usage + f->offset);
}

/* -1 is "no limit": cAdvisor writes that as 0, but for CPU not at all. */
static bool is_told(const struct tracked *t, const struct family *f)
{
	int64_t value = value_of(t, f);

	return t->has_usage && value != CGROUP_UNSET && (value >= 0 || f->offset != STAT(cpu_quota_us));
}

static void add_value(struct metrics_writer *w, const struct family *f, int64_t value)
{
	uint64_t v = value < 0 ? 0 : value;

	if (f->unit == PLAIN)
		metrics_u64(w, v);
	else
		metrics_seconds(w, f->unit == MICROSECONDS ? v * 1000 : v);
}

static void write_family(const struct prometheus *p, struct metrics_writer *w, const struct labels *l, const struct family *f)
{
	bool begun = false;

	for (size_t i = 0; i < p->tracked.count; i++) {
		const struct tracked *t = p->tracked.entries[i].value;

		if (!is_told(t, f))
			continue;
		if (!begun)
			metrics_family(w, f->name, f->type, f->help);
		begun = true;
		metrics_sample(w, f->type == METRIC_COUNTER ? METRIC_COUNTER_SUFFIX : "");
		if (f->has_cpu)
			metrics_label(w, "cpu", "total");
		add_labels(w, l, i);
		add_value(w, f, value_of(t, f));
	}
}

static void write_times(const struct prometheus *p, struct metrics_writer *w, const struct labels *l)
{
	metrics_family(w, "container_start_time_seconds", METRIC_GAUGE, "Start time of the container since unix epoch.");
	for (size_t i = 0; i < p->tracked.count; i++) {
		const struct tracked *t = p->tracked.entries[i].value;

		if (!t->begun_ns)
			continue;
		metrics_sample(w, "");
		add_labels(w, l, i);
		metrics_seconds(w, prometheus_wall_ns(p, t->begun_ns));
	}
	metrics_family(w, "container_last_seen", METRIC_GAUGE, "Last time the container was looked at.");
	for (size_t i = 0; i < p->tracked.count; i++) {
		const struct tracked *t = p->tracked.entries[i].value;

		if (!t->has_usage)
			continue;
		metrics_sample(w, "");
		add_labels(w, l, i);
		metrics_seconds(w, t->usage.wall_ns);
	}
}

void prometheus_write_cadvisor(const struct prometheus *p, struct metrics_writer *w)
{
	struct labels labels = { 0 };

	make_labels(&labels, p);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		write_family(p, w, &labels, &families[i]);
	write_times(p, w, &labels);
	strbuf_free(&labels.text);
	free(labels.ends);
}
