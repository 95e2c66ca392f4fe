/* SPDX-License-Identifier: Apache-2.0 */
#include "timeline/identify.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bpf/event_types.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* Options of runc, crun and youki that take a value, before and after the verb. */
static const char *const valued_options[] = {
	"root", "log", "log-format", "log-level", "criu", "rootless", "cgroup-manager", "config",
	"bundle", "b", "console-socket", "pid-file", "preserve-fds", "file",
	"cwd", "env", "e", "user", "u", "additional-gids", "g", "process", "p", "process-label",
	"apparmor", "cap", "c", "cgroup", "format", "image-path", "work-path", "parent-path",
	"resources", "r", "memory", "memory-swap", "memory-reservation", "cpu-share", "cpu-quota",
	"cpu-period", "cpuset-cpus", "cpuset-mems", "pids-limit", "blkio-weight", "kernel-memory",
	"l3-cache-schema", "mem-bw-schema", "interval", "cpu-rt-period", "cpu-rt-runtime", "kernel-memory-tcp",
	"lsm-profile", "lsm-mount-context", "manage-cgroups-mode", "empty-ns", "page-server", "status-fd",
};

static const struct {
	const char *name;
	enum verb verb;
} verbs[] = {
	{ "create", VERB_CREATE }, { "run", VERB_CREATE }, { "restore", VERB_CREATE },
	{ "start", VERB_START }, { "exec", VERB_EXEC }, { "kill", VERB_KILL },
	{ "delete", VERB_DELETE }, { "state", VERB_OTHER }, { "ps", VERB_OTHER },
	{ "pause", VERB_OTHER }, { "resume", VERB_OTHER }, { "update", VERB_OTHER },
	{ "events", VERB_OTHER }, { "checkpoint", VERB_OTHER },
};

static bool takes_value(const char *option, enum verb verb)
{
	if (!strcmp(option, "f")) /* crun's --config and --format; --force of both */
		return verb != VERB_DELETE;
	for (size_t i = 0; i < ARRAY_SIZE(valued_options); i++) {
		if (!strcmp(option, valued_options[i]))
			return true;
	}
	return false;
}

static enum verb find_verb(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!strcmp(word, verbs[i].name))
			return verbs[i].verb;
	}
	return VERB_NONE;
}

static void copy(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}

/* Empty strings; the rest of their room is no business of anyone. */
static void forget(struct identity *who)
{
	who->verb = VERB_NONE;
	who->id[0] = who->name[0] = who->namespace_[0] = who->bundle[0] = who->root[0] = '\0';
}

static void keep_option(const char *name, const char *value, struct identity *ret)
{
	if (!strcmp(name, "bundle") || !strcmp(name, "b"))
		copy(ret->bundle, sizeof(ret->bundle), value);
	else if (!strcmp(name, "root"))
		copy(ret->root, sizeof(ret->root), value);
}

/* Letters behind one dash, the last of which takes a value: crun run -db DIR. */
static const char *last_letter(const char *letters, enum verb verb)
{
	for (; *letters && letters[1]; letters++) {
		if (takes_value((char[]){ *letters, '\0' }, verb)) /* what follows is its value */
			return "";
	}
	return letters;
}

/* One option at argv[*i]; moves *i over its value, if it has one. Keeps --bundle and --root. */
static void skip_option(char *const argv[], size_t *i, struct identity *ret)
{
	const char *name = argv[*i] + 1;
	const char *equals, *letter;
	bool is_long = *name == '-';
	char bare[64];

	name += is_long;
	equals = strchr(name, '=');
	snprintf(bare, sizeof(bare), "%.*s", equals ? (int)(equals - name) : (int)sizeof(bare) - 1, name);
	if (equals) {
		keep_option(bare, equals + 1, ret);
		return;
	}
	letter = is_long || takes_value(bare, ret->verb) ? bare : last_letter(bare, ret->verb);
	if (!takes_value(letter, ret->verb) || !argv[*i + 1])
		return;
	(*i)++;
	keep_option(letter, argv[*i], ret);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The first word behind which words are missing; the count of words where none are. */
static size_t find_gap(char *const argv[], bool cut)
{
	size_t i = 0;

	while (argv[i] && !(cut && strstr(argv[i], EVENT_ARGV_CUT)))
		i++;
	return i;
}

/* What makes a container has its id as the last word. */
static void take_last(char *const argv[], size_t gap, struct identity *ret)
{
	size_t last = gap;

	while (argv[last] && argv[last + 1])
		last++;
	if (ret->verb == VERB_CREATE && last > gap)
		copy(ret->id, sizeof(ret->id), argv[last]);
}

/* Words first up to, not including, end, until there is an id. Returns false where they are no container command. stray: one that
 * may be anything, as the value of an option that is missing. */
static bool read_words(char *const argv[], size_t first, size_t end, size_t stray, struct identity *ret)
{
	bool options = true; /* may come yet */

	for (size_t i = first; i < end && argv[i] && !ret->id[0]; i++) {
		if (options && !strcmp(argv[i], "--")) {
			options = ret->verb == VERB_NONE; /* the verb has its own */
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			skip_option(argv, &i, ret);
		} else if (ret->verb != VERB_NONE) {
			copy(ret->id, sizeof(ret->id), argv[i]);
			return ret->id[0] != '\0';
		} else {
			ret->verb = find_verb(argv[i]);
			if (ret->verb == VERB_NONE && i != stray)
				return false;
		}
	}
	return true;
}

bool identify_runtime(char *const argv[], bool cut, struct identity *ret)
{
	size_t first = 1, gap = find_gap(argv, cut);

	forget(ret);
	if (!argv[0])
		return false;
	if (!strcmp(base_name(argv[0]), "ctrace")) { /* `ctrace run` names an image; `ctrace oci` is the runtime */
		if (!argv[1] || strcmp(argv[1], "oci") != 0)
			return false;
		first = 2;
	}
	if (!read_words(argv, first, gap, 0, ret))
		return false;
	if (ret->verb == VERB_NONE && argv[gap]) /* the runtime's own options were long */
		read_words(argv, gap + 1, SIZE_MAX, gap + 1, ret);
	else if (!ret->id[0])
		take_last(argv, gap, ret);
	return ret->id[0] != '\0';
}

bool identify_shim(char *const argv[], struct identity *ret)
{
	forget(ret);
	ret->verb = VERB_START;
	for (size_t i = 1; argv[0] && argv[i]; i++) {
		const char *word = argv[i];
		const char *value = argv[i + 1];

		if (!strcmp(word, "start"))
			ret->verb = VERB_CREATE;
		else if (!strcmp(word, "delete"))
			ret->verb = VERB_DELETE;
		if (word[0] != '-' || !value)
			continue;
		word += word[1] == '-' ? 2 : 1;
		if (!strcmp(word, "id"))
			copy(ret->id, sizeof(ret->id), value);
		else if (!strcmp(word, "namespace"))
			copy(ret->namespace_, sizeof(ret->namespace_), value);
		else if (!strcmp(word, "bundle"))
			copy(ret->bundle, sizeof(ret->bundle), value);
		else
			continue;
		i++;
	}
	return ret->id[0] != '\0';
}

bool identify_conmon(char *const argv[], struct identity *ret)
{
	forget(ret);
	ret->verb = VERB_CREATE;
	for (size_t i = 1; argv[0] && argv[i]; i++) {
		const char *word = argv[i];
		const char *value = argv[i + 1];

		if (!strcmp(word, "-e") || !strcmp(word, "--exec") || !strcmp(word, "--exec-attach"))
			ret->verb = VERB_EXEC;
		if (!value)
			break;
		if (!strcmp(word, "-c") || !strcmp(word, "--cid"))
			copy(ret->id, sizeof(ret->id), value);
		else if (!strcmp(word, "-n") || !strcmp(word, "--name"))
			copy(ret->name, sizeof(ret->name), value);
		else if (!strcmp(word, "-b") || !strcmp(word, "--bundle"))
			copy(ret->bundle, sizeof(ret->bundle), value);
		else
			continue;
		i++;
	}
	return ret->id[0] != '\0';
}

static bool all_hex(const char *s, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	}
	return true;
}

bool identify_is_hex_id(const char *s, size_t length)
{
	return length == 64 && all_hex(s, length);
}

/* PREFIX + 64 hex digits + SUFFIX, as the systemd and cgroupfs drivers name a container's cgroup. */
static const struct {
	const char *prefix, *suffix, *engine;
} hex_patterns[] = {
	{ "docker-", ".scope", "docker" },
	{ "libpod-", ".scope", "podman" },
	{ "libpod-", "", "podman" },
	{ "cri-containerd-", ".scope", "containerd" },
	{ "nerdctl-", ".scope", "containerd" },
	{ "crio-", ".scope", "cri-o" },
	{ "crio-", "", "cri-o" },
};

static bool match_hex(const char *name, size_t length, struct cgroup_identity *ret)
{
	for (size_t i = 0; length > 64 && i < ARRAY_SIZE(hex_patterns); i++) {
		size_t prefix = strlen(hex_patterns[i].prefix), suffix = strlen(hex_patterns[i].suffix);

		if (length != prefix + 64 + suffix || memcmp(name, hex_patterns[i].prefix, prefix) ||
			memcmp(name + length - suffix, hex_patterns[i].suffix, suffix) ||
			!all_hex(name + prefix, 64))
			continue;
		ret->id = name + prefix;
		ret->id_length = 64;
		ret->engine = hex_patterns[i].engine;
		return true;
	}
	return false;
}

/* A whole component as the id, by the name of the component above it. */
static const struct {
	const char *parent;
	bool hex; /* only 64 hex digits count */
	const char *engine;
} parent_patterns[] = {
	{ "docker", true, "docker" },   { "ctrace", true, "ctrace" },
	{ "lxc", false, "lxc" },        { "buildkit", false, "buildkit" },
	{ "actions_job", true, "docker" },
};

/* NAME from lxc.payload.NAME or machine-NAME.scope. */
static bool match_named(const char *name, size_t length, struct cgroup_identity *ret)
{
	static const struct {
		const char *prefix, *suffix, *engine;
	} named[] = {
		{ "lxc.payload.", "", "lxc" },
		{ "machine-", ".scope", "systemd-nspawn" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		size_t prefix = strlen(named[i].prefix), suffix = strlen(named[i].suffix);

		if (length <= prefix + suffix || memcmp(name, named[i].prefix, prefix) ||
			memcmp(name + length - suffix, named[i].suffix, suffix))
			continue;
		ret->id = name + prefix;
		ret->id_length = length - prefix - suffix;
		ret->engine = named[i].engine;
		return true;
	}
	return false;
}

static bool same(const char *s, size_t length, const char *word)
{
	return length == strlen(word) && !memcmp(s, word, length);
}

static bool match_component(const char *name, size_t length, const char *parent, size_t parent_length,
	struct cgroup_identity *ret)
{
	if (match_hex(name, length, ret) || match_named(name, length, ret))
		return true;
	for (size_t i = 0; parent_length && i < ARRAY_SIZE(parent_patterns); i++) {
		if (!same(parent, parent_length, parent_patterns[i].parent) ||
			(parent_patterns[i].hex && !identify_is_hex_id(name, length)))
			continue;
		ret->id = name;
		ret->id_length = length;
		ret->engine = parent_patterns[i].engine;
		return true;
	}
	if (identify_is_hex_id(name, length)) {
		ret->id = name;
		ret->id_length = length;
		ret->engine = NULL;
		return true;
	}
	return false;
}

/* kubepods/.../podUID and kubepods-burstable-podUID.slice. */
static bool match_pod(const char *name, size_t length, struct cgroup_identity *ret)
{
	const char *pod = memmem(name, length, "pod", 3);

	while (pod && pod != name && pod[-1] != '-')
		pod = memmem(pod + 3, length - (size_t)(pod + 3 - name), "pod", 3);
	if (!pod || length - (size_t)(pod + 3 - name) < 32)
		return false;
	ret->pod = pod + 3;
	ret->pod_length = length - (size_t)(pod + 3 - name);
	if (ret->pod_length > 6 && !memcmp(ret->pod + ret->pod_length - 6, ".slice", 6))
		ret->pod_length -= 6;
	return true;
}

/* podman's pods are bare ids, with the cgroups of their containers below. */
static void move_to_pod(struct cgroup_identity *ret, const struct cgroup_identity *above)
{
	ret->pod = above->id;
	ret->pod_length = above->id_length;
}

bool identify_cgroup(const char *path, struct cgroup_identity *ret)
{
	struct cgroup_identity above;
	const char *parent = "", *name = path;
	size_t parent_length = 0;
	bool found = false;

	memset(ret, 0, sizeof(*ret));
	while (*name) {
		size_t length = strcspn(name, "/");

		above = *ret;
		if (length && match_component(name, length, parent, parent_length, ret)) {
			if (above.id == parent && !above.engine && ret->engine && !strcmp(ret->engine, "podman"))
				move_to_pod(ret, &above);
			found = true;
			ret->end = (size_t)(name - path) + length;
		} else if (length) {
			match_pod(name, length, ret);
		}
		parent = name;
		parent_length = length;
		name += length;
		name += *name == '/';
	}
	return found;
}
