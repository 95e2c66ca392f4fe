/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/serve_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/serve_http.h"
#include "engine/image/document.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { FILE_LIMIT = 1 << 20, CONTAINERS_DEFAULT = 1000, CONTAINERS_MOST = 100000, GRACE_DEFAULT = 300,
	GRACE_MOST = 86400 };

static const char *settings_path(void)
{
	const char *path = getenv("CTRACE_CONFIG");

	return path && *path ? path : "/etc/ctrace/config.json";
}

static int wrong(struct error *err, const char *key, const char *what)
{
	return error_set(err, EINVAL, "serve.%s in %s must be %s", key, settings_path(), what);
}

static int read_string(struct json_object *object, const char *key, char **ret, struct error *err)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, key, &member))
		return 0;
	if (!json_object_is_type(member, json_type_string))
		return wrong(err, key, "a string");
	free(*ret);
	*ret = xstrdup(json_object_get_string(member));
	return 0;
}

static int read_number(struct json_object *object, const char *key, int64_t most, int64_t *ret, struct error *err)
{
	struct json_object *member;
	int64_t value;

	if (!json_object_object_get_ex(object, key, &member))
		return 0;
	value = json_object_get_int64(member);
	if (!json_object_is_type(member, json_type_int) || value < 0 || value > most)
		return error_set(err, EINVAL, "serve.%s in %s must be a number from 0 to %lld", key, settings_path(),
			(long long)most);
	*ret = value;
	return 0;
}

static int read_compat(struct json_object *object, struct serve_settings *s, struct error *err)
{
	struct json_object *list;

	if (!json_object_object_get_ex(object, "compat", &list))
		return 0;
	if (!json_object_is_type(list, json_type_array))
		return wrong(err, "compat", "a list of names");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));

		if (!name || strcmp(name, "cadvisor") != 0)
			return wrong(err, "compat", "a list of names that ctrace knows: \"cadvisor\"");
		s->cadvisor = true;
	}
	return 0;
}

/* A field that is not known is most likely one that is misspelt, and what it was to say would go unheard. */
static int check_names(struct json_object *section, struct error *err)
{
	static const char *const known[] = { "listen", "otlp_endpoint", "compat", "max_containers", "grace_seconds" };
	struct json_object_iterator at = json_object_iter_begin(section), end = json_object_iter_end(section);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		const char *name = json_object_iter_peek_name(&at);
		size_t i = 0;

		while (i < ARRAY_SIZE(known) && strcmp(known[i], name) != 0)
			i++;
		if (i == ARRAY_SIZE(known))
			return error_set(err, EINVAL, "serve.%s in %s is not known: there are listen, otlp_endpoint, compat, "
				"max_containers and grace_seconds", name, settings_path());
	}
	return 0;
}

static int read_section(struct json_object *section, struct serve_settings *s, struct error *err)
{
	int64_t containers = s->max_containers, grace = s->grace_s;
	int r = check_names(section, err);

	if (r == 0)
		r = read_string(section, "listen", &s->listen, err);
	if (r == 0)
		r = read_string(section, "otlp_endpoint", &s->otlp_endpoint, err);
	if (r == 0)
		r = read_compat(section, s, err);
	if (r == 0)
		r = read_number(section, "max_containers", CONTAINERS_MOST, &containers, err);
	if (r == 0)
		r = read_number(section, "grace_seconds", GRACE_MOST, &grace, err);
	s->max_containers = containers;
	s->grace_s = grace;
	return r;
}

static int read_file(struct serve_settings *s, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	const char *named = getenv("CTRACE_CONFIG");
	struct json_object *section;
	int r = document_read(AT_FDCWD, settings_path(), FILE_LIMIT, &object, err);

	if (r == -ENOENT && !(named && *named))
		return 0;
	if (r < 0)
		return r;
	if (!json_object_object_get_ex(object, "serve", &section))
		return 0;
	if (!json_object_is_type(section, json_type_object))
		return error_set(err, EINVAL, "\"serve\" in %s must be an object", settings_path());
	return read_section(section, s, err);
}

int serve_settings_load(const struct serve_options *o, struct serve_settings *ret, struct error *err)
{
	struct serve_settings s = { .max_containers = CONTAINERS_DEFAULT, .grace_s = GRACE_DEFAULT };
	int r;

	s.listen = xstrdup("127.0.0.1:9469");
	r = read_file(&s, err);
	if (r == 0 && o->listen) {
		free(s.listen);
		s.listen = xstrdup(o->listen);
	}
	if (r == 0 && o->otlp_endpoint) {
		free(s.otlp_endpoint);
		s.otlp_endpoint = xstrdup(o->otlp_endpoint);
	}
	s.cadvisor |= o->cadvisor;
	if (!strcmp(s.listen, "none")) {
		free(s.listen);
		s.listen = NULL;
	}
	if (r == 0 && s.listen)
		r = serve_http_check_address(s.listen, err);
	if (r < 0) {
		serve_settings_free(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void serve_settings_free(struct serve_settings *s)
{
	free(s->listen);
	free(s->otlp_endpoint);
	*s = (struct serve_settings){ 0 };
}
