/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TEMPLATE_PRINTF_H
#define CTRACE_TEMPLATE_PRINTF_H

/* Go's printf of templates: the verbs v s q d x X o c t f e g and %, with flags, width and precision. Another verb, or a
 * value that does not fit one, is an error. */

#include <json-c/json.h>

#include "util/error.h"
#include "util/strbuf.h"

int template_printf(const char *format, json_object **values, size_t count, struct strbuf *out, struct error *err);

#endif
