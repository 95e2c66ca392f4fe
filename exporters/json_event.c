/* SPDX-License-Identifier: Apache-2.0 */
/* Single events as JSON: what the kernel side wrote, without interpretation. */
#include <string.h>

#include "exporters/json.h"
#include "exporters/json_emit.h"
#include "util/cleanup.h"

const char *json_event_kind_name(uint32_t kind)
{
	static const char *const low[] = {
		[EVENT_FORK] = "fork", [EVENT_EXEC] = "exec", [EVENT_EXIT] = "exit",
		[EVENT_RENAME] = "rename", [EVENT_CGROUP_MKDIR] = "cgroup_mkdir",
		[EVENT_CGROUP_RMDIR] = "cgroup_rmdir", [EVENT_CGROUP_RELEASE] = "cgroup_release",
		[EVENT_CGROUP_RENAME] = "cgroup_rename", [EVENT_CGROUP_ATTACH] = "cgroup_attach",
		[EVENT_CGROUP_POPULATED] = "cgroup_populated", [EVENT_CGROUP_FREEZE] = "cgroup_freeze",
		[EVENT_CGROUP_UNFREEZE] = "cgroup_unfreeze", [EVENT_CGROUP_FROZEN] = "cgroup_frozen",
		[EVENT_OOM_VICTIM] = "oom_victim", [EVENT_SIGNAL] = "signal", [EVENT_FORK_REFUSED] = "fork_refused",
		[EVENT_SYSCALL_ENTER] = "syscall_enter", [EVENT_SYSCALL_EXIT] = "syscall_exit",
		[EVENT_CGROUP_WRITE] = "cgroup_write", [EVENT_REQUEST] = "request",
		[EVENT_RESPONSE] = "response",
	};
	static const char *const high[] = { "snapshot_task", "snapshot_cgroup", "snapshot_end", "link", "lost",
		"armed", "cgroup_value", "meta", "tick", "netns" };
	const char *name = NULL;

	if (kind < ARRAY_SIZE(low))
		name = low[kind];
	else if (kind >= 256 && kind - 256 < ARRAY_SIZE(high))
		name = high[kind - 256];
	return name ? name : "unknown";
}

const char *json_loss_name(uint32_t reason)
{
	static const char *const names[] = {
		[LOSS_RING_FULL] = "ring_full", [LOSS_INFLIGHT_FULL] = "inflight_full",
		[LOSS_ROLE_FULL] = "role_full", [LOSS_LATE] = "late", [LOSS_NETLINK] = "netlink",
		[LOSS_SNAPSHOT] = "snapshot", [LOSS_RECORDING] = "recording",
		[LOSS_BLOCKED_FULL] = "blocked_full",
		[LOSS_STREAM] = "stream", [LOSS_MISSED] = "missed",
		[LOSS_UNWATCHED] = "unwatched", [LOSS_UNNAMED] = "unnamed", [LOSS_UNHEARD] = "unheard",
	};

	return reason < ARRAY_SIZE(names) && names[reason] ? names[reason] : "unknown";
}

const char *json_event_op_name(uint32_t op)
{
	static const char *const names[OP_MAX] = {
		[OP_MOUNT] = "mount", [OP_UMOUNT] = "umount2", [OP_FSOPEN] = "fsopen",
		[OP_FSCONFIG] = "fsconfig", [OP_FSMOUNT] = "fsmount", [OP_OPEN_TREE] = "open_tree",
		[OP_MOVE_MOUNT] = "move_mount", [OP_MOUNT_SETATTR] = "mount_setattr",
		[OP_PIVOT_ROOT] = "pivot_root", [OP_CHROOT] = "chroot", [OP_UNSHARE] = "unshare",
		[OP_SETNS] = "setns", [OP_SETHOSTNAME] = "sethostname", [OP_SECCOMP] = "seccomp",
		[OP_CAPSET] = "capset", [OP_NO_NEW_PRIVS] = "no_new_privs", [OP_EXECVE] = "execve",
		[OP_WRITE] = "write", [OP_CLONE] = "clone", [OP_KILL] = "kill", [OP_MKNOD] = "mknod",
		[OP_SETUID] = "setuid", [OP_SETGID] = "setgid", [OP_SETGROUPS] = "setgroups",
		[OP_BPF_PROG_ATTACH] = "bpf_prog_attach",
	};

	return op < OP_MAX && names[op] ? names[op] : "unknown";
}

const char *json_event_role_name(uint8_t role)
{
	static const char *const names[] = { NULL, "cli", "engine", "containerd", "shim", "runtime", "payload",
		"helper", "followed" };

	return role < ARRAY_SIZE(names) ? names[role] : NULL;
}

/* The member is there, all of it: a record is as short as its content. */
#define HAS(e, member) \
	((e)->h.size >= offsetof(__typeof__(*(e)), member) + sizeof((e)->member))
/* A number where the record holds it. */
#define NUMBER(e, member)                                                             \
	do {                                                                          \
		if (HAS(e, member))                                                   \
			json_number(sb, #member, (int64_t)(e)->member);               \
	} while (0)
#define WIDE(e, member)                                                               \
	do {                                                                          \
		if (HAS(e, member))                                                   \
			json_u64(sb, #member, (e)->member);                           \
	} while (0)
/* A text of a fixed size, or cut to its content at the record's end. */
#define TEXT(e, member)                                                               \
	write_text(sb, #member, &(e)->h, offsetof(__typeof__(*(e)), member), sizeof((e)->member))

static void write_text(struct strbuf *sb, const char *key, const struct event *h, size_t offset, size_t size)
{
	const char *text = (const char *)h + offset;

	if (h->size <= offset)
		return;
	if (size > h->size - offset)
		size = h->size - offset;
	json_bytes(sb, key, text, strnlen(text, size));
}

/* NUL-separated strings, of which `length` bytes are there. */
static void write_argv(struct strbuf *sb, const struct event *h, size_t offset, size_t length)
{
	const char *text = (const char *)h + offset;

	if (h->size <= offset)
		return;
	if (length > h->size - offset)
		length = h->size - offset;
	json_open(sb, "argv", '[');
	while (length) {
		size_t n = strnlen(text, length), whole = n < length ? n + 1 : n;

		json_bytes(sb, NULL, text, n);
		text += whole;
		length -= whole;
	}
	json_close(sb, ']');
}

static void write_path(struct strbuf *sb, const char (*slots)[EVENT_NAME], size_t count)
{
	struct strbuf path = { 0 };

	while (count-- > 0) {
		if (!slots[count][0])
			continue;
		strbuf_putc(&path, '/');
		strbuf_add(&path, slots[count], strnlen(slots[count], EVENT_NAME));
	}
	json_bytes(sb, "path", path.text ? path.text : "", path.length);
	strbuf_free(&path);
}

static void write_namespaces(struct strbuf *sb, const struct event_namespaces *ns)
{
	json_open(sb, "namespaces", '{');
	json_number(sb, "mnt", ns->mnt);
	json_number(sb, "pid", ns->pid);
	json_number(sb, "net", ns->net);
	json_number(sb, "uts", ns->uts);
	json_number(sb, "ipc", ns->ipc);
	json_number(sb, "cgroup", ns->cgroup);
	json_number(sb, "user", ns->user);
	json_number(sb, "time", ns->time);
	json_close(sb, '}');
}

static void write_fork(struct strbuf *sb, const struct event *event)
{
	const struct event_fork *e = (const struct event_fork *)event;

	NUMBER(e, child_tgid);
	NUMBER(e, child_ns_tgid);
	WIDE(e, child_start_ns);
	WIDE(e, clone_flags);
	WIDE(e, child_cgroup_id);
	NUMBER(e, child_ns_level);
	NUMBER(e, parent_tgid);
	if (HAS(e, ns))
		write_namespaces(sb, &e->ns);
}

static void write_exec(struct strbuf *sb, const struct event *event)
{
	const struct event_exec *e = (const struct event_exec *)event;

	NUMBER(e, parent_tgid);
	if (HAS(e, ns))
		write_namespaces(sb, &e->ns);
	NUMBER(e, uid);
	NUMBER(e, gid);
	WIDE(e, cap_permitted);
	NUMBER(e, seccomp_mode);
	NUMBER(e, no_new_privs);
	TEXT(e, filename);
	if (HAS(e, argv_length))
		write_argv(sb, event, offsetof(struct event_exec, argv), e->argv_length);
	NUMBER(e, argv_total);
	if (event->flags & EVENT_F_CPU) {
		WIDE(e, on_cpu_ns);
		WIDE(e, run_queue_ns);
	}
}

static void write_cgroup(struct strbuf *sb, const struct event *event)
{
	const struct event_cgroup *e = (const struct event_cgroup *)event;

	NUMBER(e, hierarchy);
	NUMBER(e, value);
	WIDE(e, id);
	NUMBER(e, level);
	NUMBER(e, target_tgid);
	NUMBER(e, target_tid);
	TEXT(e, path);
}

static void write_fork_refused(struct strbuf *sb, const struct event *event)
{
	const struct event_fork_refused *e = (const struct event_fork_refused *)event;

	WIDE(e, refused);
	WIDE(e, cgroup);
	WIDE(e, id);
	WIDE(e, usage);
	WIDE(e, limit);
	NUMBER(e, hierarchy);
	TEXT(e, name);
}

static void write_oom(struct strbuf *sb, const struct event *event)
{
	const struct event_oom *e = (const struct event_oom *)event;

	NUMBER(e, victim_tgid);
	NUMBER(e, victim_ns_tgid);
	WIDE(e, victim_start_ns);
	WIDE(e, victim_cgroup_id);
	WIDE(e, limit_id);
	WIDE(e, anon_kb);
	WIDE(e, file_kb);
	WIDE(e, shmem_kb);
	TEXT(e, victim_comm);
	NUMBER(e, page_size);
	NUMBER(e, memory_hierarchy);
	json_open(sb, "chain", '[');
	for (size_t i = 0; HAS(e, levels) && i < e->levels && i < EVENT_MEMCG_LEVELS; i++) {
		const struct event_memcg *m = &e->chain[i];

		if ((size_t)event->size < offsetof(struct event_oom, chain) + (i + 1) * sizeof(*m))
			break;
		json_open(sb, NULL, '{');
		json_u64(sb, "id", m->id);
		json_bytes(sb, "name", m->name, strnlen(m->name, sizeof(m->name)));
		json_u64(sb, "usage_pages", m->usage_pages);
		if (m->limit_pages == EVENT_NO_LIMIT)
			json_null(sb, "limit_pages");
		else
			json_u64(sb, "limit_pages", m->limit_pages);
		json_close(sb, '}');
	}
	json_close(sb, ']');
}

static void write_signal(struct strbuf *sb, const struct event *event)
{
	const struct event_signal *e = (const struct event_signal *)event;

	NUMBER(e, signal);
	NUMBER(e, code);
	NUMBER(e, result);
	NUMBER(e, target_tgid);
	NUMBER(e, target_tid);
	NUMBER(e, target_ns_tgid);
	WIDE(e, target_start_ns);
	WIDE(e, target_cgroup_id);
	TEXT(e, target_comm);
}

static void write_enter(struct strbuf *sb, const struct event *event)
{
	const struct event_syscall_enter *e = (const struct event_syscall_enter *)event;

	if (HAS(e, op))
		json_text(sb, "op", json_event_op_name(e->op));
	if (HAS(e, args)) {
		json_open(sb, "args", '[');
		for (size_t i = 0; i < ARRAY_SIZE(e->args); i++)
			json_u64(sb, NULL, e->args[i]);
		json_close(sb, ']');
	}
	NUMBER(e, mnt_ns);
	TEXT(e, a);
	TEXT(e, b);
	TEXT(e, c);
	if (HAS(e, path) && e->path_slots && e->path_slots <= EVENT_SLOTS)
		write_path(sb, e->path, e->path_slots);
	TEXT(e, d);
}

static void write_cgroup_write(struct strbuf *sb, const struct event *event)
{
	const struct event_cgroup_write *e = (const struct event_cgroup_write *)event;

	NUMBER(e, hierarchy);
	NUMBER(e, magic);
	WIDE(e, id);
	WIDE(e, length);
	TEXT(e, file);
	if (HAS(e, path))
		write_path(sb, e->path, EVENT_SLOTS);
	TEXT(e, value);
}

static void write_request(struct strbuf *sb, const struct event *event)
{
	const struct event_request *e = (const struct event_request *)event;
	size_t offset = offsetof(struct event_request, data), length;

	NUMBER(e, fd);
	WIDE(e, total);
	TEXT(e, peer);
	if (!HAS(e, length) || event->size <= offset)
		return;
	length = e->length < event->size - offset ? e->length : event->size - offset;
	json_bytes(sb, "data", e->data, length);
}

static void write_task(struct strbuf *sb, const struct event *event)
{
	const struct event_task *e = (const struct event_task *)event;

	NUMBER(e, parent_tgid);
	if (HAS(e, ns))
		write_namespaces(sb, &e->ns);
	TEXT(e, exe);
	if (HAS(e, argv_length))
		write_argv(sb, event, offsetof(struct event_task, argv), e->argv_length);
}

static void write_link(struct strbuf *sb, const struct event *event)
{
	const struct event_link *e = (const struct event_link *)event;

	NUMBER(e, action);
	NUMBER(e, ifindex);
	NUMBER(e, peer_ifindex);
	NUMBER(e, netns_id);
	json_bool(sb, "in_netns", event->flags & EVENT_F_IN_NETNS);
	NUMBER(e, flags);
	NUMBER(e, master);
	if (HAS(e, name))
		json_bytes(sb, "name", e->name, strnlen(e->name, sizeof(e->name)));
	if (HAS(e, kind))
		json_bytes(sb, "kind", e->kind, strnlen(e->kind, sizeof(e->kind)));
	TEXT(e, address);
}

static void write_netns(struct strbuf *sb, const struct event *event)
{
	const struct event_netns *e = (const struct event_netns *)event;

	NUMBER(e, netns_id);
	NUMBER(e, inode);
}

static void write_meta(struct strbuf *sb, const struct event *event)
{
	const struct event_meta *e = (const struct event_meta *)event;
	size_t offset = offsetof(struct event_meta, text), room, key;

	TEXT(e, id);
	if (event->size <= offset)
		return;
	room = event->size - offset < EVENT_DATA ? event->size - offset : EVENT_DATA;
	key = strnlen(e->text, room);
	json_bytes(sb, "key", e->text, key);
	if (key + 1 < room)
		json_bytes(sb, "value", e->text + key + 1, strnlen(e->text + key + 1, room - key - 1));
}

static void write_small(struct strbuf *sb, const struct event *event)
{
	const struct event_exit *gone = (const struct event_exit *)event;
	const struct event_rename *renamed = (const struct event_rename *)event;
	const struct event_syscall_exit *done = (const struct event_syscall_exit *)event;
	const struct event_lost *lost = (const struct event_lost *)event;
	const struct event_armed *armed = (const struct event_armed *)event;
	const struct event_cgroup_value *value = (const struct event_cgroup_value *)event;

	switch (event->kind) {
	case EVENT_EXIT:
		NUMBER(gone, exit_code);
		NUMBER(gone, parent_tgid);
		if (event->flags & EVENT_F_CPU) {
			WIDE(gone, on_cpu_ns);
			WIDE(gone, run_queue_ns);
		}
		break;
	case EVENT_RENAME:
		TEXT(renamed, new_comm);
		break;
	case EVENT_SYSCALL_EXIT:
		if (HAS(done, op))
			json_text(sb, "op", json_event_op_name(done->op));
		if (HAS(done, result))
			json_i64(sb, "result", done->result);
		if (event->flags & EVENT_F_CPU) {
			WIDE(done, on_cpu_ns);
			WIDE(done, run_queue_ns);
			WIDE(done, blocked_ns);
			TEXT(done, blocked_in);
		}
		break;
	case EVENT_LOST:
		if (HAS(lost, lost_kind))
			json_text(sb, "lost_kind", lost->lost_kind ? json_event_kind_name(lost->lost_kind) : NULL);
		if (HAS(lost, reason))
			json_text(sb, "reason", json_loss_name(lost->reason));
		WIDE(lost, count);
		break;
	case EVENT_ARMED:
		NUMBER(armed, armed);
		WIDE(armed, sentinel_ns);
		break;
	case EVENT_CGROUP_VALUE:
		NUMBER(value, hierarchy);
		NUMBER(value, age_ms);
		WIDE(value, id);
		TEXT(value, file);
		TEXT(value, value);
		break;
	default:
		break;
	}
}

static void write_body(struct strbuf *sb, const struct event *event)
{
	switch (event->kind) {
	case EVENT_FORK: write_fork(sb, event); break;
	case EVENT_EXEC: write_exec(sb, event); break;
	case EVENT_CGROUP_MKDIR:
	case EVENT_CGROUP_RMDIR:
	case EVENT_CGROUP_RELEASE:
	case EVENT_CGROUP_RENAME:
	case EVENT_CGROUP_ATTACH:
	case EVENT_CGROUP_POPULATED:
	case EVENT_CGROUP_FREEZE:
	case EVENT_CGROUP_UNFREEZE:
	case EVENT_CGROUP_FROZEN:
	case EVENT_SNAPSHOT_CGROUP: write_cgroup(sb, event); break;
	case EVENT_OOM_VICTIM: write_oom(sb, event); break;
	case EVENT_FORK_REFUSED: write_fork_refused(sb, event); break;
	case EVENT_SIGNAL: write_signal(sb, event); break;
	case EVENT_SYSCALL_ENTER: write_enter(sb, event); break;
	case EVENT_CGROUP_WRITE: write_cgroup_write(sb, event); break;
	case EVENT_REQUEST:
	case EVENT_RESPONSE: write_request(sb, event); break;
	case EVENT_SNAPSHOT_TASK: write_task(sb, event); break;
	case EVENT_LINK: write_link(sb, event); break;
	case EVENT_NETNS: write_netns(sb, event); break;
	case EVENT_META: write_meta(sb, event); break;
	default: write_small(sb, event); break;
	}
}

static void write_flags(struct strbuf *sb, uint8_t flags)
{
	static const char *const names[] = { "truncated", "unreadable", "sysenter", "fentry", "kernel" };

	json_open(sb, "flags", '[');
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags >> i & 1)
			json_text(sb, NULL, names[i]);
	}
	json_close(sb, ']');
}

void json_write_event(struct strbuf *sb, const struct event *e)
{
	if (e->size < sizeof(*e))
		return;
	json_open(sb, NULL, '{');
	json_text(sb, "type", "event");
	json_text(sb, "event", json_event_kind_name(e->kind));
	json_u64(sb, "time_ns", e->time_ns);
	json_number(sb, "cpu", e->cpu);
	json_number(sb, "pid", e->tgid);
	json_number(sb, "tid", e->tid);
	json_number(sb, "ns_pid", e->ns_tgid);
	json_number(sb, "ns_level", e->ns_level);
	json_bytes(sb, "comm", e->comm, strnlen(e->comm, sizeof(e->comm)));
	json_text(sb, "role", json_event_role_name(e->role));
	json_u64(sb, "cgroup_id", e->cgroup_id);
	json_u64(sb, "process_start_ns", e->start_ns);
	write_flags(sb, e->flags);
	json_open(sb, "data", '{');
	write_body(sb, e);
	json_close(sb, '}');
	json_close(sb, '}');
	strbuf_putc(sb, '\n');
}
