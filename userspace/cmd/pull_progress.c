/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/pull_progress.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

static atomic_bool cancelled;

static void on_signal(int signal)
{
	(void)signal;
	atomic_store(&cancelled, true);
}

const atomic_bool *pull_progress_cancel(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	return &cancelled;
}

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
static void draw(struct pull_progress *d, const struct pull_layer *layers, size_t count)
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

static void tell(struct pull_progress *d, const struct pull_layer *layers, size_t count)
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

void pull_progress_show(void *arg, const struct pull_layer *layers, size_t count)
{
	struct pull_progress *d = arg;

	if (d->terminal)
		draw(d, layers, count);
	else
		tell(d, layers, count);
}

void pull_progress_free(struct pull_progress *p)
{
	free(p->states);
}
