/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace pull: an image from a registry, an OCI layout or a docker archive into the store. The image's
 * name goes to stdout, what is going on to stderr. */
#include <argp.h>
#include <curl/curl.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/pull_progress.h"
#include "engine/image/pull.h"
#include "engine/image/image_settings.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { OPTION_PLATFORM = 256, OPTION_NO_FALLBACK };

struct arguments {
	const char *reference, *platform;
	bool quiet, no_fallback;
};

static const struct argp_option options[] = {
	{ "quiet", 'q', NULL, 0, "Print the image's name only", 0 },
	{ "platform", OPTION_PLATFORM, "OS/ARCH[/VARIANT]", 0, "Pull for this platform (the host's)", 0 },
	{ "no-fallback", OPTION_NO_FALLBACK, NULL, 0,
		"Ask the configured mirrors only, never docker.io itself", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'q':
		a->quiet = true;
		return 0;
	case OPTION_PLATFORM:
		a->platform = value;
		return 0;
	case OPTION_NO_FALLBACK:
		a->no_fallback = true;
		return 0;
	case ARGP_KEY_ARG:
		if (a->reference)
			command_wrong_arguments(state, "one image at a time");
		a->reference = value;
		return 0;
	case ARGP_KEY_END:
		if (!a->reference)
			command_wrong_arguments(state, "which image?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	options, parse_option, "IMAGE",
	"Bring an image into the store.\v"
	"IMAGE is [HOST[:PORT]/]NAME[:TAG][@DIGEST], oci:DIR[:TAG] (an OCI layout) or "
	"docker-archive:FILE[:NAME:TAG] (what docker save writes).\n\n"
	"Mirrors for docker.io's images: CTRACE_REGISTRY_MIRROR=http://HOST:PORT, or registry_mirrors in "
	"/etc/ctrace/config.json.\n\n"
	"Examples:\n"
	"  ctrace pull ubuntu\n"
	"  ctrace pull --platform linux/arm64 debian:12\n"
	"  ctrace pull oci:./layout:v1",
	NULL, NULL, NULL,
};

static void report(const struct arguments *a, const struct source *source,
	const struct pull_result *result)
{
	_cleanup_free_ char *familiar = source->kind == SOURCE_REGISTRY ?
		reference_familiar(&source->reference) : xstrdup(source->key);

	if (!a->quiet) {
		if (*result->digest)
			fprintf(stderr, "Digest: %s\n", result->digest);
		fprintf(stderr, "Status: %s for %s\n", result->up_to_date ? "Image is up to date" :
			"Downloaded newer image", familiar);
	}
	printf("%s\n", source->key);
}

static void begin(const struct arguments *a, const struct source *source)
{
	const struct reference *ref = &source->reference;

	if (a->quiet)
		return;
	if (source->kind != SOURCE_REGISTRY)
		fprintf(stderr, "Importing %s\n", source->key);
	else
		fprintf(stderr, "%s: Pulling from %s\n", ref->digest ? ref->digest : ref->tag,
			str_starts(source->key, "docker.io/") ? ref->path : source->key);
}

static int pull(const struct arguments *a, struct error *err)
{
	_cleanup_(image_settings_free) struct image_settings settings = { 0 };
	_cleanup_(source_free) struct source source = { 0 };
	_cleanup_(cleanup_store) struct store *store = NULL;
	_cleanup_(pull_result_free) struct pull_result result = { 0 };
	struct pull_progress progress = { .terminal = isatty(STDERR_FILENO) };
	struct pull_options pull_options = { .platform = a->platform, .settings = &settings,
		.cancel = pull_progress_cancel(), .observe = a->quiet ? NULL : pull_progress_show, .arg = &progress };
	int r = image_settings_load(&settings, err);

	if (r == 0)
		r = source_parse(a->reference, &source, err);
	if (r == 0)
		r = store_open(NULL, &store, err);
	if (r < 0)
		return r;
	settings.no_fallback |= a->no_fallback;
	begin(a, &source);
	r = pull_image(store, &source, &pull_options, &result, err);
	pull_progress_free(&progress);
	if (r < 0) {
		error_prefix(err, "cannot pull %s", a->reference);
		return r;
	}
	report(a, &source, &result);
	return 0;
}

int cmd_pull(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct error err = { 0 };
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
		return EXIT_CTRACE;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	r = pull(&arguments, &err);
	curl_global_cleanup();
	return r < 0 ? command_fail("pull", 1, &err) : 0;
}
