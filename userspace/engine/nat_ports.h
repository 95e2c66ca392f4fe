/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_NAT_PORTS_H
#define CTRACE_NAT_PORTS_H

/* The kernel's side of published ports: elements of two maps, which rules made once look up. */

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct nat_port {
	uint32_t host_address; /* host byte order; 0 = every address of the host */
	uint32_t address;      /* of the container */
	uint16_t host_port, port;
	uint8_t protocol;      /* IPPROTO_TCP, IPPROTO_UDP */
};

struct network_bridge;

/* Adds them in one transaction; makes table and rules when they are not there yet, and lets loopback
 * addresses reach the bridge. */
int nat_ports_add(const struct network_bridge *bridge, const struct nat_port *ports, size_t count, struct error *err);
/* Takes them away; those that are gone already are no error. */
int nat_ports_remove(const struct nat_port *ports, size_t count, struct error *err);

#endif
