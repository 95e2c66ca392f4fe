/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DASHBOARD_INTERNAL_H
#define CTRACE_DASHBOARD_INTERNAL_H

#include "capture/source.h"
#include "tui/dashboard.h"
#include "tui/player.h"

struct dashboard {
	const struct dashboard_options *o;
	struct model model;
	struct ui ui;
	/* one of them is there */
	struct player *player;
	struct event_source *source;
	/* While the screen is held, events wait here, end to end. */
	struct strbuf held;
	uint64_t held_events;
	bool source_ended;
};

uint64_t dashboard_clock(void); /* CLOCK_BOOTTIME, as events have it */

/* Opens the source and makes the model. */
int dashboard_open(struct dashboard *d, struct error *err);
void dashboard_close(struct dashboard *d);

/* Takes what the live source has; returns whether that was anything, or a negative errno. */
int dashboard_read(struct dashboard *d, struct error *err);
/* The last reading: all that has happened by now. */
void dashboard_drain(struct dashboard *d);
/* What was held is fed. */
void dashboard_release(struct dashboard *d);
/* Reads what containers use and how the machine is. */
void dashboard_sample(struct dashboard *d);
/* Sends ui.want_signal to the init of the chosen container, if it is still that process. */
void dashboard_signal(struct dashboard *d);

int dashboard_batch(struct dashboard *d, struct error *err);
/* What this process does not need once it traces; a program beside it is started before. */
int dashboard_give_up_privilege(const struct dashboard *d, struct error *err);
int dashboard_interactive(struct dashboard *d, struct error *err);

#endif
