/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PULL_PROGRESS_H
#define CTRACE_PULL_PROGRESS_H

/* What pull and load show on stderr while layers arrive, and how they are told to stop. */

#include <stdatomic.h>

#include "engine/image/pull.h"

struct pull_progress {
	bool terminal;           /* draw in place; else a line for what is worth one */
	size_t lines;            /* drawn so far, to go up over */
	enum pull_state *states; /* what a plain output has told already */
	size_t count;
};

void pull_progress_show(void *progress, const struct pull_layer *layers, size_t count); /* a pull_observer */
void pull_progress_free(struct pull_progress *p);

/* What becomes true with the first SIGINT, SIGTERM or SIGHUP; the second one kills. */
const atomic_bool *pull_progress_cancel(void);

#endif
