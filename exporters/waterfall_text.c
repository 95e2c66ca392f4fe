/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/waterfall_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/format.h"
#include "util/cleanup.h"

/* Longest piece of kernel text that a line quotes. */
enum { QUOTE_MAX = 400 };

/* Ids of 64 hexadecimal digits as docker shortens them, so that paths stay readable. */
static size_t long_id(const char *text, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	return length >= 64 && strspn(text, digits) == 64 ? 64 : 0;
}

static void quote_bytes(struct strbuf *sb, const char *text, size_t length, bool utf8)
{
	size_t from = 0;

	for (size_t i = 0; i < length; i++) {
		if ((i && isxdigit((unsigned char)text[i - 1])) || !long_id(text + i, length - i))
			continue;
		format_text(sb, text + from, i + 12 - from, utf8);
		strbuf_puts(sb, utf8 ? "…" : "..");
		from = i + 64;
		i = from - 1;
	}
	format_text(sb, text + from, length - from, utf8);
}

static void quote(struct strbuf *sb, const char *text, bool utf8)
{
	size_t length = strlen(text);

	quote_bytes(sb, text, length < QUOTE_MAX ? length : QUOTE_MAX, utf8);
	if (length > QUOTE_MAX)
		strbuf_puts(sb, utf8 ? "…" : "..");
}

/* Items of a list, as they are. */
static void quote_list(struct strbuf *sb, const char *list, char separator, bool utf8)
{
	while (list && *list) {
		size_t n = strcspn(list, "\x1f");

		quote_bytes(sb, list, n, utf8);
		list += n;
		if (*list) {
			strbuf_putc(sb, separator);
			list++;
		}
	}
}

/* Flags without their family's prefix, in lower case where mount(8) writes them so:
 * "MS_NOSUID\x1fMS_NODEV" -> "nosuid,nodev". */
static void quote_flags(struct strbuf *sb, const char *list, const char *prefix, bool lower, char separator)
{
	while (list && *list) {
		size_t n = strcspn(list, "\x1f"), skip = 0;

		if (n > strlen(prefix) && str_starts(list, prefix))
			skip = strlen(prefix);
		for (size_t i = skip; i < n; i++) {
			char c = lower ? (char)tolower((unsigned char)list[i]) : list[i];

			format_text(sb, &c, 1, false);
		}
		list += n;
		if (*list) {
			strbuf_putc(sb, separator);
			list++;
		}
	}
}

static void quote_detail(struct strbuf *sb, const struct detail *d, bool utf8)
{
	switch (d->type) {
	case DETAIL_TEXT: quote(sb, d->text ? d->text : "", utf8); break;
	case DETAIL_LIST: quote_list(sb, d->text, d->key[0] == 'a' ? ' ' : '|', utf8); break;
	case DETAIL_NUMBER: strbuf_printf(sb, "%" PRId64, d->number); break;
	case DETAIL_U64: strbuf_printf(sb, "%" PRIu64, (uint64_t)d->number); break;
	case DETAIL_BOOL: strbuf_puts(sb, d->number ? "yes" : "no"); break;
	}
}

static bool is_in(const char *key, const char *const *keys)
{
	for (; *keys; keys++) {
		if (!strcmp(key, *keys))
			return true;
	}
	return false;
}

/* All details but those named, as key=value. */
static void quote_rest(struct strbuf *sb, const struct details *details, const char *const *but, bool utf8)
{
	for (size_t i = 0; i < details->count; i++) {
		const struct detail *d = &details->items[i];

		if (is_in(d->key, but) || (d->type == DETAIL_TEXT && (!d->text || !*d->text)))
			continue;
		strbuf_printf(sb, " %s=", d->key);
		quote_detail(sb, d, utf8);
	}
}

static void word(struct strbuf *sb, const char *before, const char *text, bool utf8)
{
	if (!text || !*text)
		return;
	strbuf_puts(sb, before);
	quote(sb, text, utf8);
}

static const char *target_of(const struct step *s)
{
	return details_text(&s->details, "target");
}

/* "fsconfig SET_STRING lowerdir=...": one call of the new mount API. */
static void text_new_mount(struct strbuf *sb, const struct step *s, const char *call, bool utf8)
{
	static const char *const used[] = { "call", "fstype", "command", "key", "value", "source", "target",
		"argument", "flags", "fd", NULL };
	const char *command = details_text(&s->details, "command");
	const char *flags = details_text(&s->details, "flags");
	const char *target = target_of(s);

	quote(sb, call, utf8);
	word(sb, " ", details_text(&s->details, "fstype"), utf8);
	if (command)
		word(sb, " ", str_starts(command, "FSCONFIG_") ? command + strlen("FSCONFIG_") : command, utf8);
	word(sb, " ", details_text(&s->details, "key"), utf8);
	word(sb, "=", details_text(&s->details, "value"), utf8);
	word(sb, " ", details_text(&s->details, "source"), utf8);
	word(sb, str_starts(call, "move") ? " on " : " ", target, utf8);
	if (flags && *flags) {
		strbuf_puts(sb, " (");
		quote_flags(sb, flags, "MOUNT_ATTR_", true, ',');
		strbuf_putc(sb, ')');
	}
	quote_rest(sb, &s->details, used, utf8);
}

static void text_mount(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "source", "target", "argument", "fstype", "flags", "data", NULL };
	const char *flags = details_text(&s->details, "flags");
	const char *fstype = details_text(&s->details, "fstype");
	const char *call = details_text(&s->details, "call");
	const char *source = details_text(&s->details, "source");
	bool bind = flags && strstr(flags, "MS_BIND");

	if (call) {
		text_new_mount(sb, s, call, utf8);
		return;
	}
	if (flags && strstr(flags, "MS_REMOUNT")) {
		word(sb, "remount ", target_of(s), utf8);
		bind = true;
	} else if (bind) { /* the target first: a long source must not push it off the line */
		word(sb, "bind ", target_of(s), utf8);
		word(sb, " from ", source, utf8);
	} else {
		strbuf_puts(sb, "mount");
	}
	if (!bind && fstype && *fstype && strcmp(fstype, "none") != 0)
		word(sb, " ", fstype, utf8);
	else if (!bind && source && strcmp(source, "none") != 0)
		word(sb, " ", source, utf8);
	if (!bind)
		word(sb, " on ", target_of(s), utf8);
	if (flags && *flags) {
		strbuf_puts(sb, " (");
		quote_flags(sb, flags, "MS_", true, ',');
		strbuf_putc(sb, ')');
	}
	word(sb, " ", details_text(&s->details, "data"), utf8);
	quote_rest(sb, &s->details, used, utf8);
}

/* "(256 MiB)" behind a number of bytes, "(0.5 cpus)" behind cpu.max. */
static void explain_value(struct strbuf *sb, const char *file, const char *value)
{
	unsigned long long number, period;
	char size[FORMAT_MAX], *end;

	if (!strcmp(file, "cpu.max")) {
		if (sscanf(value, "%llu %llu", &number, &period) == 2 && period)
			strbuf_printf(sb, " (%.3g cpus)", (double)number / (double)period);
		return;
	}
	if (!str_starts(file, "memory.") || str_ends(file, "swappiness") || str_ends(file, "oom_control"))
		return;
	number = strtoull(value, &end, 10);
	if (end != value && value[0] != '-' && number >= 1024 && number < 1ULL << 62)
		strbuf_printf(sb, " (%s)", format_bytes(size, number));
}

static void text_write(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "file", "value", "path", "controller", NULL };
	const char *file = details_text(&s->details, "file");
	const char *value = details_text(&s->details, "value");

	quote(sb, file ? file : "cgroup file", utf8);
	strbuf_puts(sb, " = ");
	quote(sb, value ? value : "?", utf8);
	if (file && value)
		explain_value(sb, file, value);
	quote_rest(sb, &s->details, used, utf8);
}

static void text_request(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "method", "path", "status", NULL };
	const struct detail *status = details_get(&s->details, "status");

	word(sb, "", details_text(&s->details, "method"), utf8);
	word(sb, " ", details_text(&s->details, "path"), utf8);
	if (status) {
		strbuf_puts(sb, utf8 ? " → " : " -> ");
		quote_detail(sb, status, utf8);
	}
	quote_rest(sb, &s->details, used, utf8);
}

static void text_exec(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "path", "argv", NULL };
	const struct detail *argv = details_get(&s->details, "argv");

	word(sb, "exec ", details_text(&s->details, "path"), utf8);
	if (argv && argv->text && *argv->text) {
		strbuf_puts(sb, ": ");
		quote_detail(sb, argv, utf8);
	}
	quote_rest(sb, &s->details, used, utf8);
}

static void text_namespaces(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "flags", NULL };
	const struct detail *flags = details_get(&s->details, "flags");

	strbuf_puts(sb, step_kind_name(s->kind));
	if (flags && flags->text && *flags->text) {
		strbuf_putc(sb, ' ');
		quote_flags(sb, flags->text, "CLONE_", false, '|');
	}
	quote_rest(sb, &s->details, used, utf8);
}

static void text_paths(struct strbuf *sb, const struct step *s, const char *verb, const char *first,
	const char *second, bool utf8)
{
	const char *const used[] = { first, second, NULL };

	strbuf_puts(sb, verb);
	word(sb, " ", details_text(&s->details, first), utf8);
	word(sb, " ", details_text(&s->details, second), utf8);
	quote_rest(sb, &s->details, used, utf8);
}

static void text_umount(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "target", "argument", "flags", NULL };
	const char *flags = details_text(&s->details, "flags");

	word(sb, "umount ", target_of(s), utf8);
	if (flags && *flags) {
		strbuf_puts(sb, " (");
		quote_flags(sb, flags, "MNT_", true, ',');
		strbuf_putc(sb, ')');
	}
	quote_rest(sb, &s->details, used, utf8);
}

static void text_signal(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "sig", "signal", "sender", "sender_pid", NULL };
	const struct detail *sig = details_get(&s->details, "sig");
	const struct detail *pid = details_get(&s->details, "sender_pid");
	char name[FORMAT_MAX];

	if (sig && sig->type == DETAIL_TEXT)
		word(sb, str_starts(sig->text, "SIG") ? "" : "SIG", sig->text, utf8);
	else if (sig)
		strbuf_puts(sb, format_signal(name, (int)sig->number));
	else
		strbuf_puts(sb, "signal");
	word(sb, " from ", details_text(&s->details, "sender"), utf8);
	if (pid)
		strbuf_printf(sb, " (pid %" PRId64 ")", pid->number);
	quote_rest(sb, &s->details, used, utf8);
}

/* "mknod /dev/null c 1:3" */
static void text_mknod(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "path", "type", "major", "minor", NULL };
	const struct detail *major = details_get(&s->details, "major");
	const struct detail *minor = details_get(&s->details, "minor");

	strbuf_puts(sb, "mknod");
	word(sb, " ", details_text(&s->details, "path"), utf8);
	word(sb, " ", details_text(&s->details, "type"), utf8);
	if (major && minor)
		strbuf_printf(sb, " %" PRId64 ":%" PRId64, major->number, minor->number);
	quote_rest(sb, &s->details, used, utf8);
}

static size_t count_items(const struct detail *d)
{
	size_t count = d && d->text && *d->text;

	for (const char *at = count ? d->text : ""; *at; at++)
		count += *at == '\x1f';
	return count;
}

/* The sets are long; how many are left in each is what one looks for. */
static void text_capset(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const sets[] = { "effective", "permitted", "inheritable", NULL };

	strbuf_puts(sb, "capset");
	for (size_t i = 0; sets[i]; i++) {
		const struct detail *d = details_get(&s->details, sets[i]);

		if (d && d->type == DETAIL_LIST)
			strbuf_printf(sb, "%s %zu %s", i ? "," : "", count_items(d), sets[i]);
	}
	quote_rest(sb, &s->details, sets, utf8);
}

void text_step(struct strbuf *sb, const struct step *s, bool utf8)
{
	switch (s->kind) {
	case STEP_MOUNT: text_mount(sb, s, utf8); break;
	case STEP_CGROUP_WRITE: text_write(sb, s, utf8); break;
	case STEP_REQUEST: text_request(sb, s, utf8); break;
	case STEP_EXEC: text_exec(sb, s, utf8); break;
	case STEP_CLONE:
	case STEP_UNSHARE:
	case STEP_SETNS: text_namespaces(sb, s, utf8); break;
	case STEP_PIVOT_ROOT: text_paths(sb, s, "pivot_root", "new_root", "put_old", utf8); break;
	case STEP_UMOUNT: text_umount(sb, s, utf8); break;
	case STEP_MKNOD: text_mknod(sb, s, utf8); break;
	case STEP_CAPSET: text_capset(sb, s, utf8); break;
	case STEP_CGROUP_MKDIR: text_paths(sb, s, "cgroup mkdir", "controller", "path", utf8); break;
	case STEP_CGROUP_RMDIR: text_paths(sb, s, "cgroup rmdir", "controller", "path", utf8); break;
	case STEP_CGROUP_ATTACH: text_paths(sb, s, "cgroup attach", "controller", "path", utf8); break;
	case STEP_SETHOSTNAME: text_paths(sb, s, "sethostname", "name", "hostname", utf8); break;
	case STEP_CHROOT: text_paths(sb, s, "chroot", "path", "target", utf8); break;
	case STEP_HOOK: text_paths(sb, s, "hook", "path", "name", utf8); break;
	case STEP_SIGNAL: text_signal(sb, s, utf8); break;
	default: text_paths(sb, s, step_kind_name(s->kind), "name", "path", utf8); break;
	}
}

const char *text_step_kind(enum step_kind kind)
{
	static const char *const names[STEP_KIND_COUNT] = {
		[STEP_REQUEST] = "request", [STEP_IMAGE] = "image", [STEP_LAYER] = "layer",
		[STEP_MOUNT] = "mount", [STEP_UMOUNT] = "umount", [STEP_VETH] = "link",
		[STEP_ADDRESS] = "address", [STEP_ROUTE] = "route", [STEP_CGROUP_MKDIR] = "cgroup mkdir",
		[STEP_CGROUP_ATTACH] = "attach", [STEP_CGROUP_WRITE] = "cgroup write",
		[STEP_CGROUP_RMDIR] = "cgroup rmdir", [STEP_BPF_DEVICE] = "device program",
		[STEP_NO_NEW_PRIVS] = "no_new_privs",
	};

	return names[kind] ? names[kind] : step_kind_name(kind);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static const char *runtime_verb(char *const *argv)
{
	static const char *const verbs[] = { "create", "start", "run", "exec", "delete", "kill", "state",
		"init", "update", "pause", "resume", "ps", "features", "events", "checkpoint", "restore",
		"list", "spec", NULL };

	for (size_t i = 1; argv && argv[i]; i++) {
		if (is_in(argv[i], verbs))
			return argv[i];
	}
	return NULL;
}

void text_actor(struct strbuf *sb, const struct actor *a, bool utf8)
{
	const char *verb = a->role == ACTOR_RUNTIME ? runtime_verb(a->argv) : NULL;
	char comm[EVENT_COMM + 1] = "";

	memcpy(comm, a->comm, EVENT_COMM);
	if (str_starts(comm, "runc:[")) {
		quote(sb, comm, utf8);
	} else if (verb) {
		quote(sb, base_name(a->argv[0]), utf8);
		strbuf_printf(sb, " %s", verb);
	} else if (a->role == ACTOR_SHIM && a->exe) {
		quote(sb, base_name(a->exe), utf8);
	} else {
		quote(sb, comm[0] ? comm : "?", utf8);
	}
	if (a->pid)
		strbuf_printf(sb, " %u", a->pid);
}

static const char *limit_value(const struct container *c, const char *file)
{
	for (size_t i = 0; i < c->limit_count; i++) {
		if (!strcmp(c->limits[i].file, file))
			return c->limits[i].value;
	}
	return NULL;
}

static bool is_unlimited(const char *value)
{
	return !strncmp(value, "max", 3) || value[0] == '-' || strtoull(value, NULL, 10) >= 1ULL << 62;
}

static void text_quota(struct strbuf *sb, const char *quota, const char *period)
{
	double q = strtod(quota, NULL), p = period ? strtod(period, NULL) : 100000;

	if (p > 0)
		strbuf_printf(sb, "cpu %.3g (%.4g of every %.4g ms)", q / p, q / 1000, p / 1000);
}

/* One limit in words; nothing for a file that only belongs to another (a period), or sets none. */
static void text_limit(struct strbuf *sb, const struct container *c, const struct limit *l, bool utf8)
{
	static const struct { const char *file, *name; bool bytes; } names[] = {
		{ "memory.limit_in_bytes", "memory", true }, { "memory.max", "memory", true },
		{ "memory.high", "memory throttled above", true },
		{ "memory.memsw.limit_in_bytes", "memory+swap", true }, { "memory.swap.max", "swap", true },
		{ "memory.soft_limit_in_bytes", "memory reservation", true },
		{ "memory.low", "memory reservation", true },
		{ "memory.kmem.limit_in_bytes", "kernel memory", true },
		{ "cpu.shares", "cpu shares", false }, { "cpu.weight", "cpu weight", false },
		{ "cpuset.cpus", "on cpus", false }, { "cpuset.mems", "on memory nodes", false },
		{ "pids.max", "pids", false }, { "memory.swappiness", "swappiness", false },
	};
	char size[FORMAT_MAX], *rest;

	if (!strcmp(l->file, "cpu.cfs_quota_us")) {
		text_quota(sb, l->value, limit_value(c, "cpu.cfs_period_us"));
		return;
	}
	if (!strcmp(l->file, "cpu.max")) {
		strtod(l->value, &rest);
		text_quota(sb, l->value, rest && *rest ? rest : NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(l->file, names[i].file) != 0)
			continue;
		strbuf_printf(sb, "%s ", names[i].name);
		if (names[i].bytes)
			strbuf_puts(sb, format_bytes(size, strtoull(l->value, NULL, 10)));
		else
			quote(sb, l->value, utf8);
		return;
	}
	quote(sb, l->file, utf8);
	strbuf_putc(sb, '=');
	quote(sb, l->value, utf8);
}

void text_limits(struct strbuf *sb, const struct container *c, bool utf8)
{
	size_t before = sb->length;

	for (size_t i = 0; i < c->limit_count; i++) {
		const struct limit *l = &c->limits[i];

		if (!strcmp(l->file, "cpu.cfs_period_us") || str_starts(l->file, "devices.") ||
			!l->value[0] || is_unlimited(l->value))
			continue;
		if (sb->length > before)
			strbuf_puts(sb, ", ");
		text_limit(sb, c, l, utf8);
	}
}

static bool detail_u64(const struct details *details, const char *key, uint64_t *ret_value)
{
	const struct detail *d = details_get(details, key);

	if (!d || (d->type != DETAIL_U64 && d->type != DETAIL_NUMBER))
		return false;
	*ret_value = (uint64_t)d->number;
	return true;
}

/* "OOM: 256 MiB limit of /docker/... hit, usage 256 MiB" */
static void text_oom(struct strbuf *sb, const struct details *details, bool utf8)
{
	const char *limit_of = details_text(details, "limit_of");
	char size[FORMAT_MAX];
	uint64_t bytes;

	if (limit_of && !strcmp(limit_of, "host")) {
		strbuf_puts(sb, "OOM: the whole machine was out of memory");
		return;
	}
	strbuf_puts(sb, "OOM: ");
	if (detail_u64(details, "limit_bytes", &bytes))
		strbuf_printf(sb, "%s ", format_bytes(size, bytes));
	strbuf_puts(sb, "limit");
	word(sb, " of ", details_text(details, "limit_cgroup"), utf8);
	strbuf_puts(sb, " hit");
	if (detail_u64(details, "usage_bytes", &bytes))
		strbuf_printf(sb, ", usage %s", format_bytes(size, bytes));
}

static const struct mark *last_oom(const struct container *c)
{
	for (size_t i = c->mark_count; i-- > 0;) {
		if (c->marks[i].kind == MARK_OOM_KILL)
			return &c->marks[i];
	}
	return NULL;
}

static void text_sender(struct strbuf *sb, const struct exit_info *e, bool utf8)
{
	char comm[EVENT_COMM + 1] = "";

	if (e->sender_kernel) {
		strbuf_puts(sb, " from the kernel");
		return;
	}
	memcpy(comm, e->sender_comm, EVENT_COMM);
	strbuf_puts(sb, " from ");
	quote(sb, comm[0] ? comm : "?", utf8);
	strbuf_printf(sb, " (pid %u", e->sender_pid);
	word(sb, ", container ", e->sender_container, utf8);
	strbuf_putc(sb, ')');
}

static void text_death(struct strbuf *sb, const struct container *c, bool utf8)
{
	const struct exit_info *e = &c->exit;
	const struct mark *oom = last_oom(c);
	char name[FORMAT_MAX];

	if (!e->signal) {
		strbuf_printf(sb, "exit %d", e->code);
		if (oom) {
			strbuf_puts(sb, " (a process was killed; ");
			text_oom(sb, &oom->details, utf8);
			strbuf_putc(sb, ')');
		}
		return;
	}
	strbuf_printf(sb, "killed by %s", format_signal(name, e->signal));
	if (e->oom && oom) {
		strbuf_puts(sb, " (");
		text_oom(sb, &oom->details, utf8);
		strbuf_putc(sb, ')');
	} else if (e->oom) {
		strbuf_puts(sb, " (OOM)");
	} else if (e->has_sender) {
		text_sender(sb, e, utf8);
	} else {
		strbuf_puts(sb, ", sender unknown");
	}
	if (e->core)
		strbuf_puts(sb, ", core dumped");
	strbuf_printf(sb, ", exit code %d", e->code);
}

static bool has_failed(const struct step *s)
{
	return s->has_result && s->result < 0;
}

static bool makes_container(const struct container *c, const struct step *s)
{
	enum actor_role role = s->actor >= 0 && (size_t)s->actor < c->actor_count
		? c->actors[s->actor].role : ACTOR_KERNEL;

	return s->phase <= PHASE_EXEC && s->kind != STEP_SIGNAL &&
	       (role == ACTOR_RUNTIME || role == ACTOR_INIT || role == ACTOR_HOOK);
}

/* How far a start came that failed: an exec that failed and was not tried again, else the last step towards
 * the container. Failures before that (a masked path that this kernel lacks, a search of PATH) were
 * harmless: work went on after them. */
static const struct step *last_step(const struct container *c)
{
	const struct step *exec = NULL, *last = NULL;

	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];

		if (!makes_container(c, s))
			continue;
		last = s;
		if (s->kind == STEP_EXEC)
			exec = has_failed(s) ? s : exec && exec->actor == s->actor ? NULL : exec;
	}
	return exec ? exec : last;
}

static bool start_failed(const struct container *c)
{
	const struct step *s;

	if (c->started_ns || c->existed)
		return false;
	s = last_step(c);
	return c->state == STATE_EXITED || c->ended || (s && has_failed(s) && s->kind == STEP_EXEC);
}

static void text_not_started(struct strbuf *sb, const struct container *c, bool utf8)
{
	const struct step *s = last_step(c);
	char name[FORMAT_MAX];

	if (!start_failed(c)) {
		strbuf_puts(sb, "created, not started");
		return;
	}
	strbuf_puts(sb, "did not start");
	if (!s)
		return;
	strbuf_puts(sb, has_failed(s) ? ": " : ": given up after ");
	text_step(sb, s, utf8);
	if (has_failed(s))
		strbuf_printf(sb, ": %s (%s)", format_errno(name, (int)-s->result), strerror((int)-s->result));
	else
		strbuf_puts(sb, "; no traced call failed there, so the runtime's own message says why");
}

void text_outcome(struct strbuf *sb, const struct container *c, bool utf8)
{
	if (!c->started_ns && !c->existed)
		text_not_started(sb, c, utf8);
	else if (c->exit.known)
		text_death(sb, c, utf8);
	else if (c->state == STATE_EXITED)
		strbuf_puts(sb, "exited, code unknown");
	else
		strbuf_puts(sb, container_state_name(c->state));
}

bool text_is_failure(const struct container *c)
{
	if (!c->started_ns && !c->existed)
		return start_failed(c);
	return c->exit.known && c->exit.code != 0;
}

void text_mark(struct strbuf *sb, const struct mark *m, bool utf8)
{
	static const char *const oom_used[] = { "limit_of", "limit_cgroup", "limit_bytes",
		"usage_bytes", "victim_comm", "victim_pid", "victim_ns_pid", NULL };
	static const char *const none[] = { NULL };
	uint64_t pid;

	if (m->kind == MARK_OOM_KILL) {
		word(sb, "oom kill of ", details_text(&m->details, "victim_comm"), utf8);
		if (detail_u64(&m->details, "victim_pid", &pid))
			strbuf_printf(sb, " (pid %" PRIu64 ")", pid);
		strbuf_puts(sb, ": ");
		text_oom(sb, &m->details, utf8);
		quote_rest(sb, &m->details, oom_used, utf8);
		return;
	}
	strbuf_puts(sb, mark_kind_name(m->kind));
	quote_rest(sb, &m->details, none, utf8);
}

void text_container(struct strbuf *sb, const struct container *c, bool utf8)
{
	if (c->name && *c->name) {
		quote(sb, c->name, utf8);
		strbuf_puts(sb, "  ");
	}
	format_text(sb, c->id, long_id(c->id, strlen(c->id)) && !c->id[64] ? 12 : strnlen(c->id, QUOTE_MAX), utf8);
}
