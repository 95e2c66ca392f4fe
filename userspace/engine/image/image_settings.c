/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/image_settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/image/certificates.h"
#include "engine/image/document.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { CONFIG_FILE_LIMIT = 1 << 20, LIST_MAX = 64, STALL_DEFAULT = 30, STALL_MAX = 3600 };

static void read_list(struct json_object *object, const char *key, char ***ret, size_t *ret_count)
{
	struct json_object *array = document_array(object, key);
	size_t length = array ? json_object_array_length(array) : 0;

	if (length > LIST_MAX)
		length = LIST_MAX;
	*ret = xcalloc(length, sizeof(**ret));
	for (size_t i = 0; i < length; i++) {
		const char *s = document_item(array, i);

		if (s)
			(*ret)[(*ret_count)++] = xstrdup(s);
	}
}

static void set_certificate_dirs(struct image_settings *s, const char *config)
{
	const char *slash = strrchr(config, '/');

	s->own_certificates = xasprintf("%.*scerts.d", slash ? (int)(slash + 1 - config) : 0, config);
	s->certificate_dirs[0] = s->own_certificates;
	s->certificate_dirs[1] = "/etc/docker/certs.d";
}

static int read_file(struct image_settings *s, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	const char *told = getenv("CTRACE_CONFIG");
	const char *path = told && *told ? told : "/etc/ctrace/config.json";
	int r = document_read(AT_FDCWD, path, CONFIG_FILE_LIMIT, &object, err);

	set_certificate_dirs(s, path);
	if (r == -ENOENT && path != told)
		return 0;
	if (r < 0)
		return r;
	read_list(object, "registry_mirrors", &s->mirrors, &s->mirror_count);
	read_list(object, "insecure_registries", &s->insecure, &s->insecure_count);
	s->no_fallback = document_bool(object, "no_fallback", false);
	return 0;
}

static void free_list(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

static int read_environment(struct image_settings *s, struct error *err)
{
	const char *mirror = getenv("CTRACE_REGISTRY_MIRROR"), *no = getenv("CTRACE_NO_FALLBACK");
	const char *stall = getenv("CTRACE_STALL_SECONDS");
	char *end;

	if (mirror && *mirror) {
		free_list(s->mirrors, s->mirror_count);
		s->mirrors = xcalloc(1, sizeof(*s->mirrors));
		s->mirrors[0] = xstrdup(mirror);
		s->mirror_count = 1;
	}
	if (no && *no)
		s->no_fallback = strcmp(no, "0") != 0;
	s->stall_s = STALL_DEFAULT;
	if (!stall || !*stall)
		return 0;
	s->stall_s = strtol(stall, &end, 10);
	if (*end || s->stall_s < 1 || s->stall_s > STALL_MAX)
		return error_set(err, EINVAL, "CTRACE_STALL_SECONDS=%s: give 1 to %d seconds", stall,
			STALL_MAX);
	return 0;
}

/* A mirror is http(s)://HOST[:PORT][/PATH]; plain http only where it is allowed. */
static int check_mirror(const struct image_settings *s, char *mirror, struct error *err)
{
	bool http = str_starts(mirror, "http://");
	_cleanup_free_ char *host = NULL;
	const char *start;

	if (!http && !str_starts(mirror, "https://"))
		return error_set(err, EINVAL, "registry mirror \"%s\": write http://HOST:PORT or "
			"https://HOST", mirror);
	start = strstr(mirror, "://") + 3;
	host = xstrndup(start, strcspn(start, "/?#"));
	if (!*host || strpbrk(mirror, "@?#"))
		return error_set(err, EINVAL, "registry mirror \"%s\": user names, '?' and '#' are not "
			"allowed", mirror);
	if (http && !image_settings_insecure(s, host))
		return error_set(err, EINVAL, "registry mirror \"%s\": plain http is for loopback only; "
			"use https, or list \"%s\" in insecure_registries", mirror, host);
	while (str_ends(mirror, "/"))
		mirror[strlen(mirror) - 1] = '\0';
	return 0;
}

int image_settings_load(struct image_settings *ret, struct error *err)
{
	struct image_settings s = { 0 };
	int r = read_file(&s, err);

	if (r == 0)
		r = read_environment(&s, err);
	for (size_t i = 0; r == 0 && i < s.mirror_count; i++)
		r = check_mirror(&s, s.mirrors[i], err);
	if (r < 0) {
		image_settings_free(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void image_settings_free(struct image_settings *s)
{
	free_list(s->mirrors, s->mirror_count);
	free_list(s->insecure, s->insecure_count);
	free(s->own_certificates);
	*s = (struct image_settings){ 0 };
}

/* The host without its port and brackets. */
static char *bare_host(const char *host)
{
	const char *colon;

	if (*host == '[')
		return xstrndup(host + 1, strcspn(host + 1, "]"));
	colon = strchr(host, ':');
	return xstrndup(host, colon ? (size_t)(colon - host) : strlen(host));
}

bool image_settings_insecure(const struct image_settings *s, const char *host)
{
	_cleanup_free_ char *bare = bare_host(host);
	struct in6_addr six;
	struct in_addr four;

	for (size_t i = 0; i < s->insecure_count; i++)
		if (!strcasecmp(s->insecure[i], host) || !strcasecmp(s->insecure[i], bare))
			return true;
	if (certificates_exist(s->certificate_dirs, host)) /* whoever keeps some wants them checked */
		return false;
	if (!strcasecmp(bare, "localhost"))
		return true;
	if (inet_pton(AF_INET, bare, &four) == 1 && ntohl(four.s_addr) >> 24 == 127)
		return true;
	return inet_pton(AF_INET6, bare, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}
