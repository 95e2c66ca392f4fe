/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_INSPECT_IMAGE_H
#define CTRACE_INSPECT_IMAGE_H

#include <json-c/json.h>

#include "engine/store.h"

/* An image of the store with the names and the shape of docker inspect. The caller's. */
json_object *inspect_image_json(struct store *store, const struct store_image *image);

#endif
