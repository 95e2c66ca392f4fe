/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DIGITS_H
#define CTRACE_DIGITS_H

/* Decimal numbers without printf, which takes longer than most of what is written besides. */

#include <stdint.h>

enum { DIGITS_MAX = 20 }; /* of any uint64_t */

/* Writes the digits of value, and no NUL. Returns where they end. */
char *digits_put(char *at, uint64_t value);

#endif
