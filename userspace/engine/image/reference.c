/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/reference.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { NAME_MAX_LENGTH = 255, TAG_MAX_LENGTH = 128 };

static bool is_lower_hex(const char *s, size_t length)
{
	return strlen(s) == length && strspn(s, "0123456789abcdef") == length;
}

bool digest_valid(const char *digest)
{
	if (str_starts(digest, "sha256:"))
		return is_lower_hex(digest + 7, 64);
	return str_starts(digest, "sha512:") && is_lower_hex(digest + 7, 128);
}

static bool is_path_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Length of a separator inside a path component: one '.', one or two '_', any number of '-'. */
static size_t separator_length(const char *s)
{
	if (*s == '.')
		return 1;
	if (*s == '_')
		return s[1] == '_' ? 2 : 1;
	return strspn(s, "-");
}

/* path-component := alnum (separator alnum)*, ended by '/' or the end of the string. */
static bool component_valid(const char *s, size_t *ret_length)
{
	const char *p = s;

	for (;;) {
		if (!is_path_alnum(*p))
			return false;
		while (is_path_alnum(*p))
			p++;
		if (*p == '/' || !*p)
			break;
		p += separator_length(p);
	}
	*ret_length = (size_t)(p - s);
	return true;
}

static int check_path(const char *text, const char *path, struct error *err)
{
	size_t length;

	for (const char *p = path;; p += length + 1) {
		if (!*p || *p == '/')
			return error_set(err, EINVAL, "invalid reference format: \"%s\": empty path component",
				text);
		if (!component_valid(p, &length)) {
			for (const char *q = p; *q && *q != '/'; q++)
				if (isupper((unsigned char)*q))
					return error_set(err, EINVAL, "invalid reference format: \"%s\": repository "
						"name must be lowercase", text);
			return error_set(err, EINVAL,
				"invalid reference format: \"%s\": \"%.*s\" is no path component (a-z and 0-9, "
				"joined by '.', '_', '__' or '-')",
				text, (int)strcspn(p, "/"), p);
		}
		if (!p[length])
			return 0;
	}
}

static bool host_valid(const char *s, size_t length)
{
	size_t start = 0;

	if (length > 2 && s[0] == '[' && s[length - 1] == ']')
		return strspn(s + 1, "0123456789abcdefABCDEF:") == length - 2;
	for (size_t i = 0; i <= length; i++) {
		if (i < length && s[i] != '.') {
			if (!isalnum((unsigned char)s[i]) && s[i] != '-')
				return false;
			continue;
		}
		if (i == start || s[start] == '-' || s[i - 1] == '-')
			return false;
		start = i + 1;
	}
	return true;
}

static int check_domain(const char *text, const char *domain, struct error *err)
{
	const char *bracket = strrchr(domain, ']');
	const char *colon = strrchr(bracket ? bracket : domain, ':');
	size_t host = colon ? (size_t)(colon - domain) : strlen(domain);

	if (!host_valid(domain, host))
		return error_set(err, EINVAL, "invalid reference format: \"%s\": \"%.*s\" is no host name", text,
			(int)host, domain);
	if (colon && (!colon[1] || strlen(colon + 1) > 5 ||
			     strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
			     atoi(colon + 1) > 65535 || atoi(colon + 1) < 1))
		return error_set(err, EINVAL, "invalid reference format: \"%s\": \"%s\" is no port (1-65535)",
			text, colon + 1);
	return 0;
}

static int check_tag(const char *text, const char *tag, struct error *err)
{
	size_t length = strlen(tag);

	if (!length)
		return error_set(err, EINVAL, "invalid reference format: \"%s\": the tag after ':' is empty",
			text);
	if (length > TAG_MAX_LENGTH)
		return error_set(err, EINVAL, "invalid reference format: the tag has %zu characters, %d may be",
			length, TAG_MAX_LENGTH);
	for (size_t i = 0; i < length; i++) {
		bool word = isalnum((unsigned char)tag[i]) || tag[i] == '_';

		if (!word && (i == 0 || (tag[i] != '.' && tag[i] != '-')))
			return error_set(err, EINVAL,
				"invalid reference format: \"%s\": tag \"%s\" may have letters, digits, '_', and "
				"after the first also '.' and '-'", text, tag);
	}
	return 0;
}

static int check_digest(const char *text, const char *digest, struct error *err)
{
	if (digest_valid(digest))
		return 0;
	if (str_starts(digest, "sha256:"))
		return error_set(err, EINVAL,
			"invalid reference format: \"%s\": a sha256 digest has 64 hex digits (0-9, a-f)", text);
	if (str_starts(digest, "sha512:"))
		return error_set(err, EINVAL,
			"invalid reference format: \"%s\": a sha512 digest has 128 hex digits (0-9, a-f)", text);
	return error_set(err, EINVAL,
		"invalid reference format: \"%s\": digest \"%s\" is neither sha256:HEX nor sha512:HEX", text,
		digest);
}

static bool is_domain(const char *first, size_t length)
{
	if (length == 9 && !strncmp(first, "localhost", 9))
		return true;
	for (size_t i = 0; i < length; i++)
		if (first[i] == '.' || first[i] == ':' || isupper((unsigned char)first[i]))
			return true;
	return false;
}

/* Splits "name" into domain and path with docker's defaults. */
static void split_name(const char *name, struct reference *ref)
{
	const char *slash = strchr(name, '/');

	if (!slash || !is_domain(name, (size_t)(slash - name))) {
		ref->domain = xstrdup("docker.io");
		ref->path = xstrdup(name);
	} else {
		ref->domain = xstrndup(name, (size_t)(slash - name));
		ref->path = xstrdup(slash + 1);
	}
	if (!strcmp(ref->domain, "index.docker.io")) {
		free(ref->domain);
		ref->domain = xstrdup("docker.io");
	}
	if (!strcmp(ref->domain, "docker.io") && !strchr(ref->path, '/')) {
		char *path = xasprintf("library/%s", ref->path);

		free(ref->path);
		ref->path = path;
	}
}

static int parse_parts(const char *text, char *name, struct reference *ref, struct error *err)
{
	char *at = strchr(name, '@'), *slash, *colon;
	int r;

	if (at) {
		*at = '\0';
		if ((r = check_digest(text, at + 1, err)) < 0)
			return r;
		ref->digest = xstrdup(at + 1);
	}
	slash = strrchr(name, '/');
	colon = strchr(slash ? slash : name, ':');
	if (colon) {
		*colon = '\0';
		if ((r = check_tag(text, colon + 1, err)) < 0)
			return r;
	}
	if (!at)
		ref->tag = xstrdup(colon ? colon + 1 : "latest");
	if (!*name)
		return error_set(err, EINVAL, "invalid reference format: \"%s\": it has no name", text);
	if (!at && is_lower_hex(name, 64))
		return error_set(err, EINVAL,
			"invalid reference format: \"%s\": 64 hex digits are an image id, not a name", text);
	split_name(name, ref);
	if ((r = check_domain(text, ref->domain, err)) < 0)
		return r;
	if (strlen(ref->domain) + 1 + strlen(ref->path) > NAME_MAX_LENGTH)
		return error_set(err, EINVAL, "invalid reference format: the name is longer than %d characters",
			NAME_MAX_LENGTH);
	return check_path(text, ref->path, err);
}

int reference_parse(const char *text, struct reference *ret, struct error *err)
{
	struct reference ref = { 0 };
	_cleanup_free_ char *name = NULL;
	int r;

	if (!*text)
		return error_set(err, EINVAL, "invalid reference format: it is empty");
	if (strlen(text) > 1024)
		return error_set(err, EINVAL, "invalid reference format: longer than 1024 characters");
	if (strstr(text, "://"))
		return error_set(err, EINVAL,
			"invalid reference format: \"%s\": write it without the scheme (HOST/NAME:TAG)", text);
	name = xstrdup(text);
	r = parse_parts(text, name, &ref, err);
	if (r < 0) {
		reference_free(&ref);
		return r;
	}
	*ret = ref;
	return 0;
}

void reference_free(struct reference *ref)
{
	free(ref->domain);
	free(ref->path);
	free(ref->tag);
	free(ref->digest);
	*ref = (struct reference){ 0 };
}

char *reference_canonical(const struct reference *ref)
{
	return xasprintf("%s/%s%s%s", ref->domain, ref->path, ref->digest ? "@" : ":",
		ref->digest ? ref->digest : ref->tag);
}

/* Whether a path alone means the one on docker's hub: its first component may be a domain ("a.b/c"), and what looks
 * like an image's id is one. */
static bool is_short_name(const char *path, bool has_digest)
{
	const char *slash = strchr(path, '/');

	return slash ? !is_domain(path, (size_t)(slash - path)) : has_digest || !is_lower_hex(path, 64);
}

char *reference_familiar(const struct reference *ref)
{
	bool hub = !strcmp(ref->domain, "docker.io");
	const char *path = ref->path;

	if (hub && str_starts(path, "library/") && !strchr(path + 8, '/'))
		path += 8;
	if (hub && !is_short_name(path, ref->digest != NULL)) {
		hub = false;
		path = ref->path;
	}
	return xasprintf("%s%s%s%s%s", hub ? "" : ref->domain, hub ? "" : "/", path,
		ref->digest ? "@" : ":", ref->digest ? ref->digest : ref->tag);
}
