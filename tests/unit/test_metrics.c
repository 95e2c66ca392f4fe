/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: the formats, hostile label values, bounds, and counters that only rise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/recording.h"
#include "exporters/prometheus.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "unit/model_builder.h"

static void the_accept_header_decides(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format format;
	} rows[] = {
		{ NULL, METRICS_TEXT },
		{ "", METRICS_TEXT },
		{ "*/*", METRICS_TEXT },
		{ "text/html", METRICS_TEXT },
		{ "application/openmetrics-text", METRICS_OPENMETRICS },
		{ "application/openmetrics-text; version=1.0.0; charset=utf-8", METRICS_OPENMETRICS },
		/* Prometheus 2.42's own */
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", METRICS_OPENMETRICS },
		{ "application/openmetrics-text;q=0.2, text/plain;q=0.8", METRICS_TEXT },
		{ "application/openmetrics-text;q=0", METRICS_TEXT },
		{ "APPLICATION/OpenMetrics-Text ; q=1", METRICS_OPENMETRICS },
		{ "application/openmetrics-textual", METRICS_TEXT },
		{ ";;;,,,q=,;", METRICS_TEXT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (metrics_negotiate(rows[i].accept) != rows[i].format)
			fail_msg("%s", rows[i].accept ? rows[i].accept : "(none)");
	}
}

static char *label(const char *value)
{
	struct strbuf sb = { 0 };
	struct metrics_writer w = { .sb = &sb };

	metrics_family(&w, "m", METRIC_GAUGE, "h");
	strbuf_reset(&sb);
	metrics_sample(&w, "");
	metrics_label(&w, "l", value);
	metrics_u64(&w, 1);
	return strbuf_steal(&sb);
}

static void label_values_are_escaped(void **state)
{
	static const struct {
		const char *value, *line;
	} rows[] = {
		{ "web", "m{l=\"web\"} 1\n" },
		{ "", "m{l=\"\"} 1\n" },
		{ "a\"b", "m{l=\"a\\\"b\"} 1\n" },
		{ "a\nb", "m{l=\"a\\\\nb\"} 1\n" },
		{ "a\\b", "m{l=\"a\\\\\\\\b\"} 1\n" },
		{ "\x1b[31m", "m{l=\"\\\\x1b[31m\"} 1\n" },
		{ "gr\xc3\xbc\xc3\x9f", "m{l=\"gr\xc3\xbc\xc3\x9f\"} 1\n" },
		{ "\xff\xfe", "m{l=\"\\\\xff\\\\xfe\"} 1\n" },
		{ "\xc3", "m{l=\"\\\\xc3\"} 1\n" },
		{ "\"} 1\nevil 1", "m{l=\"\\\"} 1\\\\nevil 1\"} 1\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *line = label(rows[i].value);

		assert_string_equal(line, rows[i].line);
	}
}

static void long_label_values_are_cut_at_a_character(void **state)
{
	char value[4097], *line;

	(void)state;
	memset(value, 'a', 4096);
	value[4096] = '\0';
	line = label(value);
	assert_int_equal(strlen(line), strlen("m{l=\"\"} 1\n") + METRICS_LABEL_MAX);
	free(line);
	value[0] = 'x';
	for (size_t i = 1; i + 1 < sizeof(value); i += 2)
		memcpy(value + i, "\xc3\xbc", 2);
	value[4095] = '\0';
	line = label(value);
	assert_int_equal(strlen(line), strlen("m{l=\"\"} 1\n") + METRICS_LABEL_MAX - 1);
	free(line);
}

static void histograms_add_up(void **state)
{
	static const uint64_t bounds[] = { 1000000, 1000000000 };
	const char *labels[] = { "runtime", "runc", NULL };
	struct histogram h = { .bounds_ns = bounds, .bound_count = 2 };
	struct strbuf sb = { 0 };
	struct metrics_writer w = { .sb = &sb, .format = METRICS_OPENMETRICS };

	(void)state;
	histogram_observe(&h, 1000000, NULL, 0); /* a bound belongs to its bucket */
	histogram_observe(&h, 1000001, "0123456789abcdef0123456789abcdef", UINT64_C(1700000000500000000));
	histogram_observe(&h, UINT64_C(5000000000), NULL, 0);
	metrics_family(&w, "d_seconds", METRIC_HISTOGRAM, "h");
	metrics_histogram(&w, &h, labels);
	metrics_end(&w);
	assert_string_equal(sb.text,
		"# HELP d_seconds h\n# TYPE d_seconds histogram\n"
		"d_seconds_bucket{runtime=\"runc\",le=\"0.001\"} 1\n"
		"d_seconds_bucket{runtime=\"runc\",le=\"1.0\"} 2 # {trace_id=\"0123456789abcdef0123456789abcdef\"} "
		"0.001000001 1700000000.5\n"
		"d_seconds_bucket{runtime=\"runc\",le=\"+Inf\"} 3\n"
		"d_seconds_sum{runtime=\"runc\"} 5.002000001\n"
		"d_seconds_count{runtime=\"runc\"} 3\n"
		"# EOF\n");
	strbuf_free(&sb);
}

/* ---- the whole of it, told of containers and events ---- */

struct fixture {
	struct facts facts;
	struct timeline *tl;
	struct prometheus *p;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->facts.ctrace_version, "1.0");
	strcpy(f->facts.kernel, "6.1");
	f->facts.start_ns = MB_START;
	f->facts.wall_offset_ns = 1700000000000000000 - (int64_t)MB_START;
	f->tl = timeline_new(&f->facts.timeline);
	f->p = prometheus_new(&f->facts, &(struct prometheus_options){ .max_containers = 3, .grace_ns = 1000000000 });
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	prometheus_free(f->p);
	timeline_free(f->tl);
	free(f);
	return 0;
}

static char *scrape(struct fixture *f, enum metrics_format format)
{
	static const struct prometheus_host host = { .process_cpu_ns = 1, .has_stream = true };
	struct strbuf sb = { 0 };

	prometheus_write(f->p, f->tl, &host, format, &sb);
	return strbuf_steal(&sb);
}

static bool has_line(struct fixture *f, const char *line)
{
	_cleanup_free_ char *text = scrape(f, METRICS_TEXT);
	_cleanup_free_ char *whole = xasprintf("\n%s\n", line);

	return strstr(text, whole);
}

static struct container *start(struct fixture *f, const char *id, const char *runtime)
{
	struct container *c = mb_container(id);

	c->runtime = runtime ? xstrdup(runtime) : NULL;
	c->first_ns = c->created_ns = MB_NS(0);
	prometheus_changed(f->p, c, CHANGE_CREATED);
	c->started_ns = MB_NS(20000);
	c->state = STATE_RUNNING;
	prometheus_changed(f->p, c, CHANGE_STARTED);
	return c;
}

static void end(struct fixture *f, struct container *c, int code, int signal, bool oom)
{
	c->state = STATE_EXITED;
	c->exit = (struct exit_info){ .known = true, .code = code, .signal = signal, .oom = oom, .at_ns = MB_NS(30000) };
	prometheus_changed(f->p, c, CHANGE_EXITED);
	c->ended = true;
	prometheus_changed(f->p, c, CHANGE_ENDED);
	mb_free(c);
}

static void starts_and_exits_are_counted(void **state)
{
	struct fixture *f = *state;
	struct container *failed = mb_container("failed");

	end(f, start(f, "a", "runc"), 0, 0, false);
	end(f, start(f, "b", "runc"), 137, 9, true);
	end(f, start(f, "c", "crun"), 143, 15, false);
	end(f, start(f, "d", "crun"), 1, 0, false);
	failed->runtime = xstrdup("runc");
	prometheus_changed(f->p, failed, CHANGE_CREATED);
	failed->ended = true;
	prometheus_changed(f->p, failed, CHANGE_ENDED);
	mb_free(failed);
	assert_true(has_line(f, "ctrace_container_starts_total{runtime=\"runc\",result=\"started\"} 2"));
	assert_true(has_line(f, "ctrace_container_starts_total{runtime=\"runc\",result=\"failed\"} 1"));
	assert_true(has_line(f, "ctrace_container_exits_total{runtime=\"runc\",reason=\"completed\"} 1"));
	assert_true(has_line(f, "ctrace_container_exits_total{runtime=\"runc\",reason=\"oom\"} 1"));
	assert_true(has_line(f, "ctrace_container_exits_total{runtime=\"crun\",reason=\"signal\"} 1"));
	assert_true(has_line(f, "ctrace_container_exits_total{runtime=\"crun\",reason=\"error\"} 1"));
	assert_true(has_line(f, "ctrace_container_start_duration_seconds_count{runtime=\"runc\"} 2"));
	assert_true(has_line(f, "ctrace_container_start_duration_seconds_sum{runtime=\"runc\"} 0.04"));
}

#define INFO_OF(id) "ctrace_container_info{id=\"" id "\",name=\"\",image=\"\",engine=\"\",runtime=\"runc\",pod=\"\"} 1"

/* Series of their own for three; the totals tell of all. The room of one that ended first is used again. */
static void series_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct container *c[5];
	char id[8];

	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		c[i] = start(f, id, "runc");
	}
	assert_true(has_line(f, "ctrace_containers_without_series_total 2"));
	assert_true(has_line(f, "ctrace_container_info{id=\"c2\",name=\"\",image=\"\",engine=\"\",runtime=\"runc\",pod=\"\"} 1"));
	assert_false(has_line(f, "ctrace_container_info{id=\"c3\",name=\"\",image=\"\",engine=\"\",runtime=\"runc\",pod=\"\"} 1"));
	end(f, c[0], 0, 0, false);
	end(f, start(f, "c5", "runc"), 0, 0, false);
	assert_true(has_line(f, "ctrace_container_info{id=\"c5\",name=\"\",image=\"\",engine=\"\",runtime=\"runc\",pod=\"\"} 1"));
	assert_false(has_line(f, "ctrace_container_info{id=\"c0\",name=\"\",image=\"\",engine=\"\",runtime=\"runc\",pod=\"\"} 1"));
	prometheus_step(f->p, f->tl, MB_NS(3000000));
	assert_false(has_line(f, "ctrace_container_info{id=\"c5\",name=\"\",image=\"\",engine=\"\",runtime=\"runc\",pod=\"\"} 1"));
	assert_true(has_line(f, "ctrace_container_starts_total{runtime=\"runc\",result=\"started\"} 6"));
	for (int i = 1; i < 5; i++)
		mb_free(c[i]);
}

/* A reload that allows fewer: those that ended lose theirs at once, the oldest first, those that live keep theirs, and what
 * comes gets none until there is room. */
static void a_lower_bound_holds(void **state)
{
	static const struct prometheus_options two = { .max_containers = 2, .grace_ns = 60000000000 },
		none = { .max_containers = 0, .grace_ns = 60000000000 };
	struct fixture *f = *state;
	struct container *a = start(f, "a", "runc"), *b = start(f, "b", "runc");

	end(f, start(f, "gone", "runc"), 0, 0, false);
	prometheus_set_options(f->p, &two);
	assert_false(has_line(f, INFO_OF("gone")));
	assert_true(has_line(f, INFO_OF("a")));
	assert_true(has_line(f, INFO_OF("b")));
	end(f, start(f, "c", "runc"), 0, 0, false);
	assert_false(has_line(f, INFO_OF("c")));
	assert_true(has_line(f, "ctrace_containers_without_series_total 1"));
	end(f, a, 0, 0, false);
	end(f, start(f, "d", "runc"), 0, 0, false);
	assert_true(has_line(f, INFO_OF("d")));
	assert_false(has_line(f, INFO_OF("a")));
	prometheus_set_options(f->p, &none);
	assert_false(has_line(f, INFO_OF("d")));
	end(f, b, 0, 0, false);
	end(f, start(f, "e", "runc"), 0, 0, false);
	assert_false(has_line(f, INFO_OF("e")));
	assert_true(has_line(f, "ctrace_containers_without_series_total 2"));
	assert_true(has_line(f, "ctrace_container_starts_total{runtime=\"runc\",result=\"started\"} 6"));
}

static void runtimes_beyond_the_bound_are_others(void **state)
{
	struct fixture *f = *state;
	char runtime[32];

	for (int i = 0; i < 40; i++) {
		snprintf(runtime, sizeof(runtime), "runtime%d", i);
		end(f, start(f, runtime, runtime), 0, 0, false);
	}
	assert_true(has_line(f, "ctrace_container_starts_total{runtime=\"runtime0\",result=\"started\"} 1"));
	assert_true(has_line(f, "ctrace_container_starts_total{runtime=\"other\",result=\"started\"} 25"));
}

static void images_lose_their_digests(void **state)
{
	struct fixture *f = *state;
	struct container *c = mb_container("x");

	c->image = xstrdup("busybox@sha256:0123456789012345678901234567890123456789012345678901234567890123");
	c->name = xstrdup("we\"b\n");
	prometheus_changed(f->p, c, CHANGE_CREATED);
	assert_true(has_line(f, "ctrace_container_info{id=\"x\",name=\"we\\\"b\\\\n\",image=\"busybox\",engine=\"\",runtime=\"\",pod=\"\"} 1"));
	mb_free(c);
}

static void durations_with_a_lost_edge_are_not_counted(void **state)
{
	struct fixture *f = *state;
	struct container *c = mb_container("x");
	int actor = mb_actor(c, ACTOR_RUNTIME, 1, "runc", -1, 0, 20000);

	c->runtime = xstrdup("runc");
	c->first_ns = MB_NS(0);
	prometheus_changed(f->p, c, CHANGE_CREATED);
	mb_step(c, STEP_MOUNT, PHASE_MOUNTS, actor, 1000, 1000, NULL);
	mb_step(c, STEP_MOUNT, PHASE_MOUNTS, actor, 5000, 1000, NULL);
	mb_step(c, STEP_EXEC, PHASE_EXEC, actor, 7000, 1000, NULL)->end_edge = EDGE_LOST;
	c->started_ns = MB_NS(20000);
	c->state = STATE_RUNNING;
	prometheus_changed(f->p, c, CHANGE_STARTED);
	end(f, c, 0, 0, false);
	assert_true(has_line(f, "ctrace_phase_duration_seconds_sum{actor=\"runtime\",phase=\"mounts\"} 0.005"));
	assert_true(has_line(f, "ctrace_phase_duration_seconds_bucket{actor=\"runtime\",phase=\"mounts\",le=\"0.005\"} 1"));
	assert_false(has_line(f, "ctrace_phase_duration_seconds_count{actor=\"runtime\",phase=\"exec\"} 1"));
}

static void oom_kills_tell_whose_limit_it_was(void **state)
{
	struct fixture *f = *state;
	struct event_oom e = { .h = { .kind = EVENT_OOM_VICTIM, .size = sizeof(e) }, .levels = 3, .limit_id = 7 };

	for (int i = 0; i < 3; i++)
		e.chain[i].limit_pages = EVENT_NO_LIMIT;
	e.chain[0].id = 7;
	prometheus_event(f->p, &e.h);
	e.chain[0].id = 5;
	e.chain[2].id = 7;
	prometheus_event(f->p, &e.h);
	e.limit_id = ~UINT64_C(0);
	prometheus_event(f->p, &e.h);
	e.limit_id = 0; /* as some kernels tell */
	prometheus_event(f->p, &e.h);
	e.chain[1].limit_pages = 5000;
	e.chain[1].usage_pages = 4999; /* a batch of charges below it */
	e.h.size = offsetof(struct event_oom, chain[2]);
	prometheus_event(f->p, &e.h);
	e.h.size = sizeof(e.h);
	prometheus_event(f->p, &e.h); /* too short: no OOM kill */
	assert_true(has_line(f, "ctrace_oom_kills_total{scope=\"container\"} 1"));
	assert_true(has_line(f, "ctrace_oom_kills_total{scope=\"parent\"} 2"));
	assert_true(has_line(f, "ctrace_oom_kills_total{scope=\"host\"} 1"));
	assert_true(has_line(f, "ctrace_oom_kills_total{scope=\"unknown\"} 1"));
}

static void losses_never_fall(void **state)
{
	struct fixture *f = *state;
	struct event_lost e = { .h = { .kind = EVENT_LOST, .size = sizeof(e) }, .lost_kind = EVENT_FORK,
		.reason = LOSS_RING_FULL, .count = 10 };

	prometheus_event(f->p, &e.h);
	e.lost_kind = EVENT_EXEC;
	e.count = 5;
	prometheus_event(f->p, &e.h);
	e.count = 3; /* an old word that comes late */
	prometheus_event(f->p, &e.h);
	assert_true(has_line(f, "ctrace_events_lost_total{reason=\"ring_full\"} 15"));
}

/* cAdvisor's names, from figures of cgroups. */
static void cadvisor_names_are_there_when_asked_for(void **state)
{
	struct fixture *f = *state;
	struct container *c = start(f, "x", "runc");
	struct prometheus_usage usage = { 0 };
	const char *id, *cgroup;

	memset(&usage, 0xff, sizeof(usage)); /* -1: no limit */
	usage.stats.cpu_usage_ns = 1500000000;
	usage.stats.memory_usage = 4096;
	usage.stats.oom_kills = CGROUP_UNSET;
	usage.stats.pids = 7;
	usage.stats.io_read_bytes = 8192;
	usage.memory.working_set = 2048;
	prometheus_set_usage(f->p, "x", &usage, 1);
	assert_false(has_line(f, "container_cpu_usage_seconds_total{cpu=\"total\",id=\"x\",image=\"\",name=\"x\"} 1.5"));
	prometheus_set_options(f->p, &(struct prometheus_options){ .max_containers = 3, .grace_ns = 1, .cadvisor = true });
	assert_true(has_line(f, "container_cpu_usage_seconds_total{cpu=\"total\",id=\"x\",image=\"\",name=\"x\"} 1.5"));
	assert_true(has_line(f, "container_memory_usage_bytes{id=\"x\",image=\"\",name=\"x\"} 4096"));
	assert_true(has_line(f, "container_spec_memory_limit_bytes{id=\"x\",image=\"\",name=\"x\"} 0"));
	assert_true(has_line(f, "container_memory_working_set_bytes{id=\"x\",image=\"\",name=\"x\"} 2048"));
	assert_true(has_line(f, "container_threads{id=\"x\",image=\"\",name=\"x\"} 7")); /* what pids.current counts are tasks */
	assert_true(has_line(f, "container_threads_max{id=\"x\",image=\"\",name=\"x\"} 0"));
	assert_true(has_line(f, "container_fs_reads_bytes_total{id=\"x\",image=\"\",name=\"x\"} 8192"));
	assert_false(has_line(f, "container_spec_cpu_quota{id=\"x\",image=\"\",name=\"x\"} 0"));
	assert_false(has_line(f, "container_oom_events_total{id=\"x\",image=\"\",name=\"x\"} 0"));
	assert_true(has_line(f, "container_start_time_seconds{id=\"x\",image=\"\",name=\"x\"} 1700000000.02"));
	assert_int_equal(prometheus_next_usage(f->p, 2, 1, &id, &cgroup), 0); /* it has no process */
	mb_free(c);
}

/* A server that began before the clock was set says when what it knows began, by the clock as it is. NTP's slewing changes
 * nothing. */
static void the_wall_clock_is_followed(void **state)
{
	static const char line[] = "ctrace_container_start_time_seconds{id=\"x\"} ";
	_cleanup_free_ char *before = xasprintf("%s1700000000.02", line), *after = xasprintf("%s1700003600.02", line);
	struct fixture *f = *state;
	struct container *c = start(f, "x", "runc");
	const int64_t offset = f->facts.wall_offset_ns, hour = INT64_C(3600000000000);

	assert_true(has_line(f, before));
	assert_false(facts_follow_wall_clock(&f->facts, offset + 400000000));
	assert_true(has_line(f, before));
	assert_true(facts_follow_wall_clock(&f->facts, offset + hour));
	assert_true(has_line(f, after));
	assert_true(facts_follow_wall_clock(&f->facts, offset)); /* and back */
	assert_true(has_line(f, before));
	mb_free(c);
}

/* All recordings through it, in both formats: each family once, its samples together, counters that only rise. */
static void check_shape(const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char family[256] = "", *save = NULL, *seen = xcalloc(1, strlen(text) + 2);

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[260];

		if (str_starts(line, "# TYPE ")) {
			sscanf(line, "# TYPE %255s", family);
			snprintf(name, sizeof(name), "|%s|", family);
			assert_null(strstr(seen, name));
			strcat(seen, name);
		} else if (*line != '#') {
			assert_true(str_starts(line, family));
		}
	}
	free(seen);
}

static void recordings_make_good_metrics(void **state)
{
	struct recording_reader *reader;
	const struct event *event;
	struct prometheus *p;
	struct timeline *tl;

	(void)state;
	assert_int_equal(recording_open("tests/replay/docker-oom.ctrace", &reader, NULL), 0);
	tl = timeline_new(&recording_facts(reader)->timeline);
	p = prometheus_new(recording_facts(reader), &(struct prometheus_options){ .max_containers = 10, .cadvisor = true });
	timeline_listen(tl, prometheus_changed, p);
	while (recording_next(reader, &event, NULL) == 1) {
		timeline_feed(tl, event);
		prometheus_event(p, event);
		prometheus_step(p, tl, event->time_ns);
	}
	timeline_finish(tl);
	for (int format = METRICS_TEXT; format <= METRICS_OPENMETRICS; format++) {
		struct prometheus_host host = { 0 };
		struct strbuf sb = { 0 };

		prometheus_write(p, tl, &host, format, &sb);
		check_shape(sb.text);
		assert_non_null(strstr(sb.text, "ctrace_container_exits_total{runtime=\"runc\",reason=\"oom\"} 1\n"));
		assert_non_null(strstr(sb.text, "ctrace_oom_kills_total{scope=\"container\"} 1\n"));
		assert_int_equal(strstr(sb.text, "# {trace_id=\"") != NULL, format == METRICS_OPENMETRICS);
		assert_int_equal(str_ends(sb.text, "\n# EOF\n"), format == METRICS_OPENMETRICS);
		strbuf_free(&sb);
	}
	prometheus_free(p);
	timeline_free(tl);
	recording_free(reader);
}

#define with_fixture(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_accept_header_decides),
		cmocka_unit_test(label_values_are_escaped),
		cmocka_unit_test(long_label_values_are_cut_at_a_character),
		cmocka_unit_test(histograms_add_up),
		with_fixture(starts_and_exits_are_counted),
		with_fixture(series_are_bounded), with_fixture(a_lower_bound_holds),
		with_fixture(runtimes_beyond_the_bound_are_others),
		with_fixture(images_lose_their_digests),
		with_fixture(durations_with_a_lost_edge_are_not_counted),
		with_fixture(oom_kills_tell_whose_limit_it_was),
		with_fixture(losses_never_fall),
		with_fixture(cadvisor_names_are_there_when_asked_for),
		with_fixture(the_wall_clock_is_followed),
		cmocka_unit_test(recordings_make_good_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
