/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image/digest.h"
#include "engine/image/document.h"
#include "engine/image/manifest.h"
#include "util/array.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OCI "application/vnd.oci.image."
#define CONFIG "\"config\":{\"mediaType\":\"" OCI "config.v1+json\",\"digest\":\"sha256:" A64 "\",\"size\":2}"
#define LAYER "{\"mediaType\":\"" OCI "layer.v1.tar+gzip\",\"digest\":\"sha256:" B64 "\",\"size\":5}"
#define MANIFEST "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER "]}"

static int parse(const char *text, const char *type, const char *platform, struct manifest *m,
	struct error *err)
{
	struct platform wish;

	assert_int_equal(platform_parse(platform, &wish, NULL), 0);
	return manifest_parse(text, strlen(text), type, "it", &wish, m, err);
}

static void refuse(const char *text, const char *type, int code, const char *word)
{
	struct error err = { 0 };
	struct manifest m;

	if (parse(text, type, "linux/amd64", &m, &err) != code)
		fail_msg("%.200s: not refused with %d (%s)", text, code, err.text);
	if (!strstr(err.text, word))
		fail_msg("\"%s\" does not say \"%s\"", err.text, word);
}

static void test_manifest(void **state)
{
	struct manifest m;

	(void)state;
	assert_int_equal(parse(MANIFEST, OCI "manifest.v1+json; charset=utf-8", NULL, &m, NULL), 0);
	assert_false(m.is_index);
	assert_int_equal(m.layer_count, 1);
	assert_string_equal(m.config.digest, "sha256:" A64);
	assert_int_equal(m.layers[0].size, 5);
	manifest_free(&m);
}

static void test_index(void **state)
{
	static const char index[] = "{\"schemaVersion\":2,\"manifests\":["
		"{\"digest\":\"sha256:" A64 "\",\"size\":7,\"platform\":{\"os\":\"linux\","
		"\"architecture\":\"arm\",\"variant\":\"v6\"}},"
		"{\"digest\":\"sha256:" B64 "\",\"size\":8,\"platform\":{\"os\":\"linux\","
		"\"architecture\":\"arm\",\"variant\":\"v7\"}},"
		"{\"digest\":\"sha256:" B64 "\",\"size\":9,\"platform\":{\"os\":\"unknown\","
		"\"architecture\":\"unknown\"}}]}";
	struct error err = { 0 };
	struct manifest m;

	(void)state;
	assert_int_equal(parse(index, OCI "index.v1+json", "linux/arm/v7", &m, NULL), 0);
	assert_true(m.is_index);
	assert_int_equal(m.chosen.size, 8);
	manifest_free(&m);
	assert_int_equal(parse(index, NULL, "linux/arm/v6", &m, NULL), 0);
	assert_int_equal(m.chosen.size, 7);
	manifest_free(&m);
	assert_int_equal(parse(index, NULL, "linux/amd64", &m, &err), -ENOENT);
	assert_non_null(strstr(err.text, "it has: linux/arm/v6, linux/arm/v7"));
	assert_null(strstr(err.text, "unknown"));
}

static void test_index_without_platform(void **state)
{
#define ENTRY(hex, size, more) "{\"digest\":\"sha256:" hex "\",\"size\":" #size more "}"
#define ON(system, machine) ",\"platform\":{\"os\":\"" system "\",\"architecture\":\"" machine "\"}"
	static const struct {
		const char *entries;
		int chosen; /* its size; 0 = none */
	} rows[] = {
		{ ENTRY(A64, 7, ""), 7 },
		{ ENTRY(B64, 6, ON("unknown", "unknown")) "," ENTRY(A64, 7, ""), 7 },
		{ ENTRY(A64, 7, "") "," ENTRY(B64, 8, ON("linux", "amd64")), 8 },
		{ ENTRY(A64, 7, "") "," ENTRY(B64, 8, ""), 0 }, /* which? */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[1000];
		struct manifest m;
		int r;

		snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"manifests\":[%s]}", rows[i].entries);
		r = parse(text, NULL, "linux/amd64", &m, NULL);
		assert_int_equal(r, rows[i].chosen ? 0 : -ENOENT);
		if (r < 0)
			continue;
		assert_int_equal(m.chosen.size, rows[i].chosen);
		manifest_free(&m);
	}
}

static void test_refused(void **state)
{
	(void)state;
	refuse("{\"schemaVersion\":2,\"manifests\":[]," CONFIG ",\"layers\":[]}", NULL, -EBADMSG, "both");
	refuse("{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", NULL, -EBADMSG, "both");
	refuse("{\"schemaVersion\":2,\"mediaType\":\"" OCI "index.v1+json\"," CONFIG
	       ",\"layers\":[]}", NULL, -EBADMSG, "is a manifest");
	refuse("{\"schemaVersion\":2,\"mediaType\":\"" OCI "manifest.v1+json\"," CONFIG
	       ",\"layers\":[]}", OCI "index.v1+json", -EBADMSG, "served as");
	refuse("{\"schemaVersion\":1,\"fsLayers\":[]}", NULL, -ENOTSUP, "schema 1");
	refuse("{\"layers\":[]}", NULL, -EBADMSG, "schemaVersion");
	refuse("{\"schemaVersion\":2}", NULL, -EBADMSG, "neither");
	refuse("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config\","
	       "\"digest\":\"sha256:" A64 "\",\"size\":2},\"layers\":[]}", NULL, -ENOTSUP,
		"no container image");
	refuse("{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"digest\":\"sha256:../../x\",\"size\":1}]}",
		NULL, -EBADMSG, "valid digest");
	refuse("{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"digest\":\"sha256:" B64
	       "\",\"size\":-1}]}", NULL, -EBADMSG, "size");
	refuse("{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"application/x-thing\","
	       "\"digest\":\"sha256:" B64 "\",\"size\":1}]}", NULL, -ENOTSUP, "unsupported type");
	refuse("[]", NULL, -EBADMSG, "one JSON object");
	refuse(MANIFEST "x", NULL, -EBADMSG, "JSON");
	refuse("{\"schemaVersion\":2", NULL, -EBADMSG, "too early");
}

static void test_config(void **state)
{
	static const char text[] = "{\"os\":\"linux\",\"architecture\":\"amd64\","
		"\"created\":\"1970-01-01T01:00:10.5+01:00\",\"config\":{\"Cmd\":[\"sh\"]},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" A64 "\"]}}";
	struct image_config c;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(image_config_parse(text, strlen(text), "it", 1, &c, NULL), 0);
	assert_int_equal(c.created_s, 10);
	assert_string_equal(c.diff_ids[0], "sha256:" A64);
	assert_non_null(c.config);
	image_config_free(&c);
	assert_int_equal(image_config_parse(text, strlen(text), "it", 2, &c, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "names 1 layers, the manifest 2"));
}

/* The example of image-spec's text: ChainID(A, B) = sha256(ChainID(A) + " " + DiffID(B)). */
static void test_chain(void **state)
{
	char chain[DIGEST_SIZE], wanted[DIGEST_SIZE];
	static const char pair[] = "sha256:" A64 " sha256:" B64;

	(void)state;
	digest_chain(NULL, "sha256:" A64, chain);
	assert_string_equal(chain, "sha256:" A64);
	digest_chain("sha256:" A64, "sha256:" B64, chain);
	digest_bytes(NULL, pair, strlen(pair), wanted);
	assert_string_equal(chain, wanted);
	digest_bytes(NULL, "abc", 3, wanted); /* FIPS 180-2, B.1 */
	assert_string_equal(wanted,
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_documents(void **state)
{
	static const char odd[] = "{\"s\":\"a\\u0000b\",\"n\":1.5,\"i\":-3}";
	struct json_object *object;
	char *deep = xmalloc(201);

	(void)state;
	assert_int_equal(document_parse(odd, strlen(odd), "it", &object, NULL), 0);
	/* A string with a NUL inside is no string for us, nor is a fraction or a negative a size. */
	assert_null(document_string(object, "s", NULL));
	assert_int_equal(document_size(object, "n"), -1);
	assert_int_equal(document_size(object, "i"), -1);
	json_object_put(object);
	memset(deep, '[', 200);
	memcpy(deep, "{\"a\":", 5);
	deep[200] = '\0';
	assert_int_equal(document_parse(deep, 200, "it", &object, NULL), -EBADMSG);
	free(deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest), cmocka_unit_test(test_index), cmocka_unit_test(test_index_without_platform),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_config),
		cmocka_unit_test(test_chain),	 cmocka_unit_test(test_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
