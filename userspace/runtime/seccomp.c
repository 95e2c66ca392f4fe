/* SPDX-License-Identifier: Apache-2.0 */
/* config-linux.md "Seccomp": linux.seccomp into a program of the kernel's. */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "runtime/seccomp_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* The action at `key`, with the number at `errno_key`, which only two of them can have. */
static int parse_action(const struct doc *d, const char *key, const char *errno_key, uint32_t *ret, struct error *err)
{
	static const struct {
		const char *name;
		uint32_t value;
	} actions[] = {
		{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD }, { "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS }, { "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW }, { "SCMP_ACT_LOG", SCMP_ACT_LOG },
		{ "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
	};
	const char *const required[] = { key, NULL };
	const char *name = "";
	int64_t number = -1;

	if (doc_require(d, required, err) < 0 || doc_string(d, key, &name, err) < 0 ||
		doc_integer(d, errno_key, 0, 4095, &number, err) < 0)
		return -EINVAL;
	if (!strcmp(name, "SCMP_ACT_ERRNO") || !strcmp(name, "SCMP_ACT_TRACE")) {
		unsigned value = number < 0 ? EPERM : (unsigned)number;

		*ret = !strcmp(name, "SCMP_ACT_ERRNO") ? SCMP_ACT_ERRNO(value) : SCMP_ACT_TRACE(value);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(name, actions[i].name) != 0)
			continue;
		if (number >= 0)
			return doc_error(d, errno_key, err, "%s has none: SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one", name);
		*ret = actions[i].value;
		return 0;
	}
	return doc_error(d, key, err, "action \"%.64s\" is not supported", name);
}

static int compare_op(const struct doc *d, const char *name, struct error *err)
{
	static const struct {
		const char *name;
		int value;
	} ops[] = {
		{ "SCMP_CMP_NE", SCMP_CMP_NE }, { "SCMP_CMP_LT", SCMP_CMP_LT },
		{ "SCMP_CMP_LE", SCMP_CMP_LE }, { "SCMP_CMP_EQ", SCMP_CMP_EQ },
		{ "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!strcmp(name, ops[i].name))
			return ops[i].value;
	}
	return doc_error(d, "op", err, "operator \"%.64s\" is not known", name);
}

static int parse_args(const struct doc *rule, struct scmp_arg_cmp *args, unsigned *ret_count,
	struct error *err)
{
	static const char *const required[] = { "index", "value", "op", NULL };
	struct doc a, e;
	int r = doc_array(rule, "args", &a, err);

	*ret_count = 0;
	if (r > 0 && doc_count(&a) > 6)
		return doc_error(&a, NULL, err, "a system call has 6 arguments at most");
	for (size_t i = 0; r >= 0 && i < doc_count(&a); i++) {
		uint64_t value = 0, two = 0;
		const char *name = "";
		int64_t index = 0;
		int op;

		if (doc_element(&a, i, &e, err) < 0 || doc_require(&e, required, err) < 0 ||
			doc_integer(&e, "index", 0, 5, &index, err) < 0 ||
			doc_unsigned(&e, "value", &value, err) < 0 ||
			doc_unsigned(&e, "valueTwo", &two, err) < 0 ||
			doc_string(&e, "op", &name, err) < 0)
			return -EINVAL;
		op = compare_op(&e, name, err);
		if (op < 0)
			return op;
		args[i] = (struct scmp_arg_cmp){ (unsigned)index, op, value, two };
		*ret_count = (unsigned)i + 1;
	}
	return r < 0 ? r : 0;
}

/* Several conditions on one argument are alternatives, which libseccomp wants as rules of their own. */
static bool alternatives(const struct scmp_arg_cmp *args, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = i + 1; j < count; j++) {
			if (args[i].arg == args[j].arg)
				return true;
		}
	}
	return false;
}

static int add_call(scmp_filter_ctx ctx, const struct doc *rule, const char *name, uint32_t act,
	const struct scmp_arg_cmp *args, unsigned count, struct error *err)
{
	int nr = seccomp_syscall_resolve_name(name), r = 0;

	if (nr == __NR_SCMP_ERROR) /* newer than this library */
		return 0;
	if (alternatives(args, count)) {
		for (unsigned j = 0; r == 0 && j < count; j++)
			r = seccomp_rule_add_array(ctx, act, nr, 1, &args[j]);
	} else {
		r = seccomp_rule_add_array(ctx, act, nr, count, args);
	}
	if (r < 0 && r != -EEXIST)
		return doc_error(rule, "names", err, "cannot add the rule for %s: %s", name,
			strerror(-r));
	return 0;
}

struct rule {
	char **names;
	uint32_t action;
	struct scmp_arg_cmp args[6];
	unsigned count;
};

static void rule_free(struct rule *r)
{
	free(r->names);
}

static int parse_rule(const struct doc *d, struct rule *ret, struct error *err)
{
	static const char *const required[] = { "names", NULL };

	if (doc_require(d, required, err) < 0 || doc_strings(d, "names", &ret->names, NULL, err) < 0 ||
		parse_action(d, "action", "errnoRet", &ret->action, err) < 0 ||
		parse_args(d, ret->args, &ret->count, err) < 0)
		return -EINVAL;
	if (!ret->names[0])
		return doc_error(d, "names", err, "it is empty");
	for (size_t i = 0; ret->action == SCMP_ACT_NOTIFY && ret->names[i]; i++) {
		/* between the filter's load and the agent's first answer init still sends the listener
		 * (sendmsg) and reports (write, as runc refuses it, too): nobody would answer for these */
		if (!strcmp(ret->names[i], "sendmsg") || !strcmp(ret->names[i], "write"))
			return doc_item_error(d, "names", i, err, "SCMP_ACT_NOTIFY cannot be used for the %s syscall",
				ret->names[i]);
	}
	return 0;
}

static int add_rule(scmp_filter_ctx ctx, const struct doc *d, uint32_t default_action, struct error *err)
{
	_cleanup_(rule_free) struct rule rule = { 0 };
	int r = parse_rule(d, &rule, err);

	for (size_t i = 0; r == 0 && rule.action != default_action && rule.names[i]; i++)
		r = add_call(ctx, d, rule.names[i], rule.action, rule.args, rule.count, err);
	return r;
}

/* "SCMP_ARCH_X86_64" as libseccomp knows it; 0 = not known. */
uint32_t seccomp_architecture(const char *from)
{
	char name[32] = "";

	if (!strncmp(from, "SCMP_ARCH_", 10))
		from += 10;
	for (size_t j = 0; j < sizeof(name) - 1 && from[j]; j++)
		name[j] = from[j] >= 'A' && from[j] <= 'Z' ? (char)(from[j] + 32) : from[j];
	return seccomp_arch_resolve_name(name);
}

/* ctx NULL: they are only looked at. */
static int add_architectures(scmp_filter_ctx ctx, const struct doc *seccomp, struct error *err)
{
	_cleanup_free_ char **names = NULL;

	if (doc_strings(seccomp, "architectures", &names, NULL, err) < 0)
		return -EINVAL;
	for (size_t i = 0; names && names[i]; i++) {
		uint32_t arch = seccomp_architecture(names[i]);
		int r;

		if (!arch)
			return doc_item_error(seccomp, "architectures", i, err, "\"%.64s\" is not known", names[i]);
		r = ctx ? seccomp_arch_add(ctx, arch) : 0;
		if (r < 0 && r != -EEXIST)
			return doc_item_error(seccomp, "architectures", i, err, "cannot add %s: %s", names[i],
				strerror(-r));
	}
	return 0;
}

static int export_filter(scmp_filter_ctx ctx, struct seccomp_program *p, struct error *err)
{
	_cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return error_errno(err, errno, "cannot make a memfd");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0 || fstat(fd, &st) < 0)
		return error_errno(err, r < 0 ? -r : errno, "cannot compile the seccomp profile");
	p->count = st.st_size / sizeof(struct sock_filter);
	p->filter = xmalloc(st.st_size);
	if (pread(fd, p->filter, st.st_size, 0) != st.st_size)
		return error_errno(err, EIO, "cannot read the seccomp filter");
	return 0;
}

static void release(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

static int parse_default(const struct doc *d, uint32_t *ret, struct error *err)
{
	int r = parse_action(d, "defaultAction", "defaultErrnoRet", ret, err);

	if (r == 0 && *ret == SCMP_ACT_NOTIFY)
		return doc_error(d, "defaultAction", err, "SCMP_ACT_NOTIFY is for single calls");
	return r;
}

static int compile(const struct doc *d, struct seccomp_program *p, struct error *err)
{
	_cleanup_(release) scmp_filter_ctx ctx = NULL;
	uint32_t act = 0;
	struct doc rules, e;
	int r;

	if (parse_default(d, &act, err) < 0 || doc_array(d, "syscalls", &rules, err) < 0)
		return -EINVAL;
	ctx = seccomp_init(act);
	if (!ctx)
		return error_set(err, ENOMEM, "cannot make a seccomp filter");
	r = add_architectures(ctx, d, err);
	for (size_t i = 0; r == 0 && i < doc_count(&rules); i++) {
		r = doc_element(&rules, i, &e, err);
		if (r == 0)
			r = add_rule(ctx, &e, act, err);
	}
	if (r == 0)
		r = export_filter(ctx, p, err);
	if (r == 0 && seccomp_wants_enosys(act))
		r = seccomp_prepend_enosys(d, p, err);
	return r;
}

static int parse_flags(const struct doc *d, unsigned *ret, struct error *err)
{
	static const struct {
		const char *name;
		unsigned flag;
	} flags[] = {
		/* init is its process's only thread */
		{ "SECCOMP_FILTER_FLAG_TSYNC", 0 },
		{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
		{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	};
	_cleanup_free_ char **names = NULL;

	if (doc_strings(d, "flags", &names, NULL, err) < 0)
		return -EINVAL;
	for (size_t i = 0; names && names[i]; i++) {
		bool known = false;

		for (size_t j = 0; j < ARRAY_SIZE(flags); j++) {
			if (!strcmp(names[i], flags[j].name)) {
				known = true;
				*ret |= flags[j].flag;
			}
		}
		if (!known)
			return doc_item_error(d, "flags", i, err, "\"%.64s\" is not known", names[i]);
	}
	return 0;
}

static bool uses_notify(const struct doc *d)
{
	json_object *rules = json_object_object_get(d->json, "syscalls");

	for (size_t i = 0; rules && i < json_object_array_length(rules); i++) {
		json_object *a = json_object_object_get(json_object_array_get_idx(rules, i), "action");

		if (a && !strcmp(json_object_get_string(a), "SCMP_ACT_NOTIFY"))
			return true;
	}
	return false;
}

static int parse_listener(const struct doc *d, struct seccomp_program *p, struct error *err)
{
	if (doc_path(d, "listenerPath", &p->listener, err) < 0 ||
		doc_string(d, "listenerMetadata", &p->metadata, err) < 0)
		return -EINVAL;
	if (p->listener && *p->listener) {
		p->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
		return 0;
	}
	if (p->metadata && *p->metadata)
		return doc_error(d, "listenerMetadata", err, "it needs listenerPath");
	return uses_notify(d) ? doc_error(d, "listenerPath", err, "it is missing: SCMP_ACT_NOTIFY needs it") : 0;
}

int seccomp_check(const struct doc *d, struct error *err)
{
	struct seccomp_program p = { 0 };
	uint32_t act = 0;
	struct doc rules, e;
	int r;

	if (!d->json)
		return 0;
	if (parse_default(d, &act, err) < 0 || parse_flags(d, &p.flags, err) < 0 ||
		add_architectures(NULL, d, err) < 0 || doc_array(d, "syscalls", &rules, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < doc_count(&rules); i++) {
		_cleanup_(rule_free) struct rule rule = { 0 };

		r = doc_element(&rules, i, &e, err);
		if (r == 0)
			r = parse_rule(&e, &rule, err);
		if (r < 0)
			return r;
	}
	return parse_listener(d, &p, err);
}

int seccomp_prepare(json_object *seccomp, struct seccomp_program *ret, struct error *err)
{
	const struct doc d = { .json = seccomp, .key = "linux.seccomp" };
	const char *text;
	int r;

	*ret = (struct seccomp_program){ 0 };
	if (!seccomp)
		return 0;
	r = parse_flags(&d, &ret->flags, err);
	if (r < 0)
		return r;
	text = json_object_to_json_string_ext(seccomp, JSON_C_TO_STRING_PLAIN);
	if (!seccomp_cache_read(text, ret)) {
		r = compile(&d, ret, err);
		if (r < 0)
			return r;
		seccomp_cache_write(text, ret);
	}
	return parse_listener(&d, ret, err);
}

int seccomp_load_program(const struct seccomp_program *p, struct error *err)
{
	struct sock_fprog program = { .len = p->count, .filter = p->filter };
	unsigned flags = p->flags;
	long r;

	if (!p->filter)
		return 0;
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (r < 0)
		return error_errno(err, errno, "cannot load the seccomp filter%s",
			flags ? " (linux.seccomp.flags: a flag that this kernel lacks?)" : "");
	return flags & SECCOMP_FILTER_FLAG_NEW_LISTENER ? (int)r : 0;
}

void seccomp_free(struct seccomp_program *p)
{
	free(p->filter);
	p->filter = NULL;
}
