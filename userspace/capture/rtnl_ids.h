/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RTNL_IDS_H
#define CTRACE_RTNL_IDS_H

/* Which network namespaces the ids of rtnetlink stand for. Each namespace has ids of its own for the others, and the kernel tells
 * the id of a process's namespace (RTM_GETNSID, net/core/net_namespace.c), not the namespace of an id: so those processes
 * are asked about that were seen in other namespaces. */

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTNL_IDS_MAX = 256, RTNL_PROCESSES_MAX = 256 };

/* The newest that were seen in a network namespace, one for each, as long as they live. */
struct rtnl_processes {
	struct rtnl_process {
		uint32_t inode, tgid; /* tgid 0 = none */
		uint64_t start_ns;
	} list[RTNL_PROCESSES_MAX];
	uint64_t serial; /* of the next one; list[serial % RTNL_PROCESSES_MAX] */
};

/* The newest ids of one namespace. Zero-initialise it. */
struct rtnl_ids {
	struct rtnl_id {
		int id;
		uint32_t inode; /* 0 = not known yet */
		bool used;
	} list[RTNL_IDS_MAX];
	size_t next, wanted;
	uint64_t asked_serial; /* of processes, up to which they were asked about since an id was last wanted */
};

/* It was seen in that namespace. */
void rtnl_processes_add(struct rtnl_processes *processes, uint32_t tgid, uint64_t start_ns, uint32_t inode);
void rtnl_processes_remove(struct rtnl_processes *processes, uint32_t tgid, uint64_t start_ns);

void rtnl_ids_want(struct rtnl_ids *ids, int id);   /* it was heard of */
void rtnl_ids_forget(struct rtnl_ids *ids, int id); /* its namespace is gone */

/* Asks, where an id is wanted, and calls found for each that became known. The socket is one of the namespace that the ids are of. */
void rtnl_ids_resolve(struct rtnl_ids *ids, const struct rtnl_processes *processes, struct mnl_socket *socket,
	void (*found)(void *arg, int id, uint32_t inode), void *arg);

/* The id of a namespace, by an attribute that names it (NETNSA_FD, NETNSA_PID), in the namespace that the socket is of; -1 = it has
 * none there. */
int rtnl_ids_ask(struct mnl_socket *socket, uint16_t attribute, uint32_t value);

#endif
