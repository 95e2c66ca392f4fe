/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_JOINS_H
#define CTRACE_JOINS_H

/* --network, --pid and --ipc container:ID: namespaces of another container, found anew at each start. */

#include <json-c/json.h>

#include "engine/state.h"
#include "util/error.h"

/* Replaces names by ids, once, so that a rename does not matter. */
int joins_resolve(struct state *s, struct error *err);
/* The container whose network s joins; with must_run -ESRCH unless it runs. Returns 0 with ret->id "" where there is
 * none. */
int joins_network(const struct state *s, bool must_run, struct state *ret, struct error *err);
/* Writes the paths into a config.json. */
int joins_apply(const struct state *s, json_object *config, struct error *err);
bool joins_any(const struct state *s);
/* The container whose IPC namespace s joins, NULL where there is none. */
const char *joins_ipc(const struct state *s);

#endif
