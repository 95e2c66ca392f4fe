/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_INSPECT_FACTS_H
#define CTRACE_INSPECT_FACTS_H

/* What /proc and the network namespace tell about one process of a container. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

struct root_facts {
	char *fstype, *source;  /* of the mount at / */
	char *upper, *work;     /* overlay; NULL = none (read-only) */
	char **lower;           /* topmost layer first */
	size_t lower_count, lower_capacity;
	size_t mounts;          /* in its mount namespace */
	bool read_only;
};

/* Parses a text as /proc/PID/mountinfo has it (proc(5)). -ENOENT where nothing is mounted at "/". */
int root_parse(const char *mountinfo, struct root_facts *ret);
int root_read(pid_t pid, struct root_facts *ret, struct error *err);
void root_free(struct root_facts *facts);

struct interface_fact {
	char name[16];
	unsigned int flags; /* IFF_* */
	char addresses[256]; /* "172.17.0.2/16, fe80::1/64" */
};

struct network_facts {
	struct interface_fact *interfaces;
	size_t count, capacity;
	char gateway[48]; /* of the IPv4 default route, "" = none */
};

/* Looks around in the process's network namespace, from a child: ours stays where it is. */
int network_read(pid_t pid, struct network_facts *ret, struct error *err);
void network_free(struct network_facts *facts);

struct process_facts {
	char *command;     /* argv joined by blanks */
	char *exe;         /* NULL = could not be read */
	uint64_t cap_effective, cap_bounding;
	int seccomp;       /* 0 none, 1 strict, 2 filter, -1 unknown */
	int no_new_privs;  /* -1 unknown */
	uint32_t uid, gid;
	double running_seconds;
};

int process_read(pid_t pid, uint64_t start_ticks, struct process_facts *ret, struct error *err);
void process_facts_free(struct process_facts *facts);

#endif
