/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/nat.h"
#include "engine/netlink.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { ROUTES_MAX = 4096 };

const char *network_format(uint32_t address, char ret[INET_ADDRSTRLEN])
{
	struct in_addr in = { htonl(address) };

	return inet_ntop(AF_INET, &in, ret, INET_ADDRSTRLEN);
}

static uint32_t mask_of(unsigned prefix)
{
	return prefix ? ~0U << (32 - prefix) : 0;
}

static bool overlaps(struct network_range a, struct network_range b)
{
	uint32_t mask = mask_of(a.prefix < b.prefix ? a.prefix : b.prefix);

	return (a.network & mask) == (b.network & mask);
}

static bool is_free(struct network_range range, const struct network_range *routes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* the default route touches everything and means nothing */
		if (routes[i].prefix && overlaps(range, routes[i]))
			return false;
	}
	return true;
}

bool network_choose(const struct network_range *routes, size_t count, struct network_range *ret)
{
	/* 172.30, .29 .. .19 (docker takes them from .17 on), then 10.88-10.119, then 192.168.x */
	for (unsigned i = 0; i < 12 + 32 + 64; i++) {
		struct network_range range = i < 12 ? (struct network_range){ 0xac1e0000 - (i << 16), 16 }
			: i < 44 ? (struct network_range){ 0x0a580000 + ((i - 12) << 16), 16 }
				 : (struct network_range){ 0xc0a8c800 - ((i - 44) << 8), 24 };

		if (is_free(range, routes, count)) {
			*ret = range;
			return true;
		}
	}
	return false;
}

struct route_list {
	struct network_range *items;
	size_t count, capacity;
};

static int collect_route(const struct nlmsghdr *h, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(h);
	struct route_list *list = data;
	const struct nlattr *attr;
	uint32_t destination = 0;

	if (route->rtm_family != AF_INET || list->count >= ROUTES_MAX)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, h, sizeof(*route)) {
		if (mnl_attr_get_type(attr) == RTA_DST)
			destination = ntohl(mnl_attr_get_u32(attr));
	}
	array_grow(list->items, list->count, list->capacity);
	list->items[list->count++] = (struct network_range){ destination, route->rtm_dst_len };
	return MNL_CB_OK;
}

static int configured_subnet(struct network_range *ret, struct error *err)
{
	const char *text = getenv("CTRACE_BRIDGE_SUBNET");
	struct in_addr address;
	unsigned prefix;
	char word[32];

	if (!text || !*text)
		return 0;
	if (sscanf(text, "%31[0-9.]/%u", word, &prefix) != 2 || inet_pton(AF_INET, word, &address) != 1 ||
		prefix < 8 || prefix > 30)
		return error_set(err, EINVAL, "CTRACE_BRIDGE_SUBNET=%s is no network: write it as "
			"172.30.0.0/16, with a prefix of 8 to 30", text);
	*ret = (struct network_range){ ntohl(address.s_addr) & mask_of(prefix), prefix };
	return 1;
}

static int choose_subnet(struct netlink *nl, struct network_range *ret, struct error *err)
{
	struct route_list list = { 0 };
	struct rtmsg *route;
	bool found;
	int r = configured_subnet(ret, err);

	if (r)
		return r < 0 ? r : 0;
	route = netlink_begin(nl, RTM_GETROUTE, NLM_F_DUMP, sizeof(*route));
	route->rtm_family = AF_INET;
	r = netlink_run(nl, collect_route, &list);
	found = network_choose(list.items, list.count, ret);
	free(list.items);
	if (r < 0)
		return error_errno(err, -r, "cannot read the host's routes");
	return found ? 0 : error_set(err, EADDRNOTAVAIL, "every private network that ctrace tries has a "
		"route on this host: set CTRACE_BRIDGE_SUBNET to a free one, or use --network none");
}

static int make_bridge(struct netlink *nl)
{
	struct ifinfomsg *link = netlink_begin(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
		sizeof(*link));
	unsigned char mac[6];
	struct nlattr *info;
	int r;

	link->ifi_family = AF_UNSPEC;
	link->ifi_flags = link->ifi_change = IFF_UP;
	/* An address of its own, or the bridge would take its ports' and change it as they come and go. */
	if (getrandom(mac, sizeof(mac), 0) != (ssize_t)sizeof(mac))
		return -errno;
	mac[0] = (unsigned char)((mac[0] & 0xfc) | 0x02);
	mnl_attr_put_strz(nl->message, IFLA_IFNAME, NETWORK_BRIDGE_NAME);
	mnl_attr_put(nl->message, IFLA_ADDRESS, sizeof(mac), mac);
	info = mnl_attr_nest_start(nl->message, IFLA_LINKINFO);
	mnl_attr_put_strz(nl->message, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(nl->message, info);
	r = netlink_run(nl, NULL, NULL);
	return r == -EEXIST ? 0 : r;
}

static int add_address(struct netlink *nl, int index, uint32_t address, unsigned prefix)
{
	struct ifaddrmsg *msg = netlink_begin(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
		sizeof(*msg));
	int r;

	msg->ifa_family = AF_INET;
	msg->ifa_prefixlen = (unsigned char)prefix;
	msg->ifa_index = (unsigned)index;
	mnl_attr_put_u32(nl->message, IFA_LOCAL, htonl(address));
	mnl_attr_put_u32(nl->message, IFA_ADDRESS, htonl(address));
	mnl_attr_put_u32(nl->message, IFA_BROADCAST, htonl(address | ~mask_of(prefix)));
	r = netlink_run(nl, NULL, NULL);
	return r == -EEXIST ? 0 : r;
}

static int set_up(struct netlink *nl, int index)
{
	struct ifinfomsg *link = netlink_begin(nl, RTM_NEWLINK, NLM_F_ACK, sizeof(*link));

	link->ifi_family = AF_UNSPEC;
	link->ifi_index = index;
	link->ifi_flags = link->ifi_change = IFF_UP;
	return netlink_run(nl, NULL, NULL);
}

static int collect_address(const struct nlmsghdr *h, void *data)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(h);
	struct network_bridge *bridge = data;
	const struct nlattr *attr;

	if ((int)msg->ifa_index != bridge->index || msg->ifa_family != AF_INET || bridge->gateway)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, h, sizeof(*msg)) {
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			bridge->gateway = ntohl(mnl_attr_get_u32(attr));
	}
	bridge->prefix = msg->ifa_prefixlen;
	bridge->network = bridge->gateway & mask_of(bridge->prefix);
	return MNL_CB_OK;
}

static int read_address(struct netlink *nl, struct network_bridge *bridge)
{
	struct ifaddrmsg *msg = netlink_begin(nl, RTM_GETADDR, NLM_F_DUMP, sizeof(*msg));

	msg->ifa_family = AF_INET;
	return netlink_run(nl, collect_address, bridge);
}

static int prepare_bridge(struct netlink *nl, struct network_bridge *bridge, struct error *err)
{
	struct network_range range;
	int r = choose_subnet(nl, &range, err);

	if (r < 0)
		return r;
	r = make_bridge(nl);
	if (r < 0)
		return error_errno(err, -r, "cannot make the bridge %s", NETWORK_BRIDGE_NAME);
	bridge->index = (int)if_nametoindex(NETWORK_BRIDGE_NAME);
	r = add_address(nl, bridge->index, range.network + 1, range.prefix);
	if (r == 0)
		r = set_up(nl, bridge->index);
	if (r < 0)
		return error_errno(err, -r, "cannot set the bridge %s up", NETWORK_BRIDGE_NAME);
	return 0;
}

static int enable_forwarding(void)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_forward";
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	char now = '0';

	if (fd < 0 || read(fd, &now, 1) != 1)
		return -EIO;
	if (now != '0')
		return 0;
	return pwrite(fd, "1", 1, 0) == 1 ? 0 : -errno;
}

static void open_to_outside(struct network_bridge *bridge)
{
	struct error why = { 0 };
	int r = enable_forwarding();

	if (r < 0)
		snprintf(bridge->warning, sizeof(bridge->warning),
			"cannot switch IPv4 forwarding on (%s): the container reaches the host only",
			strerror(-r));
	else if (nat_ensure(NETWORK_BRIDGE_NAME, bridge->network, bridge->prefix, &why) < 0)
		snprintf(bridge->warning, sizeof(bridge->warning),
			"cannot set NAT up (%.300s): the container reaches the host only", why.text);
}

int network_open_bridge(struct network_bridge *ret, struct error *err)
{
	_cleanup_(netlink_close) struct netlink nl;
	int r = netlink_open(&nl, NETLINK_ROUTE);

	if (r < 0)
		return error_errno(err, -r, "cannot open a netlink socket");
	*ret = (struct network_bridge){ .index = (int)if_nametoindex(NETWORK_BRIDGE_NAME) };
	if (ret->index)
		read_address(&nl, ret);
	if (!ret->gateway) {
		r = prepare_bridge(&nl, ret, err);
		if (r < 0)
			return r;
		r = read_address(&nl, ret);
	}
	if (r < 0 || !ret->gateway)
		return error_set(err, EADDRNOTAVAIL, "the bridge %s has no IPv4 address",
			NETWORK_BRIDGE_NAME);
	open_to_outside(ret);
	return 0;
}

/* A netlink socket stays in the namespace where it was made, so one short visit is enough. */
static int open_inside(struct netlink *nl, int netns, struct error *err)
{
	_cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	nl->fd = -1;
	if (own < 0)
		return error_errno(err, errno, "cannot open /proc/self/ns/net");
	if (setns(netns, CLONE_NEWNET) < 0)
		return error_errno(err, errno, "cannot enter the container's network namespace");
	r = netlink_open(nl, NETLINK_ROUTE);
	if (setns(own, CLONE_NEWNET) < 0) {
		int code = errno;

		netlink_close(nl);
		return error_errno(err, code, "cannot return to the host's network namespace");
	}
	return r < 0 ? error_errno(err, -r, "cannot open a netlink socket in the container") : 0;
}

int network_setup_loopback(int netns, struct error *err)
{
	_cleanup_(netlink_close) struct netlink nl;
	int r = open_inside(&nl, netns, err);

	if (r < 0)
		return r;
	r = set_up(&nl, 1); /* lo is always the first */
	return r < 0 ? error_errno(err, -r, "cannot set lo up in the container") : 0;
}

static void make_mac(uint32_t address, unsigned char ret[NETWORK_MAC_BYTES])
{
	const uint32_t bytes = htonl(address);

	ret[0] = 0x02; /* administered locally */
	ret[1] = 0x42;
	memcpy(ret + 2, &bytes, sizeof(bytes));
}

const char *network_format_mac(uint32_t address, char ret[NETWORK_MAC_TEXT])
{
	unsigned char mac[NETWORK_MAC_BYTES];

	make_mac(address, mac);
	snprintf(ret, NETWORK_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return ret;
}

/* Both ends, the peer's namespace, the master and "up" in one message: 0.6 ms instead of 5. */
static int make_veth(struct netlink *nl, const struct network_bridge *bridge, int netns,
	const char *name, uint32_t address)
{
	unsigned char mac[NETWORK_MAC_BYTES];
	struct ifinfomsg *link = netlink_begin(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
		sizeof(*link));
	struct nlattr *info, *data, *peer;

	make_mac(address, mac);
	link->ifi_family = AF_UNSPEC;
	link->ifi_flags = link->ifi_change = IFF_UP;
	mnl_attr_put_strz(nl->message, IFLA_IFNAME, name);
	mnl_attr_put_u32(nl->message, IFLA_MASTER, (uint32_t)bridge->index);
	info = mnl_attr_nest_start(nl->message, IFLA_LINKINFO);
	mnl_attr_put_strz(nl->message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nl->message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nl->message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(nl->message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nl->message, IFLA_IFNAME, "eth0");
	mnl_attr_put(nl->message, IFLA_ADDRESS, sizeof(mac), mac);
	mnl_attr_put_u32(nl->message, IFLA_NET_NS_FD, (uint32_t)netns);
	mnl_attr_nest_end(nl->message, peer);
	mnl_attr_nest_end(nl->message, data);
	mnl_attr_nest_end(nl->message, info);
	return netlink_run(nl, NULL, NULL);
}

static int collect_index(const struct nlmsghdr *h, void *data)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(h);

	*(int *)data = link->ifi_index;
	return MNL_CB_OK;
}

/* if_nametoindex(3) asks in the caller's namespace; this one asks where the socket is. */
static int find_link(struct netlink *nl, const char *name, int *ret)
{
	struct ifinfomsg *link = netlink_begin(nl, RTM_GETLINK, 0, sizeof(*link));

	link->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(nl->message, IFLA_IFNAME, name);
	return netlink_run(nl, collect_index, ret);
}

static int add_default_route(struct netlink *nl, int index, uint32_t gateway)
{
	struct rtmsg *route = netlink_begin(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
		sizeof(*route));

	route->rtm_family = AF_INET;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_BOOT;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(nl->message, RTA_GATEWAY, htonl(gateway));
	mnl_attr_put_u32(nl->message, RTA_OIF, (uint32_t)index);
	return netlink_run(nl, NULL, NULL);
}

static int configure_inside(const struct network_bridge *bridge, int netns, uint32_t address,
	struct error *err)
{
	_cleanup_(netlink_close) struct netlink nl;
	int index = 0, r = open_inside(&nl, netns, err);

	if (r < 0)
		return r;
	r = set_up(&nl, 1);
	if (r == 0)
		r = find_link(&nl, "eth0", &index);
	if (r == 0)
		r = add_address(&nl, index, address, bridge->prefix);
	if (r == 0)
		r = set_up(&nl, index);
	if (r == 0)
		r = add_default_route(&nl, index, bridge->gateway);
	return r < 0 ? error_errno(err, -r, "cannot configure eth0 in the container") : 0;
}

static void veth_name(const char *id, char ret[IFNAMSIZ])
{
	snprintf(ret, IFNAMSIZ, "veth%.10s", id);
}

int network_allow_hairpin(const char *id, struct error *err)
{
	_cleanup_(netlink_close) struct netlink nl;
	char name[IFNAMSIZ];
	struct ifinfomsg *link;
	struct nlattr *port;
	int r = netlink_open(&nl, NETLINK_ROUTE);

	if (r < 0)
		return error_errno(err, -r, "cannot open a netlink socket");
	veth_name(id, name);
	link = netlink_begin(&nl, RTM_SETLINK, NLM_F_ACK, sizeof(*link));
	link->ifi_family = AF_BRIDGE;
	link->ifi_index = (int)if_nametoindex(name);
	port = mnl_attr_nest_start(nl.message, IFLA_PROTINFO | NLA_F_NESTED);
	mnl_attr_put_u8(nl.message, IFLA_BRPORT_MODE, 1);
	mnl_attr_nest_end(nl.message, port);
	r = netlink_run(&nl, NULL, NULL);
	return r < 0 ? error_errno(err, -r, "cannot set the bridge's port %s up", name) : 0;
}

/* A container that starts again has the name of before, and the kernel takes network namespaces down, with the pair's
 * other end, some time after their last process. */
static int make_veth_again(struct netlink *nl, const struct network_bridge *bridge, int netns, const char *name,
	uint32_t address)
{
	enum { WAIT_MS = 20, TIMES = 150 };
	const struct timespec wait = { .tv_nsec = WAIT_MS * 1000000L };
	int r = make_veth(nl, bridge, netns, name, address);

	for (int i = 0; i < TIMES && r == -EEXIST; i++) {
		nanosleep(&wait, NULL);
		r = make_veth(nl, bridge, netns, name, address);
	}
	return r;
}

int network_setup_bridge(const struct network_bridge *bridge, int netns, const char *id,
	uint32_t address, struct error *err)
{
	_cleanup_(netlink_close) struct netlink nl;
	char name[IFNAMSIZ];
	int r = netlink_open(&nl, NETLINK_ROUTE);

	veth_name(id, name);
	if (r == 0)
		r = make_veth_again(&nl, bridge, netns, name, address);
	if (r < 0)
		return error_errno(err, -r, "cannot make the veth pair %s on %s", name,
			NETWORK_BRIDGE_NAME);
	return configure_inside(bridge, netns, address, err);
}
