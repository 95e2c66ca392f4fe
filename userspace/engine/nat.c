/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch below is what these commands make:
 *	table ip ctrace { chain postrouting { type nat hook postrouting priority srcnat;
 *		ip saddr NETWORK oifname != BRIDGE masquerade } }
 */
#include "engine/nat.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

#include "engine/nft.h"

static const char table[] = "ctrace", chain[] = "postrouting";

static void add_rule(struct nft_batch *b, const char *bridge, uint32_t network, unsigned prefix)
{
	struct nft_rule rule = nft_rule_begin(b, table, chain);

	nft_match_address(rule.message, true, network, prefix);
	nft_match_interface(rule.message, NFT_META_OIFNAME, NFT_CMP_NEQ, bridge);
	nft_expression_end(rule.message, nft_expression_begin(rule.message, "masq"));
	nft_rule_end(&rule);
}

int nat_ensure(const char *bridge, uint32_t network, unsigned prefix, struct error *err)
{
	struct nft_batch b;
	int r = nft_table_exists(table);

	if (r == 0)
		return 0;
	nft_start(&b);
	nft_add_table(&b, table);
	nft_add_chain(&b, table, chain, "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
	add_rule(&b, bridge, network, prefix);
	r = nft_commit(&b);
	if (r < 0 && r != -EEXIST)
		return error_errno(err, -r, "nf_tables refuses the masquerade rule for %s", bridge);
	return 0;
}
