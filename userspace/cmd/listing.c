/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/template.h"
#include "exporters/format.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { COLUMNS_MAX = 32, GAP = 3, WIDTH_MIN = 10 - GAP }; /* docker's */

void listing_add(json_object *row, const char *key, char *value)
{
	json_object_object_add(row, key, json_object_new_string(value ? value : ""));
	free(value);
}

json_object *listing_pairs(const struct string_list *list)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < list->count; i++) {
		const char *pair = list->items[i];
		_cleanup_free_ char *key = xstrndup(pair, strcspn(pair, "="));

		listing_add(o, key, xstrdup(pair + strlen(key) + (pair[strlen(key)] == '=')));
	}
	return o;
}

/* ---- aligned text: cells are separated by tabs, rows by newlines ---- */

/* What a terminal shows: a character for each UTF-8 sequence. */
static size_t width_of(const char *text, size_t length)
{
	size_t width = 0;

	for (size_t i = 0; i < length; i++)
		width += (text[i] & 0xc0) != 0x80;
	return width;
}

static void measure(const char *text, size_t *widths)
{
	size_t column = 0;

	for (;;) {
		size_t n = strcspn(text, "\t\n"), width = width_of(text, n);

		if (column < COLUMNS_MAX && width > widths[column])
			widths[column] = width;
		if (!text[n])
			return;
		column = text[n] == '\t' ? column + 1 : 0;
		text += n + 1;
	}
}

static void print_aligned(const char *text)
{
	size_t widths[COLUMNS_MAX], column = 0;

	for (size_t i = 0; i < COLUMNS_MAX; i++)
		widths[i] = WIDTH_MIN;
	measure(text, widths);
	while (*text) {
		size_t n = strcspn(text, "\t\n"), width = width_of(text, n);

		fwrite(text, 1, n, stdout);
		if (text[n] == '\t' && column < COLUMNS_MAX)
			printf("%*s", (int)(widths[column] - width + GAP), "");
		else if (text[n])
			putchar('\n');
		column = text[n] == '\t' ? column + 1 : 0;
		text += n + (text[n] != '\0');
	}
}

/* Neither control characters and our own separators nor what turns or hides text must come out of a name. */
static void put_cell(struct strbuf *sb, json_object *row, const char *key)
{
	const char *text = json_object_get_string(json_object_object_get(row, key));

	if (text)
		format_text(sb, text, strlen(text), true);
}

static void print_columns(const struct listing *l)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	size_t rows = json_object_array_length(l->rows);

	for (size_t row = 0; row <= rows; row++) {
		const char *gap = "";

		for (size_t i = 0; i < l->column_count; i++) {
			if (l->columns[i].hidden)
				continue;
			strbuf_puts(&sb, gap);
			gap = "\t";
			if (row == 0)
				strbuf_puts(&sb, l->columns[i].title);
			else
				put_cell(&sb, json_object_array_get_idx(l->rows, row - 1), l->columns[i].key);
		}
		strbuf_putc(&sb, '\n');
	}
	print_aligned(sb.text);
}

/* ---- other formats ---- */

/* What the columns are called, as a row. */
static json_object *heading(const struct listing *l)
{
	json_object *row = json_object_new_object();

	for (size_t i = 0; i < l->column_count; i++)
		listing_add(row, l->columns[i].key, xstrdup(l->columns[i].title));
	return row;
}

static json_object *escaped_row(json_object *row)
{
	json_object *copy = json_object_new_object();

	json_object_object_foreach(row, key, value) {
		struct strbuf sb = { 0 };
		const char *text = json_object_get_string(value);

		(void)value;
		format_text(&sb, text ? text : "", text ? strlen(text) : 0, true);
		listing_add(copy, key, strbuf_steal(&sb));
	}
	return copy;
}

static int print_row(const struct listing *l, const char *template, size_t i, struct strbuf *out, struct error *err)
{
	json_object *labels = l->labels ? escaped_row(json_object_array_get_idx(l->labels, i)) : NULL;
	json_object *row = escaped_row(json_object_array_get_idx(l->rows, i));
	int r = template_print_row(template, &(struct template_row){ .row = row, .labels = labels }, out, err);

	strbuf_putc(out, '\n');
	json_object_put(row);
	json_object_put(labels);
	return r;
}

/* For the line above a table; and what a template gets wrong is told even where there is nothing to show. */
static int print_heading(const struct listing *l, const char *template, struct strbuf *out, struct error *err)
{
	json_object *row = heading(l);
	int r = template_print_row(template, &(struct template_row){ .row = row, .labels = l->labels, .heading = true }, out, err);

	strbuf_putc(out, '\n');
	json_object_put(row);
	return r == -EDOM ? 0 : r; /* a title is not what it stands for */
}

static int print_template(const struct listing *l, const char *template, bool table, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	int r = print_heading(l, template, &sb, err);

	if (!table)
		strbuf_reset(&sb);
	for (size_t i = 0; r == 0 && i < json_object_array_length(l->rows); i++)
		r = print_row(l, template, i, &sb, err);
	if (r < 0)
		return r;
	if (table)
		print_aligned(sb.text);
	else
		fputs(sb.text ? sb.text : "", stdout);
	return 0;
}

const char *listing_format(const char *format, bool quiet, const char *quiet_format)
{
	return quiet && (!format || !strcmp(format, "table")) ? quiet_format : format;
}

int listing_print(const struct listing *l, const char *format, struct error *err)
{
	if (!format || !strcmp(format, "table")) {
		print_columns(l);
		return 0;
	}
	if (!strcmp(format, "json") || !strcmp(format, "{{json .}}")) {
		_cleanup_(strbuf_free) struct strbuf sb = { 0 };

		for (size_t i = 0; i < json_object_array_length(l->rows); i++) {
			template_json(&sb, json_object_array_get_idx(l->rows, i), JSON_C_TO_STRING_PLAIN);
			strbuf_putc(&sb, '\n');
		}
		fputs(sb.text ? sb.text : "", stdout);
		return 0;
	}
	if (str_starts(format, "table "))
		return print_template(l, format + strlen("table "), true, err);
	return print_template(l, format, false, err);
}
