/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_EXPLAIN_RULES_H
#define CTRACE_EXPLAIN_RULES_H

#include <stddef.h>

#include "timeline/model.h"

/* How a rule looks at one detail of a step. A list matches if one of its items does. */
enum explain_match {
	EXPLAIN_ANY,    /* the step's kind is enough */
	EXPLAIN_IS,     /* key's text is value */
	EXPLAIN_STARTS, /* key's text starts with value */
	EXPLAIN_ENDS,   /* key's text ends with value */
	EXPLAIN_HOLDS   /* key's text contains value */
};

enum explain_use {
	EXPLAIN_ADD, /* said besides whatever else matches */
	EXPLAIN_MAIN /* of the main rules only the first that matches is said */
};

struct explain_rule {
	enum step_kind kind;
	enum explain_use use;
	const char *key;
	enum explain_match match;
	const char *value;
	const char *text;
};

extern const struct explain_rule explain_rules[];
extern const size_t explain_rule_count;

#endif
