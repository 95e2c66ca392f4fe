/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RTNL_H
#define CTRACE_RTNL_H

#include "capture/capture.h"

/* Changes of network interfaces, IPv4 addresses and routes, as rtnetlink(7) tells them: of ctrace's own
 * network namespace, of those that engines live in, and of all that have an id there (netns moves give
 * one). */
struct rtnl;

enum { RTNL_MAX_NAMESPACES = 16 /* besides our own */ };

int rtnl_open(struct rtnl **ret_rtnl, struct error *err);
int rtnl_fd(const struct rtnl *rtnl); /* for epoll */

/* Takes notice of forks, execs, exits and the snapshot of processes: of those in other network namespaces, to be able to say which
 * namespace an id stands for, and of engines and containerds, whose network namespace is
 * listened to as long as they live (a socket keeps the namespace alive). At most RTNL_MAX_NAMESPACES; those
 * beyond, and what cannot be opened, are not heard and counted. Enters the namespace for a moment: for single-threaded programs. */
void rtnl_observe(struct rtnl *rtnl, const struct event *event);

/* Hands every message that waits to sink as an EVENT_LINK with the given time, and an EVENT_NETNS where the namespace of an id
 * has become known, or is gone; the header names the engine
 * in whose namespace it arose, or nobody (tgid 0) for ctrace's own. */
void rtnl_read(struct rtnl *rtnl, uint64_t time_ns, void (*sink)(void *arg, const struct event *event), void *arg);

/* How often the kernel said that it had to drop messages. */
uint64_t rtnl_lost(const struct rtnl *rtnl);

/* How often an engine was met whose network namespace is not listened to, or no other heard from it, and our own is such a one. */
uint64_t rtnl_unheard(const struct rtnl *rtnl);

void rtnl_close(struct rtnl *rtnl); /* takes NULL */

#endif
