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

void text_quote(struct strbuf *sb, const char *text, bool utf8)
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
	case DETAIL_TEXT: text_quote(sb, d->text ? d->text : "", utf8); break;
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

void text_rest(struct strbuf *sb, const struct details *details, const char *const *but, bool utf8)
{
	for (size_t i = 0; i < details->count; i++) {
		const struct detail *d = &details->items[i];

		if (is_in(d->key, but) || (d->type == DETAIL_TEXT && (!d->text || !*d->text)))
			continue;
		strbuf_printf(sb, " %s=", d->key);
		quote_detail(sb, d, utf8);
	}
}

void text_word(struct strbuf *sb, const char *before, const char *text, bool utf8)
{
	if (!text || !*text)
		return;
	strbuf_puts(sb, before);
	text_quote(sb, text, utf8);
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

	text_quote(sb, call, utf8);
	text_word(sb, " ", details_text(&s->details, "fstype"), utf8);
	if (command)
		text_word(sb, " ", str_starts(command, "FSCONFIG_") ? command + strlen("FSCONFIG_") : command, utf8);
	text_word(sb, " ", details_text(&s->details, "key"), utf8);
	text_word(sb, "=", details_text(&s->details, "value"), utf8);
	text_word(sb, " ", details_text(&s->details, "source"), utf8);
	text_word(sb, str_starts(call, "move") ? " on " : " ", target, utf8);
	if (flags && *flags) {
		strbuf_puts(sb, " (");
		quote_flags(sb, flags, "MOUNT_ATTR_", true, ',');
		strbuf_putc(sb, ')');
	}
	text_rest(sb, &s->details, used, utf8);
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
		text_word(sb, "remount ", target_of(s), utf8);
		bind = true;
	} else if (bind) { /* the target first: a long source must not push it off the line */
		text_word(sb, "bind ", target_of(s), utf8);
		text_word(sb, " from ", source, utf8);
	} else {
		strbuf_puts(sb, "mount");
	}
	if (!bind && fstype && *fstype && strcmp(fstype, "none") != 0)
		text_word(sb, " ", fstype, utf8);
	else if (!bind && source && strcmp(source, "none") != 0)
		text_word(sb, " ", source, utf8);
	if (!bind)
		text_word(sb, " on ", target_of(s), utf8);
	if (flags && *flags) {
		strbuf_puts(sb, " (");
		quote_flags(sb, flags, "MS_", true, ',');
		strbuf_putc(sb, ')');
	}
	text_word(sb, " ", details_text(&s->details, "data"), utf8);
	text_rest(sb, &s->details, used, utf8);
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

	text_quote(sb, file ? file : "cgroup file", utf8);
	strbuf_puts(sb, " = ");
	text_quote(sb, value ? value : "?", utf8);
	if (file && value)
		explain_value(sb, file, value);
	text_rest(sb, &s->details, used, utf8);
}

static void text_request(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "method", "path", "status", NULL };
	const struct detail *status = details_get(&s->details, "status");

	text_word(sb, "", details_text(&s->details, "method"), utf8);
	text_word(sb, " ", details_text(&s->details, "path"), utf8);
	if (status) {
		strbuf_puts(sb, utf8 ? " → " : " -> ");
		quote_detail(sb, status, utf8);
	}
	text_rest(sb, &s->details, used, utf8);
}

/* Arguments as far as a line quotes them, and how many are left (conmon has 40); JSON has them all. */
static void quote_arguments(struct strbuf *sb, const char *list, bool utf8)
{
	size_t from = sb->length, left = 0, n;

	for (; *list; list += n + (list[n] != '\0')) {
		size_t room = sb->length - from < QUOTE_MAX ? QUOTE_MAX - (sb->length - from) : 0;

		n = strcspn(list, "\x1f");
		if (left++)
			continue;
		if (sb->length > from)
			strbuf_putc(sb, ' ');
		quote_bytes(sb, list, n < room ? n : room, utf8);
		if (n <= room)
			left = 0;
		else
			strbuf_puts(sb, utf8 ? "…" : "..");
	}
	if (left > 1)
		strbuf_printf(sb, " and %zu more", left - 1);
}

static void text_exec(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "path", "argv", NULL };
	const char *argv = details_text(&s->details, "argv");

	text_word(sb, "exec ", details_text(&s->details, "path"), utf8);
	if (argv && *argv) {
		strbuf_puts(sb, ": ");
		quote_arguments(sb, argv, utf8);
	}
	text_rest(sb, &s->details, used, utf8);
}

static void text_namespaces(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "flags", NULL };
	const char *flags = details_text(&s->details, "flags");

	strbuf_puts(sb, step_kind_name(s->kind));
	if (flags && *flags) {
		strbuf_putc(sb, ' ');
		quote_flags(sb, flags, "CLONE_", false, '|');
	}
	text_rest(sb, &s->details, used, utf8);
}

static void text_paths(struct strbuf *sb, const struct step *s, const char *verb, const char *first,
	const char *second, bool utf8)
{
	const char *const used[] = { first, second, NULL };

	strbuf_puts(sb, verb);
	text_word(sb, " ", details_text(&s->details, first), utf8);
	text_word(sb, " ", details_text(&s->details, second), utf8);
	text_rest(sb, &s->details, used, utf8);
}

static void text_umount(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "target", "argument", "flags", NULL };
	const char *flags = details_text(&s->details, "flags");

	text_word(sb, "umount ", target_of(s), utf8);
	if (flags && *flags) {
		strbuf_puts(sb, " (");
		quote_flags(sb, flags, "MNT_", true, ',');
		strbuf_putc(sb, ')');
	}
	text_rest(sb, &s->details, used, utf8);
}

static void text_signal(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "sig", "signal", "sender", "sender_pid", NULL };
	const struct detail *sig = details_get(&s->details, "sig");
	const struct detail *pid = details_get(&s->details, "sender_pid");
	char name[FORMAT_MAX];

	if (sig && sig->type == DETAIL_TEXT)
		text_word(sb, str_starts(sig->text, "SIG") ? "" : "SIG", sig->text, utf8);
	else if (sig)
		strbuf_puts(sb, format_signal(name, (int)sig->number));
	else
		strbuf_puts(sb, "signal");
	text_word(sb, " from ", details_text(&s->details, "sender"), utf8);
	if (pid)
		strbuf_printf(sb, " (pid %" PRId64 ")", pid->number);
	text_rest(sb, &s->details, used, utf8);
}

/* "mknod /dev/null c 1:3" */
static void text_mknod(struct strbuf *sb, const struct step *s, bool utf8)
{
	static const char *const used[] = { "path", "type", "major", "minor", NULL };
	const struct detail *major = details_get(&s->details, "major");
	const struct detail *minor = details_get(&s->details, "minor");

	strbuf_puts(sb, "mknod");
	text_word(sb, " ", details_text(&s->details, "path"), utf8);
	text_word(sb, " ", details_text(&s->details, "type"), utf8);
	if (major && minor)
		strbuf_printf(sb, " %" PRId64 ":%" PRId64, major->number, minor->number);
	text_rest(sb, &s->details, used, utf8);
}

static size_t count_items(const char *list)
{
	size_t count = list && *list;

	for (const char *at = count ? list : ""; *at; at++)
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
			strbuf_printf(sb, "%s %zu %s", i ? "," : "", count_items(d->text), sets[i]);
	}
	text_rest(sb, &s->details, sets, utf8);
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

	for (size_t i = 1; argv && argv[0] && argv[i]; i++) { /* an argv that could not be read is empty */
		if (is_in(argv[i], verbs))
			return argv[i];
	}
	return NULL;
}

/* What executes itself through /proc/self/exe or a descriptor is called "exe" or "6". */
static bool is_nameless(const char *comm)
{
	return !strcmp(comm, "exe") || strspn(comm, "0123456789") == strlen(comm);
}

void text_actor(struct strbuf *sb, const struct actor *a, bool utf8)
{
	const char *verb = a->role == ACTOR_RUNTIME ? runtime_verb(a->argv) : NULL;
	char comm[EVENT_COMM + 1] = "";

	memcpy(comm, a->comm, EVENT_COMM);
	if (str_starts(comm, "runc:[")) {
		text_quote(sb, comm, utf8);
	} else if (verb) {
		text_quote(sb, base_name(a->argv[0]), utf8);
		strbuf_printf(sb, " %s", verb);
	} else if (a->role == ACTOR_SHIM && a->exe) {
		text_quote(sb, base_name(a->exe), utf8);
	} else if (is_nameless(comm) && a->argv && a->argv[0]) {
		text_quote(sb, base_name(a->argv[0]), utf8);
	} else {
		text_quote(sb, comm[0] ? comm : "?", utf8);
	}
	if (a->pid)
		strbuf_printf(sb, " %u", a->pid);
}

void text_container(struct strbuf *sb, const struct container *c, bool utf8)
{
	if (c->name && *c->name) {
		text_quote(sb, c->name, utf8);
		strbuf_puts(sb, "  ");
	}
	format_text(sb, c->id, long_id(c->id, strlen(c->id)) && !c->id[64] ? 12 : strnlen(c->id, QUOTE_MAX), utf8);
}

void text_title(struct strbuf *sb, const struct container *c, bool utf8)
{
	text_container(sb, c, utf8);
	text_word(sb, "  image ", c->image, utf8);
	text_word(sb, "  by ", c->engine, utf8);
	text_word(sb, "  with ", c->runtime, utf8);
	text_word(sb, "  pod ", c->pod, utf8);
	if (c->is_sandbox)
		strbuf_puts(sb, "  pod sandbox");
	if (c->generation)
		strbuf_printf(sb, "  start no. %d", c->generation + 1);
}

void text_add_span(struct strbuf *sb, const char *name, uint64_t start_ns, uint64_t end_ns, bool utf8)
{
	char text[FORMAT_MAX];

	if (!start_ns || end_ns <= start_ns)
		return;
	if (sb->length)
		strbuf_puts(sb, utf8 ? " · " : ", ");
	strbuf_printf(sb, "%s %s", name, format_duration(text, end_ns - start_ns, utf8));
}

void text_functions(struct strbuf *sb, const char *functions, size_t most, bool utf8)
{
	size_t shown = 0;

	while (*functions && shown < most) {
		size_t length = strcspn(functions, "\x1f");

		strbuf_puts(sb, shown++ ? (utf8 ? " ← " : " < ") : "");
		format_text(sb, functions, length, utf8);
		functions += length + (functions[length] != '\0');
	}
}
