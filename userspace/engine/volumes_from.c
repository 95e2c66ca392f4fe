/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/volumes_from.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/registry.h"
#include "engine/values.h"
#include "engine/volumes.h"
#include "util/array.h"
#include "util/cleanup.h"

/* What the other may only read stays so. */
static void add_one(struct run_settings *s, const struct state_mount *m, bool read_only)
{
	bool is_volume = *m->name;

	array_grow(s->volumes, s->volume_count, s->volume_capacity);
	s->volumes[s->volume_count++] = (struct volume){ .source = xstrdup(m->source),
		.name = is_volume ? xstrdup(m->name) : NULL, .destination = xstrdup(m->destination),
		.propagation = xstrdup(m->propagation), .read_only = read_only || !strcmp(m->mode, "ro"),
		.no_copy = true, .must_exist = is_volume };
}

static int check_there(const struct state *from, const char *name, struct error *err)
{
	_cleanup_(volume_free) struct named_volume v = { 0 };

	if (!*name || volume_find(from->store_root, name, &v, NULL) == 0)
		return 0;
	return error_set(err, ENOENT, "volume %s of container %s is gone: the container is being removed", name, from->name);
}

static int add_all(struct run_settings *s, const struct state *from, bool read_only, struct state *to, struct error *err)
{
	for (size_t i = 0; i < from->mounts.count; i++) {
		_cleanup_free_ char *copy = xstrdup(from->mounts.items[i]);
		struct state_mount m;

		if (!state_mount_split(copy, &m) || run_settings_mount_on(s, m.destination))
			continue;
		if (check_there(from, m.name, err) < 0)
			return -ENOENT;
		add_one(s, &m, read_only);
		if (string_list_has(&from->anonymous, m.name) && !string_list_has(&to->anonymous, m.name))
			string_list_add(&to->anonymous, xstrdup(m.name));
	}
	return 0;
}

int volumes_from_add(struct run_settings *s, struct state *to, struct error *err)
{
	int r = 0;

	/* from the last one: what is mounted at a place already stays */
	for (size_t i = s->volumes_from.count; r == 0 && i-- > 0;) {
		_cleanup_(state_free) struct state from = { 0 };
		_cleanup_free_ char *name = NULL;
		bool read_only;
		size_t length;

		r = value_volumes_from(s->volumes_from.items[i], &length, &read_only, err);
		if (r < 0)
			return r;
		name = xstrndup(s->volumes_from.items[i], length);
		r = registry_find(name, &from, err);
		if (r == 0)
			r = add_all(s, &from, read_only, to, err);
	}
	return r;
}
