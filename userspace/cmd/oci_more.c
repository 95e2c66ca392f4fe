/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of `ctrace oci` that tell, and those that engines need beyond the specification. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/oci_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		length -= n;
	}
	return true;
}

/* False when the source has ended. */
static bool copy_some(int from, int to)
{
	char bytes[8192];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return n > 0 && write_all(to, bytes, (size_t)n);
}

static void copy_size(int master)
{
	struct winsize size;

	if (ioctl(0, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

static int copy_until_end(struct container *c, int master, int signals)
{
	struct pollfd p[3] = { { .fd = 0, .events = POLLIN }, { .fd = master, .events = POLLIN },
		{ .fd = signals, .events = POLLIN } };
	int status = 0;

	for (;;) {
		struct signalfd_siginfo info;

		if (poll(p, 3, -1) < 0)
			continue;
		if (p[0].revents && !copy_some(0, master))
			p[0].fd = -1;
		if (p[1].revents && !copy_some(master, 1))
			p[1].fd = -1;
		if (!p[2].revents || read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
			continue;
		if (info.ssi_signo == SIGWINCH)
			copy_size(master);
		else if (info.ssi_signo != SIGCHLD)
			runtime_kill(c, (int)info.ssi_signo, false, NULL);
		else if (runtime_try_wait(c, &status))
			break;
	}
	/* what init wrote last may still be in the pty */
	fcntl(master, F_SETFL, O_NONBLOCK);
	for (struct pollfd rest = { .fd = master, .events = POLLIN };
		p[1].fd >= 0 && poll(&rest, 1, 0) > 0 && rest.revents & POLLIN;) {
		if (!copy_some(master, 1))
			break;
	}
	return status;
}

int oci_supervise_terminal(struct container *c, const sigset_t *set,
	int (*wait)(struct container *, const sigset_t *))
{
	_cleanup_close_ int master = runtime_console(c), signals = -1;
	struct termios before, raw;
	bool terminal = tcgetattr(0, &before) == 0;
	int status;

	if (master < 0)
		return wait(c, set);
	signals = signalfd(-1, set, SFD_CLOEXEC);
	if (terminal) {
		raw = before;
		cfmakeraw(&raw);
		tcsetattr(0, TCSANOW, &raw);
		copy_size(master);
	}
	status = copy_until_end(c, master, signals);
	if (terminal)
		tcsetattr(0, TCSANOW, &before);
	return status;
}

static int list_one(const char *root, const char *id, bool quiet, json_object *array)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_free_ char *text = NULL;
	json_object *o, *created = NULL;

	if (runtime_open(root, id, &c, NULL) < 0)
		return 0;
	if (quiet)
		return printf("%s\n", id);
	text = runtime_state(c);
	o = json_tokener_parse(text);
	if (array)
		return json_object_array_add(array, o);
	json_object_object_get_ex(o, "created", &created);
	printf("%-20s %-10d %-10s %-40s %s\n", id, runtime_pid(c),
		runtime_status_name(runtime_status(c)), runtime_bundle(c) ? runtime_bundle(c) : "",
		created ? json_object_get_string(created) : "");
	json_object_put(o);
	return 0;
}

int oci_list(struct oci *oci, int argc, char **argv)
{
	_cleanup_closedir_ DIR *d = opendir(oci->root);
	bool quiet = false, json = false;
	json_object *array;
	struct dirent *e;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-q") || !strcmp(argv[i], "--quiet"))
			quiet = true;
		else if (!strcmp(argv[i], "--format=json") ||
			 (i + 1 < argc && !strcmp(argv[i + 1], "json")))
			json = true;
	}
	array = json ? json_object_new_array() : NULL;
	if (!quiet && !json)
		printf("%-20s %-10s %-10s %-40s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED");
	while (d && (e = readdir(d))) {
		if (e->d_name[0] != '.')
			list_one(oci->root, e->d_name, quiet, array);
	}
	if (array) {
		puts(json_object_to_json_string_ext(array,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(array);
	}
	return 0;
}

int oci_ps(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	const char *id = NULL;
	struct error err = { 0 };
	bool json = false;
	size_t count = 0;

	for (int i = 1; i < argc && !id; i++) {
		if ((!strcmp(argv[i], "--format") || !strcmp(argv[i], "-f")) && i + 1 < argc)
			json = !strcmp(argv[++i], "json");
		else if (!strncmp(argv[i], "--format=", 9))
			json = !strcmp(argv[i] + 9, "json");
		else
			id = argv[i];
	}
	if (!id)
		return oci_usage(oci, "ps wants a container id");
	if (runtime_open(oci->root, id, &c, &err) < 0 ||
		runtime_processes(c, &pids, &count, &err) < 0)
		return oci_fail(oci, &err);
	for (size_t i = 0; i < count; i++) {
		if (json)
			printf("%s%d", i ? "," : "[", pids[i]);
		else
			printf("%d\n", pids[i]);
	}
	if (json)
		puts(count ? "]" : "[]");
	return 0;
}

static char *read_stream(FILE *f)
{
	struct strbuf text = { 0 };
	char bytes[4096];
	size_t n;

	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0 && text.length < 4 << 20)
		strbuf_add(&text, bytes, n);
	return strbuf_steal(&text);
}

static char *read_path(const char *path, struct error *err)
{
	_cleanup_fclose_ FILE *f = strcmp(path, "-") ? fopen(path, "re") : fdopen(dup(0), "r");

	if (!f) {
		error_errno(err, errno, "cannot open %s", path);
		return NULL;
	}
	return read_stream(f);
}

int oci_update(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_free_ char *text = NULL;
	const char *file = NULL, *id = NULL;
	struct error err = { 0 };

	for (int i = 1; i < argc; i++) {
		if ((!strcmp(argv[i], "--resources") || !strcmp(argv[i], "-r")) && i + 1 < argc)
			file = argv[++i];
		else
			id = argv[i];
	}
	if (!id || !file)
		return oci_usage(oci, "update wants --resources FILE (or -) and a container id");
	text = read_path(file, &err);
	if (!text || runtime_open(oci->root, id, &c, &err) < 0 || runtime_update(c, text, &err) < 0)
		return oci_fail(oci, &err);
	return 0;
}

struct exec_arguments {
	struct runtime_exec_options options;
	const char *process_file, *user, *cwd, *id;
	bool detach, terminal;
	char **command;
};

static int parse_exec(struct oci *oci, int argc, char **argv, struct exec_arguments *a)
{
	enum { PID_FILE = 256, CONSOLE, PRESERVE, CWD };
	static const struct option options[] = {
		{ "process", required_argument, NULL, 'p' }, { "detach", no_argument, NULL, 'd' },
		{ "tty", no_argument, NULL, 't' }, { "user", required_argument, NULL, 'u' },
		{ "cwd", required_argument, NULL, CWD }, { "pid-file", required_argument, NULL, PID_FILE },
		{ "console-socket", required_argument, NULL, CONSOLE },
		{ "preserve-fds", required_argument, NULL, PRESERVE }, { 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "+p:dtu:", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			a->process_file = optarg;
			break;
		case 'd':
			a->detach = true;
			break;
		case 't':
			a->terminal = true;
			break;
		case 'u':
			a->user = optarg;
			break;
		case CWD:
			a->cwd = optarg;
			break;
		case PID_FILE:
			a->options.pid_file = optarg;
			break;
		case CONSOLE:
			a->options.console_socket = optarg;
			break;
		case PRESERVE:
			a->options.preserve_fds = (unsigned)atoi(optarg);
			break;
		default:
			return 1;
		}
	}
	if (optind >= argc || (!a->process_file && optind + 1 >= argc))
		return oci_usage(oci, "exec wants a container id, and a command or --process FILE");
	a->id = argv[optind];
	a->command = argv + optind + 1;
	return 0;
}

int oci_exec(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct exec_arguments a = { 0 };
	_cleanup_free_ char *process = NULL;
	struct error err = { 0 };
	int status = 0;
	pid_t pid;

	if (parse_exec(oci, argc, argv, &a) != 0)
		return 1;
	if (runtime_open(oci->root, a.id, &c, &err) < 0)
		return oci_fail(oci, &err);
	process = a.process_file ? read_path(a.process_file, &err)
				 : runtime_exec_process(c, a.command, a.user, a.cwd, a.terminal, &err);
	a.options.process = process;
	if (!process || runtime_exec(c, &a.options, &pid, &err) < 0) {
		oci_fail(oci, &err);
		return process && runtime_exit_code() != 125 ? runtime_exit_code() : 255;
	}
	if (a.detach)
		return 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return runtime_status_code(status);
}

static const char features[] =
	"{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.0.2\","
	"\"hooks\":[\"prestart\",\"createRuntime\",\"createContainer\",\"startContainer\",\"poststart\","
	"\"poststop\"],"
	"\"mountOptions\":[\"atime\",\"bind\",\"defaults\",\"dev\",\"diratime\",\"exec\",\"noatime\","
	"\"nodev\",\"nodiratime\",\"noexec\",\"nostrictatime\",\"nosuid\",\"nosymfollow\",\"private\","
	"\"ratime\",\"rbind\",\"rdev\",\"relatime\",\"rexec\",\"rnodev\",\"rnoexec\",\"rnosuid\",\"ro\","
	"\"rprivate\",\"rro\",\"rrw\",\"rshared\",\"rslave\",\"rsuid\",\"runbindable\",\"rw\",\"shared\","
	"\"slave\",\"strictatime\",\"suid\",\"unbindable\"],"
	"\"linux\":{\"namespaces\":[\"cgroup\",\"ipc\",\"mount\",\"network\",\"pid\",\"user\",\"uts\"],"
	"\"cgroup\":{\"v1\":true,\"v2\":true,\"systemd\":false,\"systemdUser\":false},"
	"\"seccomp\":{\"enabled\":true,\"actions\":[\"SCMP_ACT_ALLOW\",\"SCMP_ACT_ERRNO\","
	"\"SCMP_ACT_KILL\",\"SCMP_ACT_KILL_PROCESS\",\"SCMP_ACT_KILL_THREAD\",\"SCMP_ACT_LOG\","
	"\"SCMP_ACT_TRACE\",\"SCMP_ACT_TRAP\"],"
	"\"operators\":[\"SCMP_CMP_EQ\",\"SCMP_CMP_GE\",\"SCMP_CMP_GT\",\"SCMP_CMP_LE\",\"SCMP_CMP_LT\","
	"\"SCMP_CMP_MASKED_EQ\",\"SCMP_CMP_NE\"]},"
	"\"apparmor\":{\"enabled\":true},\"selinux\":{\"enabled\":true}}}";

int oci_features(struct oci *oci, int argc, char **argv)
{
	(void)oci;
	(void)argc;
	(void)argv;
	puts(features);
	return 0;
}

/* docker's defaults, as far as they make sense without an image. */
static const char spec[] =
	"{\n\t\"ociVersion\": \"1.0.2\",\n"
	"\t\"process\": {\n\t\t\"terminal\": true,\n\t\t\"user\": {\"uid\": 0, \"gid\": 0},\n"
	"\t\t\"args\": [\"sh\"],\n"
	"\t\t\"env\": [\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
	" \"TERM=xterm\"],\n\t\t\"cwd\": \"/\",\n"
	"\t\t\"capabilities\": {\n"
#define CAPS "[\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"]"
	"\t\t\t\"bounding\": " CAPS ",\n\t\t\t\"effective\": " CAPS ",\n"
	"\t\t\t\"permitted\": " CAPS "\n\t\t},\n"
	"\t\t\"noNewPrivileges\": true\n\t},\n"
	"\t\"root\": {\"path\": \"rootfs\", \"readonly\": true},\n"
	"\t\"hostname\": \"ctrace\",\n"
	"\t\"mounts\": [\n"
	"\t\t{\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},\n"
	"\t\t{\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\","
	" \"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"]},\n"
	"\t\t{\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\","
	" \"options\": [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\","
	" \"gid=5\"]},\n"
	"\t\t{\"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"]},\n"
	"\t\t{\"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},\n"
	"\t\t{\"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"]},\n"
	"\t\t{\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\"]}\n\t],\n"
	"\t\"linux\": {\n"
	"\t\t\"resources\": {\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]},\n"
	"\t\t\"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"network\"}, {\"type\": \"ipc\"},"
	" {\"type\": \"uts\"}, {\"type\": \"mount\"}, {\"type\": \"cgroup\"}],\n"
	"\t\t\"maskedPaths\": [\"/proc/acpi\", \"/proc/asound\", \"/proc/kcore\", \"/proc/keys\","
	" \"/proc/latency_stats\", \"/proc/timer_list\", \"/proc/timer_stats\", \"/proc/sched_debug\","
	" \"/sys/firmware\", \"/proc/scsi\"],\n"
	"\t\t\"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\","
	" \"/proc/sysrq-trigger\"]\n\t}\n}\n";

int oci_spec(struct oci *oci, int argc, char **argv)
{
	struct error err = { 0 };
	int fd;

	if (argc > 2 && (!strcmp(argv[1], "--bundle") || !strcmp(argv[1], "-b")) && chdir(argv[2]) < 0) {
		error_errno(&err, errno, "cannot enter %s", argv[2]);
		return oci_fail(oci, &err);
	}
	fd = open("config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || !write_all(fd, spec, sizeof(spec) - 1)) {
		error_errno(&err, errno, "cannot write config.json");
		return oci_fail(oci, &err);
	}
	close(fd);
	return 0;
}
