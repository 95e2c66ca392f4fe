/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_OTLP_RESPONSE_H
#define CTRACE_OTLP_RESPONSE_H

/* What a collector says to a payload. Pure, so that it can be tested with any bytes. */

#include "exporters/otlp_encode.h"

enum otlp_verdict {
	OTLP_TAKEN,    /* 2xx: never sent again, not even what was rejected of it */
	OTLP_RETRY,    /* 429, 502, 503, 504: the same again, later */
	OTLP_TOO_LARGE,/* 413: less at once */
	OTLP_REFUSED   /* all others: sending it again would not help */
};

enum otlp_verdict otlp_verdict_of(long status);

/* Spans that the collector rejected of a payload that it took (ExportTracePartialSuccess); 0 where the body tells of
 * none or cannot be read. ret_message (NULL = not asked for) is appended the collector's words, unescaped. */
uint64_t otlp_rejected(enum otlp_encoding encoding, const char *body, size_t length, struct strbuf *ret_message);

/* Seconds of a Retry-After header: a number, or a date against now (seconds since 1970). -1 = not valid. */
long otlp_retry_after(const char *value, long long now);

#endif
