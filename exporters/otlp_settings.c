/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/otlp_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/array.h"
#include "util/cleanup.h"

enum { DEFAULT_TIMEOUT_MS = 10000, MAX_TIMEOUT_MS = 3600 * 1000, MAX_HEADERS = 64, VARIABLE_MAX = 64 };

/* The variable for traces, or the general one; "" counts as not set. ret_name is the one that was. */
static const char *look_up(char *(*lookup)(const char *), const char *what, char ret_name[VARIABLE_MAX])
{
	static const char *const forms[] = { "OTEL_EXPORTER_OTLP_TRACES_%s", "OTEL_EXPORTER_OTLP_%s" };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *value;

		snprintf(ret_name, VARIABLE_MAX, forms[i], what);
		value = lookup(ret_name);
		if (value && *value)
			return value;
	}
	return NULL;
}

/* ---- endpoint ---- */

static int check_url(const char *url, const char *name, struct error *err)
{
	size_t scheme = !strncasecmp(url, "http://", 7) ? 7 : !strncasecmp(url, "https://", 8) ? 8 : 0;

	if (!scheme || !url[scheme] || strchr("/?#", url[scheme]))
		return error_set(err, EINVAL, "%s is \"%s\", but must be a URL as http://127.0.0.1:4318", name, url);
	for (const char *c = url; *c; c++) {
		if ((unsigned char)*c <= ' ' || (unsigned char)*c == 0x7f)
			return error_set(err, EINVAL, "%s has a blank or a control character in it", name);
	}
	return 0;
}

static bool has_path(const char *url)
{
	const char *host = strstr(url, "://") + 3, *slash = strchr(host, '/');

	return slash && slash[1];
}

static char *with_path(const char *url)
{
	size_t length = strlen(url);

	return xasprintf("%.*s/v1/traces", (int)(url[length - 1] == '/' ? length - 1 : length), url);
}

static int read_endpoint(struct otlp_settings *s, const char *endpoint, char *(*lookup)(const char *), struct error *err)
{
	const char *traces = lookup("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), *general = lookup("OTEL_EXPORTER_OTLP_ENDPOINT");
	const char *url = endpoint ? endpoint : traces && *traces ? traces : general && *general ? general : NULL;
	int r;

	if (!url)
		return 0;
	r = check_url(url, endpoint ? "the endpoint" : url == traces ? "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" :
		"OTEL_EXPORTER_OTLP_ENDPOINT", err);
	if (r < 0)
		return r;
	s->url = (endpoint ? !has_path(url) : url != traces) ? with_path(url) : xstrdup(url);
	return 0;
}

/* ---- headers: "key=value,key2=value2", percent-encoded ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* In place. False where the result could end the header's line. */
static bool decode_percent(char *text)
{
	char *to = text;

	for (const char *c = text; *c; c++) {
		if (*c == '%' && hex_digit(c[1]) >= 0 && hex_digit(c[2]) >= 0) {
			*to++ = (char)(hex_digit(c[1]) << 4 | hex_digit(c[2]));
			c += 2;
		} else {
			*to++ = *c;
		}
		if ((unsigned char)to[-1] < ' ' || to[-1] == 0x7f)
			return false;
	}
	*to = '\0';
	return true;
}

static char *trimmed(char *text)
{
	size_t n;

	while (*text == ' ' || *text == '\t')
		text++;
	for (n = strlen(text); n && (text[n - 1] == ' ' || text[n - 1] == '\t'); n--)
		text[n - 1] = '\0';
	return text;
}

static bool is_token(const char *text)
{
	return *text && strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
		strlen(text);
}

static int read_headers(struct otlp_settings *s, char *(*lookup)(const char *), struct error *err)
{
	char name[VARIABLE_MAX];
	const char *value = look_up(lookup, "HEADERS", name);
	_cleanup_free_ char *copy = value ? xstrdup(value) : NULL;
	size_t count = 0;
	char *rest = NULL;

	s->headers = xcalloc(MAX_HEADERS + 1, sizeof(*s->headers));
	for (char *pair = copy ? strtok_r(copy, ",", &rest) : NULL; pair; pair = strtok_r(NULL, ",", &rest)) {
		char *equals = strchr(pair, '='), *key;

		if (!*trimmed(pair))
			continue;
		if (!equals)
			return error_set(err, EINVAL, "%s: header no. %zu has no =, but must be KEY=VALUE", name, count + 1);
		*equals = '\0';
		key = trimmed(pair);
		if (!is_token(key) || !decode_percent(equals + 1))
			return error_set(err, EINVAL, "%s: header no. %zu has a character that no header may have", name, count + 1);
		if (count == MAX_HEADERS)
			return error_set(err, EINVAL, "%s: more than %d headers", name, MAX_HEADERS);
		s->headers[count++] = xasprintf("%s: %s", key, trimmed(equals + 1));
	}
	return 0;
}

/* ---- the others ---- */

static int read_protocol(struct otlp_settings *s, char *(*lookup)(const char *), struct error *err)
{
	char name[VARIABLE_MAX];
	const char *value = look_up(lookup, "PROTOCOL", name);

	s->encoding = OTLP_PROTOBUF; /* what the specification recommends */
	if (!value || !strcmp(value, "http/protobuf"))
		return 0;
	s->encoding = OTLP_JSON;
	if (!strcmp(value, "http/json"))
		return 0;
	if (!strcmp(value, "grpc"))
		return error_set(err, EINVAL, "%s is grpc, which ctrace does not speak: set it to http/protobuf, and the endpoint "
			"to the collector's port for OTLP over HTTP (4318)", name);
	return error_set(err, EINVAL, "%s is \"%s\", but must be http/protobuf or http/json", name, value);
}

static int read_timeout(struct otlp_settings *s, char *(*lookup)(const char *), struct error *err)
{
	char name[VARIABLE_MAX], *end;
	const char *value = look_up(lookup, "TIMEOUT", name);

	s->timeout_ms = DEFAULT_TIMEOUT_MS;
	if (!value)
		return 0;
	errno = 0;
	s->timeout_ms = strtol(value, &end, 10);
	if (end == value || *end || errno || s->timeout_ms < 1 || s->timeout_ms > MAX_TIMEOUT_MS)
		return error_set(err, EINVAL, "%s is \"%s\", but must be milliseconds from 1 to %d", name, value, MAX_TIMEOUT_MS);
	return 0;
}

static int read_compression(struct otlp_settings *s, char *(*lookup)(const char *), struct error *err)
{
	char name[VARIABLE_MAX];
	const char *value = look_up(lookup, "COMPRESSION", name);

	s->gzip = value && !strcmp(value, "gzip");
	if (value && !s->gzip && strcmp(value, "none") != 0)
		return error_set(err, EINVAL, "%s is \"%s\", but must be gzip or none", name, value);
	return 0;
}

int otlp_settings_read(struct otlp_settings *ret, const char *endpoint, char *(*lookup)(const char *), struct error *err)
{
	struct otlp_settings s = { 0 };
	int r = read_endpoint(&s, endpoint, lookup, err);

	if (r >= 0)
		r = read_headers(&s, lookup, err);
	if (r >= 0)
		r = read_protocol(&s, lookup, err);
	if (r >= 0)
		r = read_timeout(&s, lookup, err);
	if (r >= 0)
		r = read_compression(&s, lookup, err);
	if (r < 0) {
		otlp_settings_free(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void otlp_settings_free(struct otlp_settings *s)
{
	for (size_t i = 0; s->headers && s->headers[i]; i++)
		free(s->headers[i]);
	free(s->headers);
	free(s->url);
	*s = (struct otlp_settings){ 0 };
}
