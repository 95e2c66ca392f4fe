/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace explain: why containers of a recording ended as they did and what their starts took, in words. */
#include <argp.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/load.h"
#include "exporters/diagnose.h"
#include "exporters/waterfall_text.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { ALL_UP_TO = 3 };

struct explain_options {
	const char *path, *id;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct explain_options *o = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			o->path = arg;
		else if (state->arg_num == 1)
			o->id = arg;
		else
			argp_error(state, "too many arguments: \"%s\"", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->path)
			argp_error(state, "which recording? ctrace trace --record FILE makes one");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = { NULL, parse_option, "RECORDING [CONTAINER]",
	"Says why a container ended, who killed it or which limit did, what its start took against the others of the recording, "
	"and which calls failed. Without CONTAINER: all, or of many those that failed and the slowest.\v"
	"Examples:\n"
	"  ctrace explain start.ctrace\n"
	"  ctrace explain start.ctrace web\n", NULL, NULL, NULL };

static uint64_t start_length(const struct container *c)
{
	return c->started_ns && !c->existed ? c->started_ns - c->first_ns : 0;
}

/* One against all others that are no mere bystanders. */
static void explain_one(struct loaded *l, const struct container *c, bool utf8)
{
	size_t count = timeline_count(l->timeline);
	_cleanup_free_ const struct container **others = xcalloc(count, sizeof(*others));
	struct diagnose_others list = { others, 0 };
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct container *other = timeline_get(l->timeline, i);

		if (other != c && !other->existed)
			others[list.count++] = other;
	}
	diagnose_print(&sb, c, &list, utf8);
	fputs(sb.text, stdout);
}

static void explain_all(struct loaded *l, bool utf8)
{
	size_t count = timeline_count(l->timeline), told = 0;
	const struct container *slowest = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct container *c = timeline_get(l->timeline, i);

		if (!slowest || start_length(c) > start_length(slowest))
			slowest = c;
		if (count > ALL_UP_TO && !text_is_failure(c))
			continue;
		explain_one(l, c, utf8);
		told++;
	}
	if (slowest && told < count && !text_is_failure(slowest)) {
		explain_one(l, slowest, utf8);
		told++;
	}
	if (told < count)
		printf("%zu more containers neither failed nor took longer to start\n", count - told);
}

static int explain(const struct explain_options *o, struct loaded *l, struct error *err)
{
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	const struct container *c;
	int r = load_recording(o->path, l, err);

	if (r < 0)
		return r;
	if (o->id) {
		r = load_find(l, o->path, o->id, &c, err);
		if (r < 0)
			return r;
		explain_one(l, c, utf8);
	} else {
		explain_all(l, utf8);
	}
	if (l->damage.text[0]) {
		*err = l->damage;
		return -err->code;
	}
	errno = EIO;
	return fflush(stdout) ? error_errno(err, errno, "cannot write the output") : 0;
}

int cmd_explain(int argc, char **argv)
{
	_cleanup_(loaded_free) struct loaded l = { 0 };
	struct explain_options o = { 0 };
	struct error err = { 0 };

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	setlocale(LC_CTYPE, "");
	return explain(&o, &l, &err) < 0 ? command_fail("explain", 1, &err) : 0;
}
