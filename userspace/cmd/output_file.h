/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_OUTPUT_FILE_H
#define CTRACE_OUTPUT_FILE_H

/* What -o FILE of export and save write: a file that appears, or is replaced, when it is whole. What is no file, as a pipe, is
 * written to as it is. */

#include <stdbool.h>

#include "util/error.h"

struct output_file {
	char *path;
	char *temporary; /* beside it; NULL: there is none, yet or at all */
	int fd;
	bool direct;     /* no file */
};

int output_file_open(const char *path, struct output_file *ret, struct error *err);
/* result: of who wrote; only 0 makes the file appear. Returns it, or what went wrong here. */
int output_file_finish(struct output_file *o, int result, struct error *err);
void output_file_free(struct output_file *o); /* fit for _cleanup_ */

#endif
