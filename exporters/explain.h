/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_EXPLAIN_H
#define CTRACE_EXPLAIN_H

/* What a step does and why, in a sentence or two, for a reader who learns how containers are made by
 * watching one being made. Says each thing once per timeline. */

#include <stdbool.h>

#include "timeline/model.h"
#include "util/strbuf.h"

struct explain;

struct explain *explain_new(const struct container *c);
void explain_free(struct explain *e); /* takes NULL */

/* Appends the explanation of one of the container's steps; false when there is nothing new to say. */
bool explain_step(struct explain *e, const struct step *step, struct strbuf *sb);

#endif
