/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_INVENT_NAME_H
#define CTRACE_INVENT_NAME_H

/* "brave_noether": an adjective and a scientist, as docker has them, chosen by the id; try counts from 0,
 * each gives another, and from 8 on a digit is added. The caller's. */
char *invent_name(const char *id, unsigned try);

#endif
