/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_BOLT_H
#define CTRACE_BOLT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the databases of containerd (meta.db) and podman 4 (bolt_state.db) while their owners write them: the file format
 * of go.etcd.io/bbolt, version 2, a tree of pages that are never changed in place. No lock is taken, since that of the
 * owner is held for as long as it runs; bolt_is_current says whether what was read is true.
 */
struct bolt;

/* A bucket: a tree of keys, below a page of its own or within its parent's (root 0). */
struct bolt_bucket {
	uint64_t root;
	unsigned char *page; /* of a bucket within its parent, else NULL */
	size_t length;
};

/* NULL where there is none, or it is no such file (errno says which). */
struct bolt *bolt_open(const char *path);
void bolt_close(struct bolt *bolt); /* takes NULL */

/* Whether nothing was committed since bolt_open: only then no page that it led to can have been used anew. */
bool bolt_is_current(struct bolt *bolt);

/* The bucket at path (NULL-terminated, from the root); false where there is none. It lives until bolt_bucket_free. */
bool bolt_find(struct bolt *bolt, const char *const *path, struct bolt_bucket *ret);
void bolt_bucket_free(struct bolt_bucket *bucket);

/* The value of a key, NUL-terminated, which the caller frees; NULL where there is none. */
char *bolt_value(struct bolt *bolt, const struct bolt_bucket *bucket, const char *key);

/* Every pair of a bucket that is no bucket itself, NUL-terminated, in order of keys. */
typedef void bolt_pair(void *arg, const char *key, const char *value);
void bolt_each(struct bolt *bolt, const struct bolt_bucket *bucket, bolt_pair *pair, void *arg);

#endif
