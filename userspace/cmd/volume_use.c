/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/volume_use.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/listing.h"
#include "cmd/words.h"
#include "engine/registry.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

char *volume_users(const char *name)
{
	struct strbuf sb = { 0 };
	struct state *list;
	size_t count;

	if (registry_list(&list, &count, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (state_has_volume(&list[i], name))
			strbuf_printf(&sb, "%s%s", sb.length ? ", " : "", list[i].id);
	}
	registry_list_free(list, count);
	return sb.length ? strbuf_steal(&sb) : NULL;
}

int volume_remove_unused(const char *store_root, const char *name, struct error *err)
{
	_cleanup_close_ int lock = registry_make_and_lock(err);
	_cleanup_free_ char *users = NULL;
	int r;

	if (lock < 0)
		return lock;
	users = volume_users(name);
	if (users)
		return error_set(err, EBUSY, "remove %s: volume is in use - [%s]", name, users);
	r = volume_hide(store_root, name, err);
	close(steal_fd(&lock));
	return r == 0 ? volume_remove_hidden(store_root, name, err) : r;
}

char *volume_labels(const struct named_volume *v)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < v->labels.count; i++)
		strbuf_printf(&sb, "%s%s", i ? "," : "", v->labels.items[i]);
	return strbuf_steal(&sb);
}

json_object *volume_json(const struct named_volume *v)
{
	json_object *o = json_object_new_object();

	listing_add(o, "CreatedAt", words_time(v->created_ns));
	listing_add(o, "Driver", xstrdup("local"));
	json_object_object_add(o, "Labels", listing_pairs(&v->labels));
	listing_add(o, "Mountpoint", xstrdup(v->data));
	listing_add(o, "Name", xstrdup(v->name));
	json_object_object_add(o, "Options", json_object_new_object());
	listing_add(o, "Scope", xstrdup("local"));
	return o;
}

static bool has_label(const struct named_volume *v, const char *value)
{
	for (size_t i = 0; i < v->labels.count; i++) {
		const char *label = v->labels.items[i];

		if (!strcmp(label, value) ||
			(!strchr(value, '=') && str_starts(label, value) && label[strlen(value)] == '='))
			return true;
	}
	return false;
}

int volume_matches(const struct named_volume *v, const struct string_list *filters, struct error *err)
{
	for (size_t i = 0; i < filters->count; i++) {
		const char *filter = filters->items[i];
		bool holds;

		if (str_starts(filter, "name=")) {
			holds = strstr(v->name, filter + 5) != NULL;
		} else if (str_starts(filter, "label=")) {
			holds = has_label(v, filter + 6);
		} else if (str_starts(filter, "dangling=")) {
			_cleanup_free_ char *users = volume_users(v->name);

			holds = !users == (!strcmp(filter + 9, "true") || !strcmp(filter + 9, "1"));
		} else {
			return error_set(err, EINVAL, "Invalid filter '%.*s'", (int)strcspn(filter, "="), filter);
		}
		if (!holds)
			return 0;
	}
	return 1;
}

int volume_prune(const char *store_root, bool all, struct error *err)
{
	struct named_volume *list;
	bool first = true;
	size_t count;
	int r = volume_list(store_root, &list, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		if (!all && !list[i].anonymous)
			continue;
		r = volume_remove_unused(store_root, list[i].name, err);
		if (r == -EBUSY) {
			r = 0;
			continue;
		}
		if (r == 0)
			printf("%s%s\n", first ? "Deleted Volumes:\n" : "", list[i].name);
		first = false;
	}
	volume_list_free(list, count);
	volume_remove_all_hidden(store_root);
	return r;
}
