/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_OCI_INTERNAL_H
#define CTRACE_OCI_INTERNAL_H

/* What the files of `ctrace oci` share. */

#include <signal.h>
#include <stdbool.h>

#include "runtime/runtime.h"
#include "util/error.h"

struct oci {
	const char *root, *log;
	bool log_json, detach;
};

/* Print and log; return the exit code. */
int oci_usage(const struct oci *oci, const char *text);
int oci_fail(const struct oci *oci, const struct error *err);

/* Waits by `wait` while the terminal's bytes go between the container's pty and ours. */
int oci_supervise_terminal(struct container *c, const sigset_t *set,
	int (*wait)(struct container *, const sigset_t *));

int oci_exec(struct oci *oci, int argc, char **argv);
int oci_list(struct oci *oci, int argc, char **argv);
int oci_ps(struct oci *oci, int argc, char **argv);
int oci_update(struct oci *oci, int argc, char **argv);
int oci_spec(struct oci *oci, int argc, char **argv);
int oci_features(struct oci *oci, int argc, char **argv);

#endif
