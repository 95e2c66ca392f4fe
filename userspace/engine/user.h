/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_USER_H
#define CTRACE_USER_H

#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"
#include "util/string_list.h"

/* Who a container's process is. */
struct user_identity {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary, without duplicates */
	size_t group_count, group_capacity;
	char *home; /* from /etc/passwd, else "/" */
};

/*
 * Resolves docker's "user", "uid", "user:group", "uid:gid" and --group-add against the container's own
 * /etc/passwd and /etc/group below root (image-spec, conversion.md, Config.User). A number needs no
 * entry; a group that is not given comes from passwd (0 without entry) and brings the supplementary
 * groups of /etc/group. Errors: "unable to find user NAME: no matching entries in passwd file".
 */
int user_resolve(int root, const char *spec, const struct string_list *more_groups,
	struct user_identity *ret, struct error *err);
void user_free(struct user_identity *user);

#endif
