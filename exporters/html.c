/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One page that needs nothing but a browser: the JSON timelines themselves, and the program that draws them
 * (exporters/html/). Without scripts it shows the picture that a terminal shows.
 *
 * Names come from containers and may be hostile. They get into the page as JSON inside a data block, in which every
 * "<" is escaped, or as escaped text; the program makes elements from text nodes alone; and the page's own policy
 * (CSP) lets nothing run but that program, by its hash, and nothing be fetched.
 */
#include <stdlib.h>
#include <string.h>

#include "exporters/explain.h"
#include "exporters/export.h"
#include "exporters/json.h"
#include "exporters/json_emit.h"
#include "exporters/waterfall.h"
#include "exporters/waterfall_text.h"
#include "html_hash.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Files from the top of the tree, where make runs the compiler; the Makefile hashes the same ones. */
#define EMBED(name, file)                    \
	__asm__(".pushsection .rodata\n"     \
		#name ":\n"                  \
		".incbin \"" file "\"\n"     \
		".byte 0\n"                  \
		".popsection\n");            \
	extern const char name[] __attribute__((visibility("hidden")))

EMBED(html_style, "exporters/html/page.css");
EMBED(html_model, "exporters/html/model.js");
EMBED(html_waterfall, "exporters/html/waterfall.js");
EMBED(html_page, "exporters/html/page.js");

static void escaped(struct strbuf *sb, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': strbuf_puts(sb, "&lt;"); break;
		case '>': strbuf_puts(sb, "&gt;"); break;
		case '&': strbuf_puts(sb, "&amp;"); break;
		case '"': strbuf_puts(sb, "&quot;"); break;
		default: strbuf_putc(sb, *text); break;
		}
	}
}

/* JSON in a script element of type application/json: in JSON a "<" stands in strings alone, and without any the
 * element cannot be ended from inside. */
static void data_block(struct strbuf *sb, const char *attribute, const struct strbuf *json)
{
	strbuf_printf(sb, "<script type=\"application/json\" %s>", attribute);
	for (size_t i = 0, n; i < json->length; i += n) {
		n = strcspn(json->text + i, "<");
		strbuf_add(sb, json->text + i, n);
		if (json->text[i + n]) {
			strbuf_puts(sb, "\\u003c");
			n++;
		}
	}
	strbuf_puts(sb, "</script>\n");
}

/* ---- the words that the terminal has for the same things ---- */

static void put_words(struct strbuf *sb, const char *key, struct strbuf *text)
{
	json_text(sb, key, text->text ? text->text : "");
	strbuf_reset(text);
}

/* Explanations are few and steps many: each text is written once, and steps name it by its number. */
struct texts {
	char **items;
	size_t count, capacity;
};

static size_t text_number(struct texts *t, const char *text)
{
	for (size_t i = 0; i < t->count; i++) {
		if (!strcmp(t->items[i], text))
			return i;
	}
	array_grow(t->items, t->count, t->capacity);
	t->items[t->count] = xstrdup(text);
	return t->count++;
}

static void write_steps(struct strbuf *sb, const struct container *c, struct texts *texts)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	json_open(sb, "steps", '[');
	for (size_t i = 0; i < c->step_count; i++) {
		struct explain *explain = explain_new(c); /* a new one says all of it again */
		_cleanup_(strbuf_free) struct strbuf why = { 0 };

		json_open(sb, NULL, '[');
		text_step(&text, &c->steps[i], true);
		put_words(sb, NULL, &text);
		if (explain_step(explain, &c->steps[i], &why) == EXPLAINED)
			json_number(sb, NULL, (int64_t)text_number(texts, why.text));
		else
			json_null(sb, NULL);
		json_close(sb, ']');
		explain_free(explain);
	}
	json_close(sb, ']');
}

/* What the kinds of its steps are called. */
static void write_kinds(struct strbuf *sb, const struct container *c)
{
	bool written[STEP_KIND_COUNT] = { false };

	json_open(sb, "kinds", '{');
	for (size_t i = 0; i < c->step_count; i++) {
		enum step_kind kind = c->steps[i].kind;

		if (!written[kind])
			json_text(sb, step_kind_name(kind), text_step_kind(kind));
		written[kind] = true;
	}
	json_close(sb, '}');
}

static void write_words(struct strbuf *sb, const struct container *c)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	struct texts texts = { 0 };

	json_open(sb, "words", '{');
	text_outcome(&text, c, true);
	put_words(sb, "outcome", &text);
	text_limits(&text, c, true);
	put_words(sb, "limits", &text);
	if (text_is_cut(c))
		text_cut(&text, c);
	put_words(sb, "cut", &text);
	if (c->inferred_front)
		text_blind_front(&text, c);
	put_words(sb, "blind", &text);
	json_bool(sb, "failed", text_is_failure(c));
	json_open(sb, "actors", '[');
	for (size_t i = 0; i < c->actor_count; i++) {
		text_actor(&text, &c->actors[i], true);
		put_words(sb, NULL, &text);
	}
	json_close(sb, ']');
	write_steps(sb, c, &texts);
	write_kinds(sb, c);
	json_open(sb, "marks", '[');
	for (size_t i = 0; i < c->mark_count; i++) {
		text_mark(&text, &c->marks[i], true);
		put_words(sb, NULL, &text);
	}
	json_close(sb, ']');
	json_open(sb, "explanations", '[');
	for (size_t i = 0; i < texts.count; i++) {
		json_text(sb, NULL, texts.items[i]);
		free(texts.items[i]);
	}
	free(texts.items);
	json_close(sb, ']');
	json_close(sb, '}');
}

/* ---- the page ---- */

static void begin(struct strbuf *sb, const struct export *e)
{
	_cleanup_(strbuf_free) struct strbuf json = { 0 };
	_cleanup_(strbuf_free) struct strbuf host = { 0 };

	strbuf_escape(&host, e->facts->hostname, strlen(e->facts->hostname));
	strbuf_puts(sb, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; "
		"style-src 'sha256-" HTML_STYLE_HASH "'; script-src 'sha256-" HTML_SCRIPT_HASH "'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n<title>ctrace: ");
	escaped(sb, host.text ? host.text : "");
	strbuf_puts(sb, "</title>\n<style>");
	strbuf_puts(sb, html_style);
	strbuf_puts(sb, "</style>\n</head>\n<body>\n<main id=\"app\"></main>\n");
	json_write_header(&json, e->facts);
	data_block(sb, "id=\"header\"", &json);
}

static void container(struct strbuf *sb, const struct export *e, const struct container *c)
{
	static const struct waterfall_options options = { .width = 140, .utf8 = true };
	_cleanup_(strbuf_free) struct strbuf json = { 0 };
	_cleanup_(strbuf_free) struct strbuf picture = { 0 };

	strbuf_puts(&json, "{\"timeline\":\n"); /* after a line end json_emit sets no comma */
	json_write_timeline(&json, e->spans, c, c->ended ? CHANGE_ENDED : CHANGE_STATE);
	json.text[--json.length] = '\0'; /* its newline */
	write_words(&json, c);
	json_close(&json, '}');
	data_block(sb, "class=\"container\"", &json);
	waterfall_print(&picture, c, &options);
	strbuf_puts(sb, "<noscript><pre class=\"picture\">");
	escaped(sb, picture.text);
	strbuf_puts(sb, "</pre></noscript>\n");
}

static void end(struct strbuf *sb, const struct export *e)
{
	_cleanup_(strbuf_free) struct strbuf json = { 0 };

	json_write_summary(&json, &(struct json_summary){ .stats = e->stats, .containers = e->containers,
		.error = e->incomplete });
	data_block(sb, "id=\"summary\"", &json);
	strbuf_puts(sb, "<script>");
	strbuf_puts(sb, html_model);
	strbuf_puts(sb, html_waterfall);
	strbuf_puts(sb, html_page);
	strbuf_puts(sb, "</script>\n</body>\n</html>\n");
}

const struct export_format export_html = { "html", begin, container, end };
