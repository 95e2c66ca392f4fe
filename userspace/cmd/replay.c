/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace replay and ctrace show: a recording as the live session printed it, and as one picture. */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "capture/source.h"
#include "capture/stream.h"
#include "cmd/command.h"
#include "cmd/filter_option.h"
#include "cmd/load.h"
#include "cmd/session.h"
#include "cmd/trace_options.h"
#include "exporters/json.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/memory.h"
#include "util/strbuf.h"

enum { OPTION_JSON = 256, OPTION_EVENTS, OPTION_EXPLAIN, OPTION_TRACE, OPTION_WIDTH, OPTION_COLOR,
	OPTION_SCHEMA, OPTION_ALL, OPTION_FILTER,
	OPTION_PERFETTO, OPTION_HTML, OPTION_MERMAID, OPTION_FORMAT, OPTION_OTLP };

struct replay_options {
	const char *name; /* of the command, for errors */
	bool docker_events;
	bool json, events, schema, all;
	enum waterfall_color color;
	struct waterfall_options waterfall;
	const char *path; /* NULL = the tracer that serves this host (show) */
	const char *id, *filter, *out;
	const struct export_format *format; /* NULL = the picture, or JSON */
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct replay_options *o = state->input;
	char *end;

	switch (key) {
	case OPTION_JSON: o->json = true; return 0;
	case OPTION_EVENTS: o->events = true; return 0;
	case OPTION_EXPLAIN: o->waterfall.explain = true; return 0;
	case OPTION_ALL: o->all = true; return 0;
	case OPTION_SCHEMA: o->schema = true; return 0;
	case OPTION_FILTER:
		filter_option_check(state, arg);
		o->filter = arg;
		return 0;
	case OPTION_TRACE:
		if (!strcmp(arg, "full"))
			o->waterfall.detail = WATERFALL_FULL;
		else if (strcmp(arg, "summary") != 0)
			argp_error(state, "--trace is \"%s\", but must be summary or full", arg);
		return 0;
	case OPTION_WIDTH:
		o->waterfall.width = strtoul(arg, &end, 10);
		if (end == arg || *end || o->waterfall.width < 60 || o->waterfall.width > 400)
			argp_error(state, "--width is \"%s\", but must be a number from 60 to 400", arg);
		return 0;
	case OPTION_COLOR: trace_options_color(state, &o->color, arg); return 0;
	case OPTION_PERFETTO: o->format = &export_perfetto; return 0;
	case OPTION_FORMAT:
		o->docker_events = !strcmp(arg, "docker-events");
		if (!o->docker_events && strcmp(arg, "json") != 0)
			argp_error(state, "--format is \"%s\", but must be json or docker-events", arg);
		o->json = true;
		return 0;
	case OPTION_OTLP:
		o->format = &export_otlp;
		if (arg && !strcmp(arg, "protobuf"))
			o->format = &export_otlp_protobuf;
		else if (arg && strcmp(arg, "json") != 0)
			argp_error(state, "--otlp is \"%s\", but must be json or protobuf", arg);
		return 0;
	case OPTION_MERMAID: o->format = &export_mermaid; return 0;
	case OPTION_HTML: o->format = &export_html; return 0;
	case 'o': o->out = arg; return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			o->path = arg;
		else if (state->arg_num == 1 && !strcmp(o->name, "show"))
			o->id = arg;
		else
			argp_error(state, "too many arguments: \"%s\"", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->path && !o->schema && strcmp(o->name, "show") != 0)
			argp_error(state, "which recording? ctrace trace --record FILE makes one");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

#define COMMON_OPTIONS                                                                                         \
	{ "json", OPTION_JSON, NULL, 0, "JSON Lines instead of pictures (JSON_SCHEMA.md)", 0 },                \
	{ "events", OPTION_EVENTS, NULL, 0, "with --json: every event as well", 0 },                           \
	{ "filter", OPTION_FILTER, "EXPRESSION", 0, FILTER_OPTION_HELP, 0 },                                   \
	{ "trace", OPTION_TRACE, "summary|full", 0, "phases and actors, or every step", 0 },                   \
	{ "width", OPTION_WIDTH, "COLUMNS", 0, "instead of the terminal's", 0 },                               \
	{ "color", OPTION_COLOR, "auto|always|never", 0, "auto: on a terminal, unless NO_COLOR is set", 0 },   \
	{ "json-schema", OPTION_SCHEMA, NULL, 0, "print the JSON Schema of the output and stop", 0 }

static const struct argp_option replay_argp_options[] = {
	{ "format", OPTION_FORMAT, "json|docker-events", 0, "JSON Lines, or docker's events", 0 },
	COMMON_OPTIONS, { 0 },
};
static const struct argp_option show_argp_options[] = {
	{ "all", OPTION_ALL, NULL, 0, "also containers that the recorded command did not cause", 0 },
	{ "explain", OPTION_EXPLAIN, NULL, 0, "after each step: what it does and why", 0 },
	{ "html", OPTION_HTML, NULL, 0, "one page for a browser, with everything in it: for a report", 0 },
	{ "mermaid", OPTION_MERMAID, NULL, 0, "a gantt chart to paste into an issue of GitHub", 0 },
	{ "otlp", OPTION_OTLP, "json|protobuf", OPTION_ARG_OPTIONAL,
		"traces of OpenTelemetry, as they would be sent to a collector", 0 },
	{ "perfetto", OPTION_PERFETTO, NULL, 0, "Chrome's trace format, for ui.perfetto.dev and speedscope", 0 },
	{ "output", 'o', "FILE", 0, "write to FILE instead of stdout", 0 },
	COMMON_OPTIONS, { 0 },
};

static const struct argp replay_argp = { replay_argp_options, parse_option, "RECORDING",
	"Prints a recording as the live `ctrace trace` printed it, byte for byte with --json. Needs no root.\v"
	"Examples:\n"
	"  ctrace replay start.ctrace\n"
	"  ctrace replay --json --events start.ctrace | jq 'select(.type == \"event\")'\n", NULL, NULL, NULL };

static const struct argp show_argp = { show_argp_options, parse_option, "[RECORDING] [CONTAINER]",
	"Shows the containers of a recording, or the one whose id, name or beginning of the id is CONTAINER. Without "
	"RECORDING: of the ctrace serve that runs on this host, from its memory.\v"
	"Examples:\n"
	"  ctrace show start.ctrace\n"
	"  ctrace show web                          (asks ctrace serve)\n"
	"  ctrace show --explain start.ctrace web   (learn how it was made)\n"
	"  ctrace show --json start.ctrace web | jq '.phases'\n", NULL, NULL, NULL };

struct feeding {
	struct session *session;
	struct error *err; /* of writing, as opposed to reading */
	int failed;
};

static int feed_event(void *arg, const struct event *event)
{
	struct feeding *f = arg;

	f->failed = session_event(f->session, event, f->err);
	return f->failed;
}

/* Feeds all that can be read. 0, or why it ended too early: what came before has been fed. */
static int feed(struct event_source *source, struct session *session, struct error *damage, struct error *err)
{
	struct feeding f = { .session = session, .err = err };
	int r = source_is_live(source) ? source_catch_up(source, feed_event, &f, damage) :
		source_drain(source, feed_event, &f, damage);

	if (f.failed < 0)
		return f.failed;
	if (r < 0 && !damage->text[0])
		error_errno(damage, -r, "the recording cannot be read further");
	return 0;
}

static int no_such_container(struct session *session, const char *id, const char *where, struct error *err)
{
	struct timeline *tl = session_timeline(session);
	_cleanup_(strbuf_free) struct strbuf names = { 0 };

	load_names(&names, tl);
	return error_set(err, ENOENT, "no container %s %s; it has %zu%s", id, where, timeline_count(tl),
		names.text ? names.text : "");
}

static int run_session(struct event_source *source, struct replay_options *o, FILE *out, bool at_end,
	struct error *err)
{
	struct session_options options = { .json = o->json ? out : NULL, .text = o->json ? NULL : out, .format = o->format,
		.events = o->events, .docker_events = o->docker_events, .at_end = at_end, .id = o->id, .filter = o->filter, .waterfall = o->waterfall,
		.as_recorded = !o->id && !o->all };
	struct session *session = NULL;
	struct error damage = { 0 };
	int r = session_begin(source_facts(source), &options, &session, err);

	if (r < 0)
		return r;
	r = feed(source, session, &damage, err);
	if (r >= 0)
		r = session_end(session, damage.text[0] ? damage.text : NULL, err);
	if (r >= 0 && damage.text[0]) {
		*err = damage;
		r = -EBADMSG;
	}
	if (r >= 0 && o->id && !session_containers(session))
		r = no_such_container(session, o->id, o->path ? "in the recording" : "in the serving tracer's memory", err);
	session_free(session);
	return r;
}

/* `ctrace show ID` asks the tracer that serves this host, if ID is no file and there is one. */
static int open_source(struct replay_options *o, struct event_source **ret_source, struct error *err)
{
	struct error none = { 0 };
	int r;

	if (o->path && (strcmp(o->name, "show") != 0 || o->id || load_is_file(o->path)))
		return source_open_recording(o->path, ret_source, err);
	r = source_open_socket(NULL, ret_source, &none);
	if (r == 0) {
		o->id = steal_ptr(o->path);
		return 0;
	}
	if (!o->path)
		return error_set(err, -r, "which recording? No ctrace serve runs that could be asked instead (%s)", none.text);
	return error_set(err, ENOENT, "there is no recording %s, and no ctrace serve runs that may know such a container (%s)",
		o->path, none.text);
}

/* As run_session, into the file that was asked for. */
static int run_into_file(struct event_source *source, struct replay_options *o, bool at_end, struct error *err)
{
	FILE *out = stdout;
	int r;

	if (o->out && strcmp(o->out, "-") != 0 && !(out = fopen(o->out, "we")))
		return error_errno(err, errno, "cannot write %s", o->out);
	waterfall_detect(&o->waterfall, out, o->color);
	r = run_session(source, o, out, at_end, err);
	if (out != stdout && fclose(out) != 0 && r >= 0)
		r = error_errno(err, errno, "cannot write %s", o->out);
	return r;
}

static int replay(struct replay_options *o, bool at_end)
{
	struct event_source *source = NULL;
	struct error err = { 0 };
	int r;

	if (o->schema) {
		fputs(json_schema, stdout);
		return 0;
	}
	setlocale(LC_CTYPE, "");
	memory_prefer_huge_pages();
	r = open_source(o, &source, &err);
	if (r >= 0)
		r = run_into_file(source, o, at_end, &err);
	source_close(source);
	return r < 0 ? command_fail(o->name, 1, &err) : 0;
}

int cmd_replay(int argc, char **argv)
{
	struct replay_options o = { .name = "replay" };

	argp_parse(&replay_argp, argc, argv, 0, NULL, &o);
	return replay(&o, false);
}

int cmd_show(int argc, char **argv)
{
	struct replay_options o = { .name = "show" };

	argp_parse(&show_argp, argc, argv, 0, NULL, &o);
	return replay(&o, true);
}
