/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CONTROL_H
#define CTRACE_CONTROL_H

/* What people do to containers that exist, with docker's meanings and texts. */

#include <stdbool.h>
#include <stdint.h>

#include "engine/state.h"
#include "runtime/runtime.h"
#include "util/error.h"

/* What ps and inspect call it: "created", "running", "paused", "restarting", "exited", "removing". */
const char *control_status(const struct state *s);
bool control_is_running(const struct state *s); /* paused counts, restarting does not */

/* The runtime's side of a running container. */
int control_open(const struct state *s, struct container **ret, struct error *err);

/* A fork of the caller becomes its supervisor. attach: *ret_client is a socket for attach_run. One that runs
 * is left alone. */
int control_start(const struct state *s, bool attach, int *ret_client, struct error *err);
/* Its stop signal, and SIGKILL after so many seconds (-1 = never); returns when all is put away. */
int control_stop(const struct state *s, int64_t timeout_s, struct error *err);
int control_restart(const struct state *s, int64_t timeout_s, struct error *err);
int control_kill(const struct state *s, int signal, struct error *err);
int control_pause(const struct state *s, struct error *err);
int control_unpause(const struct state *s, struct error *err);
/* Until it does not run: its exit code. */
int control_wait(const struct state *s, int *ret_code, struct error *err);
/* force: kills it first. volumes: those without a name go, too. */
int control_remove(const struct state *s, bool force, bool volumes, struct error *err);

#endif
