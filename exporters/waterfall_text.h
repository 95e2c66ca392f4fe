/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_WATERFALL_TEXT_H
#define CTRACE_WATERFALL_TEXT_H

/* Steps, actors, limits and deaths in words. All text is escaped for a terminal. */

#include <stdbool.h>

#include "timeline/timeline.h"
#include "util/strbuf.h"

/* Kernel text for a terminal, at most 400 bytes; ids of 64 digits as docker shortens them. */
void text_quote(struct strbuf *sb, const char *text, bool utf8);
/* `before` and the text, quoted; nothing where the text is NULL or empty. */
void text_word(struct strbuf *sb, const char *before, const char *text, bool utf8);
/* All details but those named (NULL-terminated), as " key=value". */
void text_rest(struct strbuf *sb, const struct details *details, const char *const *but, bool utf8);

/* "mount proc on /proc (nosuid,noexec,nodev)"; without the result. */
void text_step(struct strbuf *sb, const struct step *step, bool utf8);

/* "cgroup writes": for counting; more than one if count > 1. */
const char *text_step_kind(enum step_kind kind);

/* "runc create 8850" */
void text_actor(struct strbuf *sb, const struct actor *actor, bool utf8);

/* "memory 256 MiB, cpu 0.5, pids 100"; nothing when there are none. */
void text_limits(struct strbuf *sb, const struct container *c, bool utf8);

/* "throttled 34 of 50 periods, 1.20 s, by its limit of 0.5 CPUs"; nothing where it was not. */
void text_throttling(struct strbuf *sb, const struct container *c, bool utf8);

/* "beyond the bounds of a timeline: 812 steps, 96 actors, 64 marks, counted and not kept; 2 names or labels too long for a record,
 * cut short", if anything was. */
bool text_is_cut(const struct container *c);
void text_cut(struct strbuf *sb, const struct container *c);
/* "the first steps of 2 phases may have been missed ..."; for containers with an inferred front. */
void text_blind_front(struct strbuf *sb, const struct container *c);

/* ", 5 ended containers forgotten, 1 name told too early forgotten": what there was no room for, beside events, and what is not
 * watched; nothing where there is none of it. */
void text_forgotten(struct strbuf *sb, const struct timeline_stats *stats);

/* "exit 0", "killed by SIGKILL (OOM: 256 MiB limit of /docker/... hit)", "running". */
void text_outcome(struct strbuf *sb, const struct container *c, bool utf8);

/* "forks refused: 3, by its limit of 5 processes and threads"; nothing where none was. */
void text_refused(struct strbuf *sb, const struct container *c, bool utf8);

/* Whether it tells of harm: an OOM kill, a fork refused. */
bool text_mark_is_bad(const struct mark *mark);

/* "oom kill of stress (pid 8857) ..." */
void text_mark(struct strbuf *sb, const struct mark *mark, bool utf8);

/* Where what it tells ends: its own time for all but throttling. */
uint64_t text_mark_end(const struct mark *mark);

/* Name, else the id as docker shortens it. */
void text_container(struct strbuf *sb, const struct container *c, bool utf8);

/* Its name and id, image, engine, runtime and pod, each where known, on one line without its end. */
void text_title(struct strbuf *sb, const struct container *c, bool utf8);

/* Adds "start 1.2 s" to a list of such; nothing where the beginning is not known (0) or nothing lies between. */
void text_add_span(struct strbuf *sb, const char *name, uint64_t start_ns, uint64_t end_ns, bool utf8);

/* True where the container has ended badly. */
bool text_is_failure(const struct container *c);

/* In which of the kernel's functions a call was blocked (struct step_times), innermost first, at most so many. */
void text_functions(struct strbuf *sb, const char *functions, size_t most, bool utf8);

#endif
