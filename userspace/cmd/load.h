/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LOAD_H
#define CTRACE_LOAD_H

/* A whole recording as a timeline, for commands that look at finished containers. */

#include "capture/recording.h"
#include "timeline/timeline.h"
#include "util/error.h"

struct strbuf;

struct loaded {
	struct recording_reader *reader;
	struct timeline *timeline;
	struct error damage; /* text[0]: why the recording ended too early; what came before is there */
};

/* Whether a word that may be a container's name is a recording's: something of that name is there, and no directory. */
bool load_is_file(const char *word);

int load_recording(const char *path, struct loaded *ret, struct error *err);
void loaded_free(struct loaded *l); /* also fit for _cleanup_ */

/* The container of that id, name or beginning of an id; with id NULL the only one. -ENOENT, -EINVAL tell what there is. */
int load_find(struct loaded *l, const char *path, const char *id, const struct container **ret, struct error *err);

/* Adds ": id (name), id (name)", the newest ten; nothing where there is none. */
void load_names(struct strbuf *sb, struct timeline *tl);

#endif
