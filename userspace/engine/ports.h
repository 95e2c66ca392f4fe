/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PORTS_H
#define CTRACE_PORTS_H

/*
 * Published ports. Which container has which is in /run/ctrace/ports, one "ID PROTOCOL ADDRESS PORT TARGET
 * PORT" a line, under flock: what is in the kernel's map (nat_ports.h) is always in the file, too, so what a
 * killed process leaves can be taken away by its container's id.
 */

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/string_list.h"

/* "[[IP:][HOST]:]CONTAINER[/PROTOCOL]", HOST and CONTAINER may be ranges of one length; adds to list, a text
 * for each port: "IP:HOST:CONTAINER/PROTOCOL", HOST 0 = any that is free. */
int ports_parse(const char *text, struct string_list *list, struct error *err);
/* "80", "80/udp", "80-82/tcp" as of --expose and an image; adds "80/tcp" for each. */
int ports_parse_exposed(const char *text, struct string_list *list, struct error *err);

/* Sockets that keep the host's ports ours for as long as they are open. */
struct port_sockets {
	int *fds;
	size_t count, capacity;
};
void port_sockets_close(struct port_sockets *sockets);

struct network_bridge;

/* Publishes what the list (of ports_parse) says for the container at address. ret_published: the same with
 * the host's ports that were chosen. */
int ports_publish(const struct network_bridge *bridge, const char *id, const char *name, const char *address,
	const struct string_list *list, struct port_sockets *sockets, struct string_list *ret_published,
	struct error *err);
/* Takes away whatever the container has. */
int ports_release(const char *id, struct error *err);

/* The parts of such a text. */
struct port_text {
	char address[16]; /* "0.0.0.0" */
	unsigned host, container;
	char protocol[4]; /* "tcp" */
};
bool port_text_split(const char *text, struct port_text *ret);

#endif
