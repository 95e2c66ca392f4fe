/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of `ctrace oci` that tell: list, ps, events, features. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cmd/oci_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

static const struct option format_options[] = { { "format", required_argument, NULL, 'f' },
	{ "quiet", no_argument, NULL, 'q' }, { 0 } };

/* -1: neither "json" nor "table" */
static int is_json(const char *format)
{
	return !strcmp(format, "json") ? 1 : !strcmp(format, "table") ? 0 : -1;
}

static char *owner_of(const char *root, const char *id)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", root, id);
	struct stat st;
	struct passwd *user;

	if (stat(path, &st) < 0)
		return xstrdup("");
	user = getpwuid(st.st_uid);
	return user ? xstrdup(user->pw_name) : xasprintf("#%u", st.st_uid);
}

static void list_one(const struct oci *oci, const char *id, bool quiet, json_object *array)
{
	const char *root = oci->root;
	struct error err = { 0 };
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_free_ char *text = NULL, *owner = NULL;
	json_object *o, *created = NULL;

	int r = runtime_open(root, id, &c, &err);

	if (r == -EUCLEAN) /* the others are listed all the same */
		oci_warn(oci, err.text);
	if (r < 0)
		return;
	if (quiet) {
		printf("%s\n", id);
		return;
	}
	text = runtime_state(c);
	owner = owner_of(root, id);
	o = json_tokener_parse(text);
	json_object_object_add(o, "owner", json_object_new_string(owner));
	if (array) {
		json_object_array_add(array, o);
		return;
	}
	json_object_object_get_ex(o, "created", &created);
	printf("%-12s %-10d %-10s %-30s %-32s %s\n", id, runtime_pid(c),
		runtime_status_name(runtime_status(c)), runtime_bundle(c) ? runtime_bundle(c) : "",
		created ? json_object_get_string(created) : "", owner);
	json_object_put(o);
}

int oci_list(struct oci *oci, int argc, char **argv)
{
	struct dirent **names = NULL;
	bool quiet = false;
	int c, count, json = 0;
	json_object *array;

	while ((c = oci_option(argc, argv, "f:q", format_options)) != -1) {
		if (c == 'q')
			quiet = true;
		else if (c == 'f')
			json = is_json(optarg);
		else
			return 1;
	}
	if (json < 0)
		return oci_usage(oci, "invalid format option: json and table are known");
	array = json ? json_object_new_array() : NULL;
	if (!quiet && !json)
		printf("%-12s %-10s %-10s %-30s %-32s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED",
			"OWNER");
	count = scandir(oci->root, &names, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.')
			list_one(oci, names[i]->d_name, quiet, array);
		free(names[i]);
	}
	free(names);
	if (array) {
		puts(json_object_to_json_string_ext(array,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(array);
	}
	return 0;
}

static void print_pids(const pid_t *pids, size_t count)
{
	putchar('[');
	for (size_t i = 0; i < count; i++)
		printf("%s%d", i ? "," : "", pids[i]);
	puts("]");
}

static bool among(long pid, const pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (pids[i] == pid)
			return true;
	}
	return false;
}

/* The 1-based column of "PID" in ps's title, 0 = there is none. */
static int pid_column(char *title)
{
	char *save = NULL;
	int column = 0;

	for (char *w = strtok_r(title, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		column++;
		if (!strcmp(w, "PID"))
			return column;
	}
	return 0;
}

static long word_number(const char *line, int column)
{
	while (--column > 0) {
		line += strspn(line, " ");
		line += strcspn(line, " ");
	}
	return strtol(line, NULL, 10);
}

/* ps(1) knows how to show processes; its lines are those of the container. */
static int print_table(const struct oci *oci, char **arguments, const pid_t *pids, size_t count)
{
	static char ps[] = "ps", all[] = "-ef";
	char *plain[] = { ps, all, NULL };
	_cleanup_fclose_ FILE *out = NULL;
	struct error err = { 0 };
	char line[4096];
	int pipes[2], column = 0, status = 0;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		error_errno(&err, errno, "cannot run ps");
		return oci_fail(oci, &err);
	}
	if (pid == 0) {
		dup2(pipes[1], 1);
		arguments[0] = ps;
		execvp("ps", arguments[1] ? arguments : plain);
		_exit(127);
	}
	close(pipes[1]);
	out = fdopen(pipes[0], "r");
	for (bool first = true; out && fgets(line, sizeof(line), out); first = false) {
		if (first || among(word_number(line, column), pids, count))
			fputs(line, stdout);
		if (first)
			column = pid_column(line);
	}
	waitpid(pid, &status, 0);
	if (status != 0 || column == 0) {
		error_set(&err, EINVAL, "ps failed, or shows no column PID");
		return oci_fail(oci, &err);
	}
	return 0;
}

int oci_ps(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	struct error err = { 0 };
	int option, json = 0;
	size_t count = 0;

	while ((option = oci_option(argc, argv, "+f:", format_options)) != -1) {
		json = option == 'f' ? is_json(optarg) : -1;
		if (json < 0)
			return oci_usage(oci, "invalid format option: json and table are known");
	}
	if (optind >= argc)
		return oci_usage(oci, "ps wants a container id");
	if (runtime_open(oci->root, argv[optind], &c, &err) < 0 ||
		runtime_processes(c, &pids, &count, &err) < 0)
		return oci_fail(oci, &err);
	if (!json)
		return print_table(oci, argv + optind, pids, count);
	print_pids(pids, count);
	return 0;
}

static void add_number(json_object *o, const char *key, int64_t value)
{
	if (value != CGROUP_UNSET)
		json_object_object_add(o, key, json_object_new_int64(value));
}

static json_object *add_object(json_object *o, const char *key)
{
	json_object *v = json_object_new_object();

	json_object_object_add(o, key, v);
	return v;
}

static void print_event(const char *type, const char *id, json_object *data)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "type", json_object_new_string(type));
	json_object_object_add(o, "id", json_object_new_string(id));
	if (data)
		json_object_object_add(o, "data", data);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(stdout);
	json_object_put(o);
}

/* runc's names, as far as both have the figure. */
static json_object *stats_document(const struct cgroup_stats *s)
{
	json_object *data = json_object_new_object();
	json_object *cpu = add_object(data, "cpu"), *usage = add_object(cpu, "usage");
	json_object *throttling = add_object(cpu, "throttling"), *memory = add_object(data, "memory");
	json_object *bytes = add_object(memory, "usage"), *swap = add_object(memory, "swap");
	json_object *pids = add_object(data, "pids"), *block = add_object(data, "blkio");

	add_number(usage, "total", s->cpu_usage_ns);
	add_number(usage, "kernel", s->cpu_system_ns);
	add_number(usage, "user", s->cpu_user_ns);
	add_number(throttling, "periods", s->cpu_periods);
	add_number(throttling, "throttledPeriods", s->cpu_throttled);
	add_number(throttling, "throttledTime", s->cpu_throttled_ns);
	add_number(bytes, "limit", s->memory_limit);
	add_number(bytes, "usage", s->memory_usage);
	add_number(bytes, "max", s->memory_peak);
	add_number(bytes, "failcnt", s->memory_reclaims);
	add_number(swap, "limit", s->memory_swap_limit);
	add_number(swap, "usage", s->memory_swap_usage);
	add_number(pids, "current", s->pids);
	add_number(pids, "limit", s->pids_limit);
	add_number(block, "readBytes", s->io_read_bytes);
	add_number(block, "writeBytes", s->io_write_bytes);
	return data;
}

/* "5s", "100ms", "2m", "3": milliseconds; -1 = none of these */
static int64_t parse_interval(const char *text)
{
	char *end;
	double value = strtod(text, &end);
	double unit = !strcmp(end, "ms") ? 1 : !*end || !strcmp(end, "s") ? 1000
		: !strcmp(end, "m") ? 60000 : !strcmp(end, "h") ? 3600000 : -1;

	return end == text || unit < 0 || value <= 0 || value * unit > INT32_MAX || value * unit < 1
		       ? -1 : (int64_t)(value * unit);
}

/* Until the container stops. OOM kills are looked for every second at least: there is no event that both
 * versions of cgroups have. */
static int follow(struct container *c, const char *id, int64_t interval)
{
	enum { LOOK_MS = 1000 };
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, runtime_pid(c), 0);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	struct cgroup_stats s;
	int64_t left = 0, kills;

	cgroup_read_stats(runtime_cgroup(c), &s);
	kills = s.oom_kills;
	for (bool ended = false; !ended;) {
		int64_t wait = left < LOOK_MS ? left : LOOK_MS;

		ended = pidfd < 0 || poll(&end, 1, (int)wait) > 0;
		left -= wait;
		cgroup_read_stats(runtime_cgroup(c), &s);
		if (s.oom_kills > kills)
			print_event("oom", id, NULL);
		kills = s.oom_kills;
		if (left <= 0 && !ended) {
			print_event("stats", id, stats_document(&s));
			left = interval;
		}
	}
	return 0;
}

int oci_events(struct oci *oci, int argc, char **argv)
{
	static const struct option options[] = { { "stats", no_argument, NULL, 's' },
		{ "interval", required_argument, NULL, 'i' }, { 0 } };
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	int64_t interval = 5000;
	struct cgroup_stats s;
	struct error err = { 0 };
	bool once = false;
	int option;

	while ((option = oci_option(argc, argv, "", options)) != -1) {
		if (option == 's')
			once = true;
		else if (option != 'i' || (interval = parse_interval(optarg)) < 0)
			return oci_usage(oci, "events: --interval wants a time like 5s");
	}
	if (argc - optind != 1)
		return oci_usage(oci, "events wants a container id");
	if (runtime_open(oci->root, argv[optind], &c, &err) < 0)
		return oci_fail(oci, &err);
	if (runtime_status(c) == RUNTIME_STOPPED || !runtime_cgroup(c)) {
		error_set(&err, ESRCH, "container %s is not running", argv[optind]);
		return oci_fail(oci, &err);
	}
	if (!once)
		return follow(c, argv[optind], interval);
	cgroup_read_stats(runtime_cgroup(c), &s);
	print_event("stats", argv[optind], stats_document(&s));
	return 0;
}

static const char features[] =
	"{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.1.0\","
	"\"hooks\":[\"prestart\",\"createRuntime\",\"createContainer\",\"startContainer\",\"poststart\","
	"\"poststop\"],\"mountOptions\":%s,"
	"\"linux\":{\"namespaces\":[\"cgroup\",\"ipc\",\"mount\",\"network\",\"pid\",\"time\",\"user\","
	"\"uts\"],\"capabilities\":%s,"
	"\"cgroup\":{\"v1\":true,\"v2\":true,\"systemd\":false,\"systemdUser\":false,\"rdma\":true},"
	"\"seccomp\":{\"enabled\":true,\"actions\":[\"SCMP_ACT_ALLOW\",\"SCMP_ACT_ERRNO\","
	"\"SCMP_ACT_KILL\",\"SCMP_ACT_KILL_PROCESS\",\"SCMP_ACT_KILL_THREAD\",\"SCMP_ACT_LOG\","
	"\"SCMP_ACT_NOTIFY\",\"SCMP_ACT_TRACE\",\"SCMP_ACT_TRAP\"],"
	"\"operators\":[\"SCMP_CMP_EQ\",\"SCMP_CMP_GE\",\"SCMP_CMP_GT\",\"SCMP_CMP_LE\",\"SCMP_CMP_LT\","
	"\"SCMP_CMP_MASKED_EQ\",\"SCMP_CMP_NE\"],"
	"\"archs\":[\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\",\"SCMP_ARCH_X32\",\"SCMP_ARCH_X86\","
	"\"SCMP_ARCH_X86_64\"],"
	"\"knownFlags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\","
	"\"SECCOMP_FILTER_FLAG_TSYNC\",\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]},"
	"\"apparmor\":{\"enabled\":true},\"selinux\":{\"enabled\":true},"
	"\"intelRdt\":{\"enabled\":false},\"mountExtensions\":{\"idmap\":{\"enabled\":true}}},"
	"\"annotations\":{},\"potentiallyUnsafeConfigAnnotations\":[]}\n";

static char *name_array(const char *(*name)(size_t))
{
	json_object *list = json_object_new_array();
	char *text;

	for (size_t i = 0; name(i); i++)
		json_object_array_add(list, json_object_new_string(name(i)));
	text = xstrdup(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN));
	json_object_put(list);
	return text;
}

int oci_features(struct oci *oci, int argc, char **argv)
{
	_cleanup_free_ char *options = name_array(runtime_mount_option);
	_cleanup_free_ char *capabilities = name_array(runtime_capability);

	(void)oci;
	(void)argc;
	(void)argv;
	printf(features, options, capabilities);
	return 0;
}
