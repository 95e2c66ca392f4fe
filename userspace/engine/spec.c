/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/capability.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static const char default_path[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

void spec_add_string(json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

void spec_add_int(json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

void spec_add_bool(json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

json_object *spec_words(const char *words)
{
	_cleanup_free_ char *copy = xstrdup(words);
	json_object *list = json_object_new_array();
	char *rest = copy, *word;

	while ((word = strsep(&rest, ","))) {
		if (*word)
			json_object_array_add(list, json_object_new_string(word));
	}
	return list;
}

const char *spec_user(const struct run_settings *s, const struct store_config *image)
{
	return s->user ? s->user : image ? image->user : "";
}

const char *spec_workdir(const struct run_settings *s, const struct store_config *image)
{
	const char *dir = s->workdir && *s->workdir ? s->workdir : image ? image->working_dir : "";

	return *dir ? dir : "/";
}

static void append_all(struct string_list *list, char *const *items)
{
	for (; items && *items; items++)
		string_list_add(list, xstrdup(*items));
}

int spec_args(const struct run_settings *s, const struct store_config *image,
	struct string_list *ret, struct error *err)
{
	*ret = (struct string_list){ 0 };
	if (s->entrypoint) {
		if (*s->entrypoint)
			string_list_add(ret, xstrdup(s->entrypoint));
	} else if (image) {
		append_all(ret, image->entrypoint);
	}
	if (s->args.count)
		append_all(ret, s->args.items);
	else if (image && !s->entrypoint)
		append_all(ret, image->cmd);
	if (ret->count == 0)
		return error_set(err, EINVAL, "No command specified: %s names none, give one behind it",
			s->source);
	return 0;
}

size_t spec_entrypoint_count(const struct run_settings *s, const struct store_config *image)
{
	size_t n = 0;

	if (s->entrypoint)
		return *s->entrypoint ? 1 : 0;
	while (image && image->entrypoint && image->entrypoint[n])
		n++;
	return n;
}

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

/* Replaces the variable of the same name, or appends. */
static void put_variable(struct string_list *env, const char *variable)
{
	size_t length = name_length(variable);

	for (size_t i = 0; i < env->count; i++) {
		if (name_length(env->items[i]) == length && !memcmp(env->items[i], variable, length)) {
			free(env->items[i]);
			env->items[i] = xstrdup(variable);
			return;
		}
	}
	string_list_add(env, xstrdup(variable));
}

static bool has_variable(const struct string_list *env, const char *name)
{
	for (size_t i = 0; i < env->count; i++) {
		if (name_length(env->items[i]) == strlen(name) && str_starts(env->items[i], name))
			return true;
	}
	return false;
}

json_object *spec_environment(const struct spec_input *in)
{
	_cleanup_(string_list_free) struct string_list env = { 0 };
	_cleanup_free_ char *hostname = xasprintf("HOSTNAME=%s", in->hostname);
	_cleanup_free_ char *home = xasprintf("HOME=%s", in->user->home);
	json_object *list = json_object_new_array();

	put_variable(&env, default_path);
	put_variable(&env, hostname);
	if (in->settings->terminal)
		put_variable(&env, "TERM=xterm");
	for (char **v = in->image ? in->image->env : NULL; v && *v; v++)
		put_variable(&env, *v);
	for (size_t i = 0; i < in->settings->file_env.count; i++)
		put_variable(&env, in->settings->file_env.items[i]);
	for (size_t i = 0; i < in->settings->env.count; i++)
		put_variable(&env, in->settings->env.items[i]);
	if (!has_variable(&env, "HOME"))
		put_variable(&env, home);
	for (size_t i = 0; i < env.count; i++)
		json_object_array_add(list, json_object_new_string(env.items[i]));
	return list;
}

/* Inheritable and ambient stay empty (CVE-2022-24769); who is not root keeps only the bounding set, as
 * after an execve(2) by that user. */
static json_object *capabilities(const struct spec_input *in)
{
	uint64_t bounding = capability_wanted(in->settings) & in->held;
	uint64_t effective = in->user->uid == 0 ? bounding : 0;
	json_object *o = json_object_new_object();

	json_object_object_add(o, "bounding", capability_list(bounding));
	json_object_object_add(o, "effective", capability_list(effective));
	json_object_object_add(o, "permitted", capability_list(effective));
	return o;
}

static json_object *user(const struct user_identity *u)
{
	json_object *o = json_object_new_object(), *groups = json_object_new_array();

	spec_add_int(o, "uid", u->uid);
	spec_add_int(o, "gid", u->gid);
	/* The primary group is among the supplementary ones, too: else a program could leave it by a setgid file and
	 * be none of its members where the group is denied what others may (CVE-2022-36109). */
	json_object_array_add(groups, json_object_new_int64(u->gid));
	for (size_t i = 0; i < u->group_count; i++) {
		if (u->groups[i] != u->gid)
			json_object_array_add(groups, json_object_new_int64(u->groups[i]));
	}
	json_object_object_add(o, "additionalGids", groups);
	return o;
}

static json_object *limits(const struct run_settings *s)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->ulimit_count; i++) {
		json_object *o = json_object_new_object();

		spec_add_string(o, "type", s->ulimits[i].name);
		json_object_object_add(o, "soft", json_object_new_uint64(s->ulimits[i].soft));
		json_object_object_add(o, "hard", json_object_new_uint64(s->ulimits[i].hard));
		json_object_array_add(list, o);
	}
	return list;
}

static int arguments(const struct spec_input *in, json_object **ret, struct error *err)
{
	_cleanup_(string_list_free) struct string_list args = { 0 };
	int r = spec_args(in->settings, in->image, &args, err);

	if (r < 0)
		return r;
	*ret = json_object_new_array();
	if (in->init) {
		json_object_array_add(*ret, json_object_new_string("/sbin/docker-init"));
		json_object_array_add(*ret, json_object_new_string("--"));
	}
	for (size_t i = 0; i < args.count; i++)
		json_object_array_add(*ret, json_object_new_string(args.items[i]));
	return 0;
}

static int process(const struct spec_input *in, json_object **ret, struct error *err)
{
	const struct run_settings *s = in->settings;
	json_object *args, *o;
	int r = arguments(in, &args, err);

	if (r < 0)
		return r;
	o = json_object_new_object();
	spec_add_bool(o, "terminal", s->terminal);
	json_object_object_add(o, "user", user(in->user));
	json_object_object_add(o, "args", args);
	json_object_object_add(o, "env", spec_environment(in));
	spec_add_string(o, "cwd", spec_workdir(s, in->image));
	json_object_object_add(o, "capabilities", capabilities(in));
	json_object_object_add(o, "rlimits", limits(s));
	spec_add_bool(o, "noNewPrivileges", s->no_new_privs);
	/* Lowering the score takes a privilege that ctrace may lack: only when it was asked for. */
	if (s->oom_score_adj != SETTING_UNSET)
		spec_add_int(o, "oomScoreAdj", s->oom_score_adj);
	*ret = o;
	return 0;
}

/* KEY=VALUE each; a later one replaces. */
static void add_pairs(json_object *o, const struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *pair = list->items[i];
		_cleanup_free_ char *key = xstrndup(pair, strcspn(pair, "="));

		spec_add_string(o, key, pair + strlen(key) + 1);
	}
}

static json_object *annotations(const struct spec_input *in)
{
	json_object *o = json_object_new_object();

	if (in->image) {
		for (size_t i = 0; i < in->image->label_count; i++)
			spec_add_string(o, in->image->labels[i].key, in->image->labels[i].value);
	}
	add_pairs(o, &in->settings->labels);
	add_pairs(o, &in->settings->annotations);
	if (in->settings->stop_signal)
		spec_add_string(o, "org.opencontainers.image.stopSignal", in->settings->stop_signal);
	if (in->name)
		spec_add_string(o, "ctrace.name", in->name);
	spec_add_string(o, "ctrace.image", in->settings->source);
	return o;
}

/* In a network of its own a container may bind low ports and ping without a capability, as with docker;
 * what somebody set by hand stays. */
static void add_network_sysctls(const struct spec_input *in, json_object *linux_)
{
	static const char *const defaults[][2] = { { "net.ipv4.ip_unprivileged_port_start", "0" },
		{ "net.ipv4.ping_group_range", "0 2147483647" } };
	json_object *sysctl = json_object_object_get(linux_, "sysctl");

	if (in->settings->network == NETWORK_HOST || in->settings->network == NETWORK_CONTAINER)
		return;
	if (!sysctl) {
		sysctl = json_object_new_object();
		json_object_object_add(linux_, "sysctl", sysctl);
	}
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		if (!json_object_object_get_ex(sysctl, defaults[i][0], NULL))
			spec_add_string(sysctl, defaults[i][0], defaults[i][1]);
	}
}

int spec_build(const struct spec_input *in, json_object **ret, struct error *err)
{
	json_object *config = json_object_new_object(), *part;
	int r;

	spec_add_string(config, "ociVersion", "1.0.2");
	r = process(in, &part, err);
	if (r < 0)
		goto fail;
	json_object_object_add(config, "process", part);
	part = json_object_new_object();
	spec_add_string(part, "path", in->rootfs);
	spec_add_bool(part, "readonly", in->settings->read_only);
	json_object_object_add(config, "root", part);
	if (!in->settings->uts_mode) /* else it is the host's, which is not ours to set */
		spec_add_string(config, "hostname", in->hostname);
	if (in->settings->domainname && !in->settings->uts_mode)
		spec_add_string(config, "domainname", in->settings->domainname);
	r = spec_mounts(in, &part, err);
	if (r < 0)
		goto fail;
	json_object_object_add(config, "mounts", part);
	json_object_object_add(config, "annotations", annotations(in));
	r = spec_linux(in, &part, err);
	if (r < 0)
		goto fail;
	json_object_object_add(config, "linux", part);
	add_network_sysctls(in, part);
	*ret = config;
	return 0;
fail:
	json_object_put(config);
	return r;
}
