/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_VOLUMES_H
#define CTRACE_VOLUMES_H

/* Named volumes, below the store's root: volumes/NAME/_data is what containers see, volumes/NAME/volume.json
 * its labels and when it was made. Those without a name of their own have 64 hex digits. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/string_list.h"

struct named_volume {
	char *name, *data; /* data: the directory on the host */
	struct string_list labels;
	int64_t created_ns;
	bool anonymous;
};

bool volume_name_is_valid(const char *name);
/* Makes it unless it is there; name NULL: an anonymous one. */
int volume_make(const char *store_root, const char *name, const struct string_list *labels,
	struct named_volume *ret, bool *ret_made, struct error *err);
/* -ENOENT: "no such volume". */
int volume_find(const char *store_root, const char *name, struct named_volume *ret, struct error *err);
/* By name. */
int volume_list(const char *store_root, struct named_volume **ret, size_t *ret_count, struct error *err);
/* Removal, in two steps. Under registry_lock, where no container can come to use it: from then on there is no such volume.
 * Whether one uses it already is the caller's to know. */
int volume_hide(const char *store_root, const char *name, struct error *err);
/* And, as long as it may take, without the lock. */
int volume_remove_hidden(const char *store_root, const char *name, struct error *err);
/* Those that a killed process left hidden. */
void volume_remove_all_hidden(const char *store_root);
void volume_free(struct named_volume *v); /* also fit for _cleanup_ */
void volume_list_free(struct named_volume *list, size_t count);

/* Fills a volume that is empty with what the image has at path; root: the container's, mounted. */
int volume_fill(const struct named_volume *v, int root, const char *path, struct error *err);

#endif
