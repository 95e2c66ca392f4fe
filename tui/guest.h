/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_GUEST_H
#define CTRACE_GUEST_H

/* A guest on our screen: a program with a terminal of its own, as in `ctrace run --tui`. */

#include "tui/screen.h"
#include "util/error.h"

struct guest;

/* Starts argv[0] with a terminal of that size. Signals must be blocked before: SIGCHLD tells of its end. */
int guest_open(char *const argv[], size_t rows, size_t columns, struct guest **ret_guest, struct error *err);
/* Takes NULL. A program that still runs loses its terminal (SIGHUP). */
void guest_close(struct guest *c);

/* For poll: readable when the program has printed something. */
int guest_fd(const struct guest *c);
/* Something that was typed waits until the program takes it: call guest_write when the descriptor is writable. */
bool guest_is_waiting(const struct guest *c);
void guest_write(struct guest *c);
/* Bytes in all that were typed beyond the 1 MiB that may wait, and are gone. */
size_t guest_refused(const struct guest *c);

/* Takes some of what the program printed. False: nothing more comes. */
bool guest_read(struct guest *c);
/* After SIGCHLD: whether it has ended; all that it printed was taken then. */
bool guest_ended(struct guest *c, int *ret_code);

void guest_key(struct guest *c, int key); /* enum key, or a byte */
void guest_signal(struct guest *c, int number);
void guest_resize(struct guest *c, size_t rows, size_t columns);

/* Its screen, from (row, column) of ours on. */
void guest_draw(const struct guest *c, struct screen *s, size_t row, size_t column);
/* Where its cursor stands on its own screen; false = it shows none. */
bool guest_cursor(const struct guest *c, size_t *ret_row, size_t *ret_column);
/* Its screen as text, without empty lines at the end. */
void guest_text(const struct guest *c, struct strbuf *sb);

#endif
