/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ERROR_H
#define CTRACE_ERROR_H

/*
 * What went wrong, for a person: an errno and a sentence that names the object.
 *
 * Functions that can fail take `struct error *err` as their last parameter (NULL when the
 * caller does not care), return 0 or a negative errno, and leave *err alone on success.
 */
struct error {
	int code;        /* positive errno, or 0 when none fits */
	char text[1024]; /* one sentence, no newline */
};

/* Fills err and returns -code (or -EINVAL for code 0), so that callers can `return error_set(...)`. */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set, with ": strerror(code)" added to the text. */
int error_errno(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts context in front of the text: "context: text". Returns -err->code (or -EINVAL). */
int error_prefix(struct error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
