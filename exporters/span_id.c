/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/span_id.h"

#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bpf/event.h"
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

static bool read_parent(const char *text, struct span_ordered *ret)
{
	size_t length = strlen(text);

	/* Versions after 00 may have more behind another dash; ff is forbidden. */
	if (length < SPAN_TRACEPARENT - 1 || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
		hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0 || !memcmp(text, "ff", 2))
		return false;
	if (length > SPAN_TRACEPARENT - 1 && (!memcmp(text, "00", 2) || text[55] != '-'))
		return false;
	return hex_digit(text[53]) >= 0 && hex_digit(text[54]) >= 0 &&
	       read_hex(text + 3, ret->trace, sizeof(ret->trace)) && read_hex(text + 36, ret->span, sizeof(ret->span));
}

static uint64_t id_hash(const char *id)
{
	static const uint8_t key[16] = { 0 };
	uint8_t both[16];

	span_siphash128(key, id, strlen(id), both);
	return load(both);
}

bool span_context_set_parent(struct span_context *ctx, const char *text, const char *parent_of)
{
	struct span_ordered parent;

	if (!read_parent(text, &parent))
		return false;
	if (!*parent_of) {
		ctx->has_parent = true;
		ctx->followed = parent;
		return true;
	}
	parent.container = id_hash(parent_of);
	for (size_t i = 0; i < ctx->ordered_count && i < SPAN_PARENTS; i++) {
		if (ctx->ordered[i].container == parent.container) {
			ctx->ordered[i] = parent;
			return true;
		}
	}
	ctx->ordered[ctx->ordered_count++ % SPAN_PARENTS] = parent;
	return true;
}

uint64_t span_context_forgotten(const struct span_context *ctx)
{
	return ctx->ordered_count > SPAN_PARENTS ? ctx->ordered_count - SPAN_PARENTS : 0;
}

bool span_context_take(struct span_context *ctx, const struct event *event)
{
	const struct event_meta *e = (const struct event_meta *)event;
	size_t offset = offsetof(struct event_meta, text), key = sizeof(SPAN_PARENT_NOTE), length;
	char value[SPAN_TRACEPARENT + 64], id[EVENT_NAME];

	if (event->kind != EVENT_META || event->size <= offset + key || event->size > sizeof(*e) ||
		memcmp(e->text, SPAN_PARENT_NOTE, key) != 0)
		return false;
	length = strnlen(e->text + key, event->size - offset - key);
	snprintf(value, sizeof(value), "%.*s", (int)length, e->text + key);
	snprintf(id, sizeof(id), "%.*s", (int)sizeof(e->id) - 1, e->id);
	span_context_set_parent(ctx, value, id);
	return true;
}

/* ---- ids ---- */

/* NULL = nobody's. */
static const struct span_ordered *parent_of(const struct span_context *ctx, const struct container *c)
{
	size_t count = ctx->ordered_count < SPAN_PARENTS ? ctx->ordered_count : SPAN_PARENTS;
	uint64_t container = count ? id_hash(c->id) : 0;

	for (size_t i = 1; i <= count; i++) {
		const struct span_ordered *o = &ctx->ordered[(ctx->ordered_count - i) % SPAN_PARENTS];

		if (o->container == container)
			return o;
	}
	return ctx->has_parent && c->followed ? &ctx->followed : NULL;
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

/* Of the container's own, as the boot, the id and the start time tell it from others; kind and path tell whose in it. */
static void hash(const struct span_context *ctx, const struct container *c, const char *kind, const char *path, uint8_t ret[16])
{
	static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	strbuf_add(&sb, ctx->boot_id, strlen(ctx->boot_id) + 1);
	strbuf_add(&sb, c->id, strlen(c->id) + 1);
	strbuf_number(&sb, start_time(c));
	strbuf_putc(&sb, '\0');
	strbuf_puts(&sb, kind);
	strbuf_puts(&sb, path);
	span_siphash128(key, sb.text, sb.length, ret);
}

void span_trace_id(const struct span_context *ctx, const struct container *c, uint8_t ret[SPAN_TRACE_BYTES])
{
	const struct span_ordered *parent = parent_of(ctx, c);

	if (parent) {
		memcpy(ret, parent->trace, SPAN_TRACE_BYTES);
		return;
	}
	hash(ctx, c, "trace", "", ret);
	ret[SPAN_TRACE_BYTES - 1] |= !load(ret) && !load(ret + 8); /* all zero means "no id" */
}

void span_id(const struct span_context *ctx, const struct container *c, const char *path, uint8_t ret[SPAN_BYTES])
{
	uint8_t both[16];

	hash(ctx, c, "span/", path, both);
	memcpy(ret, both, SPAN_BYTES);
	ret[SPAN_BYTES - 1] |= !load(ret);
}

bool span_parent(const struct span_context *ctx, const struct container *c, uint8_t ret[SPAN_BYTES])
{
	const struct span_ordered *parent = parent_of(ctx, c);

	if (parent)
		memcpy(ret, parent->span, SPAN_BYTES);
	return parent != NULL;
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
