/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/image/document.h"
#include "engine/image/reference.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker.distribution.manifest."

const char *const manifest_media_types[] = {
	OCI "index.v1+json",
	OCI "manifest.v1+json",
	DOCKER "list.v2+json",
	DOCKER "v2+json",
	NULL,
};

static bool one_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(s, *list))
			return true;
	return false;
}

static bool is_layer_type(const char *type)
{
	static const char *const types[] = {
		"",
		OCI "layer.v1.tar",
		OCI "layer.v1.tar+gzip",
		OCI "layer.v1.tar+zstd",
		"application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.diff.tar.gzip",
		"application/vnd.docker.image.rootfs.diff.tar.zstd",
		NULL,
	};

	return one_of(type, types);
}

void descriptor_free(struct descriptor *d)
{
	free(d->media_type);
	free(d->digest);
	*d = (struct descriptor){ 0 };
}

static int parse_descriptor(struct json_object *object, const char *what, struct descriptor *ret,
	struct error *err)
{
	const char *digest = document_string(object, "digest", NULL);
	int64_t size = document_size(object, "size");

	if (!digest || !digest_valid(digest))
		return error_set(err, EBADMSG, "%s has a descriptor without a valid digest", what);
	if (size < 0)
		return error_set(err, EBADMSG, "%s gives no valid size for %s", what, digest);
	ret->digest = xstrdup(digest);
	ret->size = size;
	ret->media_type = xstrdup(document_string(object, "mediaType", ""));
	return 0;
}

/* "type; charset=utf-8" without the parameters. */
static char *bare_type(const char *content_type)
{
	size_t length = content_type ? strcspn(content_type, "; \t") : 0;

	return xstrndup(content_type ? content_type : "", length);
}

/* What the document is, from its own mediaType, the server's, and its members, which must agree. */
static int check_type(struct json_object *object, const char *content_type, const char *what,
	bool is_index, struct error *err)
{
	_cleanup_free_ char *served = bare_type(content_type);
	const char *own = document_string(object, "mediaType", "");
	const char *type = *own ? own : served;
	bool index_type = !strcmp(type, manifest_media_types[0]) ||
			  !strcmp(type, manifest_media_types[2]);

	if (document_size(object, "schemaVersion") == 1 || str_starts(type, DOCKER "v1+"))
		return error_set(err, ENOTSUP, "%s is in docker's obsolete schema 1: push the image "
			"again with a current tool", what);
	if (document_size(object, "schemaVersion") != 2)
		return error_set(err, EBADMSG, "%s is no image manifest (schemaVersion is not 2)", what);
	if (*own && one_of(served, manifest_media_types) && strcmp(own, served) != 0)
		return error_set(err, EBADMSG, "%s calls itself %s but was served as %s", what, own,
			served);
	if (*own && !one_of(own, manifest_media_types))
		return error_set(err, ENOTSUP, "%s has the unknown type %s", what, own);
	if (one_of(type, manifest_media_types) && index_type != is_index)
		return error_set(err, EBADMSG, "%s is called %s but is %s", what, type,
			is_index ? "an index" : "a manifest");
	return 0;
}

static void entry_platform(struct json_object *entry, struct platform *p)
{
	struct json_object *object = document_object(entry, "platform");

	platform_set(p, document_string(object, "os", ""),
		document_string(object, "architecture", ""), document_string(object, "variant", ""));
}

static int no_platform(struct json_object *list, const char *what, const struct platform *wish,
	struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf offers = { 0 };
	char name[100];

	for (size_t i = 0; i < json_object_array_length(list) && offers.length < 300; i++) {
		struct platform offer;

		entry_platform(json_object_array_get_idx(list, i), &offer);
		if (!*offer.os || !strcmp(offer.os, "unknown"))
			continue;
		strbuf_printf(&offers, "%s%s", offers.length ? ", " : "",
			platform_format(&offer, name));
	}
	return error_set(err, ENOENT, "%s has no image for %s; it has: %s", what,
		platform_format(wish, name), offers.length ? offers.text : "none");
}

static int choose(struct json_object *list, const char *what, const struct platform *wish,
	struct manifest *ret, struct error *err)
{
	size_t count = json_object_array_length(list), without_platform = 0;
	struct json_object *best = NULL, *for_everyone = NULL;
	int best_score = 0;

	if (count > INDEX_ENTRIES_MAX)
		return error_set(err, EBADMSG, "%s lists %zu manifests, at most %d are read", what, count,
			INDEX_ENTRIES_MAX);
	for (size_t i = 0; i < count; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		struct platform offer;
		int score;

		if (!document_object(entry, "platform")) {
			without_platform++;
			for_everyone = entry;
			continue;
		}
		entry_platform(entry, &offer);
		score = platform_match(wish, &offer);
		if (score > best_score) {
			best_score = score;
			best = entry;
		}
	}
	/* An only entry without a platform (umoci, many layouts, an index within an index) is meant for everyone. */
	if (!best && without_platform == 1)
		best = for_everyone;
	if (!best)
		return no_platform(list, what, wish, err);
	ret->is_index = true;
	return parse_descriptor(best, what, &ret->chosen, err);
}

static int check_config_type(const char *type, const char *what, struct error *err)
{
	if (!*type || !strcmp(type, OCI "config.v1+json") ||
		!strcmp(type, "application/vnd.docker.container.image.v1+json"))
		return 0;
	return error_set(err, ENOTSUP, "%s is no container image: its configuration is %s", what, type);
}

static int parse_layers(struct json_object *list, const char *what, struct manifest *ret,
	struct error *err)
{
	size_t count = json_object_array_length(list);
	int r = 0;

	if (count > LAYERS_MAX)
		return error_set(err, EBADMSG, "%s has %zu layers, at most %d are unpacked", what, count,
			LAYERS_MAX);
	ret->layers = xcalloc(count, sizeof(*ret->layers));
	while (r == 0 && ret->layer_count < count) {
		struct descriptor *layer = &ret->layers[ret->layer_count];

		r = parse_descriptor(json_object_array_get_idx(list, ret->layer_count), what, layer,
			err);
		if (r < 0)
			return r;
		ret->layer_count++;
		if (!is_layer_type(layer->media_type))
			return error_set(err, ENOTSUP, "%s: layer %s has the unsupported type %s", what,
				layer->digest, layer->media_type);
	}
	return r;
}

static int parse_parts(struct json_object *object, const char *content_type, const char *what,
	const struct platform *wish, struct manifest *ret, struct error *err)
{
	struct json_object *manifests = document_array(object, "manifests");
	struct json_object *layers = document_array(object, "layers");
	struct json_object *config = document_object(object, "config");
	int r;

	if (manifests && (layers || config))
		return error_set(err, EBADMSG,
			"%s has both manifests and layers: it is ambiguous and refused", what);
	r = check_type(object, content_type, what, manifests != NULL, err);
	if (r < 0)
		return r;
	if (manifests)
		return choose(manifests, what, wish, ret, err);
	if (!layers || !config)
		return error_set(err, EBADMSG, "%s has neither manifests nor config and layers", what);
	r = parse_descriptor(config, what, &ret->config, err);
	if (r == 0)
		r = check_config_type(ret->config.media_type, what, err);
	return r < 0 ? r : parse_layers(layers, what, ret, err);
}

int manifest_parse(const char *bytes, size_t length, const char *content_type, const char *what,
	const struct platform *wish, struct manifest *ret, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	struct manifest m = { 0 };
	int r = document_parse(bytes, length, what, &object, err);

	if (r == 0)
		r = parse_parts(object, content_type, what, wish, &m, err);
	if (r < 0) {
		manifest_free(&m);
		return r;
	}
	*ret = m;
	return 0;
}

void manifest_free(struct manifest *m)
{
	descriptor_free(&m->chosen);
	descriptor_free(&m->config);
	for (size_t i = 0; i < m->layer_count; i++)
		descriptor_free(&m->layers[i]);
	free(m->layers);
	*m = (struct manifest){ 0 };
}

static int parse_diff_ids(struct json_object *list, const char *what, size_t layer_count,
	struct image_config *c, struct error *err)
{
	size_t count = list ? json_object_array_length(list) : 0;

	if (count != layer_count)
		return error_set(err, EBADMSG, "%s names %zu layers, the manifest %zu", what, count,
			layer_count);
	c->diff_ids = xcalloc(count + 1, sizeof(*c->diff_ids));
	for (; c->count < count; c->count++) {
		const char *id = document_item(list, c->count);

		if (!id || !digest_valid(id) || !str_starts(id, "sha256:"))
			return error_set(err, EBADMSG, "%s: diff id %zu is no sha256 digest", what,
				c->count);
		c->diff_ids[c->count] = xstrdup(id);
	}
	return 0;
}

int image_config_parse(const char *bytes, size_t length, const char *what, size_t layer_count,
	struct image_config *ret, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	struct image_config c = { 0 };
	int r = document_parse(bytes, length, what, &object, err);

	if (r < 0)
		return r;
	platform_set(&c.platform, document_string(object, "os", "linux"),
		document_string(object, "architecture", "unknown"),
		document_string(object, "variant", ""));
	c.created_s = document_time(object, "created");
	r = parse_diff_ids(document_array(document_object(object, "rootfs"), "diff_ids"), what,
		layer_count, &c, err);
	if (r < 0) {
		image_config_free(&c);
		return r;
	}
	c.config = json_object_get(document_object(object, "config"));
	c.history = json_object_get(document_array(object, "history"));
	*ret = c;
	return 0;
}

void image_config_free(struct image_config *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->diff_ids[i]);
	free(c->diff_ids);
	json_object_put(c->config);
	json_object_put(c->history);
	*c = (struct image_config){ 0 };
}
