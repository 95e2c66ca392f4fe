/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_option_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/detach_keys.h"
#include "engine/ports.h"
#include "engine/values.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static int set_string(char **to, const char *value)
{
	free(*to);
	*to = xstrdup(value);
	return 0;
}

#define FLAG(member)                                                                          \
	static int set_##member(struct run_settings *s, const char *value, struct error *err) \
	{                                                                                     \
		return value_bool(value, &s->member, err);                                    \
	}
FLAG(interactive)
FLAG(terminal)
FLAG(remove)
FLAG(read_only)
FLAG(init)
FLAG(privileged)
FLAG(detach_trace)
FLAG(detach)
FLAG(publish_all)
FLAG(quiet)
FLAG(oom_kill_disable)
FLAG(help)
FLAG(tui)

#define STRING(member)                                                                        \
	static int set_##member(struct run_settings *s, const char *value, struct error *err) \
	{                                                                                     \
		(void)err;                                                                    \
		return set_string(&s->member, value);                                         \
	}
STRING(name)
STRING(hostname)
STRING(user)
STRING(workdir)
STRING(entrypoint)
STRING(platform)
STRING(cgroup_parent)
STRING(cidfile)
STRING(domainname)
STRING(cpuset_cpus)
STRING(cpuset_mems)
STRING(json)
STRING(record)
STRING(for_tui)

#define NUMBER(member, reader)                                                                \
	static int set_##member(struct run_settings *s, const char *value, struct error *err) \
	{                                                                                     \
		return reader(value, &s->member, err);                                        \
	}
NUMBER(memory, value_bytes)
NUMBER(memory_reservation, value_bytes)
NUMBER(shm_size, value_bytes)
NUMBER(nano_cpus, value_cpus)
NUMBER(cpu_shares, value_integer)
NUMBER(pids_limit, value_integer)
NUMBER(oom_score_adj, value_integer)
NUMBER(cpu_period, value_integer)
NUMBER(cpu_quota, value_integer)
NUMBER(swappiness, value_integer)
NUMBER(blkio_weight, value_integer)
NUMBER(stop_timeout, value_integer)

static int set_memory_swap(struct run_settings *s, const char *value, struct error *err)
{
	if (!strcmp(value, "-1")) {
		s->memory_swap = -1;
		return 0;
	}
	return value_bytes(value, &s->memory_swap, err);
}

static int add_env(struct run_settings *s, const char *value, struct error *err)
{
	return value_env(value, &s->env, err);
}

static int add_env_file(struct run_settings *s, const char *value, struct error *err)
{
	return value_env_file(value, &s->file_env, err);
}

/* KEY=VALUE; a bare KEY has an empty value. */
static int add_pair(struct string_list *list, const char *what, const char *value, struct error *err)
{
	if (!*value || *value == '=')
		return error_set(err, EINVAL, "invalid %s: '%s'", what, value);
	string_list_add(list, strchr(value, '=') ? xstrdup(value) : xasprintf("%s=", value));
	return 0;
}

static int add_label(struct run_settings *s, const char *value, struct error *err)
{
	return add_pair(&s->labels, "label", value, err);
}

static int add_annotation(struct run_settings *s, const char *value, struct error *err)
{
	return add_pair(&s->annotations, "annotation", value, err);
}

/* As docker reads it: "#" begins a comment, nothing is quoted. */
static int add_label_file(struct run_settings *s, const char *path, struct error *err)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (!f)
		return error_errno(err, errno, "open %s", path);
	errno = 0;
	while (r == 0 && getline(&line, &size, f) >= 0) {
		const char *text = line + strspn(line, " \t");

		line[strcspn(line, "\r\n")] = '\0';
		if (*text && *text != '#')
			r = add_label(s, text, err);
	}
	return r == 0 && ferror(f) ? error_errno(err, errno, "read %s", path) : r;
}

static int add_group(struct run_settings *s, const char *value, struct error *err)
{
	if (!*value)
		return error_set(err, EINVAL, "a group is empty");
	string_list_add(&s->groups, xstrdup(value));
	return 0;
}

static int add_capability(struct string_list *list, const char *value, struct error *err)
{
	char *name;
	int r = value_capability(value, &name, err);

	if (r == 0)
		string_list_add(list, name);
	return r;
}

static int add_cap_add(struct run_settings *s, const char *value, struct error *err)
{
	return add_capability(&s->cap_add, value, err);
}

static int add_cap_drop(struct run_settings *s, const char *value, struct error *err)
{
	return add_capability(&s->cap_drop, value, err);
}

static int add_volume(struct run_settings *s, const char *value, struct error *err)
{
	int r;

	array_grow(s->volumes, s->volume_count, s->volume_capacity);
	r = value_volume(value, &s->volumes[s->volume_count], err);
	s->volume_count += r == 0;
	return r;
}

static int add_volumes_from(struct run_settings *s, const char *value, struct error *err)
{
	size_t length;
	bool read_only;
	int r = value_volumes_from(value, &length, &read_only, err);

	if (r == 0)
		string_list_add(&s->volumes_from, xstrdup(value));
	return r;
}

static int add_tmpfs(struct run_settings *s, const char *value, struct error *err)
{
	int r;

	array_grow(s->tmpfs, s->tmpfs_count, s->tmpfs_capacity);
	r = value_tmpfs(value, &s->tmpfs[s->tmpfs_count], err);
	s->tmpfs_count += r == 0;
	return r;
}

static int add_device(struct run_settings *s, const char *value, struct error *err)
{
	int r;

	array_grow(s->devices, s->device_count, s->device_capacity);
	r = value_device(value, &s->devices[s->device_count], err);
	s->device_count += r == 0;
	return r;
}

static int add_device_rule(struct run_settings *s, const char *value, struct error *err)
{
	struct device_rule rule;
	int r = value_device_rule(value, &rule, err);

	if (r == 0)
		string_list_add(&s->device_rules, xstrdup(value));
	return r;
}

static int add_ulimit(struct run_settings *s, const char *value, struct error *err)
{
	int r;

	array_grow(s->ulimits, s->ulimit_count, s->ulimit_capacity);
	r = value_ulimit(value, &s->ulimits[s->ulimit_count], err);
	for (size_t i = 0; r == 0 && i < s->ulimit_count; i++) {
		if (strcmp(s->ulimits[i].name, s->ulimits[s->ulimit_count].name) != 0)
			continue;
		s->ulimits[i] = s->ulimits[s->ulimit_count]; /* of one limit the last counts */
		return 0;
	}
	s->ulimit_count += r == 0;
	return r;
}

static int set_stop_signal(struct run_settings *s, const char *value, struct error *err)
{
	int signal_number, r = value_signal(value, &signal_number, err);

	return r < 0 ? r : set_string(&s->stop_signal, value);
}

static int set_choice(const char *value, const char *const *names, const char *what,
	struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf list = { 0 };

	for (int i = 0; names[i]; i++) {
		if (!strcmp(value, names[i]))
			return i;
		strbuf_printf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	return error_set(err, EINVAL, "unknown %s: it is one of %s", what, list.text);
}

static int set_network(struct run_settings *s, const char *value, struct error *err)
{
	static const char *const names[] = { "bridge", "none", "host", "container:ID", NULL };
	int choice;

	if (str_starts(value, "container:") && value[10]) {
		s->network = NETWORK_CONTAINER;
		return set_string(&s->network_container, value + 10);
	}
	choice = set_choice(!strcmp(value, "default") ? "bridge" : value, names, "network", err);
	s->network = choice < 0 ? s->network : (enum network_mode)choice;
	return choice < 0 ? choice : 0;
}

/* own: what means "its own namespace"; others: what may be shared. */
static int set_mode(char **to, const char *value, const char *own, bool containers, struct error *err)
{
	if (!*value || !strcmp(value, own)) {
		free(*to);
		*to = NULL;
		return 0;
	}
	if (!strcmp(value, "host") || (containers && str_starts(value, "container:") && value[10]))
		return set_string(to, value);
	return error_set(err, EINVAL, "it is host%s", containers ? " or container:ID" : "");
}

static int set_pid_mode(struct run_settings *s, const char *value, struct error *err)
{
	return set_mode(&s->pid_mode, value, "private", true, err);
}

static int set_ipc_mode(struct run_settings *s, const char *value, struct error *err)
{
	if (!strcmp(value, "shareable") || !strcmp(value, "none"))
		return set_string(&s->ipc_mode, value);
	if (set_mode(&s->ipc_mode, value, "private", true, NULL) == 0)
		return 0;
	return error_set(err, EINVAL, "it is private, shareable, none, host or container:ID");
}

static int set_uts_mode(struct run_settings *s, const char *value, struct error *err)
{
	return set_mode(&s->uts_mode, value, "private", false, err);
}

static int set_cgroupns(struct run_settings *s, const char *value, struct error *err)
{
	static const char *const names[] = { "private", "host", NULL };
	int choice = set_choice(value, names, "cgroup namespace", err);

	s->host_cgroups = choice == 1;
	return choice < 0 ? choice : 0;
}

static int add_port(struct run_settings *s, const char *value, struct error *err)
{
	return ports_parse(value, &s->ports, err);
}

static int add_exposed(struct run_settings *s, const char *value, struct error *err)
{
	return ports_parse_exposed(value, &s->exposed, err);
}

static int add_host(struct run_settings *s, const char *value, struct error *err)
{
	char *entry;
	int r = value_host_entry(value, &entry, err);

	if (r == 0)
		string_list_add(&s->hosts, entry);
	return r;
}

static int add_dns(struct run_settings *s, const char *value, struct error *err)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, value, &address) != 1 && inet_pton(AF_INET6, value, &address) != 1)
		return error_set(err, EINVAL, "%s is not an ip address", value);
	string_list_add(&s->dns, xstrdup(value));
	return 0;
}

/* Goes into resolv.conf: no second line may come with it. */
static int add_word(struct string_list *list, const char *value, struct error *err)
{
	if (!*value || strpbrk(value, " \t\r\n"))
		return error_set(err, EINVAL, "it is one word");
	string_list_add(list, xstrdup(value));
	return 0;
}

static int add_dns_search(struct run_settings *s, const char *value, struct error *err)
{
	return add_word(&s->dns_search, value, err);
}

static int add_dns_option(struct run_settings *s, const char *value, struct error *err)
{
	return add_word(&s->dns_options, value, err);
}

static int add_sysctl(struct run_settings *s, const char *value, struct error *err)
{
	const char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return error_set(err, EINVAL, "it is NAME=VALUE");
	string_list_add(&s->sysctls, xstrdup(value));
	return 0;
}

static int set_restart(struct run_settings *s, const char *value, struct error *err)
{
	return value_restart(value, &s->restart, &s->restart_max, err);
}

static int add_mount(struct run_settings *s, const char *value, struct error *err)
{
	bool is_tmpfs;
	int r;

	array_grow(s->volumes, s->volume_count, s->volume_capacity);
	array_grow(s->tmpfs, s->tmpfs_count, s->tmpfs_capacity);
	r = value_mount(value, &s->volumes[s->volume_count], &s->tmpfs[s->tmpfs_count], &is_tmpfs, err);
	if (r == 0)
		*(is_tmpfs ? &s->tmpfs_count : &s->volume_count) += 1;
	return r;
}

static int set_sig_proxy(struct run_settings *s, const char *value, struct error *err)
{
	bool proxy = true;
	int r = value_bool(value, &proxy, err);

	s->no_sig_proxy = r == 0 && !proxy;
	return r;
}

static int add_attach(struct run_settings *s, const char *value, struct error *err)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcasecmp(value, names[i])) {
			s->attach |= 1U << i;
			return 0;
		}
	}
	return error_set(err, EINVAL, "valid streams are STDIN, STDOUT and STDERR");
}

static int set_detach_keys(struct run_settings *s, const char *value, struct error *err)
{
	struct detach_keys keys;
	int r = detach_keys_parse(value, &keys, err);

	return r < 0 ? r : set_string(&s->detach_keys, value);
}

static int set_pull(struct run_settings *s, const char *value, struct error *err)
{
	static const char *const names[] = { "missing", "always", "never", NULL };
	int choice = set_choice(value, names, "pull policy", err);

	s->pull = choice < 0 ? s->pull : (enum pull_policy)choice;
	return choice < 0 ? choice : 0;
}

static int set_trace(struct run_settings *s, const char *value, struct error *err)
{
	static const char *const names[] = { "summary", "none", "full", NULL };
	int choice = set_choice(value, names, "detail", err);

	s->trace = choice < 0 ? s->trace : (enum trace_mode)choice;
	return choice < 0 ? choice : 0;
}

static int set_security(struct run_settings *s, const char *value, struct error *err)
{
	/* docker takes "name:value" as well */
	size_t length = strcspn(value, "=:");
	const char *rest = value[length] ? value + length + 1 : "";

	if (!strncmp(value, "no-new-privileges", length) && length == strlen("no-new-privileges"))
		return *rest ? value_bool(rest, &s->no_new_privs, err) : (s->no_new_privs = true, 0);
	if (length == 7 && !strncmp(value, "seccomp", 7) && *rest) {
		s->seccomp_unconfined = !strcmp(rest, "unconfined");
		return set_string(&s->seccomp_file, s->seccomp_unconfined ? "" : rest);
	}
	if (!strcmp(value, "systempaths=unconfined") || !strcmp(value, "systempaths:unconfined")) {
		s->paths_unconfined = true;
		return 0;
	}
	/* without AppArmor or SELinux profiles of our own there is nothing to switch off */
	if (!strcmp(rest, "unconfined") && length == 8 && !strncmp(value, "apparmor", 8))
		return 0;
	if (!strcmp(rest, "disable") && length == 5 && !strncmp(value, "label", 5))
		return 0;
	return error_set(err, EINVAL, "invalid --security-opt: %s (seccomp=unconfined|FILE, "
		"no-new-privileges, systempaths=unconfined, apparmor=unconfined)", value);
}

static int set_source(struct run_settings *s, enum source_type type, const char *value,
	struct error *err)
{
	if (s->source)
		return error_set(err, EINVAL, "there is more than one source for the container");
	if (!*value)
		return error_set(err, EINVAL, "the directory is empty");
	s->source_type = type;
	return set_string(&s->source, value);
}

/* Options that ask for what ctrace does in any case; another value is refused. */

static int set_log_driver(struct run_settings *s, const char *value, struct error *err)
{
	(void)s;
	return strcmp(value, "json-file") == 0 ? 0 : error_set(err, EOPNOTSUPP, "json-file is the only log driver of ctrace");
}

static int set_userns(struct run_settings *s, const char *value, struct error *err)
{
	(void)s;
	return strcmp(value, "host") == 0 ? 0 : error_set(err, EOPNOTSUPP, "containers of ctrace have the host's user namespace");
}

static int set_no_healthcheck(struct run_settings *s, const char *value, struct error *err)
{
	bool none = true;
	int r = value_bool(value, &none, err);

	(void)s;
	return r < 0 || none ? r : error_set(err, EOPNOTSUPP, "ctrace does no health checks");
}

static int set_content_trust(struct run_settings *s, const char *value, struct error *err)
{
	bool disabled = true;
	int r = value_bool(value, &disabled, err);

	(void)s;
	return r < 0 || disabled ? r : error_set(err, EOPNOTSUPP, "ctrace knows no signatures of images");
}

static int set_rootfs(struct run_settings *s, const char *value, struct error *err)
{
	return set_source(s, SOURCE_ROOTFS, value, err);
}

static int set_bundle(struct run_settings *s, const char *value, struct error *err)
{
	return set_source(s, SOURCE_BUNDLE, value, err);
}

const struct option_row run_option_rows[] = {
	{ "add-host", 0, OPTION_VALUE, false, add_host, "NAME:IP",
		"Add a line to /etc/hosts" },
	{ "annotation", 0, OPTION_VALUE, false, add_annotation, "KEY=VALUE",
		"Put an annotation into the OCI configuration" },
	{ "attach", 'a', OPTION_VALUE, true, add_attach, "STREAM",
		"Only these: stdin, stdout or stderr" },
	{ "blkio-weight", 0, OPTION_VALUE, false, set_blkio_weight, "N",
		"Block I/O weight, 10 to 1000" },
	{ "bundle", 0, OPTION_VALUE, true, set_bundle, "DIR", "Run an OCI bundle as it is" },
	{ "cap-add", 0, OPTION_VALUE, false, add_cap_add, "CAP", "Add a Linux capability (or ALL)" },
	{ "cap-drop", 0, OPTION_VALUE, false, add_cap_drop, "CAP", "Drop a Linux capability (or ALL)" },
	{ "cgroup-parent", 0, OPTION_VALUE, false, set_cgroup_parent, "PATH",
		"Parent cgroup (default /ctrace)" },
	{ "cgroupns", 0, OPTION_VALUE, false, set_cgroupns, "MODE",
		"Cgroup namespace: private (default) or host" },
	{ "cidfile", 0, OPTION_VALUE, true, set_cidfile, "FILE",
		"Write the container's id to the file" },
	{ "cpu-period", 0, OPTION_VALUE, false, set_cpu_period, "US",
		"Period of --cpu-quota" },
	{ "cpu-quota", 0, OPTION_VALUE, false, set_cpu_quota, "US",
		"CPU time in each period" },
	{ "cpu-shares", 'c', OPTION_VALUE, false, set_cpu_shares, "N", "CPU shares, relative weight" },
	{ "cpus", 0, OPTION_VALUE, false, set_nano_cpus, "DECIMAL", "Number of CPUs" },
	{ "cpuset-cpus", 0, OPTION_VALUE, false, set_cpuset_cpus, "LIST",
		"CPUs to run on (0-3, 0,1)" },
	{ "cpuset-mems", 0, OPTION_VALUE, false, set_cpuset_mems, "LIST",
		"Memory nodes to use (0-3, 0,1)" },
	{ "detach", 'd', OPTION_FLAG, true, set_detach, NULL,
		"Run in the background and print the container's id" },
	{ "detach-keys", 0, OPTION_VALUE, true, set_detach_keys, "KEYS",
		"Keys that leave it running (ctrl-p,ctrl-q)" },
	{ "detach-trace", 0, OPTION_FLAG, true, set_detach_trace, NULL,
		"Print the timeline at once when the container's init has ended" },
	{ "device", 0, OPTION_VALUE, false, add_device, "DEV[:DEV[:rwm]]",
		"Add a device of the host" },
	{ "device-cgroup-rule", 0, OPTION_VALUE, false, add_device_rule, "RULE",
		"Let it use devices, as 'c 42:* rmw'" },
	{ "disable-content-trust", 0, OPTION_FLAG, true, set_content_trust, NULL,
		"Accepted: signatures of images are never checked" },
	{ "dns", 0, OPTION_VALUE, false, add_dns, "IP",
		"Use this name server" },
	{ "dns-opt", 0, OPTION_VALUE, false, add_dns_option, NULL, NULL },
	{ "dns-option", 0, OPTION_VALUE, false, add_dns_option, "OPTION",
		"Add an option to resolv.conf" },
	{ "dns-search", 0, OPTION_VALUE, false, add_dns_search, "DOMAIN",
		"Search this domain" },
	{ "domainname", 0, OPTION_VALUE, false, set_domainname, "NAME",
		"The container's NIS domain name" },
	{ "entrypoint", 0, OPTION_VALUE, false, set_entrypoint, "PROGRAM",
		"Replace the image's entrypoint" },
	{ "env", 'e', OPTION_VALUE, false, add_env, "NAME[=VALUE]", "Set an environment variable" },
	{ "env-file", 0, OPTION_VALUE, false, add_env_file, "FILE", "Read environment variables" },
	{ "expose", 0, OPTION_VALUE, false, add_exposed, "PORT",
		"A port that -P publishes" },
	{ "for-tui", 0, OPTION_VALUE, true, set_for_tui, "ID", NULL },
	{ "group-add", 0, OPTION_VALUE, false, add_group, "GROUP", "Join another group" },
	{ "help", 0, OPTION_FLAG, true, set_help, NULL, "Print this help" },
	{ "hostname", 'h', OPTION_VALUE, false, set_hostname, "NAME", "The container's host name" },
	{ "init", 0, OPTION_FLAG, false, set_init, NULL,
		"Run an init as pid 1 that forwards signals and reaps processes" },
	{ "interactive", 'i', OPTION_FLAG, true, set_interactive, NULL, "Keep stdin open" },
	{ "ipc", 0, OPTION_VALUE, false, set_ipc_mode, "MODE",
		"IPC namespace and /dev/shm: private (default), shareable, none, host or container:ID" },
	{ "json", 0, OPTION_VALUE, true, set_json, "FILE", "Write the timeline as JSON (- = stdout)" },
	{ "label", 'l', OPTION_VALUE, false, add_label, "NAME[=VALUE]", "Set a label" },
	{ "label-file", 0, OPTION_VALUE, false, add_label_file, "FILE", "Read labels, one NAME[=VALUE] a line" },
	{ "log-driver", 0, OPTION_VALUE, true, set_log_driver, "DRIVER", "json-file, the only one" },
	{ "memory", 'm', OPTION_VALUE, false, set_memory, "BYTES", "Memory limit (256m, 1g)" },
	{ "memory-reservation", 0, OPTION_VALUE, false, set_memory_reservation, "BYTES",
		"Memory soft limit" },
	{ "memory-swap", 0, OPTION_VALUE, false, set_memory_swap, "BYTES",
		"Limit of memory plus swap; -1 = unlimited swap" },
	{ "memory-swappiness", 0, OPTION_VALUE, false, set_swappiness, "N",
		"Swappiness, 0 to 100 (cgroup v1)" },
	{ "mount", 0, OPTION_VALUE, false, add_mount, "MOUNT",
		"type=bind|volume|tmpfs,src=...,dst=...[,readonly]" },
	{ "name", 0, OPTION_VALUE, true, set_name, "NAME", "Name the container" },
	{ "network", 0, OPTION_VALUE, false, set_network, "MODE",
		"bridge (default), none, host or container:ID" },
	{ "net", 0, OPTION_VALUE, false, set_network, NULL, NULL },
	{ "no-healthcheck", 0, OPTION_FLAG, true, set_no_healthcheck, NULL, "Accepted: there are no health checks" },
	{ "oom-kill-disable", 0, OPTION_FLAG, false, set_oom_kill_disable, NULL,
		"Do not kill at the limit (cgroup v1)" },
	{ "oom-score-adj", 0, OPTION_VALUE, false, set_oom_score_adj, "N",
		"OOM preference, -1000 to 1000" },
	{ "pid", 0, OPTION_VALUE, false, set_pid_mode, "MODE",
		"PID namespace: host or container:ID" },
	{ "pids-limit", 0, OPTION_VALUE, false, set_pids_limit, "N",
		"Limit of processes; -1 = unlimited" },
	{ "platform", 0, OPTION_VALUE, false, set_platform, "OS/ARCH[/VARIANT]",
		"Platform of the image" },
	{ "privileged", 0, OPTION_FLAG, false, set_privileged, NULL,
		"All capabilities and devices, no seccomp, nothing masked" },
	{ "publish", 'p', OPTION_VALUE, false, add_port, "[[IP:]HOST:]PORT",
		"Publish a port of the container (also ranges, /udp)" },
	{ "publish-all", 'P', OPTION_FLAG, false, set_publish_all, NULL,
		"Publish all exposed ports to free ones" },
	{ "pull", 0, OPTION_VALUE, false, set_pull, "POLICY", "missing (default), always or never" },
	{ "quiet", 'q', OPTION_FLAG, true, set_quiet, NULL, "Say nothing while the image is pulled" },
	{ "read-only", 0, OPTION_FLAG, false, set_read_only, NULL, "Mount the root read-only" },
	{ "record", 0, OPTION_VALUE, true, set_record, "FILE", "Record all events for ctrace replay" },
	{ "restart", 0, OPTION_VALUE, false, set_restart, "POLICY",
		"no, on-failure[:N], always, unless-stopped" },
	{ "rm", 0, OPTION_FLAG, true, set_remove, NULL,
		"Remove the container when it ends" },
	{ "rootfs", 0, OPTION_VALUE, true, set_rootfs, "DIR",
		"Run on a directory instead of an image; it is never changed" },
	{ "security-opt", 0, OPTION_VALUE, false, set_security, "OPTION",
		"seccomp=unconfined|FILE, no-new-privileges, systempaths=unconfined" },
	{ "shm-size", 0, OPTION_VALUE, false, set_shm_size, "BYTES", "Size of /dev/shm (64m)" },
	{ "sig-proxy", 0, OPTION_FLAG, true, set_sig_proxy, NULL,
		"Pass signals on to it (true); false: they end ctrace run alone" },
	{ "stop-signal", 0, OPTION_VALUE, false, set_stop_signal, "SIGNAL",
		"Signal that stops the container" },
	{ "stop-timeout", 0, OPTION_VALUE, true, set_stop_timeout, "SECONDS",
		"Before stop kills it (10)" },
	{ "sysctl", 0, OPTION_VALUE, false, add_sysctl, "NAME=VALUE",
		"Set a kernel parameter of its namespaces" },
	{ "tmpfs", 0, OPTION_VALUE, false, add_tmpfs, "PATH[:OPTIONS]", "Mount a tmpfs" },
	{ "trace", 0, OPTION_VALUE, true, set_trace, "DETAIL", "summary (default), full or none" },
	{ "tty", 't', OPTION_FLAG, true, set_terminal, NULL, "Give the container a terminal" },
	{ "tui", 0, OPTION_FLAG, true, set_tui, NULL,
		"Show its timeline beside its terminal, as it happens (implies -it)" },
	{ "ulimit", 0, OPTION_VALUE, false, add_ulimit, "NAME=SOFT[:HARD]", "Set a resource limit" },
	{ "user", 'u', OPTION_VALUE, false, set_user, "USER[:GROUP]", "User, by name or number" },
	{ "userns", 0, OPTION_VALUE, false, set_userns, "MODE", "User namespace: host, the only one" },
	{ "uts", 0, OPTION_VALUE, false, set_uts_mode, "MODE",
		"UTS namespace: host" },
	{ "volume", 'v', OPTION_VALUE, false, add_volume, "[SRC:]DST[:ro]",
		"Bind a path of the host, or a volume by its name" },
	{ "volumes-from", 0, OPTION_VALUE, false, add_volumes_from, "CONTAINER[:ro|rw]",
		"Mount what another container has of volumes and bound paths" },
	{ "workdir", 'w', OPTION_VALUE, false, set_workdir, "DIR", "Working directory" },
};
const size_t run_option_count = ARRAY_SIZE(run_option_rows);
