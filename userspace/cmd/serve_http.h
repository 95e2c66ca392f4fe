/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SERVE_HTTP_H
#define CTRACE_SERVE_HTTP_H

/* The metrics endpoint: /metrics and /healthz, for GET and HEAD. It has no thread of its own: the caller polls
 * serve_http_fd and calls serve_http_work. Connections are bounded in number and in time. */

#include <stdint.h>

#include "exporters/metrics.h"
#include "util/error.h"

struct serve_http;

/* Writes the metrics. */
typedef void serve_http_metrics(void *arg, enum metrics_format format, struct strbuf *sb);

/* address: "HOST:PORT", "[::1]:PORT", ":PORT" = every address. -EADDRINUSE when the port is in use, and so on. */
int serve_http_open(const char *address, serve_http_metrics *metrics, void *arg, struct serve_http **ret_http,
	struct error *err);
int serve_http_fd(const struct serve_http *http);
/* How long poll may wait; -1 = for ever. */
int serve_http_timeout_ms(const struct serve_http *http);
void serve_http_work(struct serve_http *http);

struct serve_http_stats {
	uint64_t scrapes, refused;
	uint64_t delayed; /* connections that had to wait for another one's end */
	uint64_t dropped; /* attempts to connect that the kernel dropped, as no more could wait; clients try again by themselves */
};
void serve_http_get_stats(const struct serve_http *http, struct serve_http_stats *ret_stats);

void serve_http_close(struct serve_http *http); /* takes NULL */

/* Whether serve_http_open would understand it. */
int serve_http_check_address(const char *address, struct error *err);

#endif
