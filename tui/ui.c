/* SPDX-License-Identifier: Apache-2.0 */
/* What keys do. */
#include "tui/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/filter.h"
#include "exporters/format.h"
#include "tui/export.h"
#include "tui/ui_internal.h"
#include "tui/view.h"
#include "util/array.h"
#include "util/cleanup.h"

const struct view_operations *const ui_views[VIEW_COUNT] = { &containers_view, &timeline_view, &events_view,
	&limits_view, &host_view };

void ui_init(struct ui *ui, bool utf8, bool is_recording)
{
	*ui = (struct ui){ .utf8 = utf8, .mouse = true };
	/* live: what runs first, the newest first among them; of a recording: the slowest start first */
	ui->containers.sort = containers_column(is_recording ? "START" : "STATE");
	ui->events.follow = true;
}

void ui_free(struct ui *ui)
{
	filter_free(ui->compiled);
	free(ui->chosen);
	free(ui->timeline.unfolded);
	free(ui->events.shown);
}

void ui_say(struct ui *ui, bool bad, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(ui->message, sizeof(ui->message), format, ap);
	va_end(ap);
	ui->message_bad = bad;
}

/* ---- the chosen container ---- */

void ui_choose(struct ui *ui, const struct container *c)
{
	char *id;

	if (ui->chosen && !strcmp(ui->chosen, c->id) && ui->chosen_generation == c->generation)
		return;
	id = xstrdup(c->id);
	free(ui->chosen);
	ui->chosen = id;
	ui->chosen_generation = c->generation;
	/* another timeline: what was unfolded and zoomed there means nothing here */
	ui->timeline.unfolded_count = 0;
	ui->timeline.from_ns = ui->timeline.to_ns = 0;
	ui->timeline.list = (struct list){ .page = ui->timeline.list.page };
}

const struct container *ui_container(struct ui *ui, struct model *m)
{
	const struct container *c = model_container(m, ui->chosen);
	struct container_rows rows;

	if (c) {
		ui_choose(ui, c); /* it may have been started anew */
		return c;
	}
	rows = containers_rows(ui, m);
	if (ui->containers.list.cursor < rows.count)
		c = rows.items[ui->containers.list.cursor];
	else if (rows.count)
		c = rows.items[0];
	free(rows.items);
	return c;
}

void ui_set_view(struct ui *ui, enum view view)
{
	ui->view = view;
	ui->help = ui->sort_menu = false;
}

/* ---- prompts ---- */

static void open_prompt(struct ui *ui, enum prompt prompt, const char *text)
{
	ui->prompt = prompt;
	snprintf(ui->input, sizeof(ui->input), "%s", text);
}

static bool find_again(struct ui *ui, struct model *m, int direction)
{
	const struct view_operations *view = ui_views[ui->view];

	if (!ui->find[0] || !view->find)
		return false;
	if (!view->find(ui, m, ui->find, direction)) {
		_cleanup_(strbuf_free) struct strbuf text = { 0 };

		format_text(&text, ui->find, strlen(ui->find), ui->utf8);
		ui_say(ui, true, "not found: %s", text.text);
	}
	return true;
}

static void export_to(struct ui *ui, struct model *m, const char *path)
{
	struct error err = { 0 };
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	int r = export_view(ui, m, path, &err);

	format_text(&text, r < 0 ? err.text : path, strlen(r < 0 ? err.text : path), ui->utf8);
	ui_say(ui, r < 0, r < 0 ? "%s" : "written to %s", text.text);
}

static void finish_prompt(struct ui *ui, struct model *m)
{
	enum prompt prompt = ui->prompt;
	char why[UI_TEXT];

	ui->prompt = PROMPT_NONE;
	if (prompt == PROMPT_FIND) {
		snprintf(ui->find, sizeof(ui->find), "%s", ui->input);
		find_again(ui, m, 1);
	} else if (prompt == PROMPT_FILTER && !ui_set_filter(ui, ui->input, why, sizeof(why))) {
		ui->prompt = PROMPT_FILTER; /* it can be mended */
		ui_say(ui, true, "%s", why);
	} else if (prompt == PROMPT_EXPORT && ui->input[0]) {
		export_to(ui, m, ui->input);
	}
}

/* Takes the last character away, all its bytes. */
static void rub_out(char *text)
{
	size_t length = strlen(text);

	while (length && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
		length--;
	text[length ? length - 1 : 0] = '\0';
}

static void prompt_key(struct ui *ui, struct model *m, int key)
{
	size_t length = strlen(ui->input);

	if (ui->prompt == PROMPT_SIGNAL) {
		ui->want_signal = key == 't' ? 15 : key == 'k' ? 9 : 0;
		ui->prompt = PROMPT_NONE;
	} else if (key == TKEY_ENTER || key == '\n') {
		finish_prompt(ui, m);
	} else if (key == TKEY_ESCAPE) {
		ui->prompt = PROMPT_NONE;
	} else if (key == TKEY_BACKSPACE || key == TKEY_DELETE) {
		rub_out(ui->input);
	} else if (key == ('u' & 0x1f)) {
		ui->input[0] = '\0';
	} else if (key >= ' ' && key < 256 && length + 1 < sizeof(ui->input)) {
		ui->input[length] = (char)key;
		ui->input[length + 1] = '\0';
	}
}

/* ---- actions ---- */

static void go_back(struct ui *ui)
{
	if (ui->view == VIEW_TIMELINE && ui->timeline.details) {
		ui->timeline.details = false;
	} else if (ui->view == VIEW_EVENTS && ui->events.details) {
		ui->events.details = false;
	} else if (ui->find[0]) {
		ui->find[0] = '\0';
		ui_say(ui, false, "search ended");
	} else if (ui->view != VIEW_CONTAINERS) {
		ui_set_view(ui, VIEW_CONTAINERS);
	} else if (ui->filter[0]) {
		ui_set_filter(ui, "", NULL, 0);
	}
}

static void ask_signal(struct ui *ui, struct model *m)
{
	const struct container *c = ui_container(ui, m);

	if (!c || !c->pid || c->state == STATE_EXITED) {
		ui_say(ui, true, "it does not run");
		return;
	}
	ui_choose(ui, c);
	open_prompt(ui, PROMPT_SIGNAL, "");
}

static bool playback_act(struct ui *ui, struct model *m, enum action action)
{
	struct playback *b = &m->playback;
	uint64_t twentieth, from;

	if (!b->is_recording)
		return false;
	twentieth = (b->last_ns > b->start_ns ? b->last_ns - b->start_ns : 20000000000ULL) / 20;
	/* several keys at once go several pieces, though none has been gone yet */
	from = ui->want_seek ? ui->want_seek : b->target_ns > b->at_ns ? b->target_ns : b->at_ns;
	if (from == UINT64_MAX)
		from = b->last_ns ? b->last_ns : b->at_ns;
	switch (action) {
	case ACT_PAUSE: ui->want_toggle = true; break;
	case ACT_SEEK_BEGIN: ui->want_seek = b->start_ns; break;
	case ACT_SEEK_END: ui->want_seek = UINT64_MAX; break;
	case ACT_SEEK_ON: ui->want_seek = from + twentieth; break;
	case ACT_SEEK_BACK:
		ui->want_seek = from > b->start_ns + twentieth ? from - twentieth : b->start_ns;
		break;
	case ACT_SLOWER: b->speed = b->speed > 0.001 ? b->speed / 2 : b->speed; break;
	case ACT_FASTER: b->speed = b->speed < 1000 ? b->speed * 2 : b->speed; break;
	default: return false;
	}
	return true;
}

/* What is the same in all views. */
static bool common_act(struct ui *ui, struct model *m, enum action action)
{
	char name[64];

	if (action >= ACT_VIEW_FIRST && action <= ACT_VIEW_LAST) {
		ui_set_view(ui, (enum view)(action - ACT_VIEW_FIRST));
		return true;
	}
	switch (action) {
	case ACT_QUIT: ui->quit = true; break;
	case ACT_BACK: go_back(ui); break;
	case ACT_HELP: ui->help = true; ui->help_list = (struct list){ 0 }; break;
	case ACT_NEXT_VIEW: ui_set_view(ui, (enum view)((ui->view + 1) % VIEW_COUNT)); break;
	case ACT_PREVIOUS_VIEW: ui_set_view(ui, (enum view)((ui->view + VIEW_COUNT - 1) % VIEW_COUNT)); break;
	case ACT_FIND: open_prompt(ui, PROMPT_FIND, ""); break;
	case ACT_FILTER: open_prompt(ui, PROMPT_FILTER, ui->filter); break;
	case ACT_FIND_NEXT: find_again(ui, m, 1); break;
	case ACT_FIND_PREVIOUS: find_again(ui, m, -1); break;
	case ACT_EXPORT:
		export_default_name(ui, m, name, sizeof(name));
		open_prompt(ui, PROMPT_EXPORT, name);
		break;
	case ACT_SIGNAL: ask_signal(ui, m); break;
	case ACT_MOUSE:
		ui->mouse = !ui->mouse;
		ui_say(ui, false, ui->mouse ? "mouse on" : "mouse off: the terminal selects text");
		break;
	case ACT_REDRAW: ui->redraw = true; break;
	case ACT_PAUSE:
		if (m->playback.is_recording)
			return false;
		ui->held = !ui->held;
		break;
	default: return false;
	}
	return true;
}

void ui_act(struct ui *ui, struct model *m, enum action action)
{
	if (!common_act(ui, m, action) && !playback_act(ui, m, action))
		ui_views[ui->view]->act(ui, m, action);
}

static void menu_key(struct ui *ui, int key, enum action action)
{
	if (key == TKEY_ENTER || key == '\n' || key == ' ') {
		if (ui->containers.sort != ui->menu.cursor)
			ui->containers.reverse = false;
		ui->containers.sort = ui->menu.cursor;
		ui->sort_menu = false;
	} else if (key == TKEY_ESCAPE || action == ACT_QUIT || action == ACT_SORT) {
		ui->sort_menu = false;
	} else {
		list_act(&ui->menu, containers_column_count(), action);
	}
}

void ui_key(struct ui *ui, struct model *m, int key)
{
	struct key_context context = { ui->view, m->playback.is_recording, ui->readonly, ui->find[0] != '\0' };
	enum action action = keys_action(key, &context);

	ui->message[0] = '\0';
	if (ui->prompt != PROMPT_NONE) {
		prompt_key(ui, m, key);
	} else if (ui->sort_menu) {
		menu_key(ui, key, action);
	} else if (ui->help && (action == ACT_BACK || action == ACT_HELP || action == ACT_QUIT || action == ACT_DETAILS)) {
		ui->help = false;
	} else if (ui->help) {
		if (!list_scroll(&ui->help_list, key_binding_count, action) && action != ACT_NONE) {
			ui->help = false; /* what was read about is tried */
			ui_act(ui, m, action);
		}
	} else if (action != ACT_NONE) {
		ui_act(ui, m, action);
	}
}

void ui_mouse(struct ui *ui, struct model *m, size_t row, size_t column, bool twice, int wheel)
{
	const struct view_operations *view = ui_views[ui->view];

	if (ui->prompt != PROMPT_NONE)
		return;
	if (wheel) {
		for (size_t i = 0; i < 3; i++) {
			if (ui->help)
				list_scroll(&ui->help_list, key_binding_count, wheel < 0 ? ACT_UP : ACT_DOWN);
			else
				ui_act(ui, m, wheel < 0 ? ACT_UP : ACT_DOWN);
		}
	} else if (ui->help || ui->sort_menu) {
		ui->help = ui->sort_menu = false;
	} else if (row == UI_TABS_ROW && ui_tab_at(column) < VIEW_COUNT) {
		ui_set_view(ui, ui_tab_at(column));
	} else if (row > UI_TABS_ROW && view->click) {
		view->click(ui, m, row, twice);
	}
}

/* ---- the filter ---- */

bool ui_set_filter(struct ui *ui, const char *text, char *ret_why, size_t size)
{
	struct filter *filter = NULL;
	struct error err = { 0 };

	if (filter_parse(text, &filter, NULL, &err) < 0) {
		_cleanup_(strbuf_free) struct strbuf why = { 0 };

		format_text(&why, err.text, strlen(err.text), ui->utf8);
		snprintf(ret_why, size, "%s", why.text ? why.text : "");
		return false;
	}
	filter_free(ui->compiled);
	ui->compiled = filter;
	snprintf(ui->filter, sizeof(ui->filter), "%s", text);
	ui->filter_round++;
	return true;
}

bool ui_passes_filter(const struct ui *ui, const struct container *c)
{
	return !ui->filter[0] || filter_container(ui->compiled, c);
}

bool ui_passes_event(const struct ui *ui, struct model *m, const struct event *event)
{
	return !ui->filter[0] || filter_event(ui->compiled, model_owner(m, event), event);
}
