/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image/platform.h"
#include "engine/image/reference.h"
#include "engine/image/source.h"
#include "util/array.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void expect(const char *text, const char *canonical, const char *familiar)
{
	struct reference ref;
	struct error err = { 0 };
	char *c, *f;

	if (reference_parse(text, &ref, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	c = reference_canonical(&ref);
	f = reference_familiar(&ref);
	assert_string_equal(c, canonical);
	assert_string_equal(f, familiar);
	free(c);
	free(f);
	reference_free(&ref);
}

static void test_defaults(void **state)
{
	(void)state;
	expect("ubuntu", "docker.io/library/ubuntu:latest", "ubuntu:latest");
	expect("ubuntu:24.04", "docker.io/library/ubuntu:24.04", "ubuntu:24.04");
	expect("docker.io/ubuntu", "docker.io/library/ubuntu:latest", "ubuntu:latest");
	expect("index.docker.io/library/ubuntu", "docker.io/library/ubuntu:latest", "ubuntu:latest");
	expect("me/app:v1", "docker.io/me/app:v1", "me/app:v1");
	expect("a/b/c", "docker.io/a/b/c:latest", "a/b/c:latest");
	expect("host/app", "docker.io/host/app:latest", "host/app:latest");
}

static void test_hosts(void **state)
{
	(void)state;
	expect("localhost/app", "localhost/app:latest", "localhost/app:latest");
	expect("127.0.0.1:5000/library/ubuntu:1", "127.0.0.1:5000/library/ubuntu:1",
		"127.0.0.1:5000/library/ubuntu:1");
	expect("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest");
	expect("quay.io/a/b", "quay.io/a/b:latest", "quay.io/a/b:latest");
	expect("Host/app", "Host/app:latest", "Host/app:latest");
	expect("localhost:5000/a:5000", "localhost:5000/a:5000", "localhost:5000/a:5000");
	/* Without a slash it is a name and a tag. */
	expect("localhost:5000", "docker.io/library/localhost:5000", "localhost:5000");
}

static void test_digest_wins(void **state)
{
	(void)state;
	expect("ubuntu@sha256:" HEX64, "docker.io/library/ubuntu@sha256:" HEX64,
		"ubuntu@sha256:" HEX64);
	expect("ubuntu:24.04@sha256:" HEX64, "docker.io/library/ubuntu@sha256:" HEX64,
		"ubuntu@sha256:" HEX64);
	expect("h:1/a@sha512:" HEX64 HEX64, "h:1/a@sha512:" HEX64 HEX64, "h:1/a@sha512:" HEX64 HEX64);
}

static void test_separators(void **state)
{
	(void)state;
	expect("a.b", "docker.io/library/a.b:latest", "a.b:latest");
	expect("a_b__c-d---e", "docker.io/library/a_b__c-d---e:latest", "a_b__c-d---e:latest");
	expect("a:_.-Z", "docker.io/library/a:_.-Z", "a:_.-Z");
}

/* Each with a word that the message must have: what is wrong, not only that something is. */
static void test_malformed(void **state)
{
	static const char *const cases[][2] = {
		{ "", "empty" },	       { "Ubuntu", "lowercase" },
		{ "a//b", "empty path" },      { "a/", "empty path" },
		{ "-a", "path component" },    { "a-", "path component" },
		{ "a..b", "path component" },  { "a___b", "path component" },
		{ "a b", "path component" },   { "a:", "tag after ':' is empty" },
		{ "a:.x", "tag" },	       { "a:b:c", "tag" },
		{ ":x", "no name" },	       { "a@sha256:12", "64 hex" },
		{ "a@sha256:" HEX64 "0", "64 hex" }, { "a@md5:" HEX64, "neither" },
		{ "a@", "neither" },	       { "host.x:99999/a", "port" },
		{ "host.x:/a", "port" },       { "-h.x/a", "host name" },
		{ "h..x/a", "host name" },     { "https://x/a", "scheme" },
		{ HEX64, "image id" },	       { "host.x/", "empty path" },
		{ "a\x01", "path component" }, { "a/../b", "path component" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = { 0 };
		struct reference ref;

		if (reference_parse(cases[i][0], &ref, &err) != -EINVAL)
			fail_msg("\"%s\" was accepted", cases[i][0]);
		if (!strstr(err.text, cases[i][1]))
			fail_msg("\"%s\": \"%s\" does not say \"%s\"", cases[i][0], err.text,
				cases[i][1]);
	}
}

static void test_lengths(void **state)
{
	struct reference ref;
	char *name = xmalloc(400), *tag = xmalloc(200);

	(void)state;
	memset(name, 'a', 400);
	name[300] = '\0';
	assert_int_equal(reference_parse(name, &ref, NULL), -EINVAL);
	memset(tag, 't', 200);
	tag[0] = 'a';
	tag[1] = ':';
	tag[2 + 128] = '\0';
	assert_int_equal(reference_parse(tag, &ref, NULL), 0);
	reference_free(&ref);
	tag[2 + 128] = 't';
	tag[2 + 129] = '\0';
	assert_int_equal(reference_parse(tag, &ref, NULL), -EINVAL);
	free(name);
	free(tag);
}

static int platform_score(const char *wish, const char *offer)
{
	struct platform w, o;

	assert_int_equal(platform_parse(wish, &w, NULL), 0);
	assert_int_equal(platform_parse(offer, &o, NULL), 0);
	return platform_match(&w, &o);
}

static void test_platforms(void **state)
{
	struct platform p;
	char text[100];

	(void)state;
	assert_int_equal(platform_parse("x86_64", &p, NULL), 0);
	assert_string_equal(platform_format(&p, text), "linux/amd64");
	assert_int_equal(platform_parse("linux/aarch64/v8", &p, NULL), 0);
	assert_string_equal(platform_format(&p, text), "linux/arm64");
	assert_int_equal(platform_parse("linux/arm", &p, NULL), 0);
	assert_string_equal(platform_format(&p, text), "linux/arm/v7");
	assert_int_equal(platform_parse("a/b/c/d", &p, NULL), -EINVAL);
	assert_int_equal(platform_parse("linux/", &p, NULL), -EINVAL);
	assert_int_equal(platform_parse("", &p, NULL), -EINVAL);
	assert_true(platform_score("linux/amd64", "linux/amd64") > 0);
	assert_int_equal(platform_score("linux/amd64", "linux/arm64"), 0);
	assert_int_equal(platform_score("linux/amd64", "windows/amd64"), 0);
	/* An older core's image runs on a newer core, not the other way round. */
	assert_true(platform_score("linux/arm/v7", "linux/arm/v7") >
		    platform_score("linux/arm/v7", "linux/arm/v6"));
	assert_true(platform_score("linux/arm/v7", "linux/arm/v6") > 0);
	assert_int_equal(platform_score("linux/arm/v6", "linux/arm/v7"), 0);
}

static void test_sources(void **state)
{
	struct source s;

	(void)state;
	assert_int_equal(source_parse("oci:/tmp:v1", &s, NULL), 0);
	assert_int_equal(s.kind, SOURCE_OCI);
	assert_string_equal(s.path, "/tmp");
	assert_string_equal(s.tag, "v1");
	assert_string_equal(s.key, "oci:/tmp:v1");
	source_free(&s);
	assert_int_equal(source_parse("docker-archive:/proc/self/../version:a:b", &s, NULL), 0);
	assert_string_equal(s.key, "docker-archive:/proc/version:a:b");
	source_free(&s);
	assert_int_equal(source_parse("oci:/no/such/directory", &s, NULL), -ENOENT);
	assert_int_equal(source_parse("oci:", &s, NULL), -ENOENT);
	assert_int_equal(source_parse("A/b", &s, NULL), 0);
	source_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),   cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_digest_wins), cmocka_unit_test(test_separators),
		cmocka_unit_test(test_malformed),  cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_platforms),  cmocka_unit_test(test_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
