/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <bpf/btf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/kernel_types.h"

#define VMLINUX "/sys/kernel/btf/vmlinux"

/* What programs would have that read a pid, and a name of another time in a flavour. */
static struct btf *local_types(void)
{
	struct btf *btf = btf__new_empty();
	int integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);

	btf__add_struct(btf, "task_struct", 4);
	btf__add_field(btf, "pid", integer, 0, 0);
	btf__add_struct(btf, "mm_struct___old", 4);
	btf__add_field(btf, "map_count", integer, 0, 0);
	return btf;
}

static const struct btf_member *member_of(const struct btf *btf, const struct btf_type *type, const char *name)
{
	for (int i = 0; i < btf_vlen(type); i++) {
		if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), name))
			return &btf_members(type)[i];
	}
	return NULL;
}

static const struct btf_type *structure(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	assert_true(id > 0);
	return btf__type_by_id(btf, id);
}

static struct btf *reduce(struct btf *local)
{
	const char *const more[] = { "bpf_iter_task", NULL };
	int fd = memfd_create("reduced", MFD_CLOEXEC);
	struct kernel_types *types;
	struct error err = { 0 };
	struct btf *reduced;
	char path[64];

	assert_int_equal(kernel_types_open(&types, &err), 0);
	assert_int_equal(kernel_types_index(types, local, more, &err), 0);
	assert_true(kernel_types_find(types, "bpf_iter_task", BTF_KIND_FUNC) > 0);
	assert_int_equal(kernel_types_find(types, "vfs_read", BTF_KIND_FUNC), -1); /* nobody said that it would be asked for */
	assert_true(kernel_types_has_member(types, "task_struct", "tgid"));
	assert_int_equal(kernel_types_reduce(types, fd, &err), 0);
	kernel_types_free(types);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reduced = btf__parse(path, NULL);
	assert_non_null(reduced);
	close(fd);
	return reduced;
}

/* The structures are the kernel's, but of their members only those are left that the programs may look for. */
static void reduces(void **state)
{
	struct btf *local = local_types(), *kernel = btf__parse(VMLINUX, NULL), *reduced = reduce(local);
	const struct btf_type *task = structure(kernel, "task_struct"), *less = structure(reduced, "task_struct");

	(void)state;
	assert_int_equal(less->size, task->size);
	assert_non_null(member_of(reduced, less, "pid"));
	assert_int_equal(member_of(reduced, less, "pid")->offset, member_of(kernel, task, "pid")->offset);
	assert_non_null(member_of(kernel, task, "tgid"));
	assert_null(member_of(reduced, less, "tgid"));
	assert_int_equal(structure(reduced, "mm_struct")->size, structure(kernel, "mm_struct")->size);
	btf__free(local);
	btf__free(kernel);
	btf__free(reduced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reduces),
	};

	if (access(VMLINUX, R_OK) != 0) {
		printf("1..0 # SKIP this kernel has no " VMLINUX "\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
