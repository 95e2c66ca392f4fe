/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_JSON_STEPS_H
#define CTRACE_JSON_STEPS_H

/*
 * Remembers the text of the steps that were written. A container is written at each change of its state, with all
 * of its steps, nearly all of which are as they were the time before: those are copied, which takes a tenth of the
 * time. Memory is bounded: a few containers, those that were new last, and of each its first few hundred steps.
 * What is not remembered is written anew, so that the output is the same.
 */

#include "timeline/model.h"
#include "util/strbuf.h"

struct json_steps;

/* Appends a step to the array that sb ends in. */
typedef void json_step_writer(struct strbuf *sb, const struct step *step);

struct json_steps *json_steps_new(void);
void json_steps_free(struct json_steps *steps); /* takes NULL */

/* Appends all steps of c; steps may be NULL: nothing is remembered. */
void json_steps_write(struct json_steps *steps, struct strbuf *sb, const struct container *c, json_step_writer *writer);

/* c will not be written again; it must be told before the memory of c is used for another. */
void json_steps_forget(struct json_steps *steps, const struct container *c);

#endif
