/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_EXPORT_H
#define CTRACE_EXPORT_H

/* Formats for other programs that hold one container after the other, between a beginning and an end. */

#include "capture/facts.h"
#include "exporters/span_id.h"
#include "timeline/timeline.h"
#include "util/strbuf.h"

struct export {
	const struct facts *facts;
	const struct span_context *spans;
	const struct timeline_stats *stats; /* NULL until the end */
	const char *incomplete;             /* at the end: why the input ended too early, or NULL */
	size_t containers;                  /* that were written before */
	uint64_t origin_ns;                 /* nothing of what will be written is earlier; 0 = the boot */
};

/* Each appends to sb, which may have been written out and emptied since. begin and end may be NULL. */
struct export_format {
	const char *name;
	void (*begin)(struct strbuf *sb, const struct export *e);
	void (*container)(struct strbuf *sb, const struct export *e, const struct container *c);
	void (*end)(struct strbuf *sb, const struct export *e);
};

extern const struct export_format export_perfetto;
extern const struct export_format export_html;
extern const struct export_format export_mermaid;
extern const struct export_format export_otlp, export_otlp_protobuf;

#endif
