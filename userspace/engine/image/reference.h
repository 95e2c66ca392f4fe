/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_REFERENCE_H
#define CTRACE_REFERENCE_H

#include <stdbool.h>

#include "util/error.h"

/*
 * The name of an image in a registry, with docker's grammar and defaults:
 *   [host[:port]/]path[:tag][@algorithm:hex]
 * "ubuntu" is docker.io/library/ubuntu:latest. The first component is a host when it has a '.' or a
 * ':', is "localhost", or has a capital letter. A digest wins: the tag beside it is dropped.
 */
struct reference {
	char *domain; /* "docker.io", "127.0.0.1:5000", "[::1]:5000" */
	char *path;   /* "library/ubuntu" */
	char *tag;    /* "latest"; NULL when there is a digest */
	char *digest; /* "sha256:..." or NULL */
};

/* Returns 0, or -EINVAL with a text that says which part is wrong and how. */
int reference_parse(const char *text, struct reference *ret, struct error *err);
void reference_free(struct reference *ref);

/* "docker.io/library/ubuntu:latest"; the caller frees. */
char *reference_canonical(const struct reference *ref);
/* What a person would type: "ubuntu:latest", without docker's defaults; the caller frees. */
char *reference_familiar(const struct reference *ref);

/* True for "sha256:" + 64 or "sha512:" + 128 lower-case hex digits. */
bool digest_valid(const char *digest);

#endif
