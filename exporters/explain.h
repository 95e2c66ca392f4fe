/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_EXPLAIN_H
#define CTRACE_EXPLAIN_H

/* What a step does and why, in a sentence or two, for a reader who learns how containers are made by
 * watching one being made. Says each thing once per timeline. */

#include "timeline/model.h"
#include "util/strbuf.h"

struct explain;

struct explain *explain_new(const struct container *c);
void explain_free(struct explain *e); /* takes NULL */

enum explained {
	EXPLAINED_NOT,  /* nothing is known about such a step */
	EXPLAINED,      /* text was appended */
	EXPLAINED_ABOVE /* all that there is to say was said to an earlier step */
};

/* Appends what is new to say about one of the container's steps, in the order of the timeline. */
enum explained explain_step(struct explain *e, const struct step *step, struct strbuf *sb);

#endif
