/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_OVERLAY_H
#define CTRACE_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* A container's writable root: OverlayFS over the image's layers. */
struct overlay {
	char *const *layers; /* absolute, lowest first */
	size_t layer_count;
	const char *upper, *work, *target; /* directories that exist */
	bool is_volatile; /* the kernel skips syncing: the upper cannot be mounted again */
};

/* Mounts at target. fsopen(2) with one lowerdir+ per layer (Linux 6.7), which knows no quoting and no
 * length limit; else one lowerdir= option with ':', ',' and '\' quoted, at most a page: where the layers' paths are
 * too long for that, mountinfo shows /proc/self/fd/N in their place. */
int overlay_mount(const struct overlay *o, struct error *err);

/* The lowerdir= value, top layer first, quoted; the caller's. Exposed for tests. */
char *overlay_lowerdir(char *const *layers, size_t count);

#endif
