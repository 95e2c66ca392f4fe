/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "capture/rtnl_ids.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/privilege.h"

enum { RECEIVE_BUFFER = 4 << 20, MAX_MESSAGES = 4096 /* a call */, PLACES = 1 + RTNL_MAX_NAMESPACES };

/* A network namespace that is listened to. */
struct place {
	struct mnl_socket *socket; /* NULL = the place is free */
	struct mnl_socket *query;  /* for questions: answers must not mix with what is told unasked */
	int ns_fd;
	uint32_t inode;
	struct event owner; /* header of the engine that lives there; tgid 0 = our own namespace */
	bool gone;          /* the owner has exited: what it did last is still to be read */
	int ids[PLACES];    /* what the other places are called here; -1 = not known to have a name */
	struct rtnl_ids containers; /* what all others are called here */
};

struct rtnl {
	struct place places[PLACES]; /* our own first */
	struct rtnl_processes processes; /* in other namespaces */
	int epoll_fd;
	uint64_t lost, unheard;
};

struct context {
	uint64_t time_ns;
	struct place *place;
	int netns_id; /* in which the message arose; -1 = that of the socket */
	void (*sink)(void *arg, const struct event *event);
	void *arg;
};

/* Counts as unheard where it hears of its own namespace only. */
static int open_socket(struct rtnl *rtnl, struct mnl_socket **ret_socket, struct error *err)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int one = 1, size = RECEIVE_BUFFER, ids = RTNLGRP_NSID;

	if (!socket)
		return error_errno(err, errno, "cannot open an rtnetlink socket");
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	rtnl->unheard += mnl_socket_setsockopt(socket, NETLINK_LISTEN_ALL_NSID, &one, sizeof(one)) < 0;
	if (mnl_socket_bind(socket, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE, MNL_SOCKET_AUTOPID) < 0) {
		int code = errno;

		mnl_socket_close(socket);
		return error_errno(err, code, "cannot subscribe to rtnetlink");
	}
	mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &ids, sizeof(ids));
	*ret_socket = socket;
	return 0;
}

/* Listens in the namespace that the process is in now. Takes ns_fd, whatever becomes of it. */
static int open_place(struct rtnl *rtnl, size_t i, int ns_fd, struct error *err)
{
	struct place *place = &rtnl->places[i];
	struct epoll_event event = { .events = EPOLLIN };
	_cleanup_close_ int fd = ns_fd;
	struct mnl_socket *socket = NULL;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "cannot look at a network namespace");
	r = open_socket(rtnl, &socket, err);
	if (r < 0)
		return r;
	if (epoll_ctl(rtnl->epoll_fd, EPOLL_CTL_ADD, mnl_socket_get_fd(socket), &event) < 0) {
		r = error_errno(err, errno, "epoll");
		mnl_socket_close(socket);
		return r;
	}
	*place = (struct place){ .socket = socket, .ns_fd = steal_fd(&fd), .inode = st.st_ino };
	place->query = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	for (size_t o = 0; o < PLACES; o++)
		place->ids[o] = rtnl->places[o].ids[i] = -1;
	return 0;
}

static void close_place(struct place *place)
{
	if (!place->socket)
		return;
	mnl_socket_close(place->socket);
	if (place->query)
		mnl_socket_close(place->query);
	close(place->ns_fd);
	*place = (struct place){ 0 };
}

int rtnl_open(struct rtnl **ret_rtnl, struct error *err)
{
	struct rtnl *rtnl = xcalloc(1, sizeof(*rtnl));
	int ns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), r;

	rtnl->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (ns_fd < 0)
		r = error_errno(err, errno, "cannot open /proc/self/ns/net");
	else if (rtnl->epoll_fd < 0)
		r = error_errno(err, errno, "cannot make an epoll descriptor");
	else
		r = open_place(rtnl, 0, steal_fd(&ns_fd), err);
	if (ns_fd >= 0)
		close(ns_fd);
	if (r < 0) {
		rtnl_close(rtnl);
		return r;
	}
	*ret_rtnl = rtnl;
	return 0;
}

int rtnl_fd(const struct rtnl *rtnl)
{
	return rtnl->epoll_fd;
}

/* Goes to the namespace, opens what listens there, and comes back: a return is refused only to one who lost
 * his capabilities on the way. An engine that is gone makes no more changes: nothing is unheard. */
static void enter_and_listen(struct rtnl *rtnl, size_t i, const struct event *owner, uint32_t inode)
{
	_cleanup_close_ int ns_fd = -1;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", owner->tgid);
	ns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ns_fd < 0 || fstat(ns_fd, &st) < 0 || st.st_ino != inode) { /* gone, its pid used again, or hidden from us */
		rtnl->unheard += ns_fd < 0 && errno != ENOENT && errno != ESRCH;
		return;
	}
	if (setns(ns_fd, CLONE_NEWNET) < 0) {
		rtnl->unheard++;
		return;
	}
	if (open_place(rtnl, i, steal_fd(&ns_fd), NULL) == 0)
		rtnl->places[i].owner = *owner;
	else
		rtnl->unheard++;
	if (setns(rtnl->places[0].ns_fd, CLONE_NEWNET) < 0)
		abort();
}

static void listen_in(struct rtnl *rtnl, size_t i, const struct event *owner, uint32_t inode)
{
	uint64_t raised = privilege_raise(PRIVILEGE_LISTENING);

	enter_and_listen(rtnl, i, owner, inode);
	privilege_lower(raised);
}

/* An engine has come to a namespace that is listened to. A containerd often belongs to an engine beside it, which makes the network. */
static void moves_in(struct place *place, const struct event *owner)
{
	if (place->gone || (owner->role == ROLE_ENGINE && place->owner.role != ROLE_ENGINE)) {
		place->owner = *owner;
		place->gone = false;
	}
}

static struct place *find_place(struct rtnl *rtnl, uint32_t inode)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (rtnl->places[i].socket && rtnl->places[i].inode == inode)
			return &rtnl->places[i];
	}
	return NULL;
}

static struct place *vacant_place(struct rtnl *rtnl)
{
	for (size_t i = 1; i < PLACES; i++) {
		if (!rtnl->places[i].socket)
			return &rtnl->places[i];
	}
	return NULL;
}

static void engine_arrived(struct rtnl *rtnl, const struct event *owner, uint32_t inode)
{
	struct place *place = find_place(rtnl, inode);

	if (place == &rtnl->places[0])
		return;
	if (place)
		moves_in(place, owner);
	else if ((place = vacant_place(rtnl)))
		listen_in(rtnl, (size_t)(place - rtnl->places), owner, inode);
	else
		rtnl->unheard++;
}

static void arrived(struct rtnl *rtnl, const struct event *process, uint32_t inode)
{
	if (!inode)
		return;
	if (process->role == ROLE_ENGINE || process->role == ROLE_CONTAINERD)
		engine_arrived(rtnl, process, inode);
	else if (!find_place(rtnl, inode))
		rtnl_processes_add(&rtnl->processes, process->tgid, process->start_ns, inode);
}

static void departed(struct rtnl *rtnl, const struct event *process)
{
	rtnl_processes_remove(&rtnl->processes, process->tgid, process->start_ns);
	for (size_t i = 1; i < PLACES; i++) {
		struct place *place = &rtnl->places[i];

		if (place->socket && place->owner.tgid == process->tgid && place->owner.start_ns == process->start_ns)
			place->gone = true;
	}
}

void rtnl_observe(struct rtnl *rtnl, const struct event *event)
{
	const struct event_fork *fork = (const struct event_fork *)event;

	if (event->kind == EVENT_EXEC)
		arrived(rtnl, event, ((const struct event_exec *)event)->ns.net);
	else if (event->kind == EVENT_SNAPSHOT_TASK)
		arrived(rtnl, event, ((const struct event_task *)event)->ns.net);
	else if (event->kind == EVENT_FORK && fork->ns.net && !find_place(rtnl, fork->ns.net))
		rtnl_processes_add(&rtnl->processes, fork->child_tgid, fork->child_start_ns, fork->ns.net);
	else if (event->kind == EVENT_EXIT)
		departed(rtnl, event);
}

uint64_t rtnl_lost(const struct rtnl *rtnl)
{
	return rtnl->lost;
}

uint64_t rtnl_unheard(const struct rtnl *rtnl)
{
	return rtnl->unheard;
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
	case IFLA_LINK_NETNSID: /* the other end is there */
	case IFLA_NEW_NETNSID:  /* it went there */
		if (!(e->h.flags & EVENT_F_IN_NETNS))
			e->netns_id = (__s32)number(attr);
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

/* Of the place where the message was heard, and of the time of reading. */
static void prepare(struct event *h, const struct context *context, uint16_t kind, size_t size)
{
	const struct event *owner = &context->place->owner;

	event_prepare(h, kind, size, context->time_ns);
	h->tgid = owner->tgid;
	h->start_ns = owner->start_ns;
	h->role = owner->role;
	memcpy(h->comm, owner->comm, sizeof(h->comm));
}

static void tell_namespace(void *arg, int id, uint32_t inode)
{
	const struct context *context = arg;
	struct event_netns e;

	prepare(&e.h, context, EVENT_NETNS, sizeof(e));
	e.netns_id = id;
	e.inode = inode;
	context->sink(context->arg, &e.h);
}

/* What becomes of ids in the listener's own namespace; what others call theirs is of no use. */
static void take_id_message(const struct nlmsghdr *message, struct context *context)
{
	const struct nlattr *attr;

	if (context->netns_id >= 0 || mnl_nlmsg_get_payload_len(message) < sizeof(struct rtgenmsg))
		return;
	mnl_attr_for_each(attr, message, sizeof(struct rtgenmsg)) {
		if (mnl_attr_get_type(attr) != NETNSA_NSID)
			continue;
		if (message->nlmsg_type == RTM_NEWNSID) {
			rtnl_ids_want(&context->place->containers, (int)number(attr));
		} else {
			rtnl_ids_forget(&context->place->containers, (int)number(attr));
			tell_namespace(context, (int)number(attr), 0);
		}
	}
}

static void take_change(const struct nlmsghdr *message, struct context *context)
{
	static const size_t minimum[] = { sizeof(struct ifinfomsg), sizeof(struct ifaddrmsg), sizeof(struct rtmsg) };
	unsigned int family = (message->nlmsg_type - RTM_BASE) / 4;
	struct event_link e;

	if (mnl_nlmsg_get_payload_len(message) < minimum[family])
		return;
	prepare(&e.h, context, EVENT_LINK, sizeof(e));
	e.action = message->nlmsg_type;
	e.netns_id = context->netns_id;
	e.h.flags = context->netns_id >= 0 ? EVENT_F_IN_NETNS : 0;
	if (family == 2 && ((const struct rtmsg *)mnl_nlmsg_get_payload(message))->rtm_table == RT_TABLE_LOCAL)
		return; /* the kernel's own, three for every address */
	if (family == 0)
		take_link(message, &e);
	else if (family == 1)
		take_address(message, &e);
	else
		take_route(message, &e);
	rtnl_ids_want(&context->place->containers, e.netns_id);
	context->sink(context->arg, &e.h);
}

static int take_message(const struct nlmsghdr *message, void *data)
{
	if (message->nlmsg_type == RTM_NEWNSID || message->nlmsg_type == RTM_DELNSID)
		take_id_message(message, data);
	else if (message->nlmsg_type >= RTM_BASE && message->nlmsg_type <= RTM_DELROUTE)
		take_change(message, data);
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

/* Told from afar what a socket of ours hears on the spot. A name stays for life; a namespace may get one
 * at any time. */
static bool is_double(struct rtnl *rtnl, struct place *place, int netns_id)
{
	for (size_t o = 0; netns_id >= 0 && o < PLACES; o++) {
		const struct place *other = &rtnl->places[o];

		if (other == place || !other->socket)
			continue;
		if (place->ids[o] < 0)
			place->ids[o] = rtnl_ids_ask(place->query, NETNSA_FD, (uint32_t)other->ns_fd);
		if (place->ids[o] == netns_id)
			return true;
	}
	return false;
}

/* True when there is nothing more to be read. */
static bool read_place(struct rtnl *rtnl, struct place *place, struct context *context)
{
	_Alignas(struct nlmsghdr) char buffer[32768];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];

	for (int i = 0; i < MAX_MESSAGES; i++) {
		struct iovec vector = { buffer, sizeof(buffer) };
		struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(mnl_socket_get_fd(place->socket), &header, MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS)
			rtnl->lost++;
		else if (n < 0 && errno != EINTR)
			return true;
		if (n <= 0)
			continue;
		context->netns_id = netns_of(&header);
		if (!is_double(rtnl, place, context->netns_id))
			mnl_cb_run(buffer, n, 0, 0, take_message, context);
	}
	return false;
}

void rtnl_read(struct rtnl *rtnl, uint64_t time_ns, void (*sink)(void *arg, const struct event *event), void *arg)
{
	struct context context = { .time_ns = time_ns, .sink = sink, .arg = arg };

	for (size_t i = 0; i < PLACES; i++) {
		struct place *place = &rtnl->places[i];

		if (!place->socket)
			continue;
		context.place = place;
		if (read_place(rtnl, place, &context) && place->gone)
			close_place(place);
		else
			rtnl_ids_resolve(&place->containers, &rtnl->processes, place->query, tell_namespace, &context);
	}
}

void rtnl_close(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	for (size_t i = 0; i < PLACES; i++)
		close_place(&rtnl->places[i]);
	if (rtnl->epoll_fd >= 0)
		close(rtnl->epoll_fd);
	free(rtnl);
}
