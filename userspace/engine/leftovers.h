/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LEFTOVERS_H
#define CTRACE_LEFTOVERS_H

/* What killed processes and reboots left. */

/* Finds claims whose process is gone: a container that was being made or removed, or has --rm, goes with
 * all that it left (processes, cgroups, mounts, files, names, addresses, ports); another is stopped and kept
 * as exited, or as created where its first start was not complete. Called by every command that works with
 * containers; costs next to nothing when all is well. */
void leftovers_clean(void);

/* A reboot empties /run: containers that stay are registered again from the store, the rest of what an
 * earlier boot left there is removed. Looks once in each boot. */
void leftovers_adopt(const char *store_root);

/* Marks what is made below the store with this boot's id: leftovers_adopt leaves that alone. */
int leftovers_mark(const char *storage);

#endif
