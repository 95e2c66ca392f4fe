/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls a profile answers with ENOSYS: a small interpreter runs what is put in front of its program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/seccomp_internal.h"

enum { ALLOW = SECCOMP_RET_ALLOW, UNKNOWN = SECCOMP_RET_ERRNO | ENOSYS, ARM_CACHEFLUSH = 0x0f0002 };

static bool is_taken(const struct sock_filter *f, uint32_t value)
{
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return value == f->k;
	case BPF_JGE:
		return value >= f->k;
	case BPF_JGT:
		return value > f->k;
	}
	fail_msg("an operation that is not known here: %#x", f->code);
	return false;
}

static uint32_t run(const struct seccomp_program *p, uint32_t arch, uint32_t number)
{
	struct seccomp_data data = { .nr = (int)number, .arch = arch };
	uint32_t value = 0;

	for (unsigned i = 0; i < p->count; i++) {
		const struct sock_filter *f = &p->filter[i];

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			memcpy(&value, (const char *)&data + f->k, sizeof(value));
			break;
		case BPF_JMP:
			i += is_taken(f, value) ? f->jt : f->jf;
			break;
		case BPF_RET:
			return f->k;
		default:
			fail_msg("an instruction that is not known here: %#x", f->code);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

/* In front of a program that allows all. */
static void prepend(const char *profile, struct seccomp_program *p)
{
	const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	json_object *json = json_tokener_parse(profile);
	struct doc doc = { .json = json };
	struct error err = { 0 };

	assert_non_null(json);
	*p = (struct seccomp_program){ .count = 1 };
	p->filter = malloc(sizeof(allow));
	assert_non_null(p->filter);
	*p->filter = allow;
	if (seccomp_prepend_enosys(&doc, p, &err) < 0)
		fail_msg("%s", err.text);
	json_object_put(json);
}

static uint32_t number_of(uint32_t arch, const char *name)
{
	int number = seccomp_syscall_resolve_name_arch(arch, name);

	assert_true(number >= 0);
	return (uint32_t)number;
}

static void test_newer_than_the_profile(void **state)
{
	struct seccomp_program p;
	uint32_t last;

	(void)state;
	prepend("{\"architectures\": [\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_X32\", \"SCMP_ARCH_AARCH64\"],"
		" \"syscalls\": [{\"names\": [\"openat2\", \"read\"]}]}", &p);
	last = number_of(SCMP_ARCH_X86_64, "openat2");
	assert_int_equal(run(&p, AUDIT_ARCH_X86_64, 0), ALLOW);
	assert_int_equal(run(&p, AUDIT_ARCH_X86_64, last), ALLOW);
	assert_int_equal(run(&p, AUDIT_ARCH_X86_64, last + 1), UNKNOWN);
	assert_int_equal(run(&p, AUDIT_ARCH_X86_64, 0x40000000 + last), ALLOW);
	assert_int_equal(run(&p, AUDIT_ARCH_X86_64, 0x40000000 + last + 1), UNKNOWN);
	last = number_of(SCMP_ARCH_AARCH64, "openat2");
	assert_int_equal(run(&p, AUDIT_ARCH_AARCH64, last), ALLOW);
	assert_int_equal(run(&p, AUDIT_ARCH_AARCH64, last + 1), UNKNOWN);
	assert_int_equal(run(&p, AUDIT_ARCH_RISCV64, last + 1), ALLOW);
	seccomp_free(&p);
}

/* 32-bit ARM's own calls are above all others: naming one makes no newer call a known one, and it stays what it is. */
static void test_calls_of_arm(void **state)
{
	struct seccomp_program p;
	uint32_t last = number_of(SCMP_ARCH_ARM, "openat2");

	(void)state;
	prepend("{\"architectures\": [\"SCMP_ARCH_AARCH64\", \"SCMP_ARCH_ARM\"],"
		" \"syscalls\": [{\"names\": [\"openat2\", \"cacheflush\", \"set_tls\"]}]}", &p);
	assert_int_equal(number_of(SCMP_ARCH_ARM, "cacheflush"), ARM_CACHEFLUSH);
	assert_int_equal(run(&p, AUDIT_ARCH_ARM, last), ALLOW);
	assert_int_equal(run(&p, AUDIT_ARCH_ARM, last + 1), UNKNOWN);
	assert_int_equal(run(&p, AUDIT_ARCH_ARM, ARM_CACHEFLUSH), ALLOW);
	seccomp_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newer_than_the_profile),
		cmocka_unit_test(test_calls_of_arm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
