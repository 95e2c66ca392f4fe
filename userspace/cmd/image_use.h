/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_IMAGE_USE_H
#define CTRACE_IMAGE_USE_H

/* Images, the containers that use them, and the room they take. */

#include "engine/store.h"

bool image_is_used(struct store *store, const struct store_image *image);
/* Bytes of the layers' files of all these, a layer of several once; used: only of those that a container has. */
uint64_t image_layers_size(struct store *store, const struct store_image *images, size_t count, bool used);

#endif
