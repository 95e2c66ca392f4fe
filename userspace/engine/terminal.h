/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TERMINAL_H
#define CTRACE_TERMINAL_H

/* The caller's own terminal while it is lent to a container. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>

struct terminal {
	bool raw;
	struct termios saved;
};

void terminal_raw(struct terminal *t);
void terminal_restore(struct terminal *t);
/* The size of the terminal at stdin or stdout; false: neither is one. */
bool terminal_size(struct winsize *ret);
/* Gives a console that size. */
void terminal_copy_size(int console);

/* Whether our own output, all of it, goes to pipes. */
bool output_is_piped(void);

/* Writes all of it, whatever the descriptor's mode; gives up when nobody reads. */
void terminal_write(int fd, const char *bytes, size_t length);

#endif
