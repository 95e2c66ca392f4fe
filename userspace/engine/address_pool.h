/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ADDRESS_POOL_H
#define CTRACE_ADDRESS_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/* Which container has which address of the bridge: DIRECTORY/addresses, one "ADDRESS ID" a line, under
 * a lock of its own. */

/* Takes the next free address of the network, never its first (the bridge), its own or its broadcast
 * address, nor one that was given back a moment ago while others are free. network and
 * *ret_address in host byte order. -EADDRNOTAVAIL: all are taken. */
int address_pool_take(const char *directory, uint32_t network, unsigned prefix, const char *id,
	uint32_t *ret_address, struct error *err);
/* Gives back whatever id has; nothing is no error. */
int address_pool_release(const char *directory, const char *id);

#endif
