/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_UI_H
#define CTRACE_UI_H

/*
 * Where the user is: the view, the cursor in each, what is folded, filtered, searched. ui_draw makes the screen
 * of this and the model; ui_key and ui_mouse change this. No curses, no clock, no file but what export writes.
 */

#include "tui/keys.h"
#include "tui/model.h"
#include "tui/screen.h"

struct list {
	size_t cursor, top;
	size_t page;   /* rows of it that are shown, as last drawn */
	size_t origin; /* the screen's row of the first of them */
};

enum prompt { PROMPT_NONE, PROMPT_FIND, PROMPT_FILTER, PROMPT_EXPORT, PROMPT_SIGNAL };

enum { UI_TEXT = 1024, UI_FOLDS = 4096 };

struct containers_state {
	size_t sort; /* column */
	bool reverse;
	size_t scroll; /* columns to the right */
	struct list list;
};

struct timeline_state {
	uint64_t from_ns, to_ns; /* window; to 0 = all of it */
	uint64_t *unfolded;      /* keys of rows */
	size_t unfolded_count, unfolded_capacity;
	bool by_time; /* phases as they happened, not slowest first */
	bool compare;
	bool details;
	struct list list;
};

struct events_state {
	bool follow, details;
	uint64_t cursor; /* number in the log */
	size_t scroll;
	/* numbers of the entries that pass the filter, in order; what was asked about up to `judged` */
	uint64_t *shown;
	size_t shown_count, shown_capacity;
	uint64_t judged;
	uint64_t filter_round; /* of the filter that judged */
	struct list list;
};

struct ui {
	enum view view;
	bool help, sort_menu, readonly, utf8, mouse, quit;
	bool all;  /* of a recording: also what its session did not show */
	bool held; /* live: the screen stands still while events are taken */
	bool size_changed, redraw;
	enum prompt prompt;
	char input[UI_TEXT];
	char find[UI_TEXT], filter[UI_TEXT];
	uint64_t filter_round;
	struct filter *compiled; /* of the filter's text; NULL = none */
	char message[UI_TEXT];   /* in the last line until the next key, escaped */
	bool message_bad;
	char *chosen; /* id of the container; NULL = the first one of the list */
	int chosen_generation;
	struct list menu, help_list, limits, host;
	struct containers_state containers;
	struct timeline_state timeline;
	struct events_state events;
	/* What the loop does for the user: */
	bool want_toggle;
	int want_signal; /* to the chosen container; 0 = none */
	uint64_t want_seek; /* 0 = nothing */
};

void ui_init(struct ui *ui, bool utf8, bool is_recording);
void ui_free(struct ui *ui);

void ui_draw(struct ui *ui, struct model *m, struct screen *s);
/* Draws only the view itself, as high as it needs to be: for --batch and export. */
struct screen *ui_draw_whole(struct ui *ui, struct model *m, size_t columns);

void ui_key(struct ui *ui, struct model *m, int key);
void ui_act(struct ui *ui, struct model *m, enum action action);
void ui_mouse(struct ui *ui, struct model *m, size_t row, size_t column, bool twice, int wheel);

/* The container that is chosen; NULL = there is none at all. */
const struct container *ui_container(struct ui *ui, struct model *m);
void ui_choose(struct ui *ui, const struct container *c);
void ui_set_view(struct ui *ui, enum view view);
/* False with the reason in ret_why (escaped) where the text is no filter. */
bool ui_set_filter(struct ui *ui, const char *text, char *ret_why, size_t size);
bool ui_passes_filter(const struct ui *ui, const struct container *c);
bool ui_passes_event(const struct ui *ui, struct model *m, const struct event *event);

void ui_say(struct ui *ui, bool bad, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
