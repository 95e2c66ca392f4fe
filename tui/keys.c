/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/keys.h"

#include "util/cleanup.h"

#define IN(view) (1U << (view))
#define ALL ((1U << VIEW_COUNT) - 1)
#define LISTS (ALL & ~IN(VIEW_HOST))
#define CTRL(c) ((c) & 0x1f)

/* Of two bindings of one key the first one that holds counts. */
const struct binding key_bindings[] = {
	{ ACT_QUIT, ALL, WHEN_ALWAYS, { 'q', TKEY_F10 }, "q F10", "quit", "quit" },
	{ ACT_HELP, ALL, WHEN_ALWAYS, { '?', TKEY_F1 }, "? F1", "this help", "help" },
	{ ACT_BACK, ALL, WHEN_ALWAYS, { TKEY_ESCAPE }, "Esc", "back; close what is open", NULL },
	{ ACT_VIEW_FIRST, ALL, WHEN_ALWAYS, { '1' }, "1", "containers", NULL },
	{ ACT_VIEW_FIRST + 1, ALL, WHEN_ALWAYS, { '2' }, "2", "timeline of the chosen container", NULL },
	{ ACT_VIEW_FIRST + 2, ALL, WHEN_ALWAYS, { '3' }, "3", "events", NULL },
	{ ACT_VIEW_FIRST + 3, ALL, WHEN_ALWAYS, { '4' }, "4", "limits of the chosen container", NULL },
	{ ACT_VIEW_FIRST + 4, ALL, WHEN_ALWAYS, { '5' }, "5", "host", NULL },
	{ ACT_NEXT_VIEW, ALL, WHEN_ALWAYS, { TKEY_TAB }, "Tab", "next view", NULL },
	{ ACT_PREVIOUS_VIEW, ALL, WHEN_ALWAYS, { TKEY_BACKTAB }, "S-Tab", "view before", NULL },
	{ ACT_UP, ALL, WHEN_ALWAYS, { 'k', TKEY_UP }, "k Up", "up", NULL },
	{ ACT_DOWN, ALL, WHEN_ALWAYS, { 'j', TKEY_DOWN }, "j Down", "down", NULL },
	{ ACT_LEFT, IN(VIEW_TIMELINE), WHEN_ALWAYS, { 'h', TKEY_LEFT }, "h Left", "fold; to what it is in", NULL },
	{ ACT_RIGHT, IN(VIEW_TIMELINE), WHEN_ALWAYS, { 'l', TKEY_RIGHT }, "l Right", "unfold", "unfold" },
	{ ACT_LEFT, IN(VIEW_CONTAINERS) | IN(VIEW_EVENTS), WHEN_ALWAYS, { 'h', TKEY_LEFT }, "h Left", "scroll left", NULL },
	{ ACT_RIGHT, IN(VIEW_CONTAINERS) | IN(VIEW_EVENTS), WHEN_ALWAYS, { 'l', TKEY_RIGHT }, "l Right", "scroll right",
		NULL },
	{ ACT_PAGE_UP, ALL, WHEN_ALWAYS, { TKEY_PAGE_UP, CTRL('b') }, "PgUp", "page up", NULL },
	{ ACT_PAGE_DOWN, ALL, WHEN_ALWAYS, { TKEY_PAGE_DOWN, CTRL('f') }, "PgDn", "page down", NULL },
	{ ACT_FIRST, ALL, WHEN_ALWAYS, { 'g', TKEY_HOME }, "g Home", "first", NULL },
	{ ACT_LAST, ALL, WHEN_ALWAYS, { 'G', TKEY_END }, "G End", "last", NULL },
	{ ACT_DETAILS, IN(VIEW_CONTAINERS), WHEN_ALWAYS, { TKEY_ENTER, '\n' }, "Enter", "its timeline", "timeline" },
	{ ACT_DETAILS, LISTS & ~IN(VIEW_CONTAINERS), WHEN_ALWAYS, { TKEY_ENTER, '\n' }, "Enter", "details", "details" },
	{ ACT_NEXT_ERROR, IN(VIEW_TIMELINE), WHEN_ALWAYS, { 'e' }, "e", "next failed step", "error" },
	{ ACT_NEXT_SLOW, IN(VIEW_TIMELINE), WHEN_NOT_FINDING, { 'n' }, "n", "next slow step (while nothing is searched)",
		"slow" },
	{ ACT_COMPARE, IN(VIEW_TIMELINE), WHEN_ALWAYS, { 'd' }, "d", "compare with an earlier start", "compare" },
	{ ACT_ORDER, IN(VIEW_TIMELINE), WHEN_ALWAYS, { 'o' }, "o", "order: slowest first, as it happened", NULL },
	{ ACT_UNFOLD_ALL, IN(VIEW_TIMELINE), WHEN_ALWAYS, { 'u' }, "u", "unfold all, fold all", NULL },
	{ ACT_ZOOM_IN, IN(VIEW_TIMELINE), WHEN_ALWAYS, { '+', '=' }, "+", "zoom in, around the chosen row", "zoom" },
	{ ACT_ZOOM_OUT, IN(VIEW_TIMELINE), WHEN_ALWAYS, { '-' }, "-", "zoom out", NULL },
	{ ACT_ZOOM_TO, IN(VIEW_TIMELINE), WHEN_ALWAYS, { 'z' }, "z", "zoom to the chosen row", NULL },
	{ ACT_ZOOM_FIT, IN(VIEW_TIMELINE), WHEN_ALWAYS, { '0' }, "0", "all of it", NULL },
	{ ACT_PAN_LEFT, IN(VIEW_TIMELINE), WHEN_ALWAYS, { 'H' }, "H", "zoomed: earlier", NULL },
	{ ACT_PAN_RIGHT, IN(VIEW_TIMELINE), WHEN_ALWAYS, { 'L' }, "L", "zoomed: later", NULL },
	{ ACT_NEXT_CONTAINER, IN(VIEW_TIMELINE) | IN(VIEW_LIMITS), WHEN_ALWAYS, { 'J' }, "J", "next container", NULL },
	{ ACT_PREVIOUS_CONTAINER, IN(VIEW_TIMELINE) | IN(VIEW_LIMITS), WHEN_ALWAYS, { 'K' }, "K", "container before", NULL },
	{ ACT_FIND, LISTS, WHEN_ALWAYS, { '/' }, "/", "find", "find" },
	{ ACT_FIND_NEXT, LISTS, WHEN_ALWAYS, { 'n' }, "n", "find the next", NULL },
	{ ACT_FIND_PREVIOUS, LISTS, WHEN_ALWAYS, { 'N' }, "N", "find the one before", NULL },
	{ ACT_FILTER, IN(VIEW_CONTAINERS) | IN(VIEW_EVENTS), WHEN_ALWAYS, { '\\', TKEY_F4 }, "\\ F4",
		"filter: cont~web type=oom,exit dur>50ms", "filter" },
	{ ACT_SORT, IN(VIEW_CONTAINERS), WHEN_ALWAYS, { 's', TKEY_F6 }, "s F6", "sort by another column", "sort" },
	{ ACT_SHOW_ALL, IN(VIEW_CONTAINERS), WHEN_RECORDING, { 'a' }, "a", "also what the recorded command did not cause", NULL },
	{ ACT_REVERSE, IN(VIEW_CONTAINERS), WHEN_ALWAYS, { 'I' }, "I", "reverse the order", NULL },
	{ ACT_FOLLOW, IN(VIEW_EVENTS), WHEN_ALWAYS, { 'f' }, "f", "follow the newest", "follow" },
	{ ACT_PAUSE, ALL, WHEN_LIVE, { 'p', ' ' }, "p Space", "hold the screen; events are taken on", "pause" },
	{ ACT_PAUSE, ALL, WHEN_RECORDING, { 'p', ' ' }, "p Space", "play, stop; from the end: again", "play" },
	{ ACT_SEEK_BACK, ALL, WHEN_RECORDING, { '[' }, "[", "back a twentieth", NULL },
	{ ACT_SEEK_ON, ALL, WHEN_RECORDING, { ']' }, "]", "on a twentieth", NULL },
	{ ACT_SEEK_BEGIN, ALL, WHEN_RECORDING, { '{' }, "{", "to the beginning", NULL },
	{ ACT_SEEK_END, ALL, WHEN_RECORDING, { '}' }, "}", "to the end", NULL },
	{ ACT_SLOWER, ALL, WHEN_RECORDING, { '<' }, "<", "half as fast", NULL },
	{ ACT_FASTER, ALL, WHEN_RECORDING, { '>' }, ">", "twice as fast", NULL },
	{ ACT_EXPORT, ALL, WHEN_WRITABLE, { 'x' }, "x", "write this view to a file", "export" },
	{ ACT_SIGNAL, IN(VIEW_CONTAINERS), WHEN_MAY_CHANGE, { TKEY_F9 }, "F9", "end the container (asks first)", NULL },
	{ ACT_MOUSE, ALL, WHEN_ALWAYS, { 'm' }, "m", "mouse on, off (off: the terminal selects text)", NULL },
	{ ACT_REDRAW, ALL, WHEN_ALWAYS, { CTRL('l') }, "C-l", "draw all again", NULL },
};
const size_t key_binding_count = ARRAY_SIZE(key_bindings);

const char *view_name(enum view view)
{
	static const char *const names[VIEW_COUNT] = { "containers", "timeline", "events", "limits", "host" };

	return names[view];
}

bool binding_holds(const struct binding *b, const struct key_context *c)
{
	if (!(b->views & IN(c->view)))
		return false;
	switch (b->when) {
	case WHEN_LIVE: return !c->recording;
	case WHEN_RECORDING: return c->recording;
	case WHEN_MAY_CHANGE: return !c->recording && !c->readonly;
	case WHEN_NOT_FINDING: return !c->finding;
	case WHEN_WRITABLE: return !c->readonly;
	case WHEN_ALWAYS: break;
	}
	return true;
}

enum action keys_action(int key, const struct key_context *context)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_bindings); i++) {
		const struct binding *b = &key_bindings[i];

		for (size_t k = 0; k < ARRAY_SIZE(b->keys) && b->keys[k]; k++) {
			if (b->keys[k] == key && binding_holds(b, context))
				return b->action;
		}
	}
	return ACT_NONE;
}
