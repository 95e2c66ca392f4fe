/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_EVENT_TEXT_H
#define CTRACE_EVENT_TEXT_H

/* A raw event in one line, escaped for a terminal. */

#include "timeline/timeline.h"
#include "tui/event_log.h"
#include "util/strbuf.h"

/* "mount overlay on /var/lib/...", "exit 137", "LOST 12 exec events: ring_full" */
void event_text(struct strbuf *sb, const struct log_entry *entry, const struct timeline_config *config, bool utf8);

/* An event that says that something went wrong: a failed call, a fatal end, an OOM kill, a loss. */
bool event_is_bad(const struct log_entry *entry);

/* The names of the kinds for people: "exec", "mount" for a system call, "LOST". Static strings. */
const char *event_label(const struct event *event);

#endif
