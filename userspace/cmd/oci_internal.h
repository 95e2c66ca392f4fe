/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_OCI_INTERNAL_H
#define CTRACE_OCI_INTERNAL_H

/* What the files of `ctrace oci` share. */

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "runtime/runtime.h"
#include "util/error.h"

struct oci {
	const char *root, *log;
	bool log_json, debug;
};

/* oci_log.c. The file that --log names is there from the start, with or without a line in it. */
int oci_log_open(const struct oci *oci, struct error *err);
/* level: "error", "warning", "debug". Nothing without --log. */
void oci_log(const struct oci *oci, const char *level, const char *message);
/* To the log, and to stderr. */
void oci_warn(const struct oci *oci, const char *text);
/* What --debug adds to the log; without a log it goes to stderr. */
void oci_debug(const struct oci *oci, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print and log; return the exit code. */
int oci_usage(const struct oci *oci, const char *text);
int oci_fail(const struct oci *oci, const struct error *err);

/* getopt_long for a verb, which starts anew when it returns -1. '?' has been reported; optind is the first
 * argument that is no option. Options may follow the others, unless shorts begins with '+'. */
int oci_option(int argc, char **argv, const char *shorts, const struct option *longs);
/* A whole number from 0 to max; -1 = it is none. */
long long oci_number(const char *text, long long max);
/* --preserve-fds: how many, up to 1000. Numbers that are not open are warned about, and held so that nothing of ours gets
 * them. 1 = `text` is no such number: reported. */
int oci_preserve_fds(const struct oci *oci, const char *text, unsigned *ret);
/* The container of a verb that takes its id alone; NULL: reported. */
struct container *oci_open(const struct oci *oci, const char *id);
/* The content of a file, or of stdin for "-"; at most 4 MiB. */
char *oci_read_file(const char *path, struct error *err);

/* oci_ready.c: where the service manager of the caller waits for READY=1 (sd_notify(3)); NULL = there is none. */
const char *oci_notify_socket(void);
/* What a container says at the socket of runtime_ready_socket. Passes on that it is ready, and main_pid (0 = not) as the service's
 * main process; false: it did not say so. */
bool oci_ready_pass_on(int fd, pid_t main_pid);
/* Until it says so, or ends, where there is somebody to tell. */
void oci_ready_wait(const struct container *c, pid_t main_pid);

/* What a terminal, or we, wait for: called when a child ended, and with each other signal. */
struct oci_watched {
	void *data;
	bool (*ended)(void *data, int *ret_status);
	void (*signal)(void *data, int signal);
	int ready; /* of runtime_ready_socket; -1 = none */
};
/* Until it ended; set is what of the signals is blocked. Returns wait(2)'s status. */
int oci_watch(const struct oci_watched *w, const sigset_t *set);
/* The same while bytes go between master and our stdin and stdout. */
int oci_relay_terminal(const struct oci_watched *w, int master, const sigset_t *set);
bool oci_write_all(int fd, const char *bytes, size_t length);

int oci_exec(struct oci *oci, int argc, char **argv);
int oci_list(struct oci *oci, int argc, char **argv);
int oci_ps(struct oci *oci, int argc, char **argv);
int oci_events(struct oci *oci, int argc, char **argv);
int oci_update(struct oci *oci, int argc, char **argv);
int oci_spec(struct oci *oci, int argc, char **argv);
int oci_features(struct oci *oci, int argc, char **argv);

#endif
