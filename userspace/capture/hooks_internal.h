/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_HOOKS_INTERNAL_H
#define CTRACE_HOOKS_INTERNAL_H

/* What the files of the hooks share: the table of hooks, and what is known of each row while they are chosen. */

#include <bpf/libbpf.h>
#include <stdarg.h>

#include "capture/facts.h"
#include "capture/hooks.h"
#include "capture/kernel_types.h"

struct bpf_program;

enum hook_tier {
	TIER_ALWAYS,
	TIER_DETAIL,   /* the pair on all system calls: attached while armed */
	TIER_SCHED,    /* the scheduler's hook: with the detail tier */
	TIER_ON_DEMAND /* an iterator: attached when it is read */
};

/* Rows of one group work together or not at all. */
enum hook_group {
	GROUP_NONE,
	GROUP_WRITE_FENTRY, GROUP_WRITE_KPROBE,
	GROUP_OOM_FENTRY, GROUP_OOM_KPROBE,
	GROUP_CALLS_KPROBE, GROUP_CALLS_PAIR,
	GROUP_COUNT
};

struct hook {
	const char *job, *program, *section;
	const char *target; /* the kernel's function, or the type of its tracepoint; NULL = something else */
	enum hook_tier tier;
	enum hook_group group;
};

extern const struct hook hook_table[];
extern const size_t hook_count;

int hooks_row_of_program(const char *name); /* -1 = there is none */

/* HOOK_ATTACHED stands for "not known to fail" until it is attached. */
struct outcome {
	enum hook_state state;
	char reason[160];
};

void outcome_set(struct outcome *outcome, enum hook_state state, const char *reason);

/* The kernel's functions for the system calls that containers are made with, and for what is said over AF_UNIX streams.
 * NULL-terminated; not every kernel has all of the former. */
extern const char *const hook_call_functions[];
extern const char *const hook_stream_functions[];

/* Names that choosing asks the kernel's types for; NULL-terminated. The caller frees the array. */
const char **hooks_names(void);

/* What can be told without loading the programs themselves. outcomes has hook_count elements. */
void hooks_find_absent(const struct kernel_types *types, struct outcome *outcomes);

/* Of two groups with the same job the better one, if nothing is known against it; the other one is not needed. Call
 * it again when something became known. */
void hooks_choose(struct outcome *outcomes);

/* hooks_direct.c: the programs that do without the helpers which lockdown=confidentiality forbids. hooks_open_direct opens
 * them, like the skeleton's own function; hooks_keep_helpers keeps libbpf from replacing those that read processes. */
bool hooks_need_direct_reads(void);
bool hooks_can_read_directly(const struct kernel_types *types);
struct ctrace_bpf *hooks_open_direct(void);
int hooks_keep_helpers(struct bpf_program *program);

/* hooks_target.c: before the programs are opened; 0 or -errno. */
int hooks_register_handlers(void);

/* Before they are loaded. `types` must stay until then. */
void hooks_prepare_targets(const struct kernel_types *types, bool direct);

/* NULL with errno where it fails. Not for kprobe.multi, which takes a list of functions, and iterators. */
struct bpf_link *hooks_attach(const struct hooks *hooks, size_t row);

void hooks_detach(struct hooks *hooks);

/* hooks_halves.c: the object is opened twice, for programs are verified side by side. hooks_open_half: 0 or -errno; the
 * types are read from the descriptor when the programs are loaded. hooks_make_maps makes the maps of both halves and
 * gives a descriptor for each in the order of the object, -1 for what is not shared, or fails with -errno (what was
 * made is the caller's to close); hooks_use_maps puts them in their place. hooks_set_wanted tells which programs are to
 * be loaded, each in the half that it belongs to. hooks_load_halves: 0, or -errno with the row of a program that the
 * kernel refused, -1 where it was something else. */
enum { HOOKS_MAX_MAPS = 16 };
int hooks_open_half(bool direct, int types_fd, struct ctrace_bpf **ret);
int hooks_make_maps(const struct ctrace_bpf *half, int fds[HOOKS_MAX_MAPS]);
int hooks_use_maps(const struct ctrace_bpf *half, const int fds[HOOKS_MAX_MAPS]);
void hooks_set_wanted(const struct hooks *hooks, size_t row, bool wanted);
int hooks_load_halves(struct hooks *hooks, int *ret_failed_row);
void hooks_close(struct hooks *hooks);
struct bpf_program *hooks_program(const struct hooks *hooks, size_t row);

/* Keeps libbpf's warnings to itself, and the name of the program that one is about to hooks_load_halves. */
int hooks_watch_libbpf(enum libbpf_print_level level, const char *format, va_list ap);

/* "the kernel refuses it (not permitted)"; code is positive. */
const char *hooks_refusal(int code);

#endif
