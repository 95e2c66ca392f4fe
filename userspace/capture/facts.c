/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/facts.h"

#include <stdlib.h>
#include <string.h>

#include "capture/facts_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

#define WALL_STEP_NS INT64_C(500000000)

static const char *const state_names[] = {
	[HOOK_ATTACHED] = "attached",
	[HOOK_ARMABLE] = "armable",
	[HOOK_FALLBACK] = "fallback",
	[HOOK_REFUSED] = "refused",
	[HOOK_ABSENT] = "absent",
};

const char *hook_state_name(enum hook_state state)
{
	return (size_t)state < ARRAY_SIZE(state_names) ? state_names[state] : "unknown";
}

bool hook_state_parse(const char *name, enum hook_state *ret_state)
{
	for (size_t i = 0; i < ARRAY_SIZE(state_names); i++) {
		if (strcmp(name, state_names[i]) == 0) {
			*ret_state = i;
			return true;
		}
	}
	return false;
}

struct hook_fact *facts_add_hook(struct facts *facts, const char *job, const char *hook, enum hook_state state,
	const char *reason)
{
	struct hook_fact *fact;

	array_grow(facts->hooks, facts->hook_count, facts->hook_capacity);
	fact = &facts->hooks[facts->hook_count++];
	memset(fact, 0, sizeof(*fact));
	snprintf(fact->job, sizeof(fact->job), "%s", job);
	snprintf(fact->hook, sizeof(fact->hook), "%s", hook);
	snprintf(fact->reason, sizeof(fact->reason), "%s", reason ? reason : "");
	fact->state = state;
	return fact;
}

void facts_add_unseen(struct facts *facts, const char *what, const char *why)
{
	struct unseen_fact *fact;

	array_grow(facts->unseen, facts->unseen_count, facts->unseen_capacity);
	fact = &facts->unseen[facts->unseen_count++];
	memset(fact, 0, sizeof(*fact));
	snprintf(fact->what, sizeof(fact->what), "%s", what);
	snprintf(fact->why, sizeof(fact->why), "%s", why);
}

bool facts_follow_wall_clock(struct facts *facts, int64_t wall_offset_ns)
{
	int64_t by = wall_offset_ns - facts->wall_offset_ns;

	if (by > -WALL_STEP_NS && by < WALL_STEP_NS)
		return false;
	facts->wall_offset_ns = wall_offset_ns;
	return true;
}

void facts_free(struct facts *facts)
{
	free(facts->hooks);
	free(facts->unseen);
	memset(facts, 0, sizeof(*facts));
}
