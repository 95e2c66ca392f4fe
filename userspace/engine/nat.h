/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_NAT_H
#define CTRACE_NAT_H

#include <stdint.h>

#include "util/error.h"

/* Makes sure that packets from network/prefix (host byte order) that leave by another interface than
 * bridge carry the host's address: one table "ctrace" of nf_tables with one rule, made once by one
 * batch. Deleting it would make its caller wait for an RCU grace period, so it stays. */
int nat_ensure(const char *bridge, uint32_t network, unsigned prefix, struct error *err);

#endif
