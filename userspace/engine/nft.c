/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

enum { IP_SOURCE_OFFSET = 12, IP_DESTINATION_OFFSET = 16 };

static struct nlmsghdr *add(struct nft_batch *b, uint16_t type, uint16_t flags, uint8_t family,
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

void nft_start(struct nft_batch *b)
{
	b->length = 0;
	b->sequence = 1;
	nft_end(b, add(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

struct nlmsghdr *nft_message(struct nft_batch *b, int message, uint16_t flags)
{
	return add(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags, NFPROTO_IPV4, 0);
}

void nft_end(struct nft_batch *b, const struct nlmsghdr *h)
{
	b->length += NLMSG_ALIGN(h->nlmsg_len);
}

int nft_commit(struct nft_batch *b)
{
	_cleanup_(netlink_close) struct netlink nl;
	int r = netlink_open(&nl, NETLINK_NETFILTER);

	if (r < 0)
		return r;
	nft_end(b, add(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	return netlink_send_batch(&nl, b->buffer, b->length);
}

int nft_table_exists(const char *table)
{
	_cleanup_(netlink_close) struct netlink nl;
	int r = netlink_open(&nl, NETLINK_NETFILTER);
	struct nfgenmsg *nf;

	if (r < 0)
		return r;
	nf = netlink_begin(&nl, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0, sizeof(*nf));
	nf->nfgen_family = NFPROTO_IPV4;
	nf->version = NFNETLINK_V0;
	mnl_attr_put_strz(nl.message, NFTA_TABLE_NAME, table);
	return netlink_run(&nl, NULL, NULL);
}

void nft_put_number(struct nlmsghdr *h, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(h, type, htonl(value));
}

void nft_put_value(struct nlmsghdr *h, uint16_t type, const void *value, size_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(h, type);

	mnl_attr_put(h, NFTA_DATA_VALUE, length, value);
	mnl_attr_nest_end(h, nest);
}

void nft_add_table(struct nft_batch *b, const char *table)
{
	struct nlmsghdr *h = nft_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, table);
	nft_end(b, h);
}

void nft_add_chain(struct nft_batch *b, const char *table, const char *chain, const char *type, int hook,
	int priority)
{
	struct nlmsghdr *h = nft_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *nest;

	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, chain);
	mnl_attr_put_strz(h, NFTA_CHAIN_TYPE, type);
	nest = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
	nft_put_number(h, NFTA_HOOK_HOOKNUM, (uint32_t)hook);
	nft_put_number(h, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	mnl_attr_nest_end(h, nest);
	nft_end(b, h);
}

struct nft_rule nft_rule_begin(struct nft_batch *b, const char *table, const char *chain)
{
	struct nft_rule r = { .batch = b };

	r.message = nft_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	mnl_attr_put_strz(r.message, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(r.message, NFTA_RULE_CHAIN, chain);
	r.expressions = mnl_attr_nest_start(r.message, NFTA_RULE_EXPRESSIONS);
	return r;
}

void nft_rule_end(struct nft_rule *r)
{
	mnl_attr_nest_end(r->message, r->expressions);
	nft_end(r->batch, r->message);
}

struct nft_expression nft_expression_begin(struct nlmsghdr *h, const char *name)
{
	struct nft_expression e = { .element = mnl_attr_nest_start(h, NFTA_LIST_ELEM) };

	mnl_attr_put_strz(h, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	return e;
}

void nft_expression_end(struct nlmsghdr *h, struct nft_expression e)
{
	mnl_attr_nest_end(h, e.data);
	mnl_attr_nest_end(h, e.element);
}

void nft_compare(struct nlmsghdr *h, uint32_t op, const void *value, size_t length)
{
	struct nft_expression e = nft_expression_begin(h, "cmp");

	nft_put_number(h, NFTA_CMP_SREG, NFT_KEY_1);
	nft_put_number(h, NFTA_CMP_OP, op);
	nft_put_value(h, NFTA_CMP_DATA, value, length);
	nft_expression_end(h, e);
}

void nft_payload(struct nlmsghdr *h, uint32_t base, uint32_t offset, uint32_t length, uint32_t to)
{
	struct nft_expression e = nft_expression_begin(h, "payload");

	nft_put_number(h, NFTA_PAYLOAD_DREG, to);
	nft_put_number(h, NFTA_PAYLOAD_BASE, base);
	nft_put_number(h, NFTA_PAYLOAD_OFFSET, offset);
	nft_put_number(h, NFTA_PAYLOAD_LEN, length);
	nft_expression_end(h, e);
}

void nft_mask(struct nlmsghdr *h, uint32_t mask)
{
	struct nft_expression e = nft_expression_begin(h, "bitwise");
	uint32_t zero = 0;

	nft_put_number(h, NFTA_BITWISE_SREG, NFT_KEY_1);
	nft_put_number(h, NFTA_BITWISE_DREG, NFT_KEY_1);
	nft_put_number(h, NFTA_BITWISE_LEN, sizeof(uint32_t));
	nft_put_value(h, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	nft_put_value(h, NFTA_BITWISE_XOR, &zero, sizeof(zero));
	nft_expression_end(h, e);
}

void nft_meta(struct nlmsghdr *h, uint32_t key, uint32_t to)
{
	struct nft_expression e = nft_expression_begin(h, "meta");

	nft_put_number(h, NFTA_META_DREG, to);
	nft_put_number(h, NFTA_META_KEY, key);
	nft_expression_end(h, e);
}

void nft_match_address(struct nlmsghdr *h, bool source, uint32_t network, unsigned prefix)
{
	uint32_t wanted = htonl(network);

	nft_payload(h, NFT_PAYLOAD_NETWORK_HEADER, source ? IP_SOURCE_OFFSET : IP_DESTINATION_OFFSET,
		sizeof(uint32_t), NFT_KEY_1);
	nft_mask(h, htonl(prefix ? ~0U << (32 - prefix) : 0));
	nft_compare(h, NFT_CMP_EQ, &wanted, sizeof(wanted));
}

void nft_match_interface(struct nlmsghdr *h, uint32_t key, uint32_t op, const char *name)
{
	char padded[IFNAMSIZ] = "";

	nft_meta(h, key, NFT_KEY_1);
	snprintf(padded, sizeof(padded), "%s", name);
	nft_compare(h, op, padded, sizeof(padded));
}
