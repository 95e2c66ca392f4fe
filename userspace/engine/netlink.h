/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_NETLINK_H
#define CTRACE_NETLINK_H

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

/* One netlink socket and one request at a time; libmnl writes the messages. Errors are negative errno. */
struct netlink {
	int fd;
	uint32_t sequence;
	struct nlmsghdr *message; /* the request being written, in buffer */
	_Alignas(struct nlmsghdr) char buffer[8192];
};

/* protocol: NETLINK_ROUTE, NETLINK_NETFILTER. The socket belongs to the caller's network namespace. */
int netlink_open(struct netlink *nl, int protocol);
void netlink_close(struct netlink *nl); /* also fit for _cleanup_ */

/* Starts a request of that type; returns the family's own header of that size, zeroed. */
void *netlink_begin(struct netlink *nl, uint16_t type, uint16_t flags, size_t header_size);
/* Sends it and waits for the kernel's answer. With NLM_F_DUMP or without NLM_F_ACK in the flags,
 * callback sees every answer (MNL_CB_OK to go on). */
int netlink_run(struct netlink *nl, mnl_cb_t callback, void *data);
/* Sends bytes that the caller composed (a batch) and reads answers until the kernel has nothing more
 * to say: the first error, or 0. */
int netlink_send_batch(struct netlink *nl, const void *bytes, size_t length);

#endif
