/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SERVE_HOST_H
#define CTRACE_SERVE_HOST_H

/* What ctrace serve asks the machine for: figures of its own process, and of containers' cgroups. */

#include "exporters/prometheus.h"

/* Fills the figures of this process. */
void serve_host_read(struct prometheus_host *ret);

/* Reads the figures of a container's cgroups, by its first process. False where it has gone. */
bool serve_host_usage(pid_t pid, struct prometheus_usage *ret);

#endif
