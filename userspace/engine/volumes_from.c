/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/volumes_from.h"

#include <stdlib.h>
#include <string.h>

#include "engine/registry.h"
#include "engine/values.h"
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

static void add_all(struct run_settings *s, const struct state *from, bool read_only, struct state *to)
{
	for (size_t i = 0; i < from->mounts.count; i++) {
		_cleanup_free_ char *copy = xstrdup(from->mounts.items[i]);
		struct state_mount m;

		if (!state_mount_split(copy, &m) || run_settings_mount_on(s, m.destination))
			continue;
		add_one(s, &m, read_only);
		if (string_list_has(&from->anonymous, m.name) && !string_list_has(&to->anonymous, m.name))
			string_list_add(&to->anonymous, xstrdup(m.name));
	}
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
			add_all(s, &from, read_only, to);
	}
	/* before anything is made of it, so that whoever removes the other sees that we have it, too */
	return r == 0 && s->volumes_from.count ? state_save(to, err) : r;
}
