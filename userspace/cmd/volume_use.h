/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_VOLUME_USE_H
#define CTRACE_VOLUME_USE_H

/* Volumes and the containers that use them. */

#include <json-c/json.h>

#include "engine/volumes.h"

/* The ids of the containers that use it, separated by ", "; NULL: none. The caller's. */
char *volume_users(const char *name);
/* -EBUSY: a container uses it. */
int volume_remove_unused(const char *store_root, const char *name, struct error *err);
/* "a=1,b=2"; the caller's. */
char *volume_labels(const struct named_volume *v);
/* In the shape of docker volume inspect; the caller's. */
json_object *volume_json(const struct named_volume *v);
/* Filters name=, label=, dangling=: 1, 0, or -EINVAL for one that there is not. */
int volume_matches(const struct named_volume *v, const struct string_list *filters, struct error *err);
/* Removes those that nobody uses and says which; all: also those with a name. */
int volume_prune(const char *store_root, bool all, struct error *err);

#endif
