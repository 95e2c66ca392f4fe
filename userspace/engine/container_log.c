/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_log.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

enum { LINE_MAX_BYTES = 16384 };

char *container_log_path(const struct state *s)
{
	/* not in /run, which is memory, where there is a disk */
	return xasprintf("%s/%s-json.log", state_has(s->storage) ? s->storage : s->directory, s->id);
}

int container_log_open(const struct state *s, struct container_log *ret, struct error *err)
{
	_cleanup_free_ char *path = container_log_path(s);

	*ret = (struct container_log){ .fd = -1 };
	if (!s->keeps_log)
		return 0;
	ret->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	return ret->fd < 0 ? error_errno(err, errno, "cannot open %s", path) : 0;
}

/* Go's encoder, which docker uses, also writes < > & as escapes; readers take both. Bytes that are not
 * UTF-8 become U+FFFD, as there. */
static void put_text(struct strbuf *sb, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		unsigned char c = (unsigned char)bytes[i];
		size_t n = c < 0x80 ? 1 : utf8_sequence(bytes + i, length - i);

		if (c == '"' || c == '\\')
			strbuf_printf(sb, "\\%c", c);
		else if (c == '\n')
			strbuf_puts(sb, "\\n");
		else if (c == '\r')
			strbuf_puts(sb, "\\r");
		else if (c == '\t')
			strbuf_puts(sb, "\\t");
		else if (c < 0x20 || c == 0x7f)
			strbuf_printf(sb, "\\u%04x", c);
		else if (n)
			strbuf_add(sb, bytes + i, n);
		else
			strbuf_puts(sb, "\\ufffd");
		i += n ? n : 1;
	}
}

static void write_line(struct container_log *log, enum log_stream stream, const char *bytes,
	size_t length)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	struct timespec now;
	struct tm tm;
	char time[32];
	ssize_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &tm));
	strbuf_puts(&sb, "{\"log\":\"");
	put_text(&sb, bytes, length);
	strbuf_printf(&sb, "\",\"stream\":\"%s\",\"time\":\"%s.%09ldZ\"}\n",
		stream == LOG_STDOUT ? "stdout" : "stderr", time, now.tv_nsec);
	n = write(log->fd, sb.text, sb.length);
	if (n == (ssize_t)sb.length)
		return;
	log->full = true;
	if (n > 0) { /* half a line would spoil the next */
		struct stat st;

		if (fstat(log->fd, &st) == 0 && ftruncate(log->fd, st.st_size - n) < 0)
			close(steal_fd(&log->fd));
	}
}

void container_log_add(struct container_log *log, enum log_stream stream, const char *bytes,
	size_t length)
{
	struct strbuf *partial = &log->partial[stream];

	while (log->fd >= 0 && length) {
		const char *end = memchr(bytes, '\n', length);
		size_t n = end ? (size_t)(end - bytes) + 1 : length;

		if (partial->length + n > LINE_MAX_BYTES)
			n = LINE_MAX_BYTES - partial->length;
		strbuf_add(partial, bytes, n);
		if (partial->text[partial->length - 1] == '\n' || partial->length == LINE_MAX_BYTES) {
			write_line(log, stream, partial->text, partial->length);
			strbuf_reset(partial);
		}
		bytes += n;
		length -= n;
	}
}

void container_log_close(struct container_log *log)
{
	for (int i = 0; i < LOG_STREAMS; i++) {
		if (log->fd >= 0 && log->partial[i].length)
			write_line(log, (enum log_stream)i, log->partial[i].text, log->partial[i].length);
		strbuf_free(&log->partial[i]);
	}
	if (log->fd >= 0)
		close(steal_fd(&log->fd));
	log->fd = -1;
}

static int64_t parse_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = 0;
	int digits = 0;

	if (!rest)
		return 0;
	if (*rest == '.') {
		for (rest++; *rest >= '0' && *rest <= '9' && digits < 9; rest++, digits++)
			fraction = fraction * 10 + (*rest - '0');
	}
	for (; digits && digits < 9; digits++)
		fraction *= 10;
	return (int64_t)timegm(&tm) * 1000000000 + fraction;
}

bool container_log_parse(const char *line, size_t length, struct strbuf *storage, struct log_line *ret)
{
	struct json_tokener *tokener = json_tokener_new();
	json_object *o = json_tokener_parse_ex(tokener, line, (int)length), *text;
	const char *stream = json_object_get_string(json_object_object_get(o, "stream"));
	const char *time = json_object_get_string(json_object_object_get(o, "time"));
	bool whole = o && stream && time && json_object_object_get_ex(o, "log", &text);

	if (whole) {
		strbuf_reset(storage);
		strbuf_add(storage, time, strlen(time) + 1);
		strbuf_add(storage, json_object_get_string(text), (size_t)json_object_get_string_len(text));
		ret->time = storage->text;
		ret->text = storage->text + strlen(time) + 1;
		ret->length = storage->length - strlen(time) - 1;
		ret->stream = !strcmp(stream, "stderr") ? LOG_STDERR : LOG_STDOUT;
		ret->time_ns = parse_time(time);
	}
	json_object_put(o);
	json_tokener_free(tokener);
	return whole;
}
