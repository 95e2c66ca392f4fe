/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Most of the time until ctrace sees something the kernel verifies its programs, and it verifies what two threads bring at
 * the same time. So the object is opened twice: each opening brings one half of the programs, both on the same maps. What
 * else takes long goes side by side, too: both are opened at the same time, and the kernel's types looked through while the
 * maps are made.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "bpf/event_types.h"
#include "bpf/shared.h"
#include "bpf/ctrace.skel.h"
#include "capture/hooks_internal.h"
#include "util/cleanup.h"
#include "util/parallel.h"

/* The two halves cost about the same: docs/bpf-cost.tsv. */
static bool is_in_second_half(size_t row)
{
	return hook_table[row].tier != TIER_ALWAYS || hook_table[row].group == GROUP_CALLS_KPROBE;
}

static struct bpf_program *program_in(const struct ctrace_bpf *half, size_t row)
{
	return bpf_object__find_program_by_name(half->obj, hook_table[row].program);
}

struct bpf_program *hooks_program(const struct hooks *hooks, size_t row)
{
	return program_in(is_in_second_half(row) ? hooks->second : hooks->skeleton, row);
}

void hooks_set_wanted(const struct hooks *hooks, size_t row, bool wanted)
{
	bpf_program__set_autoload(program_in(hooks->skeleton, row), wanted && !is_in_second_half(row));
	bpf_program__set_autoload(program_in(hooks->second, row), wanted && is_in_second_half(row));
}

/* ---- opening ---- */

int hooks_open_half(bool direct, int types_fd, struct ctrace_bpf **ret)
{
	char path[32];
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = path);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", types_fd);
	*ret = direct ? hooks_open_direct() : ctrace_bpf__open_opts(&options);
	return *ret ? 0 : -errno;
}

/* ---- maps ---- */

/* Constants are each half's own: libbpf fills and freezes them. */
static bool is_shared(const struct bpf_map *map)
{
	return !(bpf_map__map_flags(map) & BPF_F_RDONLY_PROG);
}

static int make_map(const struct bpf_map *map)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = bpf_map__map_flags(map));
	int fd = bpf_map_create(bpf_map__type(map), bpf_map__name(map), bpf_map__key_size(map), bpf_map__value_size(map),
		bpf_map__max_entries(map), &options);

	return fd < 0 ? -errno : fd;
}

int hooks_make_maps(const struct ctrace_bpf *half, int fds[HOOKS_MAX_MAPS])
{
	const struct bpf_map *map = NULL;

	for (size_t i = 0; (map = bpf_object__next_map(half->obj, map)); i++) {
		if (i == HOOKS_MAX_MAPS)
			return -E2BIG;
		fds[i] = is_shared(map) ? make_map(map) : -1;
		if (is_shared(map) && fds[i] < 0)
			return fds[i];
	}
	return 0;
}

int hooks_use_maps(const struct ctrace_bpf *half, const int fds[HOOKS_MAX_MAPS])
{
	struct bpf_map *map = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && (map = bpf_object__next_map(half->obj, map)); i++)
		r = is_shared(map) ? bpf_map__reuse_fd(map, fds[i]) : 0;
	return r;
}

/* ---- loading ---- */

/* The last complaint of libbpf about a program: it tells there, and nowhere else, which one failed. */
static _Thread_local char failed_program[64];

int hooks_watch_libbpf(enum libbpf_print_level level, const char *format, va_list ap)
{
	char text[512], *start, *end;

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(text, sizeof(text), format, ap);
	start = strstr(text, "prog '");
	end = start ? strchr(start + 6, '\'') : NULL;
	if (end && strstr(end, "failed to load")) {
		*end = '\0';
		snprintf(failed_program, sizeof(failed_program), "%s", start + 6);
	}
	return 0;
}

struct halves {
	struct hooks *hooks;
	int failed_row[2]; /* -1 = none, or what failed was no program */
};

static int load_half(struct ctrace_bpf *half, int *ret_failed_row)
{
	int r;

	failed_program[0] = '\0';
	r = ctrace_bpf__load(half);
	*ret_failed_row = hooks_row_of_program(failed_program);
	return r;
}

static int load_first(void *arg)
{
	struct halves *h = arg;

	return load_half(h->hooks->skeleton, &h->failed_row[0]);
}

static int load_second(void *arg)
{
	struct halves *h = arg;

	return load_half(h->hooks->second, &h->failed_row[1]);
}

int hooks_load_halves(struct hooks *hooks, int *ret_failed_row)
{
	struct halves h = { .hooks = hooks };
	int r = parallel_run(load_first, load_second, &h);

	*ret_failed_row = h.failed_row[0] >= 0 ? h.failed_row[0] : h.failed_row[1];
	return r;
}

void hooks_close(struct hooks *hooks)
{
	ctrace_bpf__destroy(steal_ptr(hooks->second));
	ctrace_bpf__destroy(steal_ptr(hooks->skeleton));
}
