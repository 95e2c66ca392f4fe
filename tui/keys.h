/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_KEYS_H
#define CTRACE_KEYS_H

/* One table says which key does what in which view; dispatch, the help page and the last line are made of it. */

#include <stdbool.h>
#include <stddef.h>

enum view { VIEW_CONTAINERS, VIEW_TIMELINE, VIEW_EVENTS, VIEW_LIMITS, VIEW_HOST, VIEW_COUNT };

/* Characters are themselves; other keys follow behind all of Unicode. */
enum key {
	TKEY_TAB = '\t', TKEY_ENTER = '\r', TKEY_ESCAPE = 27, TKEY_BACKSPACE = 127,
	TKEY_UP = 0x110000, TKEY_DOWN, TKEY_LEFT, TKEY_RIGHT, TKEY_PAGE_UP, TKEY_PAGE_DOWN, TKEY_HOME, TKEY_END,
	TKEY_BACKTAB, TKEY_F1, TKEY_F4 = TKEY_F1 + 3, TKEY_F6 = TKEY_F1 + 5, TKEY_F9 = TKEY_F1 + 8,
	TKEY_F10 = TKEY_F1 + 9, TKEY_F12 = TKEY_F1 + 11, TKEY_DELETE, TKEY_INSERT, TKEY_OTHER
};

enum action {
	ACT_NONE, ACT_QUIT, ACT_BACK, ACT_HELP,
	ACT_VIEW_FIRST, ACT_VIEW_LAST = ACT_VIEW_FIRST + VIEW_COUNT - 1, ACT_NEXT_VIEW, ACT_PREVIOUS_VIEW,
	ACT_UP, ACT_DOWN, ACT_LEFT, ACT_RIGHT, ACT_PAGE_UP, ACT_PAGE_DOWN, ACT_FIRST, ACT_LAST, ACT_DETAILS,
	ACT_FIND, ACT_FIND_NEXT, ACT_FIND_PREVIOUS, ACT_FILTER, ACT_SORT, ACT_REVERSE, ACT_PAUSE, ACT_FOLLOW,
	ACT_NEXT_CONTAINER, ACT_PREVIOUS_CONTAINER, ACT_UNFOLD_ALL, ACT_ORDER, ACT_NEXT_ERROR, ACT_NEXT_SLOW,
	ACT_COMPARE, ACT_ZOOM_IN, ACT_ZOOM_OUT, ACT_ZOOM_FIT, ACT_ZOOM_TO, ACT_PAN_LEFT, ACT_PAN_RIGHT,
	ACT_SEEK_BACK, ACT_SEEK_ON, ACT_SEEK_BEGIN, ACT_SEEK_END, ACT_SLOWER, ACT_FASTER,
	ACT_SHOW_ALL, ACT_EXPORT, ACT_SIGNAL, ACT_MOUSE, ACT_REDRAW
};

/* When a binding holds besides its view. */
enum key_when { WHEN_ALWAYS, WHEN_LIVE, WHEN_RECORDING, WHEN_MAY_CHANGE /* live, and not --readonly */,
	WHEN_NOT_FINDING, WHEN_WRITABLE /* not --readonly */ };

struct binding {
	enum action action;
	unsigned int views; /* bit per view */
	enum key_when when;
	int keys[4];        /* ended by 0 */
	const char *name;   /* of the keys, for help: "q F10" */
	const char *what;
	const char *hint;   /* in the last line; NULL = not there */
};

struct key_context {
	enum view view;
	bool recording, readonly, finding;
};

/* ACT_NONE = the key does nothing there. */
enum action keys_action(int key, const struct key_context *context);
bool binding_holds(const struct binding *b, const struct key_context *context);

extern const struct binding key_bindings[];
extern const size_t key_binding_count;

const char *view_name(enum view view);

#endif
