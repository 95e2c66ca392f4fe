/* SPDX-License-Identifier: Apache-2.0 */
/* The loaded programs: arming, disarming, counters. */
#include "capture/hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "bpf/event_types.h"
#include "bpf/shared.h"
#include "bpf/ctrace.skel.h"
#include "capture/hooks_internal.h"
#include "util/cleanup.h"

static bool is_loaded(const struct hooks *hooks, size_t row)
{
	return bpf_program__fd(hooks_program(hooks, row)) >= 0;
}

bool hooks_can_arm(const struct hooks *hooks)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (hook_table[i].tier == TIER_DETAIL || hook_table[i].tier == TIER_SCHED) {
			if (is_loaded(hooks, i))
				return true;
		}
	}
	return false;
}

static void detach_tier(struct hooks *hooks, enum hook_tier tier)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (hook_table[i].tier == tier && hooks->links[i])
			bpf_link__destroy(steal_ptr(hooks->links[i]));
	}
}

/* The epoch turns odd when it is there. */
static void attach_sched(struct hooks *hooks)
{
	for (size_t i = 0; i < hook_count; i++) {
		if (hook_table[i].tier == TIER_SCHED && is_loaded(hooks, i))
			hooks->links[i] = hooks_attach(hooks, i);
		if (hook_table[i].tier == TIER_SCHED && hooks->links[i])
			hooks_counters(hooks)->sched_epoch++;
	}
}

/* What was begun is not to be taken for a beginning of the next time. */
static void empty_map(const struct bpf_map *map, int bound)
{
	int fd = bpf_map__fd(map);
	uint32_t tid;

	for (int i = 0; i < bound && bpf_map_get_next_key(fd, NULL, &tid) == 0; i++)
		bpf_map_delete_elem(fd, &tid);
}

static void detach_sched(struct hooks *hooks)
{
	if (hooks_counters(hooks)->sched_epoch & 1)
		hooks_counters(hooks)->sched_epoch++;
	detach_tier(hooks, TIER_SCHED);
	empty_map(hooks->skeleton->maps.blocked_in, CTRACE_MAX_BLOCKED);
}

static int attach_detail(struct hooks *hooks, struct error *err)
{
	/* Last row first: an exit without its entry is nothing, an entry without its exit is half a step. */
	for (size_t i = hook_count; i-- > 0;) {
		if (hook_table[i].tier != TIER_DETAIL || !is_loaded(hooks, i))
			continue;
		hooks->links[i] = hooks_attach(hooks, i);
		if (!hooks->links[i]) {
			int code = errno;

			hooks_disarm(hooks);
			return error_errno(err, code, "cannot attach %s", hook_table[i].section);
		}
	}
	return 0;
}

int hooks_arm(struct hooks *hooks, struct error *err)
{
	libbpf_print_fn_t previous;
	int r;

	if (hooks->armed)
		return 0;
	previous = libbpf_set_print(NULL); /* a refusal is told by err, or is none: EEXIST is tried again */
	r = attach_detail(hooks, err);
	libbpf_set_print(previous);
	if (r < 0)
		return r;
	hooks->armed = true;
	attach_sched(hooks);
	return 0;
}

void hooks_disarm(struct hooks *hooks)
{
	detach_tier(hooks, TIER_DETAIL);
	if (hooks->armed) {
		detach_sched(hooks);
		if (!hooks->calls_always) /* calls in progress will never be seen to end: no tid may pair with a later one */
			empty_map(hooks->skeleton->maps.inflight, CTRACE_MAX_INFLIGHT);
	}
	hooks->armed = false;
}

int hooks_open_snapshot(const struct hooks *hooks)
{
	struct bpf_program *program = hooks_program(hooks, hooks_row_of_program("ct_snapshot"));
	struct bpf_link *link = bpf_program__fd(program) < 0 ? NULL : bpf_program__attach_iter(program, NULL);
	int fd;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	bpf_link__destroy(link);
	return fd;
}

bool hooks_follow_payload(const struct hooks *hooks, uint32_t tgid, uint64_t start_ns)
{
	struct ctrace_role role = { .start_ns = start_ns, .role = ROLE_PAYLOAD };

	return bpf_map_update_elem(bpf_map__fd(hooks->skeleton->maps.role_of), &tgid, &role, BPF_NOEXIST) == 0 ||
		errno == EEXIST;
}

volatile struct ctrace_counters *hooks_counters(const struct hooks *hooks)
{
	return &hooks->skeleton->bss->counters;
}

uint64_t hooks_missed(const struct hooks *hooks)
{
	uint64_t missed = 0;

	for (size_t i = 0; i < hook_count; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 length = sizeof(info);

		if (is_loaded(hooks, i) &&
			bpf_obj_get_info_by_fd(bpf_program__fd(hooks_program(hooks, i)), &info, &length) == 0)
			missed += info.recursion_misses;
	}
	return missed;
}

void hooks_detach(struct hooks *hooks)
{
	for (size_t i = 0; hooks->links && i < hook_count; i++)
		bpf_link__destroy(steal_ptr(hooks->links[i]));
}

void hooks_unload(struct hooks *hooks)
{
	hooks_detach(hooks);
	free(steal_ptr(hooks->links));
	hooks_close(hooks);
}
