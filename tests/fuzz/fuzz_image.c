/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry or a person may send of an image; the first byte says which: m manifest or index (its content type
 * up to a newline, then the document), c configuration (a digit: the manifest's layers), r reference, a challenge, t
 * token, p platform. What must hold: an error has a code and a text; digests and sizes that are taken are valid; a
 * name that is printed is understood as the same name; what goes into a header or a URL has no control bytes.
 */
#include "fuzz/fuzz.h"

#include <errno.h>

#include "engine/image/auth.h"
#include "engine/image/manifest.h"
#include "engine/image/platform.h"
#include "engine/image/reference.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}
	return true;
}

static void check_error(int r, const struct error *err)
{
	require(r < 0 && err->code == -r && err->text[0]);
}

static void check_descriptor(const struct descriptor *d)
{
	require(d->digest && digest_valid(d->digest) && d->size >= 0 && d->media_type);
}

static void take_manifest(const char *bytes, size_t size)
{
	static const struct platform wish = { "linux", "arm", "v7" };
	const char *newline = memchr(bytes, '\n', size);
	_cleanup_free_ char *type = newline ? xstrndup(bytes, (size_t)(newline - bytes)) : NULL;
	size_t skip = newline ? (size_t)(newline - bytes) + 1 : 0;
	struct manifest m = { 0 };
	struct error err = { 0 };
	int r = manifest_parse(bytes + skip, size - skip, type, "it", &wish, &m, &err);

	if (r < 0) {
		check_error(r, &err);
		require(r == -EBADMSG || r == -ENOTSUP || r == -ENOENT);
		require(!m.layers && !m.config.digest && !m.chosen.digest);
		return;
	}
	check_descriptor(m.is_index ? &m.chosen : &m.config);
	require(m.layer_count <= LAYERS_MAX && (!m.is_index || !m.layer_count));
	for (size_t i = 0; i < m.layer_count; i++)
		check_descriptor(&m.layers[i]);
	manifest_free(&m);
}

static void take_config(const char *bytes, size_t size)
{
	size_t layers = size ? (size_t)bytes[0] % 10 : 0;
	struct image_config c = { 0 };
	struct error err = { 0 };
	int r = size ? image_config_parse(bytes + 1, size - 1, "it", layers, &c, &err) : -EBADMSG;

	if (r < 0) {
		require(r == -EBADMSG && !c.diff_ids);
		return;
	}
	require(c.count == layers && !c.diff_ids[layers] && c.created_s >= 0);
	for (size_t i = 0; i < c.count; i++)
		require(digest_valid(c.diff_ids[i]));
	image_config_free(&c);
}

/* Whatever we call it, that is its name. */
static void require_same(const char *name, const char *canonical)
{
	struct reference ref = { 0 };
	_cleanup_free_ char *again = NULL;

	require(is_printable(name));
	require(reference_parse(name, &ref, NULL) == 0);
	again = reference_canonical(&ref);
	require(!strcmp(again, canonical));
	reference_free(&ref);
}

static void take_reference(const char *text)
{
	struct reference ref = { 0 };
	struct error err = { 0 };
	_cleanup_free_ char *canonical = NULL, *familiar = NULL;
	int r = reference_parse(text, &ref, &err);

	if (r < 0) {
		check_error(r, &err);
		require(r == -EINVAL && !ref.domain && !ref.path);
		return;
	}
	require(*ref.domain && *ref.path && !ref.tag != !ref.digest);
	require(!strstr(ref.path, "..") && !strchr(ref.domain, '/'));
	canonical = reference_canonical(&ref);
	familiar = reference_familiar(&ref);
	require_same(canonical, canonical);
	require_same(familiar, canonical);
	reference_free(&ref);
}

static void take_challenge(const char *text)
{
	static const char *const names[] = { "realm", "service", "scope", "error" };
	static const char realm[] = "http://realm/token";
	_cleanup_free_ char *url = auth_token_url(text, realm, "library/ubuntu");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *value = auth_parameter(text, names[i]);

		require(!value || strlen(value) + strlen(names[i]) < strlen(text));
	}
	require(!strncmp(url, realm, strlen(realm)) && is_printable(url));
}

static void take_token(const char *bytes, size_t size)
{
	struct error err = { 0 };
	_cleanup_free_ char *header = NULL;
	int r = auth_read_token(bytes, size, "http://realm/token", &header, &err);

	if (r < 0) {
		check_error(r, &err);
		require(!header);
		return;
	}
	require(str_starts(header, "Bearer ") && header[7] && !strpbrk(header, "\r\n"));
}

static void take_platform(const char *text)
{
	struct platform p = { 0 }, again = { 0 };
	struct error err = { 0 };
	char name[100], name_again[100];
	int r = platform_parse(text, &p, &err);

	if (r < 0) {
		check_error(r, &err);
		return;
	}
	platform_format(&p, name);
	require(platform_parse(name, &again, NULL) == 0);
	require(!strcmp(name, platform_format(&again, name_again)));
	require(platform_match(&p, &again) > 0);
}

void fuzz_image(const uint8_t *data, size_t size)
{
	/* by itself, so that reading beyond it is seen; texts end at their first NUL */
	_cleanup_free_ char *bytes = size > 1 ? memcpy(xmalloc(size - 1), data + 1, size - 1) : xmalloc(1);
	_cleanup_free_ char *text = xstrndup((const char *)data + 1, size ? size - 1 : 0);

	switch (size ? data[0] : 0) {
	case 'm': take_manifest(bytes, size - 1); break;
	case 'c': take_config(bytes, size - 1); break;
	case 'r': take_reference(text); break;
	case 'a': take_challenge(text); break;
	case 't': take_token(bytes, size - 1); break;
	case 'p': take_platform(text); break;
	}
}

FUZZ_TARGET(fuzz_image)
