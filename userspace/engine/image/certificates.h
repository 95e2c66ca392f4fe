/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CERTIFICATES_H
#define CTRACE_CERTIFICATES_H

#include <stdbool.h>

#include "util/error.h"

/*
 * What a registry's TLS connection is verified with and shows, as docker keeps it: a directory
 * certs.d/HOST[:PORT] with *.crt (CAs to trust besides the system's), client.cert and client.key.
 */
struct certificates {
	char *authorities; /* PEM text of all *.crt, NULL = none of its own */
	char *client, *key; /* paths, NULL = none */
};

/* Of host ("host[:port]"; port 443 may be left out), from the first directory of dirs that has one for
 * it; dirs ends with NULL. Fails where there is one and it cannot be read. */
int certificates_find(const char *const *dirs, const char *host, struct certificates *ret, struct error *err);
void certificates_free(struct certificates *c);
/* True when there is a directory for the host. */
bool certificates_exist(const char *const *dirs, const char *host);

#endif
