/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/array.h"
#include "util/cleanup.h"

const char *metrics_content_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
		"text/plain; version=0.0.4; charset=utf-8";
}

/* The weight of one media range ("application/openmetrics-text;version=1.0.0;q=0.5"), in thousandths. */
static long range_weight(const char *range, size_t length)
{
	_cleanup_free_ char *text = xstrndup(range, length);
	double weight = 1;

	for (char *p = strchr(text, ';'); p; p = strchr(p, ';')) {
		p += 1 + strspn(p + 1, " \t");
		if (!strncasecmp(p, "q=", 2))
			weight = strtod(p + 2, NULL);
	}
	return weight >= 0 && weight <= 1 ? (long)(weight * 1000) : 0; /* none of a weight that is no number */
}

static bool is_type(const char *range, size_t length, const char *type)
{
	size_t n = strcspn(range, ";, \t");

	return n <= length && n == strlen(type) && !strncasecmp(range, type, n);
}

enum metrics_format metrics_negotiate(const char *accept)
{
	long open = 0, text = 0;

	for (const char *p = accept; p && *p;) {
		size_t length;

		p += strspn(p, " \t,");
		length = strcspn(p, ",");
		if (is_type(p, length, "application/openmetrics-text")) {
			long weight = range_weight(p, length);

			open = weight > open ? weight : open;
		} else if (is_type(p, length, "text/plain") || is_type(p, length, "text/*") || is_type(p, length, "*/*")) {
			long weight = range_weight(p, length);

			text = weight > text ? weight : text;
		}
		p += length;
	}
	return open && open >= text ? METRICS_OPENMETRICS : METRICS_TEXT;
}

/* A counter is named without its suffix in OpenMetrics, with it in the older format; an info has one in both,
 * but OpenMetrics does not say so. */
void metrics_family(struct metrics_writer *w, const char *name, enum metric_type type, const char *help)
{
	static const char *const types[] = { "counter", "gauge", "histogram", "info" };
	bool open = w->format == METRICS_OPENMETRICS;
	const char *suffix = open ? "" : type == METRIC_COUNTER ? "_total" : type == METRIC_INFO ? "_info" : "";

	w->family = name;
	w->type = type;
	strbuf_printf(w->sb, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix,
		type == METRIC_INFO && !open ? "gauge" : types[type]);
}

void metrics_sample(struct metrics_writer *w, const char *suffix)
{
	strbuf_puts(w->sb, w->family);
	strbuf_puts(w->sb, suffix);
	w->has_labels = false;
}

/* Cut at a character's boundary where the bytes are UTF-8. */
static size_t cut_length(const char *value)
{
	size_t length = strlen(value), at = 0;

	if (length <= METRICS_LABEL_MAX)
		return length;
	while (at < METRICS_LABEL_MAX) {
		size_t n = utf8_sequence(value + at, length - at);

		n = n ? n : 1;
		if (at + n > METRICS_LABEL_MAX)
			break;
		at += n;
	}
	return at;
}

/* Most values need no escaping at all. */
static bool is_plain(const char *value)
{
	const unsigned char *p = (const unsigned char *)value;

	for (; *p; p++) {
		if (*p < 0x20 || *p >= 0x7f || *p == '"' || *p == '\\')
			return false;
	}
	return p - (const unsigned char *)value <= METRICS_LABEL_MAX;
}

void metrics_label(struct metrics_writer *w, const char *key, const char *value)
{
	struct strbuf escaped = { 0 };
	const char *p = value;

	strbuf_putc(w->sb, w->has_labels ? ',' : '{');
	strbuf_puts(w->sb, key);
	strbuf_puts(w->sb, "=\"");
	if (!is_plain(value)) {
		strbuf_escape(&escaped, value, cut_length(value));
		p = escaped.text ? escaped.text : "";
	}
	for (; *p; p++) {
		if (*p == '"' || *p == '\\')
			strbuf_putc(w->sb, '\\');
		strbuf_putc(w->sb, *p);
	}
	strbuf_putc(w->sb, '"');
	strbuf_free(&escaped);
	w->has_labels = true;
}

void metrics_labels(struct metrics_writer *w, const char *labels, size_t length)
{
	strbuf_putc(w->sb, w->has_labels ? ',' : '{');
	strbuf_add(w->sb, labels, length);
	w->has_labels = true;
}

static void begin_value(struct metrics_writer *w)
{
	strbuf_puts(w->sb, w->has_labels ? "} " : " ");
}

void metrics_u64(struct metrics_writer *w, uint64_t value)
{
	begin_value(w);
	strbuf_printf(w->sb, "%" PRIu64 "\n", value);
}

/* No locale, no rounding; "1.0", never "1", as OpenMetrics writes bounds. */
static char *format_seconds(char buffer[32], uint64_t ns)
{
	int n = snprintf(buffer, 32, "%" PRIu64 ".%09" PRIu64, ns / UINT64_C(1000000000), ns % UINT64_C(1000000000));

	while (buffer[n - 1] == '0' && buffer[n - 2] != '.')
		buffer[--n] = '\0';
	return buffer;
}

void metrics_seconds(struct metrics_writer *w, uint64_t ns)
{
	char text[32];

	begin_value(w);
	strbuf_puts(w->sb, format_seconds(text, ns));
	strbuf_putc(w->sb, '\n');
}

void metrics_info(struct metrics_writer *w)
{
	begin_value(w);
	strbuf_puts(w->sb, "1\n");
}

void metrics_end(struct metrics_writer *w)
{
	if (w->format == METRICS_OPENMETRICS)
		strbuf_puts(w->sb, "# EOF\n");
}

/* ---- histograms ---- */

void histogram_observe(struct histogram *h, uint64_t ns, const char *trace_id, uint64_t wall_ns)
{
	size_t i = 0;

	while (i < h->bound_count && ns > h->bounds_ns[i])
		i++;
	h->counts[i]++;
	h->count++;
	h->sum_ns += ns;
	if (!trace_id || wall_ns <= h->exemplars[i].wall_ns) /* Prometheus refuses one that is older than the last */
		return;
	snprintf(h->exemplars[i].trace_id, sizeof(h->exemplars[i].trace_id), "%s", trace_id);
	h->exemplars[i].value_ns = ns;
	h->exemplars[i].wall_ns = wall_ns;
}

static void histogram_sample(struct metrics_writer *w, const char *suffix, const char *const *labels)
{
	metrics_sample(w, suffix);
	for (size_t i = 0; labels[i]; i += 2)
		metrics_label(w, labels[i], labels[i + 1]);
}

static void add_exemplar(struct metrics_writer *w, const struct exemplar *e)
{
	char value[32], at[32];

	if (w->format != METRICS_OPENMETRICS || !e->trace_id[0])
		return;
	strbuf_printf(w->sb, " # {trace_id=\"%s\"} %s %s", e->trace_id, format_seconds(value, e->value_ns),
		format_seconds(at, e->wall_ns));
}

void metrics_histogram(struct metrics_writer *w, const struct histogram *h, const char *const *labels)
{
	uint64_t below = 0;
	char bound[32];

	for (size_t i = 0; i <= h->bound_count; i++) {
		below += h->counts[i];
		histogram_sample(w, "_bucket", labels);
		metrics_label(w, "le", i < h->bound_count ? format_seconds(bound, h->bounds_ns[i]) : "+Inf");
		strbuf_printf(w->sb, "} %" PRIu64, below);
		add_exemplar(w, &h->exemplars[i]);
		strbuf_putc(w->sb, '\n');
	}
	histogram_sample(w, "_sum", labels);
	metrics_seconds(w, h->sum_ns);
	histogram_sample(w, "_count", labels);
	metrics_u64(w, h->count);
}
