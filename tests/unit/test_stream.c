/* SPDX-License-Identifier: Apache-2.0 */
/* A serving tracer and its clients, with events that are made here: the server runs in a thread, as slow
 * or gone as a test wants it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "capture/source.h"
#include "capture/stream.h"
#include "capture/stream_server.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { QUEUE_BYTES = 1 << 20 };

struct fixture {
	char directory[64], path[80];
	struct facts facts;
	struct stream_server *server;
	struct timeline *tl;
	pthread_mutex_t lock;
	pthread_t thread;
	bool stop;
	int armed;
	uint32_t number; /* of the next event */
};

static void *serve(void *arg)
{
	struct fixture *f = arg;
	bool stop = false;

	while (!stop) {
		pthread_mutex_lock(&f->lock);
		if (f->server)
			stream_server_work(f->server);
		stop = f->stop;
		pthread_mutex_unlock(&f->lock);
		poll(NULL, 0, 1);
	}
	return NULL;
}

static int arm(void *arg, struct error *err)
{
	struct fixture *f = arg;

	(void)err;
	f->armed++;
	return 0;
}

static int open_server(struct fixture *f, struct error *err)
{
	struct stream_server_options options = { .path = f->path, .facts = &f->facts, .queue_bytes = QUEUE_BYTES,
		.max_clients = 4, .arm = arm, .arg = f };

	return stream_server_open(&options, &f->server, err);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->directory, sizeof(f->directory), "/tmp/test_stream.%d", getpid());
	snprintf(f->path, sizeof(f->path), "%s/trace.sock", f->directory);
	strcpy(f->facts.hostname, "host");
	f->facts.start_ns = 1;
	f->tl = timeline_new(&f->facts.timeline);
	pthread_mutex_init(&f->lock, NULL);
	assert_int_equal(open_server(f, NULL), 0);
	pthread_create(&f->thread, NULL, serve, f);
	*state = f;
	return 0;
}

static void close_server(struct fixture *f)
{
	pthread_mutex_lock(&f->lock);
	stream_server_close(steal_ptr(f->server));
	pthread_mutex_unlock(&f->lock);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char lock[96];

	close_server(f);
	f->stop = true;
	pthread_join(f->thread, NULL);
	timeline_free(f->tl);
	snprintf(lock, sizeof(lock), "%s.lock", f->path);
	unlink(lock);
	assert_int_equal(rmdir(f->directory), 0); /* the socket has gone */
	free(f);
	return 0;
}

/* Events that know their number; sizes that are no multiples of 8. */
static void publish(struct fixture *f, uint32_t count)
{
	struct event_exec e;

	pthread_mutex_lock(&f->lock);
	for (uint32_t i = 0; i < count; i++) {
		event_prepare(&e.h, EVENT_EXEC, sizeof(e), boottime_ns());
		e.h.tgid = ++f->number;
		e.h.size = offsetof(struct event_exec, argv) + f->number % 501;
		stream_server_add(f->server, &e.h);
	}
	stream_server_publish(f->server, f->tl, boottime_ns());
	pthread_mutex_unlock(&f->lock);
}

struct reader {
	uint32_t first, last, events;
	uint64_t lost;
};

static int take(void *arg, const struct event *event)
{
	struct reader *r = arg;

	if (event->kind == EVENT_SNAPSHOT_END)
		return 0;
	if (event->kind == EVENT_LOST) {
		const struct event_lost *e = (const struct event_lost *)event;

		assert_int_equal(e->reason, LOSS_STREAM);
		assert_true(e->count > r->lost);
		r->lost = e->count;
		return 0;
	}
	assert_int_equal(event->size, offsetof(struct event_exec, argv) + event->tgid % 501);
	assert_true(event->tgid > r->last);
	if (!r->events++)
		r->first = event->tgid;
	r->last = event->tgid;
	return 0;
}

static void read_to(struct event_source *source, struct reader *r, uint32_t last)
{
	struct pollfd fd = { .fd = source_fd(source), .events = POLLIN };
	struct error err = { 0 };

	for (int i = 0; i < 1000 && r->last < last; i++) {
		poll(&fd, 1, 10);
		assert_int_equal(source_read(source, take, r, &err), 0);
	}
	assert_int_equal(r->last, last);
}

static struct event_source *join(struct fixture *f, uint64_t since_ns)
{
	struct stream_options options = { .path = f->path, .since_ns = since_ns };
	struct event_source *source = NULL;
	struct error err = { 0 };

	if (source_open_socket(&options, &source, &err) < 0)
		fail_msg("%s", err.text);
	return source;
}

static void two_clients_get_the_past_and_what_happens(void **state)
{
	struct fixture *f = *state;
	struct reader early = { 0 }, late = { 0 };
	struct event_source *a, *b;

	a = join(f, STREAM_EVERYTHING);
	assert_string_equal(source_facts(a)->hostname, "host");
	assert_true(source_is_live(a));
	assert_int_equal(source_catch_up(a, take, &early, NULL), 0);
	assert_true(source_is_current(a));
	assert_int_equal(early.events, 0);
	publish(f, 1000); /* more than a frame of them */
	publish(f, 7);
	b = join(f, STREAM_EVERYTHING);
	assert_false(source_is_current(b));
	publish(f, 5);
	assert_int_equal(source_catch_up(b, take, &late, NULL), 0);
	assert_true(late.events >= 1007);
	read_to(a, &early, 1012);
	read_to(b, &late, 1012);
	assert_int_equal(early.events, 1012);
	assert_int_equal(late.events, 1012);
	assert_int_equal(early.lost + late.lost, 0);
	source_close(a);
	source_close(b);
}

static void the_past_is_given_as_far_as_asked_for(void **state)
{
	struct fixture *f = *state;
	struct stream_options options = { .path = f->path, .arm = true };
	struct reader none = { 0 }, some = { 0 };
	struct event_source *source;
	struct stream *stream;
	uint64_t then;

	publish(f, 5000);
	then = boottime_ns();
	publish(f, 10);
	source = join(f, STREAM_NOTHING);
	assert_int_equal(source_catch_up(source, take, &none, NULL), 0);
	assert_int_equal(none.events, 0);
	publish(f, 1);
	read_to(source, &none, 5011);
	assert_int_equal(none.events, 1);
	source_close(source);

	options.since_ns = then;
	assert_int_equal(f->armed, 0);
	assert_int_equal(stream_open(&options, &stream, NULL), 0);
	assert_int_equal(stream_catch_up(stream, take, &some, NULL), 0);
	assert_int_equal(f->armed, 1);
	assert_true(some.events >= 11 && some.first > 1 && some.first <= 5001);
	assert_int_equal(some.last, 5011);
	stream_close(stream);
}

/* It loses events, is told how many, and nobody else notices. */
static void a_slow_client_harms_only_itself(void **state)
{
	struct fixture *f = *state;
	struct reader slow = { 0 }, quick = { 0 };
	struct event_source *a = join(f, STREAM_EVERYTHING), *b = join(f, STREAM_EVERYTHING);
	struct stream_server_stats stats;

	assert_int_equal(source_catch_up(a, take, &slow, NULL), 0);
	assert_int_equal(source_catch_up(b, take, &quick, NULL), 0);
	for (uint32_t i = 1; i <= 60; i++) {
		publish(f, 200);
		read_to(b, &quick, i * 200);
	}
	assert_int_equal(quick.events, 12000);
	assert_int_equal(quick.lost, 0);
	stream_server_get_stats(f->server, &stats);
	assert_true(stats.lost > 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(source_read(a, take, &slow, NULL), 0);
		poll(NULL, 0, 2);
	}
	assert_true(slow.events > 0 && slow.events < 12000);
	publish(f, 1);
	read_to(a, &slow, 12001);
	assert_int_equal(slow.lost, stats.lost);
	assert_int_equal(slow.events + slow.lost, 12001);
	source_close(a);
	source_close(b);
}

static void what_has_happened_by_now_can_be_asked_for(void **state)
{
	struct fixture *f = *state;
	struct event_source *source = join(f, STREAM_NOTHING);
	struct reader r = { 0 };
	pid_t child;
	int status;

	assert_int_equal(source_catch_up(source, take, &r, NULL), 0);
	child = fork(); /* it waits for the answer, which is not given before the server is complete up to then */
	if (child == 0)
		_exit(source_drain(source, take, &r, NULL) < 0 ? 200 : (int)r.events);
	for (int i = 0; i < 50 && stream_server_timeout_ms(f->server) < 0; i++)
		poll(NULL, 0, 2);
	assert_true(stream_server_timeout_ms(f->server) > 0);
	pthread_mutex_lock(&f->lock);
	stream_server_publish(f->server, f->tl, 1); /* complete up to long ago */
	pthread_mutex_unlock(&f->lock);
	poll(NULL, 0, 20);
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	publish(f, 42);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 42);
	source_close(source);
}

static void a_server_that_goes_is_the_end(void **state)
{
	struct fixture *f = *state;
	struct event_source *source = join(f, STREAM_EVERYTHING);
	struct reader r = { 0 };
	struct error err = { 0 };
	int result = 0;

	assert_int_equal(source_catch_up(source, take, &r, NULL), 0);
	publish(f, 10);
	poll(NULL, 0, 20);
	close_server(f);
	for (int i = 0; i < 100 && result == 0; i++)
		result = source_read(source, take, &r, &err);
	assert_int_equal(result, 1);
	assert_int_equal(r.events, 10);
	assert_int_equal(source_drain(source, take, &r, &err), -ENOTCONN);
	source_close(source);
	assert_int_equal(source_open_socket(&(struct stream_options){ .path = f->path }, &source, &err), -ENOENT);
}

static void a_dead_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	struct fixture *f = *state;
	struct stream_server *second = NULL;
	struct stream_server_options options = { .path = f->path, .facts = &f->facts };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct event_source *source;
	struct error err = { 0 };
	struct stat st;
	int fd;

	assert_int_equal(stream_server_open(&options, &second, &err), -EADDRINUSE);
	source = join(f, STREAM_NOTHING); /* the first one goes on */
	source_close(source);
	close_server(f);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(address.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(source_open_socket(&(struct stream_options){ .path = f->path }, &source, &err), -ECONNREFUSED);
	assert_int_equal(open_server(f, &err), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	source_close(join(f, STREAM_NOTHING));
}

/* What a client that speaks nonsense, or may not be there, gets: the end. Returns bytes before it. */
static ssize_t talk(const char *path, const void *text, size_t length)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct pollfd fd = { .fd = socket(AF_UNIX, SOCK_STREAM, 0), .events = POLLIN };
	ssize_t n = -2;
	char byte;

	strcpy(address.sun_path, path);
	if (connect(fd.fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		(!length || send(fd.fd, text, length, MSG_NOSIGNAL) > 0))
		n = poll(&fd, 1, 1000) == 1 ? recv(fd.fd, &byte, 1, 0) : -3;
	close(fd.fd);
	return n < 0 && errno == ECONNRESET ? 0 : n;
}

static void nonsense_and_strangers_get_nothing(void **state)
{
	struct fixture *f = *state;
	struct stream_request sync = { .verb = STREAM_SYNC };
	struct stream_server_stats stats;
	int status;

	assert_int_equal(talk(f->path, "GET / HTTP/1.0\r\n\r\n", 18), 0);
	memcpy(sync.magic, stream_magic, sizeof(sync.magic));
	assert_int_equal(talk(f->path, &sync, sizeof(sync)), 0); /* before it has opened */
	chmod(f->path, 0666);
	chmod(f->directory, 0755);
	if (getuid() != 0)
		skip();
	if (fork() == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(99);
		_exit(talk(f->path, NULL, 0) == 0 ? 0 : 1);
	}
	wait(&status);
	assert_int_equal(WEXITSTATUS(status), 0);
	stream_server_get_stats(f->server, &stats);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(stats.clients, 0);
}

static void there_are_not_more_clients_than_the_bound(void **state)
{
	struct fixture *f = *state;
	struct event_source *sources[4], *fifth;

	for (int i = 0; i < 4; i++)
		sources[i] = join(f, STREAM_NOTHING);
	assert_true(source_open_socket(&(struct stream_options){ .path = f->path }, &fifth, NULL) < 0);
	source_close(sources[0]);
	poll(NULL, 0, 50);
	sources[0] = join(f, STREAM_NOTHING);
	for (int i = 0; i < 4; i++)
		source_close(sources[i]);
}

static void a_client_that_no_descriptor_is_left_for_is_turned_away(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct pollfd fd = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .events = POLLIN };
	struct stream_server_stats stats;
	struct rlimit old, none_left;
	struct event_source *source;
	int next = dup(fd.fd);
	char byte;

	close(next);
	strcpy(address.sun_path, f->path);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none_left = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none_left), 0);
	assert_int_equal(connect(fd.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(poll(&fd, 1, 5000), 1);
	assert_int_equal(recv(fd.fd, &byte, 1, 0), 0);
	setrlimit(RLIMIT_NOFILE, &old);
	close(fd.fd);
	stream_server_get_stats(f->server, &stats);
	assert_int_equal(stats.refused, 1);
	source = join(f, STREAM_NOTHING);
	source_close(source);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_server(two_clients_get_the_past_and_what_happens),
		with_server(the_past_is_given_as_far_as_asked_for),
		with_server(a_slow_client_harms_only_itself),
		with_server(what_has_happened_by_now_can_be_asked_for),
		with_server(a_server_that_goes_is_the_end),
		with_server(a_dead_socket_is_replaced_and_a_live_one_is_not),
		with_server(nonsense_and_strangers_get_nothing),
		with_server(there_are_not_more_clients_than_the_bound),
		with_server(a_client_that_no_descriptor_is_left_for_is_turned_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
