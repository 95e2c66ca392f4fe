/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/capability.h"

#include <json-c/json_object.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>

static const char *const names[CAPABILITY_COUNT] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
	"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
	"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
	"CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

#define BIT(n) (1ULL << (n))

/* 0xa80425fb, what docker gives since 2014. */
static const uint64_t defaults = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) |
	BIT(CAP_FOWNER) | BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) |
	BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) |
	BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE);

const char *capability_name(int number)
{
	return number >= 0 && number < CAPABILITY_COUNT ? names[number] : NULL;
}

int capability_number(const char *name)
{
	for (int i = 0; i < CAPABILITY_COUNT; i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	return -1;
}

uint64_t capability_wanted(const struct run_settings *s)
{
	const uint64_t all = BIT(CAPABILITY_COUNT) - 1;
	uint64_t set = defaults;

	if (s->privileged)
		return all;
	if (string_list_has(&s->cap_drop, "ALL"))
		set = 0;
	if (string_list_has(&s->cap_add, "ALL"))
		set = all;
	/* a single name beats ALL, and a dropped name beats an added one only under --cap-add ALL */
	for (size_t i = 0; i < s->cap_drop.count; i++) {
		if (strcmp(s->cap_drop.items[i], "ALL") != 0)
			set &= ~BIT(capability_number(s->cap_drop.items[i]));
	}
	for (size_t i = 0; i < s->cap_add.count; i++) {
		if (strcmp(s->cap_add.items[i], "ALL") != 0)
			set |= BIT(capability_number(s->cap_add.items[i]));
	}
	return set;
}

uint64_t capability_held(void)
{
	uint64_t set = 0;

	for (int i = 0; i < CAPABILITY_COUNT; i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			set |= BIT(i);
	}
	return set;
}

struct json_object *capability_list(uint64_t set)
{
	json_object *list = json_object_new_array();

	for (int i = 0; i < CAPABILITY_COUNT; i++) {
		if (set & BIT(i))
			json_object_array_add(list, json_object_new_string(capability_name(i)));
	}
	return list;
}
