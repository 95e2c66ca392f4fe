/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_COMMAND_H
#define CTRACE_COMMAND_H

#include <argp.h>
#include <signal.h>
#include <stddef.h>

#include "util/error.h"

/* A command gets argv[0] = its name and returns the exit code of ctrace. It prints its own errors
 * with command_fail. Exit codes follow docker run (design.md section 7). */
typedef int command_main(int argc, char **argv);

#define CTRACE_COMMAND(name, args, summary) command_main cmd_##name;
#define TRACE_COMMAND(name, args, summary) command_main cmd_##name;
#define IMAGE_COMMAND(name, args, summary) command_main cmd_##name;
#define SERVE_COMMAND(name, args, summary) command_main cmd_##name;
#define TOP_COMMAND(name, args, summary) command_main cmd_##name;
#include "cmd/commands.def"
#undef CTRACE_COMMAND
#undef TRACE_COMMAND
#undef IMAGE_COMMAND
#undef SERVE_COMMAND
#undef TOP_COMMAND

enum { EXIT_CTRACE = 125, EXIT_CANNOT_EXECUTE = 126, EXIT_NOT_FOUND = 127 };

/* Prints "ctrace NAME: TEXT" to stderr, escaped; returns code. */
int command_fail(const char *name, int code, const struct error *err);

/* Prints "ctrace NAME: warning: TEXT" to stderr, escaped. */
void command_warn(const char *name, const char *text);

/* The signals that ask a command that traces to end with all that it has: SIGINT, SIGTERM, SIGHUP unless it is ignored (nohup),
 * and those that otherwise kill without a word (SIGUSR1, SIGUSR2, SIGALRM). */
void command_ending_signals(sigset_t *ret_set);

/* Says by which signal the command ends, where its user may not know. */
void command_ended_by(const char *name, int signal_number);

/* Too few arguments, or too many: like argp_error, but the exit code is 1, as docker's client has it for every command;
 * 125 is for options. */
void command_wrong_arguments(struct argp_state *state, const char *text);

/* The path of one of ctrace's own programs ("ctrace-trace"): beside the running binary, else in
 * ../libexec/ctrace. Returns 0 or -ENOENT. */
int command_program_path(const char *program, char *ret_path, size_t size, struct error *err);

/* git describe of the tree that was built. */
extern const char ctrace_version[];

#endif
