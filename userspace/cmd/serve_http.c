/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/serve_http.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"

enum {
	CONNECTIONS_MAX = 64,
	CROWDED = 48,          /* from here on connections that ask for nothing are closed earlier */
	IDLE_S = 120,          /* Prometheus keeps its connection between scrapes */
	REQUEST_MS = 130000,   /* without a complete request, however busy the connection is */
	CROWDED_MS = 5000,
	CONNECTION_BYTES = 16384
};

/* A connection, and when it last asked for something complete. */
struct connection {
	struct connection *next;
	int fd;
	uint64_t active_ms;
	bool is_closed; /* by us: libmicrohttpd has not noticed yet */
};

struct serve_http {
	struct MHD_Daemon *daemon;
	serve_http_metrics *metrics;
	void *arg;
	struct connection *connections;
	size_t count;
	int listen_fd; /* the daemon's */
	size_t waiting; /* of those that wait to be accepted, first come first served, how many are counted as delayed */
	struct serve_http_stats stats;
};

/* ---- answers ---- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status, const char *type, char *body,
	size_t length)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result r;

	if (!response) {
		free(body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned int status, const char *text)
{
	return answer(connection, status, "text/plain; charset=utf-8", xstrdup(text), strlen(text));
}

static enum MHD_Result answer_metrics(struct serve_http *http, struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	enum metrics_format format = metrics_negotiate(accept);
	struct strbuf sb = { 0 };
	size_t length;

	http->metrics(http->arg, format, &sb);
	http->stats.scrapes++;
	length = sb.length;
	return answer(connection, MHD_HTTP_OK, metrics_content_type(format), strbuf_steal(&sb), length);
}

static enum MHD_Result refuse(struct serve_http *http, struct MHD_Connection *connection, unsigned int status,
	const char *text)
{
	http->stats.refused++;
	return answer_text(connection, status, text);
}

static void note_activity(struct serve_http *http, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	for (struct connection *c = http->connections; c && info; c = c->next) {
		if (c->fd == info->connect_fd)
			c->active_ms = clock_ms(CLOCK_MONOTONIC);
	}
}

/* Called once the header is there, and again behind a body. What has one is refused before it comes, and the connection
 * closed; the others wait for the second call, so that their connection is kept. */
static enum MHD_Result take_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *upload_data, size_t *upload_length, void **request)
{
	struct serve_http *http = arg;

	(void)version;
	(void)upload_data;
	(void)upload_length;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(http, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (!*request) {
		*request = http;
		return MHD_YES;
	}
	*upload_length = 0; /* a body that came with a GET is nobody's */
	note_activity(http, connection);
	if (!strcmp(url, "/metrics"))
		return answer_metrics(http, connection);
	if (!strcmp(url, "/healthz"))
		return answer_text(connection, MHD_HTTP_OK, "ok\n");
	if (!strcmp(url, "/"))
		return answer_text(connection, MHD_HTTP_OK, "ctrace serve\n\n/metrics  Prometheus, OpenMetrics\n/healthz  ok\n");
	return refuse(http, connection, MHD_HTTP_NOT_FOUND, "not here: /metrics and /healthz are\n");
}

/* ---- connections ---- */

static void notify_connection(void *arg, struct MHD_Connection *connection, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	struct serve_http *http = arg;
	struct connection *c = *socket_context, **at = &http->connections;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		c = xcalloc(1, sizeof(*c));
		c->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		c->active_ms = clock_ms(CLOCK_MONOTONIC);
		c->next = http->connections;
		http->connections = c;
		http->count++;
		http->waiting -= http->waiting > 0;
		*socket_context = c;
		return;
	}
	while (*at && *at != c)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = c->next;
	http->count--;
	free(c);
}

/* libmicrohttpd's own timeout starts anew with every byte: a client that sends one now and then would stay. */
static void close_slow(struct serve_http *http)
{
	uint64_t limit_ms = http->count >= CROWDED ? CROWDED_MS : REQUEST_MS, now_ms = clock_ms(CLOCK_MONOTONIC);

	for (struct connection *c = http->connections; c; c = c->next) {
		if (c->is_closed || now_ms < c->active_ms + limit_ms)
			continue;
		shutdown(c->fd, SHUT_RDWR);
		c->is_closed = true;
	}
}

/* While there are as many as may be, libmicrohttpd accepts no other. tcpi_unacked is how many the kernel holds meanwhile: it is
 * the length of a listening socket's queue (tcp_get_info). */
static void count_delayed(struct serve_http *http)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	if (http->count < CONNECTIONS_MAX || getsockopt(http->listen_fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
		info.tcpi_unacked <= http->waiting)
		return;
	http->stats.delayed += info.tcpi_unacked - http->waiting;
	http->waiting = info.tcpi_unacked;
}

/* The socket's own count: ListenOverflows in /proc/net/netstat is of the whole network namespace. */
static uint64_t count_dropped(int listen_fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(info);

	return getsockopt(listen_fd, SOL_SOCKET, SO_MEMINFO, info, &size) == 0 ? info[SK_MEMINFO_DROPS] : 0;
}

/* ---- the socket ---- */

/* Splits "HOST:PORT"; the port is what follows the last colon. */
static int split_address(const char *address, char **ret_host, const char **ret_port, struct error *err)
{
	const char *colon = strrchr(address, ':');
	char *end, *host;
	long port = colon ? strtol(colon + 1, &end, 10) : 0;

	if (!colon || end == colon + 1 || *end || port < 1 || port > 65535)
		return error_set(err, EINVAL, "listen address \"%s\": write HOST:PORT, as in 127.0.0.1:9469", address);
	host = xstrndup(address, colon - address);
	if (*host == '[' && str_ends(host, "]")) {
		memmove(host, host + 1, strlen(host));
		host[strlen(host) - 1] = '\0';
	}
	*ret_host = host;
	*ret_port = colon + 1;
	return 0;
}

static int resolve(const char *address, struct addrinfo **ret, struct error *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	_cleanup_free_ char *host = NULL;
	const char *port = NULL;
	int r = split_address(address, &host, &port, err);

	if (r < 0)
		return r;
	r = getaddrinfo(!strcmp(host, "localhost") ? "127.0.0.1" : *host ? host : "::", port, &hints, ret);
	if (r != 0)
		return error_set(err, EINVAL, "listen address \"%s\": %s; write a numeric address", address, gai_strerror(r));
	return 0;
}

int serve_http_check_address(const char *address, struct error *err)
{
	struct addrinfo *info;
	int r = resolve(address, &info, err);

	if (r == 0)
		freeaddrinfo(info);
	return r;
}

static int listen_at(const char *address, int *ret_fd, struct error *err)
{
	_cleanup_close_ int fd = -1;
	struct addrinfo *info;
	int on = 1, off = 0, r = resolve(address, &info, err);

	if (r < 0)
		return r;
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (info->ai_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	}
	r = fd < 0 || bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, CONNECTIONS_MAX) < 0 ? -errno : 0;
	freeaddrinfo(info);
	if (r == -EADDRINUSE)
		return error_set(err, EADDRINUSE, "%s is in use by another program: give another address with --listen", address);
	if (r < 0)
		return error_errno(err, -r, "cannot listen at %s", address);
	*ret_fd = steal_fd(&fd);
	return 0;
}

int serve_http_open(const char *address, serve_http_metrics *metrics, void *arg, struct serve_http **ret_http,
	struct error *err)
{
	struct serve_http *http;
	int fd = -1, r = listen_at(address, &fd, err);

	if (r < 0)
		return r;
	http = xcalloc(1, sizeof(*http));
	http->metrics = metrics;
	http->arg = arg;
	http->listen_fd = fd;
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, take_request, http,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, notify_connection, http, MHD_OPTION_END);
	if (!http->daemon) {
		close(fd);
		free(http);
		return error_set(err, EIO, "cannot serve at %s: libmicrohttpd does not start", address);
	}
	*ret_http = http;
	return 0;
}

int serve_http_fd(const struct serve_http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int serve_http_timeout_ms(const struct serve_http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(http->daemon, &ms) != MHD_YES)
		return http->count ? 1000 : -1;
	return ms < 1000 ? (int)ms : 1000;
}

void serve_http_work(struct serve_http *http)
{
	close_slow(http);
	count_delayed(http);
	MHD_run(http->daemon);
}

void serve_http_get_stats(const struct serve_http *http, struct serve_http_stats *ret_stats)
{
	*ret_stats = http->stats;
	ret_stats->dropped = count_dropped(http->listen_fd);
}

void serve_http_close(struct serve_http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	free(http);
}
