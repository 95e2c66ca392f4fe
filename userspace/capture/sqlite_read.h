/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SQLITE_READ_H
#define CTRACE_SQLITE_READ_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads the SQLite database of podman 5 while podman writes it. No lock is taken, which might hold podman back: the file
 * is copied into memory at a moment when no commit goes on. libsqlite3 is loaded when the first one is read.
 */
struct sqlite_read;

/* NULL where there is no such file, it is larger than 64 MiB, a commit goes on all the time, or there is no libsqlite3. */
struct sqlite_read *sqlite_read_open(const char *path);
void sqlite_read_close(struct sqlite_read *db); /* takes NULL */

/* The first column of the first row that a query with one parameter finds, NUL-terminated, which the caller frees; NULL
 * where there is none, or looking for it takes too long. */
char *sqlite_read_text(struct sqlite_read *db, const char *query, const char *parameter);

#endif
