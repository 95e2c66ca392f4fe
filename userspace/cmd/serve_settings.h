/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SERVE_SETTINGS_H
#define CTRACE_SERVE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/*
 * What ctrace serve does: options, and behind them /etc/ctrace/config.json (or $CTRACE_CONFIG), which is read again
 * on SIGHUP:
 *   {"serve": {"listen": "127.0.0.1:9469", "compat": ["cadvisor"], "max_containers": 1000, "grace_seconds": 300,
 *              "otlp_endpoint": "http://collector:4318"}}
 * "listen": "none" = no metrics endpoint.
 */
struct serve_settings {
	char *listen; /* NULL = none */
	bool cadvisor;
	size_t max_containers;
	unsigned int grace_s;
	char *otlp_endpoint; /* NULL = as the environment says */
};

/* Options that were given; they win over the file. */
struct serve_options {
	const char *listen, *otlp_endpoint; /* NULL = not given */
	bool cadvisor, always_armed, no_stream;
};

int serve_settings_load(const struct serve_options *options, struct serve_settings *ret, struct error *err);
void serve_settings_free(struct serve_settings *s);

#endif
