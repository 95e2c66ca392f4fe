/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CONTAINER_LOG_H
#define CTRACE_CONTAINER_LOG_H

/* What a container printed, in docker's json-file format: one object a line,
 * {"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}. A line is what ends in a newline,
 * or 16 KiB without one. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/state.h"
#include "util/error.h"
#include "util/strbuf.h"

enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_STREAMS };

struct container_log {
	int fd; /* -1 = none is kept */
	struct strbuf partial[LOG_STREAMS];
	bool full; /* the disk: what could not be written is dropped, lines stay whole */
};

char *container_log_path(const struct state *s);
int container_log_open(const struct state *s, struct container_log *ret, struct error *err);
void container_log_add(struct container_log *log, enum log_stream stream, const char *bytes,
	size_t length);
void container_log_close(struct container_log *log); /* writes lines that have no end */

/* One line, read back. The strings belong to the reader. */
struct log_line {
	const char *text;
	size_t length;
	enum log_stream stream;
	const char *time;
	int64_t time_ns;
};
/* Parses the line without its newline; false: it is damaged. storage is overwritten. */
bool container_log_parse(const char *line, size_t length, struct strbuf *storage, struct log_line *ret);

#endif
