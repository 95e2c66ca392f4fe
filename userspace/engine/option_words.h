/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_OPTION_WORDS_H
#define CTRACE_OPTION_WORDS_H

#include "engine/state.h"
#include "util/error.h"

/* The runtime names what it cannot do by a member of config.json, which a person who typed `--sysctl a=b` has never seen. Puts the
 * option in its place, and behind it what to do; leaves alone what no option stands behind. */
void option_words(const struct state *s, struct error *err);

#endif
