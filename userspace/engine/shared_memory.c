/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/shared_memory.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "engine/joins.h"
#include "engine/registry.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static const char hosts[] = "/dev/shm";

static bool has_mode(const struct state *s, const char *mode)
{
	return s->ipc_mode && !strcmp(s->ipc_mode, mode);
}

static char *path_of(const struct state *s)
{
	return xasprintf("%s/" SHARED_MEMORY, s->storage);
}

int shared_memory_mount(const struct state *s, struct error *err)
{
	_cleanup_free_ char *path = path_of(s);
	_cleanup_free_ char *options = xasprintf("mode=1777,size=%lldk", (long long)((s->shm_size + 1023) / 1024));

	if (!has_mode(s, "shareable"))
		return 0;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "cannot make directory %s", path);
	if (mount("shm", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
		return error_errno(err, errno, "cannot mount a tmpfs for /dev/shm on %s (%s)", path, options);
	return 0;
}

/* The one whose memory it is: of a container that joined another, that other's. */
static int find_donor(const char *id, struct state *ret, struct error *err)
{
	const char *next;
	int r = registry_find(id, ret, err);

	while (r == 0 && (next = joins_ipc(ret))) {
		_cleanup_free_ char *copy = xstrdup(next);

		state_free(ret);
		r = registry_find(copy, ret, err);
	}
	return r;
}

int shared_memory_find(const struct state *s, bool must_be_there, char **ret, struct error *err)
{
	const char *id = joins_ipc(s);
	_cleanup_(state_free) struct state donor = { 0 };
	_cleanup_free_ char *path = NULL;
	struct statfs fs;
	int r = id ? find_donor(id, &donor, err) : 0;

	if (r < 0)
		return r;
	if (id)
		s = &donor;
	*ret = NULL;
	if (has_mode(s, "host"))
		*ret = xstrdup(hosts);
	if (has_mode(s, "shareable"))
		path = path_of(s);
	if (!path)
		return *ret || !id ? 0 : error_set(err, ESRCH, "can't join IPC of container %s: non-shareable IPC (hint: "
			"use IpcMode:shareable for the donor container)", id);
	/* not mounted any more: what is below would be a directory of the disk */
	if (id && must_be_there && (statfs(path, &fs) < 0 || fs.f_type != TMPFS_MAGIC))
		return error_set(err, ESRCH, "can't join IPC of container %s: the /dev/shm of %s is gone, as that does not run",
			id, s->id);
	*ret = steal_ptr(path);
	return 0;
}
