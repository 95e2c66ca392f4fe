/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PANES_H
#define CTRACE_PANES_H

/*
 * A container's terminal and the dashboard on one screen. One of them has the keys; Ctrl-] gives them to the other.
 * Wide terminals have the two beside each other, narrow ones one above the other, small ones the one with the keys.
 */

#include "tui/guest.h"
#include "tui/ui.h"

struct pane {
	size_t row, column, rows, columns; /* rows 0 = not shown */
};

struct panes {
	struct guest *guest;
	bool on_timeline; /* the dashboard has the keys */
	bool ended, left; /* the program; the user, who wants it to run on */
	int code;         /* of the program, once it has ended */
	struct pane terminal, dashboard;
	struct screen *drawn; /* the dashboard as last drawn */
};

/* Where the two lie on a screen of that size. */
void panes_layout(struct panes *p, size_t rows, size_t columns);
/* fresh: the dashboard is drawn anew, too. */
void panes_draw(struct panes *p, struct ui *ui, struct model *m, struct screen *s, bool fresh);
/* ui->quit is set where the user wants to leave. */
void panes_key(struct panes *p, struct ui *ui, struct model *m, int key);
void panes_click(struct panes *p, struct ui *ui, struct model *m, size_t row, size_t column, bool twice, int wheel);
/* Where the cursor stands on the whole screen; false = there is none. */
bool panes_cursor(const struct panes *p, size_t *ret_row, size_t *ret_column);
void panes_free(struct panes *p);

#endif
