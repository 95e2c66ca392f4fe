/* SPDX-License-Identifier: Apache-2.0 */
/* Limits as the OCI runtime specification writes them, turned into files and values of v1 and v2. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cgroup/cgroup_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

void cgroup_resources_init(struct cgroup_resources *r)
{
	memset(r, 0, sizeof(*r));
	r->memory_limit = r->memory_reservation = r->memory_swap = CGROUP_UNSET;
	r->memory_swappiness = r->memory_oom_disable = CGROUP_UNSET;
	r->cpu_shares = r->cpu_quota = r->cpu_period = r->cpu_burst = r->cpu_idle = CGROUP_UNSET;
	r->cpu_rt_runtime = r->cpu_rt_period = r->net_class = CGROUP_UNSET;
	r->pids_limit = r->blkio_weight = CGROUP_UNSET;
}

static void free_pairs(struct cgroup_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(pairs[i].key);
		free(pairs[i].value);
	}
	free(pairs);
}

void cgroup_resources_free(struct cgroup_resources *r)
{
	free(r->cpuset_cpus);
	free(r->cpuset_mems);
	free(r->devices);
	free(r->throttles);
	free_pairs(r->hugetlb, r->hugetlb_count);
	free_pairs(r->net_priorities, r->net_priority_count);
	free_pairs(r->rdma, r->rdma_count);
	free_pairs(r->unified, r->unified_count);
	cgroup_resources_init(r);
}

/* log2 and exp2 to 1e-12, enough for weights below 10001: libm is one more library to load at every
 * container start. */
static double log2_of(double x)
{
	double result = 0, bit = 1;

	for (; x >= 2; x /= 2)
		result++;
	for (int i = 0; i < 44; i++) {
		x *= x;
		bit /= 2;
		if (x >= 2) {
			x /= 2;
			result += bit;
		}
	}
	return result;
}

static double exp2_of(double x)
{
	const double ln2 = 0.69314718055994530942;
	double whole = 1, sum = 1, term = 1;

	for (; x >= 1; x--)
		whole *= 2;
	for (int i = 1; i < 24; i++) {
		term *= x * ln2 / i;
		sum += term;
	}
	return whole * sum;
}

uint64_t cgroup_cpu_weight(uint64_t shares)
{
	const double log2_10 = 3.32192809488736234787;
	double l, weight;

	if (shares == 0)
		return 0;
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2_of((double)shares);
	weight = exp2_of(((l * l + 125 * l) / 612.0 - 7.0 / 34.0) * log2_10);
	return (uint64_t)(weight - 1e-7) + 1; /* rounded up, 1024 being exactly 100 */
}

uint64_t cgroup_io_weight(uint64_t weight)
{
	return weight < 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

static void __attribute__((format(printf, 4, 5))) add(struct cgroup_plan *plan,
	const char *controller, const char *file, const char *format, ...)
{
	struct cgroup_write *w;
	va_list ap;

	array_grow(plan->writes, plan->count, plan->capacity);
	w = &plan->writes[plan->count++];
	*w = (struct cgroup_write){ .controller = controller };
	snprintf(w->file, sizeof(w->file), "%s", file);
	va_start(ap, format);
	if (vasprintf(&w->value, format, ap) < 0)
		w->value = xstrdup("");
	va_end(ap);
}

static void add_limit(struct cgroup_plan *plan, const char *controller, const char *file,
	int64_t value)
{
	if (value == CGROUP_UNSET)
		return;
	if (value < 0)
		add(plan, controller, file, "max");
	else
		add(plan, controller, file, "%" PRId64, value);
}

static void add_number(struct cgroup_plan *plan, const char *controller, const char *file,
	int64_t value)
{
	if (value != CGROUP_UNSET)
		add(plan, controller, file, "%" PRId64, value);
}

static bool given(int64_t value)
{
	return value != CGROUP_UNSET && value != 0;
}

static int check_memory(const struct cgroup_resources *r, struct error *err)
{
	if (given(r->memory_swap) && r->memory_swap > 0 && !given(r->memory_limit))
		return error_set(err, EINVAL, "linux.resources.memory.swap: %" PRId64 " needs memory.limit: it is the "
			"sum of memory and swap", r->memory_swap);
	if (r->memory_swap > 0 && r->memory_limit > 0 && r->memory_swap < r->memory_limit)
		return error_set(err, EINVAL, "linux.resources.memory.swap: %" PRId64 " is less than memory.limit %"
			PRId64 ": it is the sum of memory and swap", r->memory_swap, r->memory_limit);
	return 0;
}

static void plan_memory_v1(struct cgroup_plan *plan, const struct cgroup_resources *r)
{
	int64_t swap = r->memory_swap;

	if (r->memory_limit == -1 && swap == CGROUP_UNSET)
		swap = -1;
	if (given(r->memory_limit))
		add_number(plan, "memory", "memory.limit_in_bytes", r->memory_limit);
	if (given(swap)) {
		add_number(plan, "memory", "memory.memsw.limit_in_bytes", swap);
		/* a kernel without swap accounting has no such file, and nothing to lift there */
		plan->writes[plan->count - 1].optional = swap == -1;
	}
	if (given(r->memory_reservation))
		add_number(plan, "memory", "memory.soft_limit_in_bytes", r->memory_reservation);
	add_number(plan, "memory", "memory.swappiness", r->memory_swappiness);
	if (given(r->memory_oom_disable))
		add_number(plan, "memory", "memory.oom_control", r->memory_oom_disable);
}

static void plan_memory_v2(struct cgroup_plan *plan, const struct cgroup_resources *r)
{
	if (given(r->memory_swap)) {
		int64_t swap = r->memory_swap;

		if (swap > 0 && r->memory_limit > 0)
			swap -= r->memory_limit;
		add_limit(plan, "memory", "memory.swap.max", swap);
		plan->writes[plan->count - 1].optional = swap <= 0;
	}
	if (given(r->memory_limit))
		add_limit(plan, "memory", "memory.max", r->memory_limit);
	if (given(r->memory_reservation))
		add_limit(plan, "memory", "memory.low", r->memory_reservation);
}

static void plan_cpu_v1(struct cgroup_plan *plan, const struct cgroup_resources *r)
{
	add_number(plan, "cpu", "cpu.idle", r->cpu_idle);
	if (given(r->cpu_shares))
		add_number(plan, "cpu", "cpu.shares", r->cpu_shares);
	if (given(r->cpu_period))
		add_number(plan, "cpu", "cpu.cfs_period_us", r->cpu_period);
	if (given(r->cpu_quota))
		add_number(plan, "cpu", "cpu.cfs_quota_us", r->cpu_quota);
	if (given(r->cpu_burst))
		add_number(plan, "cpu", "cpu.cfs_burst_us", r->cpu_burst);
	if (given(r->cpu_rt_period))
		add_number(plan, "cpu", "cpu.rt_period_us", r->cpu_rt_period);
	if (given(r->cpu_rt_runtime))
		add_number(plan, "cpu", "cpu.rt_runtime_us", r->cpu_rt_runtime);
}

static void plan_network_v1(struct cgroup_plan *plan, const struct cgroup_resources *r)
{
	if (given(r->net_class))
		add_number(plan, "net_cls", "net_cls.classid", r->net_class);
	for (size_t i = 0; i < r->net_priority_count; i++)
		add(plan, "net_prio", "net_prio.ifpriomap", "%s %s", r->net_priorities[i].key,
			r->net_priorities[i].value);
}

/* v2 has no controller for these: not to say so would be to pretend. */
static int check_v1_only(const struct cgroup_resources *r, struct error *err)
{
	if (given(r->cpu_rt_runtime) || given(r->cpu_rt_period))
		return error_set(err, EOPNOTSUPP, "linux.resources.cpu.%s: it needs cgroup v1",
			given(r->cpu_rt_runtime) ? "realtimeRuntime" : "realtimePeriod");
	if (given(r->net_class) || r->net_priority_count)
		return error_set(err, EOPNOTSUPP, "linux.resources.network.%s: it needs cgroup v1",
			given(r->net_class) ? "classID" : "priorities");
	return 0;
}

static void plan_cpu_v2(struct cgroup_plan *plan, const struct cgroup_resources *r)
{
	int64_t period = given(r->cpu_period) ? r->cpu_period : 100000;

	add_number(plan, "cpu", "cpu.idle", r->cpu_idle);
	if (given(r->cpu_shares))
		add(plan, "cpu", "cpu.weight", "%" PRIu64, cgroup_cpu_weight(r->cpu_shares));
	if (given(r->cpu_quota) && r->cpu_quota > 0)
		add(plan, "cpu", "cpu.max", "%" PRId64 " %" PRId64, r->cpu_quota, period);
	else if (given(r->cpu_quota) || given(r->cpu_period))
		add(plan, "cpu", "cpu.max", "max %" PRId64, period);
	if (given(r->cpu_burst))
		add_number(plan, "cpu", "cpu.max.burst", r->cpu_burst);
}

static void plan_devices_v1(struct cgroup_plan *plan, const struct cgroup_resources *r)
{
	for (size_t i = 0; i < r->device_count; i++) {
		const struct cgroup_device *d = &r->devices[i];
		const char *file = d->allow ? "devices.allow" : "devices.deny";
		char major[24] = "*", minor[24] = "*";

		if (d->major >= 0)
			snprintf(major, sizeof(major), "%" PRId64, d->major);
		if (d->minor >= 0)
			snprintf(minor, sizeof(minor), "%" PRId64, d->minor);
		if (d->type == 'a' && d->major < 0 && d->minor < 0)
			add(plan, "devices", file, "a");
		else if (d->type != 'a')
			add(plan, "devices", file, "%c %s:%s %s", d->type, major, minor, d->access);
		else
			for (const char *t = "bc"; *t; t++)
				add(plan, "devices", file, "%c %s:%s %s", *t, major, minor, d->access);
	}
}

static void plan_blkio(struct cgroup_plan *plan, int version, const struct cgroup_resources *r)
{
	static const struct {
		const char *name, *v1, *v2;
	} files[] = {
		{ "read_bps", "blkio.throttle.read_bps_device", "rbps" },
		{ "write_bps", "blkio.throttle.write_bps_device", "wbps" },
		{ "read_iops", "blkio.throttle.read_iops_device", "riops" },
		{ "write_iops", "blkio.throttle.write_iops_device", "wiops" },
	};
	static const char *const weight_files[] = { "blkio.weight_device", "io.weight" };

	if (given(r->blkio_weight) && version == 1)
		add_number(plan, "blkio", "blkio.weight", r->blkio_weight);
	else if (given(r->blkio_weight))
		add(plan, "io", "io.weight", "default %" PRIu64, cgroup_io_weight(r->blkio_weight));
	for (size_t i = 0; i < r->throttle_count; i++) {
		const struct cgroup_throttle *t = &r->throttles[i];

		if (!strcmp(t->name, "weight"))
			add(plan, version == 1 ? "blkio" : "io", weight_files[version - 1],
				"%" PRId64 ":%" PRId64 " %" PRId64, t->major, t->minor,
				version == 1 ? t->rate : (int64_t)cgroup_io_weight(t->rate));
		for (size_t j = 0; j < ARRAY_SIZE(files); j++) {
			if (strcmp(t->name, files[j].name) != 0)
				continue;
			if (version == 1)
				add(plan, "blkio", files[j].v1, "%" PRId64 ":%" PRId64 " %" PRId64,
					t->major, t->minor, t->rate);
			else
				add(plan, "io", "io.max", "%" PRId64 ":%" PRId64 " %s=%" PRId64,
					t->major, t->minor, files[j].v2, t->rate);
		}
	}
}

static int plan_unified(struct cgroup_plan *plan, const struct cgroup_resources *r,
	struct error *err)
{
	static const char *const controllers[] = { "memory", "cpu", "cpuset", "pids", "io", "hugetlb",
		"rdma", "misc", "cgroup" };

	for (size_t i = 0; i < r->unified_count; i++) {
		const char *key = r->unified[i].key, *controller = NULL;
		size_t length = strcspn(key, ".");

		for (size_t j = 0; j < ARRAY_SIZE(controllers); j++) {
			if (strlen(controllers[j]) == length && !strncmp(key, controllers[j], length))
				controller = controllers[j];
		}
		if (!controller || strchr(key, '/'))
			return error_set(err, EINVAL, "linux.resources.unified.%s: it is not a file of a "
				"controller that ctrace knows", key);
		add(plan, controller, key, "%s", r->unified[i].value);
		plan->writes[plan->count - 1].unified = true;
	}
	return 0;
}

int cgroup_plan(struct cgroup_plan *plan, int version, const struct cgroup_resources *r,
	struct error *err)
{
	int ret = check_memory(r, err);

	if (ret < 0)
		return ret;
	if (version == 1) {
		plan_memory_v1(plan, r);
		plan_cpu_v1(plan, r);
		plan_devices_v1(plan, r);
		plan_network_v1(plan, r);
	} else {
		ret = check_v1_only(r, err);
		if (ret < 0)
			return ret;
		plan_memory_v2(plan, r);
		plan_cpu_v2(plan, r);
	}
	if (r->cpuset_cpus && r->cpuset_cpus[0])
		add(plan, "cpuset", "cpuset.cpus", "%s", r->cpuset_cpus);
	if (r->cpuset_mems && r->cpuset_mems[0])
		add(plan, "cpuset", "cpuset.mems", "%s", r->cpuset_mems);
	if (r->pids_limit != CGROUP_UNSET)
		add_limit(plan, "pids", "pids.max", r->pids_limit > 0 ? r->pids_limit : -1);
	plan_blkio(plan, version, r);
	for (size_t i = 0; i < r->hugetlb_count; i++) {
		char file[64];

		snprintf(file, sizeof(file), "hugetlb.%s.%s", r->hugetlb[i].key,
			version == 1 ? "limit_in_bytes" : "max");
		add(plan, "hugetlb", file, "%s", r->hugetlb[i].value);
	}
	for (size_t i = 0; i < r->rdma_count; i++)
		add(plan, "rdma", "rdma.max", "%s %s", r->rdma[i].key, r->rdma[i].value);
	if (version == 2)
		return plan_unified(plan, r, err);
	if (r->unified_count)
		return error_set(err, EINVAL, "linux.resources.unified: invalid configuration: unified resource %s needs cgroup v2, and this host's "
			"controllers are v1", r->unified[0].key);
	return 0;
}

void cgroup_plan_free(struct cgroup_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->writes[i].value);
	free(plan->writes);
	*plan = (struct cgroup_plan){ 0 };
}

static const char *hint(const struct cgroup_write *w, int code)
{
	if (code == EBUSY && str_starts(w->file, "memory."))
		return " (more than that is in use already)";
	if (code == EINVAL && strstr(w->file, "cfs_"))
		return " (quota and period: 1000 to 1000000 us; a child may not have more than its parent)";
	if ((code == EINVAL || code == ERANGE) && str_starts(w->file, "cpuset."))
		return " (not available in the parent cgroup)";
	if (code == ENOENT)
		return " (this kernel does not have the file)";
	return "";
}

/* The member of linux.resources that a write is for. */
static const char *field(const struct cgroup_write *w)
{
	static const struct {
		const char *file, *field;
	} fields[] = {
		{ "memory.limit_in_bytes", "memory.limit" }, { "memory.max", "memory.limit" },
		{ "memory.memsw.limit_in_bytes", "memory.swap" }, { "memory.swap.max", "memory.swap" },
		{ "memory.soft_limit_in_bytes", "memory.reservation" }, { "memory.low", "memory.reservation" },
		{ "memory.swappiness", "memory.swappiness" }, { "memory.oom_control", "memory.disableOOMKiller" },
		{ "cpu.idle", "cpu.idle" }, { "cpu.shares", "cpu.shares" }, { "cpu.weight", "cpu.shares" },
		{ "cpu.cfs_period_us", "cpu.period" }, { "cpu.cfs_quota_us", "cpu.quota" }, { "cpu.max", "cpu.quota" },
		{ "cpu.cfs_burst_us", "cpu.burst" }, { "cpu.max.burst", "cpu.burst" },
		{ "cpu.rt_period_us", "cpu.realtimePeriod" }, { "cpu.rt_runtime_us", "cpu.realtimeRuntime" },
		{ "cpuset.cpus", "cpu.cpus" }, { "cpuset.mems", "cpu.mems" }, { "pids.max", "pids.limit" },
		{ "net_cls.classid", "network.classID" }, { "net_prio.ifpriomap", "network.priorities" },
		{ "devices.allow", "devices" }, { "devices.deny", "devices" }, { "blkio.weight", "blockIO.weight" },
		{ "blkio.weight_device", "blockIO.weightDevice" }, { "io.weight", "blockIO.weight" },
		{ "blkio.throttle.read_bps_device", "blockIO.throttleReadBpsDevice" },
		{ "blkio.throttle.write_bps_device", "blockIO.throttleWriteBpsDevice" },
		{ "blkio.throttle.read_iops_device", "blockIO.throttleReadIOPSDevice" },
		{ "blkio.throttle.write_iops_device", "blockIO.throttleWriteIOPSDevice" },
		{ "io.max", "blockIO" }, { "rdma.max", "rdma" },
	};

	for (size_t i = 0; !w->unified && i < ARRAY_SIZE(fields); i++) {
		if (!strcmp(w->file, fields[i].file))
			return fields[i].field;
	}
	return w->unified ? "unified" : "hugepageLimits";
}

static int refused(const struct hierarchy *h, const struct cgroup_write *w, int code,
	struct error *err)
{
	return error_set(err, code, "linux.resources.%s: cannot write \"%s\" to %s/%s: %s%s", field(w), w->value,
		h->directory, w->file, strerror(code), hint(w, code));
}

static int apply_write(const struct cgroup *cg, const struct cgroup_write *w, struct error *err)
{
	const struct hierarchy *h = cgroup_find(cg, w->controller);
	int r;

	if (!strcmp(w->controller, "cgroup"))
		h = cgroup_find_v2(cg);
	if (!h)
		return error_set(err, EOPNOTSUPP, "linux.resources.%s: cannot set %s to %s: this host "
			"has no %s controller", field(w), w->file, w->value, w->controller);
	r = cgroup_write_at(h->fd, w->file, w->value);
	/* hybrid: controllers that no v1 hierarchy has taken are v2's */
	if (r == -ENOENT && str_starts(w->file, "hugetlb.") && h->version == 2) {
		_cleanup_free_ char *file =
			xasprintf("%.*s.max", (int)(strrchr(w->file, '.') - w->file), w->file);

		r = cgroup_write_at(h->fd, file, w->value);
	}
	if (r == -ENOENT && !strcmp(w->file, "blkio.weight"))
		r = cgroup_write_at(h->fd, "blkio.bfq.weight", w->value);
	if (r == -ENOENT && !strcmp(w->file, "blkio.weight_device"))
		r = cgroup_write_at(h->fd, "blkio.bfq.weight_device", w->value);
	if (r == -ENOENT && w->optional)
		return 0;
	return r < 0 ? refused(h, w, -r, err) : 0;
}

/* v1 wants memory <= memory+swap at every moment: where both rise, the sum must go first. And the share of a CPU below
 * the parent's: where the period shrinks, the quota must go first. */
static bool must_swap_order(const struct cgroup_plan *plan, size_t i, int r)
{
	static const char *const pairs[][2] = {
		{ "memory.limit_in_bytes", "memory.memsw.limit_in_bytes" },
		{ "cpu.cfs_period_us", "cpu.cfs_quota_us" },
	};

	for (size_t k = 0; r == -EINVAL && i + 1 < plan->count && k < ARRAY_SIZE(pairs); k++) {
		if (!strcmp(plan->writes[i].file, pairs[k][0]) &&
			!strcmp(plan->writes[i + 1].file, pairs[k][1]))
			return true;
	}
	return false;
}

int cgroup_apply(struct cgroup *cg, const struct cgroup_resources *r, struct error *err)
{
	_cleanup_(cgroup_plan_free) struct cgroup_plan plan = { 0 };
	bool v2 = cgroup_is_v2(cg);
	int ret = cgroup_plan(&plan, v2 ? 2 : 1, r, err);

	for (size_t i = 0; ret == 0 && i < plan.count; i++) {
		ret = apply_write(cg, &plan.writes[i], err);
		if (must_swap_order(&plan, i, ret)) {
			ret = apply_write(cg, &plan.writes[i + 1], err);
			if (ret == 0)
				ret = apply_write(cg, &plan.writes[i], err);
			i++;
		}
	}
	if (ret == 0 && v2 && r->device_count)
		ret = cgroup_device_attach(cgroup_v2_fd(cg), r, err);
	return ret;
}
