/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_METRICS_H
#define CTRACE_METRICS_H

/*
 * Metric families as Prometheus reads them, in its text format 0.0.4 or in OpenMetrics 1.0:
 *
 *   metrics_family(w, "ctrace_events", METRIC_COUNTER, "Events taken, by kind.");
 *   metrics_sample(w, METRIC_COUNTER_SUFFIX);
 *   metrics_label(w, "event", "fork");
 *   metrics_u64(w, 5);
 *
 * Label values may be any bytes: they are cut to METRICS_LABEL_MAX, and what is no printable UTF-8 is escaped first.
 */

#include <stdint.h>

#include "util/strbuf.h"

enum metrics_format { METRICS_TEXT, METRICS_OPENMETRICS };
enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

#define METRIC_COUNTER_SUFFIX "_total"

enum { METRICS_LABEL_MAX = 200 /* bytes, before they are escaped */ };

struct metrics_writer {
	struct strbuf *sb;
	enum metrics_format format;
	const char *family;
	enum metric_type type;
	bool has_labels; /* of the sample that is being written */
};

/* The content type that goes with a format. */
const char *metrics_content_type(enum metrics_format format);

/* Which format a client that sends this Accept header wants most; accept may be NULL. */
enum metrics_format metrics_negotiate(const char *accept);

/* name is without "_total", help is our own words. */
void metrics_family(struct metrics_writer *w, const char *name, enum metric_type type, const char *help);

/* A sample: its labels, then one of the values. suffix: "", METRIC_COUNTER_SUFFIX, "_bucket"... */
void metrics_sample(struct metrics_writer *w, const char *suffix);
void metrics_label(struct metrics_writer *w, const char *key, const char *value);
/* Labels that were written once for many samples: what metrics_label made of them, without the first byte. */
void metrics_labels(struct metrics_writer *w, const char *labels, size_t length);
void metrics_u64(struct metrics_writer *w, uint64_t value);
/* Nanoseconds, written as seconds, exactly. */
void metrics_seconds(struct metrics_writer *w, uint64_t ns);

/* An info metric: a gauge of 1 named NAME_info in both formats. */
void metrics_info(struct metrics_writer *w);

/* The end of everything. */
void metrics_end(struct metrics_writer *w);

/* ---- histograms of durations ---- */

enum { HISTOGRAM_MAX = 16 };

struct exemplar {
	char trace_id[33]; /* "" = none */
	uint64_t value_ns;
	uint64_t wall_ns;
};

struct histogram {
	const uint64_t *bounds_ns; /* HISTOGRAM_MAX at most, rising; the one to infinity is not among them */
	size_t bound_count;
	uint64_t counts[HISTOGRAM_MAX + 1];
	struct exemplar exemplars[HISTOGRAM_MAX + 1];
	uint64_t sum_ns, count;
};

/* trace_id may be NULL. */
void histogram_observe(struct histogram *h, uint64_t ns, const char *trace_id, uint64_t wall_ns);

/* Writes all its samples; labels: pairs of keys and values, NULL at the end. */
void metrics_histogram(struct metrics_writer *w, const struct histogram *h, const char *const *labels);

#endif
