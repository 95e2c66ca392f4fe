/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/address_pool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/strbuf.h"

enum { POOL_MAX = 65536, ID_MAX = 128 };

struct lease {
	uint32_t address;
	char id[ID_MAX + 1];
};

struct pool {
	int fd;
	uint32_t last; /* given most recently */
	struct lease *leases;
	size_t count, capacity;
};

static void pool_close(struct pool *pool)
{
	cleanup_close(&pool->fd); /* releases the lock */
	free(pool->leases);
}

static void parse(struct pool *pool, FILE *f)
{
	char word[64], id[ID_MAX + 1];
	struct in_addr address;

	while (pool->count < POOL_MAX && fscanf(f, "%63s %128s", word, id) == 2) {
		if (inet_pton(AF_INET, word, &address) != 1)
			continue;
		if (!strcmp(id, "last")) {
			pool->last = ntohl(address.s_addr);
			continue;
		}
		array_grow(pool->leases, pool->count, pool->capacity);
		pool->leases[pool->count].address = ntohl(address.s_addr);
		snprintf(pool->leases[pool->count++].id, ID_MAX + 1, "%s", id);
	}
}

static int pool_open(struct pool *pool, const char *directory, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/addresses", directory);
	FILE *f;

	pool->fd = file_open_locked(path, err);
	if (pool->fd < 0)
		return pool->fd;
	f = fdopen(fcntl(pool->fd, F_DUPFD_CLOEXEC, 3), "r");
	if (!f)
		return error_errno(err, errno, "cannot read %s", path);
	parse(pool, f);
	fclose(f);
	return 0;
}

static void add_line(struct strbuf *sb, uint32_t address, const char *id)
{
	struct in_addr in = { htonl(address) };
	char text[INET_ADDRSTRLEN];

	strbuf_printf(sb, "%s %s\n", inet_ntop(AF_INET, &in, text, sizeof(text)), id);
}

/* In place: the lock is on this file, and a torn write costs a lease at most. */
static int pool_save(struct pool *pool)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	if (pool->last)
		add_line(&sb, pool->last, "last");
	for (size_t i = 0; i < pool->count; i++)
		add_line(&sb, pool->leases[i].address, pool->leases[i].id);
	if (pwrite(pool->fd, sb.text ? sb.text : "", sb.length, 0) != (ssize_t)sb.length ||
		ftruncate(pool->fd, (off_t)sb.length) < 0)
		return -errno;
	return 0;
}

/* A container whose state directory is gone holds nothing any more. */
static void drop_dead(struct pool *pool, const char *directory)
{
	size_t kept = 0;

	for (size_t i = 0; i < pool->count; i++) {
		_cleanup_free_ char *path = xasprintf("%s/containers/%s", directory, pool->leases[i].id);

		if (access(path, F_OK) == 0)
			pool->leases[kept++] = pool->leases[i];
	}
	pool->count = kept;
}

static bool is_taken(const struct pool *pool, uint32_t address)
{
	for (size_t i = 0; i < pool->count; i++) {
		if (pool->leases[i].address == address)
			return true;
	}
	return false;
}

static int choose(struct pool *pool, uint32_t network, unsigned prefix, uint32_t *ret)
{
	uint32_t size = prefix >= 32 ? 1 : 1U << (32 - prefix);
	uint32_t first = network + 2, last = network + size - 2;
	uint32_t next = pool->last >= first && pool->last < last ? pool->last + 1 : first;

	if (size < 4)
		return -EADDRNOTAVAIL;
	for (uint32_t i = 0; i <= last - first; i++) {
		if (!is_taken(pool, next)) {
			*ret = next;
			return 0;
		}
		next = next == last ? first : next + 1;
	}
	return -EADDRNOTAVAIL;
}

int address_pool_take(const char *directory, uint32_t network, unsigned prefix, const char *id,
	uint32_t *ret_address, struct error *err)
{
	_cleanup_(pool_close) struct pool pool = { .fd = -1 };
	int r = pool_open(&pool, directory, err);
	uint32_t address;

	if (r < 0)
		return r;
	if (strlen(id) > ID_MAX)
		return error_set(err, EINVAL, "container id %s is too long", id);
	drop_dead(&pool, directory);
	if (pool.count >= POOL_MAX || choose(&pool, network, prefix, &address) < 0)
		return error_set(err, EADDRNOTAVAIL, "no free address is left in the bridge's network: "
			"%zu containers have one", pool.count);
	array_grow(pool.leases, pool.count, pool.capacity);
	pool.leases[pool.count].address = pool.last = address;
	snprintf(pool.leases[pool.count++].id, ID_MAX + 1, "%s", id);
	r = pool_save(&pool);
	if (r < 0)
		return error_errno(err, -r, "cannot write %s/addresses", directory);
	*ret_address = address;
	return 0;
}

int address_pool_release(const char *directory, const char *id)
{
	_cleanup_(pool_close) struct pool pool = { .fd = -1 };
	size_t kept = 0;
	int r = pool_open(&pool, directory, NULL);

	if (r < 0)
		return r;
	for (size_t i = 0; i < pool.count; i++) {
		if (strcmp(pool.leases[i].id, id) != 0)
			pool.leases[kept++] = pool.leases[i];
	}
	if (kept == pool.count)
		return 0;
	pool.count = kept;
	return pool_save(&pool);
}
