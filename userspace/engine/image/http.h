/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_HTTP_H
#define CTRACE_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct image_settings;

/* HTTP GET as registries need it. One client per thread. */
struct http;

/* cancel: looked at about once a second while waiting; non-zero gives up with -ECANCELED. */
struct http *http_new(const struct image_settings *settings, const atomic_bool *cancel);
void http_free(struct http *http);

/* Takes a part of the body. Negative stops the transfer. */
typedef int http_sink(void *arg, const void *bytes, size_t length);

struct http_request {
	const char *url;
	const char *const *accept;  /* NULL-terminated media types, or NULL */
	const char *authorization;  /* the header's value, or NULL; never follows to another origin */
	uint64_t offset;	    /* start of a Range request; 0 = all */
	http_sink *sink;	    /* gets the body of a 200 or 206; NULL: collect it */
	void *arg;
	size_t limit;		    /* of what is collected, bytes */
};

struct http_response {
	long status;
	char *content_type;	/* may be NULL */
	char *challenge;	/* WWW-Authenticate, may be NULL */
	long retry_after_s;	/* -1: not given */
	char *body;		/* collected, NUL-terminated */
	size_t length;
	uint64_t received;	/* bytes given to the sink */
};

void http_response_free(struct http_response *r); /* also fit for _cleanup_ */

/*
 * Follows up to ten redirects; one from https to plain http only from a server that is listed as insecure. Any status is
 * a success. A 200 where a range was asked skips what the caller has. Errors: -EHOSTUNREACH (not
 * connected), -EKEYREJECTED (certificate), -EPROTONOSUPPORT (no TLS), -EPIPE (broken on the way, may be resumed; ret->received is set), -ETIMEDOUT (stalled,
 * the same), -EFBIG (limit), -EPROTO, -ECANCELED (cancel, or the sink).
 */
int http_get(struct http *http, const struct http_request *request, struct http_response *ret,
	struct error *err);

/* Sleeps, unless cancelled: -ECANCELED. */
int http_wait(struct http *http, long milliseconds);

/* "scheme://host:port" of a URL, lower case, default ports made explicit; NULL for no http(s) URL. The
 * caller frees. */
char *http_origin(const char *url);

#endif
