/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/certificates.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/strbuf.h"

enum { AUTHORITIES_MAX = 1 << 20 };

/* The host's directory, or NULL. A host comes from a URL, whose parser lets no slash through. */
static char *find_directory(const char *const *dirs, const char *host)
{
	_cleanup_free_ char *bare = xstrdup(host);

	if (strchr(host, '/') || host[0] == '.')
		return NULL;
	if (str_ends(bare, ":443"))
		bare[strlen(bare) - 4] = '\0';
	for (; *dirs; dirs++) {
		const char *const names[] = { host, bare };

		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			_cleanup_free_ char *path = xasprintf("%s/%s", *dirs, names[i]);

			if (access(path, F_OK) == 0)
				return steal_ptr(path);
		}
	}
	return NULL;
}

bool certificates_exist(const char *const *dirs, const char *host)
{
	_cleanup_free_ char *path = find_directory(dirs, host);

	return path != NULL;
}

static int add_authorities(const char *path, struct strbuf *text, struct error *err)
{
	_cleanup_free_ char *pem = file_read(path, AUTHORITIES_MAX, NULL);

	if (!pem)
		return error_set(err, errno, "%s cannot be read", path);
	if (text->length + strlen(pem) > AUTHORITIES_MAX)
		return error_set(err, EFBIG, "%s: certificates of more than %d bytes", path, AUTHORITIES_MAX);
	strbuf_puts(text, pem);
	strbuf_putc(text, '\n');
	return 0;
}

static char *existing(const char *directory, const char *name)
{
	char *path = xasprintf("%s/%s", directory, name);

	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static int take_directory(const char *path, struct certificates *ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf authorities = { 0 };
	DIR *directory = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!directory)
		return error_set(err, errno, "%s cannot be read", path);
	while (r == 0 && (entry = readdir(directory))) {
		_cleanup_free_ char *file = xasprintf("%s/%s", path, entry->d_name);

		if (str_ends(entry->d_name, ".crt"))
			r = add_authorities(file, &authorities, err);
	}
	closedir(directory);
	if (r < 0)
		return r;
	ret->authorities = authorities.length ? strbuf_steal(&authorities) : NULL;
	ret->client = existing(path, "client.cert");
	ret->key = existing(path, "client.key");
	return 0;
}

int certificates_find(const char *const *dirs, const char *host, struct certificates *ret, struct error *err)
{
	_cleanup_free_ char *path = find_directory(dirs, host);

	*ret = (struct certificates){ 0 };
	return path ? take_directory(path, ret, err) : 0;
}

void certificates_free(struct certificates *c)
{
	free(c->authorities);
	free(c->client);
	free(c->key);
	*c = (struct certificates){ 0 };
}
