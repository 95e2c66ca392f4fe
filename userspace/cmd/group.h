/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_GROUP_H
#define CTRACE_GROUP_H

/* docker's second names for commands: `container ls` is `ps`, `image rm` is `rmi`, `system prune` is a prune of more. */

/* Turns "ctrace container ls -a" into "ctrace ps -a". The new vector, or argv itself where there is nothing to turn; *argc is
 * then that of what is returned. It is never freed: it lives as long as the program. */
char **group_resolve(int *argc, char **argv);

#endif
