/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/user.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/rooted.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { FILE_LIMIT = 8 << 20, FIELDS = 7, GROUPS_MAX = 65536 };

/* Strictly decimal and below 2^32 - 1, the number that means "no change" to the kernel. */
static bool parse_id(const char *text, uint32_t *ret)
{
	uint64_t value = 0;

	if (!*text || strlen(text) > 10)
		return false;
	for (const char *p = text; *p; p++) {
		if (!isdigit((unsigned char)*p))
			return false;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	if (value >= UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* Cuts one line of passwd(5) or group(5) out of *text. Returns the number of fields, 0 at the end. */
static size_t next_entry(char **text, char *fields[FIELDS])
{
	char *line = strsep(text, "\n");
	size_t count = 0;

	if (!line)
		return 0;
	while (line && count < FIELDS)
		fields[count++] = strsep(&line, ":");
	return count;
}

struct passwd_entry {
	bool found;
	uid_t uid;
	gid_t gid;
	char *name, *home;
};

/* By name, or by number where spec is one: a name made of digits loses, as in docker. */
static void find_passwd(char *text, const char *spec, bool numeric, uint32_t number,
	struct passwd_entry *ret)
{
	char *fields[FIELDS];
	size_t count;

	while (text && (count = next_entry(&text, fields))) {
		uint32_t uid, gid;

		if (count < 6 || !parse_id(fields[2], &uid) || !parse_id(fields[3], &gid))
			continue;
		if (numeric ? uid != number : strcmp(fields[0], spec) != 0)
			continue;
		*ret = (struct passwd_entry){ true, uid, gid, xstrdup(fields[0]), xstrdup(fields[5]) };
		return;
	}
}

static bool find_group(char *text, const char *name, gid_t *ret)
{
	char *fields[FIELDS];
	size_t count;

	while (text && (count = next_entry(&text, fields))) {
		if (count >= 3 && !strcmp(fields[0], name) && parse_id(fields[2], ret))
			return true;
	}
	return false;
}

static void add_group(struct user_identity *user, gid_t gid)
{
	for (size_t i = 0; i < user->group_count; i++) {
		if (user->groups[i] == gid)
			return;
	}
	if (user->group_count >= GROUPS_MAX)
		return;
	array_grow(user->groups, user->group_count, user->group_capacity);
	user->groups[user->group_count++] = gid;
}

static void add_memberships(char *text, const char *name, struct user_identity *user)
{
	char *fields[FIELDS];
	size_t count;

	while (text && (count = next_entry(&text, fields))) {
		char *members = count >= 4 ? fields[3] : NULL, *member;
		gid_t gid;

		if (!members || !parse_id(fields[2], &gid))
			continue;
		while ((member = strsep(&members, ","))) {
			if (!strcmp(member, name))
				add_group(user, gid);
		}
	}
}

/* A missing file is an empty one. */
static int read_table(int root, const char *path, char **ret, struct error *err)
{
	int r = rooted_read(root, path, FILE_LIMIT, ret);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? error_errno(err, -r, "cannot read the container's %s", path) : 0;
}

/* Digits, with a sign at most, that are no id: a name nobody meant. As docker has it, with our range. */
static int check_range(const char *name, struct error *err)
{
	const char *digits = name + (*name == '-');

	if (*digits && digits[strspn(digits, "0123456789")] == '\0')
		return error_set(err, ERANGE, "%s: uids and gids must be in range 0-%u", name, UINT32_MAX - 1);
	return 0;
}

static int resolve_group(const char *name, const char *table, gid_t *ret, struct error *err)
{
	_cleanup_free_ char *copy = table ? xstrdup(table) : NULL;

	if (find_group(copy, name, ret) || parse_id(name, ret))
		return 0;
	if (check_range(name, err) < 0)
		return -ERANGE;
	return error_set(err, EINVAL,
		"unable to find group %s: no matching entries in group file", name);
}

static int resolve_user(const char *name, char *table, struct passwd_entry *ret, struct error *err)
{
	uint32_t number = 0;
	bool numeric = parse_id(name, &number);

	find_passwd(table, name, numeric, number, ret);
	if (ret->found)
		return 0;
	if (!numeric && check_range(name, err) < 0)
		return -ERANGE;
	if (!numeric)
		return error_set(err, EINVAL,
			"unable to find user %s: no matching entries in passwd file", name);
	ret->uid = number;
	return 0;
}

static int split(const char *spec, char **ret_user, char **ret_group, struct error *err)
{
	const char *colon = strchr(spec, ':');

	if (colon && (!colon[1] || strchr(colon + 1, ':')))
		return error_set(err, EINVAL, "invalid user \"%s\": expected USER[:GROUP]", spec);
	*ret_user = colon ? xstrndup(spec, (size_t)(colon - spec)) : xstrdup(spec);
	*ret_group = colon ? xstrdup(colon + 1) : NULL;
	if (!**ret_user) {
		free(*ret_user);
		*ret_user = xstrdup("0");
	}
	return 0;
}

int user_resolve(int root, const char *spec, const struct string_list *more_groups,
	struct user_identity *ret, struct error *err)
{
	_cleanup_free_ char *user = NULL, *group = NULL, *passwd = NULL, *groups = NULL;
	struct passwd_entry entry = { 0 };
	int r = split(spec, &user, &group, err);

	if (r == 0)
		r = read_table(root, "/etc/passwd", &passwd, err);
	if (r == 0)
		r = read_table(root, "/etc/group", &groups, err);
	if (r == 0)
		r = resolve_user(user, passwd, &entry, err);
	*ret = (struct user_identity){ .uid = entry.uid, .gid = entry.gid };
	if (r == 0 && group)
		r = resolve_group(group, groups, &ret->gid, err);
	for (size_t i = 0; r == 0 && i < more_groups->count; i++) {
		gid_t gid;

		r = resolve_group(more_groups->items[i], groups, &gid, err);
		if (r == 0)
			add_group(ret, gid);
	}
	if (r == 0 && !group && entry.found)
		add_memberships(groups, entry.name, ret);
	ret->home = entry.home && *entry.home ? steal_ptr(entry.home) : xstrdup("/");
	free(entry.name);
	free(entry.home);
	if (r < 0)
		user_free(ret);
	return r;
}

void user_free(struct user_identity *user)
{
	free(user->groups);
	free(user->home);
	*user = (struct user_identity){ 0 };
}
