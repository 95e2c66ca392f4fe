/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoint of `ctrace serve`, over a real connection: any bytes as requests, and the rest of the input as an Accept
 * header. What must hold: what is answered is HTTP with a status that the endpoint has; the connection's end frees
 * all that it took; the next client is served as before; a client gets the format that it asked for, and one that it
 * refused only where it refused both. (The parser of HTTP is libmicrohttpd's, which is not instrumented.)
 */
#include "fuzz/fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/serve_http.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum {
	PORTS_FROM = 20000,
	PORTS = 20000,
	QUIET_ROUNDS = 20, /* after which nothing more comes */
	CLIENTS = 4000000  /* addresses from 127.64.0.1 on: none comes again while a connection of it waits in TIME_WAIT */
};

static struct serve_http *http;
static struct sockaddr_in address = { .sin_family = AF_INET };

static void write_metrics(void *arg, enum metrics_format format, struct strbuf *sb)
{
	(void)arg;
	strbuf_puts(sb, format == METRICS_OPENMETRICS ? "open 1\n# EOF\n" : "text 1\n");
}

/* At a loopback address that few use, so that several can run at once. */
static void open_endpoint(void)
{
	struct error err = { 0 };

	address.sin_addr.s_addr = htonl(0x7f2a0001);
	for (int i = 0; i < PORTS && !http; i++) {
		int port = PORTS_FROM + (getpid() * 7 + i) % PORTS;
		_cleanup_free_ char *text = xasprintf("127.42.0.1:%d", port);

		address.sin_port = htons((uint16_t)port);
		if (serve_http_open(text, write_metrics, NULL, &http, &err) < 0)
			require(err.code == EADDRINUSE);
	}
	require(http != NULL);
}

/* A client, from an address of its own: ports of one that were used lately run out. */
static int connect_client(void)
{
	static uint32_t clients;
	const struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f400001 + clients++ % CLIENTS) };
	const struct linger at_once = { .l_onoff = 1 }; /* no port is kept waiting */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd connected = { .fd = fd, .events = POLLOUT };

	require(fd >= 0 && bind(fd, (const struct sockaddr *)&from, sizeof(from)) == 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) { /* by libFuzzer's alarm */
		require(errno == EINTR);
		while (poll(&connected, 1, -1) < 0)
			require(errno == EINTR);
	}
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	return fd;
}

/* Gives bytes to the endpoint and returns what it answers until it has no more to say. */
static char *exchange(const char *bytes, size_t size)
{
	int fd = connect_client();
	struct strbuf answer = { 0 };
	bool ended = false;

	require(!size || send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) > 0);
	shutdown(fd, SHUT_WR);
	for (int quiet = 0; quiet < QUIET_ROUNDS && !ended; quiet++) {
		char buffer[4096];
		ssize_t n;

		serve_http_work(http);
		n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		ended = n == 0 || (n < 0 && errno != EAGAIN);
		if (n > 0)
			strbuf_add(&answer, buffer, (size_t)n);
		quiet = n > 0 ? 0 : quiet;
	}
	close(fd);
	for (int i = 0; i < QUIET_ROUNDS && serve_http_timeout_ms(http) != -1; i++)
		serve_http_work(http);
	require(serve_http_timeout_ms(http) == -1); /* it has no connection any more */
	return answer.text ? strbuf_steal(&answer) : xstrdup("");
}

/* Those of take_request, and of libmicrohttpd for what it does not understand. */
static void check_answer(const char *answer)
{
	static const char *const statuses[] = { "100 ", "200 ", "400 ", "404 ", "405 ", "408 ", "411 ", "413 ", "414 ", "417 ", "431 ",
		"500 ", "501 ", "503 ", "505 " };
	bool known = false;

	if (!*answer)
		return;
	require(str_starts(answer, "HTTP/1.0 ") || str_starts(answer, "HTTP/1.1 "));
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		known |= str_starts(answer + 9, statuses[i]);
	require(known && strstr(answer, "\r\n\r\n"));
}

static void check_still_serves(void)
{
	_cleanup_free_ char *answer = exchange("GET /healthz HTTP/1.0\r\n\r\n", 25);

	require(str_starts(answer, "HTTP/1.0 200 ") || str_starts(answer, "HTTP/1.1 200 "));
	require(str_ends(answer, "\r\n\r\nok\n"));
}

/* Both ways of saying the same must have the same answer. */
static void check_negotiation(const char *accept)
{
	enum metrics_format format = metrics_negotiate(accept);
	_cleanup_free_ char *behind = xasprintf("%s,application/openmetrics-text;q=1", accept);
	_cleanup_free_ char *nothing = xasprintf("%s,image/png;q=1", accept);

	require(format == METRICS_TEXT || format == METRICS_OPENMETRICS);
	require(metrics_negotiate(behind) == METRICS_OPENMETRICS);
	require(metrics_negotiate(nothing) == format);
	require(format == METRICS_TEXT || strcasestr(accept, "application/openmetrics-text"));
}

/* Through a request, where the bytes can be a header's value. */
static void check_scrape(const char *accept)
{
	_cleanup_free_ char *request = xasprintf("GET /metrics HTTP/1.0\r\nAccept: %s\r\n\r\n", accept), *answer = NULL;
	struct serve_http_stats before, after;

	if (strpbrk(accept, "\r\n") || strlen(accept) > 1000)
		return;
	serve_http_get_stats(http, &before);
	answer = exchange(request, strlen(request));
	serve_http_get_stats(http, &after);
	check_answer(answer);
	if (str_starts(answer + 9, "200 ")) {
		bool open = str_ends(answer, "open 1\n# EOF\n");

		require(after.scrapes == before.scrapes + 1);
		require(open || str_ends(answer, "text 1\n"));
		require(!open == !strcasestr(answer, "Content-Type: application/openmetrics-text"));
	}
}

/* The first byte: whether an Accept header follows, or requests. */
void fuzz_http(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data + 1, size ? size - 1 : 0), *answer = NULL;

	if (!http)
		open_endpoint();
	if (size < 2 || size > 16384)
		return;
	if (data[0] == 'a') {
		check_negotiation(text);
		check_scrape(text);
		return;
	}
	answer = exchange((const char *)data + 1, size - 1);
	check_answer(answer);
	check_still_serves();
}

FUZZ_TARGET(fuzz_http)
