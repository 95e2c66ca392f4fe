/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_FILTER_OPTION_H
#define CTRACE_FILTER_OPTION_H

#include <argp.h>

/* --filter of trace, replay and show. */
#define FILTER_OPTION_HELP                                                                                   \
	"only containers (and with --events, events) that pass, as 'cont~web type=oom dur>50ms'; "           \
	"ctrace(1) has the language"

/* For an argp parser: where text is not a filter, says so, points at the place and exits. */
void filter_option_check(struct argp_state *state, const char *text);

#endif
