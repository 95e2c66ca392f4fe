/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace record: everything that the kernel tells about containers, into a file. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include "capture/recording.h"
#include "capture/source.h"
#include "capture/stream.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/privilege.h"

enum { LINGER_MS = 500 /* what a command leaves behind is torn down after its end */ };

struct record_options {
	struct capture_options capture;
	bool no_serve;
	const char *file;
	char **command; /* NULL: until a signal */
};

struct recorder {
	struct recording_writer *writer;
	struct error *err;
	uint64_t events, lost, last_ns;
	pid_t child; /* the command; 0 = none */
};

static const struct argp_option option_table[] = {
	{ "always-armed", 'a', NULL, 0, "Keep the detail hooks attached: every system call of the host pays for them", 0 },
	{ "ring-size", 'r', "KIB", 0, "Size of each event ring, a power of two (8192)", 0 },
	{ "no-serve", 'n', NULL, 0, "Load the programs, although a ctrace serve runs whose events could be read", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static error_t parse_ring_size(struct record_options *o, const char *text, struct argp_state *state)
{
	char *end;
	unsigned long kib = strtoul(text, &end, 10);

	if (*end || kib < 4 || kib > 1 << 20 || kib & (kib - 1))
		argp_error(state, "--ring-size %s: a power of two from 4 to 1048576 is needed", text);
	o->capture.lifecycle_ring_bytes = kib << 10;
	o->capture.bulk_ring_bytes = kib << 10;
	return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct record_options *o = state->input;

	switch (key) {
	case 'a':
		o->capture.always_armed = true;
		return 0;
	case 'n':
		o->no_serve = true;
		return 0;
	case 'r':
		return parse_ring_size(o, arg, state);
	case ARGP_KEY_ARG:
		if (!o->file) {
			o->file = arg;
			return 0;
		}
		o->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!o->file)
			argp_error(state, "the name of the recording is missing");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp parser = {
	.options = option_table,
	.parser = parse_option,
	.args_doc = "FILE [-- COMMAND [ARG...]]",
	.doc = "Record all containers of the host until COMMAND has ended, or until Ctrl-C.\v"
	       "Examples:\n"
	       "  ctrace record start.ctrace -- docker run --rm alpine true\n"
	       "  ctrace record host.ctrace\n"
	       "  ctrace show start.ctrace\n",
};

static int keep(void *arg, const struct event *event)
{
	struct recorder *recorder = arg;

	recorder->events++;
	recorder->last_ns = event->time_ns;
	if (event->kind == EVENT_LOST)
		recorder->lost++;
	return recording_add(recorder->writer, event, recorder->err);
}

static pid_t start_command(char **command, const sigset_t *signals, struct error *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return error_errno(err, errno, "cannot start %s", command[0]);
	if (pid > 0)
		return pid;
	sigprocmask(SIG_UNBLOCK, signals, NULL);
	execvp(command[0], command);
	fprintf(stderr, "ctrace record: cannot execute %s: %s\n", command[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Reads one signal. Ctrl-C reaches a command by itself; others are passed on. Returns whether to stop. */
static bool handle_signal(int signal_fd, pid_t child, int *code, uint64_t *stop_at_ms)
{
	struct signalfd_siginfo info;
	int status;

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo == SIGCHLD) {
		if (child > 0 && waitpid(child, &status, WNOHANG) == child) {
			*code = exit_code(status);
			*stop_at_ms = clock_ms(CLOCK_MONOTONIC) + LINGER_MS;
		}
		return false;
	}
	if (child <= 0 || *stop_at_ms) {
		command_ended_by("record", (int)info.ssi_signo);
		return true;
	}
	if (info.ssi_signo != SIGINT)
		kill(child, (int)info.ssi_signo);
	return false;
}

/* Until the command has ended and lingered, or a signal says so. Returns the command's exit code. */
static int record_until_end(struct event_source *source, struct recorder *recorder, int signal_fd, pid_t child)
{
	struct pollfd fds[] = { { .fd = source_fd(source), .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };
	uint64_t stop_at_ms = 0;
	int code = 0, r;

	while (!stop_at_ms || (uint64_t)clock_ms(CLOCK_MONOTONIC) < stop_at_ms) {
		if (poll(fds, ARRAY_SIZE(fds), 100) < 0 && errno != EINTR)
			return error_errno(recorder->err, errno, "poll");
		r = source_read(source, keep, recorder, recorder->err);
		if (r != 0) /* a tracer that has ended is told as an error, and what it sent is kept */
			return -1;
		if (fds[1].revents & POLLIN && handle_signal(signal_fd, child, &code, &stop_at_ms))
			break;
	}
	return source_drain(source, keep, recorder, recorder->err) < 0 ? -1 : code;
}

static void close_source(struct event_source **source)
{
	source_close(*source);
}

static int note_past(struct recorder *recorder, const char *value, uint64_t time_ns)
{
	struct event_meta note;

	session_make_note(&note, SESSION_PAST, value, time_ns);
	return recording_add(recorder->writer, &note.h, recorder->err);
}

/* What a serving tracer knows of the time before us, between two notes: show and replay tell it apart. */
static int keep_past(struct event_source *source, struct recorder *recorder)
{
	int r = note_past(recorder, "begin", source_facts(source)->start_ns);

	if (r >= 0)
		r = source_catch_up(source, keep, recorder, recorder->err);
	recorder->events = 0;
	return r < 0 ? r : note_past(recorder, "end", recorder->last_ns);
}

static int open_source(const struct record_options *o, struct event_source **ret_source, struct error *err)
{
	struct stream_options stream = { .since_ns = STREAM_EVERYTHING, .arm = o->command };
	bool shared = !o->no_serve && !o->capture.always_armed && !o->capture.bulk_ring_bytes;

	if (shared && source_open_socket(&stream, ret_source, NULL) == 0)
		return 0;
	return source_open_live(&o->capture, ret_source, err);
}

static int begin(const struct record_options *o, struct event_source **ret_source, struct recorder *recorder)
{
	int r = open_source(o, ret_source, recorder->err);

	if (r >= 0)
		r = recording_create(o->file, source_facts(*ret_source), &recorder->writer, recorder->err);
	if (r >= 0 && !source_is_current(*ret_source))
		r = keep_past(*ret_source, recorder);
	return r;
}

/* The recording is open, and the command, which keeps what it was given and to which signals are passed on, is forked. */
static int give_up_privilege(const struct event_source *source, pid_t child, struct error *err)
{
	uint64_t signals = child ? PRIVILEGE(CAP_KILL) : 0;

	if (!source_capture(source))
		return privilege_keep(signals, 0, err);
	return privilege_keep(PRIVILEGE_TRACING | signals, PRIVILEGE_LISTENING, err);
}

static int record(struct record_options *options, int signal_fd, const sigset_t *signals, struct recorder *recorder)
{
	_cleanup_(close_source) struct event_source *source = NULL;
	int code = begin(options, &source, recorder);
	pid_t child = 0;

	if (code >= 0 && options->command)
		child = start_command(options->command, signals, recorder->err);
	recorder->child = child > 0 ? child : 0;
	if (code >= 0 && child >= 0)
		code = give_up_privilege(source, child, recorder->err);
	if (code >= 0)
		code = child < 0 ? -1 : record_until_end(source, recorder, signal_fd, child);
	if (code < 0) {
		recording_close(recorder->writer, NULL);
		return -1;
	}
	return recording_close(recorder->writer, recorder->err) < 0 ? -1 : code;
}

/* What is wrong is told at once. The command is not ended by it, and nobody else would wait for it. */
static void wait_for_command(pid_t child, const struct error *err)
{
	sigset_t none;

	if (waitpid(child, NULL, WNOHANG) != 0)
		return;
	command_fail("record", EXIT_CTRACE, err);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

int cmd_record(int argc, char **argv)
{
	struct record_options options = { 0 };
	struct error err = { 0 };
	struct recorder recorder = { .err = &err };
	_cleanup_close_ int signal_fd = -1;
	sigset_t signals;
	int code;

	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &options);
	options.capture.start_armed = options.command != NULL;
	command_ending_signals(&signals);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	code = record(&options, signal_fd, &signals, &recorder);
	if (code < 0 && recorder.child)
		wait_for_command(recorder.child, &err);
	if (code < 0)
		return command_fail("record", EXIT_CTRACE, &err);
	fprintf(stderr, "ctrace record: %" PRIu64 " events in %s%s\n", recorder.events, options.file,
		recorder.lost ? ", some were lost" : "");
	return code;
}
