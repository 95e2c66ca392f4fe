/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/image/auth.h"
#include "engine/image/http.h"
#include "engine/image/image_settings.h"

static void expect_parameter(const char *challenge, const char *name, const char *wanted)
{
	char *value = auth_parameter(challenge, name);

	if (wanted)
		assert_string_equal(value, wanted);
	else
		assert_null(value);
	free(value);
}

static void test_challenge(void **state)
{
	static const char c[] = "Bearer realm=\"https://auth.x/token\",service=\"reg, \\\"x\\\"\", "
				"scope=\"repository:a/b:pull\"";

	(void)state;
	expect_parameter(c, "realm", "https://auth.x/token");
	expect_parameter(c, "service", "reg, \"x\"");
	expect_parameter(c, "SCOPE", "repository:a/b:pull");
	expect_parameter(c, "error", NULL);
	expect_parameter("Bearer", "realm", NULL);
	expect_parameter("Bearer realm=\"open", "realm", "open");
	expect_parameter("Bearer ,,,", "realm", NULL);
	expect_parameter("Bearer realm=bare,scope=x", "realm", "bare");
}

static void expect_origin(const char *url, const char *wanted)
{
	char *origin = http_origin(url);

	if (wanted)
		assert_string_equal(origin, wanted);
	else
		assert_null(origin);
	free(origin);
}

/* What is compared before a token is sent on. */
static void test_origin(void **state)
{
	(void)state;
	expect_origin("https://Host.X/a?b", "https://host.x:443");
	expect_origin("http://host.x", "http://host.x:80");
	expect_origin("http://host.x:5000/v2/", "http://host.x:5000");
	expect_origin("https://user:pw@host.x/", "https://host.x:443");
	expect_origin("file:///etc/passwd", NULL);
	expect_origin("nonsense", NULL);
}

static void load(struct image_settings *s, const char *config, const char *mirror, int result)
{
	char path[] = "/tmp/ctrace-test-settings.XXXXXX";
	int fd = mkstemp(path);

	assert_true(write(fd, config, strlen(config)) == (ssize_t)strlen(config));
	close(fd);
	setenv("CTRACE_CONFIG", path, 1);
	setenv("CTRACE_REGISTRY_MIRROR", mirror, 1);
	assert_int_equal(image_settings_load(s, NULL), result);
	unlink(path);
}

static void test_settings(void **state)
{
	struct image_settings s;

	(void)state;
	load(&s, "{\"registry_mirrors\":[\"http://127.0.0.1:1/\",\"https://m.x\"],"
		 "\"insecure_registries\":[\"in.secure:5000\"],\"no_fallback\":true}", "", 0);
	assert_int_equal(s.mirror_count, 2);
	assert_string_equal(s.mirrors[0], "http://127.0.0.1:1");
	assert_true(s.no_fallback);
	assert_int_equal(s.stall_s, 30);
	assert_true(image_settings_insecure(&s, "in.secure:5000"));
	assert_false(image_settings_insecure(&s, "in.secure"));
	assert_true(image_settings_insecure(&s, "127.9.9.9:80"));
	assert_true(image_settings_insecure(&s, "[::1]:5000"));
	assert_true(image_settings_insecure(&s, "localhost"));
	assert_false(image_settings_insecure(&s, "localhost.evil.x"));
	assert_false(image_settings_insecure(&s, "127.0.0.1.evil.x"));
	image_settings_free(&s);
	load(&s, "{}", "http://[::1]:5000", 0);
	assert_int_equal(s.mirror_count, 1);
	image_settings_free(&s);
	load(&s, "{}", "http://far.away", -EINVAL);
	load(&s, "{}", "ftp://127.0.0.1", -EINVAL);
	load(&s, "{}", "http://user@127.0.0.1", -EINVAL);
	load(&s, "{", "", -EBADMSG);
	setenv("CTRACE_STALL_SECONDS", "0", 1);
	load(&s, "{}", "", -EINVAL);
	unsetenv("CTRACE_STALL_SECONDS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
