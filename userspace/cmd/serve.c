/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace serve: one tracer for this host, its events for other ctraces over a socket, its figures for Prometheus. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/programs.h"
#include "capture/stream_server.h"
#include "cmd/command.h"
#include "cmd/serve_host.h"
#include "cmd/serve_http.h"
#include "cmd/serve_otlp.h"
#include "cmd/serve_settings.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/privilege.h"
#include "util/service.h"

enum {
	MAX_ENDED = 1024,         /* containers that have ended, in the model */
	LIFECYCLE_RING = 4 << 20, /* rings have room for what happens during a scrape */
	BULK_RING = 8 << 20,
	WAIT_MS = 1000,
	USAGES_A_ROUND = 8,
	OTLP_CLOSE_MS = 3000
};

#define USAGE_AGE_NS 15000000000ULL
#define STEP_NS 1000000000ULL

struct server {
	struct serve_options options;
	struct serve_settings settings;
	struct capture *capture;
	struct facts facts; /* the capture's, without its lists, and with the wall clock as it is now */
	struct timeline *tl;
	struct stream_server *stream; /* NULL = none */
	struct prometheus *prometheus;
	struct serve_http *http;      /* NULL = none */
	struct serve_otlp *otlp;      /* NULL = none */
	/* What those counted that a reload has replaced: totals do not fall. */
	struct serve_http_stats http_before;
	struct otlp_push_stats otlp_before;
	uint64_t reloads, reloads_refused;
	bool last_reload_refused;
	bool has_otlp;                /* or had one */
	uint64_t stepped_ns;
	int signals;
	bool stop;
};

enum { OPTION_LISTEN = 256, OPTION_COMPAT, OPTION_ARMED, OPTION_NO_STREAM, OPTION_OTLP };

static const struct argp_option option_table[] = {
	{ "listen", OPTION_LISTEN, "HOST:PORT", 0, "Where Prometheus finds /metrics (127.0.0.1:9469); none = nowhere", 0 },
	{ "compat", OPTION_COMPAT, "cadvisor", 0, "Also container_* metrics, with cAdvisor's names and labels", 0 },
	{ "otlp-endpoint", OPTION_OTLP, "URL", 0,
		"Push traces of containers to this collector (OTEL_EXPORTER_OTLP_ENDPOINT)", 0 },
	{ "always-armed", OPTION_ARMED, NULL, 0,
		"Watch system calls all the time, not only while containers are made or changed", 0 },
	{ "no-stream", OPTION_NO_STREAM, NULL, 0, "Do not offer the events to other ctraces", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct serve_options *o = state->input;

	switch (key) {
	case OPTION_LISTEN: o->listen = arg; return 0;
	case OPTION_COMPAT:
		if (strcmp(arg, "cadvisor") != 0)
			argp_error(state, "--compat is \"%s\", but must be cadvisor", arg);
		o->cadvisor = true;
		return 0;
	case OPTION_OTLP: o->otlp_endpoint = arg; return 0;
	case OPTION_ARMED: o->always_armed = true; return 0;
	case OPTION_NO_STREAM: o->no_stream = true; return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "too many arguments: \"%s\"", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = { option_table, parse_option, NULL,
	"Serves this host until it is interrupted: metrics for Prometheus and OpenMetrics, traces for OpenTelemetry "
	"collectors, and the tracer's events for "
	"ctrace run, trace, record, show and top, which then need not load the programs themselves. SIGHUP reads the "
	"configuration anew.\v"
	"Examples:\n"
	"  ctrace serve\n"
	"  ctrace serve --listen 0.0.0.0:9469 --compat=cadvisor\n"
	"  ctrace serve --otlp-endpoint http://127.0.0.1:4318\n"
	"  curl -s http://127.0.0.1:9469/metrics\n"
	"  ctrace show web        (what it remembers of container web)\n", NULL, NULL, NULL };

/* ---- metrics ---- */

static void add_programs(const struct server *s, struct prometheus_host *host)
{
	struct program_time times[ARRAY_SIZE(host->programs)];

	host->program_count = capture_program_times(s->capture, times, ARRAY_SIZE(times));
	for (size_t i = 0; i < host->program_count; i++) {
		host->programs[i].name = times[i].name;
		host->programs[i].run_ns = times[i].run_ns;
	}
}

static void add_otlp_stats(struct otlp_push_stats *to, const struct otlp_push_stats *more)
{
	to->sent += more->sent;
	to->failed += more->failed;
	to->rejected += more->rejected;
	to->dropped += more->dropped;
}

static void add_exporters(const struct server *s, struct prometheus_host *host)
{
	struct otlp_push_stats stats = { 0 };

	if (!s->has_otlp)
		return;
	if (s->otlp)
		serve_otlp_get_stats(s->otlp, &stats);
	add_otlp_stats(&stats, &s->otlp_before);
	host->exporters[0].name = "otlp";
	host->exporters[0].sent = stats.sent;
	host->exporters[0].failed = stats.failed + stats.rejected;
	host->exporters[0].dropped = stats.dropped;
	host->exporter_count = 1;
}

static void write_metrics(void *arg, enum metrics_format format, struct strbuf *sb)
{
	struct server *s = arg;
	struct prometheus_host host = { 0 };
	struct serve_http_stats http;
	struct stream_server_stats stream;

	serve_host_read(&host);
	add_programs(s, &host);
	add_exporters(s, &host);
	serve_http_get_stats(s->http, &http);
	host.scrapes = http.scrapes + s->http_before.scrapes;
	host.scrapes_refused = http.refused + s->http_before.refused;
	host.connections_delayed = http.delayed + s->http_before.delayed;
	host.connects_dropped = http.dropped + s->http_before.dropped;
	host.reloads = s->reloads;
	host.reloads_refused = s->reloads_refused;
	host.last_reload_refused = s->last_reload_refused;
	if (s->stream) {
		stream_server_get_stats(s->stream, &stream);
		host.has_stream = true;
		host.stream_clients = stream.clients;
		host.stream_lost = stream.lost;
		host.stream_refused = stream.refused;
		host.stream_left = stream.left;
		host.history_bytes = stream.history_bytes;
		host.history_dropped = stream.history_dropped;
	}
	prometheus_write(s->prometheus, s->tl, &host, format, sb);
}

/* cgroup files are read a few at a time, never during a scrape. */
static void read_usages(struct server *s)
{
	uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
	const char *id, *cgroup;

	for (int i = 0; s->settings.cadvisor && i < USAGES_A_ROUND; i++) {
		struct prometheus_usage usage;
		uint32_t pid = prometheus_next_usage(s->prometheus, now_ns, USAGE_AGE_NS, &id, &cgroup);

		if (!pid)
			return;
		prometheus_set_usage(s->prometheus, id, serve_host_usage(pid, &usage) ? &usage : NULL, now_ns);
	}
}

/* ---- events ---- */

static void changed(void *arg, const struct container *c, enum timeline_change change)
{
	struct server *s = arg;

	prometheus_changed(s->prometheus, c, change);
	if (s->otlp)
		serve_otlp_changed(s->otlp, c, change);
}

static int take_event(void *arg, const struct event *event)
{
	struct server *s = arg;

	timeline_feed(s->tl, event); /* counts what it refuses */
	prometheus_event(s->prometheus, event);
	if (s->otlp)
		serve_otlp_event(s->otlp, event);
	if (s->stream)
		stream_server_add(s->stream, event);
	return 0;
}

/* A server may begin before the clock is first set, or see it set: what it exports is of the clock as it is. */
static void follow_wall_clock(struct server *s)
{
	struct facts now;

	if (!facts_follow_wall_clock(&s->facts, clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME)))
		return;
	now = *capture_facts(s->capture);
	now.wall_offset_ns = s->facts.wall_offset_ns;
	if (s->stream)
		stream_server_set_facts(s->stream, &now);
	fputs("ctrace serve: the wall clock was set; times are now told by it\n", stderr);
}

static int read_events(struct server *s, struct error *err)
{
	uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
	int r = capture_read(s->capture, take_event, s, err);

	if (r < 0)
		return r;
	if (s->stream)
		stream_server_publish(s->stream, s->tl, now_ns - CAPTURE_WINDOW_NS);
	if (now_ns >= s->stepped_ns + STEP_NS) {
		follow_wall_clock(s);
		prometheus_step(s->prometheus, s->tl, now_ns);
		if (s->otlp)
			serve_otlp_step(s->otlp, s->tl, now_ns);
		s->stepped_ns = now_ns;
	}
	return 0;
}

/* ---- configuration ---- */

static struct prometheus_options prometheus_options(const struct serve_settings *settings)
{
	return (struct prometheus_options){ .max_containers = settings->max_containers,
		.grace_ns = settings->grace_s * UINT64_C(1000000000), .cadvisor = settings->cadvisor };
}

static void set_http(struct server *s, struct serve_http *http)
{
	struct serve_http_stats stats = { 0 };

	if (http == s->http)
		return;
	if (s->http)
		serve_http_get_stats(s->http, &stats);
	s->http_before.scrapes += stats.scrapes;
	s->http_before.refused += stats.refused;
	s->http_before.delayed += stats.delayed;
	s->http_before.dropped += stats.dropped;
	serve_http_close(s->http);
	s->http = http;
}

static void set_otlp(struct server *s, struct serve_otlp *otlp)
{
	struct otlp_push_stats stats = { 0 };

	if (otlp == s->otlp)
		return;
	if (s->otlp && otlp)
		serve_otlp_hand_over(s->otlp, otlp);
	serve_otlp_close(s->otlp, 0, &stats);
	add_otlp_stats(&s->otlp_before, &stats);
	s->otlp = otlp;
	s->has_otlp = true;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* What the settings ask for and is not there yet is opened first; only when nothing fails it takes the place of the old. */
static int take_over(struct server *s, const struct serve_settings *settings, struct error *err)
{
	struct serve_http *http = s->http;
	struct serve_otlp *otlp = s->otlp;
	int r = 0;

	if (!is_same(settings->otlp_endpoint, s->settings.otlp_endpoint))
		r = serve_otlp_open(settings->otlp_endpoint, &s->facts, &otlp, err);
	if (r == 0 && !is_same(settings->listen, s->settings.listen)) {
		http = NULL;
		r = settings->listen ? serve_http_open(settings->listen, write_metrics, s, &http, err) : 0;
	}
	if (r < 0) {
		if (otlp != s->otlp)
			serve_otlp_close(otlp, 0, NULL);
		return r;
	}
	set_http(s, http);
	set_otlp(s, otlp);
	return 0;
}

static void notify_ready(const struct server *s)
{
	service_notify("READY=1\nSTATUS=%s%s", s->settings.listen ? "metrics at " : "no metrics are served",
		s->settings.listen ? s->settings.listen : "");
}

/* What cannot be used leaves everything as it was. */
static void reload(struct server *s)
{
	struct serve_settings settings = { 0 };
	struct prometheus_options options;
	struct error err = { 0 };
	int r;

	service_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_ns(CLOCK_MONOTONIC) / 1000);
	r = serve_settings_load(&s->options, &settings, &err);
	if (r == 0)
		r = take_over(s, &settings, &err);
	s->reloads++;
	s->last_reload_refused = r < 0;
	s->reloads_refused += r < 0;
	if (r < 0) {
		error_prefix(&err, "the configuration is not taken over");
		command_fail("serve", 0, &err);
		service_notify("READY=1\nSTATUS=goes on with the configuration that it had: the log tells why");
		serve_settings_free(&settings);
		return;
	}
	serve_settings_free(&s->settings);
	s->settings = settings;
	options = prometheus_options(&s->settings);
	prometheus_set_options(s->prometheus, &options);
	fputs("ctrace serve: configuration read\n", stderr);
	notify_ready(s);
}

/* ---- the loop ---- */

static void take_signals(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(s);
		else
			s->stop = true;
	}
}

static int earlier(int a_ms, int b_ms)
{
	return b_ms >= 0 && b_ms < a_ms ? b_ms : a_ms;
}

static int run_loop(struct server *s, struct error *err)
{
	int r = 0;

	while (!s->stop && r == 0) {
		struct pollfd fds[] = { { .fd = capture_fd(s->capture), .events = POLLIN },
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = s->stream ? stream_server_fd(s->stream) : -1, .events = POLLIN },
			{ .fd = s->http ? serve_http_fd(s->http) : -1, .events = POLLIN },
			{ .fd = s->otlp ? serve_otlp_fd(s->otlp) : -1, .events = POLLIN } };
		int wait_ms = earlier(WAIT_MS, s->stream ? stream_server_timeout_ms(s->stream) : -1);

		wait_ms = earlier(wait_ms, s->http ? serve_http_timeout_ms(s->http) : -1);
		if (poll(fds, ARRAY_SIZE(fds), wait_ms) < 0 && errno != EINTR)
			return error_errno(err, errno, "cannot wait for events");
		if (fds[1].revents)
			take_signals(s);
		r = read_events(s, err);
		if (s->stream)
			stream_server_work(s->stream);
		if (s->http)
			serve_http_work(s->http);
		if (s->otlp)
			serve_otlp_work(s->otlp);
		read_usages(s);
	}
	return r;
}

static int watch_signals(struct server *s, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? error_errno(err, errno, "cannot watch for signals") : 0;
}

static int arm(void *arg, struct error *err)
{
	return capture_arm(((struct server *)arg)->capture, err);
}

/* The endpoint first: what is most likely wrong is found before the programs are loaded. */
static int begin(struct server *s, struct error *err)
{
	struct capture_options capture = { .always_armed = s->options.always_armed,
		.lifecycle_ring_bytes = LIFECYCLE_RING, .bulk_ring_bytes = BULK_RING };
	struct prometheus_options options = prometheus_options(&s->settings);
	const char *queue = getenv("CTRACE_STREAM_QUEUE"); /* bytes: for tests of slow readers */
	struct stream_server_options stream = { .arm = arm, .arg = s, .queue_bytes = queue ? strtoul(queue, NULL, 10) : 0 };
	struct timeline_config config;
	int r = s->settings.listen ? serve_http_open(s->settings.listen, write_metrics, s, &s->http, err) : 0;

	if (r == 0)
		r = capture_open(&capture, &s->capture, err);
	if (r < 0)
		return r;
	s->facts = *capture_facts(s->capture);
	s->facts.hooks = NULL; /* the capture's own, which may grow */
	s->facts.unseen = NULL;
	s->facts.hook_count = s->facts.unseen_count = 0;
	config = s->facts.timeline;
	config.max_ended = MAX_ENDED;
	s->tl = timeline_new(&config);
	s->prometheus = prometheus_new(&s->facts, &options);
	timeline_listen(s->tl, changed, s);
	stream.facts = capture_facts(s->capture);
	r = serve_otlp_open(s->settings.otlp_endpoint, &s->facts, &s->otlp, err);
	if (r < 0)
		return r;
	s->has_otlp = s->otlp;
	return s->options.no_stream ? 0 : stream_server_open(&stream, &s->stream, err);
}

static void release(struct server *s)
{
	serve_http_close(s->http);
	stream_server_close(s->stream);
	serve_otlp_close(s->otlp, OTLP_CLOSE_MS, NULL);
	prometheus_free(s->prometheus);
	timeline_free(s->tl);
	capture_close(s->capture);
	serve_settings_free(&s->settings);
	cleanup_close(&s->signals);
}

/* What the kernel has told already reaches the collector, too: nobody tells it later. */
static int finish(struct server *s, struct error *err)
{
	int r = s->otlp ? capture_drain(s->capture, take_event, s, err) : 0;

	if (r == 0 && s->otlp)
		serve_otlp_step(s->otlp, s->tl, UINT64_MAX);
	return r;
}

static int serve(struct server *s, struct error *err)
{
	int r = watch_signals(s, err);

	if (r == 0)
		r = serve_settings_load(&s->options, &s->settings, err);
	if (r == 0)
		r = begin(s, err);
	if (r == 0)
		r = privilege_keep(PRIVILEGE_TRACING, 0, err);
	if (r < 0)
		return r;
	fprintf(stderr, "ctrace serve: ready%s%s\n", s->settings.listen ? ", metrics at " : "",
		s->settings.listen ? s->settings.listen : "");
	notify_ready(s);
	r = run_loop(s, err);
	service_notify("STOPPING=1");
	return r < 0 ? r : finish(s, err);
}

int cmd_serve(int argc, char **argv)
{
	struct server s = { .signals = -1 };
	struct error err = { 0 };
	int code = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &s.options);
	if (serve(&s, &err) < 0)
		code = command_fail("serve", EXIT_CTRACE, &err);
	release(&s);
	return code;
}
