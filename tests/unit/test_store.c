/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/image/document.h"
#include "engine/image/record.h"
#include "engine/image/references.h"
#include "engine/image/tree.h"
#include "engine/store.h"
#include "util/array.h"

#define ID(c) "sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c

static char root[] = "/tmp/ctrace-test-store.XXXXXX";
static struct store *store;

static void add_image(const char *id, const char *platform, const char *config, char *layer)
{
	struct json_object *object = NULL, *record;
	char *path = record_path(id), *dir = xasprintf("layers/%s", layer);

	assert_int_equal(document_parse(config, strlen(config), "it", &object, NULL), 0);
	record = record_new(id, platform, 1000, 5, &layer, 1, object);
	assert_int_equal(document_write(store_root_fd(store), path, record, NULL), 0);
	mkdirat(store_root_fd(store), dir, 0700);
	json_object_put(record);
	free(path);
	free(dir);
}

static void tag(const char *reference, const char *platform, const char *id)
{
	struct reference_entry e = { reference, platform, id, ID("dd"), "" };

	assert_int_equal(references_set(store, &e, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(store_open(root, &store, NULL), 0);
	add_image(ID("ab"), "linux/amd64",
		"{\"Entrypoint\":[\"/e\",\"x\"],\"Cmd\":null,\"Env\":[\"A=b\"],\"User\":\"7:8\","
		"\"ExposedPorts\":{\"80\":{},\"53/udp\":{}},\"Labels\":{\"k\":\"v\"},"
		"\"Volumes\":{\"/v\":{}},\"StopSignal\":\"SIGINT\"}", (char *)&ID("11")[7]);
	tag("docker.io/library/one:latest", "linux/amd64", ID("ab"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	return tree_remove(AT_FDCWD, root);
}

static void test_find(void **state)
{
	static const char *const keys[] = { "one", "one:latest", "docker.io/library/one", ID("ab"),
		"abab", "sha256:abab", "one@" ID("dd") };
	struct store_image image;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (store_find(store, keys[i], NULL, &image, NULL) < 0)
			fail_msg("%s was not found", keys[i]);
		assert_string_equal(image.id, ID("ab"));
		store_image_free(&image);
	}
	assert_int_equal(store_find(store, "two", NULL, &image, NULL), -ENOENT);
	assert_int_equal(store_find(store, "one:2", NULL, &image, NULL), -ENOENT);
	assert_int_equal(store_find(store, "two@" ID("dd"), NULL, &image, NULL), -ENOENT);
	assert_int_equal(store_find(store, "One", NULL, &image, NULL), -EINVAL);
	assert_int_equal(store_find(store, "ab", NULL, &image, NULL), -ENOENT); /* too short */
}

static void test_config(void **state)
{
	struct store_image i;
	char *layer;

	(void)state;
	assert_int_equal(store_find(store, "one", NULL, &i, NULL), 0);
	assert_string_equal(i.reference, "docker.io/library/one:latest");
	assert_string_equal(i.config.entrypoint[1], "x");
	assert_null(i.config.entrypoint[2]);
	assert_null(i.config.cmd[0]);
	assert_string_equal(i.config.env[0], "A=b");
	assert_string_equal(i.config.user, "7:8");
	assert_string_equal(i.config.working_dir, "");
	assert_string_equal(i.config.stop_signal, "SIGINT");
	assert_string_equal(i.config.exposed_ports[0], "80/tcp");
	assert_string_equal(i.config.exposed_ports[1], "53/udp");
	assert_string_equal(i.config.volumes[0], "/v");
	assert_int_equal(i.config.label_count, 1);
	assert_string_equal(i.config.labels[0].value, "v");
	assert_int_equal(i.size, 5);
	layer = xasprintf("%s/layers/%s/diff", store_root(store), &ID("11")[7]);
	assert_string_equal(i.layers[0], layer);
	assert_null(i.layers[1]);
	free(layer);
	store_image_free(&i);
}

static void test_platforms(void **state)
{
	struct store_image i;

	(void)state;
	assert_int_equal(store_find(store, "one", "linux/s390x", &i, NULL), -ENOENT);
	add_image(ID("cd"), "linux/s390x", "{}", (char *)&ID("22")[7]);
	tag("docker.io/library/one:latest", "linux/s390x", ID("cd"));
	tag("docker.io/library/alien:latest", "linux/s390x", ID("cd"));
	assert_int_equal(store_find(store, "one", "linux/s390x", &i, NULL), 0);
	assert_string_equal(i.id, ID("cd"));
	store_image_free(&i);
	assert_int_equal(store_find(store, "one", "linux/amd64", &i, NULL), 0);
	assert_string_equal(i.id, ID("ab"));
	store_image_free(&i);
	/* Nobody asked for a platform: what there is serves. */
	assert_int_equal(store_find(store, "alien", NULL, &i, NULL), 0);
	store_image_free(&i);
}

static void test_ambiguous(void **state)
{
	struct error err = { 0 };
	struct store_image i;
	char other[] = ID("ab");

	(void)state;
	other[70] = '0';
	add_image(other, "linux/amd64", "{}", (char *)&ID("22")[7]);
	assert_int_equal(store_find(store, "abab", NULL, &i, &err), -EINVAL);
	assert_non_null(strstr(err.text, "ambiguous"));
}

static void ignore(void *arg, const char *action, const char *what)
{
	(void)action, (void)what;
	++*(int *)arg;
}

static bool has_layer(const char *digits)
{
	char *path = xasprintf("%s/layers/%s", root, digits);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

static void test_holds(void **state)
{
	struct error err = { 0 };
	char **names;
	int told = 0;

	(void)state;
	assert_int_equal(store_hold(store, ID("ab"), "web", NULL), 0);
	assert_int_equal(store_hold(store, ID("ab"), "web", NULL), 0);
	assert_int_equal(store_hold(store, ID("ee"), "web", NULL), -ENOENT);
	assert_int_equal(store_hold(store, ID("ab"), "../x", NULL), -EINVAL);
	assert_int_equal(store_hold(store, ID("ab"), "..", NULL), -EINVAL);
	assert_int_equal(store_hold(store, "../..", "x", NULL), -EINVAL);
	assert_int_equal(store_holders(store, ID("ab"), &names, NULL), 0);
	assert_string_equal(names[0], "web");
	assert_null(names[1]);
	store_strings_free(names);
	assert_int_equal(references_remove(store, "one", true, ignore, &told, &err), -EBUSY);
	assert_non_null(strstr(err.text, "container web"));
	assert_int_equal(told, 0);
	assert_true(has_layer(&ID("11")[7]));
	assert_int_equal(store_release(store, ID("ab"), "web", NULL), 0);
	assert_int_equal(store_release(store, ID("ab"), "web", NULL), 0);
	assert_int_equal(references_remove(store, "one", false, ignore, &told, NULL), 0);
	assert_int_equal(told, 3);
	assert_false(has_layer(&ID("11")[7]));
}

static void test_remove_keeps_shared(void **state)
{
	struct store_image i;
	int told = 0;

	(void)state;
	tag("docker.io/library/two:latest", "linux/amd64", ID("ab"));
	assert_int_equal(references_remove(store, "abab", false, ignore, &told, NULL), -EBUSY);
	assert_int_equal(references_remove(store, "one", false, ignore, &told, NULL), 0);
	assert_int_equal(told, 1);
	assert_int_equal(store_find(store, "two", NULL, &i, NULL), 0);
	store_image_free(&i);
	add_image(ID("cd"), "linux/amd64", "{}", (char *)&ID("11")[7]);
	assert_int_equal(references_remove(store, "two", false, ignore, &told, NULL), 0);
	assert_true(has_layer(&ID("11")[7]));
	assert_int_equal(references_remove(store, "cdcd", false, ignore, &told, NULL), 0);
	assert_false(has_layer(&ID("11")[7]));
}

static void test_list_and_collect(void **state)
{
	struct store_image *images;
	size_t count;

	(void)state;
	add_image(ID("cd"), "linux/amd64", "{}", (char *)&ID("22")[7]);
	assert_int_equal(store_list(store, &images, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(images[0].reference, ""); /* equal ages: by name */
	store_images_free(images, count);
	mkdirat(store_root_fd(store), "layers/orphan", 0700);
	mkdirat(store_root_fd(store), "tmp/leftover", 0700);
	mkdirat(store_root_fd(store), "tmp/leftover/below", 0700);
	assert_int_equal(store_collect(store, NULL), 0);
	assert_false(has_layer("orphan"));
	assert_true(has_layer(&ID("11")[7]) && has_layer(&ID("22")[7]));
	assert_int_equal(faccessat(store_root_fd(store), "tmp/leftover", F_OK, 0), -1);
}

static void test_damaged(void **state)
{
	struct store_image i;
	int fd = openat(store_root_fd(store), "references.json", O_WRONLY | O_TRUNC);

	(void)state;
	assert_int_equal(write(fd, "{", 1), 1);
	close(fd);
	assert_int_equal(store_find(store, "one", NULL, &i, NULL), -EBADMSG);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_find), TEST(test_config), TEST(test_platforms), TEST(test_ambiguous),
		TEST(test_holds), TEST(test_remove_keeps_shared), TEST(test_list_and_collect),
		TEST(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
