/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace inspect, its larger half: what a running container is made of, read from /proc and cgroupfs. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/cgroup.h"
#include "cmd/command.h"
#include "cmd/inspect_facts.h"
#include "cmd/inspect_find.h"
#include "exporters/format.h"
#include "exporters/json_emit.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { MOUNTS_MAX = 32, SHARERS_MAX = 8, LAYERS_SHOWN = 20 };

struct inspected {
	const struct found *found;
	const struct found_list *all;
	struct process_facts process;
	struct root_facts root;
	struct network_facts network;
	struct error network_error; /* text set: why there is none */
	struct cgroup *cgroup;
	struct cgroup_stats stats;
	struct cgroup_mount mounts[MOUNTS_MAX];
	size_t mount_count;
	bool utf8;
};

/* ---- gathering ---- */

static int gather(struct inspected *in, struct error *err)
{
	pid_t pid = in->found->pid;
	int r = process_read(pid, in->found->start_ticks, &in->process, err);

	if (r >= 0)
		r = root_read(pid, &in->root, err);
	if (r >= 0)
		r = cgroup_open_pid(pid, &in->cgroup, err);
	if (r < 0)
		return r;
	cgroup_read_stats(in->cgroup, &in->stats);
	in->mount_count = cgroup_mounts(in->cgroup, in->mounts, MOUNTS_MAX);
	if (in->mount_count > MOUNTS_MAX)
		in->mount_count = MOUNTS_MAX;
	network_read(pid, &in->network, &in->network_error); /* the rest is worth showing without it */
	return 0;
}

static void release(struct inspected *in)
{
	process_facts_free(&in->process);
	root_free(&in->root);
	network_free(&in->network);
	cgroup_close(in->cgroup);
}

static bool is_host(const struct inspected *in, enum found_ns ns)
{
	return in->found->ns[ns] && in->found->ns[ns] == in->all->host_ns[ns];
}

/* Other containers in the same namespace; the count may pass what fits. */
static size_t sharers(const struct inspected *in, enum found_ns ns, const struct found **ret, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < in->all->count; i++) {
		const struct found *other = &in->all->items[i];

		if (other == in->found || other->ns[ns] != in->found->ns[ns])
			continue;
		if (count < size)
			ret[count] = other;
		count++;
	}
	return count;
}

/* ---- text ---- */

static void put(struct strbuf *sb, const struct inspected *in, const char *text)
{
	format_text(sb, text, strlen(text), in->utf8);
}

static void label(struct strbuf *sb, const char *name)
{
	strbuf_printf(sb, "%-12s", name);
}

static void text_identity(struct strbuf *sb, const struct inspected *in)
{
	const struct found *f = in->found;
	const struct { const char *name, *value; } words[] = { { "name", f->name }, { "image", f->image },
		{ "engine", f->engine }, { "pod", f->pod }, { "command", in->process.command },
		{ "executable", in->process.exe } };
	char time[FORMAT_MAX];
	uint64_t ns = in->process.running_seconds > 0 ? (uint64_t)(in->process.running_seconds * 1e9) : 0;

	label(sb, "container");
	put(sb, in, f->id);
	strbuf_putc(sb, '\n');
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!words[i].value || !*words[i].value)
			continue;
		label(sb, words[i].name);
		put(sb, in, words[i].value);
		strbuf_putc(sb, '\n');
	}
	label(sb, f->has_pid_ns ? "init" : "process");
	strbuf_printf(sb, "pid %d on the host%s, uid %u, gid %u, running for %s\n", (int)f->pid,
		f->has_pid_ns ? ", 1 inside" : "", in->process.uid, in->process.gid,
		format_duration(time, ns, in->utf8));
}

static void text_security(struct strbuf *sb, const struct inspected *in)
{
	static const char *const modes[] = { "no filter", "strict mode", "filtered" };
	int mode = in->process.seccomp, privs = in->process.no_new_privs;

	label(sb, "security");
	strbuf_printf(sb, "%d capabilities (%016" PRIx64 "), system calls %s, no_new_privs %s\n",
		__builtin_popcountll(in->process.cap_effective), in->process.cap_effective,
		mode >= 0 && mode < 3 ? modes[mode] : "unknown", privs < 0 ? "unknown" : privs ? "yes" : "no");
}

static void text_namespaces(struct strbuf *sb, const struct inspected *in)
{
	strbuf_puts(sb, "\nnamespaces\n");
	for (int ns = 0; ns < FOUND_NS_COUNT; ns++) {
		const struct found *others[SHARERS_MAX];
		size_t count;

		strbuf_printf(sb, "  %-8s  ", found_ns_name(ns));
		if (!in->found->ns[ns]) {
			strbuf_puts(sb, "-           could not be read\n");
			continue;
		}
		strbuf_printf(sb, "%-10" PRIu64 "  ", in->found->ns[ns]);
		if (is_host(in, ns)) {
			strbuf_puts(sb, "the host's\n");
			continue;
		}
		count = sharers(in, ns, others, SHARERS_MAX);
		strbuf_puts(sb, count ? "shared with " : "its own");
		for (size_t i = 0; i < count && i < SHARERS_MAX; i++) {
			strbuf_puts(sb, i ? ", " : "");
			put(sb, in, others[i]->name ? others[i]->name : others[i]->id);
		}
		if (count > SHARERS_MAX)
			strbuf_printf(sb, " and %zu more", count - SHARERS_MAX);
		strbuf_putc(sb, '\n');
	}
}

static void text_amount(struct strbuf *sb, int64_t value, bool bytes)
{
	char text[FORMAT_MAX];

	if (bytes)
		strbuf_puts(sb, format_bytes(text, (uint64_t)value));
	else
		strbuf_printf(sb, "%" PRId64, value);
}

/* "12.5 MiB of 256 MiB (5 %)" */
static void text_use(struct strbuf *sb, int64_t use, int64_t limit, bool bytes)
{
	if (use == CGROUP_UNSET)
		strbuf_putc(sb, '-');
	else
		text_amount(sb, use, bytes);
	if (limit == CGROUP_UNSET)
		return;
	if (limit < 0) {
		strbuf_puts(sb, ", no limit");
		return;
	}
	strbuf_puts(sb, " of ");
	text_amount(sb, limit, bytes);
	if (use != CGROUP_UNSET && limit)
		strbuf_printf(sb, " (%.0f %%)", (double)use * 100 / (double)limit);
}

static void text_memory(struct strbuf *sb, const struct inspected *in)
{
	const struct cgroup_stats *s = &in->stats;
	char text[FORMAT_MAX];

	strbuf_puts(sb, "  memory    ");
	text_use(sb, s->memory_usage, s->memory_limit, true);
	if (s->memory_peak >= 0)
		strbuf_printf(sb, ", at most %s so far", format_bytes(text, (uint64_t)s->memory_peak));
	if (s->memory_reclaims > 0)
		strbuf_printf(sb, ", limit hit %" PRId64 " times", s->memory_reclaims);
	if (s->oom_kills > 0)
		strbuf_printf(sb, ", %" PRId64 " OOM kills", s->oom_kills);
	strbuf_putc(sb, '\n');
	if (s->memory_swap_usage == CGROUP_UNSET && s->memory_swap_limit == CGROUP_UNSET)
		return;
	strbuf_puts(sb, "  swap      ");
	text_use(sb, s->memory_swap_usage, s->memory_swap_limit, true);
	strbuf_putc(sb, '\n');
}

static void text_cpu(struct strbuf *sb, const struct inspected *in)
{
	const struct cgroup_stats *s = &in->stats;
	char text[FORMAT_MAX];

	strbuf_puts(sb, "  cpu       ");
	if (s->cpu_usage_ns >= 0)
		strbuf_printf(sb, "%s used", format_duration(text, (uint64_t)s->cpu_usage_ns, in->utf8));
	else
		strbuf_puts(sb, "-");
	if (s->cpu_quota_us > 0 && s->cpu_period_us > 0)
		strbuf_printf(sb, ", at most %.3g cpus", (double)s->cpu_quota_us / (double)s->cpu_period_us);
	else if (s->cpu_quota_us == -1)
		strbuf_puts(sb, ", no limit");
	if (s->cpu_throttled > 0)
		strbuf_printf(sb, ", throttled in %" PRId64 " of %" PRId64 " periods", s->cpu_throttled,
			s->cpu_periods);
	if (s->cpu_throttled_ns > 0)
		strbuf_printf(sb, " for %s", format_duration(text, (uint64_t)s->cpu_throttled_ns, in->utf8));
	strbuf_putc(sb, '\n');
}

static void text_cgroups(struct strbuf *sb, const struct inspected *in)
{
	const struct cgroup_stats *s = &in->stats;
	char text[FORMAT_MAX];

	strbuf_puts(sb, "\nlimits and use\n");
	text_memory(sb, in);
	text_cpu(sb, in);
	strbuf_puts(sb, "  tasks     ");
	text_use(sb, s->pids, s->pids_limit, false);
	strbuf_putc(sb, '\n');
	if (s->io_read_bytes >= 0 && s->io_write_bytes >= 0) {
		strbuf_printf(sb, "  disk      %s read, ", format_bytes(text, (uint64_t)s->io_read_bytes));
		strbuf_printf(sb, "%s written\n", format_bytes(text, (uint64_t)s->io_write_bytes));
	}
	strbuf_puts(sb, "\ncgroups\n");
	for (size_t i = 0; i < in->mount_count; i++) {
		const struct cgroup_mount *m = &in->mounts[i];

		strbuf_printf(sb, "  v%d %-18s  ", m->version, m->version == 2 ? "" : m->controllers);
		put(sb, in, m->directory ? m->directory : "-");
		strbuf_putc(sb, '\n');
	}
}

static void text_root(struct strbuf *sb, const struct inspected *in)
{
	const struct root_facts *r = &in->root;

	strbuf_puts(sb, "\nroot filesystem\n  ");
	put(sb, in, r->fstype);
	strbuf_printf(sb, "%s, %zu mounts in its namespace\n", r->read_only ? ", read-only" : "", r->mounts);
	if (strcmp(r->fstype, "overlay") != 0) {
		strbuf_puts(sb, "  source    ");
		put(sb, in, r->source);
		strbuf_putc(sb, '\n');
	}
	if (r->upper) {
		strbuf_puts(sb, "  changes   ");
		put(sb, in, r->upper);
		strbuf_putc(sb, '\n');
	}
	for (size_t i = 0; i < r->lower_count && i < LAYERS_SHOWN; i++) {
		strbuf_printf(sb, "  layer %-2zu  ", r->lower_count - i);
		put(sb, in, r->lower[i]);
		strbuf_putc(sb, '\n');
	}
	if (r->lower_count > LAYERS_SHOWN)
		strbuf_printf(sb, "  ... and %zu layers below\n", r->lower_count - LAYERS_SHOWN);
}

static void text_network(struct strbuf *sb, const struct inspected *in)
{
	strbuf_puts(sb, "\nnetwork\n");
	if (in->network_error.text[0]) {
		strbuf_puts(sb, "  ");
		put(sb, in, in->network_error.text);
		strbuf_putc(sb, '\n');
		return;
	}
	if (is_host(in, FOUND_NET))
		strbuf_puts(sb, "  the host's\n");
	for (size_t i = 0; i < in->network.count; i++) {
		const struct interface_fact *f = &in->network.interfaces[i];
		_cleanup_(strbuf_free) struct strbuf name = { 0 };

		format_text(&name, f->name, strlen(f->name), in->utf8);
		strbuf_puts(sb, "  ");
		format_fit(sb, name.text ? name.text : "", 16, in->utf8);
		strbuf_printf(sb, " %-4s  %s\n", f->flags & IFF_UP ? "up" : "down", f->addresses);
	}
	if (in->network.gateway[0])
		strbuf_printf(sb, "  default route by %s\n", in->network.gateway);
}

static void print_text(struct strbuf *sb, const struct inspected *in)
{
	text_identity(sb, in);
	text_security(sb, in);
	text_namespaces(sb, in);
	text_cgroups(sb, in);
	text_root(sb, in);
	text_network(sb, in);
}

/* ---- JSON ---- */

static void json_namespaces(struct strbuf *sb, const struct inspected *in)
{
	json_open(sb, "namespaces", '{');
	for (int ns = 0; ns < FOUND_NS_COUNT; ns++) {
		const struct found *others[SHARERS_MAX];
		size_t count = is_host(in, ns) || !in->found->ns[ns] ? 0 : sharers(in, ns, others, SHARERS_MAX);

		json_open(sb, found_ns_name(ns), '{');
		if (in->found->ns[ns])
			json_number(sb, "inode", (int64_t)in->found->ns[ns]);
		else
			json_null(sb, "inode");
		json_bool(sb, "host", is_host(in, ns));
		json_open(sb, "shared_with", '[');
		for (size_t i = 0; i < count && i < SHARERS_MAX; i++)
			json_text(sb, NULL, others[i]->id);
		json_close(sb, ']');
		json_close(sb, '}');
	}
	json_close(sb, '}');
}

/* A counter as a decimal string; "max" where there is no limit, null where it is not told. */
static void json_counter(struct strbuf *sb, const char *key, int64_t value)
{
	if (value == CGROUP_UNSET)
		json_null(sb, key);
	else if (value < 0)
		json_text(sb, key, "max");
	else
		json_u64(sb, key, (uint64_t)value);
}

static void json_cgroups(struct strbuf *sb, const struct inspected *in)
{
	const struct cgroup_stats *s = &in->stats;
	const struct { const char *key; int64_t value; } counters[] = {
		{ "memory_usage_bytes", s->memory_usage }, { "memory_limit_bytes", s->memory_limit },
		{ "memory_peak_bytes", s->memory_peak }, { "swap_usage_bytes", s->memory_swap_usage },
		{ "swap_limit_bytes", s->memory_swap_limit }, { "memory_limit_hits", s->memory_reclaims },
		{ "oom_kills", s->oom_kills }, { "cpu_usage_ns", s->cpu_usage_ns },
		{ "cpu_user_ns", s->cpu_user_ns }, { "cpu_system_ns", s->cpu_system_ns },
		{ "cpu_quota_us", s->cpu_quota_us }, { "cpu_period_us", s->cpu_period_us },
		{ "cpu_periods", s->cpu_periods }, { "cpu_throttled", s->cpu_throttled },
		{ "cpu_throttled_ns", s->cpu_throttled_ns }, { "tasks", s->pids },
		{ "tasks_limit", s->pids_limit }, { "io_read_bytes", s->io_read_bytes },
		{ "io_write_bytes", s->io_write_bytes },
	};

	json_open(sb, "resources", '{');
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		json_counter(sb, counters[i].key, counters[i].value);
	json_close(sb, '}');
	json_open(sb, "cgroups", '[');
	for (size_t i = 0; i < in->mount_count; i++) {
		json_open(sb, NULL, '{');
		json_number(sb, "version", in->mounts[i].version);
		json_text(sb, "controller", in->mounts[i].version == 2 ? "" : in->mounts[i].controllers);
		json_text(sb, "directory", in->mounts[i].directory);
		json_close(sb, '}');
	}
	json_close(sb, ']');
}

static void json_root(struct strbuf *sb, const struct inspected *in)
{
	const struct root_facts *r = &in->root;

	json_open(sb, "root", '{');
	json_text(sb, "fstype", r->fstype);
	json_text(sb, "source", r->source);
	json_bool(sb, "read_only", r->read_only);
	json_text(sb, "upper", r->upper);
	json_text(sb, "work", r->work);
	json_open(sb, "layers", '['); /* topmost first */
	for (size_t i = 0; i < r->lower_count; i++)
		json_text(sb, NULL, r->lower[i]);
	json_close(sb, ']');
	json_number(sb, "mounts", (int64_t)r->mounts);
	json_close(sb, '}');
}

static void json_network(struct strbuf *sb, const struct inspected *in)
{
	if (in->network_error.text[0]) {
		json_null(sb, "network");
		return;
	}
	json_open(sb, "network", '{');
	json_bool(sb, "host", is_host(in, FOUND_NET));
	json_text(sb, "gateway", in->network.gateway[0] ? in->network.gateway : NULL);
	json_open(sb, "interfaces", '[');
	for (size_t i = 0; i < in->network.count; i++) {
		const struct interface_fact *f = &in->network.interfaces[i];
		const char *at = f->addresses;

		json_open(sb, NULL, '{');
		json_text(sb, "name", f->name);
		json_bool(sb, "up", f->flags & IFF_UP);
		json_open(sb, "addresses", '[');
		while (*at) {
			size_t n = strcspn(at, ",");

			json_bytes(sb, NULL, at, n);
			at += n + strspn(at + n, ", ");
		}
		json_close(sb, ']');
		json_close(sb, '}');
	}
	json_close(sb, ']');
	json_close(sb, '}');
}

static void print_json(struct strbuf *sb, const struct inspected *in)
{
	const struct found *f = in->found;

	json_open(sb, NULL, '{');
	json_text(sb, "type", "inspect");
	json_text(sb, "id", f->id);
	json_text(sb, "name", f->name);
	json_text(sb, "image", f->image);
	json_text(sb, "engine", f->engine);
	json_text(sb, "pod", f->pod);
	json_number(sb, "pid", f->pid);
	json_bool(sb, "own_pid_namespace", f->has_pid_ns);
	json_text(sb, "command", in->process.command);
	json_text(sb, "exe", in->process.exe);
	json_number(sb, "uid", in->process.uid);
	json_number(sb, "gid", in->process.gid);
	json_u64(sb, "cap_effective", in->process.cap_effective);
	json_u64(sb, "cap_bounding", in->process.cap_bounding);
	json_number(sb, "seccomp", in->process.seccomp);
	json_number(sb, "no_new_privs", in->process.no_new_privs);
	json_namespaces(sb, in);
	json_cgroups(sb, in);
	json_root(sb, in);
	json_network(sb, in);
	json_close(sb, '}');
	strbuf_putc(sb, '\n');
}

/* ---- command ---- */

struct inspect_options {
	bool json;
	const char *what;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct inspect_options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "too many arguments: \"%s\"", arg);
		o->what = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->what)
			argp_error(state, "which container? an id, a pid, a name, or how one of them begins");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "one JSON object instead of text", 0 },
	{ 0 },
};

static const struct argp argp = { options, parse_option, "ID|PID|NAME",
	"Shows what a running container is made of, whatever runtime made it: namespaces (its own or shared, and "
	"with whom), cgroups with limits and use, layers, network. Asks the kernel, no daemon.\v"
	"Examples:\n"
	"  ctrace inspect web\n"
	"  ctrace inspect 9c7c\n"
	"  ctrace inspect --json 8857 | jq .namespaces\n", NULL, NULL, NULL };

static int inspect(const struct inspect_options *o, struct error *err)
{
	_cleanup_(found_list_free) struct found_list all = { 0 };
	_cleanup_(strbuf_free) struct strbuf out = { 0 };
	struct inspected in = { .all = &all, .utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8") };
	int r = found_scan(&all, err);

	if (r >= 0)
		r = found_choose(&all, o->what, &in.found, err);
	if (r >= 0)
		r = gather(&in, err);
	if (r >= 0) {
		if (o->json)
			print_json(&out, &in);
		else
			print_text(&out, &in);
		fwrite(out.text, 1, out.length, stdout);
		if (fflush(stdout) != 0)
			r = error_errno(err, errno, "cannot write the output");
	}
	release(&in);
	return r;
}

int cmd_inspect_running(int argc, char **argv)
{
	struct inspect_options o = { 0 };
	struct error err = { 0 };

	setlocale(LC_CTYPE, "");
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	return inspect(&o, &err) < 0 ? command_fail("inspect", 1, &err) : 0;
}
