/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_FACTS_INTERNAL_H
#define CTRACE_FACTS_INTERNAL_H

#include "capture/facts.h"
#include "util/error.h"

struct json_object;

/* Strings are cut to what the fact holds; reason may be NULL. The pointer is good until the next call. */
struct hook_fact *facts_add_hook(struct facts *facts, const char *job, const char *hook, enum hook_state state,
	const char *reason);
void facts_add_unseen(struct facts *facts, const char *what, const char *why);
bool hook_state_parse(const char *name, enum hook_state *ret_state);

/* What does not depend on hooks: kernel, clocks, cgroup hierarchies, namespaces of the host. */
int facts_collect(struct facts *facts, struct error *err);

/* Fills the list of what cannot be seen, from what became of the hooks. */
void facts_explain(struct facts *facts);

/* The JSON object in a recording's first frame; the caller puts it. */
struct json_object *facts_to_json(const struct facts *facts);
/* -EBADMSG when it is no such object. Unknown members are ignored, missing ones are zero or empty. */
int facts_from_json(struct json_object *json, struct facts *facts, struct error *err);

#endif
