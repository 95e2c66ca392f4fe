/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/cgroup_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

int cgroup_write_at(int dir, const char *file, const char *value)
{
	_cleanup_close_ int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		return -errno;
	return 0;
}

int cgroup_read_at(int dir, const char *file, char *ret, size_t size)
{
	_cleanup_close_ int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (length < size - 1 && (n = read(fd, ret + length, size - 1 - length)) != 0) {
		if (n < 0)
			return -errno;
		length += n;
	}
	while (length > 0 && ret[length - 1] == '\n')
		length--;
	ret[length] = '\0';
	return length;
}

struct hierarchy *cgroup_find(const struct cgroup *cg, const char *controller)
{
	for (size_t i = 0; i < cg->count; i++) {
		if (str_has_word(cg->hierarchies[i].controllers, ", ", controller))
			return (struct hierarchy *)&cg->hierarchies[i];
	}
	return NULL;
}

struct hierarchy *cgroup_find_v2(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->count; i++) {
		if (cg->hierarchies[i].version == 2)
			return (struct hierarchy *)&cg->hierarchies[i];
	}
	return NULL;
}

bool cgroup_is_v2(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->count; i++) {
		if (cg->hierarchies[i].version == 1 && cg->hierarchies[i].controllers[0] &&
			!str_starts(cg->hierarchies[i].controllers, "name="))
			return false;
	}
	return cgroup_find_v2(cg) != NULL;
}

int cgroup_v2_fd(const struct cgroup *cg)
{
	const struct hierarchy *h = cgroup_find_v2(cg);

	return h ? h->fd : -1;
}

/* Keeps of a v1 mount's super options those that name controllers or the hierarchy. */
static char *controllers_of(char *options)
{
	static const char *const others[] = { "rw", "ro", "xattr", "clone_children", "noprefix",
		"cpuset_v2_mode", "favordynmods" };
	struct strbuf out = { 0 };
	char *save = NULL;

	for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		bool other = str_starts(o, "release_agent=");

		for (size_t i = 0; i < ARRAY_SIZE(others); i++)
			other |= !strcmp(o, others[i]);
		if (!other)
			strbuf_printf(&out, "%s%s", out.length ? "," : "", o);
	}
	return strbuf_steal(&out);
}

/* proc(5), mountinfo: "36 35 98:0 /root /target opts tags - fstype source superopts". */
static void add_mount(struct cgroup *cg, char *line)
{
	char *dash = strstr(line, " - "), *save = NULL, *fields[5], *fstype, *super;
	struct hierarchy *h = &cg->hierarchies[cg->count];

	if (!dash || cg->count == CGROUP_MOUNTS_MAX)
		return;
	fstype = dash + 3;
	if (strncmp(fstype, "cgroup", 6) != 0)
		return;
	*dash = '\0';
	for (int i = 0; i < 5; i++) {
		fields[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!fields[i])
			return;
	}
	strtok_r(fstype, " ", &save);
	strtok_r(NULL, " ", &save);
	super = strtok_r(NULL, " ", &save);
	*h = (struct hierarchy){ .version = !strcmp(fstype, "cgroup2") ? 2 : 1, .fd = -1 };
	for (size_t i = 0; i < cg->count; i++) {
		/* the same hierarchy mounted twice: the first mount is as good as any */
		if (h->version == 2 && cg->hierarchies[i].version == 2)
			return;
	}
	if (h->version == 1) {
		h->controllers = controllers_of(super ? super : (char[]){ "" });
		for (size_t i = 0; i < cg->count; i++) {
			if (!strcmp(cg->hierarchies[i].controllers, h->controllers)) {
				free(h->controllers);
				return;
			}
		}
	} else {
		h->controllers = xstrdup("");
	}
	h->root = xstrdup(fields[3]);
	h->mount = xstrdup(fields[4]);
	cg->count++;
}

static int discover(struct cgroup *cg, struct error *err)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	struct hierarchy *v2;

	if (!f)
		return error_errno(err, errno, "cannot read /proc/self/mountinfo");
	while (getline(&line, &size, f) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		add_mount(cg, line);
	}
	v2 = cgroup_find_v2(cg);
	if (v2) {
		char words[512];
		_cleanup_close_ int fd = open(v2->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && cgroup_read_at(fd, "cgroup.controllers", words, sizeof(words)) > 0) {
			free(v2->controllers);
			v2->controllers = xstrdup(words);
		}
	}
	if (cg->count == 0)
		return error_set(err, ENOENT, "no cgroup hierarchy is mounted: mount cgroup2 on "
			"/sys/fs/cgroup, or the v1 controllers below it");
	return 0;
}

void cgroup_close(struct cgroup *cg)
{
	if (!cg)
		return;
	for (size_t i = 0; i < cg->count; i++) {
		struct hierarchy *h = &cg->hierarchies[i];

		if (h->fd >= 0)
			close(h->fd);
		free(h->mount);
		free(h->root);
		free(h->controllers);
		free(h->directory);
	}
	free(cg);
}

void cgroup_close_ptr(struct cgroup **cg)
{
	cgroup_close(*cg);
}

/* "a//b/." and ".." could leave the place that the caller checked: only plain components pass. */
static int check_path(const char *path, struct error *err)
{
	for (const char *p = path; *p;) {
		size_t length = strcspn(p, "/");

		if ((length == 1 && p[0] == '.') || (length == 2 && p[0] == '.' && p[1] == '.'))
			return error_set(err, EINVAL, "cgroup path %s may not contain . or ..", path);
		if (length > NAME_MAX)
			return error_set(err, ENAMETOOLONG, "cgroup path %.64s... has a name longer "
				"than %d bytes", path, NAME_MAX);
		p += length;
		p += strspn(p, "/");
	}
	if (strlen(path) >= PATH_MAX / 2)
		return error_set(err, ENAMETOOLONG, "cgroup path %.64s... is too long", path);
	return 0;
}

/* The group's place below the mount point, when only a part of the hierarchy is mounted there. */
static const char *below_root(const struct hierarchy *h, const char *path)
{
	size_t length = strlen(h->root);

	if (strcmp(h->root, "/") != 0 && !strncmp(path, h->root, length) &&
		(path[length] == '/' || !path[length]))
		return path + length;
	return path;
}

static void set_directory(struct hierarchy *h, const char *path)
{
	path = below_root(h, path);
	path += strspn(path, "/");
	free(h->directory);
	h->directory = *path ? xasprintf("%s/%s", h->mount, path) : xstrdup(h->mount);
	for (size_t n = strlen(h->directory); n > 1 && h->directory[n - 1] == '/'; n--)
		h->directory[n - 1] = '\0';
}

static int open_discovered(const char *path, struct cgroup **ret, struct error *err)
{
	_cleanup_(cgroup_close_ptr) struct cgroup *cg = xcalloc(1, sizeof(*cg));
	int r = path ? check_path(path, err) : 0;

	if (r < 0)
		return r;
	r = discover(cg, err);
	if (r < 0)
		return r;
	for (size_t i = 0; path && i < cg->count; i++)
		set_directory(&cg->hierarchies[i], path);
	*ret = steal_ptr(cg);
	return 0;
}

static void open_directories(struct cgroup *cg)
{
	for (size_t i = 0; i < cg->count; i++) {
		struct hierarchy *h = &cg->hierarchies[i];

		if (h->directory)
			h->fd = open(h->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
}

int cgroup_open(const char *path, struct cgroup **ret, struct error *err)
{
	int r = open_discovered(path, ret, err);

	if (r == 0)
		open_directories(*ret);
	return r;
}

static void forget_directory(struct hierarchy *h)
{
	if (h->fd >= 0)
		close(steal_fd(&h->fd));
	free(h->directory);
	h->directory = NULL;
}

int cgroup_reopen(struct cgroup *cg, const char *path, struct error *err)
{
	int r = path ? check_path(path, err) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < cg->count; i++) {
		forget_directory(&cg->hierarchies[i]);
		if (path)
			set_directory(&cg->hierarchies[i], path);
	}
	open_directories(cg);
	return 0;
}

int cgroup_reopen_one(struct cgroup *cg, const char *controllers, const char *path, struct error *err)
{
	int r = check_path(path, err);

	for (size_t i = 0; r == 0 && i < cg->count; i++) {
		struct hierarchy *h = &cg->hierarchies[i];

		if (*controllers ? h->version != 1 || strcmp(h->controllers, controllers) != 0 : h->version != 2)
			continue;
		forget_directory(h);
		set_directory(h, path);
		h->fd = open(h->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (h->fd < 0)
			return error_errno(err, errno, "cannot open cgroup %s", h->directory);
		return 0;
	}
	return r < 0 ? r : error_set(err, ENOENT, "this host has no cgroup hierarchy %s", controllers);
}

static void descend(struct hierarchy *h, const char *below)
{
	below += strspn(below, "/");
	if (h->directory && *below) {
		_cleanup_free_ char *directory = xasprintf("%s/%s", h->directory, below);

		forget_directory(h);
		h->directory = steal_ptr(directory);
		h->fd = open(h->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
}

static bool has_group_below(const struct hierarchy *h, const char *below)
{
	below += strspn(below, "/");
	return !*below || faccessat(h->fd, below, F_OK, 0) == 0;
}

int cgroup_descend(struct cgroup *cg, const char *controller, const char *below, struct error *err)
{
	_cleanup_free_ char *named = xasprintf("name=%s", controller);
	struct hierarchy *h;
	int r = check_path(below, err);

	if (r < 0)
		return r;
	if (*controller) {
		h = cgroup_find(cg, controller);
		h = h ? h : cgroup_find(cg, named);
		if (!h)
			return error_set(err, ENOENT, "unknown controller %s", controller);
		descend(h, below);
		return 0;
	}
	for (size_t i = 0; i < cg->count; i++) {
		h = &cg->hierarchies[i];
		if (h->version == 1 || cgroup_is_v2(cg) || has_group_below(h, below))
			descend(h, below);
	}
	return 0;
}

int cgroup_reopen_pid(struct cgroup *cg, pid_t pid, struct error *err)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	char name[64];

	cgroup_reopen(cg, NULL, NULL);
	snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
	f = fopen(name, "re");
	if (!f)
		return error_errno(err, errno, "cannot read %s", name);
	while (getline(&line, &size, f) >= 0) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		for (size_t i = 0; i < cg->count; i++) {
			struct hierarchy *h = &cg->hierarchies[i];
			bool same = h->version == 2 ? str_starts(line, "0:")
						    : !strcmp(h->controllers, names + 1);

			if (same)
				set_directory(h, path);
		}
	}
	open_directories(cg);
	return 0;
}

int cgroup_open_pid(pid_t pid, struct cgroup **ret, struct error *err)
{
	_cleanup_(cgroup_close_ptr) struct cgroup *cg = NULL;
	int r = open_discovered(NULL, &cg, err);

	if (r == 0)
		r = cgroup_reopen_pid(cg, pid, err);
	if (r == 0)
		*ret = steal_ptr(cg);
	return r;
}

/* A new v1 cpuset is empty and takes no process: it gets its parent's sets. So does one that somebody made before and
 * left empty (a pod's). */
static int fill_cpuset(int parent, int dir, const char *directory, struct error *err)
{
	static const char *const files[] = { "cpuset.mems", "cpuset.cpus" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char value[4096];
		int r = cgroup_read_at(dir, files[i], value, sizeof(value));

		if (r > 0 && value[strspn(value, "\n")])
			continue;
		r = cgroup_read_at(parent, files[i], value, sizeof(value));
		if (r > 0)
			r = cgroup_write_at(dir, files[i], value);
		if (r < 0)
			return error_errno(err, -r, "cannot give cgroup %s its parent's %s", directory,
				files[i]);
	}
	return 0;
}

/* Lets the children of a v2 group have every controller that the group has. */
static void enable_controllers(int dir)
{
	char words[512], enabled[512], *save = NULL;
	_cleanup_(strbuf_free) struct strbuf value = { 0 };

	if (cgroup_read_at(dir, "cgroup.controllers", words, sizeof(words)) <= 0)
		return;
	if (cgroup_read_at(dir, "cgroup.subtree_control", enabled, sizeof(enabled)) < 0)
		return;
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (!str_has_word(enabled, ", ", w))
			strbuf_printf(&value, "+%s ", w);
	}
	if (!value.length)
		return;
	if (cgroup_write_at(dir, "cgroup.subtree_control", value.text) == 0)
		return;
	/* one that is refused (cpu with realtime tasks around) must not keep the others back; a limit
	 * that needs the refused one fails later and says so */
	save = NULL;
	for (char *w = strtok_r(value.text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		cgroup_write_at(dir, "cgroup.subtree_control", w);
}

static int make_component(struct hierarchy *h, int parent, const char *name, bool cpuset,
	bool *made, struct error *err)
{
	_cleanup_close_ int fd = -1;
	int r;

	*made = mkdirat(parent, name, 0755) == 0;
	if (!*made && errno != EEXIST)
		return error_errno(err, errno, "cannot make cgroup %s", h->directory);
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_errno(err, errno, "cannot open cgroup %s", h->directory);
	if (cpuset) {
		r = fill_cpuset(parent, fd, h->directory, err);
		if (r < 0)
			return r;
	}
	return steal_fd(&fd);
}

static int create_directory(struct hierarchy *h, bool delegate, struct error *err)
{
	_cleanup_close_ int fd = -1;
	bool cpuset = h->version == 1 && str_has_word(h->controllers, ", ", "cpuset");
	const char *p = h->directory + strlen(h->mount);

	/* mostly the parents are there from earlier containers, and need nothing */
	if (!cpuset && !delegate && mkdir(h->directory, 0755) == 0) {
		h->made = true;
		h->fd = open(h->directory, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (h->fd < 0)
			return error_errno(err, errno, "cannot open cgroup %s", h->directory);
		return 0;
	}
	fd = open(h->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "cannot open %s", h->mount);
	while (p += strspn(p, "/"), *p) {
		char name[NAME_MAX + 1];
		size_t length = strcspn(p, "/");
		bool made = false;
		int next;

		memcpy(name, p, length);
		name[length] = '\0';
		if (delegate)
			enable_controllers(fd);
		next = make_component(h, fd, name, cpuset, &made, err);
		h->made = made;
		if (next < 0)
			return next;
		close(fd);
		fd = next;
		p += length;
	}
	h->fd = steal_fd(&fd);
	return 0;
}

void cgroup_remove_made(struct cgroup *cg)
{
	for (size_t i = 0; i < cg->count; i++) {
		if (cg->hierarchies[i].made)
			rmdir(cg->hierarchies[i].directory);
	}
}

int cgroup_create(const char *path, struct cgroup **ret, struct error *err)
{
	_cleanup_(cgroup_close_ptr) struct cgroup *cg = NULL;
	int r = open_discovered(path, &cg, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cg->count; i++) {
		/* a hybrid host's v2 tree is not ours to change: it serves identity, freezing, killing */
		r = create_directory(&cg->hierarchies[i],
			cgroup_is_v2(cg) && cg->hierarchies[i].version == 2, err);
		if (r < 0) {
			cgroup_remove_made(cg);
			return r;
		}
	}
	*ret = steal_ptr(cg);
	return 0;
}

/* As Go says it: lower case. */
static const char *reason(int code)
{
	return code == ENOENT ? "no such file or directory"
	       : code == EBUSY ? "device or resource busy"
			       : strerror(code);
}

int cgroup_enter(struct cgroup *cg, bool v2, struct error *err)
{
	for (size_t i = 0; i < cg->count; i++) {
		struct hierarchy *h = &cg->hierarchies[i];
		int r;

		if (h->version == 2 && !v2)
			continue;
		r = h->fd < 0 ? -ENOENT
			      : cgroup_write_at(h->fd, h->version == 2 ? "cgroup.procs" : "tasks", "0");
		if (r < 0)
			return error_set(err, -r, "error adding pid %d to cgroups: %s/cgroup.procs: %s",
				getpid(), h->directory, reason(-r));
	}
	return 0;
}

char *cgroup_path(const struct cgroup *cg, const char *controller)
{
	const struct hierarchy *h = cgroup_find(cg, controller);
	const char *path;

	if (!h || !h->directory || h->fd < 0)
		return NULL;
	path = h->directory + strlen(h->mount);
	return xstrdup(*path ? path : "/");
}

const char *cgroup_directory(const struct cgroup *cg, const char *controller)
{
	const struct hierarchy *h = *controller ? cgroup_find(cg, controller) : cgroup_find_v2(cg);

	return h ? h->directory : NULL;
}

size_t cgroup_mounts(const struct cgroup *cg, struct cgroup_mount *ret, size_t size)
{
	size_t n = 0;

	for (; n < cg->count && n < size; n++) {
		const struct hierarchy *h = &cg->hierarchies[n];

		ret[n] = (struct cgroup_mount){ .target = h->mount, .version = h->version,
			.controllers = h->version == 2 ? "" : h->controllers,
			.directory = h->directory };
	}
	return n;
}
