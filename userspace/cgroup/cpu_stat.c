/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cpu_stat.h"

#include <stdlib.h>
#include <string.h>

/* The number after "key " at the start of a line. */
static bool read_key(const char *text, const char *key, uint64_t *ret_value)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char *end;
		uint64_t value;

		if (strncmp(line, key, length) != 0 || line[length] != ' ')
			continue;
		value = strtoull(line + length + 1, &end, 10);
		if (end == line + length + 1 || (*end && *end != '\n'))
			return false;
		*ret_value = value;
		return true;
	}
	return false;
}

bool cpu_stat_parse(const char *text, struct cpu_stat *ret_stat)
{
	struct cpu_stat s = { 0 };

	if (!read_key(text, "nr_periods", &s.periods) || !read_key(text, "nr_throttled", &s.throttled))
		return false;
	if (!read_key(text, "throttled_time", &s.throttled_ns)) {
		if (!read_key(text, "throttled_usec", &s.throttled_ns))
			return false;
		s.throttled_ns *= 1000;
	}
	*ret_stat = s;
	return true;
}
