/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nf_tables spoken directly: the nft program costs 3-6 ms, most of it its exec, and may not be
 * installed. The batch below is what these commands make:
 *	table ip ctrace { chain postrouting { type nat hook postrouting priority srcnat;
 *		ip saddr NETWORK oifname != BRIDGE masquerade } }
 */
#include "engine/nat.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "engine/netlink.h"
#include "util/cleanup.h"

enum { IP_SOURCE_OFFSET = 12 };
static const char table_name[] = "ctrace", chain_name[] = "postrouting";

struct batch {
	char buffer[4096];
	size_t length;
	uint32_t sequence;
};

static struct nlmsghdr *batch_add(struct batch *b, uint16_t type, uint16_t flags, uint8_t family,
	uint16_t resource)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(b->buffer + b->length);
	struct nfgenmsg *nf;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = b->sequence++;
	nf = mnl_nlmsg_put_extra_header(h, sizeof(*nf));
	nf->nfgen_family = family;
	nf->version = NFNETLINK_V0;
	nf->res_id = htons(resource);
	return h;
}

static void batch_end(struct batch *b, const struct nlmsghdr *h)
{
	b->length += NLMSG_ALIGN(h->nlmsg_len);
}

static struct nlmsghdr *batch_table_message(struct batch *b, int message)
{
	return batch_add(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), NLM_F_CREATE, NFPROTO_IPV4,
		0);
}

static void add_marker(struct batch *b, uint16_t type)
{
	batch_end(b, batch_add(b, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

static void put_number(struct nlmsghdr *h, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(h, type, htonl(value));
}

struct expression {
	struct nlattr *element, *data;
};

static struct expression begin_expression(struct nlmsghdr *h, const char *name)
{
	struct expression e = { .element = mnl_attr_nest_start(h, NFTA_LIST_ELEM) };

	mnl_attr_put_strz(h, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	return e;
}

static void end_expression(struct nlmsghdr *h, struct expression e)
{
	mnl_attr_nest_end(h, e.data);
	mnl_attr_nest_end(h, e.element);
}

static void put_value(struct nlmsghdr *h, uint16_t type, const void *value, size_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(h, type);

	mnl_attr_put(h, NFTA_DATA_VALUE, length, value);
	mnl_attr_nest_end(h, nest);
}

static void add_compare(struct nlmsghdr *h, uint32_t op, const void *value, size_t length)
{
	struct expression e = begin_expression(h, "cmp");

	put_number(h, NFTA_CMP_SREG, NFT_REG_1);
	put_number(h, NFTA_CMP_OP, op);
	put_value(h, NFTA_CMP_DATA, value, length);
	end_expression(h, e);
}

/* ip saddr & mask == network */
static void add_source_match(struct nlmsghdr *h, uint32_t network, unsigned prefix)
{
	uint32_t mask = htonl(prefix ? ~0U << (32 - prefix) : 0), zero = 0, wanted = htonl(network);
	struct expression e = begin_expression(h, "payload");

	put_number(h, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(h, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_number(h, NFTA_PAYLOAD_OFFSET, IP_SOURCE_OFFSET);
	put_number(h, NFTA_PAYLOAD_LEN, sizeof(uint32_t));
	end_expression(h, e);
	e = begin_expression(h, "bitwise");
	put_number(h, NFTA_BITWISE_SREG, NFT_REG_1);
	put_number(h, NFTA_BITWISE_DREG, NFT_REG_1);
	put_number(h, NFTA_BITWISE_LEN, sizeof(uint32_t));
	put_value(h, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	put_value(h, NFTA_BITWISE_XOR, &zero, sizeof(zero));
	end_expression(h, e);
	add_compare(h, NFT_CMP_EQ, &wanted, sizeof(wanted));
}

/* By name and not by index: the rule outlives a bridge that someone deletes. */
static void add_interface_match(struct nlmsghdr *h, const char *bridge)
{
	struct expression e = begin_expression(h, "meta");
	char name[IFNAMSIZ] = "";

	put_number(h, NFTA_META_DREG, NFT_REG_1);
	put_number(h, NFTA_META_KEY, NFT_META_OIFNAME);
	end_expression(h, e);
	snprintf(name, sizeof(name), "%s", bridge);
	add_compare(h, NFT_CMP_NEQ, name, sizeof(name));
}

static void add_rule(struct batch *b, const char *bridge, uint32_t network, unsigned prefix)
{
	struct nlmsghdr *h = batch_table_message(b, NFT_MSG_NEWRULE);
	struct nlattr *expressions;

	h->nlmsg_flags |= NLM_F_APPEND;
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, table_name);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain_name);
	expressions = mnl_attr_nest_start(h, NFTA_RULE_EXPRESSIONS);
	add_source_match(h, network, prefix);
	add_interface_match(h, bridge);
	end_expression(h, begin_expression(h, "masq"));
	mnl_attr_nest_end(h, expressions);
	batch_end(b, h);
}

static void add_table_and_chain(struct batch *b)
{
	struct nlmsghdr *h = batch_table_message(b, NFT_MSG_NEWTABLE);
	struct nlattr *hook;

	/* exclusive: of two ctraces only one makes the rule */
	h->nlmsg_flags |= NLM_F_EXCL | NLM_F_ACK;
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, table_name);
	batch_end(b, h);
	h = batch_table_message(b, NFT_MSG_NEWCHAIN);
	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, table_name);
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, chain_name);
	mnl_attr_put_strz(h, NFTA_CHAIN_TYPE, "nat");
	hook = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
	put_number(h, NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING);
	put_number(h, NFTA_HOOK_PRIORITY, NF_IP_PRI_NAT_SRC);
	mnl_attr_nest_end(h, hook);
	batch_end(b, h);
}

static int table_exists(struct netlink *nl)
{
	struct nfgenmsg *nf = netlink_begin(nl, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0,
		sizeof(*nf));

	nf->nfgen_family = NFPROTO_IPV4;
	nf->version = NFNETLINK_V0;
	mnl_attr_put_strz(nl->message, NFTA_TABLE_NAME, table_name);
	return netlink_run(nl, NULL, NULL);
}

int nat_ensure(const char *bridge, uint32_t network, unsigned prefix, struct error *err)
{
	_cleanup_(netlink_close) struct netlink nl;
	struct batch b = { .sequence = 1 };
	int r = netlink_open(&nl, NETLINK_NETFILTER);

	if (r < 0)
		return error_errno(err, -r, "cannot open a netfilter socket");
	if (table_exists(&nl) == 0)
		return 0;
	add_marker(&b, NFNL_MSG_BATCH_BEGIN);
	add_table_and_chain(&b);
	add_rule(&b, bridge, network, prefix);
	add_marker(&b, NFNL_MSG_BATCH_END);
	r = netlink_send_batch(&nl, b.buffer, b.length);
	if (r < 0 && r != -EEXIST)
		return error_errno(err, -r, "nf_tables refuses the masquerade rule for %s", bridge);
	return 0;
}
