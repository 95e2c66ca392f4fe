/* SPDX-License-Identifier: Apache-2.0 */
/* New limits for a container that exists. */
#include <errno.h>
#include <string.h>

#include "runtime/runtime_internal.h"
#include "util/cleanup.h"

/* dockerd sends 0 for what its user has not named. */
static bool given(int64_t value)
{
	return value != CGROUP_UNSET && value != 0;
}

/* Swap is the sum of both limits, and quota and period are one file on v2: of such a pair, who names one half means the
 * other to stay. */
static void keep_other_half(const struct cgroup *cg, struct cgroup_resources *r)
{
	struct cgroup_stats now;

	cgroup_read_stats(cg, &now);
	if (given(r->memory_swap) && r->memory_swap > 0 && !given(r->memory_limit))
		r->memory_limit = now.memory_limit;
	if (given(r->cpu_quota) && !given(r->cpu_period))
		r->cpu_period = now.cpu_period_us;
	else if (given(r->cpu_period) && !given(r->cpu_quota))
		r->cpu_quota = now.cpu_quota_us;
}

int runtime_update(struct container *c, const char *resources, struct error *err)
{
	_cleanup_(cgroup_resources_free) struct cgroup_resources r;
	_cleanup_(doc_put) json_object *json = NULL;
	struct doc d = { .key = "resources" };
	int ret;

	cgroup_resources_init(&r);
	if (!c->cgroup)
		return error_set(err, ENOENT, "container %s has no cgroup", c->id);
	ret = doc_parse(resources, strlen(resources), &json, err);
	d.json = json;
	if (ret == 0)
		ret = config_parse_resources(&d, &r, err);
	if (ret == 0) {
		keep_other_half(c->cgroup, &r);
		ret = config_check_resources(&d, &r, err);
	}
	/* a v2 device program would be added to the one that is there, not replace it */
	r.device_count = 0;
	return ret < 0 ? ret : cgroup_apply(c->cgroup, &r, err);
}
