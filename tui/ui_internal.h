/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_UI_INTERNAL_H
#define CTRACE_UI_INTERNAL_H

/* What ui.c (keys) and ui_draw.c (the frame around the views) share. */

#include "tui/view.h"

enum { UI_TABS_ROW = 1 };

extern const struct view_operations *const ui_views[VIEW_COUNT];

/* The view whose tab is at a column; VIEW_COUNT = none. */
enum view ui_tab_at(size_t column);

#endif
