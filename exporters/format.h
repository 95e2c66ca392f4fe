/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_FORMAT_H
#define CTRACE_FORMAT_H

/* Values as a person reads them, and text that fits into columns. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/strbuf.h"

enum { FORMAT_MAX = 32 }; /* a buffer of this size holds what any function below writes */

/* Three significant digits and a unit: "870 ns", "12.3 us" ("µs" with utf8), "4.57 ms", "1.23 s",
 * "3m 12s", "2h 05m", "3d 04h". Returns buffer. */
char *format_duration(char *buffer, uint64_t ns, bool utf8);

/* Binary units, without decimals where there are none: "256 MiB", "1.5 GiB", "0 B". Returns buffer. */
char *format_bytes(char *buffer, uint64_t bytes);

/* "SIGKILL", "SIGRTMIN+3", "signal 99". Returns buffer. */
char *format_signal(char *buffer, int signal);

/* "ENOENT", or "errno 4711" for a number without a name; code is positive. Returns buffer. */
char *format_errno(char *buffer, int code);

/* Appends bytes from the kernel or a container for a terminal: strbuf_escape, and besides what would
 * reorder the line or has no width of its own (bidirectional controls and other invisible format
 * characters) as \u{202e}. Without utf8 every byte above 0x7e becomes \xNN. */
void format_text(struct strbuf *sb, const char *bytes, size_t length, bool utf8);

/* Columns that text (from format_text) takes; LC_CTYPE must be set for wide characters. */
size_t format_width(const char *text);
void format_blanks(struct strbuf *sb, size_t columns);

/* Appends text in exactly `columns` columns: padded with blanks, or cut with an ellipsis. */
void format_fit(struct strbuf *sb, const char *text, size_t columns, bool utf8);

#endif
