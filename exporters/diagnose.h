/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DIAGNOSE_H
#define CTRACE_DIAGNOSE_H

/* What a person would look for in a timeline first, in sentences: why the container ended as it did, what its start
 * waited for, which calls failed. Says what is seen, and that something is not known where it is not. */

#include <stdbool.h>

#include "timeline/model.h"
#include "util/strbuf.h"

/* Containers to compare with: others of the same recording, or NULL. */
struct diagnose_others {
	const struct container *const *items;
	size_t count;
};

/* Appends the diagnosis of c, with an empty line at its end. */
void diagnose_print(struct strbuf *sb, const struct container *c, const struct diagnose_others *others, bool utf8);

#endif
