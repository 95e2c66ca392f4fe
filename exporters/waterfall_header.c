/* SPDX-License-Identifier: Apache-2.0 */
/* The words above and below the bars. */
#include "exporters/waterfall_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/format.h"
#include "exporters/waterfall_text.h"
#include "util/array.h"
#include "util/cleanup.h"

void view_paint(struct view *v, const char *color)
{
	if (v->o->color && color)
		strbuf_printf(v->sb, "\033[%sm", color);
}

void view_unpaint(struct view *v, const char *color)
{
	if (v->o->color && color)
		strbuf_puts(v->sb, "\033[0m");
}

void view_painted(struct view *v, const char *color, const char *text)
{
	if (!*text)
		return;
	view_paint(v, color);
	strbuf_puts(v->sb, text);
	view_unpaint(v, color);
}

void view_end_line(struct view *v)
{
	while (v->sb->length && v->sb->text[v->sb->length - 1] == ' ')
		v->sb->text[--v->sb->length] = '\0';
	strbuf_putc(v->sb, '\n');
}

void view_wrapped(struct view *v, const char *text, size_t indent, const char *color)
{
	size_t at = indent;

	format_fit(v->sb, "", indent, false);
	view_paint(v, color);
	while (*text) {
		size_t n = strcspn(text, " ");
		char *piece = xstrndup(text, n);
		size_t width = format_width(piece);

		if (at > indent && at + 1 + width > v->width) {
			view_unpaint(v, color);
			view_end_line(v);
			format_fit(v->sb, "", indent, false);
			view_paint(v, color);
			at = indent;
		}
		if (at > indent)
			strbuf_putc(v->sb, ' ');
		strbuf_puts(v->sb, piece);
		at += width + (at > indent);
		free(piece);
		text += n + (text[n] == ' ');
	}
	view_unpaint(v, color);
	view_end_line(v);
}

static const struct actor *find_cli(const struct container *c)
{
	for (size_t i = 0; i < c->actor_count; i++) {
		if (c->actors[i].role == ACTOR_CLI && c->actors[i].argv)
			return &c->actors[i];
	}
	return NULL;
}

/* A piece of the title, on a line of its own where it does not fit beside the others. */
static void print_piece(struct view *v, size_t *at, const char *label, const char *text, const char *color)
{
	size_t width = strlen(label) + format_width(text);

	if (*at && *at + width > v->width) {
		view_end_line(v);
		*at = 0;
	}
	view_painted(v, DIM, label);
	view_painted(v, color, text);
	*at += width;
}

static void print_title(struct view *v)
{
	const struct container *c = v->c;
	const char *const words[] = { c->image, c->engine, c->runtime, c->pod };
	const char *const labels[] = { "  image ", "  by ", "  with ", "  pod " };
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	size_t at = 0;

	text_container(&text, c, v->o->utf8);
	print_piece(v, &at, "", text.text ? text.text : "?", BOLD);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!words[i] || !*words[i])
			continue;
		strbuf_reset(&text);
		format_text(&text, words[i], strlen(words[i]), v->o->utf8);
		print_piece(v, &at, labels[i], text.text, NULL);
	}
	if (c->is_sandbox)
		print_piece(v, &at, "  ", "pod sandbox", NULL);
	if (c->generation) {
		strbuf_reset(&text);
		strbuf_printf(&text, "%d", c->generation + 1);
		print_piece(v, &at, "  start no. ", text.text, NULL);
	}
	view_end_line(v);
}

static void print_command(struct view *v)
{
	const struct actor *cli = find_cli(v->c);
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	if (!cli)
		return;
	strbuf_puts(&text, "$ ");
	for (size_t i = 0; cli->argv[i]; i++) {
		if (i)
			strbuf_putc(&text, ' ');
		format_text(&text, cli->argv[i], strlen(cli->argv[i]), v->o->utf8);
	}
	view_paint(v, DIM);
	format_fit(v->sb, text.text, v->width, v->o->utf8);
	view_unpaint(v, DIM);
	view_end_line(v);
}

static void print_outcome(struct view *v)
{
	const struct container *c = v->c;
	_cleanup_(strbuf_free) struct strbuf outcome = { 0 };
	_cleanup_(strbuf_free) struct strbuf times = { 0 };
	uint64_t exited = c->exit.known ? c->exit.at_ns : 0;
	bool utf8 = v->o->utf8;

	text_outcome(&outcome, c, utf8);
	view_wrapped(v, outcome.text, 0, text_is_failure(c) ? RED : GREEN);
	if (!c->existed)
		text_add_span(&times, "start", c->first_ns, c->started_ns, utf8);
	text_add_span(&times, "run", c->started_ns, exited ? exited : c->last_ns, utf8);
	text_add_span(&times, "teardown", exited, c->last_ns, utf8);
	text_add_span(&times, "total", c->first_ns, c->last_ns, utf8);
	if (c->existed)
		strbuf_puts(&times, utf8 ? " · was there before tracing began" : ", was there before tracing began");
	if (times.length) {
		strbuf_puts(v->sb, times.text);
		view_end_line(v);
	}
}

static void print_limits(struct view *v)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	strbuf_puts(&text, "limits  ");
	text_limits(&text, v->c, v->o->utf8);
	if (text.length == strlen("limits  "))
		strbuf_puts(&text, v->c->existed ? "not seen (set before tracing began)" : "none were set");
	view_wrapped(v, text.text, 0, NULL);
}

static void print_held_back(struct view *v)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	text_throttling(&text, v->c, v->o->utf8);
	if (text.length)
		view_wrapped(v, text.text, 0, YELLOW);
	strbuf_reset(&text);
	text_refused(&text, v->c, v->o->utf8);
	if (text.length)
		view_wrapped(v, text.text, 0, RED);
}

void view_losses(struct view *v)
{
	const struct container *c = v->c;

	if (!c->lost && !text_is_cut(c) && !c->inferred_front) {
		view_painted(v, DIM, "nothing lost");
		view_end_line(v);
		return;
	}
	if (c->lost) {
		view_paint(v, RED);
		strbuf_printf(v->sb, "LOST %" PRIu64 " event%s while it lived; durations marked ? are unknown",
			c->lost, c->lost == 1 ? "" : "s");
		view_unpaint(v, RED);
		view_end_line(v);
	}
	if (text_is_cut(c)) {
		text_cut(v->sb, c);
		view_end_line(v);
	}
	if (c->inferred_front) {
		text_blind_front(v->sb, c);
		view_end_line(v);
	}
}

void view_header(struct view *v)
{
	print_title(v);
	print_command(v);
	print_outcome(v);
	print_limits(v);
	print_held_back(v);
}
