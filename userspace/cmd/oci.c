/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `ctrace oci`: the command line of an OCI runtime (runtime-tools, command-line-interface.md, and what
 * docker, containerd and podman pass beyond it), so that engines can use ctrace in runc's place.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cmd/command.h"
#include "cmd/oci_internal.h"
#include "runtime/runtime.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum {
	OPTION_ROOT = 256,
	OPTION_LOG,
	OPTION_LOG_FORMAT,
	OPTION_DEBUG,
	OPTION_IGNORED,
	OPTION_IGNORED_VALUE,
	OPTION_PID_FILE,
	OPTION_CONSOLE_SOCKET,
	OPTION_NO_PIVOT,
	OPTION_NO_KEYRING,
	OPTION_PRESERVE_FDS,
	OPTION_KEEP
};

/* Errors go to the log, and to stderr for people. */
static int report(const struct oci *oci, const struct error *err, int code)
{
	oci_log(oci, "error", err->text);
	return command_fail("oci", code, err);
}

int oci_usage(const struct oci *oci, const char *text)
{
	struct error err = { 0 };

	error_set(&err, EINVAL, "%s; ctrace oci --help tells more", text);
	return report(oci, &err, 1);
}

int oci_fail(const struct oci *oci, const struct error *err)
{
	return report(oci, err, 1);
}

int oci_option(int argc, char **argv, const char *shorts, const struct option *longs)
{
	static bool inside;
	int c;

	if (!inside)
		optind = 0;
	c = getopt_long(argc, argv, shorts, longs, NULL);
	inside = c != -1;
	return c;
}

long long oci_number(const char *text, long long max)
{
	long long value = 0;

	if (!*text || strlen(text) > 18 || strspn(text, "0123456789") != strlen(text))
		return -1;
	value = strtoll(text, NULL, 10);
	return value <= max ? value : -1;
}

struct container *oci_open(const struct oci *oci, const char *id)
{
	struct container *c = NULL;
	struct error err = { 0 };

	if (runtime_open(oci->root, id, &c, &err) == 0)
		return c;
	oci_fail(oci, &err);
	return NULL;
}

char *oci_read_file(const char *path, struct error *err)
{
	enum { FILE_MAX = 4 << 20 };
	_cleanup_fclose_ FILE *f = strcmp(path, "-") ? fopen(path, "re") : fdopen(dup(0), "r");
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	char bytes[4096];
	size_t n;

	if (!f) {
		error_errno(err, errno, "cannot open %s", path);
		return NULL;
	}
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0) {
		strbuf_add(&text, bytes, n);
		if (text.length > FILE_MAX) {
			error_set(err, EFBIG, "%s is larger than %d MiB", path, FILE_MAX >> 20);
			return NULL;
		}
	}
	if (text.length && memchr(text.text, '\0', text.length)) {
		error_set(err, EINVAL, "%s contains a NUL byte", path);
		return NULL;
	}
	return strbuf_steal(&text);
}

/* Options of create and run. */
struct create_arguments {
	struct runtime_options options;
	bool detach, keep;
};

/* Of the `count` from 3 on, a number that is closed must not become one of ours. What holds its place is closed when the
 * program starts, so the container has what the caller has, no more. Returns how many were closed. */
static unsigned hold_descriptors(unsigned count)
{
	unsigned closed = 0;

	for (int fd = 3; fd < 3 + (int)count; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		closed++;
		/* the lowest free number is this one */
		if (open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
			break;
	}
	return closed;
}

void oci_warn(const struct oci *oci, const char *text)
{
	oci_log(oci, "warning", text);
	command_warn("oci", text);
}

int oci_preserve_fds(const struct oci *oci, const char *text, unsigned *ret)
{
	_cleanup_free_ char *warning = NULL;
	long long count = oci_number(text, 1000);
	unsigned closed;

	if (count < 0)
		return oci_usage(oci, "--preserve-fds wants a number up to 1000");
	*ret = (unsigned)count;
	closed = hold_descriptors(*ret);
	if (!closed)
		return 0;
	warning = xasprintf("--preserve-fds %s: %u of the descriptors from 3 on are not open; the others are passed on",
		text, closed);
	oci_warn(oci, warning);
	return 0;
}

/* sd_listen_fds(3): whoever starts us so gives them to the container, as runc has it. */
static void take_listen_fds(struct runtime_options *o)
{
	const char *text = getenv("LISTEN_FDS");
	long long count = text ? oci_number(text, 256) : 0;

	if (count <= 0)
		return;
	o->listen_fds = (unsigned)count;
	o->preserve_fds += (unsigned)count;
	hold_descriptors(o->preserve_fds);
}

static int parse_create(const struct oci *oci, int argc, char **argv, struct create_arguments *a)
{
	static const struct option options[] = {
		{ "bundle", required_argument, NULL, 'b' },
		{ "config", required_argument, NULL, 'f' },
		{ "pid-file", required_argument, NULL, OPTION_PID_FILE },
		{ "console-socket", required_argument, NULL, OPTION_CONSOLE_SOCKET },
		{ "no-pivot", no_argument, NULL, OPTION_NO_PIVOT },
		{ "no-new-keyring", no_argument, NULL, OPTION_NO_KEYRING },
		{ "preserve-fds", required_argument, NULL, OPTION_PRESERVE_FDS },
		{ "detach", no_argument, NULL, 'd' },
		{ "keep", no_argument, NULL, OPTION_KEEP },
		{ "no-subreaper", no_argument, NULL, OPTION_IGNORED },
		{ 0 },
	};
	struct runtime_options *o = &a->options;
	int c;

	while ((c = oci_option(argc, argv, "b:f:d", options)) != -1) {
		switch (c) {
		case 'b':
			o->bundle = optarg;
			break;
		case 'f':
			o->config = optarg;
			break;
		case 'd':
			a->detach = true;
			break;
		case OPTION_KEEP:
			a->keep = true;
			break;
		case OPTION_PID_FILE:
			o->pid_file = optarg;
			break;
		case OPTION_CONSOLE_SOCKET:
			o->console_socket = optarg;
			break;
		case OPTION_NO_PIVOT:
			o->no_pivot = true;
			break;
		case OPTION_NO_KEYRING:
			o->no_new_keyring = true;
			break;
		case OPTION_PRESERVE_FDS:
			if (oci_preserve_fds(oci, optarg, &o->preserve_fds) != 0)
				return 1;
			break;
		case OPTION_IGNORED:
			break;
		default:
			return 1;
		}
	}
	if (argc - optind != 1)
		return oci_usage(oci, "exactly one container id is wanted");
	o->id = argv[optind];
	o->root = oci->root;
	take_listen_fds(o);
	o->notify_socket = oci_notify_socket();
	if (!o->bundle)
		o->bundle = ".";
	return 0;
}

/* The container works, but its limits and statistics are not its own: runc warns in these words, too. */
static void warn_shared_cgroup(const struct oci *oci, const struct container *c)
{
	size_t count = runtime_cgroup_others(c);
	_cleanup_free_ char *text = NULL;

	if (count == 0)
		return;
	text = xasprintf("container's cgroup is not empty: %zu process(es) found", count);
	oci_warn(oci, text);
}

static void tell_created(const struct oci *oci, const struct runtime_options *o, const struct container *c)
{
	const char *cgroup = cgroup_directory(runtime_cgroup(c), "");

	oci_debug(oci, "container %s: created from %s; init is process %d, and waits; cgroup %s", o->id,
		runtime_bundle(c), runtime_pid(c),
		cgroup ? cgroup : cgroup_directory(runtime_cgroup(c), "memory"));
	warn_shared_cgroup(oci, c);
}

static int verb_create(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct create_arguments a = { .options = { .detached = true, .may_reexec = true } };
	struct error err = { 0 };

	if (parse_create(oci, argc, argv, &a) != 0)
		return 1;
	if (runtime_create(&a.options, &c, &err) < 0)
		return oci_fail(oci, &err);
	tell_created(oci, &a.options, c);
	return 0;
}

static bool container_ended(void *data, int *ret_status)
{
	return runtime_try_wait(data, ret_status);
}

static void container_signal(void *data, int signal)
{
	runtime_kill(data, signal, false, NULL);
}

static int delete_open(const struct oci *oci, struct container *c, bool force)
{
	struct error err = { 0 };

	if (runtime_delete(c, force, &err) < 0)
		return oci_fail(oci, &err);
	if (runtime_warning(c))
		oci_warn(oci, runtime_warning(c));
	return 0;
}

static int verb_run(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_close_ int master = -1;
	struct create_arguments a = { .options.may_reexec = true };
	struct oci_watched w = { .ended = container_ended, .signal = container_signal };
	struct error err = { 0 };
	sigset_t set;
	int status, r;

	if (parse_create(oci, argc, argv, &a) != 0)
		return 1;
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	a.options.detached = a.detach;
	r = runtime_create(&a.options, &c, &err);
	if (r == 0) {
		tell_created(oci, &a.options, c);
		r = runtime_start(c, &err);
	}
	if (r < 0)
		return report(oci, &err,
			runtime_exit_code() == EXIT_CTRACE ? 1 : runtime_exit_code());
	oci_debug(oci, "container %s: the program runs", a.options.id);
	if (a.detach) {
		/* nobody else tells it which process the service is now */
		oci_ready_wait(c, runtime_pid(c));
		return 0;
	}
	w.data = c;
	w.ready = runtime_ready_socket(c);
	master = runtime_console(c);
	status = master >= 0 ? oci_relay_terminal(&w, master, &set) : oci_watch(&w, &set);
	if (!a.keep)
		delete_open(oci, c, true);
	return runtime_status_code(status);
}

static int verb_start(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct error err = { 0 };

	if (argc != 2)
		return oci_usage(oci, "start wants a container id");
	c = oci_open(oci, argv[1]);
	if (!c)
		return 1;
	if (runtime_start(c, &err) < 0)
		return oci_fail(oci, &err);
	oci_ready_wait(c, 0);
	return 0;
}

static int verb_state(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_free_ char *text = NULL;
	struct error err = { 0 };

	if (argc != 2)
		return oci_usage(oci, "state wants a container id");
	c = oci_open(oci, argv[1]);
	if (!c)
		return 1;
	/* as runc and crun: who asks in a loop until there is one wants to start it then */
	if (runtime_status(c) == RUNTIME_CREATING) {
		error_set(&err, ENOENT, "container %s does not exist yet: it is being created", argv[1]);
		return oci_fail(oci, &err);
	}
	text = runtime_state(c);
	puts(text);
	return 0;
}

static int signal_number(const char *name)
{
	char *end;
	long n = strtol(name, &end, 10);

	if (*name && !*end)
		return n >= 0 && n < NSIG ? (int)n : -1;
	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (int s = 1; s < NSIG; s++) {
		const char *known = sigabbrev_np(s);

		if (known && !strcasecmp(known, name))
			return s;
	}
	return -1;
}

static int verb_kill(struct oci *oci, int argc, char **argv)
{
	static const struct option options[] = { { "all", no_argument, NULL, 'a' }, { 0 } };
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct error err = { 0 };
	bool all = false;
	int option, signal = SIGTERM;

	while ((option = oci_option(argc, argv, "a", options)) != -1) {
		if (option != 'a')
			return 1;
		all = true;
	}
	if (argc - optind < 1 || argc - optind > 2)
		return oci_usage(oci, "kill wants a container id and a signal");
	if (argc - optind == 2)
		signal = signal_number(argv[optind + 1]);
	if (signal < 0)
		return oci_usage(oci, "kill: unknown signal");
	c = oci_open(oci, argv[optind]);
	if (!c)
		return 1;
	return runtime_kill(c, signal, all, &err) < 0 ? oci_fail(oci, &err) : 0;
}

static int delete_one(const struct oci *oci, const char *id, bool force)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct error err = { 0 };
	int r = runtime_open(oci->root, id, &c, &err);

	/* shims delete again what they deleted, to be sure */
	if (r == -ENOENT && force)
		return 0;
	if (r == -EUCLEAN && force) {
		r = runtime_discard(oci->root, id, &err);
		return r < 0 ? oci_fail(oci, &err) : 0;
	}
	return r < 0 ? oci_fail(oci, &err) : delete_open(oci, c, force);
}

/* crun's --regex. */
static int delete_matching(const struct oci *oci, const char *pattern, bool force)
{
	_cleanup_closedir_ DIR *d = opendir(oci->root);
	struct dirent *e;
	regex_t regex;
	int code = 0;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return oci_usage(oci, "delete: the regular expression is not valid");
	while (d && (e = readdir(d))) {
		if (e->d_name[0] != '.' && regexec(&regex, e->d_name, 0, NULL, 0) == 0)
			code |= delete_one(oci, e->d_name, force);
	}
	regfree(&regex);
	return code;
}

static int verb_delete(struct oci *oci, int argc, char **argv)
{
	static const struct option options[] = { { "force", no_argument, NULL, 'f' },
		{ "regex", no_argument, NULL, 'r' }, { 0 } };
	bool force = false, regex = false;
	int option;

	while ((option = oci_option(argc, argv, "fr", options)) != -1) {
		if (option == 'f')
			force = true;
		else if (option == 'r')
			regex = true;
		else
			return 1;
	}
	if (argc - optind != 1)
		return oci_usage(oci, "delete wants a container id");
	return regex ? delete_matching(oci, argv[optind], force) : delete_one(oci, argv[optind], force);
}

static int simple_verb(struct oci *oci, int argc, char **argv,
	int (*verb)(struct container *, struct error *))
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct error err = { 0 };

	if (argc != 2)
		return oci_usage(oci, "a container id is wanted");
	c = oci_open(oci, argv[1]);
	if (!c)
		return 1;
	return verb(c, &err) < 0 ? oci_fail(oci, &err) : 0;
}

static int verb_pause(struct oci *oci, int argc, char **argv)
{
	return simple_verb(oci, argc, argv, runtime_pause);
}

static int verb_resume(struct oci *oci, int argc, char **argv)
{
	return simple_verb(oci, argc, argv, runtime_resume);
}

#define CREATE_HELP                                                              \
	"  -b, --bundle DIR         directory with config.json (default: .)\n"       \
	"  -f, --config FILE        another name for config.json\n"                  \
	"      --pid-file FILE      write init's pid there\n"                        \
	"      --console-socket S   send the terminal's master over this socket\n"   \
	"      --no-pivot           use MS_MOVE instead of pivot_root\n"             \
	"      --no-new-keyring     keep the caller's session keyring\n"             \
	"      --preserve-fds N     pass on N descriptors from 3 up\n"

static int verb_missing(struct oci *oci, int argc, char **argv)
{
	struct error err = { 0 };

	(void)argc;
	error_set(&err, EOPNOTSUPP, "%s is not supported: ctrace neither writes nor reads checkpoints", argv[0]);
	return oci_fail(oci, &err);
}

static const struct verb {
	const char *name;
	int (*run)(struct oci *oci, int argc, char **argv);
	const char *arguments, *summary, *options;
} verbs[] = {
	{ "create", verb_create, "ID", "make a container; it waits for its start", CREATE_HELP },
	{ "start", verb_start, "ID", "run the program of a created container", "" },
	{ "run", verb_run, "ID", "create, start, wait and delete",
		CREATE_HELP "  -d, --detach             do not wait\n"
		"      --keep               do not delete it at its end\n" },
	{ "exec", oci_exec, "ID COMMAND [ARG...]", "run one more process in a container",
		"  -p, --process FILE       an OCI process document instead of a command\n"
		"  -d, --detach             do not wait\n"
		"  -t, --tty                with a terminal\n"
		"  -e, --env NAME=VALUE     one more variable\n"
		"  -u, --user UID[:GID]\n"
		"  -g, --additional-gids N  one more group\n"
		"  -c, --cap CAPABILITY     one more capability\n"
		"      --cwd DIR\n"
		"      --no-new-privs[=false]\n"
		"                           set it (or not), whatever the container has\n"
		"      --apparmor PROFILE, --process-label LABEL\n"
		"      --cgroup [CONTROLLER,...:]PATH\n"
		"                           a cgroup below the container's, which must exist\n"
		"      --ignore-paused      also in a paused container\n"
		"      --pid-file FILE, --console-socket S, --preserve-fds N as with create\n" },
	{ "state", verb_state, "ID", "print the state document", "" },
	{ "kill", verb_kill, "ID [SIGNAL]", "send a signal to init (default: TERM)",
		"  -a, --all                to all processes of the container\n" },
	{ "delete", verb_delete, "ID", "remove a stopped container",
		"  -f, --force              kill it first; no error if there is none\n"
		"  -r, --regex              ID is a regular expression: all that match\n" },
	{ "list", oci_list, "", "list the containers",
		"  -f, --format table|json\n  -q, --quiet              ids only\n" },
	{ "ps", oci_ps, "ID [PS OPTIONS]", "list the processes of a container",
		"  -f, --format table|json\n" },
	{ "pause", verb_pause, "ID", "freeze a container", "" },
	{ "resume", verb_resume, "ID", "thaw a container", "" },
	{ "update", oci_update, "ID", "change limits",
		"  -r, --resources FILE     a LinuxResources document (- is stdin), or some of:\n"
		"      --memory, --memory-reservation, --memory-swap BYTES (64m; -1: no limit)\n"
		"      --cpu-share, --cpu-quota, --cpu-period, --cpu-burst, --cpu-idle N\n"
		"      --cpu-rt-runtime, --cpu-rt-period N\n"
		"      --cpuset-cpus, --cpuset-mems LIST\n"
		"      --pids-limit, --blkio-weight N\n" },
	{ "events", oci_events, "ID", "print statistics and OOM kills as JSON lines",
		"      --stats              once\n"
		"      --interval TIME      how often (default: 5s)\n" },
	{ "spec", oci_spec, "", "write a config.json to start from",
		"  -b, --bundle DIR         where (default: .)\n"
		"      --rootless           for a caller without privileges\n" },
	{ "features", oci_features, "", "print what this runtime supports", "" },
	{ "checkpoint", verb_missing, "ID", "runc's; not supported", "" },
	{ "restore", verb_missing, "ID", "runc's; not supported", "" },
};

/* As what it was called: "ctrace oci", or the name of a link to it, so that a script written for runc finds its way. */
static const char *called = "ctrace oci";

static int help(FILE *out, int code)
{
	fprintf(out, "NAME:\n   %s - Open Container Initiative runtime, for docker, containerd and podman\n\n"
		     "Usage: %s [--root DIR] [--log FILE] [--log-format text|json] [--debug] VERB [OPTIONS] ID\n\n"
		     "Verbs:\n", called, called);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (verbs[i].run != verb_missing)
			fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
	}
	fprintf(out, "\n%s VERB --help tells a verb's options. --systemd-cgroup is taken and cgroups are\n"
		     "made through the file system, where systemd would make them. --debug logs the steps, too.\n\n"
		     "Examples:\n"
		     "  %s run --bundle /tmp/bundle web\n"
		     "  ctr run --rm --runc-binary ctrace-oci IMAGE ID\n", called, called);
	return code;
}

static int verb_help(const struct verb *v)
{
	printf("NAME:\n   %s %s - %s\n\nUsage: %s %s%s %s\n%s%s", called, v->name, v->summary, called, v->name,
		*v->options ? " [OPTIONS]" : "", v->arguments, *v->options ? "\nOptions:\n" : "", v->options);
	return 0;
}

static bool asks_for_help(int argc, char **argv)
{
	return argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
}

static int run_verb(struct oci *oci, int argc, char **argv)
{
	_cleanup_free_ char *unknown = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[0], verbs[i].name) != 0)
			continue;
		return asks_for_help(argc, argv) ? verb_help(&verbs[i]) : verbs[i].run(oci, argc, argv);
	}
	unknown = xasprintf(asks_for_help(argc, argv) ? "No help topic for '%s'" : "unknown verb %s", argv[0]);
	return oci_usage(oci, unknown);
}

/* In lines that engines read as they read runc's; whose they are is said, too. */
static int version(void)
{
	const char *name = strcmp(called, "ctrace oci") != 0 ? called : "ctrace";

	printf("%s version %s%s\ncommit: ctrace %s\nspec: 1.1.0\n", name, ctrace_version,
		!strcmp(name, "ctrace") ? "" : " (ctrace)", ctrace_version);
	return 0;
}

/* "ctrace-oci" is what engines are told to call; "ctrace oci" is how people call it. */
static void note_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (strcmp(name, "ctrace-oci") != 0)
		called = name;
}

static int run_logged(struct oci *oci, int argc, char **argv)
{
	_cleanup_(strbuf_free) struct strbuf words = { 0 };
	int code;

	for (int i = 0; oci->debug && i < argc; i++)
		strbuf_printf(&words, " %s", argv[i]);
	oci_debug(oci, "ctrace %s, root %s, called as:%s", ctrace_version, oci->root,
		words.text ? words.text : "");
	code = run_verb(oci, argc, argv);
	oci_debug(oci, "%s ends with code %d", argv[0], code);
	return code;
}

int cmd_oci(int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, OPTION_ROOT },
		{ "log", required_argument, NULL, OPTION_LOG },
		{ "log-format", required_argument, NULL, OPTION_LOG_FORMAT },
		{ "systemd-cgroup", no_argument, NULL, OPTION_IGNORED },
		{ "debug", no_argument, NULL, OPTION_DEBUG },
		{ "rootless", required_argument, NULL, OPTION_IGNORED_VALUE },
		{ "cgroup-manager", required_argument, NULL, OPTION_IGNORED_VALUE },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct oci oci = { .root = RUNTIME_ROOT };
	struct error err = { 0 };
	int c;

	note_name(argv[0]);
	while ((c = getopt_long(argc, argv, "+hv", options, NULL)) != -1) {
		switch (c) {
		case OPTION_ROOT:
			oci.root = optarg;
			break;
		case OPTION_LOG:
			oci.log = optarg;
			break;
		case OPTION_LOG_FORMAT:
			oci.log_json = !strcmp(optarg, "json");
			if (!oci.log_json && strcmp(optarg, "text") != 0)
				return oci_usage(&oci, "--log-format is text or json");
			break;
		case OPTION_DEBUG:
			oci.debug = true;
			break;
		case 'h':
			return help(stdout, 0);
		case 'v':
			return version();
		case OPTION_IGNORED:
		case OPTION_IGNORED_VALUE:
			break;
		default:
			return help(stderr, 1);
		}
	}
	if (optind >= argc)
		return help(stderr, 1);
	if (oci_log_open(&oci, &err) < 0)
		return command_fail("oci", 1, &err);
	return run_logged(&oci, argc - optind, argv + optind);
}
