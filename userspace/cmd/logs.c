/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace logs: what a container printed. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "cmd/words.h"
#include "engine/container_log.h"
#include "engine/control.h"
#include "engine/registry.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { OPTION_SINCE = 256, OPTION_UNTIL, OPTION_DETAILS, BLOCK = 65536 };

struct arguments {
	struct engine_names names;
	bool follow, timestamps;
	long tail; /* -1 = all */
	int64_t since_ns, until_ns;
};

static const struct argp_option options[] = {
	{ "follow", 'f', NULL, 0, "Go on until the container has ended", 0 },
	{ "since", OPTION_SINCE, "TIME", 0, "Only what is newer: 2026-01-02T13:23:37Z, or 42m = so long ago", 0 },
	{ "until", OPTION_UNTIL, "TIME", 0, "Only what is older", 0 },
	{ "tail", 'n', "N", 0, "Only the last lines (all)", 0 },
	{ "timestamps", 't', NULL, 0, "With the time of each line", 0 },
	{ 0 },
};

static int64_t parse_time(struct argp_state *state, const char *option, const char *text)
{
	int64_t ns = words_parse_time(text);

	argp_err_exit_status = ns < 0 ? 1 : argp_err_exit_status; /* docker's daemon looks at it, not its client */
	if (ns < 0)
		argp_error(state, "invalid value for \"%s\": \"%s\" is no time", option, text);
	return ns;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'f': a->follow = true; return 0;
	case 't': a->timestamps = true; return 0;
	case 'n':
		a->tail = !strcmp(value, "all") ? -1 : strtol(value, NULL, 10);
		if (strcmp(value, "all") != 0 && (a->tail < 0 || strspn(value, "0123456789") != strlen(value)))
			a->tail = -1; /* docker, too, takes what it cannot read as "all" */
		return 0;
	case OPTION_SINCE: a->since_ns = parse_time(state, "since", value); return 0;
	case OPTION_UNTIL: a->until_ns = parse_time(state, "until", value); return 0;
	case ARGP_KEY_END:
		if (a->names.count != 1)
			command_wrong_arguments(state, "it requires exactly 1 argument: a container");
		return 0;
	}
	return engine_names_parse(&a->names, key, state);
}

static const struct argp argp = { options, parse_option, "CONTAINER",
	"Print what a container printed, its stderr to stderr.\vExamples:\n"
	"  ctrace logs -f web\n"
	"  ctrace logs --tail 20 -t web\n"
	"  ctrace logs --since 10m web\n", NULL, NULL, NULL };

struct reader {
	int failed; /* errno of the first write that failed */
	const struct arguments *a;
	int fd;
	struct strbuf pending, storage; /* a line that is not whole yet; a parsed one */
};

static void print_line(struct reader *r, const char *text, size_t length)
{
	struct log_line line;
	FILE *to;

	if (!container_log_parse(text, length, &r->storage, &line))
		return;
	if (line.time_ns < r->a->since_ns || (r->a->until_ns && line.time_ns > r->a->until_ns))
		return;
	to = line.stream == LOG_STDOUT ? stdout : stderr;
	/* both may be one pipe: what came first goes first */
	fflush(to == stdout ? stderr : stdout);
	if (r->a->timestamps)
		fprintf(to, "%s ", line.time);
	if (fwrite(line.text, 1, line.length, to) != line.length)
		r->failed = errno;
}

/* Prints all lines that are whole now. False: nobody takes them any more. */
static bool read_lines(struct reader *r)
{
	char block[BLOCK];
	ssize_t n;

	while (!r->failed && (n = read(r->fd, block, sizeof(block))) > 0) {
		size_t used = 0;
		char *end;

		strbuf_add(&r->pending, block, (size_t)n);
		while ((end = memchr(r->pending.text + used, '\n', r->pending.length - used))) {
			print_line(r, r->pending.text + used, (size_t)(end - r->pending.text) - used);
			used = (size_t)(end - r->pending.text) + 1;
		}
		memmove(r->pending.text, r->pending.text + used, r->pending.length - used);
		r->pending.length -= used;
	}
	if ((fflush(stdout) != 0 || fflush(stderr) != 0) && !r->failed)
		r->failed = errno;
	return !r->failed;
}

/* Puts the file where its last `tail` lines begin: from its end, in blocks. */
static void seek_tail(int fd, long tail)
{
	off_t at = lseek(fd, 0, SEEK_END);
	long left = tail + 1; /* the newline at the very end counts, too */
	char block[BLOCK];

	while (at > 0 && left > 0) {
		size_t want = at < BLOCK ? (size_t)at : BLOCK;
		ssize_t n = pread(fd, block, want, at - (off_t)want);

		if (n != (ssize_t)want)
			break;
		while (n > 0 && left > 0) {
			if (block[--n] == '\n' && --left == 0) {
				lseek(fd, at - (off_t)want + n + 1, SEEK_SET);
				return;
			}
		}
		at -= (off_t)want;
	}
	lseek(fd, 0, left > 0 ? SEEK_SET : SEEK_END);
}

/* New lines, and the end of the container, both wake us. */
static void follow(struct reader *r, const struct state *s, const char *path)
{
	struct registry_watch watch;

	if (registry_watch_open(s, &watch, NULL) < 0)
		return;
	inotify_add_watch(watch.fd, path, IN_MODIFY);
	for (;;) {
		bool running = registry_owner(s->id) != 0; /* before: what it printed last is not missed */

		if (!read_lines(r) || !running)
			break;
		registry_watch_wait(&watch, -1);
	}
	registry_watch_close(&watch);
}

static int print_logs(const struct state *s, const struct arguments *a, struct error *err)
{
	_cleanup_free_ char *path = container_log_path(s);
	struct reader r = { .a = a, .fd = open(path, O_RDONLY | O_CLOEXEC) };

	if (!s->keeps_log)
		return error_set(err, ENOENT, "container %s keeps no log: it runs in the foreground with --rm, and its "
			"output goes where that was started", s->name);
	if (r.fd < 0)
		return error_errno(err, errno, "cannot open %s", path);
	if (a->tail >= 0)
		seek_tail(r.fd, a->tail);
	if (read_lines(&r) && a->follow && !a->until_ns)
		follow(&r, s, path);
	close(r.fd);
	strbuf_free(&r.pending);
	strbuf_free(&r.storage);
	if (r.failed && r.failed != EPIPE)
		return error_errno(err, r.failed, "cannot write the output");
	clearerr(stdout); /* a reader that has enough is no error */
	return 0;
}

int cmd_logs(int argc, char **argv)
{
	struct arguments a = { .tail = -1 };
	_cleanup_(state_free) struct state s = { 0 };
	struct error err = { 0 };
	int code;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	code = engine_command_begin("logs");
	if (code)
		return code;
	if (registry_find(a.names.items[0], &s, &err) < 0 || print_logs(&s, &a, &err) < 0)
		return command_fail("logs", 1, &err);
	return 0;
}
