/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/auth.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/image/document.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { TOKEN_LIMIT = 256 << 10, DOCKER_CONFIG_LIMIT = 1 << 20 };

static const char *skip_separators(const char *p)
{
	return p + strspn(p, ", \t");
}

/* One "value" or value at p into out; returns what follows. */
static const char *read_value(const char *p, struct strbuf *out)
{
	if (*p != '"') {
		size_t length = strcspn(p, ", \t");

		strbuf_add(out, p, length);
		return p + length;
	}
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		strbuf_putc(out, *p);
	}
	return *p ? p + 1 : p;
}

char *auth_parameter(const char *challenge, const char *name)
{
	const char *p = challenge + strcspn(challenge, " \t");

	for (;;) {
		_cleanup_(strbuf_free) struct strbuf value = { 0 };
		size_t length;
		const char *key = skip_separators(p);

		length = strcspn(key, "=, \t");
		if (!length || key[length] != '=')
			return NULL;
		p = read_value(key + length + 1, &value);
		if (length == strlen(name) && !strncasecmp(key, name, length))
			return strbuf_steal(&value);
	}
}

/* "Basic ..." for the registry from docker's configuration, or NULL. Credential helpers are programs
 * and are not run. */
static char *stored_credentials(const char *domain)
{
	_cleanup_(cleanup_json) struct json_object *config = NULL;
	const char *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME"), *auth;
	_cleanup_free_ char *path = NULL;
	struct json_object *auths;

	if (dir && *dir)
		path = xasprintf("%s/config.json", dir);
	else if (home && *home)
		path = xasprintf("%s/.docker/config.json", home);
	if (!path || document_read(AT_FDCWD, path, DOCKER_CONFIG_LIMIT, &config, NULL) < 0)
		return NULL;
	auths = document_object(config, "auths");
	auth = document_string(document_object(auths,
		!strcmp(domain, "docker.io") ? "https://index.docker.io/v1/" : domain), "auth", NULL);
	if (!auth || !*auth || strpbrk(auth, "\r\n"))
		return NULL;
	return xasprintf("Basic %s", auth);
}

char *auth_token_url(const char *challenge, const char *realm, const char *path)
{
	_cleanup_free_ char *service = auth_parameter(challenge, "service");
	_cleanup_free_ char *scope = auth_parameter(challenge, "scope");
	char *quoted_service, *quoted_scope, *url;

	if (!scope)
		scope = xasprintf("repository:%s:pull", path);
	quoted_service = curl_easy_escape(NULL, service ? service : "", 0);
	quoted_scope = curl_easy_escape(NULL, scope, 0);
	url = xasprintf("%s%cscope=%s%s%s", realm, strchr(realm, '?') ? '&' : '?', quoted_scope,
		service ? "&service=" : "", service ? quoted_service : "");
	curl_free(quoted_service);
	curl_free(quoted_scope);
	return url;
}

int auth_read_token(const char *body, size_t length, const char *realm, char **ret, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	const char *token;
	int r = document_parse(body, length, "the token server's answer", &object, err);

	if (r < 0) {
		error_prefix(err, "%s", realm);
		return r;
	}
	token = document_string(object, "token", document_string(object, "access_token", NULL));
	if (!token || !*token || strpbrk(token, "\r\n"))
		return error_set(err, EACCES, "%s gave no token", realm);
	*ret = xasprintf("Bearer %s", token);
	return 0;
}

static int get_token(struct http *http, const char *challenge, const char *domain, const char *path,
	char **ret, struct error *err)
{
	_cleanup_free_ char *realm = auth_parameter(challenge, "realm"), *url = NULL;
	_cleanup_free_ char *credentials = stored_credentials(domain);
	_cleanup_(http_response_free) struct http_response response = { 0 };
	struct http_request request = { .authorization = credentials, .limit = TOKEN_LIMIT };
	int r;

	if (!realm)
		return error_set(err, EACCES, "%s asks for a token but does not say where to get one",
			domain);
	url = auth_token_url(challenge, realm, path);
	request.url = url;
	r = http_get(http, &request, &response, err);
	if (r < 0) {
		error_prefix(err, "cannot get a token for %s", domain);
		return r;
	}
	if (response.status != 200)
		return error_set(err, EACCES, "%s refuses a token for %s (status %ld): the repository "
			"does not exist, or docker login is needed", realm, path, response.status);
	return auth_read_token(response.body, response.length, realm, ret, err);
}

int auth_answer(struct http *http, const char *challenge, const char *domain, const char *path,
	char **ret, struct error *err)
{
	if (!strncasecmp(challenge, "Bearer", 6))
		return get_token(http, challenge, domain, path, ret, err);
	if (!strncasecmp(challenge, "Basic", 5)) {
		*ret = stored_credentials(domain);
		if (*ret)
			return 0;
		return error_set(err, EACCES, "%s wants a user name and a password: run docker login %s",
			domain, domain);
	}
	return error_set(err, EACCES, "%s wants the unknown authentication \"%s\"", domain, challenge);
}
