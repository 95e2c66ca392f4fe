/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/player.h"

#include <stdlib.h>

#include "capture/recording.h"
#include "exporters/format.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { PIECE = 20000 /* events: some 20 ms */ };

struct player {
	char *path;
	struct recording_reader *reader;
	const struct event *ahead; /* read, and not yet due */
	bool finished; /* timeline_finish has been called */
};

int player_open(const char *path, struct player **ret_player, struct error *err)
{
	struct player *p = xcalloc(1, sizeof(*p));
	int r = recording_open(path, &p->reader, err);

	if (r < 0) {
		free(p);
		return r;
	}
	p->path = xstrdup(path);
	*ret_player = p;
	return 0;
}

void player_close(struct player *p)
{
	if (!p)
		return;
	recording_free(p->reader);
	free(p->path);
	free(p);
}

const struct facts *player_facts(const struct player *p)
{
	return recording_facts(p->reader);
}

static void note_problem(struct model *m, const char *text)
{
	_cleanup_(strbuf_free) struct strbuf escaped = { 0 };

	format_text(&escaped, text, strlen(text), false);
	snprintf(m->problem, sizeof(m->problem), "%s", escaped.text);
}

static void reach_end(struct player *p, struct model *m)
{
	timeline_finish(m->timeline);
	p->finished = true;
	m->playback.at_end = true;
	m->playback.playing = false;
	m->playback.last_ns = m->playback.at_ns = m->playback.target_ns = m->now_ns;
}

/* False at the end. */
static bool look_ahead(struct player *p, struct model *m)
{
	struct error err = { 0 };
	int r;

	if (p->ahead)
		return true;
	r = recording_next(p->reader, &p->ahead, &err);
	if (r > 0)
		return true;
	p->ahead = NULL;
	if (r < 0)
		note_problem(m, err.text);
	return false;
}

/* The facts that the model points at belong to the reader: the new one's take their place. */
static bool begin_again(struct player *p, struct model *m)
{
	struct recording_reader *reader = NULL;
	struct error err = { 0 };

	if (recording_open(p->path, &reader, &err) < 0) {
		note_problem(m, err.text);
		return false;
	}
	m->facts = recording_facts(reader);
	recording_free(p->reader);
	p->reader = reader;
	p->ahead = NULL;
	p->finished = false;
	m->playback.at_end = false;
	model_reset(m);
	return true;
}

bool player_step(struct player *p, struct model *m, uint64_t passed_ns)
{
	struct playback *b = &m->playback;

	if (p->finished)
		return false;
	if (b->playing && b->target_ns <= b->at_ns)
		b->target_ns = b->at_ns + (uint64_t)((double)passed_ns * b->speed);
	for (size_t i = 0; i < PIECE; i++) {
		if (!look_ahead(p, m)) {
			reach_end(p, m);
			return false;
		}
		if (p->ahead->time_ns > b->target_ns) {
			m->now_ns = b->at_ns = b->target_ns > b->at_ns ? b->target_ns : b->at_ns;
			return false;
		}
		model_feed(m, p->ahead);
		p->ahead = NULL;
	}
	b->at_ns = m->now_ns;
	return true;
}

void player_seek(struct player *p, struct model *m, uint64_t to_ns)
{
	struct playback *b = &m->playback;

	if (to_ns < b->start_ns)
		to_ns = b->start_ns;
	if (to_ns < b->at_ns && !begin_again(p, m))
		return;
	b->target_ns = to_ns;
}

void player_toggle(struct player *p, struct model *m)
{
	if (m->playback.at_end) {
		player_seek(p, m, m->playback.start_ns);
		m->playback.playing = !m->playback.at_end;
		return;
	}
	m->playback.playing = !m->playback.playing;
}
