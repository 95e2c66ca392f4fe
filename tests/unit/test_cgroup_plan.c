/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cgroup/cgroup.h"
#include "util/array.h"

static const char *value_of(const struct cgroup_plan *plan, const char *file)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (!strcmp(plan->writes[i].file, file))
			return plan->writes[i].value;
	}
	return "(absent)";
}

static void test_weights(void **state)
{
	(void)state;
	assert_int_equal(cgroup_cpu_weight(0), 0);
	assert_int_equal(cgroup_cpu_weight(2), 1);
	assert_int_equal(cgroup_cpu_weight(1024), 100);
	assert_int_equal(cgroup_cpu_weight(262144), 10000);
	assert_true(cgroup_cpu_weight(512) < 100 && cgroup_cpu_weight(512) > 50);
	for (uint64_t s = 3; s < 262144; s += 97)
		assert_true(cgroup_cpu_weight(s) <= cgroup_cpu_weight(s + 97));
	assert_int_equal(cgroup_io_weight(10), 1);
	assert_int_equal(cgroup_io_weight(1000), 10000);
}

static void test_memory(void **state)
{
	struct cgroup_resources r;
	struct cgroup_plan v1 = { 0 }, v2 = { 0 };
	struct error err;

	(void)state;
	cgroup_resources_init(&r);
	r.memory_limit = 64 << 20;
	r.memory_swap = 128 << 20;
	assert_int_equal(cgroup_plan(&v1, 1, &r, &err), 0);
	assert_string_equal(value_of(&v1, "memory.limit_in_bytes"), "67108864");
	assert_string_equal(value_of(&v1, "memory.memsw.limit_in_bytes"), "134217728");
	assert_int_equal(cgroup_plan(&v2, 2, &r, &err), 0);
	assert_string_equal(value_of(&v2, "memory.max"), "67108864");
	/* v2 counts swap alone */
	assert_string_equal(value_of(&v2, "memory.swap.max"), "67108864");
	cgroup_plan_free(&v1);
	cgroup_plan_free(&v2);

	r.memory_swap = 1 << 20;
	assert_int_equal(cgroup_plan(&v1, 1, &r, &err), -22);
	assert_non_null(strstr(err.text, "memory.swap"));
	r.memory_limit = CGROUP_UNSET;
	assert_int_equal(cgroup_plan(&v1, 1, &r, &err), -22);
	cgroup_plan_free(&v1);
}

static void test_unlimited(void **state)
{
	struct cgroup_resources r;
	struct cgroup_plan v1 = { 0 }, v2 = { 0 };
	struct error err;

	(void)state;
	cgroup_resources_init(&r);
	r.memory_limit = -1;
	r.pids_limit = 0;
	r.cpu_quota = -1;
	assert_int_equal(cgroup_plan(&v1, 1, &r, &err), 0);
	assert_string_equal(value_of(&v1, "memory.limit_in_bytes"), "-1");
	assert_string_equal(value_of(&v1, "memory.memsw.limit_in_bytes"), "-1");
	assert_string_equal(value_of(&v1, "pids.max"), "max");
	assert_string_equal(value_of(&v1, "cpu.cfs_quota_us"), "-1");
	assert_int_equal(cgroup_plan(&v2, 2, &r, &err), 0);
	assert_string_equal(value_of(&v2, "memory.max"), "max");
	assert_string_equal(value_of(&v2, "cpu.max"), "max 100000");
	cgroup_plan_free(&v1);
	cgroup_plan_free(&v2);
}

static void test_cpu_and_devices(void **state)
{
	struct cgroup_resources r;
	struct cgroup_plan v1 = { 0 }, v2 = { 0 };
	struct cgroup_device rules[] = { { false, 'a', -1, -1, "rwm" }, { true, 'c', 136, -1, "rw" } };
	struct error err;

	(void)state;
	cgroup_resources_init(&r);
	r.cpu_quota = 50000;
	r.cpu_period = 100000;
	r.cpu_shares = 1024;
	r.devices = rules;
	r.device_count = 2;
	assert_int_equal(cgroup_plan(&v1, 1, &r, &err), 0);
	assert_string_equal(value_of(&v1, "devices.deny"), "a");
	assert_string_equal(value_of(&v1, "devices.allow"), "c 136:* rw");
	assert_string_equal(value_of(&v1, "cpu.shares"), "1024");
	assert_int_equal(cgroup_plan(&v2, 2, &r, &err), 0);
	assert_string_equal(value_of(&v2, "cpu.max"), "50000 100000");
	assert_string_equal(value_of(&v2, "cpu.weight"), "100");
	assert_string_equal(value_of(&v2, "devices.deny"), "(absent)");
	cgroup_plan_free(&v1);
	cgroup_plan_free(&v2);
}

static void test_unified(void **state)
{
	struct cgroup_resources r;
	struct cgroup_plan plan = { 0 };
	struct cgroup_pair good = { (char *)"memory.high", (char *)"1000" },
			   bad = { (char *)"memory.high/../x", (char *)"1" };
	struct error err;

	(void)state;
	cgroup_resources_init(&r);
	r.unified = &good;
	r.unified_count = 1;
	assert_int_equal(cgroup_plan(&plan, 2, &r, &err), 0);
	assert_string_equal(value_of(&plan, "memory.high"), "1000");
	assert_true(cgroup_plan(&plan, 1, &r, &err) < 0);
	r.unified = &bad;
	assert_true(cgroup_plan(&plan, 2, &r, &err) < 0);
	cgroup_plan_free(&plan);
}

static void test_paths(void **state)
{
	struct cgroup *cg = NULL;
	struct error err;

	(void)state;
	assert_true(cgroup_open("/a/../b", &cg, &err) < 0);
	assert_non_null(strstr(err.text, ".."));
	assert_true(cgroup_open("/a/./b", &cg, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_unlimited),
		cmocka_unit_test(test_cpu_and_devices),
		cmocka_unit_test(test_unified),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
