/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does named things on demand, inside or outside a container, so that a test knows what a trace must
 * hold. Static, so that it runs in any root. Each argument is an action, done in order:
 *
 *	eat=MIB            touches that much memory and keeps it
 *	child-eat=MIB      forks a child that does; prints "child PID killed SIG" or "child PID exited N"
 *	fork=N             forks N children that exit at once, and waits for them
 *	crowd=N            forks N children that stay, says so, and stays with them
 *	exit=N             exits
 *	kill=SIG           sends itself the signal (pid 1 of a pid namespace survives those it does not handle)
 *	child-kill=SIG     forks a child that dies by the signal
 *	segv               dereferences a bad pointer
 *	ignore=SIG         ignores the signal from here on
 *	term-exit=N        exits with N when SIGTERM comes
 *	sleep=MS           sleeps
 *	burn=MS            uses that much CPU time
 *	usage              prints "usage CPU QUEUE": the CPU time of the process and the time that its main thread
 *	                   waited for a CPU, both since its fork, in nanoseconds as the kernel counts them
 *	mount-fail=ERRNO   a mount that fails with ENOENT, ENODEV, EINVAL, ENOTDIR, ENOTBLK or EPERM
 *	exec-fail=ERRNO    an execve that fails with ENOENT, EACCES, ENOEXEC, ENOTDIR or ELOOP (needs a writable /tmp)
 *	unshare=NS,NS      mnt, uts, ipc, net, pid, cgroup
 *	clone-wait=MS      clone(CLONE_VFORK | CLONE_NEWUTS) whose child sleeps so long: the kernel blocks the caller meanwhile
 *	fds=N              opens N descriptors of /dev/null and keeps them
 *	write=FILE:VALUE   with one write(2); also pwrite= and writev= (two pieces)
 *	facts              prints pid, cgroups, namespaces, capabilities, descriptors
 *	say=TEXT           prints TEXT
 *	notify=TEXT        sends TEXT to the service manager at NOTIFY_SOCKET; ';' in it ends a line
 *	loop=NAME:N        N times getpid, read, write, or forkexec; prints nanoseconds of CPU time per
 *	                   turn, children's included: other programs on the machine do not disturb it
 *
 * An action that does not go as named prints why to stderr and ends the program with code 99.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct name_value {
	const char *name;
	int value;
};

static const struct name_value errors[] = {
	{ "EPERM", EPERM }, { "ENOENT", ENOENT }, { "ENODEV", ENODEV }, { "EINVAL", EINVAL },
	{ "ENOTDIR", ENOTDIR }, { "ENOTBLK", ENOTBLK }, { "EACCES", EACCES }, { "ENOEXEC", ENOEXEC }, { "ELOOP", ELOOP },
};

static const struct name_value signals[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ABRT", SIGABRT },
	{ "KILL", SIGKILL }, { "USR1", SIGUSR1 }, { "SEGV", SIGSEGV }, { "TERM", SIGTERM },
};

static const struct name_value namespaces[] = {
	{ "mnt", CLONE_NEWNS }, { "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC },
	{ "net", CLONE_NEWNET }, { "pid", CLONE_NEWPID }, { "cgroup", 0x02000000 },
};

static _Noreturn void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("stimulus: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(99);
}

static int look_up(const struct name_value *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(table[i].name, name))
			return table[i].value;
	fail("unknown name %s", name);
}

static long number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0)
		fail("bad number %s", text);
	return n;
}

static void eat(const char *value)
{
	size_t size = (size_t)number(value) << 20;
	volatile char *memory = malloc(size);

	if (!memory)
		fail("no %s MiB of address space", value);
	/* Another byte in each page, so that no page is like another. */
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = (char)(i >> 12 | 1);
}

static pid_t fork_or_fail(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	return pid;
}

static void report_child(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		fail("waitpid: %s", strerror(errno));
	if (WIFSIGNALED(status))
		printf("child %d killed %d\n", pid, WTERMSIG(status));
	else
		printf("child %d exited %d\n", pid, WEXITSTATUS(status));
}

static void child_eat(const char *value)
{
	pid_t pid = fork_or_fail();

	if (pid == 0) {
		eat(value);
		_exit(0);
	}
	report_child(pid);
}

static void send_self(const char *value)
{
	if (kill(getpid(), look_up(signals, COUNT(signals), value)) < 0)
		fail("kill: %s", strerror(errno));
}

static void child_kill(const char *value)
{
	pid_t pid = fork_or_fail();

	if (pid == 0) {
		send_self(value);
		_exit(98);
	}
	report_child(pid);
}

static void fork_many(const char *value)
{
	for (long n = number(value); n > 0; n--) {
		pid_t pid = fork_or_fail();

		if (pid == 0)
			_exit(0);
		if (waitpid(pid, NULL, 0) < 0)
			fail("waitpid: %s", strerror(errno));
	}
}

static void crowd(const char *value)
{
	for (long n = number(value); n > 0; n--) {
		if (fork_or_fail() == 0) {
			pause();
			_exit(0);
		}
	}
	printf("crowd of %ld\n", number(value));
	fflush(stdout);
	pause();
}

static void segv(const char *value)
{
	/* volatile: the compiler must not see that this is wrong. */
	char *volatile nowhere = (char *)(uintptr_t)8;

	(void)value;
	*nowhere = 1;
}

static void ignore(const char *value)
{
	signal(look_up(signals, COUNT(signals), value), SIG_IGN);
}

static volatile sig_atomic_t term_code;

static void on_term(int sig)
{
	(void)sig;
	_exit(term_code);
}

static void term_exit(const char *value)
{
	term_code = (int)number(value);
	signal(SIGTERM, on_term);
}

static void sleep_ms(const char *value)
{
	long ms = number(value);
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static void expect_errno(const char *what, int result, const char *wanted)
{
	int got = errno;

	if (result >= 0)
		fail("%s went well instead of failing with %s", what, wanted);
	if (got != look_up(errors, COUNT(errors), wanted))
		fail("%s failed with %s instead of %s", what, strerror(got), wanted);
}

static void mount_fail(const char *value)
{
	int result;

	switch (look_up(errors, COUNT(errors), value)) {
	case ENOENT:
		result = mount("none", "/stimulus-is-not-there", "tmpfs", 0, NULL);
		break;
	case EPERM: /* without CAP_SYS_ADMIN */
	case ENODEV:
		result = mount("none", "/", "stimulusfs", 0, NULL);
		break;
	case EINVAL:
		result = mount("none", "/", NULL, MS_SHARED | MS_PRIVATE, NULL);
		break;
	case ENOTDIR:
		result = mount("none", "/proc/version", "tmpfs", 0, NULL);
		break;
	case ENOTBLK:
		result = mount("/proc/version", "/proc", "ext4", 0, NULL);
		break;
	default:
		fail("no mount is known to fail with %s", value);
	}
	expect_errno("mount", result, value);
}

static void make_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		fail("cannot make %s: %s", path, strerror(errno));
	close(fd);
}

static void exec_fail(const char *value)
{
	static const char path[] = "/tmp/stimulus-exec", inside[] = "/tmp/stimulus-exec/x";
	char *argv[] = { (char *)"stimulus-exec", NULL };
	const char *run = path;
	int result;

	unlink(path);
	switch (look_up(errors, COUNT(errors), value)) {
	case ENOENT:
		break;
	case EACCES:
		make_file(path, "", 0600);
		break;
	case ENOEXEC:
		make_file(path, "neither ELF nor script\n", 0700);
		break;
	case ENOTDIR:
		make_file(path, "", 0600);
		run = inside;
		break;
	case ELOOP:
		if (symlink(path, path) < 0)
			fail("symlink: %s", strerror(errno));
		break;
	default:
		fail("no execve is known to fail with %s", value);
	}
	result = execv(run, argv);
	expect_errno("execve", result, value);
	unlink(path);
}

static void unshare_list(const char *value)
{
	char list[128], *save = NULL;
	int flags = 0;

	if (snprintf(list, sizeof(list), "%s", value) >= (int)sizeof(list))
		fail("too long: %s", value);
	for (char *name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save))
		flags |= look_up(namespaces, COUNT(namespaces), name);
	if (unshare(flags) < 0)
		fail("unshare: %s", strerror(errno));
}

static void hold_fds(const char *value)
{
	for (long n = number(value); n > 0; n--)
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			fail("open: %s", strerror(errno));
}

enum write_call { WRITE, PWRITE, WRITEV };

static void write_file(const char *value, enum write_call call)
{
	char path[PATH_MAX];
	const char *colon = strchr(value, ':'), *text;
	struct iovec pieces[2];
	size_t length;
	ssize_t written;
	int fd;

	if (!colon || snprintf(path, sizeof(path), "%.*s", (int)(colon - value), value) >= (int)sizeof(path))
		fail("not FILE:VALUE: %s", value);
	text = colon + 1;
	length = strlen(text);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	pieces[0] = (struct iovec){ (void *)text, length / 2 };
	pieces[1] = (struct iovec){ (void *)(text + length / 2), length - length / 2 };
	if (call == WRITE)
		written = write(fd, text, length);
	else if (call == PWRITE)
		written = pwrite(fd, text, length, 0);
	else
		written = writev(fd, pieces, 2);
	printf("%s: %s\n", path, written < 0 ? strerrorname_np(errno) : "0");
	close(fd);
}

static void do_write(const char *value)
{
	write_file(value, WRITE);
}

static void do_pwrite(const char *value)
{
	write_file(value, PWRITE);
}

static void do_writev(const char *value)
{
	write_file(value, WRITEV);
}

static void copy_lines(const char *path, const char *prefix)
{
	char line[4096];
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, prefix, strlen(prefix)))
			fputs(line, stdout);
	fclose(f);
}

static void print_links(const char *directory)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(directory);
	int own;

	if (!dir)
		return;
	own = dirfd(dir);
	while ((entry = readdir(dir))) {
		ssize_t n;

		if (snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >= (int)sizeof(path) ||
			atoi(entry->d_name) == own)
			continue;
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0)
			printf("%s %.*s\n", path, (int)n, target);
	}
	closedir(dir);
}

static void facts(const char *value)
{
	(void)value;
	printf("pid %d\n", getpid());
	copy_lines("/proc/self/status", "Cap");
	copy_lines("/proc/self/status", "NoNewPrivs");
	copy_lines("/proc/self/status", "Seccomp");
	copy_lines("/proc/self/cgroup", "");
	print_links("/proc/self/ns");
	print_links("/proc/self/fd");
}

static void say(const char *value)
{
	puts(value);
}

static void notify(const char *value)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	char text[256];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!path)
		fail("no NOTIFY_SOCKET");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	snprintf(text, sizeof(text), "%s", value);
	for (char *p = text; *p; p++)
		*p = *p == ';' ? '\n' : *p;
	if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail("%s: %s", path, strerror(errno));
	close(fd);
}

static void leave(const char *value)
{
	exit((int)number(value));
}

static double cpu_ns(void)
{
	struct timespec own;
	struct rusage children;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return (double)own.tv_sec * 1e9 + (double)own.tv_nsec +
	       (double)(children.ru_utime.tv_sec + children.ru_stime.tv_sec) * 1e9 +
	       (double)(children.ru_utime.tv_usec + children.ru_stime.tv_usec) * 1e3;
}

static void burn(const char *value)
{
	double end = cpu_ns() + (double)number(value) * 1e6;

	while (cpu_ns() < end)
		;
}

/* proc(5), schedstat: the time on a CPU, the time in a queue, the number of turns. */
static void usage(const char *value)
{
	unsigned long long queued;
	FILE *f = fopen("/proc/self/schedstat", "r");

	(void)value;
	if (!f || fscanf(f, "%*u %llu", &queued) != 1)
		fail("cannot read /proc/self/schedstat");
	fclose(f);
	printf("usage %.0f %llu\n", cpu_ns(), queued);
}

static int sleeping_child(void *ms)
{
	sleep_ms(ms);
	return 0;
}

static void clone_wait(const char *value)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid = clone(sleeping_child, stack + sizeof(stack), CLONE_VFORK | CLONE_NEWUTS | SIGCHLD, (void *)value);

	if (pid < 0)
		fail("clone: %s", strerror(errno));
	if (waitpid(pid, NULL, 0) < 0)
		fail("waitpid: %s", strerror(errno));
}

static void turn_getpid(int fd)
{
	(void)fd;
	syscall(SYS_getpid);
}

static void turn_read(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		fail("read: %s", strerror(errno));
}

static void turn_write(int fd)
{
	if (write(fd, "", 1) != 1)
		fail("write: %s", strerror(errno));
}

/* Executes this very program, which has nothing to do and ends. */
static void turn_forkexec(int fd)
{
	char *argv[] = { (char *)"stimulus", NULL };
	pid_t pid = vfork();

	(void)fd;
	if (pid < 0)
		fail("vfork: %s", strerror(errno));
	if (pid == 0) {
		execv("/proc/self/exe", argv);
		_exit(99);
	}
	if (waitpid(pid, NULL, 0) < 0)
		fail("waitpid: %s", strerror(errno));
}

static void loop(const char *value)
{
	static const struct {
		const char *name, *file;
		void (*turn)(int fd);
	} loops[] = {
		{ "getpid", "/dev/null", turn_getpid },
		{ "read", "/dev/zero", turn_read },
		{ "write", "/dev/null", turn_write },
		{ "forkexec", "/dev/null", turn_forkexec },
	};
	const char *colon = strchr(value, ':');

	for (size_t i = 0; colon && i < COUNT(loops); i++) {
		long count = number(colon + 1);
		double start;
		int fd;

		if (strlen(loops[i].name) != (size_t)(colon - value) ||
			strncmp(loops[i].name, value, (size_t)(colon - value)) != 0)
			continue;
		fd = open(loops[i].file, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fail("%s: %s", loops[i].file, strerror(errno));
		start = cpu_ns();
		for (long n = count; n > 0; n--)
			loops[i].turn(fd);
		printf("%.2f\n", (cpu_ns() - start) / (double)(count ? count : 1));
		close(fd);
		return;
	}
	fail("unknown loop %s", value);
}

static const struct {
	const char *name;
	void (*run)(const char *value);
} actions[] = {
	{ "eat", eat }, { "child-eat", child_eat }, { "fork", fork_many }, { "exit", leave },
	{ "kill", send_self }, { "child-kill", child_kill }, { "segv", segv }, { "ignore", ignore },
	{ "term-exit", term_exit }, { "sleep", sleep_ms }, { "mount-fail", mount_fail },
	{ "exec-fail", exec_fail }, { "unshare", unshare_list }, { "fds", hold_fds },
	{ "write", do_write }, { "pwrite", do_pwrite }, { "writev", do_writev }, { "facts", facts },
	{ "say", say }, { "notify", notify }, { "loop", loop }, { "burn", burn }, { "usage", usage },
	{ "clone-wait", clone_wait }, { "crowd", crowd },
};

static void run_action(const char *action)
{
	size_t length = strcspn(action, "=");
	const char *value = action[length] ? action + length + 1 : "";

	for (size_t i = 0; i < COUNT(actions); i++) {
		if (strlen(actions[i].name) == length && !strncmp(actions[i].name, action, length)) {
			actions[i].run(value);
			fflush(stdout);
			return;
		}
	}
	fail("unknown action %s", action);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run_action(argv[i]);
	return 0;
}
