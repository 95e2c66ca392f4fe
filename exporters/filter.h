/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_FILTER_H
#define CTRACE_FILTER_H

/*
 * The filter language that the commands, the dashboard and the exports share:
 *
 *     cont~web type=oom,exit dur>50ms
 *
 * Terms FIELD OPERATOR VALUE, with blanks between them, must all hold. Operators: = != ~ !~ (contains,
 * whatever the case) > >= < <=. Several values, separated by commas, are alternatives: type=oom,exit is one of
 * them, type!=oom,exit none of them. Values with blanks or commas are quoted, "..." or '...'; a backslash takes
 * the next character as it is. `-` is what is unknown: name=- has no name, error!=- has failed.
 *
 * Some fields are a container's (cont, id, name, image, engine, runtime, state, pod, exit, signal, oom, start,
 * lost), the others belong to its items: steps, marks, phases, actors and events (type or kind, phase, actor,
 * comm, pid, result, error, dur, at, detail). An item passes if its container passes the terms about containers,
 * and it those about items. A container passes if it does so itself, and has an item that passes all of the
 * terms about items, if there are any. What has no such field, or of which it is not known, is not equal to
 * anything, and passes != and !~.
 *
 * dur of a step with a lost or open end is not known. Phases and actors count as a container's items only for
 * filters that name the field phase, or actor, comm or pid.
 */

#include <stdbool.h>
#include <stddef.h>

#include "timeline/model.h"
#include "util/error.h"

enum { FILTER_MAX = 900 /* bytes of a filter's text: it has room in a recording */ };

struct filter;

/* Returns 0, or -EINVAL and what is wrong ("column 6: ..."); ret_column (NULL = not asked for) is then where: the
 * number of characters before it, plus 1. The empty text passes everything. */
int filter_parse(const char *text, struct filter **ret_filter, size_t *ret_column, struct error *err);
void filter_free(struct filter *f); /* takes NULL */

/* NULL passes everything. */
bool filter_container(const struct filter *f, const struct container *c);
bool filter_step(const struct filter *f, const struct container *c, const struct step *s);
/* A single event of the stream. c is the container that it is part of; NULL: not known, which passes no term about
 * containers but != and !~. */
bool filter_event(const struct filter *f, const struct container *c, const struct event *e);

/* True if a term is about items: what is shown of a container can be narrowed to those that pass. */
bool filter_has_items(const struct filter *f);
/* The same filter without its terms about containers, for streams whose events know none; NULL if nothing remains. */
struct filter *filter_items_only(const struct filter *f);

#endif
