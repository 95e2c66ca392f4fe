/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ROOT_MOUNT_H
#define CTRACE_ROOT_MOUNT_H

#include "engine/state.h"
#include "engine/store.h"
#include "util/error.h"

/* Mounts the container's overlay at STORAGE/root: over the image's layers, or over state.rootfs. image may be NULL: it is
 * looked up. */
int root_mount(const struct state *s, const struct store_image *image, struct error *err);

#endif
