/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CONTAINER_SIZE_H
#define CTRACE_CONTAINER_SIZE_H

#include "engine/state.h"

/* What could not be looked at is an error, too: what could be is then counted all the same, and the error says how much is not. */

/* Bytes of the files that a container has written (ret_own), and of these and its image together (ret_all). As docker counts: what a
 * file says, a file with several names once. 0 and 0 for a bundle. */
int container_size(const struct state *s, uint64_t *ret_own, uint64_t *ret_all, struct error *err);

/* Of what is below a directory, counted in that way. */
int directory_size(const char *directory, uint64_t *ret, struct error *err);

#endif
