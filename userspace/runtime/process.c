/* SPDX-License-Identifier: Apache-2.0 */
/* What the container's program may be and do: user, capabilities, limits, and which file it is. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* proc is the host's /proc, opened before any mount of the container: nothing of the image can stand
 * where these writes go (CVE-2025-52881). */
int process_write_proc(int proc, const char *path, const char *value, struct error *err)
{
	struct open_how how = { .flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV };
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, proc, path, &how, sizeof(how));

	if (fd < 0)
		return error_errno(err, errno, "cannot open /proc/%s", path);
	if (write(fd, value, strlen(value)) < 0)
		return error_errno(err, errno, "cannot write \"%s\" to /proc/%s", value, path);
	return 0;
}

static int read_proc(int proc, const char *path, char *ret, size_t size)
{
	_cleanup_close_ int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return 0;
}

/* A descriptor of the container's /dev/null for reading and writing; negative where it has none that is one. */
static int open_null(int proc, int root)
{
	_cleanup_close_ int place = rootfs_open(root, "/dev/null", O_PATH | O_NOFOLLOW);
	char path[32];
	struct stat st;

	/* first looked at, then opened: it may be a device that acts when it is */
	if (place < 0 || fstat(place, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return -ENODEV;
	snprintf(path, sizeof(path), "self/fd/%d", place);
	return openat(proc, path, O_RDWR | O_CLOEXEC);
}

void process_reopen_null(int proc, int root)
{
	_cleanup_close_ int null = -1;
	struct stat st;

	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
			continue;
		if (null < 0)
			null = open_null(proc, root);
		if (null >= 0)
			dup2(null, fd);
	}
}

int process_give_pipes(const struct process_plan *p, struct error *err)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode) || st.st_uid == p->uid)
			continue;
		/* EPERM, EINVAL: the user namespace does not know its owner */
		if (fchown(fd, p->uid, (gid_t)-1) < 0 && errno != EPERM && errno != EINVAL && errno != EROFS)
			return error_errno(err, errno, "cannot give the pipe at descriptor %d to user %u", fd, p->uid);
	}
	return 0;
}

int process_set_limits(int proc, const struct process_plan *p, struct error *err)
{
	for (size_t i = 0; i < p->limit_count; i++) {
		const struct limit_plan *l = &p->limits[i];

		if (setrlimit(l->resource, &l->value) < 0)
			return error_errno(err, errno, "process.rlimits[%zu]: cannot set %s to %llu:%llu "
				"(raising a hard limit needs CAP_SYS_RESOURCE)", i, l->name,
				(unsigned long long)l->value.rlim_cur,
				(unsigned long long)l->value.rlim_max);
	}
	if (p->oom_score_adj_given) {
		char value[16], now[16] = "";

		snprintf(value, sizeof(value), "%d", p->oom_score_adj);
		read_proc(proc, "self/oom_score_adj", now, sizeof(now));
		now[strcspn(now, "\n")] = '\0';
		/* lowering it needs a capability; leaving it as it is must not */
		if (strcmp(now, value) != 0 && process_write_proc(proc, "self/oom_score_adj", value, err) < 0)
			return error_prefix(err, "process.oomScoreAdj");
	}
	return 0;
}

static bool has_selinux(int proc)
{
	char text[4096];

	return read_proc(proc, "filesystems", text, sizeof(text)) == 0 && strstr(text, "selinuxfs");
}

int process_set_labels(int proc, const struct process_plan *p, struct error *err)
{
	int r = 0;

	if (p->apparmor && *p->apparmor) {
		_cleanup_free_ char *value = xasprintf("exec %s", p->apparmor);

		if (access("/sys/module/apparmor/parameters/enabled", F_OK) < 0)
			return error_set(err, EOPNOTSUPP, "process.apparmorProfile: %s is asked for and the "
				"kernel has no apparmor", p->apparmor);
		if (process_write_proc(proc, "self/attr/apparmor/exec", value, NULL) < 0)
			r = process_write_proc(proc, "self/attr/exec", value, err);
		if (r < 0)
			return error_prefix(err, "process.apparmorProfile");
	}
	if (!p->selinux || !*p->selinux)
		return 0;
	if (!has_selinux(proc))
		return error_set(err, EOPNOTSUPP, "process.selinuxLabel: %s is asked for and the kernel has no SELinux",
			p->selinux);
	r = process_write_proc(proc, "self/attr/exec", p->selinux, err);
	return r < 0 ? error_prefix(err, "process.selinuxLabel") : 0;
}

/* capset(2) itself: libcap's wrappers allocate, and probe the kernel when they are loaded. */
static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (__u32)effective, (__u32)permitted, (__u32)inheritable },
		{ (__u32)(effective >> 32), (__u32)(permitted >> 32), (__u32)(inheritable >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static uint64_t held_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

static int drop_bounding(uint64_t keep, struct error *err)
{
	for (int cap = 0; cap < 64; cap++) {
		if (keep & 1ULL << cap)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL) /* beyond the kernel's last */
				return 0;
			return error_errno(err, errno, "process.capabilities.bounding: cannot drop capability %d", cap);
		}
	}
	return 0;
}

static const char *unmapped(int code)
{
	return code == EINVAL ? " (it must be mapped in the user namespace)" : "";
}

static int change_user(const struct process_plan *p, struct error *err)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_errno(err, errno, "cannot keep capabilities");
	if (!p->keep_groups && setgroups(p->group_count, p->groups) < 0 && (errno != EPERM || p->group_count))
		return error_errno(err, errno, "process.user.additionalGids: cannot set the %zu supplementary "
			"groups%s", p->group_count, unmapped(errno));
	if (setresgid(p->gid, p->gid, p->gid) < 0)
		return error_errno(err, errno, "process.user.gid: cannot become group %u%s", p->gid, unmapped(errno));
	if (setresuid(p->uid, p->uid, p->uid) < 0)
		return error_errno(err, errno, "process.user.uid: cannot become user %u%s", p->uid, unmapped(errno));
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	return 0;
}

static int apply_capabilities(const struct capability_plan *c, uint64_t held, struct error *err)
{
	/* what the caller does not hold itself cannot be given; the rest is */
	int r = set_capabilities(c->effective & c->permitted & held, c->permitted & held,
		c->inheritable & held);

	if (r < 0)
		return error_errno(err, -r, "process.capabilities: cannot set them");
	for (int cap = 0; cap < 64; cap++) {
		uint64_t bit = 1ULL << cap;

		if ((c->ambient & c->permitted & c->inheritable & held & bit) &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return error_errno(err, errno, "process.capabilities.ambient: cannot raise capability %d", cap);
	}
	return 0;
}

/* The layout of Linux 4.14; libc has no wrapper for the call. */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

int process_set_scheduling(const struct process_plan *p, struct error *err)
{
	enum { IOPRIO_WHO_PROCESS = 1 };
	const struct scheduler_plan *s = &p->scheduler;
	struct scheduling a = { sizeof(a), s->policy, s->flags, s->nice, s->priority, s->runtime,
		s->deadline, s->period };

	if (s->given && syscall(SYS_sched_setattr, 0, &a, 0) < 0)
		return error_errno(err, errno, "process.scheduler: cannot set %s (it may need CAP_SYS_NICE)", s->name);
	if (p->io_priority >= 0 && syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, p->io_priority) < 0)
		return error_errno(err, errno, "process.ioPriority: cannot set it");
	return 0;
}

int process_become_user(const struct process_plan *p, uint64_t *ret_held, struct error *err)
{
	const struct capability_plan *c = &p->capabilities;
	int r = c->given ? drop_bounding(c->bounding, err) : 0;

	*ret_held = held_capabilities();
	return r < 0 ? r : change_user(p, err);
}

int process_confine(const struct process_plan *p, const struct seccomp_program *seccomp, uint64_t held,
	int *ret_listener, struct error *err)
{
	const struct capability_plan *c = &p->capabilities;
	int r = 0;

	/* a filter without no_new_privs needs CAP_SYS_ADMIN, which setuid took from the effective set and the
	 * next step may take for good; with it, the filter comes last and is asked least */
	if (!p->no_new_privs && seccomp->filter) {
		r = set_capabilities(held, held, 0);
		if (r < 0)
			return error_errno(err, -r, "cannot regain capabilities");
		r = seccomp_load_program(seccomp, err);
		if (r < 0)
			return r;
		*ret_listener = r > 0 ? r : -1;
	}
	if (c->given) {
		r = apply_capabilities(c, held, err);
		if (r < 0)
			return r;
	}
	if (!p->no_new_privs)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, errno, "process.noNewPrivileges: cannot set it");
	r = seccomp_load_program(seccomp, err);
	*ret_listener = r > 0 ? r : -1;
	return r < 0 ? r : 0;
}

/* The directory must be one that the new root reaches: a descriptor that leaked would show here as a path
 * outside (CVE-2024-21626). */
int process_change_directory(const char *cwd, bool done, struct error *err)
{
	char path[PATH_MAX];

	if (!done && chdir(cwd) < 0)
		return error_errno(err, errno, "process.cwd: cannot change to the working directory %s", cwd);
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0 || path[0] != '/')
		return error_set(err, EPERM, "process.cwd: the working directory %s is outside of the container",
			cwd);
	return 0;
}

static const char *get_env(char *const *env, const char *key)
{
	size_t length = strlen(key);
	const char *value = NULL;

	for (; env && *env; env++) {
		if (!strncmp(*env, key, length) && (*env)[length] == '=')
			value = *env + length + 1;
	}
	return value;
}

/* 0, or the errno that execve would give for a path. */
static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? EISDIR : EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static int not_executable(const char *name, const char *path, int code, int *ret_exit_code,
	struct error *err)
{
	if (code == ENOENT || code == ENOTDIR) {
		*ret_exit_code = 127;
		return error_set(err, code, "exec: \"%s\": stat %s: %s", name, path,
			code == ENOENT ? "no such file or directory" : "not a directory");
	}
	*ret_exit_code = 126;
	if (code == EISDIR)
		return error_set(err, EACCES, "exec: \"%s\": is a directory: permission denied", name);
	return error_set(err, code, "exec: \"%s\": %s", name,
		code == EACCES ? "permission denied" : strerror(code));
}

/* As execvp(3) looks, with docker's words (it reads them). */
int process_find(const struct process_plan *p, char **ret, int *ret_exit_code, struct error *err)
{
	const char *name = p->args[0], *path = get_env(p->env, "PATH");
	bool denied = false;
	int code;

	if (strchr(name, '/')) {
		code = executable(name);
		if (code)
			return not_executable(name, name, code, ret_exit_code, err);
		*ret = xstrdup(name);
		return 0;
	}
	for (const char *q = path ? path : ""; *name && *q; q += strcspn(q, ":"), q += *q == ':') {
		int length = (int)strcspn(q, ":");
		_cleanup_free_ char *file = xasprintf("%.*s/%s", length ? length : 1,
			length ? q : ".", name);

		code = executable(file);
		if (code == 0) {
			*ret = steal_ptr(file);
			return 0;
		}
		denied |= code == EACCES;
	}
	if (denied)
		return not_executable(name, name, EACCES, ret_exit_code, err);
	*ret_exit_code = 127;
	return error_set(err, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}
