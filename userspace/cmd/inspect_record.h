/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_INSPECT_RECORD_H
#define CTRACE_INSPECT_RECORD_H

/* What the launcher knows of its own container, running or not. */

#include <json-c/json.h>

#include "engine/state.h"
#include "util/strbuf.h"

/* With the names and the shape of docker inspect. */
json_object *inspect_record_json(const struct state *s);
/* For a person. */
void inspect_record_text(const struct state *s, struct strbuf *out);

#endif
