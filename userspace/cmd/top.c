/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace top: the dashboard, live or on a recording. */
#include <argp.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "tui/dashboard.h"

enum { OPTION_VIEW = 1000, OPTION_ID, OPTION_FILTER, OPTION_SORT, OPTION_PLAY, OPTION_JSON, OPTION_READONLY,
	OPTION_COLOR, OPTION_WIDTH, OPTION_NO_MOUSE, OPTION_ALWAYS_ARMED };

static enum view parse_view(const char *arg, struct argp_state *state)
{
	for (size_t i = 0; i < VIEW_COUNT; i++) {
		if (!strcmp(arg, view_name((enum view)i)))
			return (enum view)i;
	}
	argp_error(state, "--view is \"%s\", but must be containers, timeline, events, limits or host", arg);
	return VIEW_CONTAINERS;
}

/* A positive number of at most `most`. */
static double parse_number(const char *arg, const char *name, double most, struct argp_state *state)
{
	char *end;
	double value = strtod(arg, &end);

	if (end == arg || *end || !(value > 0) || value > most)
		argp_error(state, "%s is \"%s\", but must be a number above 0, at most %g", name, arg, most);
	return value;
}

static int parse_color(const char *arg, struct argp_state *state)
{
	if (!strcmp(arg, "always"))
		return 1;
	if (!strcmp(arg, "never"))
		return 0;
	if (strcmp(arg, "auto") != 0)
		argp_error(state, "--color is \"%s\", but must be auto, always or never", arg);
	return -1;
}

static size_t parse_width(const char *arg, struct argp_state *state)
{
	double width = parse_number(arg, "--width", SCREEN_COLUMNS_MAX, state);

	if (width < SCREEN_COLUMNS_MIN)
		argp_error(state, "--width is \"%s\", but must be a number from %d to %d", arg, SCREEN_COLUMNS_MIN, SCREEN_COLUMNS_MAX);
	return (size_t)width;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct dashboard_options *o = state->input;

	switch (key) {
	case 'b': o->batch = true; return 0;
	case 'n': o->screens = (unsigned long)parse_number(arg, "-n", 1e9, state); return 0;
	case 'd': o->delay_s = parse_number(arg, "--delay", 3600, state); return 0;
	case OPTION_VIEW: o->view = parse_view(arg, state); return 0;
	case OPTION_ID: o->id = arg; return 0;
	case OPTION_FILTER: o->filter = arg; return 0;
	case OPTION_SORT: o->sort = arg; return 0;
	case OPTION_PLAY: o->play = arg ? parse_number(arg, "--play", 1000, state) : 1; return 0;
	case OPTION_JSON: o->batch = o->json = true; return 0;
	case OPTION_READONLY: o->readonly = true; return 0;
	case OPTION_COLOR: o->color = parse_color(arg, state); return 0;
	case OPTION_WIDTH: o->width = parse_width(arg, state); return 0;
	case OPTION_NO_MOUSE: o->no_mouse = true; return 0;
	case OPTION_ALWAYS_ARMED: o->always_armed = true; return 0;
	case ARGP_KEY_ARG:
		if (o->recording)
			argp_error(state, "too many arguments: \"%s\"", arg);
		o->recording = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->play > 0 && !o->recording)
			argp_error(state, "--play needs a recording; ctrace record FILE makes one");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "view", OPTION_VIEW, "VIEW", 0, "begin with containers (default), timeline, events, limits or host", 0 },
	{ "id", OPTION_ID, "CONTAINER", 0, "choose this one: its id, the beginning of it, or its name", 0 },
	{ "filter", OPTION_FILTER, "FILTER", 0, "as the key \\: cont~web type=oom,exit dur>50ms", 0 },
	{ "sort", OPTION_SORT, "COLUMN", 0, "sort containers by the column of that title", 0 },
	{ "play", OPTION_PLAY, "SPEED", OPTION_ARG_OPTIONAL,
		"play a recording from its beginning, so many times as fast as it happened (1)", 0 },
	{ "delay", 'd', "SECONDS", 0, "between two readings of what containers use, and two screens of --batch (1)", 0 },
	{ "batch", 'b', NULL, 0, "print instead of drawing, without a terminal", 1 },
	{ "iterations", 'n', "N", 0, "--batch: so many screens; default: without end", 1 },
	{ "json", OPTION_JSON, NULL, 0, "--batch as JSON Lines (JSON_SCHEMA.md)", 1 },
	{ "width", OPTION_WIDTH, "COLUMNS", 0, "--batch: instead of the terminal's", 1 },
	{ "readonly", OPTION_READONLY, NULL, 0, "nothing that changes the system: no signals, no files", 2 },
	{ "no-mouse", OPTION_NO_MOUSE, NULL, 0, "leave the mouse to the terminal", 2 },
	{ "color", OPTION_COLOR, "auto|always|never", 0, "auto: unless NO_COLOR is set", 2 },
	{ "always-armed", OPTION_ALWAYS_ARMED, NULL, 0, "watch system calls all the time, not only while containers "
		"are made, changed or torn down", 2 },
	{ 0 },
};

static const struct argp argp = { options, parse_option, "[RECORDING]",
	"Shows the containers of this host as they live, or those of a recording.\v"
	"Keys: 1-5 views, arrows or hjkl, Enter details, / find, \\ filter, s sort, p pause, ? all keys, q quit.\n\n"
	"Examples:\n"
	"  ctrace top\n"
	"  ctrace top start.ctrace                         the slowest start first\n"
	"  ctrace top --view timeline --id web start.ctrace\n"
	"  ctrace top --play=0.1 start.ctrace              ten times slower than it happened\n"
	"  ctrace top --batch -n 1\n"
	"  ctrace top --json -n 1 | jq '.containers[] | select(.oom_kills > 0) | .name'\n", NULL, NULL, NULL };

int cmd_top(int argc, char **argv)
{
	struct dashboard_options o = { .color = -1, .delay_s = 1 };
	struct error err = { 0 };

	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	return dashboard_run(&o, &err) < 0 ? command_fail("top", 1, &err) : 0;
}
