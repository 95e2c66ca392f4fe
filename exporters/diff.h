/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DIFF_H
#define CTRACE_DIFF_H

/* Two containers beside each other: how long each part took, which steps only one of them has, which limits differ.
 * Ids, pids, addresses and random parts of names are taken for the same. */

#include <stdbool.h>

#include "timeline/model.h"
#include "util/strbuf.h"

struct diff_side {
	const struct container *c;
	const char *where; /* the recording's name */
};

/* Appends the comparison. */
void diff_print(struct strbuf *sb, const struct diff_side *a, const struct diff_side *b, bool utf8);

/* What two runs of the same step have in common: the step in words, with ids and numbers replaced. */
void diff_label(struct strbuf *sb, const struct container *c, const struct step *s, bool utf8);

#endif
