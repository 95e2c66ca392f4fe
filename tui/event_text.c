/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/event_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

#include "exporters/format.h"
#include "exporters/json.h"
#include "exporters/waterfall_text.h"
#include "timeline/flags.h"
#include "timeline/record.h"
#include "util/array.h"
#include "util/cleanup.h"

/* A text in a field of a fixed size. */
static void field(struct strbuf *sb, const char *before, const char *text, size_t size, bool utf8)
{
	_cleanup_free_ char *copy = xstrndup(text, strnlen(text, size));

	if (!*copy)
		return;
	strbuf_puts(sb, before);
	text_quote(sb, copy, utf8);
}

#define FIELD(sb, before, array) field(sb, before, array, sizeof(array), utf8)

static void argv_text(struct strbuf *sb, const char *argv, size_t length, bool utf8)
{
	for (size_t i = 0; i < length;) {
		size_t n = strnlen(argv + i, length - i);

		strbuf_putc(sb, ' ');
		format_text(sb, argv + i, n, utf8);
		i += n + 1;
	}
}

static void exec_text(struct strbuf *sb, const union record *r, bool utf8)
{
	size_t room = sizeof(r->exec.argv);

	FIELD(sb, "", r->exec.filename);
	strbuf_putc(sb, ':');
	argv_text(sb, r->exec.argv, r->exec.argv_length < room ? r->exec.argv_length : room, utf8);
}

static void exit_text(struct strbuf *sb, int status)
{
	char name[FORMAT_MAX];

	if (status & 0x7f)
		strbuf_printf(sb, "killed by %s", format_signal(name, status & 0x7f));
	else
		strbuf_printf(sb, "exit %d", status >> 8 & 0xff);
}

static void oom_text(struct strbuf *sb, const union record *r, bool utf8)
{
	char bytes[FORMAT_MAX];

	strbuf_puts(sb, "OOM kill of");
	FIELD(sb, " ", r->oom.victim_comm);
	strbuf_printf(sb, " (pid %u, %s anonymous)", r->oom.victim_tgid, format_bytes(bytes, r->oom.anon_kb * 1024));
	if (r->oom.levels && r->oom.chain[0].limit_pages != EVENT_NO_LIMIT && r->oom.page_size)
		strbuf_printf(sb, ", limit %s", format_bytes(bytes, r->oom.chain[0].limit_pages * r->oom.page_size));
}

static void refused_text(struct strbuf *sb, const union record *r, bool utf8)
{
	strbuf_printf(sb, "%" PRIu64 " fork%s refused so far", (uint64_t)r->refused.refused,
		r->refused.refused == 1 ? "" : "s");
	if (!r->refused.limit)
		return;
	strbuf_printf(sb, ", pids limit %" PRIu64 " of", (uint64_t)r->refused.limit);
	FIELD(sb, " ", r->refused.name);
}

static void signal_text(struct strbuf *sb, const union record *r, bool utf8)
{
	char name[FORMAT_MAX];

	strbuf_printf(sb, "%s %s", format_signal(name, r->signal.signal), utf8 ? "→" : "->");
	FIELD(sb, " ", r->signal.target_comm);
	strbuf_printf(sb, " %u", r->signal.target_tgid);
}

static void path_text(struct strbuf *sb, const char (*slots)[EVENT_NAME], size_t count, bool utf8)
{
	while (count-- > 0) {
		if (slots[count][0])
			field(sb, "/", slots[count], EVENT_NAME, utf8);
	}
}

static void flags_of(struct strbuf *sb, const struct event_syscall_enter *e)
{
	_cleanup_free_ char *names = flags_clone(e->op == OP_SETNS ? e->args[1] : e->args[0]);

	for (char *p = names; *p; p++)
		*p = *p == '\x1f' ? '|' : *p;
	strbuf_printf(sb, " %s", names);
}

/* The kind, and where it is put: what is mounted is often its name again. */
static void mount_text(struct strbuf *sb, const struct event_syscall_enter *e, bool utf8)
{
	FIELD(sb, " ", e->c);
	FIELD(sb, " on ", e->b);
	if (strncmp(e->a, e->c, sizeof(e->c)) != 0)
		FIELD(sb, " from ", e->a);
}

static void call_text(struct strbuf *sb, const union record *r, bool utf8)
{
	const struct event_syscall_enter *e = &r->enter;
	size_t before = sb->length;
	char name[FORMAT_MAX];

	switch (e->op) {
	case OP_KILL:
		strbuf_printf(sb, " %s %s pid %" PRIu64, format_signal(name, (int)e->args[1]), utf8 ? "→" : "->",
			(uint64_t)e->args[0]);
		break;
	case OP_CLONE:
	case OP_UNSHARE:
	case OP_SETNS: flags_of(sb, e); break;
	case OP_MOUNT: mount_text(sb, e, utf8); break;
	default:
		FIELD(sb, " ", e->a);
		FIELD(sb, " ", e->b);
		break;
	}
	if (e->path_slots && e->path_slots <= EVENT_SLOTS) {
		strbuf_puts(sb, utf8 ? " → " : " -> ");
		path_text(sb, e->path, e->path_slots, utf8);
	}
	FIELD(sb, " ", e->d);
	if (sb->length == before && e->op != OP_EXECVE)
		strbuf_printf(sb, " 0x%" PRIx64 " 0x%" PRIx64, (uint64_t)e->args[0], (uint64_t)e->args[1]);
}

static void request_text(struct strbuf *sb, const union record *r, bool utf8)
{
	size_t line = strcspn(r->request.data, "\r\n");

	field(sb, "", r->request.data, line < sizeof(r->request.data) ? line : sizeof(r->request.data), utf8);
	FIELD(sb, utf8 ? " → " : " -> ", r->request.peer);
}

static void meta_text(struct strbuf *sb, const union record *r, bool utf8)
{
	size_t key = strnlen(r->meta.text, sizeof(r->meta.text) - 1);

	format_text(sb, r->meta.text, key, utf8);
	field(sb, " = ", r->meta.text + key + 1, sizeof(r->meta.text) - key - 1, utf8);
	FIELD(sb, " of ", r->meta.id);
}

/* "memory /docker/8c48c4f9467e..." */
static void cgroup_text(struct strbuf *sb, const union record *r, const struct timeline_config *config, bool utf8)
{
	for (size_t i = 0; i < config->hierarchy_count; i++) {
		if (config->hierarchies[i].id == r->cgroup.hierarchy && config->hierarchies[i].controllers[0])
			FIELD(sb, "", config->hierarchies[i].controllers);
	}
	FIELD(sb, " ", r->cgroup.path);
	if (r->h.kind == EVENT_CGROUP_ATTACH)
		strbuf_printf(sb, " pid %u", r->cgroup.target_tgid);
	if (r->h.kind == EVENT_CGROUP_POPULATED || r->h.kind == EVENT_CGROUP_FROZEN)
		strbuf_printf(sb, " = %d", r->cgroup.value);
}

/* An end whose start was not seen. */
static void result_text(struct strbuf *sb, int64_t result)
{
	char name[FORMAT_MAX];

	if (result < 0)
		strbuf_printf(sb, "= %s", format_errno(name, (int)-result));
	else
		strbuf_printf(sb, "= %" PRId64, result);
}

static void lost_text(struct strbuf *sb, const union record *r)
{
	strbuf_printf(sb, "LOST %" PRIu64 " %s so far: %s", (uint64_t)r->lost.count,
		r->lost.lost_kind ? json_event_kind_name(r->lost.lost_kind) : "events", json_loss_name(r->lost.reason));
}

/* Many writers end the value's line. */
static void write_text(struct strbuf *sb, const union record *r, bool utf8)
{
	size_t length = strnlen(r->write.value, sizeof(r->write.value));

	FIELD(sb, "", r->write.file);
	field(sb, " = ", r->write.value, length - (length && r->write.value[length - 1] == '\n'), utf8);
}

static void body_text(struct strbuf *sb, const union record *r, const struct timeline_config *config, bool utf8)
{
	switch (r->h.kind) {
	case EVENT_FORK: strbuf_printf(sb, "%s pid %u", utf8 ? "→" : "->", r->fork.child_tgid); break;
	case EVENT_EXEC: exec_text(sb, r, utf8); break;
	case EVENT_EXIT: exit_text(sb, r->exit.exit_code); break;
	case EVENT_RENAME: FIELD(sb, utf8 ? "→ " : "-> ", r->rename.new_comm); break;
	case EVENT_OOM_VICTIM: oom_text(sb, r, utf8); break;
	case EVENT_FORK_REFUSED: refused_text(sb, r, utf8); break;
	case EVENT_SIGNAL: signal_text(sb, r, utf8); break;
	case EVENT_SYSCALL_ENTER: call_text(sb, r, utf8); break;
	case EVENT_SYSCALL_EXIT: result_text(sb, r->leave.result); break;
	case EVENT_CGROUP_WRITE: write_text(sb, r, utf8); break;
	case EVENT_REQUEST:
	case EVENT_RESPONSE: request_text(sb, r, utf8); break;
	case EVENT_LINK:
		FIELD(sb, "", r->link.name);
		FIELD(sb, " ", r->link.kind);
		FIELD(sb, " ", r->link.address);
		break;
	case EVENT_NETNS: strbuf_printf(sb, "id %d is net:[%u]", r->netns.netns_id, r->netns.inode); break;
	case EVENT_LOST: lost_text(sb, r); break;
	case EVENT_ARMED:
		strbuf_puts(sb, r->armed.armed ? "detail hooks armed" : "detail hooks disarmed");
		break;
	case EVENT_META: meta_text(sb, r, utf8); break;
	default: cgroup_text(sb, r, config, utf8); break;
	}
}

void event_text(struct strbuf *sb, const struct log_entry *entry, const struct timeline_config *config, bool utf8)
{
	union record r;
	char text[FORMAT_MAX];
	size_t before = sb->length;

	record_fill(&r, entry->event, sizeof(r.bytes));
	body_text(sb, &r, config, utf8);
	if (sb->length > before && sb->text[before] == ' ') { /* the first part had nothing before it */
		memmove(sb->text + before, sb->text + before + 1, sb->length - before);
		sb->length--;
	}
	if (!entry->has_result)
		return;
	if (entry->result < 0)
		strbuf_printf(sb, " = %s", format_errno(text, (int)-entry->result));
	strbuf_printf(sb, " (%s)", format_duration(text, entry->duration_ns, utf8));
}

bool event_is_bad(const struct log_entry *entry)
{
	union record r;

	record_fill(&r, entry->event, sizeof(r.bytes));
	if (entry->has_result && entry->result < 0)
		return true;
	return r.h.kind == EVENT_OOM_VICTIM || r.h.kind == EVENT_FORK_REFUSED || r.h.kind == EVENT_LOST ||
	       (r.h.kind == EVENT_EXIT && r.exit.exit_code != 0);
}

const char *event_label(const struct event *event)
{
	const struct event_syscall_enter *e = (const struct event_syscall_enter *)event;

	if ((event->kind == EVENT_SYSCALL_ENTER || event->kind == EVENT_SYSCALL_EXIT) &&
		event->size >= offsetof(struct event_syscall_enter, op) + sizeof(e->op))
		return json_event_op_name(e->op);
	if (event->kind == EVENT_LOST)
		return "LOST";
	return json_event_kind_name(event->kind);
}
