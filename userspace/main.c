/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command table, and main of all these programs. Each program has the commands of
 * cmd/commands.def that are its own and executes the other programs for the rest, so that starting a
 * container does not load the libraries that tracing and pulling need.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/group.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

#define PROGRAM_CTRACE 1
#define PROGRAM_TRACE 2
#define PROGRAM_IMAGE 3
#define PROGRAM_SERVE 4
#define PROGRAM_TOP 5

#if PROGRAM == PROGRAM_CTRACE
#define OWN_CTRACE(f) f
#else
#define OWN_CTRACE(f) NULL
#endif
#if PROGRAM == PROGRAM_TRACE
#define OWN_TRACE(f) f
#else
#define OWN_TRACE(f) NULL
#endif
#if PROGRAM == PROGRAM_IMAGE
#define OWN_IMAGE(f) f
#else
#define OWN_IMAGE(f) NULL
#endif
#if PROGRAM == PROGRAM_SERVE
#define OWN_SERVE(f) f
#else
#define OWN_SERVE(f) NULL
#endif
#if PROGRAM == PROGRAM_TOP
#define OWN_TOP(f) f
#else
#define OWN_TOP(f) NULL
#endif

struct command {
	const char *name, *args, *summary;
	const char *program;
	command_main *run; /* NULL: another program's */
};

static const struct command commands[] = {
#define CTRACE_COMMAND(n, a, s) { #n, a, s, "ctrace", OWN_CTRACE(cmd_##n) },
#define TRACE_COMMAND(n, a, s) { #n, a, s, "ctrace-trace", OWN_TRACE(cmd_##n) },
#define IMAGE_COMMAND(n, a, s) { #n, a, s, "ctrace-image", OWN_IMAGE(cmd_##n) },
#define SERVE_COMMAND(n, a, s) { #n, a, s, "ctrace-serve", OWN_SERVE(cmd_##n) },
#define TOP_COMMAND(n, a, s) { #n, a, s, "ctrace-top", OWN_TOP(cmd_##n) },
#include "cmd/commands.def"
};

static void print_help(FILE *out)
{
	fputs("Usage: ctrace COMMAND [OPTIONS]\n\n"
	      "What happened to this container, step by step, and where did the time go?\n\n"
	      "Commands:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].summary) /* else it is a part of another */
			fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	}
	fputs("\nOptions:\n"
	      "  --help         print this help\n"
	      "  -v, --version  print the version; ctrace version tells more\n\n"
	      "ctrace COMMAND --help tells more about a command. Examples:\n"
	      "  ctrace run --memory 256m ubuntu        run a container and see how it was made\n"
	      "  ctrace trace -- docker run nginx       the same for docker\n"
	      "  ctrace trace --record start.ctrace     record everything; ctrace show start.ctrace\n"
	      "  ctrace top                             all containers of the host, live\n"
	      "  ctrace doctor                          what this kernel lets ctrace see\n", out);
}

static int run_other_program(const struct command *command, char **argv)
{
	struct error err = { 0 };
	char path[PATH_MAX];

	if (command_program_path(command->program, path, sizeof(path), &err) < 0)
		return command_fail(command->name, EXIT_CTRACE, &err);
	execv(path, argv);
	error_errno(&err, errno, "cannot execute %s", path);
	return command_fail(command->name, EXIT_CTRACE, &err);
}

/* Engines call an OCI runtime by a path and with runc's own arguments: by one of these names this is one. */
static command_main *by_program_name(const char *path)
{
	static const char *const names[] = { "ctrace-oci", "runc", "crun" };
	const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path;

	for (size_t i = 0; name && i < ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i]))
			return OWN_CTRACE(cmd_oci);
	}
	return NULL;
}

/* Commands of docker that ctrace has not: an error of their own, so that nobody looks for a typing mistake. */
static bool is_dockers(const char *word)
{
	static const char *const names[] = { "build", "builder", "buildx", "checkpoint", "commit", "compose", "config", "context", "events", "import",
		"info", "load", "login", "logout", "manifest", "network", "node", "plugin", "push", "save", "search", "secret", "service", "stack", "swarm",
		"trust", "update" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i], word))
			return true;
	}
	return false;
}

/* docker's words and exit codes: 1 for a command, 125 for an option. */
static int unknown(const char *word)
{
	bool option = *word == '-';
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	if (is_dockers(word)) {
		fprintf(stderr, "ctrace: docker's command %s is not supported\n\nRun 'ctrace --help' for more information\n", word);
		return 1;
	}
	strbuf_escape(&text, word, strlen(word));
	fprintf(stderr, "ctrace: unknown %s%s\n\nRun 'ctrace --help' for more information\n",
		option ? "flag: " : "command: ctrace ", text.text ? text.text : "");
	return option ? EXIT_CTRACE : 1;
}

static int run_command(int argc, char **argv)
{
	command_main *run = by_program_name(argv[0]);
	char name[64];

	if (run)
		return run(argc, argv);
	argp_err_exit_status = EXIT_CTRACE;
	if (argc < 2) {
		print_help(stderr);
		return EXIT_CTRACE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-v")) {
		printf("ctrace %s\n", ctrace_version);
		return 0;
	}
	group_resolve(&argc, argv);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (!commands[i].run)
			return run_other_program(&commands[i], argv);
		snprintf(name, sizeof(name), "ctrace %s", commands[i].name);
		for (char *c = name; *c; c++)
			*c = *c == '_' ? ' ' : *c; /* "image_prune" is typed as two words */
		argv[1] = name; /* what usage lines and argp's errors begin with */
		return commands[i].run(argc - 1, argv + 1);
	}
	return unknown(argv[1]);
}

static void do_nothing(int number)
{
	(void)number;
}

/* A write beyond the caller's `ulimit -f` is to fail with EFBIG, as one to a full disk does, and not to kill. By a handler: what
 * is executed later starts with the signal as it was. */
static void make_file_limit_an_error(void)
{
	struct sigaction action = { .sa_handler = do_nothing, .sa_flags = SA_RESTART }, old;

	if (sigaction(SIGXFSZ, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
		sigaction(SIGXFSZ, &action, NULL);
}

/* A number that the caller closed would become that of a file or a ring: what is printed would go into it, and a container
 * would have it. */
static void fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return;
	}
}

/* On too small a stack the program would end by a SIGSEGV that explains nothing, so such a limit is refused at once. Threads get
 * stacks of that size, too. */
static bool has_stack(void)
{
	enum { LEAST = 128 }; /* KiB; 64 do for everything that was tried */
	struct rlimit limit;
	char text[160];
	int n;

	if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= LEAST * 1024)
		return true;
	/* stdio would take a buffer of 8 KiB on that stack */
	n = snprintf(text, sizeof(text), "ctrace: stacks may not grow beyond %llu KiB here, and ctrace needs %d: raise the limit "
		"with ulimit -s 8192\n", (unsigned long long)limit.rlim_cur / 1024, LEAST);
	(void)!write(STDERR_FILENO, text, (size_t)n);
	return false;
}

/* What stdout still holds is written before it is told that all went well. */
int main(int argc, char **argv)
{
	int code;

	fill_standard_descriptors();
	if (!has_stack())
		return EXIT_CTRACE;
	make_file_limit_an_error();
	signal(SIGCHLD, SIG_DFL); /* a caller that ignores it would have our children go without a word to us */
	code = run_command(argc, argv);
	errno = EIO; /* what an earlier write met is not known any more */
	if (code || (fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE) /* it was said already; a reader that has enough is no error */
		return code;
	fprintf(stderr, "ctrace: cannot write the output: %s\n", strerror(errno));
	return EXIT_CTRACE;
}
