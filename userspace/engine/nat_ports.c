/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the first published port of the host makes:
 *	table ip ctrace_ports {
 *		map any { type inet_proto . inet_service : ipv4_addr . inet_service }
 *		map addressed { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service }
 *		chain prerouting { type nat hook prerouting priority dstnat;
 *			dnat ip to ip daddr . meta l4proto . th dport map @addressed
 *			fib daddr type local dnat ip to meta l4proto . th dport map @any }
 *		chain output { type nat hook output priority -100; (the same) }
 *		chain postrouting { type nat hook postrouting priority srcnat;
 *			oifname BRIDGE ct status dnat ip saddr 127.0.0.0/8 masquerade
 *			oifname BRIDGE ct status dnat ip saddr NETWORK masquerade }
 *		chain guard { type filter hook prerouting priority raw;
 *			iifname BRIDGE ip daddr 127.0.0.0/8 drop } }
 * Loopback addresses can leave by the bridge only with its route_localnet; the guard keeps containers from
 * using that in the other direction (CVE-2020-8558).
 */
#include "engine/nat_ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "engine/network.h"
#include "engine/nft.h"
#include "util/cleanup.h"

static const char table[] = "ctrace_ports", any[] = "any", addressed[] = "addressed";

/* nft's numbers of types, six bits each in a concatenation: they tell `nft list` how to print. */
enum { TYPE_ADDRESS = 7, TYPE_PROTOCOL = 12, TYPE_SERVICE = 13, TYPE_BITS = 6,
	PORT_TYPE = TYPE_PROTOCOL << TYPE_BITS | TYPE_SERVICE,
	ADDRESSED_TYPE = TYPE_ADDRESS << 2 * TYPE_BITS | PORT_TYPE,
	TARGET_TYPE = TYPE_ADDRESS << TYPE_BITS | TYPE_SERVICE };

enum { ADDED_PER_BATCH = 128, LOOPBACK = 0x7f000000 };

struct key {
	uint8_t bytes[12];
	size_t length;
};

static struct key make_key(const struct nat_port *p)
{
	uint32_t address = htonl(p->host_address);
	uint16_t port = htons(p->host_port);
	struct key k = { .length = 8 };
	uint8_t *at = k.bytes;

	if (p->host_address) {
		memcpy(at, &address, 4);
		at += 4;
		k.length = 12;
	}
	at[0] = p->protocol; /* each part fills up four bytes */
	memcpy(at + 4, &port, 2);
	return k;
}

static void put_element(struct nlmsghdr *h, const struct nat_port *p, bool with_target)
{
	struct nlattr *element = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	struct key key = make_key(p);
	uint8_t target[8] = { 0 };
	uint32_t address = htonl(p->address);
	uint16_t port = htons(p->port);

	memcpy(target, &address, 4);
	memcpy(target + 4, &port, 2);
	nft_put_value(h, NFTA_SET_ELEM_KEY, key.bytes, key.length);
	if (with_target)
		nft_put_value(h, NFTA_SET_ELEM_DATA, target, sizeof(target));
	mnl_attr_nest_end(h, element);
}

static void change_element(struct nft_batch *b, int message, uint16_t flags, const struct nat_port *p)
{
	struct nlmsghdr *h = nft_message(b, message, flags | NLM_F_ACK);
	struct nlattr *list;

	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, p->host_address ? addressed : any);
	list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	put_element(h, p, message == NFT_MSG_NEWSETELEM);
	mnl_attr_nest_end(h, list);
	nft_end(b, h);
}

/* ---- table and rules ---- */

static void add_map(struct nft_batch *b, const char *name, uint32_t id, uint32_t key_type,
	uint32_t key_length)
{
	struct nlmsghdr *h = nft_message(b, NFT_MSG_NEWSET, NLM_F_CREATE);

	mnl_attr_put_strz(h, NFTA_SET_TABLE, table);
	mnl_attr_put_strz(h, NFTA_SET_NAME, name);
	nft_put_number(h, NFTA_SET_FLAGS, NFT_SET_MAP);
	nft_put_number(h, NFTA_SET_KEY_TYPE, key_type);
	nft_put_number(h, NFTA_SET_KEY_LEN, key_length);
	nft_put_number(h, NFTA_SET_DATA_TYPE, TARGET_TYPE);
	nft_put_number(h, NFTA_SET_DATA_LEN, 8);
	nft_put_number(h, NFTA_SET_ID, id);
	nft_end(b, h);
}

static void put_lookup_and_nat(struct nlmsghdr *h, const char *map, uint32_t id)
{
	struct nft_expression e = nft_expression_begin(h, "lookup");

	mnl_attr_put_strz(h, NFTA_LOOKUP_SET, map);
	nft_put_number(h, NFTA_LOOKUP_SREG, NFT_KEY_1);
	nft_put_number(h, NFTA_LOOKUP_DREG, NFT_KEY_1);
	nft_put_number(h, NFTA_LOOKUP_SET_ID, id);
	nft_expression_end(h, e);
	e = nft_expression_begin(h, "nat");
	nft_put_number(h, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	nft_put_number(h, NFTA_NAT_FAMILY, NFPROTO_IPV4);
	nft_put_number(h, NFTA_NAT_REG_ADDR_MIN, NFT_KEY_1);
	nft_put_number(h, NFTA_NAT_REG_PROTO_MIN, NFT_KEY_2);
	nft_expression_end(h, e);
}

static void match_local_destination(struct nlmsghdr *h)
{
	struct nft_expression e = nft_expression_begin(h, "fib");
	uint32_t local = RTN_LOCAL;

	nft_put_number(h, NFTA_FIB_DREG, NFT_KEY_1);
	nft_put_number(h, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nft_put_number(h, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	nft_expression_end(h, e);
	nft_compare(h, NFT_CMP_EQ, &local, sizeof(local));
}

static void add_translation(struct nft_batch *b, const char *chain)
{
	struct nft_rule rule = nft_rule_begin(b, table, chain);

	nft_payload(rule.message, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, NFT_KEY_1);
	nft_meta(rule.message, NFT_META_L4PROTO, NFT_KEY_2);
	nft_payload(rule.message, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_KEY_3);
	put_lookup_and_nat(rule.message, addressed, 2);
	nft_rule_end(&rule);
	rule = nft_rule_begin(b, table, chain);
	match_local_destination(rule.message);
	nft_meta(rule.message, NFT_META_L4PROTO, NFT_KEY_1);
	nft_payload(rule.message, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_KEY_2);
	put_lookup_and_nat(rule.message, any, 1);
	nft_rule_end(&rule);
}

static void match_translated(struct nlmsghdr *h)
{
	struct nft_expression e = nft_expression_begin(h, "ct");
	uint32_t zero = 0;

	nft_put_number(h, NFTA_CT_DREG, NFT_KEY_1);
	nft_put_number(h, NFTA_CT_KEY, NFT_CT_STATUS);
	nft_expression_end(h, e);
	nft_mask(h, IPS_DST_NAT);
	nft_compare(h, NFT_CMP_NEQ, &zero, sizeof(zero));
}

/* What comes from a loopback address, or from a container, must look as if from the bridge, or the answer
 * would not come back by us. */
static void add_masquerade(struct nft_batch *b, uint32_t network, unsigned prefix)
{
	struct nft_rule rule = nft_rule_begin(b, table, "postrouting");

	nft_match_interface(rule.message, NFT_META_OIFNAME, NFT_CMP_EQ, NETWORK_BRIDGE_NAME);
	match_translated(rule.message);
	nft_match_address(rule.message, true, network, prefix);
	nft_expression_end(rule.message, nft_expression_begin(rule.message, "masq"));
	nft_rule_end(&rule);
}

static void add_guard(struct nft_batch *b)
{
	struct nft_rule rule = nft_rule_begin(b, table, "guard");
	struct nft_expression e;
	struct nlattr *data, *verdict;

	nft_match_interface(rule.message, NFT_META_IIFNAME, NFT_CMP_EQ, NETWORK_BRIDGE_NAME);
	nft_match_address(rule.message, false, LOOPBACK, 8);
	e = nft_expression_begin(rule.message, "immediate");
	nft_put_number(rule.message, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(rule.message, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(rule.message, NFTA_DATA_VERDICT);
	nft_put_number(rule.message, NFTA_VERDICT_CODE, NF_DROP);
	mnl_attr_nest_end(rule.message, verdict);
	mnl_attr_nest_end(rule.message, data);
	nft_expression_end(rule.message, e);
	nft_rule_end(&rule);
}

static int make_table(const struct network_bridge *bridge)
{
	struct nft_batch b;
	int r;

	if (nft_table_exists(table) == 0)
		return 0;
	nft_start(&b);
	nft_add_table(&b, table);
	add_map(&b, any, 1, PORT_TYPE, 8);
	add_map(&b, addressed, 2, ADDRESSED_TYPE, 12);
	nft_add_chain(&b, table, "guard", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW);
	nft_add_chain(&b, table, "prerouting", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST);
	nft_add_chain(&b, table, "output", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST);
	nft_add_chain(&b, table, "postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
	add_guard(&b);
	add_translation(&b, "prerouting");
	add_translation(&b, "output");
	add_masquerade(&b, LOOPBACK, 8);
	add_masquerade(&b, bridge->network, bridge->prefix);
	r = nft_commit(&b);
	return r == -EEXIST ? 0 : r;
}

static int let_loopback_through(void)
{
	_cleanup_close_ int fd =
		open("/proc/sys/net/ipv4/conf/" NETWORK_BRIDGE_NAME "/route_localnet", O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, "1", 1) != 1 ? -errno : 0;
}

int nat_ports_add(const struct network_bridge *bridge, const struct nat_port *ports, size_t count, struct error *err)
{
	int r = make_table(bridge);
	struct nft_batch b;

	if (r == 0)
		r = let_loopback_through(); /* after the guard */
	for (size_t i = 0; r == 0 && i < count;) {
		nft_start(&b);
		for (size_t n = 0; i < count && n < ADDED_PER_BATCH; n++, i++)
			change_element(&b, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, &ports[i]);
		r = nft_commit(&b);
	}
	return r < 0 ? error_errno(err, -r, "nf_tables refuses the published ports") : 0;
}

/* One by one: an element that is gone fails its whole transaction. */
int nat_ports_remove(const struct nat_port *ports, size_t count, struct error *err)
{
	struct nft_batch b;
	int ret = 0;

	nft_start(&b);
	for (size_t i = 0; i < count && i < ADDED_PER_BATCH; i++)
		change_element(&b, NFT_MSG_DELSETELEM, 0, &ports[i]);
	if (count <= ADDED_PER_BATCH && nft_commit(&b) == 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		int r;

		nft_start(&b);
		change_element(&b, NFT_MSG_DELSETELEM, 0, &ports[i]);
		r = nft_commit(&b);
		if (r < 0 && r != -ENOENT && ret == 0)
			ret = error_errno(err, -r, "cannot take a published port away");
	}
	return ret;
}
