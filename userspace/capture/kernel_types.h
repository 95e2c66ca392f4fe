/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_KERNEL_TYPES_H
#define CTRACE_KERNEL_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/*
 * The type information of the running kernel (BTF): looked through once for everything that is asked of
 * it, and cut down to what the tracing programs use. libbpf walks all of the 100,000 types it is given for each
 * structure that a program names, which takes longer than everything else about loading.
 */
struct kernel_types;
struct btf;

/* Maps /sys/kernel/btf/vmlinux, or reads it where that is refused. */
int kernel_types_open(struct kernel_types **ret_types, struct error *err);

/* Whether a string of the kernel's types is or ends with that name. The only question before there is an index. */
bool kernel_types_has_name(const struct kernel_types *types, const char *name);

/* What can be asked later is what `local`, the programs' own types, names, and the names of `more` (NULL-terminated). */
int kernel_types_index(struct kernel_types *types, const struct btf *local, const char *const *more, struct error *err);
void kernel_types_free(struct kernel_types *types); /* takes NULL */

/* Id of the type of that name and kind (BTF_KIND_*), or -1: the kernel has none. */
int kernel_types_find(const struct kernel_types *types, const char *name, uint32_t kind);

/* Whether the structure has a member of that name, at its top level. */
bool kernel_types_has_member(const struct kernel_types *types, const char *structure, const char *member);

/* The number of an enumerator, or `otherwise`. */
uint32_t kernel_types_enumerator(const struct kernel_types *types, const char *enumeration, const char *name,
	uint32_t otherwise);

/* Writes the types that `local` names, and what they are made of, into a file as raw BTF: enough for libbpf to
 * relocate the programs. Pointers lead nowhere, ids are not the kernel's, and members are left out whose name no member of
 * a `local` type has. */
int kernel_types_reduce(const struct kernel_types *types, int fd, struct error *err);

#endif
