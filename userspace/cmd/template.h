/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TEMPLATE_H
#define CTRACE_TEMPLATE_H

/* Go's templates, as people give them to --format: pipelines, variables, if, with, range, else, break, continue and end,
 * comments and {{- -}}, with Go's functions (and or not eq ne lt le gt ge index slice len print printf println) and those of docker's
 * client (json split join title lower upper pad truncate). What Go has besides (template, define, block; call, html, js,
 * urlquery) is an error that names it. \t and \n in the text are what they look like. */

#include <json-c/json.h>
#include <stdbool.h>

#include "util/error.h"
#include "util/strbuf.h"

/* -EINVAL: the template is wrong, whatever it is given; -ENOENT: a field is not there; -EDOM: it does not go with these values. */
int template_print(const char *text, json_object *o, struct strbuf *out, struct error *err);

/* A row of a listing. */
struct template_row {
	json_object *row;
	json_object *labels; /* what {{.Label "KEY"}} looks in; NULL: there is no Label */
	bool heading;        /* the row has the columns' titles: functions that change a text leave them */
};

int template_print_row(const char *text, const struct template_row *row, struct strbuf *out, struct error *err);

/* As JSON; its texts are UTF-8, whatever bytes somebody gave. flags: json-c's, besides JSON_C_TO_STRING_NOSLASHESCAPE. */
void template_json(struct strbuf *out, json_object *o, int flags);

#endif
