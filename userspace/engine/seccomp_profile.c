/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/seccomp_profile.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/utsname.h>

#include "engine/capability.h"
#include "util/array.h"
#include "util/cleanup.h"

/*
 * What docker 20.10's own default profile answers, call by call (tests/e2e/seccomp_docker.sh compares them):
 * a program must not learn from its system calls which of the two started it. Names are separated by
 * blanks; those that an architecture lacks are skipped by the runtime. Grouped by what they are about, to be
 * read and argued with.
 */
static const char *const allowed[] = {
	/* files: open, read, write, position */
	"open openat openat2 creat close close_range read write readv writev pread64 pwrite64 preadv "
	"preadv2 pwritev pwritev2 lseek _llseek dup dup2 dup3 fcntl fcntl64 flock fsync fdatasync "
	"sync syncfs sync_file_range truncate truncate64 ftruncate ftruncate64 fallocate fadvise64 "
	"fadvise64_64 readahead copy_file_range sendfile sendfile64 splice tee vmsplice ioctl pipe "
	"pipe2",
	/* files: names, metadata, directories */
	"access faccessat faccessat2 stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat "
	"statx statfs statfs64 fstatfs fstatfs64 readlink readlinkat link linkat symlink symlinkat "
	"unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir mknod mknodat chmod fchmod "
	"fchmodat chown chown32 lchown lchown32 fchown fchown32 fchownat utime utimes utimensat "
	"utimensat_time64 futimesat umask getcwd chdir fchdir getdents getdents64",
	"getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr "
	"removexattr lremovexattr fremovexattr inotify_init inotify_init1 inotify_add_watch "
	"inotify_rm_watch fanotify_mark",
	/* waiting for files */
	"select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create "
	"epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 "
	"eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime timerfd_settime64 "
	"timerfd_gettime timerfd_gettime64 io_setup io_submit io_cancel io_destroy io_getevents "
	"io_pgetevents io_pgetevents_time64 io_uring_setup io_uring_enter io_uring_register",
	/* memory */
	"brk mmap mmap2 munmap mprotect mremap msync madvise mincore mlock mlock2 mlockall munlock "
	"munlockall memfd_create memfd_secret membarrier remap_file_pages process_mrelease",
	/* processes */
	"fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid "
	"getpgrp setpgid getsid setsid set_tid_address set_robust_list get_robust_list futex "
	"futex_time64 futex_waitv set_thread_area get_thread_area restart_syscall rseq prctl seccomp "
	"getcpu ptrace pidfd_open pidfd_send_signal landlock_create_ruleset landlock_add_rule "
	"landlock_restrict_self",
	/* identity */
	"getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 "
	"getresgid getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid "
	"setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32 setgroups "
	"setgroups32 setfsuid setfsuid32 setfsgid setfsgid32 capget capset",
	/* scheduling and limits */
	"getpriority setpriority ioprio_get ioprio_set sched_yield sched_getscheduler "
	"sched_setscheduler sched_getparam sched_setparam sched_getattr sched_setattr "
	"sched_getaffinity sched_setaffinity sched_get_priority_max sched_get_priority_min "
	"sched_rr_get_interval sched_rr_get_interval_time64 getrlimit ugetrlimit setrlimit prlimit64 "
	"getrusage times",
	/* signals */
	"kill tkill tgkill sigprocmask sigreturn sigaltstack "
	"rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
	"rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo pause alarm getitimer setitimer",
	/* time */
	"time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 "
	"clock_nanosleep clock_nanosleep_time64 nanosleep adjtimex clock_adjtime clock_adjtime64 "
	"timer_create timer_delete timer_settime timer_settime64 timer_gettime timer_gettime64 "
	"timer_getoverrun",
	/* sockets */
	"socket socketpair socketcall bind listen accept accept4 connect shutdown getsockname getpeername "
	"getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg "
	"recvmmsg_time64",
	/* System V and POSIX IPC */
	"ipc shmget shmat shmdt shmctl semget semop semctl semtimedop semtimedop_time64 msgget msgsnd "
	"msgrcv msgctl mq_open mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 "
	"mq_timedreceive mq_timedreceive_time64",
	/* the machine */
	"uname sysinfo getrandom",
#if defined(__x86_64__)
	"arch_prctl modify_ldt",
#elif defined(__aarch64__)
	"arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
#endif
};

static const struct {
	int capability;
	const char *names;
} by_capability[] = {
	{ CAP_DAC_READ_SEARCH, "open_by_handle_at" },
	{ CAP_SYS_ADMIN, "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount "
		"mount_setattr move_mount name_to_handle_at open_tree perf_event_open quotactl quotactl_fd "
		"setdomainname sethostname setns syslog umount umount2 unshare" },
	{ CAP_SYS_BOOT, "reboot" },
	{ CAP_SYS_CHROOT, "chroot" },
	{ CAP_SYS_MODULE, "delete_module init_module finit_module" },
	{ CAP_SYS_PACCT, "acct" },
	{ CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace" },
	{ CAP_SYS_RAWIO, "iopl ioperm" },
	{ CAP_SYS_TIME, "settimeofday stime clock_settime" },
	{ CAP_SYS_TTY_CONFIG, "vhangup" },
	{ CAP_SYS_NICE, "get_mempolicy mbind set_mempolicy" },
	{ CAP_SYSLOG, "syslog" },
};

enum { CLONE_NEW_FLAGS = 0x7e020000 };

static void add_names(json_object *list, const char *names)
{
	_cleanup_free_ char *copy = xstrdup(names);
	char *rest = copy, *name;

	while ((name = strsep(&rest, " "))) {
		if (*name)
			json_object_array_add(list, json_object_new_string(name));
	}
}

static json_object *new_rule(json_object *rules, const char *action, int errno_value)
{
	json_object *rule = json_object_new_object(), *names = json_object_new_array();

	json_object_object_add(rule, "names", names);
	json_object_object_add(rule, "action", json_object_new_string(action));
	if (errno_value)
		json_object_object_add(rule, "errnoRet", json_object_new_int(errno_value));
	json_object_array_add(rules, rule);
	return rule;
}

static json_object *rule_names(json_object *rule)
{
	return json_object_object_get(rule, "names");
}

/* One call with a condition on one argument. */
static void add_condition(json_object *rules, const char *name, int index, const char *op,
	uint64_t value, uint64_t value_two)
{
	json_object *rule = new_rule(rules, "SCMP_ACT_ALLOW", 0), *list = json_object_new_array();
	json_object *arg = json_object_new_object();

	add_names(rule_names(rule), name);
	json_object_object_add(arg, "index", json_object_new_int(index));
	json_object_object_add(arg, "value", json_object_new_int64((int64_t)value));
	json_object_object_add(arg, "valueTwo", json_object_new_int64((int64_t)value_two));
	json_object_object_add(arg, "op", json_object_new_string(op));
	json_object_array_add(list, arg);
	json_object_object_add(rule, "args", list);
}

static void add_by_capability(json_object *allow, uint64_t capabilities)
{
	for (size_t i = 0; i < ARRAY_SIZE(by_capability); i++) {
		if (capabilities & (1ULL << by_capability[i].capability))
			add_names(allow, by_capability[i].names);
	}
}

/* Without CAP_SYS_ADMIN new namespaces are refused. clone3 has its flags in memory, where a filter cannot
 * look: it must look missing, so that libc falls back to clone. */
static void add_clone(json_object *rules)
{
	add_condition(rules, "clone", 0, "SCMP_CMP_MASKED_EQ", CLONE_NEW_FLAGS, 0);
	add_names(rule_names(new_rule(rules, "SCMP_ACT_ERRNO", ENOSYS)), "clone3");
}

static json_object *architectures(void)
{
	json_object *list = json_object_new_array();
	struct utsname name;

	uname(&name);
	if (!strcmp(name.machine, "x86_64"))
		add_names(list, "SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32");
	else if (!strcmp(name.machine, "aarch64"))
		add_names(list, "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM");
	return list;
}

json_object *seccomp_profile(uint64_t capabilities)
{
	static const uint64_t personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };
	json_object *profile = json_object_new_object(), *rules = json_object_new_array();
	json_object *allow;

	json_object_object_add(profile, "defaultAction", json_object_new_string("SCMP_ACT_ERRNO"));
	json_object_object_add(profile, "architectures", architectures());
	json_object_object_add(profile, "syscalls", rules);
	allow = rule_names(new_rule(rules, "SCMP_ACT_ALLOW", 0));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		add_names(allow, allowed[i]);
	add_by_capability(allow, capabilities);
	if (!(capabilities & (1ULL << CAP_SYS_ADMIN)))
		add_clone(rules);
	for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
		add_condition(rules, "personality", 0, "SCMP_CMP_EQ", personalities[i], 0);
	return profile;
}

/* ---- profiles from a file ---- */

static bool mentions_capability(json_object *filter, uint64_t capabilities, bool all)
{
	json_object *caps = NULL;
	size_t count;

	if (!filter || !json_object_object_get_ex(filter, "caps", &caps))
		return all;
	count = json_object_is_type(caps, json_type_array) ? json_object_array_length(caps) : 0;
	for (size_t i = 0; i < count; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(caps, i));
		int number = name ? capability_number(name) : -1;
		bool held = number >= 0 && (capabilities & (1ULL << number));

		if (held != all)
			return held;
	}
	return all;
}

static bool mentions_machine(json_object *filter, bool without)
{
	static const char *const own[] = {
#if defined(__x86_64__)
		"amd64", "x86", "x32"
#elif defined(__aarch64__)
		"arm64", "arm"
#else
		"other"
#endif
	};
	json_object *arches = NULL;

	if (!filter || !json_object_object_get_ex(filter, "arches", &arches))
		return without;
	for (size_t i = 0; json_object_is_type(arches, json_type_array) &&
			   i < json_object_array_length(arches); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(arches, i));

		for (size_t j = 0; name && j < ARRAY_SIZE(own); j++) {
			if (!strcmp(name, own[j]))
				return true;
		}
	}
	return false;
}

/* Conditions mean: all of includes, none of excludes. */
static bool rule_applies(json_object *rule, uint64_t capabilities)
{
	json_object *includes = json_object_object_get(rule, "includes");
	json_object *excludes = json_object_object_get(rule, "excludes");

	return mentions_capability(includes, capabilities, true) && mentions_machine(includes, true) &&
	       !mentions_capability(excludes, capabilities, false) &&
	       !mentions_machine(excludes, false);
}

static void put_json(json_object **o)
{
	json_object_put(*o);
}

int seccomp_profile_read(const char *path, uint64_t capabilities, json_object **ret,
	struct error *err)
{
	_cleanup_(put_json) json_object *profile = json_object_from_file(path);
	json_object *rules, *kept = json_object_new_array();

	if (!profile || !json_object_object_get_ex(profile, "syscalls", &rules) ||
		!json_object_is_type(rules, json_type_array)) {
		json_object_put(kept);
		return error_set(err, EINVAL, "opening seccomp profile (%s) failed: it is no readable "
			"JSON document with \"syscalls\"", path);
	}
	for (size_t i = 0; i < json_object_array_length(rules); i++) {
		json_object *rule = json_object_array_get_idx(rules, i);

		if (!json_object_is_type(rule, json_type_object) || !rule_applies(rule, capabilities))
			continue;
		json_object_object_del(rule, "includes");
		json_object_object_del(rule, "excludes");
		json_object_object_del(rule, "comment");
		json_object_array_add(kept, json_object_get(rule));
	}
	json_object_object_add(profile, "syscalls", kept);
	json_object_object_del(profile, "archMap");
	if (!json_object_object_get(profile, "architectures"))
		json_object_object_add(profile, "architectures", architectures());
	*ret = steal_ptr(profile);
	return 0;
}
