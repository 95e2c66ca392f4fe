/* SPDX-License-Identifier: Apache-2.0 */
/* New limits for a container that exists. */
#include <errno.h>
#include <string.h>

#include "runtime/runtime_internal.h"
#include "util/cleanup.h"

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
	/* swap is the sum of both: the limit that is there stays */
	if (ret == 0 && r.memory_swap > 0 && r.memory_limit == CGROUP_UNSET) {
		struct cgroup_stats now;

		cgroup_read_stats(c->cgroup, &now);
		r.memory_limit = now.memory_limit;
	}
	if (ret == 0)
		ret = config_check_resources(&d, &r, err);
	/* a v2 device program would be added to the one that is there, not replace it */
	r.device_count = 0;
	return ret < 0 ? ret : cgroup_apply(c->cgroup, &r, err);
}
