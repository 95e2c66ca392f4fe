/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PLAYER_H
#define CTRACE_PLAYER_H

/*
 * A recording as a film: it plays at some speed, stands still, goes to any time. Going back reads it again from the
 * beginning: the timeline knows only forwards. Long ways are gone in pieces, so that keys are heard meanwhile.
 */

#include "tui/model.h"
#include "util/error.h"

struct player;

int player_open(const char *path, struct player **ret_player, struct error *err);
void player_close(struct player *p); /* takes NULL */
const struct facts *player_facts(const struct player *p);

/* Time goes by: feeds m what has happened by then. Returns true while there is a way to go that took longer than
 * a piece (call again at once). A damaged end is told in m->problem. */
bool player_step(struct player *p, struct model *m, uint64_t passed_ns);

/* To a time of the recording; UINT64_MAX = its end. Done by the following steps. */
void player_seek(struct player *p, struct model *m, uint64_t to_ns);
/* Plays, stops, and from the end begins again. */
void player_toggle(struct player *p, struct model *m);

#endif
