/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/strbuf.h"

/* ---- SipHash-2-4 with 128 bits (Aumasson, Bernstein 2012) ---- */

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

/* Little-endian on every machine: a recording has the same ids everywhere. */
static uint64_t load(const uint8_t *p)
{
	uint64_t x = 0;

	for (int i = 7; i >= 0; i--)
		x = x << 8 | p[i];
	return x;
}

static void store(uint8_t *p, uint64_t x)
{
	for (int i = 0; i < 8; i++, x >>= 8)
		p[i] = (uint8_t)x;
}

static void sip_rounds(uint64_t v[4], int count)
{
	while (count-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

static void sip_block(uint64_t v[4], uint64_t block)
{
	v[3] ^= block;
	sip_rounds(v, 2);
	v[0] ^= block;
}

void span_siphash128(const uint8_t key[16], const void *data, size_t length, uint8_t ret[16])
{
	uint64_t k0 = load(key), k1 = load(key + 8);
	uint64_t v[4] = { 0x736f6d6570736575ULL ^ k0, 0x646f72616e646f6dULL ^ k1 ^ 0xee,
		0x6c7967656e657261ULL ^ k0, 0x7465646279746573ULL ^ k1 };
	const uint8_t *p = data;
	uint8_t last[8] = { 0 };
	size_t rest = length & 7;

	for (size_t i = 0; i + 8 <= length; i += 8)
		sip_block(v, load(p + i));
	if (rest)
		memcpy(last, p + length - rest, rest);
	last[7] = (uint8_t)length;
	sip_block(v, load(last));
	v[2] ^= 0xee;
	sip_rounds(v, 4);
	store(ret, v[0] ^ v[1] ^ v[2] ^ v[3]);
	v[1] ^= 0xdd;
	sip_rounds(v, 4);
	store(ret + 8, v[0] ^ v[1] ^ v[2] ^ v[3]);
}

/* ---- whose ids they are ---- */

void span_context_init(struct span_context *ctx, const struct facts *facts)
{
	*ctx = (struct span_context){ .has_parent = false };
	memcpy(ctx->boot_id, facts->boot_id, sizeof(ctx->boot_id));
	ctx->boot_id[sizeof(ctx->boot_id) - 1] = '\0';
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* n bytes of lower-case hexadecimal digits; false also where all are zero, which means "no id". */
static bool read_hex(const char *text, uint8_t *ret, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
		any |= ret[i] != 0;
	}
	return any;
}

bool span_context_set_parent(struct span_context *ctx, const char *text, const char *parent_of)
{
	uint8_t trace[SPAN_TRACE_BYTES], span[SPAN_BYTES];
	size_t length = strlen(text);
	int flags;

	/* Versions after 00 may have more behind another dash; ff is forbidden. */
	if (length < SPAN_TRACEPARENT - 1 || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
		hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0 || !memcmp(text, "ff", 2))
		return false;
	if (length > SPAN_TRACEPARENT - 1 && (!memcmp(text, "00", 2) || text[55] != '-'))
		return false;
	flags = hex_digit(text[53]) < 0 ? -1 : hex_digit(text[54]);
	if (flags < 0 || !read_hex(text + 3, trace, sizeof(trace)) || !read_hex(text + 36, span, sizeof(span)))
		return false;
	ctx->has_parent = true;
	memcpy(ctx->parent_trace, trace, sizeof(trace));
	memcpy(ctx->parent_span, span, sizeof(span));
	snprintf(ctx->parent_of, sizeof(ctx->parent_of), "%s", parent_of);
	return true;
}

/* ---- ids ---- */

static bool is_child(const struct span_context *ctx, const struct container *c)
{
	return ctx->has_parent && (ctx->parent_of[0] ? !strcmp(c->id, ctx->parent_of) : c->followed);
}

bool span_is_known(const struct container *c)
{
	return c->started_ns || c->state == STATE_EXITED || (c->existed && c->init_start_ns);
}

/* A time that stays as it is once span_is_known: the first sign of a container may still move back while what its
 * engine did before is found to be its. */
static uint64_t start_time(const struct container *c)
{
	if (c->started_ns)
		return c->started_ns;
	if (c->existed && c->init_start_ns)
		return c->init_start_ns;
	return c->created_ns ? c->created_ns : c->first_ns;
}

static void hash(const struct span_context *ctx, const struct container *c, const char *path, uint8_t ret[16])
{
	static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	strbuf_add(&sb, ctx->boot_id, strlen(ctx->boot_id) + 1);
	strbuf_add(&sb, c->id, strlen(c->id) + 1);
	strbuf_printf(&sb, "%" PRIu64 "%c%s", start_time(c), 0, path);
	span_siphash128(key, sb.text, sb.length, ret);
}

void span_trace_id(const struct span_context *ctx, const struct container *c, uint8_t ret[SPAN_TRACE_BYTES])
{
	if (is_child(ctx, c)) {
		memcpy(ret, ctx->parent_trace, SPAN_TRACE_BYTES);
		return;
	}
	hash(ctx, c, "trace", ret);
	ret[SPAN_TRACE_BYTES - 1] |= !load(ret) && !load(ret + 8); /* all zero means "no id" */
}

void span_id(const struct span_context *ctx, const struct container *c, const char *path, uint8_t ret[SPAN_BYTES])
{
	_cleanup_(strbuf_free) struct strbuf full = { 0 };
	uint8_t both[16];

	strbuf_printf(&full, "span/%s", path);
	hash(ctx, c, full.text, both);
	memcpy(ret, both, SPAN_BYTES);
	ret[SPAN_BYTES - 1] |= !load(ret);
}

bool span_parent(const struct span_context *ctx, const struct container *c, uint8_t ret[SPAN_BYTES])
{
	if (!is_child(ctx, c))
		return false;
	memcpy(ret, ctx->parent_span, SPAN_BYTES);
	return true;
}

char *span_hex(char *hex, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * n] = '\0';
	return hex;
}
