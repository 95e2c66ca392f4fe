/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config-linux.md "Seccomp". libseccomp takes 17 ms to compile a profile like docker's, so the result is
 * kept in SECCOMP_CACHE, in a file that holds the profile's text too: a hit is the same text, byte for byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "runtime/doc.h"
#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

#define SECCOMP_CACHE_PARENT "/var/lib/ctrace"
#define SECCOMP_CACHE SECCOMP_CACHE_PARENT "/seccomp"

enum { CACHE_FILES_MAX = 64, FILTER_MAX = 32768 };

struct cache_header {
	char magic[8];
	char made_by[120]; /* kernel release and library version */
	uint64_t text_length, filter_count;
};

static int action(const char *name, int64_t errno_ret, uint32_t *ret, struct error *err)
{
	static const struct {
		const char *name;
		uint32_t value;
	} actions[] = {
		{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD }, { "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS }, { "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW }, { "SCMP_ACT_LOG", SCMP_ACT_LOG },
	};

	if (!strcmp(name, "SCMP_ACT_ERRNO")) {
		*ret = SCMP_ACT_ERRNO(errno_ret);
		return 0;
	}
	if (!strcmp(name, "SCMP_ACT_TRACE")) {
		*ret = SCMP_ACT_TRACE(errno_ret);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!strcmp(name, actions[i].name)) {
			*ret = actions[i].value;
			return 0;
		}
	}
	return error_set(err, EINVAL, "config: seccomp action \"%s\" is not supported", name);
}

static int compare_op(const char *name, struct error *err)
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
	return error_set(err, EINVAL, "config: seccomp operator \"%s\" is not known", name);
}

static int parse_args(json_object *rule, struct scmp_arg_cmp *args, unsigned *ret_count,
	struct error *err)
{
	json_object *a = NULL;
	int r = doc_array(rule, "args", &a, err);

	*ret_count = 0;
	for (size_t i = 0; r > 0 && i < json_object_array_length(a); i++) {
		json_object *o = json_object_array_get_idx(a, i), *value = NULL, *two = NULL;
		const char *name = "";
		int64_t index = 0;
		int op;

		if (i >= 6)
			return error_set(err, EINVAL, "config: a seccomp rule has more than 6 args");
		if (doc_integer(o, "index", 0, 5, &index, err) < 0 ||
			doc_string(o, "op", &name, err) < 0)
			return -EINVAL;
		op = compare_op(name, err);
		if (op < 0)
			return op;
		json_object_object_get_ex(o, "value", &value);
		json_object_object_get_ex(o, "valueTwo", &two);
		args[i] = (struct scmp_arg_cmp){ index, op, value ? json_object_get_uint64(value) : 0,
			two ? json_object_get_uint64(two) : 0 };
		*ret_count = i + 1;
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

static int add_rule(scmp_filter_ctx ctx, json_object *rule, uint32_t default_action,
	int64_t default_errno, struct error *err)
{
	_cleanup_free_ char **names = NULL;
	struct scmp_arg_cmp args[6];
	const char *name = "";
	int64_t errno_ret = default_errno;
	uint32_t act = 0;
	unsigned count;

	if (doc_strings(rule, "names", &names, NULL, err) < 0 ||
		doc_string(rule, "action", &name, err) < 0 ||
		doc_integer(rule, "errnoRet", 0, 4095, &errno_ret, err) < 0 ||
		action(name, errno_ret, &act, err) < 0 || parse_args(rule, args, &count, err) < 0)
		return -EINVAL;
	if (act == default_action)
		return 0;
	for (size_t i = 0; names && names[i]; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]), r = 0;

		if (nr == __NR_SCMP_ERROR) /* newer than this library */
			continue;
		if (alternatives(args, count)) {
			for (unsigned j = 0; r == 0 && j < count; j++)
				r = seccomp_rule_add_array(ctx, act, nr, 1, &args[j]);
		} else {
			r = seccomp_rule_add_array(ctx, act, nr, count, args);
		}
		if (r < 0 && r != -EEXIST)
			return error_errno(err, -r, "cannot add the seccomp rule for %s", names[i]);
	}
	return 0;
}

static int add_architectures(scmp_filter_ctx ctx, json_object *seccomp, struct error *err)
{
	_cleanup_free_ char **names = NULL;

	if (doc_strings(seccomp, "architectures", &names, NULL, err) < 0)
		return -EINVAL;
	for (size_t i = 0; names && names[i]; i++) {
		char name[32] = "";
		const char *from = names[i];
		uint32_t arch;
		int r;

		if (!strncmp(from, "SCMP_ARCH_", 10))
			from += 10;
		for (size_t j = 0; from[j] && j < sizeof(name) - 1; j++)
			name[j] = from[j] >= 'A' && from[j] <= 'Z' ? from[j] + 32 : from[j];
		arch = seccomp_arch_resolve_name(name);
		if (!arch)
			return error_set(err, EINVAL, "config: seccomp architecture %s is not known",
				names[i]);
		r = seccomp_arch_add(ctx, arch);
		if (r < 0 && r != -EEXIST)
			return error_errno(err, -r, "cannot add the seccomp architecture %s", names[i]);
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

static int compile(json_object *seccomp, struct seccomp_program *p, struct error *err)
{
	_cleanup_(release) scmp_filter_ctx ctx = NULL;
	json_object *rules = NULL;
	const char *name = "";
	int64_t errno_ret = EPERM;
	uint32_t act = 0;
	int r;

	if (doc_string(seccomp, "defaultAction", &name, err) < 0 ||
		doc_integer(seccomp, "defaultErrnoRet", 0, 4095, &errno_ret, err) < 0 ||
		action(name, errno_ret, &act, err) < 0 || doc_array(seccomp, "syscalls", &rules, err) < 0)
		return -EINVAL;
	ctx = seccomp_init(act);
	if (!ctx)
		return error_set(err, ENOMEM, "cannot make a seccomp filter");
	r = add_architectures(ctx, seccomp, err);
	for (size_t i = 0; r == 0 && rules && i < json_object_array_length(rules); i++)
		r = add_rule(ctx, json_object_array_get_idx(rules, i), act, EPERM, err);
	return r < 0 ? r : export_filter(ctx, p, err);
}

static int parse_flags(json_object *seccomp, unsigned *ret, struct error *err)
{
	_cleanup_free_ char **names = NULL;
	const char *listener = NULL;

	if (doc_strings(seccomp, "flags", &names, NULL, err) < 0 ||
		doc_string(seccomp, "listenerPath", &listener, err) < 0)
		return -EINVAL;
	if (listener)
		return error_set(err, EINVAL, "config: seccomp listenerPath is not supported");
	for (size_t i = 0; names && names[i]; i++) {
		if (!strcmp(names[i], "SECCOMP_FILTER_FLAG_LOG"))
			*ret |= SECCOMP_FILTER_FLAG_LOG;
		else if (!strcmp(names[i], "SECCOMP_FILTER_FLAG_SPEC_ALLOW"))
			*ret |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
		else if (strcmp(names[i], "SECCOMP_FILTER_FLAG_TSYNC") != 0)
			return error_set(err, EINVAL, "config: seccomp flag %s is not known", names[i]);
	}
	return 0;
}

static void fill_header(struct cache_header *h, size_t text_length, size_t filter_count)
{
	const struct scmp_version *v = seccomp_version();
	struct utsname u;

	memset(h, 0, sizeof(*h));
	memcpy(h->magic, "ctsecc1\n", 8);
	uname(&u);
	snprintf(h->made_by, sizeof(h->made_by), "%.64s %.32s %u.%u.%u", u.release, u.machine, v->major,
		v->minor, v->micro);
	h->text_length = text_length;
	h->filter_count = filter_count;
}

/* FNV-1a names the file; what is in it is compared. */
static void cache_name(const char *text, char *ret, size_t size)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
	snprintf(ret, size, "%016llx", (unsigned long long)h);
}

/* Only a directory that root alone can write to is trusted. */
static int open_cache(bool make)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (geteuid() != 0)
		return -EPERM;
	if (make) {
		mkdir(SECCOMP_CACHE_PARENT, 0755);
		mkdir(SECCOMP_CACHE, 0700);
	}
	fd = open(SECCOMP_CACHE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0 || st.st_mode & 022)
		return -EPERM;
	return steal_fd(&fd);
}

static bool cache_read(const char *text, struct seccomp_program *p)
{
	_cleanup_close_ int dir = open_cache(false), fd = -1;
	size_t length = strlen(text), bytes;
	struct cache_header want;
	struct stat st;
	const char *map;
	char name[32];
	bool hit;

	cache_name(text, name, sizeof(name));
	fd = dir >= 0 ? openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 ||
		st.st_mode & 022 || st.st_size < (off_t)(sizeof(want) + length))
		return false;
	bytes = st.st_size - sizeof(want) - length;
	if (bytes == 0 || bytes % sizeof(struct sock_filter) ||
		bytes / sizeof(struct sock_filter) > FILTER_MAX)
		return false;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return false;
	fill_header(&want, length, bytes / sizeof(struct sock_filter));
	hit = !memcmp(map, &want, sizeof(want)) && !memcmp(map + sizeof(want), text, length);
	if (hit) {
		p->count = want.filter_count;
		p->filter = xmalloc(bytes);
		memcpy(p->filter, map + sizeof(want) + length, bytes);
	}
	munmap((void *)map, st.st_size);
	return hit;
}

static size_t count_files(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	size_t n = 0;

	while (d && readdir(d))
		n++;
	return n;
}

/* Best effort: a cache that cannot be written costs time, not correctness. */
static void cache_write(const char *text, const struct seccomp_program *p)
{
	_cleanup_close_ int dir = open_cache(true), fd = -1;
	size_t length = strlen(text), bytes = p->count * sizeof(*p->filter);
	struct cache_header h;
	char name[32], temporary[48];

	if (dir < 0 || count_files(dir) > CACHE_FILES_MAX)
		return;
	cache_name(text, name, sizeof(name));
	snprintf(temporary, sizeof(temporary), ".%s.%d", name, getpid());
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	fill_header(&h, length, p->count);
	if (write(fd, &h, sizeof(h)) != (ssize_t)sizeof(h) ||
		write(fd, text, length) != (ssize_t)length ||
		write(fd, p->filter, bytes) != (ssize_t)bytes ||
		renameat(dir, temporary, dir, name) < 0)
		unlinkat(dir, temporary, 0);
}

int seccomp_prepare(json_object *seccomp, struct seccomp_program *ret, struct error *err)
{
	const char *text;
	int r;

	*ret = (struct seccomp_program){ 0 };
	if (!seccomp)
		return 0;
	r = parse_flags(seccomp, &ret->flags, err);
	if (r < 0)
		return r;
	text = json_object_to_json_string_ext(seccomp, JSON_C_TO_STRING_PLAIN);
	if (cache_read(text, ret))
		return 0;
	r = compile(seccomp, ret, err);
	if (r == 0)
		cache_write(text, ret);
	return r;
}

int seccomp_load_program(const struct seccomp_program *p, struct error *err)
{
	struct sock_fprog program = { .len = p->count, .filter = p->filter };

	if (!p->filter)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, p->flags, &program) < 0)
		return error_errno(err, errno, "cannot load the seccomp filter");
	return 0;
}

void seccomp_free(struct seccomp_program *p)
{
	free(p->filter);
	p->filter = NULL;
}
