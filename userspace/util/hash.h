/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_HASH_H
#define CTRACE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a, 64 bits (draft-eastlake-fnv): for names that must be the same each time, not against who chooses the text. */
#define FNV1A_BASIS UINT64_C(0xcbf29ce484222325)

static inline uint64_t fnv1a(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

static inline uint64_t fnv1a_bytes(uint64_t hash, const void *bytes, size_t length)
{
	for (const unsigned char *p = bytes; length; p++, length--)
		hash = (hash ^ *p) * UINT64_C(0x100000001b3);
	return hash;
}

#endif
