/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `ctrace oci`: the command line of an OCI runtime (runtime-tools, command-line-interface.md, and what
 * docker, containerd and podman pass beyond it), so that engines can use ctrace in runc's place.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
	OPTION_IGNORED,
	OPTION_IGNORED_VALUE,
	OPTION_PID_FILE,
	OPTION_CONSOLE_SOCKET,
	OPTION_NO_PIVOT,
	OPTION_NO_KEYRING,
	OPTION_PRESERVE_FDS
};

/* Errors go to the log that the caller reads, and to stderr for people. */
static int report(const struct oci *oci, const struct error *err, int code)
{
	_cleanup_fclose_ FILE *log = oci->log ? fopen(oci->log, "ae") : NULL;

	if (log && oci->log_json) {
		json_object *o = json_object_new_object();
		_cleanup_(strbuf_free) struct strbuf text = { 0 };
		char now[64];
		time_t t = time(NULL);
		struct tm tm;

		strbuf_escape(&text, err->text, strlen(err->text));
		gmtime_r(&t, &tm);
		strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
		json_object_object_add(o, "level", json_object_new_string("error"));
		json_object_object_add(o, "msg", json_object_new_string(text.text ? text.text : ""));
		json_object_object_add(o, "time", json_object_new_string(now));
		fprintf(log, "%s\n", json_object_to_json_string_ext(o,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(o);
	} else if (log) {
		fprintf(log, "level=error msg=\"%s\"\n", err->text);
	}
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

static struct container *open_container(const struct oci *oci, const char *id, struct error *err)
{
	struct container *c = NULL;

	return runtime_open(oci->root, id, &c, err) < 0 ? NULL : c;
}

static int parse_create(struct oci *oci, int argc, char **argv, struct runtime_options *o)
{
	static const struct option options[] = {
		{ "bundle", required_argument, NULL, 'b' },
		{ "pid-file", required_argument, NULL, OPTION_PID_FILE },
		{ "console-socket", required_argument, NULL, OPTION_CONSOLE_SOCKET },
		{ "no-pivot", no_argument, NULL, OPTION_NO_PIVOT },
		{ "no-new-keyring", no_argument, NULL, OPTION_NO_KEYRING },
		{ "preserve-fds", required_argument, NULL, OPTION_PRESERVE_FDS },
		{ "detach", no_argument, NULL, 'd' },
		{ "keep", no_argument, NULL, OPTION_IGNORED },
		{ "no-subreaper", no_argument, NULL, OPTION_IGNORED },
		{ 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "+b:d", options, NULL)) != -1) {
		switch (c) {
		case 'b':
			o->bundle = optarg;
			break;
		case 'd':
			oci->detach = true;
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
			if (strspn(optarg, "0123456789") != strlen(optarg) || atoi(optarg) > 1000)
				return oci_usage(oci, "--preserve-fds wants a number up to 1000");
			o->preserve_fds = (unsigned)atoi(optarg);
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
	if (!o->bundle)
		o->bundle = ".";
	return 0;
}

static int verb_create(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct runtime_options o = { .detached = true };
	struct error err = { 0 };

	if (parse_create(oci, argc, argv, &o) != 0)
		return 1;
	return runtime_create(&o, &c, &err) < 0 ? oci_fail(oci, &err) : 0;
}

/* Passes signals on until init has ended. */
static int supervise(struct container *c, const sigset_t *set)
{
	_cleanup_close_ int fd = signalfd(-1, set, SFD_CLOEXEC);
	int status = 0;

	for (;;) {
		struct signalfd_siginfo info;

		if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
			break;
		if (info.ssi_signo != SIGCHLD)
			runtime_kill(c, (int)info.ssi_signo, false, NULL);
		else if (runtime_try_wait(c, &status))
			break;
	}
	return status;
}

static int verb_run(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct runtime_options o = { 0 };
	struct error err = { 0 };
	sigset_t set;
	int status;

	if (parse_create(oci, argc, argv, &o) != 0)
		return 1;
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	o.detached = oci->detach;
	if (runtime_create(&o, &c, &err) < 0 || runtime_start(c, &err) < 0)
		return report(oci, &err, runtime_exit_code() == 125 ? 1 : runtime_exit_code());
	if (oci->detach)
		return 0;
	status = o.console_socket ? supervise(c, &set) : oci_supervise_terminal(c, &set, supervise);
	if (runtime_delete(c, true, &err) < 0)
		oci_fail(oci, &err);
	return runtime_status_code(status);
}

static int verb_start(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct error err = { 0 };

	if (argc != 2)
		return oci_usage(oci, "start wants a container id");
	c = open_container(oci, argv[1], &err);
	return !c || runtime_start(c, &err) < 0 ? oci_fail(oci, &err) : 0;
}

static int verb_state(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_free_ char *text = NULL;
	struct error err = { 0 };

	if (argc != 2)
		return oci_usage(oci, "state wants a container id");
	c = open_container(oci, argv[1], &err);
	if (!c)
		return oci_fail(oci, &err);
	text = runtime_state(c);
	puts(text);
	return 0;
}

static int signal_number(const char *name)
{
	char *end;
	long n = strtol(name, &end, 10);

	if (*name && !*end)
		return n > 0 && n < NSIG ? (int)n : -1;
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
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct error err = { 0 };
	bool all = false;
	int signal = SIGTERM;

	if (argc > 1 && (!strcmp(argv[1], "--all") || !strcmp(argv[1], "-a"))) {
		all = true;
		argv++;
		argc--;
	}
	if (argc < 2 || argc > 3)
		return oci_usage(oci, "kill wants a container id and a signal");
	if (argc == 3)
		signal = signal_number(argv[2]);
	if (signal < 0)
		return oci_usage(oci, "kill: unknown signal");
	c = open_container(oci, argv[1], &err);
	return !c || runtime_kill(c, signal, all, &err) < 0 ? oci_fail(oci, &err) : 0;
}

static int verb_delete(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct error err = { 0 };
	bool force = false;
	int r;

	for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
		if (strcmp(argv[1], "--force") && strcmp(argv[1], "-f"))
			return oci_usage(oci, "delete: unknown option");
		force = true;
	}
	if (argc != 2)
		return oci_usage(oci, "delete wants a container id");
	r = runtime_open(oci->root, argv[1], &c, &err);
	/* shims delete again what they deleted, to be sure */
	if (r == -ENOENT && force)
		return 0;
	if (r == 0)
		r = runtime_delete(c, force, &err);
	return r < 0 ? oci_fail(oci, &err) : 0;
}

static int simple_verb(struct oci *oci, int argc, char **argv,
	int (*verb)(struct container *, struct error *))
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	struct error err = { 0 };

	if (argc != 2)
		return oci_usage(oci, "a container id is wanted");
	c = open_container(oci, argv[1], &err);
	return !c || verb(c, &err) < 0 ? oci_fail(oci, &err) : 0;
}

static int verb_pause(struct oci *oci, int argc, char **argv)
{
	return simple_verb(oci, argc, argv, runtime_pause);
}

static int verb_resume(struct oci *oci, int argc, char **argv)
{
	return simple_verb(oci, argc, argv, runtime_resume);
}

static const struct {
	const char *name;
	int (*run)(struct oci *oci, int argc, char **argv);
	const char *summary;
} verbs[] = {
	{ "create", verb_create, "make a container; it waits for its start" },
	{ "start", verb_start, "run the program of a created container" },
	{ "run", verb_run, "create, start, wait and delete" },
	{ "exec", oci_exec, "run one more process in a container" },
	{ "state", verb_state, "print the state document" },
	{ "kill", verb_kill, "send a signal to init" },
	{ "delete", verb_delete, "remove a stopped container" },
	{ "list", oci_list, "list the containers" },
	{ "ps", oci_ps, "list the processes of a container" },
	{ "pause", verb_pause, "freeze a container" },
	{ "resume", verb_resume, "thaw a container" },
	{ "update", oci_update, "change limits" },
	{ "spec", oci_spec, "write a config.json to start from" },
	{ "features", oci_features, "print what this runtime supports" },
};

static int help(FILE *out, int code)
{
	fputs("Usage: ctrace oci [--root DIR] [--log FILE] [--log-format text|json] VERB [OPTIONS] ID\n\n"
	      "The OCI runtime interface, for docker, containerd and podman.\n\nVerbs:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\nOptions of create and run:\n"
	      "  -b, --bundle DIR        directory with config.json (default: .)\n"
	      "      --pid-file FILE     write init's pid there\n"
	      "      --console-socket S  send the terminal's master over this socket\n"
	      "      --no-pivot          use MS_MOVE instead of pivot_root\n"
	      "      --no-new-keyring    keep the caller's session keyring\n"
	      "      --preserve-fds N    pass on N descriptors from 3 up\n"
	      "  -d, --detach            run: do not wait\n\nExamples:\n"
	      "  ctrace oci run --bundle /tmp/bundle web\n"
	      "  ctr run --rm --runc-binary ctrace-oci IMAGE ID\n", out);
	return code;
}

int cmd_oci(int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, OPTION_ROOT },
		{ "log", required_argument, NULL, OPTION_LOG },
		{ "log-format", required_argument, NULL, OPTION_LOG_FORMAT },
		{ "systemd-cgroup", no_argument, NULL, OPTION_IGNORED },
		{ "debug", no_argument, NULL, OPTION_IGNORED },
		{ "rootless", required_argument, NULL, OPTION_IGNORED_VALUE },
		{ "cgroup-manager", required_argument, NULL, OPTION_IGNORED_VALUE },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct oci oci = { .root = RUNTIME_ROOT };
	int c;

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
			break;
		case 'h':
			return help(stdout, 0);
		case 'v':
			printf("ctrace version %s\nspec: 1.0.2\n", ctrace_version);
			return 0;
		case OPTION_IGNORED:
		case OPTION_IGNORED_VALUE:
			break;
		default:
			return help(stderr, 1);
		}
	}
	if (optind >= argc)
		return help(stderr, 1);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!strcmp(argv[optind], verbs[i].name))
			return verbs[i].run(&oci, argc - optind, argv + optind);
	}
	return oci_usage(&oci, "unknown verb");
}
