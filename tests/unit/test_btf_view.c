/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "capture/btf_view.h"

#define VMLINUX "/sys/kernel/btf/vmlinux"

static char path[] = "/tmp/ctrace-btf.XXXXXX";

static void write_file(const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* One of each kind that has something after its first twelve bytes, and some that have not. */
static struct btf *all_kinds(void)
{
	struct btf *btf = btf__new_empty();
	int integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);

	btf__add_ptr(btf, integer);
	btf__add_array(btf, integer, integer, 7);
	btf__add_struct(btf, "s", 8);
	btf__add_field(btf, "a", integer, 0, 0);
	btf__add_field(btf, "b", integer, 32, 0);
	btf__add_union(btf, "u", 4);
	btf__add_field(btf, "c", integer, 0, 0);
	btf__add_enum(btf, "e", 4);
	btf__add_enum_value(btf, "E1", 1);
	btf__add_enum64(btf, "e64", 8, false);
	btf__add_enum64_value(btf, "E2", 1ull << 40);
	btf__add_fwd(btf, "f", BTF_FWD_STRUCT);
	btf__add_typedef(btf, "t", integer);
	btf__add_const(btf, integer);
	btf__add_volatile(btf, integer);
	btf__add_restrict(btf, integer);
	btf__add_type_tag(btf, "tag", integer);
	btf__add_float(btf, "double", 8);
	int proto = btf__add_func_proto(btf, integer);
	btf__add_func_param(btf, "p", integer);
	btf__add_func(btf, "fn", BTF_FUNC_STATIC, proto);
	int variable = btf__add_var(btf, "v", BTF_VAR_STATIC, integer);
	btf__add_datasec(btf, ".data", 4);
	btf__add_datasec_var_info(btf, variable, 0, 4);
	btf__add_decl_tag(btf, "decl", integer, -1);
	btf__add_typedef(btf, "last", integer);
	return btf;
}

static void count_id(void *arg, uint32_t id, const struct btf_type *type)
{
	uint32_t *last = arg;

	assert_int_equal(id, *last + 1);
	assert_non_null(type);
	*last = id;
}

static void agrees(struct btf_view *view, const struct btf *btf)
{
	uint32_t last = 0;

	assert_null(btf_view_type(view, 1)); /* not before the walk */
	assert_int_equal(btf_view_walk(view, count_id, &last), 0);
	assert_int_equal(last + 1, view->count);
	assert_int_equal(view->count, btf__type_cnt(btf));
	for (uint32_t id = 1; id < view->count; id++) {
		const struct btf_type *a = btf_view_type(view, id), *b = btf__type_by_id(btf, id);

		assert_memory_equal(a, b, sizeof(*a));
		assert_string_equal(btf_view_string(view, a->name_off), btf__name_by_offset(btf, b->name_off));
	}
	assert_null(btf_view_type(view, 0));
	assert_null(btf_view_type(view, view->count));
	assert_string_equal(btf_view_string(view, UINT32_MAX), "");
}

static void agrees_with_libbpf(void **state)
{
	struct btf *btf = all_kinds();
	struct btf_view view;
	const void *data;
	uint32_t size;

	(void)state;
	data = btf__raw_data(btf, &size);
	write_file(data, size);
	assert_int_equal(btf_view_open(path, &view), 0);
	agrees(&view, btf);
	btf_view_close(&view);
	btf__free(btf);
}

static void agrees_on_the_kernel(void **state)
{
	struct btf *btf;
	struct btf_view view;

	(void)state;
	if (access(VMLINUX, R_OK) != 0)
		skip();
	btf = btf__parse(VMLINUX, NULL);
	assert_non_null(btf);
	assert_int_equal(btf_view_open(VMLINUX, &view), 0);
	agrees(&view, btf);
	btf_view_close(&view);
	btf__free(btf);
}

/* Cut anywhere, or with any byte turned: it is refused, or what it holds lies within it (ASan looks on). */
static void refuses_what_is_none(void **state)
{
	struct btf *btf = all_kinds();
	struct btf_view view;
	uint32_t size, last;
	const void *data;
	char *copy;

	(void)state;
	data = btf__raw_data(btf, &size);
	for (uint32_t cut = 0; cut < size; cut++) {
		write_file(data, cut);
		assert_int_equal(btf_view_open(path, &view), -EINVAL);
	}
	for (uint32_t at = 0; at < size; at++) {
		copy = malloc(size);
		memcpy(copy, data, size);
		copy[at] ^= 0xff;
		write_file(copy, size);
		free(copy);
		last = 0;
		if (btf_view_open(path, &view) < 0)
			continue;
		if (btf_view_walk(&view, count_id, &last) < 0)
			assert_int_equal(view.count, 1);
		for (uint32_t id = 1; id < view.count; id++) {
			const struct btf_type *type = btf_view_type(&view, id);

			assert_true((const char *)(type + 1) <= (const char *)view.data + view.size);
			assert_true(strlen(btf_view_string(&view, type->name_off)) < view.strings_size);
		}
		btf_view_close(&view);
	}
	assert_int_equal(btf_view_open("/nonexistent", &view), -ENOENT);
	btf__free(btf);
}

static int make_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_libbpf),
		cmocka_unit_test(agrees_on_the_kernel),
		cmocka_unit_test(refuses_what_is_none),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
