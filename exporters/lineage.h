/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LINEAGE_H
#define CTRACE_LINEAGE_H

/* Who started whom, and for how long each played a part, as the exports that draw trees see it. */

#include "timeline/model.h"

/* The actor that created this one; for one that no other actor of the container created, who asked it: the CLI for the
 * engine, the engine for containerd, that for the shim. -1 = nobody known. Never a circle. */
int lineage_asked_by(const struct container *c, int actor);

/* True for what a process was before it executed the program that did the work: an actor without steps and children,
 * beside another of the same pid. */
bool lineage_is_prelude(const struct container *c, int actor);

struct life {
	uint64_t start_ns, end_ns;
};

/* The actor's part, stretched over its steps (one that was inferred may lie a little before it), and over the starts of
 * those that it created: of a daemon only its part in this container is known, and that may be less. What goes
 * on ends with what is known of the container, and of whom nothing is known but that it was there begins with it.
 * end_ns >= start_ns. */
struct life lineage_life(const struct container *c, int actor);

/* The earlier of two times, of which 0 is not known. */
uint64_t lineage_earlier(uint64_t a_ns, uint64_t b_ns);

/* The earliest time of anything that an export draws of it. */
uint64_t lineage_first(const struct container *c);

/* Where a span ends that may go on: with what is known of the container. Never before it starts. */
uint64_t lineage_end(const struct container *c, uint64_t start_ns, uint64_t end_ns, enum edge edge);

#endif
