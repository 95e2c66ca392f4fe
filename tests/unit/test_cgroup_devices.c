/* SPDX-License-Identifier: Apache-2.0 */
/* The device program of v2, tried on a group of whatever v2 tree the host has (controllers or not). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/cgroup_internal.h"

static int open_errno(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* In the group: bits of what is not as it should be. */
static int try_devices(int group)
{
	int bad = 0;

	if (cgroup_write_at(group, "cgroup.procs", "0") < 0)
		return 64;
	bad |= open_errno("/dev/null", O_RDWR) == 0 ? 0 : 1;
	bad |= open_errno("/dev/zero", O_RDONLY) == 0 ? 0 : 2;
	bad |= open_errno("/dev/zero", O_RDWR) == EPERM ? 0 : 4;
	bad |= open_errno("/dev/full", O_RDONLY) == EPERM ? 0 : 8;
	return bad;
}

static void test_rules(void **state)
{
	struct cgroup_device rules[] = {
		{ false, 'a', -1, -1, "rwm" },
		{ true, 'c', 1, 3, "rwm" },
		{ true, 'c', 1, -1, "r" },
		{ false, 'c', 1, 7, "rwm" }, /* the last that matches decides */
	};
	struct cgroup_resources r = { .devices = rules, .device_count = 4 };
	struct cgroup *root = NULL;
	char path[256];
	int group, status = 0;
	pid_t pid;

	(void)state;
	if (geteuid() != 0 || cgroup_open("/", &root, NULL) < 0 || cgroup_v2_fd(root) < 0) {
		print_message("needs root and a mounted v2 tree\n");
		cgroup_close(root);
		skip();
	}
	snprintf(path, sizeof(path), "%s/runtime-unit-%d", cgroup_directory(root, ""), getpid());
	cgroup_close(root);
	assert_int_equal(mkdir(path, 0755), 0);
	group = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	status = cgroup_device_attach(group, &r, NULL);
	if (status == 0) {
		pid = fork();
		if (pid == 0)
			_exit(try_devices(group));
		waitpid(pid, &status, 0);
	}
	close(group);
	for (int i = 0; i < 100 && rmdir(path) < 0 && errno == EBUSY; i++)
		usleep(10000);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rules) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
