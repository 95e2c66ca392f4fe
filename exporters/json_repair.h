/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_JSON_REPAIR_H
#define CTRACE_JSON_REPAIR_H

/* For those who write JSON with json-c (exporters/json_emit.h has names that json-c has, too). */

#include <stddef.h>

#include "util/strbuf.h"

/* Adds JSON that another library has written; json-c passes on what is no UTF-8, DEL and C1 controls as they are. Its strings
 * are then as exporters/json_emit.h writes them. */
void json_add_repaired(struct strbuf *sb, const char *json, size_t length);

#endif
