/* SPDX-License-Identifier: Apache-2.0 */
/* Where a call's time went, and what it was blocked in. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* A stack starts in the hook and the scheduler, which is where every wait ends; the first function beyond is the answer. */
static bool is_scheduler(const char *name, size_t length)
{
	static const char *const prefixes[] = { "bpf_", "__bpf_", "__traceiter_", "__schedule", "schedule", "io_schedule",
		"preempt_schedule", "__SCT__", "trampoline_" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (length >= strlen(prefixes[i]) && !memcmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	}
	return false;
}

/* An address without a name is none. */
static bool is_name(const char *line, size_t length)
{
	return length && !(length >= 2 && line[0] == '0' && line[1] == 'x');
}

static char *functions_of(const char *lines, size_t room)
{
	const char *end = lines + strnlen(lines, room);
	struct strbuf sb = { 0 };
	bool inside = false;

	while (lines < end) {
		const char *newline = memchr(lines, '\n', (size_t)(end - lines));
		size_t length = (size_t)((newline ? newline : end) - lines);

		inside |= is_name(lines, length) && !is_scheduler(lines, length);
		if (inside && is_name(lines, length)) {
			if (sb.length)
				strbuf_putc(&sb, '\x1f');
			strbuf_add(&sb, lines, length);
		}
		lines += length + (newline != NULL);
	}
	return sb.length ? strbuf_steal(&sb) : NULL;
}

void waits_take(struct step *step, const struct event_syscall_exit *e)
{
	size_t where = offsetof(struct event_syscall_exit, blocked_in);
	uint64_t duration = step->end_ns - step->start_ns, known;
	struct step_times *times;

	if (!(e->h.flags & EVENT_F_CPU) || e->h.size < offsetof(struct event_syscall_exit, blocked_ns) || step->times)
		return;
	times = step->times = xmalloc(sizeof(*times));
	*times = (struct step_times){ .on_cpu_ns = e->on_cpu_ns, .run_queue_ns = e->run_queue_ns };
	known = e->on_cpu_ns + e->run_queue_ns;
	times->blocked_ns = duration > known ? duration - known : 0;
	if (e->h.size <= where)
		return;
	times->longest_block_ns = e->blocked_ns;
	times->blocked_in = functions_of(e->blocked_in, e->h.size < sizeof(*e) ? e->h.size - where : sizeof(e->blocked_in));
}

static size_t text_size(const struct step_times *times)
{
	return times->blocked_in ? strlen(times->blocked_in) + 1 : 0;
}

size_t waits_size(const struct step *step)
{
	return step->times ? arena_piece(sizeof(*step->times) + text_size(step->times)) : 0;
}

void waits_move(struct step *step, struct arena *arena)
{
	const struct step_times *old = step->times;
	size_t length = old ? text_size(old) : 0;

	if (!old)
		return;
	step->times = arena_take(arena, sizeof(*old) + length);
	*step->times = *old;
	if (length)
		step->times->blocked_in = memcpy(step->times + 1, old->blocked_in, length);
}

void waits_free(struct step_times *times)
{
	if (times)
		free(times->blocked_in);
	free(times);
}

void waits_seal(struct step *step, struct arena *arena)
{
	struct step_times *old = step->times;

	waits_move(step, arena);
	waits_free(old);
}
