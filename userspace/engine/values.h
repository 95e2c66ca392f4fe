/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_VALUES_H
#define CTRACE_VALUES_H

/* The values of docker run's options, as docker reads them. All return 0 or a negative errno with a
 * text that does not name the option: the caller puts that in front. */

#include <stdint.h>

#include "engine/settings.h"
#include "util/error.h"

/* "512", "256m", "1.5g", "64MiB": bytes; powers of 1024. */
int value_bytes(const char *text, int64_t *ret, struct error *err);
/* "0.5": billionths of a CPU, exact (no binary fractions). */
int value_cpus(const char *text, int64_t *ret, struct error *err);
int value_integer(const char *text, int64_t *ret, struct error *err);
int value_bool(const char *text, bool *ret, struct error *err);
/* "0-2,4" within the list online: -EINVAL malformed, -ERANGE not online. */
int value_cpuset_within(const char *list, const char *online);
/* "TERM", "SIGTERM", "15": 1..64. */
int value_signal(const char *text, int *ret, struct error *err);
/* "SYS_ADMIN", "cap_sys_admin", "ALL" -> "CAP_SYS_ADMIN" or "ALL"; the caller's. */
int value_capability(const char *text, char **ret, struct error *err);

int value_ulimit(const char *text, struct ulimit *ret, struct error *err);  /* nofile=1024:2048 */
int value_device(const char *text, struct device_setting *ret, struct error *err);
/* "c 42:* rmw": type, numbers, access, as a device cgroup has them. */
int value_device_rule(const char *text, struct device_rule *ret, struct error *err);
int value_volume(const char *text, struct volume *ret, struct error *err); /* SRC:DST[:OPTIONS] */
/* CONTAINER[:ro|rw]: the length of CONTAINER, and whether nothing of it may be written. */
int value_volumes_from(const char *text, size_t *ret_length, bool *ret_read_only, struct error *err);
/* --mount: type=bind|volume|tmpfs,src=...,dst=...,readonly...; fills one of the two, *ret_is_tmpfs says which. */
int value_mount(const char *text, struct volume *ret_volume, struct tmpfs *ret_tmpfs, bool *ret_is_tmpfs,
	struct error *err);
int value_restart(const char *text, enum restart_policy *ret, int64_t *ret_max, struct error *err);
int value_host_entry(const char *text, char **ret, struct error *err); /* NAME:IP or NAME=IP, IP may be host-gateway; ret: NAME:IP */
int value_tmpfs(const char *text, struct tmpfs *ret, struct error *err);   /* DST[:OPTIONS] */

/* Adds NAME=value, or, for a bare NAME, the caller's own value if it has one. */
int value_env(const char *text, struct string_list *env, struct error *err);
/* One variable a line, '#' begins a comment line, quotes are kept as they are. */
int value_env_file(const char *path, struct string_list *env, struct error *err);

#endif
