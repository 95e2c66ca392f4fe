/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/values.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "engine/capability.h"
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
	int64_t value = 0;
	int digits = 0, fraction = -1;

	for (const char *p = text; *p; p++) {
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
	*ret = value;
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

static int volume_options(const char *options, const char *text, struct volume *v,
	struct error *err)
{
	static const char *const propagations[] = { "private", "rprivate", "shared", "rshared", "slave",
		"rslave" };
	/* z and Z relabel for SELinux, which ctrace does not use; nocopy is about named volumes */
	static const char *const ignored[] = { "rw", "z", "Z", "nocopy", "cached", "delegated",
		"consistent" };
	_cleanup_free_ char *copy = xstrdup(options);
	char *rest = copy, *word;

	while ((word = strsep(&rest, ","))) {
		bool known = !strcmp(word, "ro");

		v->read_only |= known;
		for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
			known |= !strcmp(word, ignored[i]);
		for (size_t i = 0; i < ARRAY_SIZE(propagations); i++) {
			if (strcmp(word, propagations[i]) != 0)
				continue;
			free(v->propagation);
			v->propagation = xstrdup(word);
			known = true;
		}
		if (!known)
			return error_set(err, EINVAL,
				"invalid volume specification: '%s': invalid mode: %s", text, word);
	}
	return 0;
}

int value_volume(const char *text, struct volume *ret, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *source = strsep(&rest, ":"), *destination = strsep(&rest, ":");
	struct volume v = { 0 };
	char resolved[4096];
	int r;

	if (!destination || !*source || !*destination)
		return error_set(err, EINVAL, "invalid volume specification: '%s': anonymous volumes are "
			"not supported, give SOURCE:DESTINATION", text);
	if (source[0] != '/' && source[0] != '.' && source[0] != '~')
		return error_set(err, EINVAL, "invalid volume specification: '%s': named volumes are not "
			"supported, give an absolute path (or ./%s)", text, source);
	if (destination[0] != '/')
		return error_set(err, EINVAL, "invalid volume specification: '%s': invalid mount path: "
			"'%s' mount path must be absolute", text, destination);
	if (!strcmp(destination, "/"))
		return error_set(err, EINVAL, "invalid volume specification: '%s': destination can't be "
			"'/'", text);
	r = rest ? volume_options(rest, text, &v, err) : 0;
	if (r < 0) {
		free(v.propagation);
		return r;
	}
	if (source[0] == '/')
		v.source = xstrdup(source);
	else
		v.source = realpath(source, resolved) ? xstrdup(resolved) : NULL;
	if (!v.source) {
		free(v.propagation);
		return error_errno(err, errno, "invalid volume specification: '%s'", text);
	}
	v.destination = xstrdup(destination);
	if (!v.propagation)
		v.propagation = xstrdup("rprivate");
	*ret = v;
	return 0;
}

int value_tmpfs(const char *text, struct tmpfs *ret, struct error *err)
{
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);

	if (text[0] != '/' || length < 2)
		return error_set(err, EINVAL, "invalid tmpfs specification: '%s': the path must be "
			"absolute and not '/'", text);
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
