/* SPDX-License-Identifier: Apache-2.0 */
/* An engine is asked for a container whose files told no name, and for no other; whatever it answers does no harm. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "capture/names_read.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/proc_stat.h"
#include "util/strbuf.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
#define CONTAINER "{\"Id\": \"" ID "\", \"Name\": \"/web\", \"Config\": {\"Image\": \"nginx\", \"Labels\": {\"team\": \"a\"}}}"

static char directory[] = "/tmp/ctrace-test-engines-XXXXXX";
static int listener = -1, ending = -1;

/* The engine: one connection after the other; what it answers, and how often it was asked. */
static struct {
	pthread_t thread;
	pthread_mutex_t mutex;
	const char *parts[3]; /* sent one by one; NULL = no more */
	bool hangs;           /* the connection stays open */
	int asked;
	char question[256];
} engine = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void answer(int fd)
{
	ssize_t n = read(fd, engine.question, sizeof(engine.question) - 1);

	engine.question[n > 0 ? n : 0] = '\0';
	engine.asked++;
	for (size_t i = 0; i < ARRAY_SIZE(engine.parts) && engine.parts[i]; i++) {
		send(fd, engine.parts[i], strlen(engine.parts[i]), MSG_NOSIGNAL);
		usleep(20000);
	}
}

static void *serve(void *arg)
{
	struct pollfd fds[2] = { { .fd = listener, .events = POLLIN }, { .fd = ending, .events = POLLIN } };
	int held = -1;

	(void)arg;
	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		pthread_mutex_lock(&engine.mutex);
		answer(fd);
		if (held >= 0)
			close(held);
		held = engine.hangs ? fd : -1;
		if (held < 0)
			close(fd);
		pthread_mutex_unlock(&engine.mutex);
	}
	if (held >= 0)
		close(held);
	return NULL;
}

static void write_file(const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", directory, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void make_directory(const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", directory, name);

	assert_int_equal(mkdir(path, 0755), 0);
}

/* docker's bundle and data directory; its file of the container is to be written by the test. */
static void make_files(void)
{
	_cleanup_free_ char *config = xasprintf("{\"root\": {\"path\": \"%s/data/overlay2/x/merged\"}}", directory);

	make_directory("moby");
	make_directory("moby/" ID);
	make_directory("moby/short");
	make_directory("data");
	make_directory("data/containers");
	make_directory("data/containers/" ID);
	write_file("moby/" ID "/config.json", config);
	write_file("moby/short/config.json", config);
}

static int set_up(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_free_ char *host = NULL;

	(void)state;
	if (!mkdtemp(directory))
		return -1;
	make_files();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/docker.sock", directory);
	host = xasprintf("unix://%s", address.sun_path);
	setenv("DOCKER_HOST", host, 1);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ending = eventfd(0, EFD_CLOEXEC);
	if (ending < 0 || bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 8) < 0)
		return -1;
	return pthread_create(&engine.thread, NULL, serve, NULL);
}

static int tear_down(void **state)
{
	_cleanup_free_ char *command = xasprintf("rm -r %s", directory);

	(void)state;
	eventfd_write(ending, 1);
	pthread_join(engine.thread, NULL);
	close(listener);
	close(ending);
	return system(command);
}

struct told {
	char name[64], image[64], label[64], engine[64];
	int facts;
};

static void note(void *arg, const struct names_job *job, const char *key, const char *value)
{
	static const struct {
		const char *key;
		size_t at;
	} wanted[] = { { "name", offsetof(struct told, name) }, { "image", offsetof(struct told, image) },
		{ "label.team", offsetof(struct told, label) }, { "engine", offsetof(struct told, engine) } };

	(void)job;
	((struct told *)arg)->facts++;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!strcmp(key, wanted[i].key))
			snprintf((char *)arg + wanted[i].at, 64, "%s", value);
	}
}

static void note_file(void *arg, const struct names_job *job, enum names_source source, const char *path, const char *name)
{
	(void)job, (void)source, (void)path, (void)name;
	++*(int *)arg;
}

static void answers(const char *first, const char *second, const char *third, bool hangs)
{
	pthread_mutex_lock(&engine.mutex);
	engine.parts[0] = first;
	engine.parts[1] = second;
	engine.parts[2] = third;
	engine.hangs = hangs;
	engine.asked = 0;
	pthread_mutex_unlock(&engine.mutex);
}

static int asked(void)
{
	int n;

	pthread_mutex_lock(&engine.mutex);
	n = engine.asked;
	pthread_mutex_unlock(&engine.mutex);
	return n;
}

/* Returns how many files stay unread. */
static size_t look_up(const char *id, struct told *ret)
{
	_cleanup_free_ char *bundle = xasprintf("%s/moby/%s", directory, id);
	struct names_job job = { .id = (char *)id, .bundle = bundle, .host_root = "" };
	int files = 0;

	memset(ret, 0, sizeof(*ret));
	return names_read(&job, note, ret, note_file, &files);
}

static void assert_is_web(const struct told *told)
{
	assert_string_equal(told->name, "web");
	assert_string_equal(told->image, "nginx");
	assert_string_equal(told->label, "a");
	assert_string_equal(told->engine, "docker");
	assert_int_equal(told->facts, 4);
}

static void an_engine_tells_what_its_file_does_not(void **state)
{
	struct told told;

	(void)state;
	write_file("data/containers/" ID "/config.v2.json", "{\"Name\":");
	answers(HEAD "{\"Id\": \"" ID "\", \"Name\": \"/we", "b\", \"Config\": {\"Image\": \"nginx\",",
		" \"Labels\": {\"team\": \"a\"}}}", false);
	assert_int_equal(look_up(ID, &told), 0); /* nothing is missing */
	assert_is_web(&told);
	assert_int_equal(asked(), 1);
	assert_non_null(strstr(engine.question, "GET /containers/" ID "/json HTTP/1.0\r\n"));
}

/* The bundle of a shim that runs is its working directory. */
static void a_shim_is_in_its_bundle(void **state)
{
	_cleanup_free_ char *bundle = xasprintf("%s/moby/" ID, directory), *before = getcwd(NULL, 0);
	struct names_job job = { .id = (char *)ID, .bundle = (char *)"", .host_root = "", .pid = (uint32_t)getpid() };
	struct told told = { 0 };
	int files = 0;

	(void)state;
	job.start_ns = proc_start_ticks(getpid(), NULL) * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	write_file("data/containers/" ID "/config.v2.json", "{");
	answers(HEAD CONTAINER, NULL, NULL, false);
	assert_int_equal(chdir(bundle), 0);
	assert_int_equal(names_read(&job, note, &told, note_file, &files), 0);
	assert_int_equal(chdir(before), 0);
	assert_is_web(&told);
	assert_int_equal(files, 0); /* there is no file to watch for another name */
}

static void who_was_told_by_a_file_is_not_asked_for(void **state)
{
	struct told told;

	(void)state;
	write_file("data/containers/" ID "/config.v2.json", CONTAINER);
	answers(HEAD CONTAINER, NULL, NULL, false);
	assert_int_equal(look_up(ID, &told), 0);
	assert_is_web(&told);
	assert_int_equal(asked(), 0);
}

/* Neither is a container of another engine, whose id has another form. */
static void what_is_not_the_engines_is_not_asked_for(void **state)
{
	struct told told;

	(void)state;
	answers(HEAD CONTAINER, NULL, NULL, false);
	assert_int_equal(look_up("short", &told), 0);
	assert_int_equal(told.facts, 0);
	assert_int_equal(asked(), 0);
}

static void what_an_engine_should_not_say_tells_nothing(void **state)
{
	static const char *const texts[] = { "", "HTTP/1.0", "HTTP/1.0 404 Not Found\r\n\r\n" CONTAINER, CONTAINER,
		"HTTP/1.0 200 OK\r\n" CONTAINER, HEAD, HEAD "{\"Name\": \"/web\"", HEAD "[]", HEAD "{\"Name\": 5}",
		"SSH-2.0-OpenSSH\r\n 200 \r\n\r\n" CONTAINER };

	(void)state;
	write_file("data/containers/" ID "/config.v2.json", "{");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct told told;

		answers(texts[i], NULL, NULL, false);
		assert_int_equal(look_up(ID, &told), 1);
		assert_int_equal(told.facts, 0);
		assert_int_equal(asked(), 1);
	}
}

static void an_engine_that_hangs_is_not_waited_for(void **state)
{
	int64_t begin = clock_ms(CLOCK_MONOTONIC), waited;
	struct told told;

	(void)state;
	write_file("data/containers/" ID "/config.v2.json", "{");
	answers(HEAD CONTAINER, NULL, NULL, true);
	assert_int_equal(look_up(ID, &told), 1);
	waited = clock_ms(CLOCK_MONOTONIC) - begin;
	assert_int_equal(told.facts, 0);
	assert_in_range(waited, 900, 20000);
	answers(HEAD CONTAINER, NULL, NULL, false); /* the next one is */
	assert_int_equal(look_up(ID, &told), 0);
	assert_is_web(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_engine_tells_what_its_file_does_not),
		cmocka_unit_test(a_shim_is_in_its_bundle),
		cmocka_unit_test(who_was_told_by_a_file_is_not_asked_for),
		cmocka_unit_test(what_is_not_the_engines_is_not_asked_for),
		cmocka_unit_test(what_an_engine_should_not_say_tells_nothing),
		cmocka_unit_test(an_engine_that_hangs_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
