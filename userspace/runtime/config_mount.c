/* SPDX-License-Identifier: Apache-2.0 */
/* Mount options: config.md "Linux mount options". */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "runtime/config.h"
#include "runtime/runtime.h"
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

const char *runtime_mount_option(size_t i)
{
	static const char *const special[] = { "bind", "rbind", "idmap", "ridmap", "tmpcopyup", "defaults",
		"async", "loud" };
	static char recursive[ARRAY_SIZE(attributes) + ARRAY_SIZE(propagations)][24];
	size_t plain = ARRAY_SIZE(attributes) + ARRAY_SIZE(propagations), j = i / 2;
	const char *name;

	if (i >= 2 * plain)
		return i - 2 * plain < ARRAY_SIZE(special) ? special[i - 2 * plain] : NULL;
	name = j < ARRAY_SIZE(attributes) ? attributes[j].name
					  : propagations[j - ARRAY_SIZE(attributes)].name;
	if (i % 2 == 0)
		return name;
	snprintf(recursive[j], sizeof(recursive[j]), "r%s", name);
	return recursive[j];
}

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

static bool parse_special(struct mount_plan *m, const char *option)
{
	/* options of mount(8) for fstab, or the default */
	static const char *const ignored[] = { "defaults", "auto", "noauto", "user", "nouser", "owner",
		"_netdev", "nofail", "async", "loud" };

	if (!strcmp(option, "bind") || !strcmp(option, "rbind")) {
		m->bind = true;
		m->recursive = option[0] == 'r';
		return true;
	}
	if (!strcmp(option, "idmap") || !strcmp(option, "ridmap")) {
		m->idmap = true;
		m->idmap_recursive = option[0] == 'r';
		return true;
	}
	if (!strcmp(option, "tmpcopyup")) {
		m->copy_up = true;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
		if (!strcmp(option, ignored[i]))
			return true;
	}
	return false;
}

static int parse_options(const struct doc *d, struct mount_plan *m, struct error *err)
{
	_cleanup_free_ char **options = NULL;

	if (doc_strings(d, "options", &options, NULL, err) < 0)
		return -EINVAL;
	for (char **o = options; o && *o; o++) {
		if (!**o || parse_special(m, *o) || parse_attribute(m, *o) || parse_propagation(m, *o))
			continue;
		array_grow(m->data, m->data_count, m->data_capacity);
		m->data[m->data_count++] = *o;
	}
	return 0;
}

/* An option that is not for this mount, by its place. */
static int wrong_option(const struct doc *d, const char *option, const char *why, struct error *err)
{
	json_object *options = json_object_object_get(d->json, "options");
	size_t i = 0, count = json_object_array_length(options);

	while (i + 1 < count && strcmp(json_object_get_string(json_object_array_get_idx(options, i)), option) != 0)
		i++;
	return doc_item_error(d, "options", i, err, "%.256s %s", option, why);
}

static int check_mount(const struct doc *d, const struct mount_plan *m, struct error *err)
{
	if (!m->destination || !*m->destination)
		return doc_error(d, "destination", err, "it is missing");
	if (m->bind && (!m->source || !*m->source))
		return doc_error(d, "source", err, "the bind mount at %.256s has none", m->destination);
	if (!m->bind && (!m->type || !*m->type))
		return doc_error(d, "type", err, "the mount at %.256s has none", m->destination);
	if (m->bind && m->data_count)
		return wrong_option(d, m->data[0], "is no option of a bind mount", err);
	if (m->copy_up && (m->bind || strcmp(m->type, "tmpfs") != 0))
		return wrong_option(d, "tmpcopyup", "is for tmpfs", err);
	if (m->idmap && !m->bind && m->uids.count)
		return doc_error(d, "uidMappings", err, "mappings are for bind mounts");
	if (m->idmap && !m->bind)
		return wrong_option(d, m->idmap_recursive ? "ridmap" : "idmap", "is for bind mounts", err);
	if (!m->uids.count != !m->gids.count)
		return doc_error(d, m->uids.count ? "gidMappings" : "uidMappings", err,
			"both mappings are needed, or none");
	return 0;
}

int config_parse_mount(const struct doc *d, struct mount_plan *m, struct error *err)
{
	if (doc_path(d, "destination", &m->destination, err) < 0 ||
		doc_string(d, "type", &m->type, err) < 0 ||
		doc_path(d, "source", &m->source, err) < 0 || parse_options(d, m, err) < 0 ||
		config_parse_maps(d, "uidMappings", &m->uids, err) < 0 ||
		config_parse_maps(d, "gidMappings", &m->gids, err) < 0)
		return -EINVAL;
	m->bind |= m->type && !strcmp(m->type, "bind");
	/* config.md: the mappings alone ask for an idmapped mount */
	m->idmap |= m->uids.count > 0;
	return check_mount(d, m, err);
}
