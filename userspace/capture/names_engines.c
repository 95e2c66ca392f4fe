/* SPDX-License-Identifier: Apache-2.0 */
/* What docker and podman say themselves of a container whose files told no name: they are damaged, or on a file system that
 * shows root nothing. Only then, since who asks a daemon takes its time; nothing that starts a container waits for the answer. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "capture/names_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/strbuf.h"

enum { ANSWER_MS = 1000, ID_LENGTH = 64, PATH_BYTES = 4096 };

/* Both answer GET /containers/ID/json in docker's words (Docker Engine API, ContainerInspect). */
static const struct engine {
	const char *name;
	const char *variable; /* where its clients are told another socket */
	const char *socket;
} engines[] = {
	{ "docker", "DOCKER_HOST", "/run/docker.sock" },
	{ "podman", "CONTAINER_HOST", "/run/podman/podman.sock" },
};

/* A bundle that is a process's working directory, "/proc/PID/cwd/", by its path there; any other as it is. */
static char *bundle_path(const char *bundle)
{
	_cleanup_free_ char *link = xstrndup(bundle, strlen(bundle) - str_ends(bundle, "/"));
	char path[PATH_BYTES];
	ssize_t length = readlink(link, path, sizeof(path));

	return length > 0 && length < (ssize_t)sizeof(path) ? xstrndup(path, (size_t)length) : steal_ptr(link);
}

/* By the container's bundle: in docker's namespace of containerd, or in containers-storage. NULL: neither's, or an id of
 * another form than theirs. */
static const struct engine *engine_of(const char *bundle, const char *id)
{
	_cleanup_free_ char *path = bundle_path(bundle), *dockers = xasprintf("/moby/%s", id);

	if (strlen(id) != ID_LENGTH || strspn(id, "0123456789abcdef") != ID_LENGTH)
		return NULL;
	if (str_ends(path, dockers))
		return &engines[0];
	return str_ends(path, "/userdata") ? &engines[1] : NULL;
}

/* Where it listens, as we see it: root is where its files are for us. */
static char *socket_path(const struct engine *engine, const char *root)
{
	static const char scheme[] = "unix://";
	const char *own = getenv(engine->variable);

	if (own && str_starts(own, scheme))
		return xstrdup(own + strlen(scheme));
	return xasprintf("%s%s", root, engine->socket);
}

/* A socket that has the question; -1 where none takes it at once. */
static int ask(const char *path, const char *id)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_free_ char *question = xasprintf("GET /containers/%s/json HTTP/1.0\r\nHost: localhost\r\n\r\n", id);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		send(fd, question, strlen(question), MSG_NOSIGNAL) != (ssize_t)strlen(question))
		return -1;
	return steal_fd(&fd);
}

/* All that comes until the other side closes. False: too much, or not in time. */
static bool read_answer(int fd, struct strbuf *ret_text)
{
	int64_t until = clock_ms(CLOCK_MONOTONIC) + ANSWER_MS, left;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char block[16384];

	while (ret_text->length < NAMES_FILE_MAX && (left = until - clock_ms(CLOCK_MONOTONIC)) > 0) {
		ssize_t n = poll(&p, 1, (int)left) > 0 ? read(fd, block, sizeof(block)) : -1;

		if (n == 0)
			return true;
		if (n > 0)
			strbuf_add(ret_text, block, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return false;
	}
	return false;
}

/* The body of an answer that says yes. In HTTP/1.0 it is the rest of the stream (RFC 1945, 7.2.2). */
static json_object *parse_answer(const struct strbuf *text)
{
	static const char end[] = "\r\n\r\n";
	const char *status = text->length && str_starts(text->text, "HTTP/1.") ? strchr(text->text, ' ') : NULL;
	const char *body = status && str_starts(status, " 200 ") ? strstr(status, end) : NULL;

	if (!body)
		return NULL;
	body += strlen(end);
	return names_parse(body, text->length - (size_t)(body - text->text));
}

bool names_read_engine(struct reading *r, const char *root, const char *bundle)
{
	const struct engine *engine = engine_of(bundle, r->job->id);
	_cleanup_free_ char *path = engine ? socket_path(engine, root) : NULL;
	_cleanup_close_ int fd = engine ? ask(path, r->job->id) : -1;
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	_cleanup_(names_cleanup_json) json_object *o = NULL;
	const char *name;

	if (fd < 0 || !read_answer(fd, &text))
		return false;
	o = parse_answer(&text);
	name = names_find(o, NAMES_DOCKER, r->job->id);
	if (!name)
		return false;
	names_tell(r, "name", name);
	names_tell_docker(r, o, engine->name);
	return true;
}
