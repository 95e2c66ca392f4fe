/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines and cgroup paths of any bytes. What must hold: what is found lies inside what was given and ends,
 * and the path up to the component that matched names the same container.
 */
#include "fuzz/fuzz.h"

#include "timeline/identify.h"
#include "timeline/timeline_internal.h"
#include "util/array.h"

typedef bool identifier(char *const argv[], struct identity *ret);

static bool identify_whole(char *const argv[], struct identity *ret)
{
	return identify_runtime(argv, false, ret);
}

static bool identify_cut(char *const argv[], struct identity *ret)
{
	return identify_runtime(argv, true, ret);
}

static void check_argv(char *const argv[], identifier *identify)
{
	struct identity who;

	memset(&who, 'x', sizeof(who));
	if (identify(argv, &who))
		require(who.id[0] && who.verb != VERB_NONE);
	require(memchr(who.id, '\0', sizeof(who.id)) && memchr(who.name, '\0', sizeof(who.name)));
	require(memchr(who.namespace_, '\0', sizeof(who.namespace_)) && memchr(who.bundle, '\0', sizeof(who.bundle)));
}

static bool lies_within(const char *part, size_t length, const char *path)
{
	return part >= path && part + length <= path + strlen(path);
}

static void check_cgroup(const char *path)
{
	struct cgroup_identity who, again;
	char *front;

	if (!identify_cgroup(path, &who))
		return;
	require(who.id_length && lies_within(who.id, who.id_length, path));
	require(!who.pod || lies_within(who.pod, who.pod_length, path));
	require(who.end <= strlen(path) && who.id + who.id_length <= path + who.end);
	front = xstrndup(path, who.end);
	require(identify_cgroup(front, &again) && again.end == who.end && again.id_length == who.id_length);
	require(again.id - front == who.id - path && again.engine == who.engine);
	free(front);
}

void fuzz_identify(const uint8_t *data, size_t size)
{
	char **argv = argv_split((const char *)data, size), **copy = argv_copy(argv);
	char *joined = argv_join(argv, ' ');

	check_argv(copy, identify_whole);
	check_argv(copy, identify_cut);
	check_argv(copy, identify_shim);
	check_argv(copy, identify_conmon);
	for (char **word = argv; *word; word++) {
		char *path = xstrdup(*word); /* by itself, so that reading beyond it is seen */

		check_cgroup(path);
		free(path);
	}
	free(joined);
	free(copy);
	free(argv);
}

FUZZ_TARGET(fuzz_identify)
