/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/load.h"

#include <errno.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/memory.h"
#include "util/strbuf.h"

enum { NAMES_SHOWN = 10 };

bool load_is_file(const char *word)
{
	struct stat st;

	return stat(word, &st) == 0 && !S_ISDIR(st.st_mode);
}

int load_recording(const char *path, struct loaded *ret, struct error *err)
{
	struct loaded l = { 0 };
	const struct event *event;
	int r;

	memory_prefer_huge_pages(); /* all of it is kept */
	r = recording_open(path, &l.reader, err);
	if (r < 0)
		return r;
	l.timeline = timeline_new(&recording_facts(l.reader)->timeline);
	while ((r = recording_next(l.reader, &event, &l.damage)) > 0)
		timeline_feed(l.timeline, event);
	if (r < 0 && !l.damage.text[0])
		error_errno(&l.damage, -r, "the recording cannot be read further");
	timeline_finish(l.timeline);
	*ret = l;
	return 0;
}

void loaded_free(struct loaded *l)
{
	timeline_free(l->timeline);
	recording_free(l->reader);
	*l = (struct loaded){ 0 };
}

void load_names(struct strbuf *sb, struct timeline *tl)
{
	size_t count = timeline_count(tl), from = count > NAMES_SHOWN ? count - NAMES_SHOWN : 0;

	if (from)
		strbuf_puts(sb, ": ...");
	for (size_t i = from; i < count; i++) {
		const struct container *c = timeline_get(tl, i);

		strbuf_printf(sb, "%s%.12s%s%s%s", i ? ", " : ": ", c->id, c->name ? " (" : "", c->name ? c->name : "",
			c->name ? ")" : "");
	}
}

int load_find(struct loaded *l, const char *path, const char *id, const struct container **ret, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf names = { 0 };
	size_t count = timeline_count(l->timeline);

	*ret = id ? timeline_find(l->timeline, id) : count == 1 ? timeline_get(l->timeline, 0) : NULL;
	if (*ret)
		return 0;
	load_names(&names, l->timeline);
	if (id)
		return error_set(err, ENOENT, "no container %s in %s; it has %zu%s", id, path, count, names.text ? names.text : "");
	return error_set(err, EINVAL, "%s has %zu containers: say which%s", path, count, names.text ? names.text : "");
}
