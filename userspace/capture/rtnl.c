/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "capture/capture_internal.h"
#include "util/array.h"

enum { RECEIVE_BUFFER = 4 << 20, MAX_MESSAGES = 4096 /* a call */ };

struct rtnl {
	struct mnl_socket *socket;
	uint64_t lost;
};

struct context {
	uint64_t time_ns;
	int netns_id; /* in which the message arose; -1 = ours */
	void (*sink)(void *arg, const struct event *event);
	void *arg;
};

int rtnl_open(struct rtnl **ret_rtnl, struct error *err)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct rtnl *rtnl;
	int one = 1, size = RECEIVE_BUFFER;

	if (!socket)
		return error_errno(err, errno, "cannot open an rtnetlink socket");
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	/* Without the privilege only our own namespace is heard. */
	mnl_socket_setsockopt(socket, NETLINK_LISTEN_ALL_NSID, &one, sizeof(one));
	if (mnl_socket_bind(socket, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE, MNL_SOCKET_AUTOPID) < 0) {
		int code = errno;

		mnl_socket_close(socket);
		return error_errno(err, code, "cannot subscribe to rtnetlink");
	}
	rtnl = xcalloc(1, sizeof(*rtnl));
	rtnl->socket = socket;
	*ret_rtnl = rtnl;
	return 0;
}

int rtnl_fd(const struct rtnl *rtnl)
{
	return mnl_socket_get_fd(rtnl->socket);
}

uint64_t rtnl_lost(const struct rtnl *rtnl)
{
	return rtnl->lost;
}

static void copy_name(char *to, size_t size, const struct nlattr *attr)
{
	size_t length = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

	memcpy(to, mnl_attr_get_payload(attr), length < size - 1 ? length : size - 1);
}

static uint32_t number(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= sizeof(uint32_t) ? mnl_attr_get_u32(attr) : 0;
}

static int take_info(const struct nlattr *attr, void *data)
{
	struct event_link *e = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		copy_name(e->kind, sizeof(e->kind), attr);
	return MNL_CB_OK;
}

static int take_link_attribute(const struct nlattr *attr, void *data)
{
	struct event_link *e = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		copy_name(e->name, sizeof(e->name), attr);
		break;
	case IFLA_LINK:
		e->peer_ifindex = number(attr);
		break;
	case IFLA_MASTER:
		e->master = number(attr);
		break;
	case IFLA_LINK_NETNSID:
	case IFLA_TARGET_NETNSID:
		e->netns_id = number(attr);
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attr, take_info, e);
		break;
	}
	return MNL_CB_OK;
}

static void take_link(const struct nlmsghdr *message, struct event_link *e)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	e->ifindex = info->ifi_index;
	e->flags = info->ifi_flags;
	mnl_attr_parse(message, sizeof(*info), take_link_attribute, e);
}

static void format_address(struct event_link *e, const struct nlattr *attr, unsigned int prefix)
{
	char text[INET_ADDRSTRLEN];

	if (mnl_attr_get_payload_len(attr) == sizeof(struct in_addr) &&
		inet_ntop(AF_INET, mnl_attr_get_payload(attr), text, sizeof(text)))
		snprintf(e->address, sizeof(e->address), "%s/%u", text, prefix);
}

static void take_address(const struct nlmsghdr *message, struct event_link *e)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	e->ifindex = info->ifa_index;
	mnl_attr_for_each(attr, message, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == IFA_LABEL)
			copy_name(e->name, sizeof(e->name), attr);
		else if (mnl_attr_get_type(attr) == IFA_LOCAL)
			format_address(e, attr, info->ifa_prefixlen);
	}
}

/* The destination, "0.0.0.0/0" for a default route, and the interface that it leaves by. */
static void take_route(const struct nlmsghdr *message, struct event_link *e)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	snprintf(e->address, sizeof(e->address), "0.0.0.0/%u", info->rtm_dst_len);
	mnl_attr_for_each(attr, message, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			e->ifindex = number(attr);
		else if (mnl_attr_get_type(attr) == RTA_DST)
			format_address(e, attr, info->rtm_dst_len);
	}
}

static int take_message(const struct nlmsghdr *message, void *data)
{
	static const size_t minimum[] = { sizeof(struct ifinfomsg), sizeof(struct ifaddrmsg), sizeof(struct rtmsg) };
	struct context *context = data;
	struct event_link e;
	unsigned int family;

	if (message->nlmsg_type < RTM_BASE || message->nlmsg_type > RTM_DELROUTE)
		return MNL_CB_OK;
	family = (message->nlmsg_type - RTM_BASE) / 4;
	if (mnl_nlmsg_get_payload_len(message) < minimum[family])
		return MNL_CB_OK;
	event_prepare(&e.h, EVENT_LINK, sizeof(e), context->time_ns);
	e.action = message->nlmsg_type;
	e.netns_id = context->netns_id;
	if (family == 2 && ((const struct rtmsg *)mnl_nlmsg_get_payload(message))->rtm_table == RT_TABLE_LOCAL)
		return MNL_CB_OK; /* the kernel's own, three for every address */
	if (family == 0)
		take_link(message, &e);
	else if (family == 1)
		take_address(message, &e);
	else
		take_route(message, &e);
	context->sink(context->arg, &e.h);
	return MNL_CB_OK;
}

static int netns_of(struct msghdr *header)
{
	int id;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_NETLINK || c->cmsg_type != NETLINK_LISTEN_ALL_NSID)
			continue;
		memcpy(&id, CMSG_DATA(c), sizeof(id));
		return id;
	}
	return -1;
}

void rtnl_read(struct rtnl *rtnl, uint64_t time_ns, void (*sink)(void *arg, const struct event *event), void *arg)
{
	struct context context = { .time_ns = time_ns, .sink = sink, .arg = arg };
	_Alignas(struct nlmsghdr) char buffer[32768];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];

	for (int i = 0; i < MAX_MESSAGES; i++) {
		struct iovec vector = { buffer, sizeof(buffer) };
		struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(rtnl_fd(rtnl), &header, MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS)
			rtnl->lost++;
		else if (n < 0 && errno != EINTR)
			return;
		if (n <= 0)
			continue;
		context.netns_id = netns_of(&header);
		mnl_cb_run(buffer, n, 0, 0, take_message, &context);
	}
}

void rtnl_close(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	mnl_socket_close(rtnl->socket);
	free(rtnl);
}
