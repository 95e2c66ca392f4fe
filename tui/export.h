/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TUI_EXPORT_H
#define CTRACE_TUI_EXPORT_H

/* What a view shows, as data and as a file. */

#include "tui/ui.h"
#include "util/error.h"

/* The view as JSON Lines (JSON_SCHEMA.md, "top"). */
void export_json(struct ui *ui, struct model *m, struct strbuf *sb);

/* "ctrace-timeline-web.txt" */
void export_default_name(struct ui *ui, struct model *m, char *ret_name, size_t size);

/* Writes all of the view: as JSON where path ends in .json, else as text; of the timeline that is every step.
 * A file that is there already is not overwritten. */
int export_view(struct ui *ui, struct model *m, const char *path, struct error *err);

#endif
