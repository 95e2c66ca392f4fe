/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_VOLUMES_FROM_H
#define CTRACE_VOLUMES_FROM_H

/* --volumes-from: volumes and bound paths that another container has, running or not. */

#include "engine/settings.h"
#include "engine/state.h"
#include "util/error.h"

/* Adds them to s->volumes, where s mounts nothing else at their place; of two containers the later counts.
 * Volumes without a name are then in to->anonymous, too: the last container that has one removes it. */
/* Under registry_lock, until the state is saved: so that whoever removes the other sees that they are in use. */
int volumes_from_add(struct run_settings *s, struct state *to, struct error *err);

#endif
