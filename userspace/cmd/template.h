/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TEMPLATE_H
#define CTRACE_TEMPLATE_H

/* The part of Go's templates that people give to --format: {{.A.B}}, {{json .A}}, {{json .}},
 * {{index .A "key"}}, {{len .A}}, {{println .A}}, {{range .A}}, {{range $key, $value := .A}}, {{if .A}}, {{else}} and {{end}};
 * everything else between braces is an error that says so. \t and \n are what they look like. */

#include <json-c/json.h>

#include "util/error.h"
#include "util/strbuf.h"

int template_print(const char *text, json_object *o, struct strbuf *out, struct error *err);

/* As JSON; its texts are UTF-8, whatever bytes somebody gave. flags: json-c's, besides JSON_C_TO_STRING_NOSLASHESCAPE. */
void template_json(struct strbuf *out, json_object *o, int flags);

/* Calls for each {{...}} that is a plain path of one name, and for the text between: for headings. */
int template_titles(const char *text, const char *(*title)(const char *name), struct strbuf *out,
	struct error *err);

#endif
