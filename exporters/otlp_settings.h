/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_OTLP_SETTINGS_H
#define CTRACE_OTLP_SETTINGS_H

/* Where traces are pushed to and how: OTEL_EXPORTER_OTLP_* as OpenTelemetry's specification of exporters has them. */

#include "exporters/otlp_encode.h"
#include "util/error.h"

struct otlp_settings {
	char *url;       /* of the traces; NULL = none was given: nothing is pushed */
	char **headers;  /* "Name: value", ends with NULL; values are secrets: they get into no message */
	enum otlp_encoding encoding;
	long timeout_ms; /* of one request */
	bool gzip;
};

/*
 * Reads OTEL_EXPORTER_OTLP_TRACES_ENDPOINT (used as it is) or OTEL_EXPORTER_OTLP_ENDPOINT (to which /v1/traces is added),
 * and of each of HEADERS, PROTOCOL (http/protobuf, http/json), TIMEOUT (milliseconds) and COMPRESSION (gzip, none) the
 * variable for traces or the general one. endpoint, if not NULL, comes before the environment's; /v1/traces is added
 * to it where it has no path. lookup is getenv, or a test's. -EINVAL names the variable that is wrong.
 */
int otlp_settings_read(struct otlp_settings *ret, const char *endpoint, char *(*lookup)(const char *name),
	struct error *err);
void otlp_settings_free(struct otlp_settings *s); /* also fit for _cleanup_ */

#endif
