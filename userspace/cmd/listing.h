/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LISTING_H
#define CTRACE_LISTING_H

/* What docker's listing commands share: rows with named fields, shown as a table, as JSON lines or by a
 * template. */

#include <json-c/json.h>
#include <stdbool.h>

#include "util/error.h"
#include "util/string_list.h"

struct listing_column {
	const char *key, *title; /* "ID", "CONTAINER ID" */
	bool hidden;             /* not in the table, but known to templates */
};

struct listing {
	const struct listing_column *columns;
	size_t column_count;
	json_object *rows;   /* array of objects whose members are strings */
	json_object *labels; /* beside it {"KEY": "VALUE"} of each, for {{.Label "KEY"}}; NULL: they have none */
};

/* format: NULL or "table", "json", "table TEMPLATE", TEMPLATE. */
int listing_print(const struct listing *l, const char *format, struct error *err);

/* What is to be printed where --quiet is a format of its own, and --format goes before it, as in docker images. */
const char *listing_format(const char *format, bool quiet, const char *quiet_format);

/* Adds a text; the value is the callee's. */
void listing_add(json_object *row, const char *key, char *value);

/* {"KEY": "VALUE"} of "KEY=VALUE", as labels are kept. */
json_object *listing_pairs(const struct string_list *list);

#endif
