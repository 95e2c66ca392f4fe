/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ETC_FILES_H
#define CTRACE_ETC_FILES_H

#include "engine/settings.h"
#include "util/error.h"

/* Writes hosts, hostname and resolv.conf into directory: what a container finds in /etc. address: its
 * own, as text, or NULL. With the host's network the host's own hosts and resolv.conf are copied. */
int etc_files_write(const char *directory, const char *hostname, const char *address,
	enum network_mode network, struct error *err);

/* resolv.conf for a container that has a network namespace of its own: name servers on loopback addresses
 * are not reachable from there and are dropped; when none is left, public ones are named, as docker
 * does. The caller's. For tests. */
char *etc_files_resolv_conf(const char *text);

#endif
