/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RUN_OPTION_TABLE_H
#define CTRACE_RUN_OPTION_TABLE_H

/* The options of ctrace run, and how each value gets into the settings. */

#include <stdbool.h>
#include <stddef.h>

#include "engine/settings.h"

typedef int parse_value(struct run_settings *s, const char *value, struct error *err);

enum option_kind { OPTION_FLAG, OPTION_VALUE };

struct option_row {
	const char *name;
	char letter;
	enum option_kind kind;
	bool bundle; /* also with --bundle, whose config.json is taken as it is */
	parse_value *parse;
	const char *argument, *help;
};

extern const struct option_row run_option_rows[];
extern const size_t run_option_count;

#endif
