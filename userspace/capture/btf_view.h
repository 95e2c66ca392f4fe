/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_BTF_VIEW_H
#define CTRACE_BTF_VIEW_H

#include <bpf/btf.h>
#include <stddef.h>
#include <stdint.h>

/* A file of BTF (Documentation/bpf/btf.rst), read where it lies. libbpf's btf__new copies it first: the kernel's five
 * megabytes then cost more time than all else that is done with them. Only the byte order of this machine. */
struct btf_view {
	void *data;
	size_t size;
	int is_mapped;
	const char *strings, *types;
	uint32_t strings_size, types_size;
	uint32_t *offsets; /* of some types from types, evenly spread: of all they would take half a megabyte */
	uint32_t count;    /* void included; 0 before the walk */
};

/* 0, or -errno; -EINVAL: no BTF. */
int btf_view_open(const char *path, struct btf_view *ret);
void btf_view_close(struct btf_view *view);

/* Visits all types in the order of their ids; only afterwards can they be asked for. 0, or -EINVAL: a type is cut off, or of
 * a kind that is not known here. */
typedef void btf_view_visit(void *arg, uint32_t id, const struct btf_type *type);
int btf_view_walk(struct btf_view *view, btf_view_visit *visit, void *arg);

/* 0 < id < view->count; NULL for any other. */
const struct btf_type *btf_view_type(const struct btf_view *view, uint32_t id);

/* The string at that offset of the string section; "" where there is none. */
const char *btf_view_string(const struct btf_view *view, uint32_t offset);

#endif
