/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace pull: an image from a registry, an OCI layout or a docker archive into the store. The image's
 * name goes to stdout, what is going on to stderr. */
#include <argp.h>
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cmd/command.h"
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

static atomic_bool cancelled;

static void on_signal(int signal)
{
	(void)signal;
	atomic_store(&cancelled, true);
}

/* ---- progress ---- */

struct display {
	bool terminal;
	size_t lines;		/* drawn so far, to go up over */
	enum pull_state *states; /* what a plain output has told already */
	size_t count;
};

/* "12.3MB", in docker's decimal units. */
static const char *human(uint64_t bytes, char buffer[24])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(buffer, 24, unit && value < 100 ? "%.1f%s" : "%.0f%s", value, units[unit]);
	return buffer;
}

static const char *state_name(enum pull_state state)
{
	static const char *const names[] = {
		[PULL_EXISTS] = "Already exists",     [PULL_WAITING] = "Waiting",
		[PULL_DOWNLOADING] = "Downloading",   [PULL_EXTRACTING] = "Extracting",
		[PULL_COMPLETE] = "Pull complete",    [PULL_FAILED] = "Failed",
	};

	return names[state];
}

static void short_digest(const char *digest, char out[13])
{
	const char *hex = strchr(digest, ':');

	snprintf(out, 13, "%s", hex ? hex + 1 : digest);
}

static void draw_bar(const struct pull_layer *layer, int width)
{
	char now[24], all[24];
	int filled;

	if (layer->size <= 0 || width < 10) {
		fprintf(stderr, " %s", human(layer->fed, now));
		return;
	}
	filled = (int)(layer->fed * (uint64_t)width / (uint64_t)layer->size);
	if (filled > width)
		filled = width;
	fputs(" [", stderr);
	for (int i = 0; i < width; i++)
		fputc(i < filled ? '=' : i == filled ? '>' : ' ', stderr);
	fprintf(stderr, "] %s/%s", human(layer->fed, now), human((uint64_t)layer->size, all));
}

static int bar_width(void)
{
	struct winsize size = { 0 };
	int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
	int width = columns - 48; /* id, state, both sizes */

	return width > 50 ? 50 : width;
}

/* One line per layer, drawn over the last drawing; as many as fit the screen, the first of those that
 * are under way. */
static void draw(struct display *d, const struct pull_layer *layers, size_t count)
{
	struct winsize size = { 0 };
	size_t rows = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 3 ?
		size.ws_row - 2U : 22, first = 0;
	int width = bar_width();
	char id[13];

	while (count - first > rows && (layers[first].state == PULL_COMPLETE ||
					       layers[first].state == PULL_EXISTS))
		first++;
	if (count - first < rows)
		first = count > rows ? count - rows : 0;
	if (d->lines)
		fprintf(stderr, "\033[%zuA", d->lines);
	d->lines = 0;
	for (size_t i = first; i < count && d->lines < rows; i++, d->lines++) {
		short_digest(layers[i].digest, id);
		fprintf(stderr, "\r\033[K%s: %s", id, state_name(layers[i].state));
		if (layers[i].state == PULL_DOWNLOADING)
			draw_bar(&layers[i], width);
		fputc('\n', stderr);
	}
	fflush(stderr);
}

static bool worth_a_line(enum pull_state state)
{
	return state == PULL_EXISTS || state == PULL_COMPLETE || state == PULL_DOWNLOADING;
}

static void tell(struct display *d, const struct pull_layer *layers, size_t count)
{
	char id[13];

	if (d->count != count) {
		free(d->states);
		d->states = xcalloc(count, sizeof(*d->states));
		for (size_t i = 0; i < count; i++)
			d->states[i] = PULL_WAITING;
		d->count = count;
	}
	for (size_t i = 0; i < count; i++) {
		if (layers[i].state == d->states[i] || !worth_a_line(layers[i].state))
			continue;
		d->states[i] = layers[i].state;
		short_digest(layers[i].digest, id);
		fprintf(stderr, "%s: %s\n", id, state_name(layers[i].state));
	}
}

static void observe(void *arg, const struct pull_layer *layers, size_t count)
{
	struct display *d = arg;

	if (d->terminal)
		draw(d, layers, count);
	else
		tell(d, layers, count);
}

/* ---- the command ---- */

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
	struct display display = { .terminal = isatty(STDERR_FILENO) };
	struct pull_options pull_options = { .platform = a->platform, .settings = &settings,
		.cancel = &cancelled, .observe = a->quiet ? NULL : observe, .arg = &display };
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
	free(display.states);
	if (r < 0) {
		error_prefix(err, "cannot pull %s", a->reference);
		return r;
	}
	report(a, &source, &result);
	return 0;
}

int cmd_pull(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	struct arguments arguments = { 0 };
	struct error err = { 0 };
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
		return EXIT_CTRACE;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	r = pull(&arguments, &err);
	curl_global_cleanup();
	return r < 0 ? command_fail("pull", 1, &err) : 0;
}
