/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_SECONDS = 10 };

int netlink_open(struct netlink *nl, int protocol)
{
	struct timeval patience = { .tv_sec = ANSWER_SECONDS };
	int one = 1;

	nl->sequence = 1;
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (nl->fd < 0)
		return -errno;
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
}

void *netlink_begin(struct netlink *nl, uint16_t type, uint16_t flags, size_t header_size)
{
	nl->message = mnl_nlmsg_put_header(nl->buffer);
	nl->message->nlmsg_type = type;
	nl->message->nlmsg_flags = NLM_F_REQUEST | flags;
	nl->message->nlmsg_seq = ++nl->sequence;
	return mnl_nlmsg_put_extra_header(nl->message, header_size);
}

int netlink_run(struct netlink *nl, mnl_cb_t callback, void *data)
{
	char answer[32768];

	if (send(nl->fd, nl->message, nl->message->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(nl->fd, answer, sizeof(answer), 0);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		r = mnl_cb_run(answer, (size_t)n, nl->sequence, 0, callback, data);
		if (r < 0)
			return -errno;
		/* a single answer to a request without NLM_F_ACK ends it as well */
		if (r == MNL_CB_STOP || !(nl->message->nlmsg_flags & (NLM_F_ACK | NLM_F_DUMP)))
			return 0;
	}
}

int netlink_send_batch(struct netlink *nl, const void *bytes, size_t length)
{
	char answer[32768];
	int first = 0;

	if (send(nl->fd, bytes, length, 0) < 0)
		return -errno;
	for (;;) {
		/* nfnetlink answers within send(2): what is not there now will not come */
		ssize_t n = recv(nl->fd, answer, sizeof(answer), MSG_DONTWAIT);
		const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
		int left = (int)n;

		if (n < 0)
			return errno == EAGAIN ? first : first ? first : -errno;
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_type == NLMSG_ERROR && e->error && !first)
				first = e->error;
		}
	}
}
