/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CAPABILITY_H
#define CTRACE_CAPABILITY_H

#include <stdint.h>

#include "engine/settings.h"

struct json_object;

enum { CAPABILITY_COUNT = 41 };

/* "CAP_CHOWN"; NULL beyond the last that ctrace knows. */
const char *capability_name(int number);
/* -1 = unknown. The exact name, in capitals. */
int capability_number(const char *name);

/* What a container gets, as a bit set: docker's fourteen defaults, --cap-add, --cap-drop, --privileged. */
uint64_t capability_wanted(const struct run_settings *s);
/* What this process may hand out: its bounding set. */
uint64_t capability_held(void);

/* A bit set as the array of names that config.json has; the caller's to put. */
struct json_object *capability_list(uint64_t set);

#endif
