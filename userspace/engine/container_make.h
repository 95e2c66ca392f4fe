/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CONTAINER_MAKE_H
#define CTRACE_CONTAINER_MAKE_H

/* A container out of what was asked for: record, storage, volumes, files and config.json. */

#include "engine/launch.h"
#include "engine/settings.h"
#include "engine/store.h"

struct make_input {
	struct run_settings *settings; /* volumes get their directories there */
	struct store *store;       /* NULL for a bundle */
	struct store_image *image; /* NULL without one */
	bool start_later;          /* launch_again starts it: no network is prepared, and whom it joins need not run */
};

/* Fills l->state (its id is set), registers it and makes all that launch_start needs; the root is mounted
 * and, unless it starts later, the network prepared. On failure what was made stays, registered, for registry_remove. */
int container_make(struct launch *l, const struct make_input *in, struct error *err);

#endif
