/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_IMAGE_SETTINGS_H
#define CTRACE_IMAGE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/*
 * How registries are reached. From /etc/ctrace/config.json (or $CTRACE_CONFIG):
 *   {"registry_mirrors": ["http://127.0.0.1:5000"], "insecure_registries": ["host:5000"],
 *    "no_fallback": false}
 * and from the environment, which wins: CTRACE_REGISTRY_MIRROR (one URL), CTRACE_NO_FALLBACK=1,
 * CTRACE_STALL_SECONDS (1-3600, 30). Mirrors serve docker.io's names only. Certificates of registries are in
 * certs.d/HOST[:PORT]/ beside the configuration file, or in docker's /etc/docker/certs.d.
 */
struct image_settings {
	char **mirrors; /* URLs without a slash at the end */
	size_t mirror_count;
	char **insecure; /* host[:port] that may be spoken to over http or with any certificate */
	size_t insecure_count;
	bool no_fallback; /* never ask docker.io itself when there are mirrors */
	const char *certificate_dirs[3]; /* see certificates.h; ends with NULL */
	char *own_certificates;	  /* certs.d beside the configuration */
	long stall_s;	  /* a connection without a byte for so long is given up */
};

int image_settings_load(struct image_settings *ret, struct error *err);
void image_settings_free(struct image_settings *s);

/* True when plain http to the host ("host[:port]", "[::1]:5000") and any certificate of it are allowed: listed,
 * or loopback for which there are no certificates. */
bool image_settings_insecure(const struct image_settings *s, const char *host);

#endif
