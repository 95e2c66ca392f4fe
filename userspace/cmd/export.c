/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace export: a container's root file system as a tar, as docker export: without what is mounted there. */
#include <argp.h>
#include <errno.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "cmd/output_file.h"
#include "engine/container_view.h"
#include "engine/registry.h"
#include "engine/image/copy.h"
#include "util/cleanup.h"

struct arguments {
	const char *container, *output;
};

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "Write to FILE instead of stdout", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'o': a->output = value; return 0;
	case ARGP_KEY_ARG:
		if (a->container)
			command_wrong_arguments(state, "it requires 1 argument: a container");
		a->container = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		command_wrong_arguments(state, "it requires 1 argument: a container");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse_option, "CONTAINER",
	"Write the root file system of a container, running or not, as a tar. Volumes are not in it.\vExamples:\n"
	"  ctrace export web > web.tar\n"
	"  ctrace export -o web.tar web",
	NULL, NULL, NULL,
};

static int export(const char *container, int fd, struct error *err)
{
	_cleanup_(container_view_close) struct container_view view = { .root = -1, .namespace = -1 };
	_cleanup_(state_free) struct state s = { 0 };
	int r = registry_find(container, &s, err);

	if (r == 0)
		r = container_view_open(&s, false, &view, err);
	return r == 0 ? copy_root_to_stream(view.root, fd, err) : r;
}

static int export_to_file(const struct arguments *a, struct error *err)
{
	_cleanup_(output_file_free) struct output_file file = { .fd = -1 };
	int r = output_file_open(a->output, &file, err);

	if (r < 0)
		return error_prefix(err, "failed to export container");
	return output_file_finish(&file, export(a->container, file.fd, err), err);
}

static int run(const struct arguments *a, struct error *err)
{
	if (a->output)
		return export_to_file(a, err);
	if (isatty(STDOUT_FILENO))
		return error_set(err, EINVAL, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
	return export(a->container, STDOUT_FILENO, err);
}

int cmd_export(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct error err = { 0 };
	int code;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	code = engine_command_begin("export");
	if (code)
		return code;
	return run(&a, &err) < 0 ? command_fail("export", 1, &err) : 0;
}
