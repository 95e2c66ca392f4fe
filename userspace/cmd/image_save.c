/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace save: images as a tar, for docker load, ctrace load and whatever reads OCI layouts. */
#include <argp.h>
#include <errno.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/output_file.h"
#include "engine/image/save_archive.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { OPTION_PLATFORM = 256 };

struct arguments {
	const char *output, *platform;
	char **images;
	size_t count;
};

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "Write to FILE instead of stdout", 0 },
	{ "platform", OPTION_PLATFORM, "OS/ARCH[/VARIANT]", 0, "Save the image of this platform (the host's)", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'o': a->output = value; return 0;
	case OPTION_PLATFORM: a->platform = value; return 0;
	case ARGP_KEY_ARGS:
		a->images = state->argv + state->next;
		a->count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		command_wrong_arguments(state, "it requires at least 1 argument: an image");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse_option, "IMAGE...",
	"Write images as a tar that docker load, ctrace load and other tools take: docker's manifest.json and an OCI layout in one.\v"
	"A name without a tag means all tags that it has here. Layers are packed anew, so that the saved image has another id than the "
	"one here; loaded and saved again, it keeps that.\n\n"
	"Examples:\n"
	"  ctrace save -o app.tar app:1.0\n"
	"  ctrace save app:1.0 | gzip > app.tar.gz\n"
	"  ctrace save app:1.0 | docker load",
	NULL, NULL, NULL,
};

static int save(const struct arguments *a, int fd, struct error *err)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct output_stream out = { .fd = fd };
	int r = store_open(NULL, &store, err);

	if (r == 0)
		r = save_archive(store, a->images, a->count, a->platform, output_stream_write, &out, err);
	return out.failed ? error_errno(err, out.failed, "cannot write the archive") : r;
}

static int save_to_file(const struct arguments *a, struct error *err)
{
	_cleanup_(output_file_free) struct output_file file = { .fd = -1 };
	int r = output_file_open(a->output, &file, err);

	return r == 0 ? output_file_finish(&file, save(a, file.fd, err), err) : r;
}

int cmd_save(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct error err = { 0 };
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	if (a.output)
		r = save_to_file(&a, &err);
	else if (isatty(STDOUT_FILENO))
		r = error_set(&err, EINVAL, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
	else
		r = save(&a, STDOUT_FILENO, &err);
	return r < 0 ? command_fail("save", 1, &err) : 0;
}
