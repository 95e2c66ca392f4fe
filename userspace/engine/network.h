/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_NETWORK_H
#define CTRACE_NETWORK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/* The bridge that containers share; addresses in host byte order. */
struct network_bridge {
	int index;
	uint32_t network, gateway;
	unsigned prefix;
	char warning[512]; /* why containers will not reach other networks, or "" */
};

#define NETWORK_BRIDGE_NAME "ctrace0"

/* Finds or makes the bridge: its own network is 172.30.0.0/16 or the next private one that no route of
 * the host touches, or what CTRACE_BRIDGE_SUBNET ("10.9.0.0/24") says. Switches forwarding on and sets
 * one masquerade rule up; when that fails, `warning` says so. */
int network_open_bridge(struct network_bridge *ret, struct error *err);

/* lo up: all that --network none has. netns: descriptor of the container's namespace. */
int network_setup_loopback(int netns, struct error *err);

/* A veth pair, one end on the bridge, the other as eth0 in the container, with address, default route
 * and lo up. Never to be deleted: the kernel does when the namespace goes, without making anybody
 * wait. id: the container's; names the bridge's end. */
int network_setup_bridge(const struct network_bridge *bridge, int netns, const char *id,
	uint32_t address, struct error *err);

/* Lets the bridge send back where it came from what a container says to its own published port (where
 * br_netfilter translates within the bridge). */
int network_allow_hairpin(const char *id, struct error *err);

/* The hardware address of a container's eth0, as docker's: 02:42 and its address. So who takes an address over needs nobody's
 * neighbour table to forget the one before. */
enum { NETWORK_MAC_BYTES = 6, NETWORK_MAC_TEXT = 18 };
const char *network_format_mac(uint32_t address, char ret[NETWORK_MAC_TEXT]);

/* "172.30.0.2"; the text is in ret. */
const char *network_format(uint32_t address, char ret[INET_ADDRSTRLEN]);

/* The first candidate that overlaps none of the routes (network, prefix pairs); false: all do. For
 * tests. */
struct network_range {
	uint32_t network;
	unsigned prefix;
};
bool network_choose(const struct network_range *routes, size_t count, struct network_range *ret);

#endif
