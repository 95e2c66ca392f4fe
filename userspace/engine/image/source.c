/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/source.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* PATH[:TAG]: the longest prefix that exists is the path, so that paths may contain colons. */
static int split_path(const char *text, const char *what, struct source *source, struct error *err)
{
	_cleanup_free_ char *path = xstrdup(text);
	char *end = path + strlen(path), *real;

	for (;;) {
		*end = '\0';
		real = *path ? realpath(path, NULL) : NULL;
		if (real)
			break;
		do {
			if (end == path)
				return error_set(err, ENOENT, "%s%s: no such file or directory", what,
					text);
		} while (*--end != ':');
	}
	source->path = real;
	if (text[end - path])
		source->tag = xstrdup(text + (end - path) + 1);
	return 0;
}

static int parse_local(const char *text, struct source *source, struct error *err)
{
	const char *prefix = source->kind == SOURCE_OCI ? "oci:" : "docker-archive:";
	int r = split_path(text + strlen(prefix), prefix, source, err);

	if (r < 0)
		return r;
	source->key = xasprintf("%s%s%s%s", prefix, source->path, source->tag ? ":" : "",
		source->tag ? source->tag : "");
	return 0;
}

int source_parse(const char *text, struct source *ret, struct error *err)
{
	struct source source = { 0 };
	int r;

	if (str_starts(text, "oci:") || str_starts(text, "docker-archive:")) {
		source.kind = *text == 'o' ? SOURCE_OCI : SOURCE_DOCKER_ARCHIVE;
		r = parse_local(text, &source, err);
	} else {
		r = reference_parse(text, &source.reference, err);
		if (r == 0)
			source.key = reference_canonical(&source.reference);
	}
	if (r < 0) {
		source_free(&source);
		return r;
	}
	*ret = source;
	return 0;
}

void source_free(struct source *source)
{
	reference_free(&source->reference);
	free(source->path);
	free(source->tag);
	free(source->key);
	*source = (struct source){ 0 };
}

char *source_stamp(const struct source *source)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (source->kind == SOURCE_REGISTRY)
		return xstrdup("");
	path = xasprintf("%s%s", source->path, source->kind == SOURCE_OCI ? "/index.json" : "");
	if (stat(path, &st) < 0)
		return xstrdup("");
	return xasprintf("%llu-%lld-%lld.%09ld", (unsigned long long)st.st_ino, (long long)st.st_size,
		(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}
