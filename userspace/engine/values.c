/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/capability.h"
#include "engine/image/tree.h"
#include "engine/tmpfs_options.h"
#include "engine/volumes.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { CPU_LIMIT = 8192, ENV_LINE_MAX = 1 << 20, ENV_LINES_MAX = 65536 };

int value_bytes(const char *text, int64_t *ret, struct error *err)
{
	static const char units[] = "kmgtp";
	const char *unit;
	double number;
	char *end;
	int shift = 0;

	/* strtod also reads "inf", "nan" and hexadecimal, which are no sizes */
	if (!isdigit((unsigned char)text[0]) || strspn(text, "0123456789.") == 0 ||
		(text[0] == '0' && tolower((unsigned char)text[1]) == 'x'))
		return error_set(err, EINVAL, "invalid size: '%s'", text);
	number = strtod(text, &end);
	while (*end == ' ')
		end++;
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	if (unit) {
		shift = 10 * (int)(unit - units + 1);
		end++;
		if (tolower((unsigned char)*end) == 'i')
			end++;
	}
	if (tolower((unsigned char)*end) == 'b')
		end++;
	number *= (double)(1ULL << shift);
	if (*end || number >= 9.2e18)
		return error_set(err, EINVAL, "invalid size: '%s'", text);
	*ret = (int64_t)number;
	return 0;
}

int value_cpus(const char *text, int64_t *ret, struct error *err)
{
	int64_t value = 0, sign = *text == '-' ? -1 : 1;
	int digits = 0, fraction = -1;

	for (const char *p = text + (sign < 0); *p; p++) {
		if (*p == '.' && fraction < 0) {
			fraction = 0;
			continue;
		}
		if (!isdigit((unsigned char)*p) || value > 1000000000000000LL)
			return error_set(err, EINVAL, "failed to parse %s as a rational number", text);
		if (fraction >= 9 && *p != '0')
			return error_set(err, EINVAL, "value is too precise");
		digits++;
		if (fraction >= 9)
			continue;
		value = value * 10 + (*p - '0');
		fraction += fraction >= 0;
	}
	if (!digits)
		return error_set(err, EINVAL, "failed to parse %s as a rational number", text);
	for (int i = fraction < 0 ? 0 : fraction; i < 9; i++) {
		if (__builtin_mul_overflow(value, 10, &value))
			return error_set(err, ERANGE, "the value is out of range");
	}
	*ret = sign * value;
	return 0;
}

int value_integer(const char *text, int64_t *ret, struct error *err)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || *end || isspace((unsigned char)*text) || value == SETTING_UNSET)
		return error_set(err, EINVAL, "parsing \"%s\": invalid syntax", text);
	*ret = value;
	return 0;
}

int value_bool(const char *text, bool *ret, struct error *err)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
			*ret = !strcmp(text, yes[i]);
			return 0;
		}
	}
	return error_set(err, EINVAL, "parsing \"%s\": invalid syntax", text);
}

static int parse_cpu_list(const char *text, bool set[CPU_LIMIT])
{
	memset(set, 0, CPU_LIMIT * sizeof(*set));
	for (const char *p = text;; p++) {
		unsigned long first, last;
		char *end;

		if (!isdigit((unsigned char)*p))
			return -EINVAL;
		first = last = strtoul(p, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return -EINVAL;
			last = strtoul(end + 1, &end, 10);
		}
		if (first > last || last >= CPU_LIMIT)
			return -EINVAL;
		for (unsigned long i = first; i <= last; i++)
			set[i] = true;
		if (!*end)
			return 0;
		if (*end != ',')
			return -EINVAL;
		p = end;
	}
}

int value_cpuset_within(const char *list, const char *online)
{
	bool wanted[CPU_LIMIT], have[CPU_LIMIT];

	if (parse_cpu_list(list, wanted) < 0)
		return -EINVAL;
	if (parse_cpu_list(online, have) < 0)
		return -ERANGE;
	for (size_t i = 0; i < CPU_LIMIT; i++) {
		if (wanted[i] && !have[i])
			return -ERANGE;
	}
	return 0;
}

int value_signal(const char *text, int *ret, struct error *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	int64_t number;

	if (isdigit((unsigned char)*text) && value_integer(text, &number, NULL) == 0 && number >= 1 &&
		number <= 64) {
		*ret = (int)number;
		return 0;
	}
	for (int i = 1; i < SIGRTMIN; i++) {
		const char *abbreviation = sigabbrev_np(i);

		if (abbreviation && !strcasecmp(abbreviation, name)) {
			*ret = i;
			return 0;
		}
	}
	return error_set(err, EINVAL, "Invalid signal: %s", text);
}

int value_capability(const char *text, char **ret, struct error *err)
{
	char name[64];
	size_t length = strlen(text);

	if (length > 40)
		return error_set(err, EINVAL, "invalid capability: \"%.40s\"", text);
	snprintf(name, sizeof(name), "%s%s", strncasecmp(text, "CAP_", 4) ? "CAP_" : "", text);
	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	if (!strcmp(name, "CAP_ALL")) {
		*ret = xstrdup("ALL");
		return 0;
	}
	if (capability_number(name) < 0)
		return error_set(err, EINVAL, "invalid capability: \"%s\"", text);
	*ret = xstrdup(name);
	return 0;
}

static const char *const limit_names[][2] = {
	{ "as", "RLIMIT_AS" }, { "core", "RLIMIT_CORE" }, { "cpu", "RLIMIT_CPU" },
	{ "data", "RLIMIT_DATA" }, { "fsize", "RLIMIT_FSIZE" }, { "locks", "RLIMIT_LOCKS" },
	{ "memlock", "RLIMIT_MEMLOCK" }, { "msgqueue", "RLIMIT_MSGQUEUE" }, { "nice", "RLIMIT_NICE" },
	{ "nofile", "RLIMIT_NOFILE" }, { "nproc", "RLIMIT_NPROC" }, { "rss", "RLIMIT_RSS" },
	{ "rtprio", "RLIMIT_RTPRIO" }, { "rttime", "RLIMIT_RTTIME" },
	{ "sigpending", "RLIMIT_SIGPENDING" }, { "stack", "RLIMIT_STACK" },
};

static int parse_limit(const char *text, uint64_t *ret, struct error *err)
{
	int64_t value;

	if (!strcmp(text, "unlimited") || !strcmp(text, "-1")) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (value_integer(text, &value, err) < 0)
		return -EINVAL;
	if (value < 0)
		return error_set(err, EINVAL, "a limit of %s is below zero", text);
	*ret = (uint64_t)value;
	return 0;
}

int value_ulimit(const char *text, struct ulimit *ret, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *equals = strchr(copy, '='), *colon;
	struct ulimit limit = { 0 };

	if (!equals)
		return error_set(err, EINVAL, "invalid ulimit argument: %s", text);
	*equals = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(limit_names); i++) {
		if (!strcmp(copy, limit_names[i][0]))
			limit.name = limit_names[i][1];
	}
	if (!limit.name)
		return error_set(err, EINVAL, "invalid ulimit type: %s", copy);
	colon = strchr(equals + 1, ':');
	if (colon)
		*colon = '\0';
	if (parse_limit(equals + 1, &limit.soft, err) < 0)
		return -EINVAL;
	limit.hard = limit.soft;
	if (colon && parse_limit(colon + 1, &limit.hard, err) < 0)
		return -EINVAL;
	if (limit.soft > limit.hard)
		return error_set(err, EINVAL, "ulimit soft limit must be less than or equal to hard "
			"limit: %s > %s", equals + 1, colon ? colon + 1 : "");
	*ret = limit;
	return 0;
}

static bool valid_access(const char *access)
{
	size_t length = strlen(access);

	if (length < 1 || length > 3 || strspn(access, "rwm") != length)
		return false;
	return !(length > 1 && strchr(access + 1, access[0])) && !(length > 2 && access[1] == access[2]);
}

int value_device(const char *text, struct device_setting *ret, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *parts[3] = { NULL }, *rest = copy;
	size_t count = 0;
	const char *container, *access = "rwm";

	while (rest && count < 3)
		parts[count++] = strsep(&rest, ":");
	container = parts[0];
	if (count == 2 && valid_access(parts[1])) {
		access = parts[1];
	} else if (count >= 2) {
		container = parts[1];
	}
	if (count == 3)
		access = parts[2];
	if (rest || parts[0][0] != '/' || container[0] != '/')
		return error_set(err, EINVAL, "invalid device specification: %s", text);
	if (!valid_access(access))
		return error_set(err, EINVAL, "invalid device mode: %s", access);
	ret->host = xstrdup(parts[0]);
	ret->container = xstrdup(container);
	snprintf(ret->access, sizeof(ret->access), "%s", access);
	return 0;
}

/* One word of a volume's mode; none of two of a kind, as docker has it. Returns false where there is such a word already. */
static bool volume_word(const char *word, unsigned *kinds, struct volume *v)
{
	/* z and Z relabel for SELinux, and the consistencies are macOS's: ctrace uses neither */
	static const struct {
		const char *word;
		enum { ACCESS, LABEL, CONSISTENCY, COPY, PROPAGATION } kind;
	} words[] = {
		{ "ro", ACCESS }, { "rw", ACCESS }, { "z", LABEL }, { "Z", LABEL }, { "cached", CONSISTENCY },
		{ "delegated", CONSISTENCY }, { "consistent", CONSISTENCY }, { "nocopy", COPY },
		{ "private", PROPAGATION }, { "rprivate", PROPAGATION }, { "shared", PROPAGATION },
		{ "rshared", PROPAGATION }, { "slave", PROPAGATION }, { "rslave", PROPAGATION },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i].word) != 0)
			continue;
		if (*kinds & 1U << words[i].kind)
			return false;
		*kinds |= 1U << words[i].kind;
		v->read_only |= !strcmp(word, "ro");
		v->no_copy |= words[i].kind == COPY;
		if (words[i].kind == PROPAGATION)
			v->propagation = xstrdup(word);
		return true;
	}
	return false;
}

static int volume_options(const char *options, const char *text, struct volume *v,
	struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(options);
	char *rest = copy, *word;
	unsigned kinds = 0;

	while ((word = strsep(&rest, ","))) {
		if (!volume_word(word, &kinds, v))
			return error_set(err, EINVAL,
				"invalid volume specification: '%s': invalid mode: %s", text, options);
	}
	return 0;
}

static int check_destination(const char *destination, const char *text, struct error *err)
{
	if (destination[0] != '/')
		return error_set(err, EINVAL, "invalid volume specification: '%s': invalid mount path: "
			"'%s' mount path must be absolute", text, destination);
	if (!strcmp(destination, "/"))
		return error_set(err, EINVAL, "invalid volume specification: '%s': destination can't be "
			"'/'", text);
	return 0;
}

/* "./data" from where the caller is, whether it is there or not; NULL: that place has no name. The caller's. */
static char *absolute_path(const char *path)
{
	_cleanup_free_ char *here = getcwd(NULL, 0), *joined = here ? tree_join(here, path) : NULL;

	return joined ? xasprintf("/%s", joined) : NULL;
}

/* A path of the host, which need not be there, else a volume's name. */
static int set_volume_source(const char *source, const char *text, struct volume *v, struct error *err)
{
	if (source[0] == '.') {
		v->source = absolute_path(source);
		if (!v->source)
			return error_errno(err, errno, "invalid volume specification: '%s': this directory has no name", text);
	} else if (source[0] == '/') {
		v->source = xstrdup(source);
	} else if (volume_name_is_valid(source)) {
		v->name = xstrdup(source);
	} else {
		return error_set(err, EINVAL, "create %s: \"%s\" includes invalid characters for a local "
			"volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to "
			"pass a host directory, use absolute path", source, source);
	}
	return 0;
}

static void free_volume(struct volume *v)
{
	free(v->source);
	free(v->name);
	free(v->destination);
	free(v->propagation);
}

/* "/DST": a volume without a name; "SRC:DST[:OPTIONS]". */
int value_volume(const char *text, struct volume *ret, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *source = strsep(&rest, ":"), *destination = strsep(&rest, ":");
	struct volume v = { 0 };
	int r = 0;

	if (!destination) {
		destination = source;
		source = NULL;
	}
	if (!*destination || (source && !*source))
		return error_set(err, EINVAL, "invalid volume specification: '%s': invalid volume "
			"specification: it is [SOURCE:]DESTINATION[:OPTIONS]", text);
	r = check_destination(destination, text, err);
	if (r == 0 && rest)
		r = volume_options(rest, text, &v, err);
	if (r == 0 && source)
		r = set_volume_source(source, text, &v, err);
	if (r < 0) {
		free_volume(&v);
		return r;
	}
	v.destination = xstrdup(destination);
	if (!v.propagation)
		v.propagation = xstrdup("rprivate");
	*ret = v;
	return 0;
}

/* ---- --mount ---- */

struct mount_fields {
	const char *type, *source, *target, *propagation, *size, *mode;
	bool read_only, no_copy, not_recursive;
};

static int mount_field(char *word, struct mount_fields *f, struct error *err)
{
	char *value = strchr(word, '=');
	const struct {
		const char *name, **to;
	} texts[] = { { "type", &f->type }, { "source", &f->source }, { "src", &f->source },
		{ "target", &f->target }, { "destination", &f->target }, { "dst", &f->target },
		{ "bind-propagation", &f->propagation }, { "tmpfs-size", &f->size },
		{ "tmpfs-mode", &f->mode } };
	const struct {
		const char *name;
		bool *to;
	} flags[] = { { "readonly", &f->read_only }, { "ro", &f->read_only },
		{ "volume-nocopy", &f->no_copy }, { "bind-nonrecursive", &f->not_recursive } };

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!strcmp(word, flags[i].name))
			return value ? value_bool(value, flags[i].to, err) : (*flags[i].to = true, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(word, texts[i].name) != 0)
			continue;
		if (!value)
			return error_set(err, EINVAL, "invalid field '%s' must be a key=value pair", word);
		*texts[i].to = value;
		return 0;
	}
	if (!strcmp(word, "volume-driver") && value && !strcmp(value, "local"))
		return 0;
	return error_set(err, EINVAL, "unexpected key '%s' in a --mount of ctrace", word);
}

static int mount_tmpfs(const struct mount_fields *f, struct tmpfs *ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf options = { 0 };
	int64_t size;

	if (f->source)
		return error_set(err, EINVAL, "cannot specify 'source' for type tmpfs");
	if (f->size && value_bytes(f->size, &size, err) < 0)
		return error_prefix(err, "invalid value for tmpfs-size: %s", f->size);
	if (f->mode && strspn(f->mode, "01234567") != strlen(f->mode))
		return error_set(err, EINVAL, "invalid value for tmpfs-mode: %s", f->mode);
	if (f->size)
		strbuf_printf(&options, ",size=%lld", (long long)size);
	if (f->mode)
		strbuf_printf(&options, ",mode=%s", f->mode);
	if (f->read_only)
		strbuf_puts(&options, ",ro");
	ret->destination = xstrdup(f->target);
	ret->options = xstrdup(options.length ? options.text + 1 : "");
	return 0;
}

/* Of a bind mount or a volume: what only another type has. */
static int mixed_fields(const struct mount_fields *f, struct error *err)
{
	bool bind = f->type && !strcmp(f->type, "bind");
	const char *prefix = f->size || f->mode ? "tmpfs" : bind && f->no_copy ? "volume" : !bind && (f->propagation || f->not_recursive) ? "bind" : NULL;

	return !prefix ? 0 : error_set(err, EINVAL, "cannot mix '%s-*' options with mount type '%s'", prefix, bind ? "bind" : "volume");
}

static int mount_volume(const struct mount_fields *f, const char *text, struct volume *ret,
	struct error *err)
{
	bool bind = f->type && !strcmp(f->type, "bind");
	struct volume v = { .read_only = f->read_only, .no_copy = f->no_copy, .must_exist = bind,
		.not_recursive = f->not_recursive };
	_cleanup_free_ char *source = bind && f->source && f->source[0] == '.' ? absolute_path(f->source) : NULL;
	int r = mixed_fields(f, err);

	if (r < 0)
		return r;
	if (!source && f->source)
		source = xstrdup(f->source);
	if (bind && (!source || source[0] != '/'))
		return error_set(err, EINVAL, "invalid mount config for type \"bind\": invalid mount path: "
			"'%s' mount path must be absolute", source ? source : "");
	if (bind && access(source, F_OK) < 0)
		return error_set(err, EINVAL, "invalid mount config for type \"bind\": bind source path does "
			"not exist: %s", source);
	if (!bind && f->source && *f->source && !volume_name_is_valid(f->source))
		return error_set(err, EINVAL, "create %s: \"%s\" includes invalid characters for a local "
			"volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed", f->source, f->source);
	if (f->propagation)
		r = volume_options(f->propagation, text, &v, err);
	if (r < 0) {
		free_volume(&v);
		return r;
	}
	if (source && *source)
		*(bind ? &v.source : &v.name) = steal_ptr(source);
	v.destination = xstrdup(f->target);
	if (!v.propagation)
		v.propagation = xstrdup("rprivate");
	*ret = v;
	return 0;
}

int value_mount(const char *text, struct volume *ret_volume, struct tmpfs *ret_tmpfs, bool *ret_is_tmpfs,
	struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	struct mount_fields f = { 0 };
	char *rest = copy, *word;
	int r = 0;

	while (r == 0 && (word = strsep(&rest, ",")))
		r = mount_field(word, &f, err);
	if (r < 0)
		return r;
	if (!f.target)
		return error_set(err, EINVAL, "invalid mount config: field Target must not be empty");
	r = check_destination(f.target, text, err);
	if (r < 0)
		return r;
	*ret_is_tmpfs = f.type && !strcmp(f.type, "tmpfs");
	if (*ret_is_tmpfs)
		return mount_tmpfs(&f, ret_tmpfs, err);
	if (f.type && strcmp(f.type, "bind") != 0 && strcmp(f.type, "volume") != 0)
		return error_set(err, EOPNOTSUPP, "mount type %s is not supported: bind, volume and tmpfs are",
			f.type);
	return mount_volume(&f, text, ret_volume, err);
}

int value_volumes_from(const char *text, size_t *ret_length, bool *ret_read_only, struct error *err)
{
	size_t length = strcspn(text, ":");
	const char *mode = text[length] ? text + length + 1 : "rw";

	if (!length)
		return error_set(err, EINVAL, "it is CONTAINER[:ro|rw], and no container is named");
	if (strcmp(mode, "ro") != 0 && strcmp(mode, "rw") != 0)
		return error_set(err, EINVAL, "invalid mode: %s: it is ro or rw", mode);
	*ret_length = length;
	*ret_read_only = !strcmp(mode, "ro");
	return 0;
}

int value_restart(const char *text, enum restart_policy *ret, int64_t *ret_max, struct error *err)
{
	static const char *const names[] = { "no", "on-failure", "always", "unless-stopped" };
	size_t length = strcspn(text, ":");
	const char *max = text[length] ? text + length + 1 : NULL;

	*ret_max = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) != length || memcmp(names[i], text, length) != 0)
			continue;
		*ret = (enum restart_policy)i;
		if (!max)
			return 0;
		if (i != RESTART_ON_FAILURE)
			return error_set(err, EINVAL, "maximum retry count cannot be used with restart "
				"policy '%s'", names[i]);
		if (value_integer(max, ret_max, NULL) < 0)
			return error_set(err, EINVAL, "maximum retry count must be an integer: '%s'", max);
		if (*ret_max < 0)
			return error_set(err, EINVAL, "maximum retry count cannot be negative: '%s'", max);
		return 0;
	}
	if (!*text) {
		*ret = RESTART_NO;
		return 0;
	}
	return error_set(err, EINVAL, "invalid restart policy '%s'", text);
}

/* A number or "*"; false: neither. */
static bool device_number(const char *text, size_t length, int64_t *ret)
{
	if (length == 1 && *text == '*') {
		*ret = -1;
		return true;
	}
	*ret = 0;
	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		*ret = *ret * 10 + (text[i] - '0');
	}
	return length > 0 && length <= 9;
}

int value_device_rule(const char *text, struct device_rule *ret, struct error *err)
{
	const char *numbers = text + 2;
	size_t major = strlen(text) > 2 ? strcspn(numbers, ":") : 0, minor, access;

	if (!major || !strchr("acb", text[0]) || text[1] != ' ' || !numbers[major])
		goto invalid;
	minor = strcspn(numbers + major + 1, " ");
	if (!numbers[major + 1 + minor])
		goto invalid;
	access = major + 1 + minor + 1;
	*ret = (struct device_rule){ .type = { text[0] } };
	if (!device_number(numbers, major, &ret->major) || !device_number(numbers + major + 1, minor, &ret->minor))
		goto invalid;
	if (strlen(numbers + access) - 1 > 2 || strspn(numbers + access, "rwm") != strlen(numbers + access))
		goto invalid;
	strcpy(ret->access, numbers + access);
	return 0;
invalid:
	return error_set(err, EINVAL, "invalid device cgroup format '%s': it is TYPE MAJOR:MINOR ACCESS, as 'c 42:* rmw'",
		text);
}

int value_host_entry(const char *text, char **ret, struct error *err)
{
	size_t name = strcspn(text, strchr(text, '=') ? "=" : ":"), length;
	_cleanup_free_ char *address = NULL;
	struct in_addr v4;
	struct in6_addr v6;

	if (!name || !text[name])
		return error_set(err, EINVAL, "bad format for add-host: \"%s\"", text);
	address = xstrdup(text + name + 1);
	length = strlen(address);
	if (address[0] == '[' && length > 2 && address[length - 1] == ']') {
		address[length - 1] = '\0';
		memmove(address, address + 1, length - 1);
	}
	if (strcmp(address, "host-gateway") != 0 && inet_pton(AF_INET, address, &v4) != 1 && inet_pton(AF_INET6, address, &v6) != 1)
		return error_set(err, EINVAL, "invalid IP address in add-host: \"%s\"", address);
	*ret = xasprintf("%.*s:%s", (int)name, text, address);
	return 0;
}

int value_tmpfs(const char *text, struct tmpfs *ret, struct error *err)
{
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);
	int r;

	if (text[0] != '/' || length < 2)
		return error_set(err, EINVAL, "invalid tmpfs specification: '%s': the path must be "
			"absolute and not '/'", text);
	r = tmpfs_options_check(colon ? colon + 1 : "", err);
	if (r < 0)
		return r;
	ret->destination = xstrndup(text, length);
	ret->options = xstrdup(colon ? colon + 1 : "");
	return 0;
}

int value_env(const char *text, struct string_list *env, struct error *err)
{
	const char *own;

	if (!*text || *text == '=')
		return error_set(err, EINVAL, "invalid environment variable: %s", text);
	if (strchr(text, '=')) {
		string_list_add(env, xstrdup(text));
		return 0;
	}
	own = getenv(text);
	if (own)
		string_list_add(env, xasprintf("%s=%s", text, own));
	return 0;
}

/* One line without its end; docker refuses names with white space. */
static int env_line(const char *path, char *line, struct string_list *env, struct error *err)
{
	size_t name;

	while (isspace((unsigned char)*line))
		line++;
	if (!*line || *line == '#')
		return 0;
	name = strcspn(line, "=");
	for (size_t i = 0; i < name; i++) {
		if (isspace((unsigned char)line[i]))
			return error_set(err, EINVAL, "poorly formatted environment: variable '%.*s' "
				"contains whitespaces (in %s)", (int)name, line, path);
	}
	if (name == 0)
		return error_set(err, EINVAL, "poorly formatted environment: no variable name on line "
			"'%s' (in %s)", line, path);
	return value_env(line, env, err);
}

int value_env_file(const char *path, struct string_list *env, struct error *err)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0, lines = 0;
	struct stat st;
	ssize_t length;
	int r = 0;

	if (!f)
		return error_errno(err, errno, "open %s", path);
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
		return error_errno(err, EISDIR, "read %s", path);
	while (r == 0 && (length = getline(&line, &size, f)) >= 0) {
		if (length > ENV_LINE_MAX || ++lines > ENV_LINES_MAX)
			return error_set(err, E2BIG, "%s is too long for an environment", path);
		line[strcspn(line, "\r\n")] = '\0';
		r = env_line(path, line, env, err);
	}
	return r;
}
