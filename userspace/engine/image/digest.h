/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DIGEST_H
#define CTRACE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

/* Digests as OCI writes them (image-spec, descriptor.md): "sha256:HEX", "sha512:HEX". */

enum { DIGEST_SIZE = 7 + 128 + 1 };

struct digest {
	void *context; /* EVP_MD_CTX */
	const char *algorithm;
};

/* Starts a digest of the same algorithm as the expected one; sha256 for anything else. */
void digest_start(struct digest *d, const char *expected);
void digest_update(struct digest *d, const void *bytes, size_t length);
/* Writes the digest and ends it. */
void digest_finish(struct digest *d, char out[DIGEST_SIZE]);
void digest_free(struct digest *d); /* also fit for _cleanup_ */

/* The digest of some bytes, in the algorithm of expected. */
void digest_bytes(const char *expected, const void *bytes, size_t length, char out[DIGEST_SIZE]);

/* The chain id of a layer upon a chain (image-spec, config.md): sha256 of "PARENT DIFFID". parent NULL
 * for the lowest layer, whose chain id is its diff id. */
void digest_chain(const char *parent, const char *diff_id, char out[DIGEST_SIZE]);

#endif
