/* SPDX-License-Identifier: Apache-2.0 */
/* Mount options: config.md "Linux mount options". */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "runtime/config.h"
#include "util/array.h"
#include "util/cleanup.h"

struct attribute {
	const char *name;
	uint64_t set, clear;
};

static const struct attribute attributes[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV, 0 },
	{ "dev", 0, MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW },
	/* the access time modes are one field of three values; it must be cleared to be set */
	{ "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "norelatime", 0, 0 },
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
};

static const struct {
	const char *name;
	unsigned long flag;
} propagations[] = {
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "private", MS_PRIVATE },
	{ "unbindable", MS_UNBINDABLE },
};

static void set_attribute(uint64_t *set, uint64_t *clear, const struct attribute *a)
{
	*set = (*set & ~a->clear) | a->set;
	*clear = (*clear & ~a->set) | a->clear;
}

static bool parse_attribute(struct mount_plan *m, const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		const struct attribute *a = &attributes[i];

		if (!strcmp(option, a->name)) {
			set_attribute(&m->set, &m->clear, a);
			return true;
		}
		if (option[0] == 'r' && !strcmp(option + 1, a->name)) {
			set_attribute(&m->recursive_set, &m->recursive_clear, a);
			return true;
		}
	}
	return false;
}

static bool parse_propagation(struct mount_plan *m, const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(propagations); i++) {
		bool recursive = option[0] == 'r' && !strcmp(option + 1, propagations[i].name);

		if (recursive || !strcmp(option, propagations[i].name)) {
			m->propagation = propagations[i].flag;
			m->propagation_recursive = recursive;
			return true;
		}
	}
	return false;
}

int config_mount_options(struct mount_plan *m, json_object *options, struct error *err)
{
	/* options of mount(8) for fstab, or the default */
	static const char *const ignored[] = { "defaults", "auto", "noauto", "user", "nouser", "owner",
		"_netdev", "nofail", "async", "loud" };

	for (size_t i = 0; options && i < json_object_array_length(options); i++) {
		json_object *o = json_object_array_get_idx(options, i);
		const char *text = json_object_get_string(o);
		bool known = false;

		if (!json_object_is_type(o, json_type_string))
			return error_set(err, EINVAL, "config: a mount option of %s is not a string",
				m->destination ? m->destination : "?");
		if (!strcmp(text, "bind") || !strcmp(text, "rbind")) {
			m->bind = true;
			m->recursive = text[0] == 'r';
			continue;
		}
		if (!strcmp(text, "tmpcopyup") || !strcmp(text, "idmap") || !strcmp(text, "ridmap"))
			return error_set(err, EINVAL, "config: mount option %s of %s is not supported",
				text, m->destination ? m->destination : "?");
		for (size_t j = 0; j < ARRAY_SIZE(ignored); j++)
			known |= !strcmp(text, ignored[j]);
		if (known || parse_attribute(m, text) || parse_propagation(m, text))
			continue;
		array_grow(m->data, m->data_count, m->data_capacity);
		m->data[m->data_count++] = text;
	}
	return 0;
}
