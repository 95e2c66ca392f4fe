/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/origin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image/archive.h"
#include "engine/image/digest.h"
#include "engine/image/layout.h"
#include "engine/image/registry.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { INDEX_NESTING_MAX = 4 };

/* Exactly one of registry, layout and archive is there. */
struct origin {
	const struct source *source;
	struct registry *registry;
	struct layout *layout;
	struct docker_archive *archive;
	bool borrowed; /* the archive is somebody else's to close */
};

void image_plan_free(struct image_plan *plan)
{
	manifest_free(&plan->manifest);
	image_config_free(&plan->config);
	free(plan->digest);
	*plan = (struct image_plan){ 0 };
}

int origin_open(const struct image_settings *settings, const struct source *source, int scratch_fd,
	struct origin **ret, struct error *err)
{
	struct origin *o = xcalloc(1, sizeof(*o));
	int r = 0;

	o->source = source;
	if (source->kind == SOURCE_REGISTRY)
		o->registry = registry_new(settings, &source->reference);
	else if (source->kind == SOURCE_OCI)
		r = layout_open(source->path, source->tag, &o->layout, err);
	else
		r = docker_archive_open(source->path, scratch_fd, &o->archive, err);
	if (r == 0 && o->archive)
		r = docker_archive_choose(o->archive, source->tag, err);
	if (r < 0) {
		origin_close(o);
		return r;
	}
	*ret = o;
	return 0;
}

struct origin *origin_of_archive(const struct source *source, struct docker_archive *archive)
{
	struct origin *o = xcalloc(1, sizeof(*o));

	*o = (struct origin){ .source = source, .archive = archive, .borrowed = true };
	return o;
}

void origin_close(struct origin *o)
{
	if (!o)
		return;
	registry_free(o->registry);
	layout_close(o->layout);
	if (!o->borrowed)
		docker_archive_close(o->archive);
	free(o);
}

/* Digest and size against what named the document (image-spec, descriptor.md, verification). */
static int verify(const struct registry_document *doc, const char *digest, int64_t size,
	const char *what, struct error *err)
{
	char computed[DIGEST_SIZE];

	if (size >= 0 && doc->length != (size_t)size)
		return error_set(err, EBADMSG, "%s %s has %zu bytes, its descriptor says %lld", what,
			digest, doc->length, (long long)size);
	digest_bytes(digest, doc->bytes, doc->length, computed);
	if (strcmp(computed, digest) != 0)
		return error_set(err, EBADMSG, "%s %s has the wrong digest: its bytes give %s", what,
			digest, computed);
	return 0;
}

/* The document that the reference names, which may be an index. */
static int first_document(struct origin *o, struct http *http, struct registry_document *ret,
	struct error *err)
{
	const struct reference *ref = &o->source->reference;
	int r;

	if (o->layout)
		return layout_index(o->layout, ret, err);
	r = registry_manifest(o->registry, http, ref->digest ? ref->digest : ref->tag, ret, err);
	return r == 0 && ref->digest ? verify(ret, ref->digest, -1, "manifest", err) : r;
}

static int next_manifest(struct origin *o, struct http *http, const struct descriptor *d,
	struct registry_document *ret, struct error *err)
{
	int r;

	if (d->size > MANIFEST_LIMIT)
		return error_set(err, EFBIG, "manifest %s has %lld bytes, at most %d are read",
			d->digest, (long long)d->size, MANIFEST_LIMIT);
	r = o->layout ? layout_document(o->layout, d, MANIFEST_LIMIT, ret, err) :
			registry_manifest(o->registry, http, d->digest, ret, err);
	return r < 0 ? r : verify(ret, d->digest, d->size, "manifest", err);
}

/* Follows indexes down to a manifest for the wished platform. */
static int find_manifest(struct origin *o, struct http *http, const struct platform *wish,
	struct image_plan *plan, struct error *err)
{
	_cleanup_(registry_document_free) struct registry_document doc = { 0 };
	_cleanup_(descriptor_free) struct descriptor next = { 0 };
	char digest[DIGEST_SIZE];
	int r = first_document(o, http, &doc, err);

	if (r < 0)
		return r;
	digest_bytes(o->source->reference.digest, doc.bytes, doc.length, digest);
	plan->digest = xstrdup(digest);
	for (int depth = 0; depth < INDEX_NESTING_MAX; depth++) {
		_cleanup_free_ char *what = xasprintf("%s (%s)", o->source->key,
			next.digest ? next.digest : plan->digest);

		r = manifest_parse(doc.bytes, doc.length, doc.media_type, what, wish, &plan->manifest,
			err);
		if (r < 0 || !plan->manifest.is_index)
			return r;
		descriptor_free(&next);
		next = plan->manifest.chosen;
		plan->manifest = (struct manifest){ 0 };
		/* A layout's index.json is only its table of contents. */
		if (o->layout && depth == 0) {
			free(plan->digest);
			plan->digest = xstrdup(next.digest);
		}
		registry_document_free(&doc);
		r = next_manifest(o, http, &next, &doc, err);
		if (r < 0)
			return r;
	}
	return error_set(err, EBADMSG, "%s: indexes are nested more than %d deep", o->source->key,
		INDEX_NESTING_MAX);
}

static int read_config(struct origin *o, struct http *http, struct image_plan *plan,
	struct error *err)
{
	_cleanup_(registry_document_free) struct registry_document doc = { 0 };
	const struct descriptor *d = &plan->manifest.config;
	int r;

	if (d->size > CONFIG_LIMIT)
		return error_set(err, EFBIG, "image configuration %s has %lld bytes, at most %d are read",
			d->digest, (long long)d->size, CONFIG_LIMIT);
	r = o->layout ? layout_document(o->layout, d, CONFIG_LIMIT, &doc, err) :
			registry_small_blob(o->registry, http, d, CONFIG_LIMIT, &doc, err);
	if (r == 0)
		r = verify(&doc, d->digest, d->size, "image configuration", err);
	if (r < 0)
		return r;
	digest_bytes(NULL, doc.bytes, doc.length, plan->id);
	return image_config_parse(doc.bytes, doc.length, d->digest, plan->manifest.layer_count,
		&plan->config, err);
}

int origin_resolve(struct origin *o, struct http *http, const struct platform *wish,
	struct image_plan *ret, struct error *err)
{
	struct image_plan plan = { 0 };
	int r;

	if (o->archive) {
		r = docker_archive_plan(o->archive, &plan, err);
	} else {
		r = find_manifest(o, http, wish, &plan, err);
		if (r == 0)
			r = read_config(o, http, &plan, err);
	}
	if (r < 0) {
		image_plan_free(&plan);
		return r;
	}
	*ret = plan;
	return 0;
}

int origin_layer(struct origin *o, struct http *http, const struct image_plan *plan, size_t i,
	http_sink *sink, void *arg, struct error *err)
{
	const struct descriptor *d = &plan->manifest.layers[i];

	if (o->archive)
		return docker_archive_layer(o->archive, i, sink, arg, err);
	if (o->layout)
		return layout_blob(o->layout, d, sink, arg, err);
	return registry_blob(o->registry, http, d, sink, arg, err);
}
