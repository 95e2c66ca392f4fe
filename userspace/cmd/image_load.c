/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace load: the images of what docker save or ctrace save wrote, by their names. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/pull_progress.h"
#include "engine/image/image_settings.h"
#include "engine/image/load_archive.h"
#include "util/cleanup.h"

struct arguments {
	const char *input;
	bool quiet;
};

static const struct argp_option options[] = {
	{ "input", 'i', "FILE", 0, "Read FILE instead of stdin", 0 },
	{ "quiet", 'q', NULL, 0, "Show no progress", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'i': a->input = value; return 0;
	case 'q': a->quiet = true; return 0;
	case ARGP_KEY_ARG: command_wrong_arguments(state, "it takes no arguments: the archive comes from stdin, or -i FILE"); return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse_option, "",
	"Bring the images of an archive, which docker save or ctrace save wrote, into the store, by the names that they have there. It may be "
	"compressed: gzip, bzip2, xz, zstd.\vExamples:\n"
	"  ctrace load -i app.tar.gz\n"
	"  docker save app:1.0 | ctrace load",
	NULL, NULL, NULL,
};

static void print_name(const char *name, const char *old_id)
{
	_cleanup_free_ char *familiar = NULL;
	struct reference ref;

	if (reference_parse(name, &ref, NULL) < 0)
		return;
	familiar = reference_familiar(&ref);
	reference_free(&ref);
	if (old_id)
		printf("The image %s already exists, renaming the old one with ID %s to empty string\n", familiar, old_id);
	printf("Loaded image: %s\n", familiar);
}

static void tell(void *arg, const struct loaded_image *image)
{
	(void)arg;
	for (size_t i = 0; image->names[i]; i++)
		print_name(image->names[i], image->old_ids[i]);
	if (!image->names[0])
		printf("Loaded image ID: %s\n", image->id);
	fflush(stdout);
}

static int load(const struct arguments *a, struct error *err)
{
	_cleanup_(image_settings_free) struct image_settings settings = { 0 };
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct pull_progress progress = { .terminal = true };
	struct pull_options pull_options = { .settings = &settings, .cancel = pull_progress_cancel(),
		.observe = a->quiet || !isatty(STDERR_FILENO) ? NULL : pull_progress_show, .arg = &progress };
	int r = image_settings_load(&settings, err);

	if (r == 0)
		r = store_open(NULL, &store, err);
	if (r == 0)
		r = load_archive(store, a->input, &pull_options, tell, NULL, err);
	pull_progress_free(&progress);
	return r;
}

int cmd_load(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct error err = { 0 };
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	if (!a.input && isatty(STDIN_FILENO))
		r = error_set(&err, EINVAL, "requested load from stdin, but stdin is a terminal: use -i FILE, or redirect");
	else
		r = load(&a, &err);
	return r < 0 ? command_fail("load", 1, &err) : 0;
}
