/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/trace_options.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/filter_option.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { OPTION_JSON = 256, OPTION_RECORD, OPTION_ID, OPTION_EVENTS, OPTION_ARMED, OPTION_TRACE, OPTION_WIDTH,
	OPTION_COLOR, OPTION_DETACH, OPTION_NO_SERVE, OPTION_FOR_RUN, OPTION_READY_FD, OPTION_DONE_FD, OPTION_META,
	OPTION_FILTER, OPTION_FORMAT };

static const struct argp_option options[] = {
	{ "json", OPTION_JSON, "FILE", OPTION_ARG_OPTIONAL,
		"JSON Lines (JSON_SCHEMA.md) to FILE; without FILE or with - to stdout", 0 },
	{ "events", OPTION_EVENTS, NULL, 0, "with --json: every event as well", 0 },
	{ "record", OPTION_RECORD, "FILE", 0, "keep everything in FILE, for ctrace replay and ctrace show", 0 },
	{ "id", OPTION_ID, "CONTAINER", 0, "only the container of this id, name or beginning of an id", 0 },
	{ "format", OPTION_FORMAT, "json|docker-events", 0,
		"what --json writes: JSON Lines, or docker's events, to stdout unless --json names a FILE", 0 },
	{ "filter", OPTION_FILTER, "EXPRESSION", 0, FILTER_OPTION_HELP, 0 },
	{ "trace", OPTION_TRACE, "none|summary|full", 0, "nothing, phases and actors, or every step", 0 },
	{ "detach-trace", OPTION_DETACH, NULL, 0, "do not wait for the end of containers that were started", 0 },
	{ "always-armed", OPTION_ARMED, NULL, 0,
		"watch system calls all the time, not only while containers are made or changed", 0 },
	{ "no-serve", OPTION_NO_SERVE, NULL, 0, "load the programs, although a ctrace serve runs whose events could be read", 0 },
	{ "width", OPTION_WIDTH, "COLUMNS", 0, "instead of the terminal's", 0 },
	{ "color", OPTION_COLOR, "auto|always|never", 0, "auto: on a terminal, unless NO_COLOR is set", 0 },
	{ "for-run", OPTION_FOR_RUN, "ID", OPTION_HIDDEN, NULL, 0 },
	{ "ready-fd", OPTION_READY_FD, "N", OPTION_HIDDEN, NULL, 0 },
	{ "done-fd", OPTION_DONE_FD, "N", OPTION_HIDDEN, NULL, 0 },
	{ "meta", OPTION_META, "KEY=VALUE", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static int parse_number(struct argp_state *state, const char *name, const char *arg, long least, long most)
{
	char *end;
	long value = strtol(arg, &end, 10);

	if (end == arg || *end || value < least || value > most)
		argp_error(state, "--%s is \"%s\", but must be a number from %ld to %ld", name, arg, least, most);
	return (int)value;
}

static void parse_detail(struct argp_state *state, struct trace_options *o, const char *arg)
{
	o->waterfall_wanted = strcmp(arg, "none") != 0;
	if (!strcmp(arg, "full"))
		o->waterfall.detail = WATERFALL_FULL;
	else if (o->waterfall_wanted && strcmp(arg, "summary") != 0)
		argp_error(state, "--trace is \"%s\", but must be none, summary or full", arg);
}

void trace_options_color(struct argp_state *state, enum waterfall_color *ret, const char *arg)
{
	if (!strcmp(arg, "always"))
		*ret = WATERFALL_COLOR_ALWAYS;
	else if (!strcmp(arg, "never"))
		*ret = WATERFALL_COLOR_NEVER;
	else if (strcmp(arg, "auto") != 0)
		argp_error(state, "--color is \"%s\", but must be auto, always or never", arg);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct trace_options *o = state->input;

	switch (key) {
	case OPTION_JSON: o->json = arg ? arg : "-"; return 0;
	case OPTION_EVENTS: o->events = true; return 0;
	case OPTION_RECORD: o->record = arg; return 0;
	case OPTION_ID: o->id = arg; return 0;
	case OPTION_FORMAT:
		o->docker_events = !strcmp(arg, "docker-events");
		if (!o->docker_events && strcmp(arg, "json") != 0)
			argp_error(state, "--format is \"%s\", but must be json or docker-events", arg);
		if (!o->json)
			o->json = "-";
		return 0;
	case OPTION_FILTER:
		filter_option_check(state, arg);
		o->filter = arg;
		return 0;
	case OPTION_ARMED: o->always_armed = true; return 0;
	case OPTION_NO_SERVE: o->no_serve = true; return 0;
	case OPTION_DETACH: o->detach_trace = true; return 0;
	case OPTION_TRACE: parse_detail(state, o, arg); return 0;
	case OPTION_WIDTH: o->waterfall.width = (size_t)parse_number(state, "width", arg, 60, 400); return 0;
	case OPTION_COLOR: trace_options_color(state, &o->color, arg); return 0;
	case OPTION_FOR_RUN: o->for_run = arg; return 0;
	case OPTION_READY_FD: o->ready_fd = parse_number(state, "ready-fd", arg, 0, 1 << 20); return 0;
	case OPTION_DONE_FD: o->done_fd = parse_number(state, "done-fd", arg, 0, 1 << 20); return 0;
	case OPTION_META:
		if (o->meta_count == ARRAY_SIZE(o->meta) || !strchr(arg, '='))
			argp_error(state, "--meta takes KEY=VALUE, eight times at most");
		o->meta[o->meta_count++] = arg;
		return 0;
	case ARGP_KEY_ARG:
		o->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (o->record && !strcmp(o->record, "-"))
			argp_error(state, "--record needs the name of a file: a recording is not written to stdout");
		if (o->events && (!o->json || o->docker_events))
			argp_error(state, "--events goes with --json");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = { options, parse_option, "[-- COMMAND [ARG...]]",
	"Traces all containers of the host until it is interrupted, or those that COMMAND causes until they and it "
	"have ended. Its exit code is then COMMAND's.\v"
	"Examples:\n"
	"  ctrace trace                                 every container that starts or ends from now on\n"
	"  ctrace trace -- docker run --rm nginx true   what docker does for this one\n"
	"  ctrace trace --record boot.ctrace            keep it: ctrace show boot.ctrace\n"
	"  ctrace trace --json - | jq .id\n", NULL, NULL, NULL };

/* `--json FILE` is accepted beside `--json=FILE`: the word that follows is the file, unless it is an option. */
static void join_json(int *argc, char **argv)
{
	for (int i = 1; i + 1 < *argc && strcmp(argv[i], "--") != 0; i++) {
		const char *next = argv[i + 1];

		if (strcmp(argv[i], "--json") != 0 || (next[0] == '-' && next[1]))
			continue;
		argv[i] = xasprintf("--json=%s", next);
		memmove(&argv[i + 1], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof(*argv));
		(*argc)--;
	}
}

void trace_options_parse(int argc, char **argv, struct trace_options *ret)
{
	*ret = (struct trace_options){ .ready_fd = -1, .done_fd = -1, .waterfall_wanted = true };
	join_json(&argc, argv);
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, ret);
	/* data on stdout and a picture besides: only where it was asked for */
	if (ret->json && !strcmp(ret->json, "-") && ret->waterfall.detail == WATERFALL_SUMMARY &&
		!ret->for_run && !ret->command)
		ret->waterfall_wanted = false;
}
