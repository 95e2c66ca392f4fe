/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_NFT_H
#define CTRACE_NFT_H

/*
 * nf_tables spoken directly: the nft program costs 3-6 ms, most of it its exec, and may not be installed.
 * A batch is composed of messages, each ended with nft_end, and sent as one transaction.
 */

#include <stdbool.h>
#include <stdint.h>

#include "engine/netlink.h"
#include "util/error.h"

struct nft_batch {
	char buffer[32768];
	size_t length;
	uint32_t sequence;
};

/* Registers of 4 bytes, as nft itself numbers them: a key of several parts begins in NFT_KEY_1. */
enum { NFT_KEY_1 = 1, NFT_KEY_2 = 9, NFT_KEY_3 = 10 };

void nft_start(struct nft_batch *b);
/* message: NFT_MSG_*, of the ip family. */
struct nlmsghdr *nft_message(struct nft_batch *b, int message, uint16_t flags);
void nft_end(struct nft_batch *b, const struct nlmsghdr *h);
/* Sends it all; the first error, or 0. */
int nft_commit(struct nft_batch *b);
/* 0, or -ENOENT. */
int nft_table_exists(const char *table);

void nft_put_number(struct nlmsghdr *h, uint16_t type, uint32_t value);
void nft_put_value(struct nlmsghdr *h, uint16_t type, const void *value, size_t length);

/* Exclusive, so that of two processes only one makes it: the other's batch fails with EEXIST. */
void nft_add_table(struct nft_batch *b, const char *table);
void nft_add_chain(struct nft_batch *b, const char *table, const char *chain, const char *type, int hook,
	int priority);

struct nft_rule {
	struct nft_batch *batch;
	struct nlmsghdr *message;
	struct nlattr *expressions;
};
struct nft_rule nft_rule_begin(struct nft_batch *b, const char *table, const char *chain);
void nft_rule_end(struct nft_rule *r);

struct nft_expression {
	struct nlattr *element, *data;
};
struct nft_expression nft_expression_begin(struct nlmsghdr *h, const char *name);
void nft_expression_end(struct nlmsghdr *h, struct nft_expression e);

/* Expressions. op: NFT_CMP_*; the compared register is NFT_KEY_1. */
void nft_compare(struct nlmsghdr *h, uint32_t op, const void *value, size_t length);
void nft_payload(struct nlmsghdr *h, uint32_t base, uint32_t offset, uint32_t length, uint32_t to);
void nft_mask(struct nlmsghdr *h, uint32_t mask); /* of NFT_KEY_1, in memory's order */
void nft_meta(struct nlmsghdr *h, uint32_t key, uint32_t to);
/* ip saddr or daddr within network/prefix, host byte order */
void nft_match_address(struct nlmsghdr *h, bool source, uint32_t network, unsigned prefix);
/* By name and not by index: the rule outlives a bridge that someone deletes. key: NFT_META_OIFNAME, IIFNAME */
void nft_match_interface(struct nlmsghdr *h, uint32_t key, uint32_t op, const char *name);

#endif
