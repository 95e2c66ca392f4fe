/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ETC_FILES_H
#define CTRACE_ETC_FILES_H

#include "util/error.h"
#include "util/string_list.h"

struct etc_files {
	const char *directory, *hostname;
	const char *address; /* NULL or "": only the loopback */
	const char *gateway; /* what host-gateway stands for */
	bool host_network;   /* the host's own files */
	const char *joined;  /* directory of the container whose network it shares, or NULL */
	const struct string_list *hosts;                    /* "name:address"; may be NULL */
	const struct string_list *dns, *dns_search, *dns_options; /* all or none */
};

/* Writes hosts, hostname and resolv.conf into directory, as docker fills them. */
int etc_files_write(const struct etc_files *f, struct error *err);
/* hosts alone: the address is another at each start. */
int etc_files_write_hosts(const struct etc_files *f, struct error *err);

/* resolv.conf for a container that has a network namespace of its own: name servers on loopback addresses
 * are not reachable from there and are dropped; when none is left, public ones are named, as docker
 * does. The caller's. For tests. */
char *etc_files_resolv_conf(const char *text);

#endif
