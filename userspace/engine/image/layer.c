/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image/digest.h"
#include "engine/image/ring.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { RING_SIZE = 1 << 20, CHUNK = 64 << 10 };

struct layer {
	const struct descriptor *blob;
	const char *diff_id;
	int root_fd;
	uint64_t limit;
	struct layer_progress *progress;

	struct digest blob_digest, tar_digest;
	struct ring *compressed, *tar;
	pthread_t inflater, unpacker;

	/* The inflater's own, then the unpacker's own; read after they were joined. */
	char inflate_buffer[CHUNK];
	struct error inflate_error;
	int inflate_result;
	bool inflate_stopped; /* the ring was aborted under it: no fault of the data */
	char unpack_buffer[CHUNK];
	struct error unpack_error;
	int unpack_result;
	struct unpacked unpacked;

	_Atomic int verdict;
};

/* What becomes of bytes that nobody inflates any more: hashed, because the digest is still of
 * interest (the blob goes on behind its compressed stream, or that is corrupt), or not even that. */
enum { VERDICT_NONE, VERDICT_HASH_ONLY, VERDICT_FINAL };

/* ---- second thread: inflate ---- */

static la_ssize_t compressed_read(struct archive *a, void *arg, const void **bytes)
{
	struct layer *layer = arg;
	ssize_t n = ring_read(layer->compressed, layer->inflate_buffer, CHUNK);

	*bytes = layer->inflate_buffer;
	if (n < 0) {
		layer->inflate_stopped = true;
		archive_set_error(a, EPIPE, "stopped");
	}
	return n;
}

static int check_bomb(struct layer *layer, uint64_t total)
{
	uint64_t fed = atomic_load(&layer->progress->fed);

	if (total > layer->limit)
		return error_set(&layer->inflate_error, ENOSPC,
			"no space left on device: it unpacks to more than the %llu MB that are free; free some "
			"space, or set CTRACE_ROOT to a larger file system",
			(unsigned long long)layer->limit >> 20);
	if (total > LAYER_RATIO_GRACE && total / LAYER_RATIO_MAX > fed)
		return error_set(&layer->inflate_error, E2BIG,
			"the layer unpacks to more than %d times its size: it is refused as a "
			"decompression bomb", LAYER_RATIO_MAX);
	return 0;
}

static int inflate_failed(struct layer *layer, struct archive *a)
{
	const char *text = archive_error_string(a);

	if (layer->inflate_stopped)
		return -EPIPE;
	return error_set(&layer->inflate_error, EBADMSG, "the layer's compressed data are corrupt: %s",
		text ? text : "unknown format");
}

static int inflate_blocks(struct layer *layer, struct archive *a)
{
	struct archive_entry *entry;
	const void *block;
	uint64_t total = 0;
	la_int64_t offset;
	size_t length;
	int status = archive_read_next_header(a, &entry), r;

	if (status == ARCHIVE_EOF)
		return 0;
	if (status < ARCHIVE_WARN)
		return inflate_failed(layer, a);
	while ((status = archive_read_data_block(a, &block, &length, &offset)) == ARCHIVE_OK) {
		total += length;
		r = check_bomb(layer, total);
		if (r < 0)
			return r;
		if (ring_write(layer->tar, block, length) < 0)
			return -EPIPE;
	}
	return status == ARCHIVE_EOF ? 0 : inflate_failed(layer, a);
}

static void *inflate_main(void *arg)
{
	struct layer *layer = arg;
	struct archive *a = archive_read_new();

	archive_read_support_filter_gzip(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_raw(a);
	archive_read_support_format_empty(a);
	if (archive_read_open(a, layer, NULL, compressed_read, NULL) != ARCHIVE_OK)
		layer->inflate_result = inflate_failed(layer, a);
	else
		layer->inflate_result = inflate_blocks(layer, a);
	archive_read_free(a);
	/* -EPIPE: the unpacker has spoken. */
	if (layer->inflate_result != -EPIPE)
		atomic_store(&layer->verdict, layer->inflate_result == 0 ||
				layer->inflate_result == -EBADMSG ? VERDICT_HASH_ONLY : VERDICT_FINAL);
	if (layer->inflate_result < 0)
		ring_abort(layer->tar);
	else
		ring_close(layer->tar);
	ring_abort(layer->compressed);
	return NULL;
}

/* ---- third thread: unpack ---- */

static ssize_t tar_read(void *arg, const void **bytes)
{
	struct layer *layer = arg;
	ssize_t n = ring_read(layer->tar, layer->unpack_buffer, CHUNK);

	*bytes = layer->unpack_buffer;
	if (n > 0) {
		digest_update(&layer->tar_digest, layer->unpack_buffer, (size_t)n);
		atomic_fetch_add(&layer->progress->unpacked, (uint64_t)n);
	}
	return n;
}

static void *unpack_main(void *arg)
{
	struct layer *layer = arg;
	const void *bytes;
	ssize_t n;

	layer->unpack_result = unpack_tar(layer->root_fd, tar_read, layer, &layer->unpacked,
		&layer->unpack_error);
	if (layer->unpack_result < 0) {
		/* A damaged tar may come of a damaged blob; everything else is final. */
		if (layer->unpack_result != -ECANCELED)
			atomic_store(&layer->verdict, layer->unpack_result == -EBADMSG ?
					VERDICT_HASH_ONLY : VERDICT_FINAL);
		ring_abort(layer->tar);
		ring_abort(layer->compressed);
		return NULL;
	}
	/* The diff id covers what follows the tar's end mark, too. */
	do {
		n = tar_read(layer, &bytes);
	} while (n > 0);
	return NULL;
}

/* ---- first thread: the caller's ---- */

static void start_thread(pthread_t *thread, void *(*run)(void *), struct layer *layer)
{
	if (pthread_create(thread, NULL, run, layer) != 0) {
		fputs("ctrace: cannot start a thread\n", stderr);
		_Exit(125);
	}
}

struct layer *layer_begin(int root_fd, const struct descriptor *blob, const char *diff_id,
	uint64_t limit, struct layer_progress *progress)
{
	struct layer *layer = xcalloc(1, sizeof(*layer));

	layer->root_fd = root_fd;
	layer->blob = blob;
	layer->diff_id = diff_id;
	layer->limit = limit;
	layer->progress = progress;
	layer->compressed = ring_new(RING_SIZE);
	layer->tar = ring_new(RING_SIZE);
	digest_start(&layer->blob_digest, blob->digest);
	digest_start(&layer->tar_digest, diff_id);
	start_thread(&layer->inflater, inflate_main, layer);
	start_thread(&layer->unpacker, unpack_main, layer);
	return layer;
}

int layer_feed(struct layer *layer, const void *bytes, size_t length)
{
	uint64_t fed = atomic_fetch_add(&layer->progress->fed, length) + length;

	digest_update(&layer->blob_digest, bytes, length);
	if (layer->blob->size >= 0 && fed > (uint64_t)layer->blob->size)
		return -EPIPE;
	if (ring_write(layer->compressed, bytes, length) == 0)
		return 0;
	return atomic_load(&layer->verdict) == VERDICT_FINAL ? -EPIPE : 0;
}

static int check_blob(struct layer *layer, struct error *err)
{
	uint64_t fed = atomic_load(&layer->progress->fed);
	char digest[DIGEST_SIZE];

	if (layer->blob->size >= 0 && fed != (uint64_t)layer->blob->size)
		return error_set(err, EBADMSG, "layer %s %s: %llu bytes came, the manifest says %lld",
			layer->blob->digest,
			fed > (uint64_t)layer->blob->size ? "is too long" : "is truncated",
			(unsigned long long)fed, (long long)layer->blob->size);
	if (!layer->blob->digest)
		return 0;
	digest_finish(&layer->blob_digest, digest);
	if (strcmp(digest, layer->blob->digest) != 0)
		return error_set(err, EBADMSG, "layer %s has the wrong digest: its bytes give %s",
			layer->blob->digest, digest);
	return 0;
}

static int pass_on(const struct layer *layer, const struct error *problem, int code,
	struct error *err)
{
	if (err)
		*err = *problem;
	error_prefix(err, "layer %s", layer->blob->digest ? layer->blob->digest : layer->diff_id);
	return code;
}

static int check_layer(struct layer *layer, struct error *err)
{
	int inflated = layer->inflate_result, unpacked = layer->unpack_result, r;
	char digest[DIGEST_SIZE];

	/* A limit or a refusal stops the download, so the blob's digest cannot be known. */
	if (inflated < 0 && inflated != -EBADMSG && inflated != -EPIPE)
		return pass_on(layer, &layer->inflate_error, inflated, err);
	if (unpacked < 0 && unpacked != -EBADMSG && unpacked != -ECANCELED)
		return pass_on(layer, &layer->unpack_error, unpacked, err);
	r = check_blob(layer, err);
	if (r < 0)
		return r;
	if (inflated == -EBADMSG)
		return pass_on(layer, &layer->inflate_error, inflated, err);
	if (unpacked < 0)
		return pass_on(layer, &layer->unpack_error, unpacked, err);
	digest_finish(&layer->tar_digest, digest);
	if (strcmp(digest, layer->diff_id) != 0)
		return error_set(err, EBADMSG, "layer %s unpacks to diff id %s, the configuration says "
			"%s", layer->blob->digest ? layer->blob->digest : "of the archive", digest,
			layer->diff_id);
	return 0;
}

int layer_end(struct layer *layer, bool complete, struct unpacked *ret, struct error *err)
{
	int r;

	if (complete) {
		ring_close(layer->compressed);
	} else {
		ring_abort(layer->compressed);
		ring_abort(layer->tar);
	}
	pthread_join(layer->inflater, NULL);
	pthread_join(layer->unpacker, NULL);
	r = complete ? check_layer(layer, err) : -ECANCELED;
	if (r == 0)
		*ret = layer->unpacked;
	else
		unpacked_free(&layer->unpacked);
	digest_free(&layer->blob_digest);
	digest_free(&layer->tar_digest);
	ring_free(layer->compressed);
	ring_free(layer->tar);
	free(layer);
	return r;
}
