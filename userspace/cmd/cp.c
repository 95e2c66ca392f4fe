/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace cp: files between a container and this host, as docker cp. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "engine/container_view.h"
#include "engine/registry.h"
#include "engine/image/copy.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

struct arguments {
	char **paths;
	int count;
	struct copy_options options;
};

static const struct argp_option options[] = {
	{ "archive", 'a', NULL, 0, "To the host, too: keep owners, setuid bits, capabilities and device nodes", 0 },
	{ "follow-link", 'L', NULL, 0, "Copy what SOURCE links to, where it is a symbolic link", 0 },
	{ "quiet", 'q', NULL, OPTION_HIDDEN, NULL, 0 }, /* docker's: there is no progress to suppress */
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)value;
	switch (key) {
	case 'a': a->options.archive = true; return 0;
	case 'L': a->options.follow = true; return 0;
	case 'q': return 0;
	case ARGP_KEY_ARGS:
		a->paths = state->argv + state->next;
		a->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (a->count != 2)
			command_wrong_arguments(state, "it requires 2 arguments: SOURCE DESTINATION");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse_option, "CONTAINER:SOURCE DESTINATION|-\nSOURCE|- CONTAINER:DESTINATION",
	"Copy files between a container, running or not, and this host. - is a tar on stdin or stdout.\v"
	"The container's side is its root and its volumes, not its /proc, /sys, /dev and tmpfs. A SOURCE that ends in /. is what is "
	"in a directory. Owners are kept in a container; on the host the copies are yours.\n\nExamples:\n"
	"  ctrace cp web:/etc/nginx .\n"
	"  ctrace cp site/. web:/srv/www\n"
	"  ctrace cp web:/var/log - | tar t",
	NULL, NULL, NULL,
};

/* Splits "CONTAINER:PATH" in place, as docker does: what begins with '/' or '.' is a path of the host. NULL: it is one. */
static char *split_container(char **path)
{
	char *name = *path, *colon = strchr(name, ':');

	if (*name == '/' || *name == '.' || !colon)
		return NULL;
	*colon = '\0';
	*path = colon + 1;
	return name;
}

static int copy(struct copy_place *from, struct copy_place *to, struct copy_options *o, struct error *err)
{
	if (!from->container && !strcmp(from->path, "-"))
		return copy_from_stream(STDIN_FILENO, to, o, err);
	if (!to->container && !strcmp(to->path, "-"))
		return copy_to_stream(from, o, STDOUT_FILENO, err);
	return copy_files(from, to, o, err);
}

static int run(struct arguments *a, struct error *err)
{
	char *source = a->paths[0], *destination = a->paths[1];
	struct copy_place from = { .root = -1 }, to = { .root = -1 };
	_cleanup_(container_view_close) struct container_view view = { .root = -1, .namespace = -1 };
	_cleanup_(state_free) struct state s = { 0 };
	int r;

	if (!*source || !*destination)
		return error_set(err, EINVAL, "%s can not be empty", *source ? "destination" : "source");
	from.container = split_container(&source);
	to.container = split_container(&destination);
	from.path = source;
	to.path = destination;
	if (from.container && to.container)
		return error_set(err, EINVAL, "copying between containers is not supported");
	if (!from.container && !to.container)
		return error_set(err, EINVAL, "must specify at least one container source");
	r = registry_find(from.container ? from.container : to.container, &s, err);
	if (r == 0)
		r = container_view_open(&s, true, &view, err);
	if (r < 0)
		return r;
	*(from.container ? &from.root : &to.root) = view.root;
	return copy(&from, &to, &a->options, err);
}

int cmd_cp(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct error err = { 0 };
	int code;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	code = engine_command_begin("cp");
	if (code)
		return code;
	if (run(&a, &err) < 0)
		return command_fail("cp", 1, &err);
	if (a.options.left_out)
		fprintf(stderr, "ctrace cp: %" PRIu64 " device node%s left out: -a copies them, too\n", a.options.left_out,
			a.options.left_out == 1 ? "" : "s");
	return 0;
}
