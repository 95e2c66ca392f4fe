/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PLATFORM_H
#define CTRACE_PLATFORM_H

#include <stdbool.h>

#include "util/error.h"

/* What an image runs on, in Go's names (image-spec, image-index.md): linux/amd64, linux/arm/v7. */
struct platform {
	char os[32], architecture[32], variant[32]; /* variant "" when there is none */
};

/* "os/arch[/variant]", "arch" alone (linux is meant); x86_64 and aarch64 are understood. NULL: the
 * host's. Returns 0 or -EINVAL. */
int platform_parse(const char *text, struct platform *ret, struct error *err);
/* Fills a platform from an image's fields (NULL = ""); over-long fields are cut. */
void platform_set(struct platform *p, const char *os, const char *architecture, const char *variant);
/* How well an offer serves a wish: 0 not at all, more is better (exact variant, then no variant, then
 * an older arm variant, which newer cores run). */
int platform_match(const struct platform *wish, const struct platform *offer);
/* "linux/arm/v7" into a buffer of at least 100 bytes; returns it. */
char *platform_format(const struct platform *p, char *buffer);

#endif
