/* SPDX-License-Identifier: Apache-2.0 */
/* The capture on the running kernel: real containers of a real runc. Needs root, runc, busybox, strace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

#define CONTAINER "ctlive" /* + pid: another run of this test may be under way */

struct seen {
	struct event **events;
	size_t count, capacity;
};

static char directory[64], id[32];

static int keep(void *arg, const struct event *event)
{
	struct seen *seen = arg;
	struct event *copy = xcalloc(1, 65536); /* zeroes beyond the record */

	memcpy(copy, event, event->size);
	copy = xrealloc(copy, sizeof(struct event_syscall_enter) + event->size);
	array_grow(seen->events, seen->count, seen->capacity);
	seen->events[seen->count++] = copy;
	return 0;
}

static void seen_free(struct seen *seen)
{
	for (size_t i = 0; i < seen->count; i++)
		free(seen->events[i]);
	free(seen->events);
	memset(seen, 0, sizeof(*seen));
}

static void read_for(struct capture *c, struct seen *seen, int ms)
{
	uint64_t until = boottime_ns() + ms * UINT64_C(1000000);
	struct pollfd fd = { .fd = capture_fd(c), .events = POLLIN };

	while (boottime_ns() < until) {
		poll(&fd, 1, 20);
		assert_int_equal(capture_read(c, keep, seen, NULL), 0);
	}
}

static pid_t spawn(const char *command)
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	return pid;
}

static int run_shell(const char *command)
{
	int status;

	waitpid(spawn(command), &status, 0);
	return WEXITSTATUS(status);
}

/* Runs a shell command under a capture and gives all that was seen, drained. */
static struct seen run_captured(const struct capture_options *options, const char *command)
{
	struct seen seen = { 0 };
	struct error err = { 0 };
	struct capture *c;
	int status;
	pid_t pid;

	if (capture_open(options, &c, &err) < 0)
		fail_msg("%s", err.text);
	pid = spawn(command);
	while (waitpid(pid, &status, WNOHANG) == 0)
		read_for(c, &seen, 10);
	read_for(c, &seen, 200);
	assert_int_equal(capture_drain(c, keep, &seen, &err), 0);
	capture_close(c);
	return seen;
}

/* A bundle of busybox. args: JSON array; extra_mount: a further JSON mount with a comma before it, or "". */
static void write_bundle(const char *args, const char *extra_mount, const char *memory)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/config.json", directory);
	f = fopen(path, "w");
	fprintf(f, "{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"args\":%s,"
		"\"env\":[\"PATH=/bin\"],\"cwd\":\"/\",\"noNewPrivileges\":true,\"capabilities\":"
		"{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]}},"
		"\"root\":{\"path\":\"rootfs\"},\"hostname\":\"livehost\",\"mounts\":["
		"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]}%s],"
		"\"linux\":{\"cgroupsPath\":\"/%s\",\"resources\":{\"memory\":{\"limit\":%s},"
		"\"pids\":{\"limit\":50}},\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
		"{\"type\":\"mount\"}],\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}}}",
		args, extra_mount, id, memory);
	fclose(f);
}

static struct seen run_container(const struct capture_options *options)
{
	char command[256];

	snprintf(command, sizeof(command), "exec runc run -b %s %s", directory, id);
	return run_captured(options, command);
}

/* The next event of that kind from *at on; moves *at behind it. */
static const void *next_event(const struct seen *seen, enum event_kind kind, size_t *at)
{
	while (*at < seen->count) {
		const struct event *e = seen->events[(*at)++];

		if (e->kind == kind)
			return e;
	}
	return NULL;
}

/* Others may run containers on this host, too: ours is the one whose cgroup has our id. */
static bool is_own_cgroup(const struct seen *seen, uint64_t cgroup)
{
	const struct event_cgroup *e;

	for (size_t at = 0; (e = next_event(seen, EVENT_CGROUP_MKDIR, &at));) {
		if (e->id == cgroup && strcmp(e->path + 1, id) == 0)
			return true;
	}
	return false;
}

/* The program that the container's init executed. */
static const struct event_exec *find_init(const struct seen *seen)
{
	const struct event_exec *e;

	for (size_t at = 0; (e = next_event(seen, EVENT_EXEC, &at));) {
		if (e->h.role == ROLE_PAYLOAD && e->h.ns_tgid == 1 && strncmp(e->filename, "/bin/", 5) == 0 &&
			is_own_cgroup(seen, e->h.cgroup_id))
			return e;
	}
	return NULL;
}

static const struct event_syscall_enter *find_call(const struct seen *seen, uint32_t tid, uint32_t op, size_t *at)
{
	const struct event_syscall_enter *e;

	while ((e = next_event(seen, EVENT_SYSCALL_ENTER, at))) {
		if (e->op == op && (!tid || e->h.tid == tid))
			return e;
	}
	return NULL;
}

/* The result of the call whose entry was found just before at. */
static int64_t result_of(const struct seen *seen, const struct event *enter, size_t at)
{
	const struct event_syscall_exit *e;

	while ((e = next_event(seen, EVENT_SYSCALL_EXIT, &at))) {
		if (e->h.tid == enter->tid)
			return e->result;
	}
	return INT64_MAX;
}

static const struct event_cgroup_write *find_write(const struct seen *seen, const char *file)
{
	const struct event_cgroup_write *e;

	for (size_t at = 0; (e = next_event(seen, EVENT_CGROUP_WRITE, &at));) {
		if (strcmp(e->file, file) == 0 && strcmp(e->path[0], id) == 0)
			return e;
	}
	return NULL;
}

static void assert_in_order(const struct seen *seen)
{
	for (size_t i = 1; i < seen->count; i++)
		assert_true(seen->events[i - 1]->time_ns <= seen->events[i]->time_ns);
}

static void assert_nothing_lost(const struct seen *seen)
{
	const struct event_lost *e;

	for (size_t at = 0; (e = next_event(seen, EVENT_LOST, &at));) {
		if (e->reason != LOSS_SNAPSHOT)
			fail_msg("%llu events of kind %u lost, reason %u", (unsigned long long)e->count, e->lost_kind,
				e->reason);
	}
}

static void sees_a_whole_start(void **state)
{
	struct capture_options options = { .start_armed = true };
	const struct event_exec *init;
	const struct event_syscall_enter *call;
	const struct event_cgroup_write *write;
	const struct event_exit *end;
	struct seen seen;
	size_t at;

	(void)state;
	write_bundle("[\"/bin/sh\",\"-c\",\"exit 3\"]", "", "67108864");
	seen = run_container(&options);
	assert_in_order(&seen);
	assert_nothing_lost(&seen);
	init = find_init(&seen);
	assert_non_null(init);
	assert_memory_equal(init->argv, "/bin/sh\0-c\0exit 3", 18);
	assert_true(init->no_new_privs);
	assert_true(init->cap_permitted == 1 << 5); /* CAP_KILL */
	assert_true(init->h.ns_level > 0 && init->ns.pid != 0 && init->ns.mnt != 0);

	at = 0;
	call = find_call(&seen, 0, OP_UNSHARE, &at);
	assert_non_null(call);
	assert_true(call->args[0] == 0x2c020000); /* NEWNS, NEWUTS, NEWIPC, NEWPID */
	assert_true(result_of(&seen, &call->h, at) == 0);
	at = 0;
	call = find_call(&seen, init->h.tid, OP_SETHOSTNAME, &at);
	assert_non_null(call);
	assert_string_equal(call->a, "livehost");
	at = 0;
	call = find_call(&seen, init->h.tid, OP_PIVOT_ROOT, &at);
	assert_non_null(call);
	assert_string_equal(call->path[0], "rootfs");
	assert_string_equal(call->path[1], strrchr(directory, '/') + 1);
	at = 0;
	call = find_call(&seen, init->h.tid, OP_CAPSET, &at);
	assert_non_null(call);
	assert_true(call->args[1] == 1 << 5);
	at = 0;
	assert_non_null(find_call(&seen, init->h.tid, OP_NO_NEW_PRIVS, &at));
	at = 0;
	while ((call = find_call(&seen, init->h.tid, OP_MOUNT, &at)) && strcmp(call->c, "proc") != 0)
		;
	assert_non_null(call);
	assert_string_equal(call->path[0], "proc");
	assert_string_equal(call->path[1], "rootfs");

	write = find_write(&seen, "pids.max");
	assert_non_null(write);
	assert_string_equal(write->value, "50");
	write = find_write(&seen, write->magic == 0x27e0eb ? "memory.limit_in_bytes" : "memory.max");
	assert_non_null(write);
	assert_string_equal(write->value, "67108864");
	assert_true(write->length == 8 && write->path[1][0] == '\0');
	assert_true(write->id == init->h.cgroup_id);

	for (at = 0; (end = next_event(&seen, EVENT_EXIT, &at)) && end->h.tgid != init->h.tgid;)
		;
	assert_non_null(end);
	assert_int_equal(end->exit_code, 3 << 8);
	seen_free(&seen);
}

static void tells_cgroups_from_birth_to_death(void **state)
{
	struct capture_options options = { .start_armed = true };
	static const enum event_kind kinds[] = { EVENT_CGROUP_MKDIR, EVENT_CGROUP_ATTACH, EVENT_CGROUP_POPULATED,
		EVENT_CGROUP_RMDIR };
	const struct event_cgroup *e;
	struct seen seen;
	size_t at = 0;
	uint64_t made;
	uint32_t hierarchy;

	(void)state;
	write_bundle("[\"/bin/true\"]", "", "67108864");
	seen = run_container(&options);
	while ((e = next_event(&seen, EVENT_CGROUP_MKDIR, &at)) && strcmp(e->path + 1, id) != 0)
		;
	assert_non_null(e);
	made = e->id;
	hierarchy = e->hierarchy;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		at = 0;
		while ((e = next_event(&seen, kinds[k], &at)) && (e->id != made || e->hierarchy != hierarchy))
			;
		assert_non_null(e);
		if (kinds[k] == EVENT_CGROUP_ATTACH)
			assert_true(e->target_tgid != 0 && e->target_start_ns != 0);
	}
	at = 0;
	while ((e = next_event(&seen, EVENT_SNAPSHOT_CGROUP, &at)))
		assert_true(e->path[0] == '/' && e->id != 0);
	seen_free(&seen);
}

static size_t count_cgroups(const struct seen *seen, const char *path)
{
	const struct event_cgroup *e;
	size_t at = 0, count = 0;

	while ((e = next_event(seen, EVENT_SNAPSHOT_CGROUP, &at)))
		count += strcmp(e->path, path) == 0;
	return count;
}

/* A tree of them: one with two below, one of which has another below, in every hierarchy that can be written to. */
static void tells_cgroups_that_were_there(void **state)
{
	static const char *const below[] = { "", "/leaf", "/branch", "/branch/leaf" };
	const char *const roots = "$(awk '$3 ~ /^cgroup/ && $4 ~ /^rw/ { print $2 }' /proc/mounts)";
	struct capture_options options = { 0 };
	char command[512], path[128];
	struct seen seen;
	int made;

	(void)state;
	snprintf(command, sizeof(command), "n=0; for root in %s; do mkdir -p $root/%s/leaf $root/%s/branch/leaf && n=$((n + 1)); "
		"done; exit $n", roots, id, id);
	made = run_shell(command);
	assert_true(made > 0);
	seen = run_captured(&options, "true");
	snprintf(command, sizeof(command), "for root in %s; do cd $root/%s && rmdir leaf branch/leaf branch && cd .. && rmdir %s; "
		"done", roots, id, id);
	run_shell(command);
	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		snprintf(path, sizeof(path), "/%s%s", id, below[i]);
		assert_int_equal(count_cgroups(&seen, path), made);
	}
	seen_free(&seen);
}

static void tells_why_a_mount_failed(void **state)
{
	struct capture_options options = { .start_armed = true };
	const struct event_syscall_enter *call;
	struct seen seen;
	size_t at = 0;

	(void)state;
	write_bundle("[\"/bin/true\"]", ",{\"destination\":\"/mnt\",\"type\":\"nosuchfs\",\"source\":\"x\"}", "67108864");
	seen = run_container(&options);
	while ((call = find_call(&seen, 0, OP_MOUNT, &at)) && strcmp(call->c, "nosuchfs") != 0)
		;
	assert_non_null(call);
	assert_true(result_of(&seen, &call->h, at) == -ENODEV);
	seen_free(&seen);
}

static void tells_why_an_exec_failed(void **state)
{
	struct capture_options options = { .start_armed = true };
	const struct event_syscall_enter *call;
	struct seen seen;
	size_t at = 0;

	(void)state;
	write_bundle("[\"/bin/garbage\"]", "", "67108864");
	seen = run_container(&options);
	while ((call = find_call(&seen, 0, OP_EXECVE, &at)) && strcmp(call->a, "/bin/garbage") != 0)
		;
	assert_non_null(call);
	assert_true(result_of(&seen, &call->h, at) == -ENOEXEC);
	seen_free(&seen);
}

static void tells_who_ran_out_of_memory(void **state)
{
	struct capture_options options = { .start_armed = true };
	const struct event_oom *oom;
	const struct event_exec *init;
	struct seen seen;
	size_t at = 0;

	(void)state;
	write_bundle("[\"/bin/tail\",\"/dev/zero\"]", "", "16777216");
	seen = run_container(&options);
	init = find_init(&seen);
	assert_non_null(init);
	while ((oom = next_event(&seen, EVENT_OOM_VICTIM, &at)) && oom->victim_tgid != init->h.tgid)
		;
	assert_non_null(oom);
	assert_true(oom->victim_tgid == init->h.tgid && oom->victim_start_ns == init->h.start_ns);
	assert_string_equal(oom->victim_comm, "tail");
	assert_true(oom->levels >= 2);
	assert_string_equal(oom->chain[0].name, id);
	assert_true(oom->chain[0].limit_pages == 16777216 / oom->page_size);
	assert_true(oom->chain[0].usage_pages <= oom->chain[0].limit_pages && oom->chain[0].usage_pages > 3000);
	assert_true(oom->chain[1].limit_pages == EVENT_NO_LIMIT);
	assert_true(oom->anon_kb > 8192);
	seen_free(&seen);
}

static void tells_who_sent_the_signal(void **state)
{
	struct capture_options options = { .start_armed = true };
	const struct event_signal *signal = NULL;
	const struct event_exit *end;
	char command[512];
	struct seen seen;
	size_t at = 0;

	(void)state;
	write_bundle("[\"/bin/sleep\",\"60\"]", "", "67108864");
	/* Its exec gives the name first and is told last: the signal must not fall between. */
	snprintf(command, sizeof(command), "runc run -d -b %s %s; sleep 0.5; runc kill %s KILL; sleep 0.2; runc delete -f %s",
		directory, id, id, id);
	seen = run_captured(&options, command);
	while ((signal = next_event(&seen, EVENT_SIGNAL, &at)) &&
		!(signal->signal == SIGKILL && signal->target_ns_tgid == 1 && strcmp(signal->target_comm, "sleep") == 0))
		;
	assert_non_null(signal);
	assert_string_equal(signal->h.comm, "runc");
	assert_int_equal(signal->h.role, ROLE_RUNTIME);
	assert_int_equal(signal->target_role, ROLE_PAYLOAD);
	while ((end = next_event(&seen, EVENT_EXIT, &at)) && end->h.tgid != signal->target_tgid)
		;
	assert_non_null(end);
	assert_int_equal(end->exit_code, SIGKILL);
	seen_free(&seen);
}

/* Others on this host may start containers all the time. */
static bool is_someone_starting(const struct capture *c)
{
	volatile struct ctrace_counters *counters = hooks_counters(&c->hooks);
	uint64_t now = boottime_ns() - 2 * ARMING_QUIET_NS;

	return c->arming.count > 0 || counters->last_sentinel_ns > now || counters->last_detail_ns > now;
}

/* Without a container nothing of the detail tier is attached; a runtime's exec attaches it at once; it goes
 * when all is quiet. */
static void arms_for_a_start_only(void **state)
{
	struct capture_options options = { 0 };
	const struct event_armed *armed;
	const struct event_syscall_enter *call;
	struct seen seen = { 0 };
	struct capture *c;
	char command[256];
	size_t at = 0;

	(void)state;
	write_bundle("[\"/bin/true\"]", "", "67108864");
	assert_int_equal(capture_open(&options, &c, NULL), 0);
	snprintf(command, sizeof(command), "exec runc run -b %s %s", directory, id);
	int status;
	pid_t pid = spawn(command);

	while (waitpid(pid, &status, WNOHANG) == 0)
		read_for(c, &seen, 10);
	for (int i = 0; i < 80 && c->hooks.armed; i++)
		read_for(c, &seen, 100);
	if (!is_someone_starting(c))
		assert_false(c->hooks.armed);
	assert_int_equal(capture_drain(c, keep, &seen, NULL), 0);
	capture_close(c);
	while ((armed = next_event(&seen, EVENT_ARMED, &at)) && armed->armed != 1)
		;
	assert_non_null(armed);
	assert_true(armed->sentinel_ns > 0 && armed->h.time_ns > armed->sentinel_ns);
	assert_true(armed->h.time_ns - armed->sentinel_ns < 100000000);
	at = 0;
	call = find_call(&seen, 0, OP_PIVOT_ROOT, &at);
	assert_non_null(call);
	seen_free(&seen);
}

/* What does not fit is counted: events that came and events that were lost make up all there were. */
static void counts_what_is_lost(void **state)
{
	struct capture_options options = { .lifecycle_ring_bytes = 65536, .bulk_ring_bytes = 65536 };
	enum { FORKS = 2000 };
	const struct event_lost *lost;
	const struct event_fork *e;
	struct seen seen = { 0 };
	struct capture *c;
	uint64_t forks = 0, count = 0;
	size_t at = 0;
	int gate[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	pid = fork();
	if (pid == 0) {
		char go;

		if (read(gate[0], &go, 1) != 1)
			_exit(1);
		execl("/bin/sh", "sh", "-c", "i=0; while [ $i -lt 2000 ]; do (:); i=$((i+1)); done", NULL);
		_exit(127);
	}
	options.follow = pid;
	assert_int_equal(capture_open(&options, &c, NULL), 0);
	read_for(c, &seen, 1);
	assert_int_equal(write(gate[1], "x", 1), 1);
	waitpid(pid, &status, 0); /* nobody reads meanwhile */
	assert_int_equal(capture_drain(c, keep, &seen, NULL), 0);
	while ((e = next_event(&seen, EVENT_FORK, &at)))
		forks += e->h.tgid == (uint32_t)pid;
	for (at = 0; (lost = next_event(&seen, EVENT_LOST, &at));) {
		if (lost->lost_kind == EVENT_FORK && lost->reason == LOSS_RING_FULL)
			count = lost->count;
	}
	assert_true(count > 0 && forks > 0);
	assert_true(forks + count >= FORKS);
	capture_close(c);
	seen_free(&seen);
}

/* One line of strace -ff: "mount("proc", "/proc/self/fd/6", ...) = 0" or "... = -1 ENOENT (...)". */
static bool parse_strace(char *line, char *ret_name, size_t size, int *ret_failed)
{
	char *open = strchr(line, '('), *equals = NULL;

	/* The result may stand apart, and strings may hold anything: the last "= " behind a ")" and spaces. */
	for (char *p = line; (p = strchr(p, ')')); p++) {
		char *after = p + 1 + strspn(p + 1, " ");

		if (after[0] == '=' && after[1] == ' ')
			equals = after;
	}
	if (!open || !equals)
		return false;
	*open = '\0';
	snprintf(ret_name, size, "%.*s", (int)size - 1, line);
	*ret_failed = strncmp(equals + 2, "-1", 2) == 0;
	return true;
}

static const char *op_name(uint32_t op)
{
	switch (op) {
	case OP_MOUNT:
		return "mount";
	case OP_UMOUNT:
		return "umount2";
	case OP_PIVOT_ROOT:
		return "pivot_root";
	case OP_UNSHARE:
		return "unshare";
	case OP_SETHOSTNAME:
		return "sethostname";
	}
	return NULL;
}

static size_t compare_with_strace(const struct seen *seen, const char *path, uint32_t tid)
{
	_cleanup_fclose_ FILE *f = fopen(path, "r");
	char line[4096], name[64];
	size_t at = 0, compared = 0;
	int failed;

	while (f && fgets(line, sizeof(line), f)) {
		const struct event_syscall_enter *e;

		if (!parse_strace(line, name, sizeof(name), &failed))
			continue;
		while ((e = next_event(seen, EVENT_SYSCALL_ENTER, &at)) && (e->h.tid != tid || !op_name(e->op)))
			;
		assert_non_null(e);
		assert_string_equal(op_name(e->op), name);
		assert_int_equal(result_of(seen, &e->h, at) < 0, failed);
		compared++;
	}
	return compared;
}

static void agrees_with_strace(void **state)
{
	struct capture_options options = { .start_armed = true };
	_cleanup_closedir_ DIR *dir = NULL;
	char command[512], path[512];
	struct dirent *entry;
	size_t compared = 0;
	struct seen seen;

	(void)state;
	if (access("/usr/bin/strace", X_OK) != 0)
		skip();
	write_bundle("[\"/bin/true\"]", "", "67108864");
	snprintf(command, sizeof(command), "mkdir %s/strace && exec strace -ff -e trace=mount,umount2,pivot_root,unshare,"
		"sethostname -o %s/strace/s runc run -b %s %s", directory, directory, directory, id);
	seen = run_captured(&options, command);
	snprintf(path, sizeof(path), "%s/strace", directory);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "s.", 2) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/strace/%s", directory, entry->d_name);
		compared += compare_with_strace(&seen, path, strtoul(entry->d_name + 2, NULL, 10));
	}
	assert_true(compared >= 8); /* a dozen with this bundle */
	seen_free(&seen);
}

static const struct event_syscall_exit *exit_of(const struct seen *seen, uint32_t op, uint64_t flags)
{
	const struct event_syscall_enter *enter;
	const struct event_syscall_exit *e;

	for (size_t at = 0; (enter = next_event(seen, EVENT_SYSCALL_ENTER, &at));) {
		if (enter->op != op || (enter->args[0] & flags) != flags)
			continue;
		while ((e = next_event(seen, EVENT_SYSCALL_EXIT, &at))) {
			if (e->h.tid == enter->h.tid)
				return e;
		}
	}
	return NULL;
}

/* The stimulus, called runc, waits 60 ms in one clone: blocked, not on a CPU, and in kernel_clone. */
static void tells_where_a_call_waited(void **state)
{
	struct capture_options options = { .start_armed = true };
	const struct event_syscall_exit *e;
	char command[512], self[256] = "";
	struct seen seen;

	(void)state;
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		fail();
	*strrchr(self, '/') = '\0';
	snprintf(command, sizeof(command), "mkdir -p %s/bin && cp %s/stimulus %s/bin/runc", directory, self, directory);
	if (run_shell(command) != 0)
		skip(); /* the tools are not built */
	snprintf(command, sizeof(command), "exec %s/bin/runc sleep=50 clone-wait=60", directory);
	seen = run_captured(&options, command);
	assert_nothing_lost(&seen);
	e = exit_of(&seen, OP_CLONE, 0x04004000); /* NEWUTS, VFORK */
	assert_non_null(e);
	if (!(e->h.flags & EVENT_F_CPU)) /* kernels before 5.14 */
		skip();
	assert_true(e->h.size == sizeof(*e));
	assert_in_range(e->blocked_ns, 50000000, 10000000000);
	assert_true(e->on_cpu_ns < e->blocked_ns / 2);
	assert_non_null(strstr(e->blocked_in, "kernel_clone"));
	seen_free(&seen);
}

static int setup(void **state)
{
	char command[512];

	(void)state;
	if (geteuid() != 0 || access("/usr/sbin/runc", X_OK) != 0 || access("/bin/busybox", X_OK) != 0)
		return 0;
	snprintf(directory, sizeof(directory), "/tmp/%s.%d", CONTAINER, getpid());
	snprintf(id, sizeof(id), "%s%d", CONTAINER, getpid());
	snprintf(command, sizeof(command), "mkdir -p %s/rootfs/bin %s/rootfs/proc %s/rootfs/dev && cd %s/rootfs/bin && "
		"cp /bin/busybox . && for a in sh true sleep tail; do ln -s busybox $a; done && "
		"echo garbage > garbage && chmod 755 garbage", directory, directory, directory, directory);
	return run_shell(command);
}

static int teardown(void **state)
{
	char command[256];

	(void)state;
	if (!directory[0])
		return 0;
	snprintf(command, sizeof(command), "runc delete -f %s; rm -rf %s", id, directory);
	run_shell(command);
	return 0;
}

static int need_runc(void **state)
{
	(void)state;
	return directory[0] ? 0 : -1;
}

#define live(test) cmocka_unit_test_setup(test, need_runc)

int main(void)
{
	const struct CMUnitTest tests[] = {
		live(sees_a_whole_start),
		live(tells_cgroups_from_birth_to_death),
		live(tells_cgroups_that_were_there),
		live(tells_why_a_mount_failed),
		live(tells_why_an_exec_failed),
		live(tells_who_ran_out_of_memory),
		live(tells_who_sent_the_signal),
		live(tells_where_a_call_waited),
		live(arms_for_a_start_only),
		live(counts_what_is_lost),
		live(agrees_with_strace),
	};

	if (geteuid() != 0 || access("/usr/sbin/runc", X_OK) != 0 || access("/bin/busybox", X_OK) != 0) {
		printf("1..0 # SKIP needs root, runc and busybox\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
