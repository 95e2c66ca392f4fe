/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/cgroup_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/strbuf.h"

static bool is_mount_of(const char *options, const char *controllers)
{
	char first[64];

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(controllers, ","), controllers);
	return str_has_word(options, ",", first);
}

/* One line of /proc/self/mountinfo (proc(5)): "ID PARENT MAJ:MIN ROOT POINT OPTIONS ... - TYPE SOURCE SUPER". */
struct mount_line {
	char root[256], point[1024], type[32], super[512];
};

static bool parse_line(char *line, struct mount_line *m)
{
	char *separator = strstr(line, " - ");

	return separator && sscanf(line, "%*s %*s %*s %255s %1023s", m->root, m->point) == 2 &&
		sscanf(separator, " - %31s %*s %511s", m->type, m->super) == 2;
}

/* controllers: of a v1 hierarchy, NULL = v2. */
static bool is_whole(const struct mount_line *m, const char *controllers)
{
	/* in a cgroup namespace, as a pod's, the root of the host's tree reads "/../.." (cgroup_namespaces(7)) */
	if (strspn(m->root, "/.") != strlen(m->root))
		return false;
	if (!controllers)
		return strcmp(m->type, "cgroup2") == 0;
	return strcmp(m->type, "cgroup") == 0 && is_mount_of(m->super, controllers);
}

uint32_t cgroup_mounts_find(const struct timeline_config *config, const char *controller)
{
	for (size_t i = 0; i < config->hierarchy_count; i++) {
		if (config->hierarchies[i].id && str_has_word(config->hierarchies[i].controllers, ",", controller))
			return config->hierarchies[i].id;
	}
	return 0;
}

/* Opens what is mounted there as the root of every hierarchy that it is and that is asked for, the first mount of each. */
static void open_mount(const struct mount_line *m, const struct timeline_config *config, const bool asked[], int fds[])
{
	for (size_t i = 0; i < config->hierarchy_count; i++) {
		const char *controllers = config->hierarchies[i].id ? config->hierarchies[i].controllers : NULL;

		if (asked[i] && fds[i] < 0 && is_whole(m, controllers))
			fds[i] = open(m->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
}

/* Reads the table of mounts once for all: the kernel writes it anew for each reader. */
static void open_mounts(const struct timeline_config *config, const bool asked[], int fds[])
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mount_line m;
	char line[4096];

	for (size_t i = 0; i < config->hierarchy_count; i++)
		fds[i] = -1;
	while (f && fgets(line, sizeof(line), f)) {
		if (parse_line(line, &m))
			open_mount(&m, config, asked, fds);
	}
}

void cgroup_mounts_open_all(const struct timeline_config *config, int fds[CGROUP_MOUNTS_MAX])
{
	bool asked[CGROUP_MOUNTS_MAX];

	memset(asked, true, sizeof(asked));
	open_mounts(config, asked, fds);
}

int cgroup_mounts_open(const struct timeline_config *config, uint32_t hierarchy)
{
	bool asked[CGROUP_MOUNTS_MAX] = { false };
	int fds[CGROUP_MOUNTS_MAX], fd = -1;

	for (size_t i = 0; i < config->hierarchy_count; i++)
		asked[i] = config->hierarchies[i].id == hierarchy;
	open_mounts(config, asked, fds);
	for (size_t i = 0; i < config->hierarchy_count; i++)
		fd = asked[i] ? fds[i] : fd;
	return fd < 0 ? -ENOENT : fd;
}
