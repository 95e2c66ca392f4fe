/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics endpoint with more connections than it takes: those beyond wait, are counted, and are answered in the end. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "cmd/serve_http.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { TAKEN = 64, BEYOND = 5 };

static void write_metrics(void *arg, enum metrics_format format, struct strbuf *sb)
{
	(void)arg;
	(void)format;
	strbuf_puts(sb, "x 1\n");
}

/* A port that was free a moment ago. */
static struct sockaddr_in free_address(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	close(fd);
	return a;
}

static int connect_to(struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)a, sizeof(*a)), 0);
	return fd;
}

static uint64_t delayed_after(struct serve_http *http, int rounds)
{
	struct serve_http_stats stats;

	while (rounds--)
		serve_http_work(http);
	serve_http_get_stats(http, &stats);
	return stats.delayed;
}

/* Connects without waiting for an answer, and leaves the connections open. */
static uint64_t dropped_after(struct serve_http *http, struct sockaddr_in *a, int connections)
{
	struct serve_http_stats stats;

	for (int i = 0; i < connections; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		assert_true(connect(fd, (struct sockaddr *)a, sizeof(*a)) == 0 || errno == EINPROGRESS);
	}
	serve_http_get_stats(http, &stats);
	return stats.dropped;
}

static bool is_answered(struct serve_http *http, int fd)
{
	static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	struct timespec pause = { .tv_nsec = 5000000 };
	char answer[512];
	ssize_t n = -1;

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	for (int i = 0; i < 400 && n < 0; i++) {
		serve_http_work(http);
		n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
		nanosleep(&pause, NULL);
	}
	return n > 12 && !memcmp(answer, "HTTP/1.1 200", 12);
}

static void connections_beyond_are_counted(void **state)
{
	struct sockaddr_in a = free_address();
	struct serve_http *http = NULL;
	struct error err = { 0 };
	int fds[TAKEN + BEYOND];
	char address[32];

	(void)state;
	snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(a.sin_port));
	if (serve_http_open(address, write_metrics, NULL, &http, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < TAKEN; i++) {
		fds[i] = connect_to(&a);
		delayed_after(http, 3);
	}
	assert_int_equal(delayed_after(http, 10), 0); /* there is room for these */
	for (size_t i = TAKEN; i < ARRAY_SIZE(fds); i++)
		fds[i] = connect_to(&a);
	assert_int_equal(delayed_after(http, 10), BEYOND); /* each of them once */
	for (size_t i = 0; i < BEYOND; i++)
		close(fds[i]);
	for (size_t i = TAKEN; i < ARRAY_SIZE(fds); i++)
		assert_true(is_answered(http, fds[i]));
	close(fds[BEYOND]);
	delayed_after(http, 10);
	fds[0] = connect_to(&a); /* in the place of one that left */
	assert_true(is_answered(http, fds[0]));
	assert_int_equal(delayed_after(http, 10), BEYOND);
	fds[1] = connect_to(&a);
	assert_int_equal(delayed_after(http, 10), BEYOND + 1);
	assert_int_equal(dropped_after(http, &a, TAKEN - 1), 0); /* as many more may wait, and one that the kernel adds */
	assert_true(dropped_after(http, &a, 3) >= 2);
	serve_http_close(http);
	close(fds[0]);
	close(fds[1]);
	for (size_t i = BEYOND + 1; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(connections_beyond_are_counted) };

	return cmocka_run_group_tests_name("serve_http", tests, NULL, NULL);
}
