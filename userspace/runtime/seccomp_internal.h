/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RUNTIME_SECCOMP_INTERNAL_H
#define CTRACE_RUNTIME_SECCOMP_INTERNAL_H

/* What the files about linux.seccomp share. */

#include <stdbool.h>
#include <stdint.h>

#include "runtime/doc.h"
#include "runtime/runtime_internal.h"

/* seccomp_cache.c: text is the profile, byte for byte. */
bool seccomp_cache_read(const char *text, struct seccomp_program *ret);
void seccomp_cache_write(const char *text, const struct seccomp_program *p);

/* seccomp_enosys.c: puts instructions in front of the program that answer ENOSYS to calls which are newer than
 * all that the profile names. */
bool seccomp_wants_enosys(uint32_t default_action);
int seccomp_prepend_enosys(const struct doc *seccomp, struct seccomp_program *p, struct error *err);
uint32_t seccomp_architecture(const char *name);

#endif
