/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_AUTH_H
#define CTRACE_AUTH_H

#include "engine/image/http.h"

/*
 * Answers a registry's challenge (distribution's token protocol). challenge: WWW-Authenticate's value;
 * domain: the registry's name, for credentials from docker's config.json; path: the repository.
 * *ret: the value of an Authorization header; the caller frees. Returns 0, -EACCES, or errors of
 * http_get.
 */
int auth_answer(struct http *http, const char *challenge, const char *domain, const char *path,
	char **ret, struct error *err);

/* The value of a parameter of a challenge (realm, service, scope), unquoted, or NULL. The caller
 * frees. Exposed for tests. */
char *auth_parameter(const char *challenge, const char *name);
/* Where to ask for the token that the challenge wants, for the repository at path, if it names no scope. The caller
 * frees. Exposed for tests. */
char *auth_token_url(const char *challenge, const char *realm, const char *path);
/* The Authorization header that the token server's answer gives; the caller frees. Exposed for tests. */
int auth_read_token(const char *body, size_t length, const char *realm, char **ret, struct error *err);

#endif
