/* SPDX-License-Identifier: Apache-2.0 */
/* The log of `ctrace oci`: lines as logrus writes them, because engines parse runc's. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/oci_internal.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

int oci_log_open(const struct oci *oci, struct error *err)
{
	_cleanup_close_ int fd = -1;

	if (!oci->log)
		return 0;
	/* an engine may give a pipe (/dev/fd/N): no O_TRUNC, and no waiting for a reader */
	fd = open(oci->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
	return fd < 0 ? error_errno(err, errno, "cannot open log %s", oci->log) : 0;
}

static void write_json(FILE *out, const char *level, const char *message, const char *now)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "level", json_object_new_string(level));
	json_object_object_add(o, "msg", json_object_new_string(message));
	json_object_object_add(o, "time", json_object_new_string(now));
	fprintf(out, "%s\n", json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void write_text(FILE *out, const char *level, const char *message, const char *now)
{
	fprintf(out, "time=\"%s\" level=%s msg=\"", now, level);
	for (const char *p = message; *p; p++)
		fprintf(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	fputs("\"\n", out);
}

static void write_line(FILE *out, bool json, const char *level, const char *message)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	char now[64];
	time_t t = time(NULL);
	struct tm tm;

	strbuf_escape(&text, message, strlen(message));
	gmtime_r(&t, &tm);
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(json ? write_json : write_text)(out, level, text.text ? text.text : "", now);
}

void oci_log(const struct oci *oci, const char *level, const char *message)
{
	_cleanup_fclose_ FILE *log = oci->log ? fopen(oci->log, "ae") : NULL;

	if (log)
		write_line(log, oci->log_json, level, message);
}

void oci_debug(const struct oci *oci, const char *format, ...)
{
	char text[2048];
	va_list ap;

	if (!oci->debug)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (oci->log)
		oci_log(oci, "debug", text);
	else
		write_line(stderr, oci->log_json, "debug", text);
}
