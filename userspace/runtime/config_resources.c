/* SPDX-License-Identifier: Apache-2.0 */
/* config-linux.md "Control groups": linux.resources, also what `update` is given. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "runtime/config.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Of r, w and m; all of them where there is none. An "a" beside them, which runc passes over and configurations have
 * ("rwa"), is read as what gives the container less: nothing where the rule allows, all three where it denies. */
static int parse_access(const char *text, struct cgroup_device *d)
{
	bool all = *text == '\0';
	size_t length = 0;

	for (const char *c = text; *c; c++) {
		if (*c == 'a' && c > text)
			all = all || !d->allow;
		else if (!strchr("rwm", *c) || length + 1 == sizeof(d->access))
			return -EINVAL;
		else
			d->access[length++] = *c;
	}
	if (all)
		memcpy(d->access, "rwm", sizeof("rwm"));
	return 0;
}

static int parse_device_rule(const struct doc *o, struct cgroup_device *d, struct error *err)
{
	static const char *const required[] = { "allow", NULL };
	const char *type = "a", *access = "rwm";

	*d = (struct cgroup_device){ .type = 'a', .major = -1, .minor = -1 };
	if (doc_require(o, required, err) < 0 || doc_bool(o, "allow", &d->allow, err) < 0 ||
		doc_string(o, "type", &type, err) < 0 || doc_string(o, "access", &access, err) < 0 ||
		doc_integer(o, "major", -1, INT32_MAX, &d->major, err) < 0 ||
		doc_integer(o, "minor", -1, INT32_MAX, &d->minor, err) < 0)
		return -EINVAL;
	if (strlen(type) > 1 || !strchr("abc", type[0]))
		return doc_error(o, "type", err, "\"%.64s\" is not a, b or c", type);
	if (parse_access(access, d) < 0)
		return doc_error(o, "access", err, "\"%.64s\" is not of r, w and m", access);
	d->type = type[0] ? type[0] : 'a';
	return 0;
}

static int parse_device_rules(const struct doc *d, struct cgroup_resources *r, struct error *err)
{
	struct doc a, e;
	int ret = doc_array(d, "devices", &a, err);

	for (size_t i = 0; ret >= 0 && i < doc_count(&a); i++) {
		array_grow(r->devices, r->device_count, r->device_capacity);
		ret = doc_element(&a, i, &e, err);
		if (ret == 0)
			ret = parse_device_rule(&e, &r->devices[r->device_count], err);
		if (ret == 0)
			r->device_count++;
	}
	return ret < 0 ? ret : 0;
}

/* Entries of {major, minor, VALUE_KEY}. */
static int parse_throttles(const struct doc *block, const char *key, const char *value_key,
	const char *name, struct cgroup_resources *r, struct error *err)
{
	bool weight = !strcmp(value_key, "weight");
	const char *const required[] = { "major", "minor", weight ? NULL : value_key, NULL };
	struct doc a, e;
	int ret = doc_array(block, key, &a, err);

	for (size_t i = 0; ret >= 0 && i < doc_count(&a); i++) {
		struct cgroup_throttle t = { .name = name, .rate = CGROUP_UNSET };
		int64_t leaf = CGROUP_UNSET; /* as in parse_block */

		if (doc_element(&a, i, &e, err) < 0 || doc_require(&e, required, err) < 0 ||
			doc_integer(&e, "major", 0, INT32_MAX, &t.major, err) < 0 ||
			doc_integer(&e, "minor", 0, INT32_MAX, &t.minor, err) < 0 ||
			doc_integer(&e, value_key, 0, weight ? 10000 : INT64_MAX, &t.rate, err) < 0 ||
			(weight && doc_integer(&e, "leafWeight", 0, 1000, &leaf, err) < 0))
			return -EINVAL;
		if (t.rate == CGROUP_UNSET && leaf == CGROUP_UNSET)
			return doc_error(&e, value_key, err, "it is missing, and so is leafWeight");
		if (t.rate == CGROUP_UNSET)
			continue;
		array_grow(r->throttles, r->throttle_count, r->throttle_capacity);
		r->throttles[r->throttle_count++] = t;
	}
	return ret < 0 ? ret : 0;
}

static int parse_block(const struct doc *d, struct cgroup_resources *r, struct error *err)
{
	static const char *const keys[][3] = { { "weightDevice", "weight", "weight" },
		{ "throttleReadBpsDevice", "rate", "read_bps" },
		{ "throttleWriteBpsDevice", "rate", "write_bps" },
		{ "throttleReadIOPSDevice", "rate", "read_iops" },
		{ "throttleWriteIOPSDevice", "rate", "write_iops" } };
	int64_t leaf = CGROUP_UNSET; /* gone from the kernel with the CFQ scheduler (5.0) */
	struct doc block;

	if (doc_object(d, "blockIO", &block, err) < 0 ||
		doc_integer(&block, "weight", 0, 10000, &r->blkio_weight, err) < 0 ||
		doc_integer(&block, "leafWeight", 0, 1000, &leaf, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (parse_throttles(&block, keys[i][0], keys[i][1], keys[i][2], r, err) < 0)
			return -EINVAL;
	}
	return 0;
}

static void add_pair(struct cgroup_pair **pairs, size_t *count, size_t *capacity, const char *key,
	char *value)
{
	array_grow(*pairs, *count, *capacity);
	(*pairs)[(*count)++] = (struct cgroup_pair){ xstrdup(key), value };
}

static bool is_listed(const struct cgroup_pair *pairs, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(pairs[i].key, key))
			return true;
	}
	return false;
}

static int parse_huge_pages(const struct doc *d, struct cgroup_resources *r, struct error *err)
{
	static const char *const required[] = { "pageSize", "limit", NULL };
	struct doc a, e;
	int ret = doc_array(d, "hugepageLimits", &a, err);

	for (size_t i = 0; ret >= 0 && i < doc_count(&a); i++) {
		const char *size = "";
		uint64_t limit = 0;

		if (doc_element(&a, i, &e, err) < 0 || doc_require(&e, required, err) < 0 ||
			doc_string(&e, "pageSize", &size, err) < 0 ||
			doc_unsigned(&e, "limit", &limit, err) < 0)
			return -EINVAL;
		if (!*size || strlen(size) > 16 || strspn(size, "0123456789KMGTB") != strlen(size))
			return doc_error(&e, "pageSize", err, "\"%.32s\" is not like 2MB", size);
		if (is_listed(r->hugetlb, r->hugetlb_count, size))
			return doc_error(&e, "pageSize", err, "%s is listed twice", size);
		add_pair(&r->hugetlb, &r->hugetlb_count, &r->hugetlb_capacity, size,
			xasprintf("%" PRIu64, limit));
	}
	return ret < 0 ? ret : 0;
}

static int parse_unified(const struct doc *d, struct cgroup_resources *r, struct error *err)
{
	struct doc u;
	int ret = doc_object(d, "unified", &u, err);

	if (ret <= 0)
		return ret;
	json_object_object_foreach(u.json, key, value) {
		const char *text = NULL;

		(void)value;
		if (doc_path(&u, key, &text, err) < 0)
			return -EINVAL;
		if (!text)
			return doc_error(&u, key, err, "it is not a string");
		if (strlen(key) >= sizeof(((struct cgroup_write *)NULL)->file) || strchr(key, '/'))
			return doc_error(&u, key, err, "it is no name of a cgroup file");
		add_pair(&r->unified, &r->unified_count, &r->unified_capacity, key,
			xstrdup(text));
	}
	return 0;
}

static int parse_memory(const struct doc *d, struct cgroup_resources *r, struct error *err)
{
	bool oom_disable = false, ignored = false;
	int64_t kernel = CGROUP_UNSET;
	struct doc m;

	/* kernel and kernelTCP: the specification says that they should not be used; Linux forgot them in 5.16 */
	if (doc_object(d, "memory", &m, err) < 0 ||
		doc_integer(&m, "limit", -1, INT64_MAX, &r->memory_limit, err) < 0 ||
		doc_integer(&m, "reservation", -1, INT64_MAX, &r->memory_reservation, err) < 0 ||
		doc_integer(&m, "swap", -1, INT64_MAX, &r->memory_swap, err) < 0 ||
		doc_integer(&m, "kernel", -1, INT64_MAX, &kernel, err) < 0 ||
		doc_integer(&m, "kernelTCP", -1, INT64_MAX, &kernel, err) < 0 ||
		doc_integer(&m, "swappiness", 0, 200, &r->memory_swappiness, err) < 0 ||
		doc_bool(&m, "useHierarchy", &ignored, err) < 0 ||
		doc_bool(&m, "checkBeforeUpdate", &ignored, err) < 0 ||
		doc_bool(&m, "disableOOMKiller", &oom_disable, err) < 0)
		return -EINVAL;
	if (oom_disable)
		r->memory_oom_disable = 1;
	return 0;
}

int config_check_resources(const struct doc *d, const struct cgroup_resources *r, struct error *err)
{
	const struct doc m = { .parent = d, .key = "memory" }, c = { .parent = d, .key = "cpu" };

	if (r->memory_swap > 0 && r->memory_limit <= 0)
		return doc_error(&m, "swap", err, "it needs limit: it is the sum of memory and swap");
	if (r->memory_swap > 0 && r->memory_swap < r->memory_limit)
		return doc_error(&m, "swap", err, "it is less than limit, and the sum of memory and swap");
	if (r->cpu_burst > 0 && r->cpu_quota > 0 && r->cpu_burst > r->cpu_quota)
		return doc_error(&c, "burst", err, "it is more than quota");
	if (r->cpu_rt_runtime > 0 && r->cpu_rt_period > 0 && r->cpu_rt_runtime > r->cpu_rt_period)
		return doc_error(&c, "realtimeRuntime", err, "it is more than realtimePeriod");
	return 0;
}

static int parse_cpu(const struct doc *d, struct cgroup_resources *r, struct error *err)
{
	const char *cpus = NULL, *mems = NULL;
	struct doc c;

	if (doc_object(d, "cpu", &c, err) < 0 ||
		doc_integer(&c, "shares", 0, INT64_MAX, &r->cpu_shares, err) < 0 ||
		doc_integer(&c, "quota", -1, INT64_MAX, &r->cpu_quota, err) < 0 ||
		doc_integer(&c, "period", 0, INT64_MAX, &r->cpu_period, err) < 0 ||
		doc_integer(&c, "burst", 0, INT64_MAX, &r->cpu_burst, err) < 0 ||
		doc_integer(&c, "realtimeRuntime", -1, INT64_MAX, &r->cpu_rt_runtime, err) < 0 ||
		doc_integer(&c, "realtimePeriod", 0, INT64_MAX, &r->cpu_rt_period, err) < 0 ||
		doc_integer(&c, "idle", 0, 1, &r->cpu_idle, err) < 0 ||
		doc_path(&c, "cpus", &cpus, err) < 0 || doc_path(&c, "mems", &mems, err) < 0)
		return -EINVAL;
	if (cpus && strspn(cpus, "0123456789,- \n") != strlen(cpus))
		return doc_error(&c, "cpus", err, "\"%.64s\" is not a list like 0-2,4", cpus);
	if (mems && strspn(mems, "0123456789,- \n") != strlen(mems))
		return doc_error(&c, "mems", err, "\"%.64s\" is not a list like 0-2,4", mems);
	r->cpuset_cpus = cpus ? xstrdup(cpus) : NULL;
	r->cpuset_mems = mems ? xstrdup(mems) : NULL;
	return 0;
}

static int parse_network(const struct doc *d, struct cgroup_resources *r, struct error *err)
{
	static const char *const required[] = { "name", "priority", NULL };
	struct doc n, a, e;
	int ret;

	if (doc_object(d, "network", &n, err) < 0 ||
		doc_integer(&n, "classID", 0, UINT32_MAX, &r->net_class, err) < 0)
		return -EINVAL;
	ret = doc_array(&n, "priorities", &a, err);
	for (size_t i = 0; ret >= 0 && i < doc_count(&a); i++) {
		const char *name = "";
		int64_t priority = 0;

		if (doc_element(&a, i, &e, err) < 0 || doc_require(&e, required, err) < 0 ||
			doc_string(&e, "name", &name, err) < 0 ||
			doc_integer(&e, "priority", 0, UINT32_MAX, &priority, err) < 0)
			return -EINVAL;
		if (!*name || strlen(name) > 15 || name[strcspn(name, "/: \t\n")])
			return doc_error(&e, "name", err, "\"%.32s\" is no name of an interface", name);
		if (is_listed(r->net_priorities, r->net_priority_count, name))
			return doc_error(&e, "name", err, "%s is listed twice", name);
		add_pair(&r->net_priorities, &r->net_priority_count, &r->net_priority_capacity, name,
			xasprintf("%" PRId64, priority));
	}
	return ret < 0 ? ret : 0;
}

static int parse_rdma(const struct doc *d, struct cgroup_resources *r, struct error *err)
{
	struct doc all, one;
	int ret = doc_object(d, "rdma", &all, err);

	if (ret <= 0)
		return ret;
	json_object_object_foreach(all.json, key, value) {
		int64_t handles = -1, objects = -1;

		(void)value;
		ret = doc_object(&all, key, &one, err);
		if (ret < 0 || doc_integer(&one, "hcaHandles", 0, UINT32_MAX, &handles, err) < 0 ||
			doc_integer(&one, "hcaObjects", 0, UINT32_MAX, &objects, err) < 0)
			return -EINVAL;
		if (handles >= 0)
			add_pair(&r->rdma, &r->rdma_count, &r->rdma_capacity, key,
				xasprintf("hca_handle=%" PRId64, handles));
		if (objects >= 0)
			add_pair(&r->rdma, &r->rdma_count, &r->rdma_capacity, key,
				xasprintf("hca_object=%" PRId64, objects));
	}
	return 0;
}

int config_parse_resources(const struct doc *d, struct cgroup_resources *r, struct error *err)
{
	struct doc pids;

	if (parse_memory(d, r, err) < 0 || parse_cpu(d, r, err) < 0 ||
		doc_object(d, "pids", &pids, err) < 0 ||
		doc_integer(&pids, "limit", INT64_MIN + 1, INT64_MAX, &r->pids_limit, err) < 0 ||
		parse_block(d, r, err) < 0 || parse_device_rules(d, r, err) < 0 ||
		parse_huge_pages(d, r, err) < 0 || parse_network(d, r, err) < 0 ||
		parse_rdma(d, r, err) < 0 || parse_unified(d, r, err) < 0)
		return -EINVAL;
	return 0;
}
