/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace diff: two recorded containers beside each other. */
#include <argp.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/load.h"
#include "exporters/diff.h"
#include "util/cleanup.h"

struct diff_options {
	const char *words[4]; /* A [ID] B [ID] */
	size_t count;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct diff_options *o = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (o->count == ARRAY_SIZE(o->words))
			argp_error(state, "too many arguments: \"%s\"", arg);
		o->words[o->count++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->count < 2)
			argp_error(state, "which two? ctrace diff RECORDING [CONTAINER] RECORDING [CONTAINER]");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = { NULL, parse_option, "RECORDING [CONTAINER] [RECORDING] CONTAINER",
	"Compares two containers: how long their phases and steps took, which steps only one of them has, which limits "
	"differ. One recording may have both.\v"
	"Examples:\n"
	"  ctrace diff yesterday.ctrace today.ctrace\n"
	"  ctrace diff before.ctrace web after.ctrace web\n"
	"  ctrace diff many.ctrace web-1 web-2\n", NULL, NULL, NULL };

/* Which words are recordings: the first, and of the others the one that is a file. */
struct wanted {
	const char *path, *id;
};

static int sort_out(const struct diff_options *o, struct wanted ret[2], struct error *err)
{
	size_t second = 0;

	for (size_t i = 1; i < o->count && i < 3 && !second; i++) {
		if (load_is_file(o->words[i]))
			second = i;
	}
	if (!second && o->count != 3)
		return error_set(err, ENOENT, "\"%s\" is no recording", o->words[o->count == 4 ? 2 : 1]);
	ret[0] = (struct wanted){ o->words[0], second == 1 ? NULL : o->words[1] };
	if (!second) {
		ret[1] = (struct wanted){ o->words[0], o->words[2] };
		return 0;
	}
	if (o->count - second > 2)
		return error_set(err, EINVAL, "\"%s\" is one argument too many", o->words[o->count - 1]);
	ret[1] = (struct wanted){ o->words[second], o->count > second + 1 ? o->words[second + 1] : NULL };
	return 0;
}

static int diff(const struct diff_options *o, struct loaded loaded[2], struct error *err)
{
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	struct diff_side sides[2];
	struct wanted wanted[2];
	int r = sort_out(o, wanted, err);

	for (int i = 0; i < 2 && r >= 0; i++) {
		r = load_recording(wanted[i].path, &loaded[i], err);
		if (r >= 0)
			r = load_find(&loaded[i], wanted[i].path, wanted[i].id, &sides[i].c, err);
		sides[i].where = wanted[i].path;
	}
	if (r < 0)
		return r;
	diff_print(&sb, &sides[0], &sides[1], utf8);
	errno = EIO;
	if (fwrite(sb.text, 1, sb.length, stdout) != sb.length || fflush(stdout))
		return error_errno(err, errno, "cannot write the output");
	for (int i = 0; i < 2; i++) {
		if (loaded[i].damage.text[0]) {
			*err = loaded[i].damage;
			return -EBADMSG;
		}
	}
	return 0;
}

int cmd_diff(int argc, char **argv)
{
	struct loaded loaded[2] = { { 0 }, { 0 } };
	struct diff_options o = { .count = 0 };
	struct error err = { 0 };
	int r;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	setlocale(LC_CTYPE, "");
	r = diff(&o, loaded, &err);
	loaded_free(&loaded[0]);
	loaded_free(&loaded[1]);
	return r < 0 ? command_fail("diff", 1, &err) : 0;
}
