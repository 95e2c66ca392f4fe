/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

void digest_start(struct digest *d, const char *expected)
{
	bool sha512 = expected && str_starts(expected, "sha512:");

	d->algorithm = sha512 ? "sha512:" : "sha256:";
	d->context = EVP_MD_CTX_new();
	if (!d->context ||
		!EVP_DigestInit_ex(d->context, sha512 ? EVP_sha512() : EVP_sha256(), NULL)) {
		fputs("ctrace: libcrypto offers no SHA-2\n", stderr);
		_Exit(125);
	}
}

void digest_update(struct digest *d, const void *bytes, size_t length)
{
	EVP_DigestUpdate(d->context, bytes, length);
}

void digest_finish(struct digest *d, char out[DIGEST_SIZE])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	size_t used = strlen(d->algorithm);

	EVP_DigestFinal_ex(d->context, raw, &length);
	memcpy(out, d->algorithm, used);
	for (unsigned int i = 0; i < length; i++)
		snprintf(out + used + 2 * i, 3, "%02x", raw[i]);
	digest_free(d);
}

void digest_free(struct digest *d)
{
	EVP_MD_CTX_free(d->context);
	d->context = NULL;
}

void digest_bytes(const char *expected, const void *bytes, size_t length, char out[DIGEST_SIZE])
{
	struct digest d;

	digest_start(&d, expected);
	digest_update(&d, bytes, length);
	digest_finish(&d, out);
}

void digest_chain(const char *parent, const char *diff_id, char out[DIGEST_SIZE])
{
	_cleanup_free_ char *pair = NULL;

	if (!parent) {
		snprintf(out, DIGEST_SIZE, "%s", diff_id);
		return;
	}
	pair = xasprintf("%s %s", parent, diff_id);
	digest_bytes(NULL, pair, strlen(pair), out);
}
