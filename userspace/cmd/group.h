/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_GROUP_H
#define CTRACE_GROUP_H

/* docker's second names for commands: `container ls` is `ps`, `image rm` is `rmi`, `system prune` is a prune of more. */

/* Turns "ctrace container ls -a" into "ctrace ps -a", in place: what is turned never needs more words. */
void group_resolve(int *argc, char **argv);

#endif
