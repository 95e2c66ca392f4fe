/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_FILTER_INTERNAL_H
#define CTRACE_FILTER_INTERNAL_H

/* What filter_parse.c makes and filter.c applies. */

#include "exporters/filter.h"

enum filter_field {
	/* of a container */
	FILTER_CONT, FILTER_ID, FILTER_NAME, FILTER_IMAGE, FILTER_ENGINE, FILTER_RUNTIME, FILTER_STATE, FILTER_POD,
	FILTER_EXIT, FILTER_SIGNAL, FILTER_OOM, FILTER_START, FILTER_LOST,
	/* of an item */
	FILTER_TYPE, FILTER_PHASE, FILTER_ACTOR, FILTER_COMM, FILTER_PID, FILTER_RESULT, FILTER_ERROR, FILTER_DUR,
	FILTER_AT, FILTER_DETAIL,
	FILTER_FIELD_COUNT, FILTER_FIRST_ITEM = FILTER_TYPE
};

enum filter_operator { FILTER_EQUAL, FILTER_NOT_EQUAL, FILTER_CONTAINS, FILTER_CONTAINS_NOT, FILTER_MORE,
	FILTER_MORE_EQUAL, FILTER_LESS, FILTER_LESS_EQUAL };

/* How a field's values are read and compared. */
enum filter_type { FILTER_TEXT, FILTER_NUMBER, FILTER_TIME /* with a unit; nanoseconds */, FILTER_BOOL };

struct filter_value {
	char *text;
	bool unknown;   /* the value `-` */
	int64_t number; /* NUMBER, TIME, BOOL */
};

struct filter_term {
	enum filter_field field;
	enum filter_operator operator;
	enum filter_type type;
	struct filter_value *values;
	size_t value_count, value_capacity;
};

struct filter {
	struct filter_term *terms;
	size_t term_count, term_capacity;
};

/* Names that stand for several types: "oom" for oom_kill and oom_victim. True if `word` names `type`. */
bool filter_type_is(const char *word, const char *type);

#endif
