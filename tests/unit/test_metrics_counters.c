/* SPDX-License-Identifier: Apache-2.0 */
/* What /metrics counts of losses and bounds: each line is there before anything happened, and rises when the thing happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exporters/json.h"
#include "exporters/prometheus.h"
#include "timeline/timeline_internal.h"
#include "unit/event_builder.h"
#include "util/array.h"
#include "util/cleanup.h"

static struct facts facts = { .ctrace_version = "1.0", .kernel = "6.1", .cgroup_mode = "hybrid" };
static struct prometheus *metrics;

static int setup_metrics(void **state)
{
	setup(state);
	metrics = prometheus_new(&facts, &(struct prometheus_options){ .max_containers = 2, .grace_ns = 60000 * MS });
	timeline_listen(tl, prometheus_changed, metrics);
	return 0;
}

static int teardown_metrics(void **state)
{
	prometheus_free(metrics);
	return teardown(state);
}

/* The value of a line; fails where there is none. */
static uint64_t value_of(const struct prometheus_host *host, const char *series)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	_cleanup_free_ char *start = xasprintf("\n%s ", series);
	const char *line;

	prometheus_write(metrics, tl, host, METRICS_TEXT, &text);
	line = strstr(text.text, start);
	if (!line)
		fail_msg("%s is not there", series);
	return strtoull(line + strlen(start), NULL, 10);
}

static uint64_t counted(const char *series)
{
	static const struct prometheus_host host = { .has_stream = true };

	return value_of(&host, series);
}

static void tell(const char *id, const char *key, const char *value)
{
	struct event_meta e = meta_of(id, key, value);

	feed(&e);
	prometheus_event(metrics, &e.h);
}

static void events(void **state)
{
	static const char forks[] = "ctrace_events_total{event=\"fork\"}", exits_seen[] = "ctrace_events_total{event=\"exit\"}";
	struct proc p = new_proc(100), child = fork_of(&p, 101, 0, 0);

	(void)state;
	assert_int_equal(counted(forks), 1);
	exits(&child, 0);
	fork_of(&p, 102, 0, 0);
	assert_int_equal(counted(forks), 2);
	assert_int_equal(counted(exits_seen), 1);
}

/* Where a reason is told; what is not watched is no lost event. NULL: nowhere, it is a reader's, and not the server's. */
static char *series_of(uint32_t reason)
{
	static const char *const unwatched[] = { [LOSS_UNWATCHED] = "cgroups", [LOSS_UNNAMED] = "names", [LOSS_UNHEARD] = "networks" };

	if (reason == LOSS_STREAM)
		return NULL;
	return reason < LOSS_UNWATCHED ? xasprintf("ctrace_events_lost_total{reason=\"%s\"}", json_loss_name(reason))
				       : xasprintf("ctrace_unwatched_total{what=\"%s\"}", unwatched[reason]);
}

/* Of each reason a line, whether anything was lost or not; totals of several kinds add up, and none falls. */
static void losses(void **state)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	(void)state;
	for (uint32_t i = LOSS_RING_FULL; i <= LOSS_UNHEARD; i++) {
		_cleanup_free_ char *series = series_of(i);
		struct event_lost e = { .h = { .kind = EVENT_LOST, .size = sizeof(e) }, .reason = i };

		if (!series)
			continue;
		assert_int_equal(counted(series), 0);
		for (uint32_t kind = EVENT_FORK; kind <= EVENT_EXEC; kind++) {
			e.lost_kind = kind;
			e.count = 7 + i;
			prometheus_event(metrics, &e.h);
		}
		assert_int_equal(counted(series), 2 * (7 + i));
		e.count = 1;
		prometheus_event(metrics, &e.h);
		assert_int_equal(counted(series), 2 * (7 + i));
	}
	prometheus_write(metrics, tl, &(struct prometheus_host){ 0 }, METRICS_TEXT, &text);
	assert_null(strstr(text.text, "reason=\"stream\""));
}

static void malformed(void **state)
{
	struct event_fork e = { .h = { .kind = EVENT_FORK, .size = sizeof(struct event), .time_ns = now } };

	(void)state;
	assert_int_equal(counted("ctrace_events_refused_total"), 0);
	assert_true(timeline_feed(tl, &e.h) < 0); /* too short */
	e.h.kind = 9999;
	e.h.size = sizeof(e);
	assert_true(timeline_feed(tl, &e.h) < 0);
	assert_int_equal(counted("ctrace_events_refused_total"), 2);
}

static void names(void **state)
{
	char id[32];

	(void)state;
	for (int i = 0; i < META_MAX; i++) {
		snprintf(id, sizeof(id), "early%d", i);
		tell(id, "name", "x");
	}
	assert_int_equal(counted("ctrace_names_forgotten_total"), 0);
	tell("one-more", "name", "x");
	tell("unseen", "label.x", "y");
	assert_int_equal(counted("ctrace_names_forgotten_total"), 2);
}

static void clients(void **state)
{
	(void)state;
	for (int i = 0; i <= CLI_MAX; i++) {
		struct proc client = new_proc(1000 + (uint32_t)i);

		assert_int_equal(counted("ctrace_clients_ignored_total"), 0);
		exec_as(&client, ROLE_CLI, "ctr", "ctr run image x");
	}
	assert_int_equal(counted("ctrace_clients_ignored_total"), 1);
}

static void callers(void **state)
{
	char id[32];

	(void)state;
	for (int i = 0; i < SPAN_PARENTS + 3; i++) {
		assert_int_equal(counted("ctrace_callers_forgotten_total"), i > SPAN_PARENTS ? i - SPAN_PARENTS : 0);
		snprintf(id, sizeof(id), "called%d", i);
		tell(id, SPAN_PARENT_NOTE, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	}
	assert_int_equal(counted("ctrace_callers_forgotten_total"), 3);
}

/* Steps of a runtime that no container claims wait for one, as many as there is room for. */
static void unclaimed_steps(void **state)
{
	struct proc runtime = new_proc(100);

	(void)state;
	exec_as(&runtime, ROLE_RUNTIME, "runc", "runc features");
	for (int i = 0; i < ORPHAN_MAX; i++) {
		enter(&runtime, OP_MOUNT, "proc", "/proc", 0);
		leave(&runtime, OP_MOUNT, 0);
	}
	assert_in_range(counted("ctrace_steps_unattributed_total"), 0, 8);
	for (int i = 0; i < 100; i++) {
		enter(&runtime, OP_MOUNT, "proc", "/proc", 0);
		leave(&runtime, OP_MOUNT, 0);
	}
	assert_in_range(counted("ctrace_steps_unattributed_total"), 100, 108);
}

/* One after the other, each with an end: what is kept of them is bounded, and so are the series. */
static void many_containers(void **state)
{
	char id[32];

	(void)state;
	timeline_free(tl);
	tl = timeline_new(&(struct timeline_config){ .cgroup_hierarchy = 1, .root_pid_ns = HOST_NS, .root_mnt_ns = HOST_NS,
		.root_net_ns = HOST_NS, .page_size = 4096, .hierarchy_count = 1, .hierarchies = { { .id = 1, .controllers = "memory" } },
		.max_ended = 4 });
	timeline_listen(tl, prometheus_changed, metrics);
	for (uint32_t i = 0; i < 20; i++) {
		struct proc runc = new_proc(1000 + i * 10), init;

		prometheus_step(metrics, tl, now);
		snprintf(id, sizeof(id), "c%u", i);
		init = runc_run(&runc, id, 100 + i);
		runc_gone(&runc, &init, id, 100 + i, 0);
		tick();
	}
	assert_int_equal(counted("ctrace_container_starts_total{runtime=\"runc\",result=\"started\"}"), 20);
	assert_in_range(counted("ctrace_containers_forgotten_total"), 14, 16);
	assert_int_equal(counted("ctrace_containers_without_series_total"), 0); /* those that have ended made room */
	for (uint32_t i = 20; i < 25; i++) {
		struct proc runc = new_proc(1000 + i * 10);

		snprintf(id, sizeof(id), "c%u", i);
		runc_run(&runc, id, 100 + i);
	}
	assert_int_equal(counted("ctrace_containers_without_series_total"), 3);
	assert_int_equal(counted("ctrace_containers{state=\"running\"}"), 5);
}

/* What only the server itself can tell: each figure has its line. */
static void told_by_the_server(void **state)
{
	struct prometheus_host host = { .has_stream = true, .stream_clients = 11, .history_bytes = 12, .history_dropped = 13,
		.stream_lost = 14, .scrapes = 15, .scrapes_refused = 16, .connections_delayed = 17, .reloads = 19, .reloads_refused = 1,
		.stream_refused = 27, .stream_left = 28, .connects_dropped = 29,
		.exporters = { { "otlp", 21, 22, 23 } }, .exporter_count = 1, .resident_bytes = 24, .open_fds = 25,
		.programs = { { "fork", 26000000000 } }, .program_count = 1 };
	static const struct {
		const char *series;
		uint64_t value;
	} lines[] = {
		{ "ctrace_stream_clients", 11 }, { "ctrace_stream_history_bytes", 12 },
		{ "ctrace_stream_history_events_dropped_total", 13 }, { "ctrace_stream_events_lost_total", 14 },
		{ "ctrace_stream_clients_refused_total", 27 },
		{ "ctrace_stream_clients_left_total", 28 }, { "ctrace_http_connects_dropped_total", 29 },
		{ "ctrace_scrapes_total", 15 }, { "ctrace_http_requests_refused_total", 16 },
		{ "ctrace_http_connections_delayed_total", 17 }, { "ctrace_config_reloads_total{result=\"taken\"}", 18 },
		{ "ctrace_config_reloads_total{result=\"refused\"}", 1 }, { "ctrace_config_last_reload_successful", 1 },
		{ "ctrace_exporter_sent_total{exporter=\"otlp\"}", 21 }, { "ctrace_exporter_failed_total{exporter=\"otlp\"}", 22 },
		{ "ctrace_exporter_dropped_total{exporter=\"otlp\"}", 23 }, { "process_resident_memory_bytes", 24 },
		{ "process_open_fds", 25 }, { "ctrace_bpf_program_run_seconds_total{program=\"fork\"}", 26 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (value_of(&host, lines[i].series) != lines[i].value)
			fail_msg("%s is not %d", lines[i].series, (int)lines[i].value);
	}
	host.last_reload_refused = true;
	host.reloads_refused++;
	assert_int_equal(value_of(&host, "ctrace_config_last_reload_successful"), 0);
	assert_int_equal(value_of(&host, "ctrace_config_reloads_total{result=\"refused\"}"), 2);
}

#define with_metrics(test) cmocka_unit_test_setup_teardown(test, setup_metrics, teardown_metrics)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_metrics(events), with_metrics(losses), with_metrics(malformed), with_metrics(names), with_metrics(clients),
		with_metrics(callers), with_metrics(unclaimed_steps), with_metrics(many_containers), with_metrics(told_by_the_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
