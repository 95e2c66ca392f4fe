/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: records of any bytes, in any order, through the timeline and every text that is made of
 * it. What must hold whatever comes in: no step or phase ends before it begins, indexes point where there is
 * something, output is one line per JSON document. (fuzz_lifecycle.c asks more, of plausible events.)
 */
#include "fuzz/fuzz.h"

#include "exporters/export.h"
#include "exporters/json.h"
#include "exporters/waterfall.h"
#include "timeline/timeline.h"

static void check_container(const struct container *c)
{
	for (size_t i = 0; i < c->step_count; i++) {
		require(c->steps[i].start_ns <= c->steps[i].end_ns);
		require(c->steps[i].actor >= -1 && c->steps[i].actor < (int)c->actor_count);
		require(i == 0 || c->steps[i - 1].start_ns <= c->steps[i].start_ns);
	}
	for (size_t i = 0; i < c->phase_count; i++)
		require(c->phases[i].start_ns <= c->phases[i].end_ns);
	for (size_t i = 0; i < c->actor_count; i++)
		require(c->actors[i].parent >= -1 && c->actors[i].parent < (int)c->actor_count);
	for (size_t i = 0; i < c->gap_count; i++)
		require(c->gaps[i].start_ns < c->gaps[i].end_ns);
}

static const struct span_context spans;

/* Every format takes whatever the timeline makes, and lets no control byte through. */
static void check_exports(const struct container *c)
{
	static const struct export_format *const formats[] = { &export_perfetto, &export_html, &export_mermaid, &export_otlp,
		&export_otlp_protobuf };
	static const struct facts facts;
	struct export e = { .facts = &facts, .spans = &spans };
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		formats[i]->container(&sb, &e, c);
		for (size_t k = 0; k < sb.length && formats[i] != &export_otlp_protobuf; k++)
			require(sb.text[k] == '\n' || (unsigned char)sb.text[k] >= 0x20);
		strbuf_reset(&sb);
	}
	strbuf_free(&sb);
}

static void check_text(const struct container *c)
{
	struct waterfall_options options = { .detail = WATERFALL_FULL, .width = 100, .explain = true };
	struct strbuf sb = { 0 };
	const char *newline;

	json_write_timeline(&sb, &spans, c, CHANGE_ENDED);
	newline = strchr(sb.text, '\n');
	require(newline && !newline[1]);
	strbuf_reset(&sb);
	waterfall_print(&sb, c, &options);
	for (size_t i = 0; i < sb.length; i++)
		require(sb.text[i] == '\n' || (unsigned char)sb.text[i] >= 0x20);
	strbuf_free(&sb);
}

/* The input is records end to end; times are made to rise, since capture/order.h sees to that. */
void fuzz_timeline(const uint8_t *data, size_t size)
{
	static const struct timeline_config config = { .cgroup_hierarchy = 1, .root_pid_ns = 1, .root_mnt_ns = 1,
		.page_size = 4096, .hierarchy_count = 1, .hierarchies = { { 1, "memory" } } };
	struct timeline *tl = timeline_new(&config);
	uint64_t now = 1000000000;
	union {
		struct event h;
		uint8_t bytes[4096];
	} record;

	while (size >= sizeof(record.h)) {
		memcpy(&record.h, data, sizeof(record.h));
		if (record.h.size < sizeof(record.h) || record.h.size > size || record.h.size > sizeof(record))
			break;
		memcpy(&record, data, record.h.size);
		now += record.h.time_ns % 1000000000;
		record.h.time_ns = now;
		timeline_feed(tl, &record.h);
		data += record.h.size;
		size -= record.h.size;
	}
	timeline_finish(tl);
	for (size_t i = 0; i < timeline_count(tl); i++) {
		const struct container *c = timeline_get(tl, i);

		check_container(c);
		check_text(c);
		check_exports(c);
	}
	timeline_free(tl);
}

FUZZ_TARGET(fuzz_timeline)
