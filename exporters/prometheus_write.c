/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "exporters/json.h"
#include "exporters/prometheus_internal.h"
#include "util/cleanup.h"

static const char *const results[] = { [START_OK] = "started", [START_FAILED] = "failed" };
static const char *const reasons[] = { [EXIT_OK] = "completed", [EXIT_ERROR] = "error", [EXIT_SIGNAL] = "signal",
	[EXIT_OOM] = "oom", [EXIT_UNKNOWN] = "unknown" };
static const char *const scopes[] = { [SCOPE_CONTAINER] = "container", [SCOPE_PARENT] = "parent",
	[SCOPE_HOST] = "host", [SCOPE_UNKNOWN] = "unknown" };

static void gauge(struct metrics_writer *w, const char *name, const char *help, uint64_t value)
{
	metrics_family(w, name, METRIC_GAUGE, help);
	metrics_sample(w, "");
	metrics_u64(w, value);
}

static void counter(struct metrics_writer *w, const char *name, const char *help, uint64_t value)
{
	metrics_family(w, name, METRIC_COUNTER, help);
	metrics_sample(w, METRIC_COUNTER_SUFFIX);
	metrics_u64(w, value);
}

static void labelled_counter(struct metrics_writer *w, const char *key, const char *label, uint64_t value)
{
	metrics_sample(w, METRIC_COUNTER_SUFFIX);
	metrics_label(w, key, label);
	metrics_u64(w, value);
}

static void write_starts(const struct prometheus *p, struct metrics_writer *w)
{
	metrics_family(w, "ctrace_container_starts", METRIC_COUNTER, "Containers that were started, or failed to start.");
	for (size_t i = 0; i < p->runtimes.count; i++) {
		for (size_t r = 0; r < START_RESULTS; r++) {
			metrics_sample(w, METRIC_COUNTER_SUFFIX);
			metrics_label(w, "runtime", p->runtimes.items[i]);
			metrics_label(w, "result", results[r]);
			metrics_u64(w, p->starts[i][r]);
		}
	}
	metrics_family(w, "ctrace_container_exits", METRIC_COUNTER, "Containers whose first process ended, by why.");
	for (size_t i = 0; i < p->runtimes.count; i++) {
		for (size_t r = 0; r < EXIT_REASONS; r++) {
			metrics_sample(w, METRIC_COUNTER_SUFFIX);
			metrics_label(w, "runtime", p->runtimes.items[i]);
			metrics_label(w, "reason", reasons[r]);
			metrics_u64(w, p->exits[i][r]);
		}
	}
}

static void write_durations(const struct prometheus *p, struct metrics_writer *w)
{
	metrics_family(w, "ctrace_container_start_duration_seconds", METRIC_HISTOGRAM,
		"From the first thing that was done for a container to the exec of its program.");
	for (size_t i = 0; i < p->runtimes.count; i++) {
		const char *labels[] = { "runtime", p->runtimes.items[i], NULL };

		if (p->start_duration[i].count)
			metrics_histogram(w, &p->start_duration[i], labels);
	}
	metrics_family(w, "ctrace_phase_duration_seconds", METRIC_HISTOGRAM,
		"From the first step of a phase of a container's start or end to the last, of the actors of one role.");
	for (size_t role = 0; role < ACTOR_ROLE_COUNT; role++) {
		for (size_t phase = 0; phase < PHASE_COUNT; phase++) {
			const char *labels[] = { "actor", actor_role_name(role), "phase", phase_name(phase), NULL };

			if (p->phases[role][phase])
				metrics_histogram(w, p->phases[role][phase], labels);
		}
	}
}

static uint64_t lost_by(const struct prometheus *p, enum event_loss reason)
{
	uint64_t total = 0;

	for (size_t kind = 0; kind < ARRAY_SIZE(p->losses[0]); kind++)
		total += p->losses[reason][kind];
	return total;
}

static void write_losses(const struct prometheus *p, struct metrics_writer *w)
{
	metrics_family(w, "ctrace_events_lost", METRIC_COUNTER, "Events that were lost, by why.");
	for (enum event_loss reason = LOSS_RING_FULL; reason <= LOSS_MISSED; reason++) {
		if (reason != LOSS_STREAM) /* a reader's, not the server's */
			labelled_counter(w, "reason", json_loss_name(reason), lost_by(p, reason));
	}
	metrics_family(w, "ctrace_unwatched", METRIC_COUNTER,
		"What is there and whose changes go unseen: cgroups with a CPU limit, names and labels, network namespaces of engines.");
	labelled_counter(w, "what", "cgroups", lost_by(p, LOSS_UNWATCHED));
	labelled_counter(w, "what", "names", lost_by(p, LOSS_UNNAMED));
	labelled_counter(w, "what", "networks", lost_by(p, LOSS_UNHEARD));
}

static void write_events(const struct prometheus *p, const struct timeline_stats *stats, struct metrics_writer *w)
{
	metrics_family(w, "ctrace_oom_kills", METRIC_COUNTER,
		"Processes that the kernel killed for memory, by whose limit it was.");
	for (size_t i = 0; i < SCOPES; i++)
		labelled_counter(w, "scope", scopes[i], p->oom_kills[i]);
	metrics_family(w, "ctrace_cgroup_writes", METRIC_COUNTER, "Writes into cgroup files by those who make containers.");
	for (size_t i = 0; i < p->files.count; i++)
		labelled_counter(w, "file", p->files.items[i], p->writes[i]);
	metrics_family(w, "ctrace_events", METRIC_COUNTER, "Events taken, by kind.");
	for (size_t slot = 0; slot < ARRAY_SIZE(stats->events_by_kind); slot++) {
		uint32_t kind = slot < 48 ? slot : slot - 48 + 256;

		if (stats->events_by_kind[slot])
			labelled_counter(w, "event", json_event_kind_name(kind), stats->events_by_kind[slot]);
	}
	write_losses(p, w);
	counter(w, "ctrace_events_refused", "Events that made no sense and were left out.", stats->skipped);
	counter(w, "ctrace_steps_unattributed", "Steps of runtimes, and network links, that no container claimed.", stats->unattributed);
	counter(w, "ctrace_containers_forgotten", "Containers that ended, and whose timelines had to go for those of newer ones.",
		stats->forgotten);
	counter(w, "ctrace_names_forgotten", "Names and labels of containers that were not there when they were told, for want of room.",
		stats->names_forgotten);
	counter(w, "ctrace_cgroup_paths_cut", "Cgroups whose paths are longer than a record holds: whose they are may be mistaken.",
		stats->paths_cut);
	counter(w, "ctrace_clients_ignored", "Clients beyond as many as are asked for ids in their arguments.", stats->clients_ignored);
	counter(w, "ctrace_callers_forgotten",
		"Containers whose caller's TRACEPARENT had to go for those of newer ones.", span_context_forgotten(&p->spans));
}

static void write_states(struct timeline *tl, struct metrics_writer *w)
{
	static const enum container_state states[] = { STATE_CREATED, STATE_RUNNING, STATE_PAUSED, STATE_EXITED };
	uint64_t counts[STATE_EXITED + 1] = { 0 };
	size_t count = timeline_count(tl);

	for (size_t i = 0; i < count; i++) {
		const struct container *c = timeline_get(tl, i);

		if (!c->ended)
			counts[c->state]++;
	}
	metrics_family(w, "ctrace_containers", METRIC_GAUGE, "Containers that are there, by state.");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		metrics_sample(w, "");
		metrics_label(w, "state", container_state_name(states[i]));
		metrics_u64(w, counts[states[i]]);
	}
}

static void label_if(struct metrics_writer *w, const char *key, const char *value)
{
	metrics_label(w, key, value ? value : "");
}

static void write_containers(const struct prometheus *p, struct metrics_writer *w)
{
	metrics_family(w, "ctrace_container", METRIC_INFO, "What is known of a container.");
	for (size_t i = 0; i < p->tracked.count; i++) {
		const struct tracked *t = p->tracked.entries[i].value;

		metrics_sample(w, "_info");
		metrics_label(w, "id", t->id);
		label_if(w, "name", t->name);
		label_if(w, "image", t->image);
		label_if(w, "engine", t->engine);
		label_if(w, "runtime", t->runtime);
		label_if(w, "pod", t->pod);
		metrics_info(w);
	}
	metrics_family(w, "ctrace_container_start_time_seconds", METRIC_GAUGE,
		"When a container's program was executed; of one that was there before ctrace, when its process began.");
	for (size_t i = 0; i < p->tracked.count; i++) {
		const struct tracked *t = p->tracked.entries[i].value;

		if (!t->begun_ns)
			continue;
		metrics_sample(w, "");
		metrics_label(w, "id", t->id);
		metrics_seconds(w, prometheus_wall_ns(p, t->begun_ns));
	}
	counter(w, "ctrace_containers_without_series",
		"Containers that got no series of their own, since as many as may be had some.", p->untracked);
}

static void write_exporters(const struct prometheus_host *host, struct metrics_writer *w)
{
	static const struct {
		const char *name, *help;
	} families[] = {
		{ "ctrace_exporter_sent", "Items that an exporter handed over." },
		{ "ctrace_exporter_failed", "Items that were refused for good by whoever an exporter hands them to." },
		{ "ctrace_exporter_dropped", "Items that an exporter had no room for." },
	};

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		metrics_family(w, families[f].name, METRIC_COUNTER, families[f].help);
		for (size_t i = 0; i < host->exporter_count; i++)
			labelled_counter(w, "exporter", host->exporters[i].name, f == 0 ? host->exporters[i].sent :
				f == 1 ? host->exporters[i].failed : host->exporters[i].dropped);
	}
}

static void write_programs(const struct prometheus_host *host, struct metrics_writer *w)
{
	if (!host->program_count)
		return;
	metrics_family(w, "ctrace_bpf_program_run_seconds", METRIC_COUNTER,
		"Time that the programs in the kernel ran; there while kernel.bpf_stats_enabled is on.");
	for (size_t i = 0; i < host->program_count; i++) {
		metrics_sample(w, METRIC_COUNTER_SUFFIX);
		metrics_label(w, "program", host->programs[i].name);
		metrics_seconds(w, host->programs[i].run_ns);
	}
}

static void write_self(const struct prometheus *p, const struct prometheus_host *host, struct metrics_writer *w)
{
	metrics_family(w, "ctrace_build", METRIC_INFO, "The ctrace that serves, and the kernel it looks at.");
	metrics_sample(w, "_info");
	metrics_label(w, "version", p->facts->ctrace_version);
	metrics_label(w, "kernel", p->facts->kernel);
	metrics_label(w, "cgroup_mode", p->facts->cgroup_mode);
	metrics_info(w);
	if (host->has_stream) {
		gauge(w, "ctrace_stream_clients", "Readers of the tracer's stream.", host->stream_clients);
		gauge(w, "ctrace_stream_history_bytes", "Memory of the past that late readers are given.", host->history_bytes);
		counter(w, "ctrace_stream_history_events_dropped",
			"Events of containers that go on which late readers are not given, for want of room.", host->history_dropped);
		counter(w, "ctrace_stream_events_lost", "Events that slow readers of the stream lost.", host->stream_lost);
		counter(w, "ctrace_stream_clients_refused",
			"Readers of the stream that were not taken: not allowed, or more than there may be.", host->stream_refused);
		counter(w, "ctrace_stream_clients_left", "Readers of the stream that took, or asked for, nothing for too long.",
			host->stream_left);
	}
	metrics_family(w, "ctrace_config_reloads", METRIC_COUNTER,
		"Times that the configuration was to be read again, by what came of it.");
	labelled_counter(w, "result", "taken", host->reloads - host->reloads_refused);
	labelled_counter(w, "result", "refused", host->reloads_refused);
	gauge(w, "ctrace_config_last_reload_successful",
		"0 while ctrace goes on with an older configuration, since the newest was refused.", !host->last_reload_refused);
	counter(w, "ctrace_scrapes", "Requests for metrics that were answered, this one not counted.", host->scrapes);
	counter(w, "ctrace_http_requests_refused", "Requests that were answered with an error.", host->scrapes_refused);
	counter(w, "ctrace_http_connections_delayed", "Connections that had to wait, since as many as may be were open.",
		host->connections_delayed);
	counter(w, "ctrace_http_connects_dropped",
		"Attempts to connect that the kernel dropped, since as many as may wait did; whoever tries again is counted again.",
		host->connects_dropped);
	metrics_family(w, "process_cpu_seconds", METRIC_COUNTER, "CPU time of ctrace, user and system.");
	metrics_sample(w, METRIC_COUNTER_SUFFIX);
	metrics_seconds(w, host->process_cpu_ns);
	metrics_family(w, "process_start_time_seconds", METRIC_GAUGE, "When ctrace was started.");
	metrics_sample(w, "");
	metrics_seconds(w, host->process_start_wall_ns);
	gauge(w, "process_resident_memory_bytes", "Memory of ctrace that is in RAM.", host->resident_bytes);
	gauge(w, "process_virtual_memory_bytes", "Memory that ctrace has mapped.", host->virtual_bytes);
	gauge(w, "process_open_fds", "Descriptors that ctrace has open.", host->open_fds);
	gauge(w, "process_max_fds", "Descriptors that ctrace may open.", host->max_fds);
}

void prometheus_write(struct prometheus *p, struct timeline *tl, const struct prometheus_host *host,
	enum metrics_format format, struct strbuf *sb)
{
	struct metrics_writer w = { .sb = sb, .format = format };
	struct timeline_stats stats;

	timeline_get_stats(tl, &stats);
	write_starts(p, &w);
	write_durations(p, &w);
	write_events(p, &stats, &w);
	write_states(tl, &w);
	write_containers(p, &w);
	write_programs(host, &w);
	write_exporters(host, &w);
	write_self(p, host, &w);
	if (p->o.cadvisor)
		prometheus_write_cadvisor(p, &w);
	metrics_end(&w);
}
