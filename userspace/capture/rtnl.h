/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RTNL_H
#define CTRACE_RTNL_H

#include "capture/capture.h"

/* Changes of network interfaces, IPv4 addresses and routes, as rtnetlink(7) tells them: of ctrace's own
 * network namespace and of all that have an id there (netns moves give one). */
struct rtnl;

int rtnl_open(struct rtnl **ret_rtnl, struct error *err);
int rtnl_fd(const struct rtnl *rtnl);

/* Hands every message that waits to sink as an EVENT_LINK with the given time. */
void rtnl_read(struct rtnl *rtnl, uint64_t time_ns, void (*sink)(void *arg, const struct event *event), void *arg);

/* How often the kernel said that it had to drop messages. */
uint64_t rtnl_lost(const struct rtnl *rtnl);

void rtnl_close(struct rtnl *rtnl); /* takes NULL */

#endif
