/* SPDX-License-Identifier: Apache-2.0 */
/* What a system call of the detail tier is, as a step: its kind and its named arguments. */
#include <inttypes.h>
#include <linux/mount.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/flags.h"
#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

#define F(flag) { flag, #flag }

static const struct flag_name mount_flags[] = {
	F(MS_RDONLY), F(MS_NOSUID), F(MS_NODEV), F(MS_NOEXEC), F(MS_SYNCHRONOUS), F(MS_REMOUNT),
	F(MS_MANDLOCK), F(MS_DIRSYNC), { 256, "MS_NOSYMFOLLOW" }, F(MS_NOATIME), F(MS_NODIRATIME),
	F(MS_BIND), F(MS_MOVE), F(MS_REC), F(MS_SILENT), F(MS_POSIXACL), F(MS_UNBINDABLE),
	F(MS_PRIVATE), F(MS_SLAVE), F(MS_SHARED), F(MS_RELATIME), F(MS_KERNMOUNT), F(MS_I_VERSION),
	F(MS_STRICTATIME), F(MS_LAZYTIME),
};

static const struct flag_name umount_flags[] = {
	{ 1, "MNT_FORCE" }, { 2, "MNT_DETACH" }, { 4, "MNT_EXPIRE" }, { 8, "UMOUNT_NOFOLLOW" },
};

static const struct flag_name attr_flags[] = {
	F(MOUNT_ATTR__ATIME), /* a field of three bits: to change it, all are cleared */
	F(MOUNT_ATTR_RDONLY), F(MOUNT_ATTR_NOSUID), F(MOUNT_ATTR_NODEV), F(MOUNT_ATTR_NOEXEC),
	F(MOUNT_ATTR_NOATIME), F(MOUNT_ATTR_STRICTATIME), F(MOUNT_ATTR_NODIRATIME),
	F(MOUNT_ATTR_IDMAP), { 0x200000, "MOUNT_ATTR_NOSYMFOLLOW" },
};

static const char *const fsconfig_commands[] = { "FSCONFIG_SET_FLAG", "FSCONFIG_SET_STRING",
	"FSCONFIG_SET_BINARY", "FSCONFIG_SET_PATH", "FSCONFIG_SET_PATH_EMPTY", "FSCONFIG_SET_FD",
	"FSCONFIG_CMD_CREATE", "FSCONFIG_CMD_RECONFIGURE", "FSCONFIG_CMD_CREATE_EXCL" };

static const char *const capabilities[] = { "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
	"CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
	"CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
	"CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
	"CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE" };

/* A record is cut where it has no more content: text that is not there is empty. */
static bool has(const struct event_syscall_enter *e, size_t offset, size_t size)
{
	return e->h.size >= offset + size;
}

static void add_string(struct details *d, const char *key, const char *text, size_t size)
{
	size_t length = strnlen(text, size - 1);

	if (length)
		details_add_bytes(d, key, text, length);
}

static void add_a(struct step *s, const struct event_syscall_enter *e, const char *key)
{
	if (has(e, offsetof(struct event_syscall_enter, a), sizeof(e->a)))
		add_string(&s->details, key, e->a, sizeof(e->a));
}

static void add_b(struct step *s, const struct event_syscall_enter *e, const char *key)
{
	if (has(e, offsetof(struct event_syscall_enter, b), sizeof(e->b)))
		add_string(&s->details, key, e->b, sizeof(e->b));
}

static void add_c(struct step *s, const struct event_syscall_enter *e, const char *key)
{
	if (has(e, offsetof(struct event_syscall_enter, c), sizeof(e->c)))
		add_string(&s->details, key, e->c, sizeof(e->c));
}

static void add_d(struct step *s, const struct event_syscall_enter *e, const char *key)
{
	size_t offset = offsetof(struct event_syscall_enter, d);

	if (e->h.size > offset + 1)
		add_string(&s->details, key, e->d, e->h.size - offset);
}

/* The resolved path, leaf first in slots; NULL where the record has none. The caller frees. */
static char *slots_path(const struct event_syscall_enter *e)
{
	uint32_t count = e->path_slots;
	char *path, *at;
	size_t size = 1;

	if (!count || count > EVENT_SLOTS ||
		!has(e, offsetof(struct event_syscall_enter, path), sizeof(e->path)))
		return NULL;
	for (uint32_t i = 0; i < count; i++)
		size += 1 + strnlen(e->path[i], EVENT_NAME);
	at = path = xmalloc(size);
	while (count--) {
		size_t length = strnlen(e->path[count], EVENT_NAME);

		*at++ = '/';
		at = mempcpy(at, e->path[count], length);
	}
	*at = '\0';
	return path;
}

static void add_list(struct step *s, const char *key, uint64_t flags, const struct flag_name *names,
	size_t count)
{
	details_take_list(&s->details, key, flags_text(flags, names, count));
}

/* The target; where the argument names a descriptor or ".", what it stands for, and the argument besides. */
static void add_target(struct step *s, const struct event_syscall_enter *e, bool in_b)
{
	_cleanup_free_ char *path = slots_path(e);
	const char *raw = in_b ? e->b : e->a;

	/* "." after pivot_root(".", ".") is the old root, which has no path any more */
	if (path && !(!strcmp(raw, ".") && !strcmp(path, "/"))) {
		details_take_text(&s->details, "target", steal_ptr(path));
		if (in_b)
			add_b(s, e, "argument");
		else
			add_a(s, e, "argument");
	} else if (in_b) {
		add_b(s, e, "target");
	} else {
		add_a(s, e, "target");
	}
}

static void describe_mount(const struct event_syscall_enter *e, struct step *s)
{
	add_a(s, e, "source");
	add_target(s, e, true);
	add_c(s, e, "fstype");
	add_list(s, "flags", e->args[3] & 0xffffffff, mount_flags, ARRAY_SIZE(mount_flags));
	add_d(s, e, "data");
}

static void describe_new_mount(const struct event_syscall_enter *e, struct step *s)
{
	static const char *const calls[OP_MAX] = { [OP_FSOPEN] = "fsopen", [OP_FSCONFIG] = "fsconfig",
		[OP_FSMOUNT] = "fsmount", [OP_OPEN_TREE] = "open_tree", [OP_MOVE_MOUNT] = "move_mount",
		[OP_MOUNT_SETATTR] = "mount_setattr" };

	details_add_constant(&s->details, "call", calls[e->op]);
	switch (e->op) {
	case OP_FSOPEN:
		add_a(s, e, "fstype");
		break;
	case OP_FSCONFIG:
		details_add_number(&s->details, "fd", (int32_t)e->args[0]);
		details_add_constant(&s->details, "command",
			e->args[1] < ARRAY_SIZE(fsconfig_commands) ? fsconfig_commands[e->args[1]] : "unknown");
		add_a(s, e, "key");
		add_b(s, e, "value");
		break;
	case OP_FSMOUNT:
		details_add_number(&s->details, "fd", (int32_t)e->args[0]);
		add_list(s, "flags", e->args[2], attr_flags, ARRAY_SIZE(attr_flags));
		break;
	case OP_OPEN_TREE:
		add_target(s, e, false);
		break;
	case OP_MOVE_MOUNT:
		add_a(s, e, "source");
		add_target(s, e, true);
		break;
	default:
		add_target(s, e, false);
		add_list(s, "set", e->args[3], attr_flags, ARRAY_SIZE(attr_flags));
		add_list(s, "clear", e->args[4], attr_flags, ARRAY_SIZE(attr_flags));
		if (e->args[5])
			add_list(s, "propagation", e->args[5], mount_flags, ARRAY_SIZE(mount_flags));
		break;
	}
}

static void add_clone_flags(struct step *s, uint64_t flags)
{
	details_take_list(&s->details, "flags", flags_clone(flags));
}

static void add_capabilities(struct step *s, const char *key, uint64_t mask)
{
	struct strbuf text = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
		if (!(mask >> i & 1))
			continue;
		if (text.length)
			strbuf_putc(&text, '\x1f');
		strbuf_puts(&text, capabilities[i]);
	}
	details_take_list(&s->details, key, strbuf_steal(&text));
}

static void describe_seccomp(const struct event_syscall_enter *e, struct step *s)
{
	details_add_constant(&s->details, "call", e->args[2] == 1 ? "prctl" : "seccomp");
	details_add_constant(&s->details, "mode", e->args[0] == 0 ? "strict" : "filter");
}

static void describe_mknod(const struct event_syscall_enter *e, struct step *s)
{
	uint64_t mode = e->args[2] & 0170000, dev = e->args[3];

	add_a(s, e, "path");
	details_add_constant(&s->details, "type", mode == 0020000 ? "char" : mode == 0060000 ? "block"
		: mode == 0010000 ? "fifo" : "file");
	if (mode == 0020000 || mode == 0060000) { /* the kernel's new_encode_dev */
		details_add_number(&s->details, "major", (int64_t)(dev >> 8 & 0xfff));
		details_add_number(&s->details, "minor", (int64_t)((dev & 0xff) | (dev >> 12 & 0xfff00)));
	}
}

static void describe_pivot_root(const struct event_syscall_enter *e, struct step *s)
{
	char *path = slots_path(e);

	add_a(s, e, "new_root");
	add_b(s, e, "put_old");
	if (path)
		details_take_text(&s->details, "resolved", path);
}

static const enum step_kind kinds[OP_MAX] = {
	[OP_MOUNT] = STEP_MOUNT, [OP_UMOUNT] = STEP_UMOUNT, [OP_FSOPEN] = STEP_MOUNT,
	[OP_FSCONFIG] = STEP_MOUNT, [OP_FSMOUNT] = STEP_MOUNT, [OP_OPEN_TREE] = STEP_MOUNT,
	[OP_MOVE_MOUNT] = STEP_MOUNT, [OP_MOUNT_SETATTR] = STEP_MOUNT, [OP_PIVOT_ROOT] = STEP_PIVOT_ROOT,
	[OP_CHROOT] = STEP_CHROOT, [OP_UNSHARE] = STEP_UNSHARE, [OP_SETNS] = STEP_SETNS,
	[OP_SETHOSTNAME] = STEP_SETHOSTNAME, [OP_SECCOMP] = STEP_SECCOMP, [OP_CAPSET] = STEP_CAPSET,
	[OP_NO_NEW_PRIVS] = STEP_NO_NEW_PRIVS, [OP_EXECVE] = STEP_EXEC, [OP_CLONE] = STEP_CLONE,
	[OP_KILL] = STEP_SIGNAL, [OP_MKNOD] = STEP_MKNOD, [OP_SETUID] = STEP_SETUID,
	[OP_SETGID] = STEP_SETGID, [OP_SETGROUPS] = STEP_SETGROUPS, [OP_BPF_PROG_ATTACH] = STEP_BPF_DEVICE,
};

bool operation_describe(const struct event_syscall_enter *e, struct step *s)
{
	if (e->op >= OP_MAX || (!kinds[e->op] && e->op != OP_NONE) || e->op == OP_NONE)
		return false;
	s->kind = kinds[e->op];
	switch (e->op) {
	case OP_MOUNT:
		describe_mount(e, s);
		break;
	case OP_UMOUNT:
		add_target(s, e, false);
		add_list(s, "flags", e->args[1] & 0xffffffff, umount_flags, ARRAY_SIZE(umount_flags));
		break;
	case OP_PIVOT_ROOT:
		describe_pivot_root(e, s);
		break;
	case OP_CHROOT:
	case OP_EXECVE:
		add_a(s, e, "path");
		break;
	case OP_UNSHARE:
	case OP_CLONE:
		add_clone_flags(s, e->args[0]);
		break;
	case OP_SETNS:
		add_clone_flags(s, e->args[1]);
		details_add_u64(&s->details, "namespace", e->args[2]);
		break;
	case OP_SETHOSTNAME:
		add_a(s, e, "name");
		break;
	case OP_SECCOMP:
		describe_seccomp(e, s);
		break;
	case OP_CAPSET:
		add_capabilities(s, "effective", e->args[0]);
		add_capabilities(s, "permitted", e->args[1]);
		add_capabilities(s, "inheritable", e->args[2]);
		break;
	case OP_NO_NEW_PRIVS:
	case OP_BPF_PROG_ATTACH:
		break;
	case OP_KILL:
		details_add_number(&s->details, "pid", (int32_t)e->args[0]);
		details_add_number(&s->details, "sig", (int32_t)e->args[1]);
		break;
	case OP_MKNOD:
		describe_mknod(e, s);
		break;
	case OP_SETUID:
	case OP_SETGID:
		details_add_number(&s->details, "id", (uint32_t)e->args[0]);
		break;
	case OP_SETGROUPS:
		details_add_number(&s->details, "count", (int64_t)e->args[0]);
		break;
	default:
		describe_new_mount(e, s);
		break;
	}
	return true;
}
