/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_WORDS_H
#define CTRACE_WORDS_H

/* Numbers and times in docker's words. The strings are the caller's. */

#include <stdint.h>

char *words_duration(int64_t seconds);     /* "5 minutes", "About an hour" */
char *words_size(double bytes);            /* "1.09kB", "256MB": powers of 1000 */
char *words_image_size(uint64_t bytes);    /* "1.99MB": the same with three digits, as of images */
char *words_binary_size(double bytes);     /* "7.5MiB" */
char *words_time(int64_t ns);              /* RFC 3339 with nanoseconds; 0 = docker's zero time */
char *words_local_time(int64_t ns);        /* "2026-01-02 03:04:05 +0000 UTC" */

/* "10m", "1h30m", "2026-01-02T03:04:05", "1767323045.5": ns since 1970; -1: none of these. */
int64_t words_parse_time(const char *text);

#endif
