/* SPDX-License-Identifier: Apache-2.0 */
/* `ctrace oci update`: new limits, from a LinuxResources document or from options. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/oci_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Where an option's value goes: linux.resources.SECTION.KEY */
static const struct limit {
	const char *option, *section, *key;
	enum { BYTES, NUMBER, TEXT } kind;
} limits[] = {
	{ "memory", "memory", "limit", BYTES },
	{ "memory-reservation", "memory", "reservation", BYTES },
	{ "memory-swap", "memory", "swap", BYTES },
	{ "kernel-memory", "memory", "kernel", BYTES },
	{ "kernel-memory-tcp", "memory", "kernelTCP", BYTES },
	{ "cpu-share", "cpu", "shares", NUMBER },
	{ "cpu-shares", "cpu", "shares", NUMBER },
	{ "cpu-quota", "cpu", "quota", NUMBER },
	{ "cpu-period", "cpu", "period", NUMBER },
	{ "cpu-burst", "cpu", "burst", NUMBER },
	{ "cpu-idle", "cpu", "idle", NUMBER },
	{ "cpu-rt-runtime", "cpu", "realtimeRuntime", NUMBER },
	{ "cpu-rt-period", "cpu", "realtimePeriod", NUMBER },
	{ "cpuset-cpus", "cpu", "cpus", TEXT },
	{ "cpuset-mems", "cpu", "mems", TEXT },
	{ "blkio-weight", "blockIO", "weight", NUMBER },
	{ "pids-limit", "pids", "limit", NUMBER },
};

enum { OPTION_RESOURCES = 'r', OPTION_LIMIT = 256 };

/* "-1", "4096", "64m" */
static int parse_number(const char *text, bool bytes, int64_t *ret)
{
	static const char units[] = "kmgt";
	const char *unit;
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	if (end == text || errno)
		return -EINVAL;
	if (!*end)
		return 0;
	unit = strchr(units, *end | 0x20);
	if (!bytes || !unit || (end[1] && strcasecmp(end + 1, "b") != 0))
		return -EINVAL;
	for (const char *u = units; u <= unit; u++) {
		if (__builtin_mul_overflow(*ret, 1024, ret))
			return -ERANGE;
	}
	return 0;
}

static int add_limit(json_object *resources, const struct limit *l, const char *text, struct error *err)
{
	json_object *section = json_object_object_get(resources, l->section), *value;
	int64_t number;

	if (l->kind == TEXT) {
		value = json_object_new_string(text);
	} else {
		if (parse_number(text, l->kind == BYTES, &number) < 0)
			return error_set(err, EINVAL, "--%s: \"%s\" is no number", l->option, text);
		value = json_object_new_int64(number);
	}
	if (!section) {
		section = json_object_new_object();
		json_object_object_add(resources, l->section, section);
	}
	json_object_object_add(section, l->key, value);
	return 0;
}

static void put(json_object **o)
{
	json_object_put(*o);
}

static int parse(const struct oci *oci, int argc, char **argv, json_object *resources,
	const char **ret_file)
{
	struct option options[ARRAY_SIZE(limits) + 2] = { { "resources", required_argument, NULL,
		OPTION_RESOURCES } };
	struct error err = { 0 };
	int c;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		options[i + 1] = (struct option){ limits[i].option, required_argument, NULL,
			OPTION_LIMIT + (int)i };
	while ((c = oci_option(argc, argv, "r:", options)) != -1) {
		if (c == OPTION_RESOURCES)
			*ret_file = optarg;
		else if (c < OPTION_LIMIT)
			return 1;
		else if (add_limit(resources, &limits[c - OPTION_LIMIT], optarg, &err) < 0)
			return oci_fail(oci, &err);
	}
	if (argc - optind != 1)
		return oci_usage(oci, "update wants a container id");
	if (!*ret_file && json_object_object_length(resources) == 0)
		return oci_usage(oci, "update wants --resources FILE (or -), or limits");
	return 0;
}

int oci_update(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_(put) json_object *resources = json_object_new_object();
	_cleanup_free_ char *text = NULL;
	const char *file = NULL;
	struct error err = { 0 };

	if (parse(oci, argc, argv, resources, &file) != 0)
		return 1;
	text = file ? oci_read_file(file, &err)
		    : xstrdup(json_object_to_json_string_ext(resources, JSON_C_TO_STRING_PLAIN));
	if (!text || runtime_open(oci->root, argv[optind], &c, &err) < 0 ||
		runtime_update(c, text, &err) < 0)
		return oci_fail(oci, &err);
	return 0;
}
