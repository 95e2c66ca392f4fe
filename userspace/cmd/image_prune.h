/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_IMAGE_PRUNE_H
#define CTRACE_IMAGE_PRUNE_H

#include <stdbool.h>

#include "util/error.h"

/* Removes images that no container uses and says which: those without a name, or all. */
int image_prune(bool all, struct error *err);

#endif
