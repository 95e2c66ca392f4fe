/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace trace: all containers of the host, or those that a command causes, as they happen. `ctrace run`
 * uses it too, with --for-run, to show how the container that it makes is made. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/source.h"
#include "capture/stream.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "cmd/trace_options.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/privilege.h"
#include "util/proc_stat.h"

/* While events flow the rings are looked at this often (kernel.md: wakeups are adaptive); a quiet host
 * is looked at less often, and told that time went by. */
enum { BUSY_MS = 10, IDLE_MS = 100, QUIET_TICK_MS = 300, SHARED_LAG_MS = 150 };

struct trace {
	const struct trace_options *o;
	struct event_source *source;
	bool is_shared; /* of a serving tracer */
	bool is_gone;   /* it has ended */
	struct session *session;
	struct recording_writer *record;
	FILE *json, *text;
	int signals;      /* signalfd: INT, TERM, CHLD */
	pid_t command;    /* -1 = none or gone */
	int command_gate; /* written to when the command may go on */
	int exit_code;    /* of the command */
	void (*on_broken_pipe)(int); /* what was done at SIGPIPE before: so it is for the command */
	uint64_t last_event_ns, command_gone_ns;
	size_t batch;
	bool stop;
	bool told_of_record; /* that the recording cannot be written on */
};

struct sink {
	struct trace *t;
	struct error *err;
};

static int take_event(void *arg, const struct event *event)
{
	struct sink *sink = arg;

	sink->t->batch++;
	return session_event(sink->t->session, event, sink->err);
}

/* Time goes by although nothing happens: containers end when they have been quiet. */
static int tick(struct trace *t, uint64_t now, struct error *err)
{
	struct event e = { .size = sizeof(e), .kind = EVENT_TICK };

	if (now < t->last_event_ns + QUIET_TICK_MS * 1000000ULL)
		return 0;
	/* a little in the past: nothing that is still on its way may be older than the tick */
	e.time_ns = now - (t->is_shared ? SHARED_LAG_MS : BUSY_MS * 2) * 1000000ULL;
	t->last_event_ns = now;
	return session_event(t->session, &e, err);
}

static int read_events(struct trace *t, struct error *err)
{
	struct sink sink = { t, err };
	uint64_t now;
	int r;

	t->batch = 0;
	r = source_read(t->source, take_event, &sink, err);
	if (r < 0)
		return r;
	t->is_gone = r > 0;
	now = clock_ns(CLOCK_BOOTTIME);
	if (t->batch)
		t->last_event_ns = now;
	else
		r = tick(t, now, err);
	if (t->is_gone)
		error_set(err, ENOTCONN, "the tracer that serves this host has ended: what came before it is shown");
	return r < 0 ? r : session_flush(t->session, err);
}

/* The trace goes on without the recording, as the command does. */
static void watch_recording(struct trace *t)
{
	const struct error *failed = session_record_error(t->session);
	struct error err;

	if (!failed || t->told_of_record)
		return;
	t->told_of_record = true;
	err = *failed;
	error_set(&err, failed->code, "%s; the trace goes on without it", failed->text);
	command_fail("trace", EXIT_CTRACE, &err);
}

/* ---- the command ---- */

static _Noreturn void be_command(const struct trace *t, int gate)
{
	char **command = t->o->command;
	sigset_t none;
	char go;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, t->on_broken_pipe);
	if (read(gate, &go, 1) != 1) /* the tracer gave up */
		_exit(EXIT_CTRACE);
	close(gate);
	execvp(command[0], command);
	fprintf(stderr, "ctrace trace: cannot execute %s: %s\n", command[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}

/* Forks the command; it waits until the hooks are attached. */
static int prepare_command(struct trace *t, struct error *err)
{
	int gate[2];

	t->command = -1;
	t->command_gate = -1;
	if (!t->o->command)
		return 0;
	if (pipe2(gate, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	t->command = fork();
	if (t->command == 0) {
		close(gate[1]);
		be_command(t, gate[0]);
	}
	close(gate[0]);
	t->command_gate = gate[1];
	return t->command < 0 ? error_errno(err, errno, "cannot fork") : 0;
}

static void start_command(struct trace *t)
{
	if (t->command_gate < 0)
		return;
	if (write(t->command_gate, "1", 1) != 1)
		t->stop = true;
	close(steal_fd(&t->command_gate));
}

static void reap_command(struct trace *t)
{
	int status;

	if (t->command <= 0 || waitpid(t->command, &status, WNOHANG) != t->command)
		return;
	t->command = -1;
	t->command_gone_ns = clock_ns(CLOCK_BOOTTIME);
	t->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Containers that the command caused and that have not reached the point that is waited for. */
static size_t unfinished(struct trace *t)
{
	struct timeline *tl = session_timeline(t->session);
	size_t count = timeline_count(tl), open = 0;

	for (size_t i = 0; i < count; i++) {
		const struct container *c = timeline_get(tl, i);

		if (c->followed && !c->ended && !(t->o->detach_trace && c->state != STATE_CREATED))
			open++;
	}
	return open;
}

/* The command has gone; containers that it left running are followed to their end. */
static bool command_finished(struct trace *t)
{
	uint64_t gone;

	if (!t->o->command || t->command > 0)
		return false;
	gone = clock_ns(CLOCK_BOOTTIME) - t->command_gone_ns;
	if (gone < QUIET_TICK_MS * 1000000ULL) /* what it did last is still on its way */
		return false;
	return unfinished(t) == 0;
}

/* `ctrace run --detach-trace`: how the container was made is told as soon as it runs. */
static bool told_enough(struct trace *t)
{
	const struct container *c = t->o->for_run && t->o->detach_trace
		? timeline_find(session_timeline(t->session), t->o->for_run) : NULL;

	return c && c->started_ns;
}

/* ---- signals and the loop ---- */

static int watch_signals(struct trace *t, struct error *err)
{
	sigset_t set;

	command_ending_signals(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t->on_broken_pipe = signal(SIGPIPE, SIG_IGN);
	t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return t->signals < 0 ? error_errno(err, errno, "cannot watch for signals") : 0;
}

static void take_signals(struct trace *t)
{
	struct signalfd_siginfo info;

	while (read(t->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			reap_command(t);
		} else if (t->o->for_run) {
			continue; /* `ctrace run` forwards it to the container and tells by done_fd */
		} else if (t->command > 0) {
			kill(t->command, (int)info.ssi_signo); /* it ends, and so do we */
		} else {
			command_ended_by("trace", (int)info.ssi_signo);
			t->stop = true;
		}
	}
}

static int run_loop(struct trace *t, struct error *err)
{
	struct pollfd fds[3] = { { .fd = source_fd(t->source), .events = POLLIN },
		{ .fd = t->signals, .events = POLLIN }, { .fd = t->o->done_fd, .events = POLLIN } };
	int r = 0;

	while (!t->stop && !t->is_gone && r >= 0 && !command_finished(t) && !told_enough(t)) {
		if (poll(fds, 3, t->batch ? BUSY_MS : IDLE_MS) < 0 && errno != EINTR)
			return error_errno(err, errno, "cannot wait for events");
		if (fds[1].revents)
			take_signals(t);
		if (fds[2].revents) /* `ctrace run` closed its end: the container is torn down */
			t->stop = true;
		r = read_events(t, err);
		watch_recording(t);
	}
	return r;
}

/* ---- beginning and end ---- */

/* What is in the file stays there until there is something to write: the kernel may not let us trace. */
static int open_json(struct trace *t, struct error *err)
{
	int fd = open(t->o->json, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return error_errno(err, errno, "cannot write %s", t->o->json);
	t->json = fdopen(fd, "w");
	return 0;
}

static int empty_json(const struct trace *t, struct error *err)
{
	if (!t->json || t->json == stdout || ftruncate(fileno(t->json), 0) == 0 || errno == EINVAL) /* a pipe */
		return 0;
	return error_errno(err, errno, "cannot empty %s", t->o->json);
}

static int open_outputs(struct trace *t, struct error *err)
{
	const struct trace_options *o = t->o;
	bool json_to_stdout = o->json && !strcmp(o->json, "-");
	int r = 0;

	if (json_to_stdout)
		t->json = stdout;
	else if (o->json)
		r = open_json(t, err);
	if (r < 0)
		return r;
	/* stdout belongs to the command, if there is one, or to the data that was asked for */
	if (o->waterfall_wanted)
		t->text = o->command || o->for_run || json_to_stdout ? stderr : stdout;
	return 0;
}

/* Tells `ctrace run` how it went: '1', or '0' and why not. */
static void tell_ready(const struct trace *t, const struct error *err)
{
	char text[sizeof(err->text) + 1];
	ssize_t n;

	if (t->o->ready_fd < 0)
		return;
	snprintf(text, sizeof(text), "%c%s", err ? '0' : '1', err ? err->text : "");
	n = write(t->o->ready_fd, text, strlen(text));
	(void)n; /* if run is gone, done_fd tells */
	close(t->o->ready_fd);
}

/* What `ctrace run` knows and the kernel does not: the container's name and image. */
static int tell_meta(struct trace *t, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < t->o->meta_count && r >= 0; i++) {
		const char *pair = t->o->meta[i], *value = strchr(pair, '=') + 1;
		struct event_meta e = { .h = { .kind = EVENT_META, .time_ns = source_facts(t->source)->start_ns } };
		int length = snprintf(e.text, sizeof(e.text), "%.*s%c%s", (int)(value - 1 - pair), pair, 0, value);

		snprintf(e.id, sizeof(e.id), "%s", t->o->for_run);
		if (length >= (int)sizeof(e.text))
			continue;
		e.h.size = (uint16_t)(offsetof(struct event_meta, text) + (size_t)length + 1);
		r = session_event(t->session, &e.h, err);
	}
	return r;
}

/* When `ctrace run`, our parent, began: what it did before we came is in the serving tracer's past. */
static uint64_t parent_start_ns(void)
{
	uint64_t ticks = proc_start_ticks(getppid(), NULL);

	return ticks ? ticks * (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK)) : STREAM_EVERYTHING;
}

/* A serving tracer is asked first, unless it cannot do what is wanted: follow a command, or be always armed. */
static int open_source(struct trace *t, struct error *err)
{
	struct capture_options capture = { .always_armed = t->o->always_armed,
		.start_armed = t->o->for_run || t->o->command, .follow = t->command > 0 ? t->command : 0 };
	struct stream_options stream = { .arm = t->o->for_run,
		.since_ns = t->o->for_run ? parent_start_ns() : STREAM_EVERYTHING };

	if (!t->o->no_serve && !t->o->always_armed && !t->o->command) {
		t->is_shared = source_open_socket(&stream, &t->source, NULL) == 0;
		if (t->is_shared)
			return 0;
	}
	return source_open_live(&capture, &t->source, err);
}

static int begin_session(struct trace *t, struct error *err)
{
	struct session_options session = { .events = t->o->events, .docker_events = t->o->docker_events, .id = t->o->for_run ? t->o->for_run : t->o->id,
		.traceparent = t->o->for_run || t->o->command ? getenv("TRACEPARENT") : NULL,
		.traceparent_of = t->o->for_run, .filter = t->o->filter, .followed = t->o->command && !t->o->id,
		.only_if_any = t->o->for_run, .has_past = t->is_shared };
	int r = empty_json(t, err);

	if (r < 0)
		return r;
	if (t->o->record) {
		r = recording_create(t->o->record, source_facts(t->source), &t->record, err);
		if (r < 0)
			return r;
	}
	session.json = t->json;
	session.json_name = t->json != stdout ? t->o->json : NULL;
	session.text = t->text;
	session.record = t->record;
	session.waterfall = t->o->waterfall;
	if (t->text)
		waterfall_detect(&session.waterfall, t->text, t->o->color);
	r = session_begin(source_facts(t->source), &session, &t->session, err);
	return r < 0 ? r : tell_meta(t, err);
}

/* What a serving tracer knows of the time before us. */
static int take_past(struct trace *t, struct error *err)
{
	struct sink sink = { t, err };
	int r = session_begin_past(t->session, err);

	if (r >= 0)
		r = source_catch_up(t->source, take_event, &sink, err);
	return r < 0 ? r : session_end_past(t->session, err);
}

static int begin(struct trace *t, struct error *err)
{
	int r = open_source(t, err);

	if (r >= 0)
		r = begin_session(t, err);
	if (r >= 0 && t->is_shared)
		r = take_past(t, err);
	t->last_event_ns = clock_ns(CLOCK_BOOTTIME);
	return r;
}

static int finish(struct trace *t, struct error *err)
{
	struct sink sink = { t, err };
	int r = 0;

	if (t->is_gone) {
		r = session_end(t->session, err->text, err);
		return r < 0 ? r : -ENOTCONN;
	}
	r = source_drain(t->source, take_event, &sink, err);
	if (r >= 0)
		r = session_end(t->session, NULL, err);
	return r;
}

/* All files are open, and the command, which keeps what it was given, is forked. */
static int give_up_privilege(struct trace *t, struct error *err)
{
	uint64_t signals = t->command > 0 ? PRIVILEGE(CAP_KILL) : 0; /* they are passed on, whoever it has become */

	if (t->is_shared)
		return privilege_keep(0, 0, err);
	return privilege_keep(PRIVILEGE_TRACING | signals, PRIVILEGE_LISTENING, err);
}

static int trace(struct trace *t, struct error *err)
{
	int r = watch_signals(t, err);

	if (r >= 0)
		r = open_outputs(t, err);
	if (r >= 0)
		r = prepare_command(t, err);
	if (r >= 0)
		r = begin(t, err);
	tell_ready(t, r < 0 ? err : NULL);
	if (r < 0)
		return r;
	start_command(t);
	r = give_up_privilege(t, err);
	if (r >= 0)
		r = run_loop(t, err);
	return r < 0 ? r : finish(t, err);
}

static int fail_recording(struct trace *t)
{
	struct error err = { 0 };

	watch_recording(t);
	error_set(&err, EIO, "the recording %s lacks the last %" PRIu64 " events", t->o->record, recording_missing(t->record));
	return command_fail("trace", EXIT_CTRACE, &err);
}

/* The command must not stay behind, stopped at its gate. */
static void release(struct trace *t)
{
	struct error err = { 0 };

	if (t->command_gate >= 0)
		close(t->command_gate);
	if (t->command > 0)
		waitpid(t->command, NULL, 0);
	if (t->record && recording_missing(t->record))
		t->exit_code = fail_recording(t);
	session_free(t->session);
	if (recording_close(t->record, &err) < 0)
		t->exit_code = command_fail("trace", EXIT_CTRACE, &err);
	source_close(t->source);
	if (t->json && t->json != stdout && fclose(t->json) != 0 && !t->exit_code) {
		error_errno(&err, errno, "cannot write %s", t->o->json);
		t->exit_code = command_fail("trace", EXIT_CTRACE, &err);
	}
	if (t->signals >= 0)
		close(t->signals);
}

int cmd_trace(int argc, char **argv)
{
	struct trace_options o = { 0 };
	struct trace t = { .o = &o, .signals = -1, .command_gate = -1, .command = -1 };
	struct error err = { 0 };

	setlocale(LC_CTYPE, "");
	trace_options_parse(argc, argv, &o);
	if (trace(&t, &err) < 0)
		t.exit_code = o.for_run && !t.session ? EXIT_CTRACE : command_fail("trace", EXIT_CTRACE, &err);
	release(&t);
	return t.exit_code;
}
