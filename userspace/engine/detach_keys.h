/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DETACH_KEYS_H
#define CTRACE_DETACH_KEYS_H

/* The keys that leave a container's terminal. */

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

enum { DETACH_KEYS_MAX = 16 };

struct detach_keys {
	char keys[DETACH_KEYS_MAX];
	size_t count;
	size_t held; /* so many of them were typed and not passed on; count: all */
};

/* docker's syntax: "ctrl-x", where x is a letter or one of @[\]^_, "DEL", or a character; comma separated. NULL or "":
 * ctrl-p,ctrl-q. */
int detach_keys_parse(const char *text, struct detach_keys *ret, struct error *err);
bool detach_keys_complete(const struct detach_keys *keys);

/* Takes the keys out of what is typed. What may be their beginning is held back until it is known, as docker does.
 * Writes at most length + DETACH_KEYS_MAX bytes to ret; stops where the keys are complete. Returns how many. */
size_t detach_keys_filter(struct detach_keys *keys, const char *bytes, size_t length, char *ret);

#endif
